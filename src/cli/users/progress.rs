//! How far an import is: a bar on a terminal, else a line now and then, always on standard error.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of reading a file.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    /// Begins; `size` is the file's in bytes.
    pub(super) fn new(size: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: Instant::now() };
        }
        let bar = ProgressBar::new(size);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left") {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// The import is at this byte of the file.
    pub(super) fn at(&mut self, byte: u64, imported: u64, refused: usize) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(byte);
                bar.set_message(format!("{imported} imported, {refused} refused"));
            }
            Self::Lines { last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                eprintln!("{imported} imported, {refused} refused so far");
            }
            Self::Lines { .. } => {}
        }
    }

    /// Prints something of its own without tearing the bar.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match self {
            Self::Bar(bar) => bar.suspend(print),
            Self::Lines { .. } => print(),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
