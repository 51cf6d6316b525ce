//! What commands print: lines, tables and JSON on standard output; a reader that went away ends the command quietly.

use std::fmt::Display;
use std::io::{BufWriter, ErrorKind, Stdout, Write as _};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::failure::Failure;
use crate::clock::Timestamp;

/// Standard output.
pub(super) struct Output(BufWriter<Stdout>);

impl Output {
    pub(super) fn new() -> Self {
        Self(BufWriter::new(std::io::stdout()))
    }

    /// One line. Control characters in it are spelled out: a stored text must not steer the operator's terminal.
    pub(super) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        let text = harmless(&text.to_string());
        written(writeln!(self.0, "{text}"))
    }

    /// A text of our own, as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        written(self.0.write_all(text.as_bytes()))
    }

    /// A value as JSON for scripts, indented for people.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|fault| fault.to_string())?;
        self.text(&text)?;
        self.text("\n")
    }

    /// A table under a head, as wide as its widest cells.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
        let table = Table::fitting(head, rows);
        table.head(self, head)?;
        rows.iter().try_for_each(|row| table.row(self, row))
    }

    /// Names and values of one thing, a line each.
    pub(super) fn details(&mut self, rows: &[(&str, String)]) -> Result<(), Failure> {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        rows.iter()
            .try_for_each(|(name, value)| self.line(format_args!("{name:width$}  {value}").to_string().trim_end()))
    }

    /// Sends everything on its way.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        written(self.0.flush())
    }
}

/// Widths of columns, so that rows can come page by page.
pub(super) struct Table<const N: usize>([usize; N]);

impl<const N: usize> Table<N> {
    /// Wide enough for the head and these rows.
    pub(super) fn fitting(head: [&str; N], rows: &[[String; N]]) -> Self {
        let mut widths = head.map(|cell| cell.chars().count());
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        Self(widths)
    }

    /// Prints the head.
    pub(super) fn head(&self, output: &mut Output, head: [&str; N]) -> Result<(), Failure> {
        self.row(output, &head.map(str::to_owned))
    }

    /// Prints a row.
    pub(super) fn row(&self, output: &mut Output, row: &[String; N]) -> Result<(), Failure> {
        let cells: Vec<String> = row.iter().zip(self.0).map(|(cell, width)| format!("{cell:width$}")).collect();
        output.line(cells.join("  ").trim_end())
    }
}

fn written(outcome: std::io::Result<()>) -> Result<(), Failure> {
    outcome.map_err(|fault| {
        if fault.kind() == ErrorKind::BrokenPipe {
            return Failure::ReaderGone;
        }
        Failure::Said(format!("cannot write to standard output: {fault}"))
    })
}

fn harmless(text: &str) -> String {
    let spelled = |character: char| {
        let mut shown = String::from(character);
        if character.is_control() {
            shown = character.escape_default().to_string();
        }
        shown
    };
    text.chars().map(spelled).collect()
}

/// An instant as RFC 3339 in UTC, to the second.
pub(super) fn instant(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

/// `yes` or `no`.
pub(super) fn yes_no(flag: bool) -> String {
    if flag { "yes".to_owned() } else { "no".to_owned() }
}

/// A number of a thing in words: `1 user`, `3 users`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
