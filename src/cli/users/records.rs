//! Reading the lines of an import file, each with the number it has in an editor.

use std::fs::File;
use std::io::{Chain, Read as _};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::columns::Columns;
use crate::cli::failure::Failure;

type Text = Chain<File, &'static [u8]>;

/// One line of the file; with line breaks in quotes it spans several.
pub(super) struct Record {
    /// The number of its first line.
    pub(super) line: u64,
    /// Where in the file it ends.
    pub(super) byte: u64,
    /// What stands between the commas.
    pub(super) values: ByteRecord,
}

/// The lines after the header.
pub(super) struct Records(Reader<Text>);

/// Opens a file: what its columns mean, its lines, and its size in bytes.
pub(super) fn open(path: &Path) -> Result<(Columns, Records, u64), Failure> {
    let unreadable = |fault: &dyn std::fmt::Display| format!("cannot read {}: {fault}", path.display());
    let file = File::open(path).map_err(|fault| unreadable(&fault))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let mut reader = ReaderBuilder::new()
        // Lines of a wrong length are refused one by one.
        .flexible(true)
        // Lines are counted by line feeds, which the crate's own rule for CR LF leaves for the next line.
        .terminator(Terminator::Any(b'\n'))
        // And every line must have one.
        .from_reader(file.chain(&b"\n"[..]));
    let header = reader.byte_headers().map_err(|fault| unreadable(&fault))?;
    let columns = Columns::read(header).map_err(|fault| format!("{}: {fault}", path.display()))?;
    Ok((columns, Records(reader), size))
}

impl Iterator for Records {
    type Item = Result<Record, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut values = ByteRecord::new();
            match self.0.read_byte_record(&mut values) {
                Ok(true) if values.as_slice() == b"\r" => {}
                Ok(true) => return Some(Ok(self.numbered(values))),
                Ok(false) => return None,
                Err(fault) => return Some(Err(fault)),
            }
        }
    }
}

impl Records {
    /// Counted back from its end, because the crate counts empty lines before it as its own.
    fn numbered(&self, values: ByteRecord) -> Record {
        let inside = values.as_slice().iter().filter(|byte| **byte == b'\n').count();
        let after = self.0.position();
        let line = after.line().saturating_sub(1).saturating_sub(u64::try_from(inside).unwrap_or(0));
        Record { line, byte: after.byte(), values: without_return(values) }
    }
}

/// Without the carriage return of a line that ends in CR LF.
fn without_return(values: ByteRecord) -> ByteRecord {
    let last = values.len().saturating_sub(1);
    let cut = |(index, value): (usize, &[u8])| {
        let cut = if index == last { value.strip_suffix(b"\r") } else { None };
        cut.unwrap_or(value).to_vec()
    };
    if values.as_slice().ends_with(b"\r") { values.iter().enumerate().map(cut).collect() } else { values }
}
