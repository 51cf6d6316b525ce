//! The lines of a job's file, a part at a time.

use super::super::super::Pool;
use super::super::csv::LONGEST_ROW;
use super::super::upload::PART;
use super::super::{ImportFile, Place};
use crate::error::Error;

/// More than so many bytes are no line of so many characters.
const LONGEST_LINE: usize = LONGEST_ROW * 4;

/// A line that is not empty.
pub(super) struct Line {
    /// Its number; the header is 1.
    pub number: u64,
    /// What stands on it, or why it can not be read.
    pub text: Result<String, String>,
}

pub(super) struct Reader<'a> {
    pool: &'a Pool,
    file: &'a ImportFile,
    place: Place,
    /// The part that the place is in, and its number.
    part: Option<(u64, Vec<u8>)>,
}

impl<'a> Reader<'a> {
    pub fn new(pool: &'a Pool, file: &'a ImportFile) -> Self {
        Self { pool, file, place: Place::default(), part: None }
    }

    /// What was read.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Goes on after this place.
    pub fn seek(&mut self, place: Place) {
        self.place = place;
    }

    /// Some lines that are not empty; none at the end of the file.
    pub async fn portion(&mut self, size: usize) -> Result<Vec<Line>, Error> {
        let mut lines = Vec::with_capacity(size);
        while lines.len() < size
            && let Some(line) = self.line().await?
        {
            if !line.text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// The next line.
    pub async fn line(&mut self) -> Result<Option<Line>, Error> {
        let (mut bytes, mut length, mut ended) = (Vec::new(), 0, false);
        while !ended && self.fill().await? {
            let rest = self.rest();
            let end = rest.iter().position(|byte| *byte == b'\n');
            let taken = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let room = (LONGEST_LINE + 1).saturating_sub(bytes.len());
            bytes.extend_from_slice(taken.get(..room).unwrap_or(taken));
            length = taken.len() + usize::from(end.is_some());
            ended = end.is_some();
            self.place.bytes += length as u64;
        }
        if length == 0 {
            return Ok(None);
        }
        self.place.lines += 1;
        Ok(Some(Line { number: self.place.lines, text: text_of(bytes) }))
    }

    /// Has the part of the place at hand; false at the end of the file.
    async fn fill(&mut self) -> Result<bool, Error> {
        if self.place.bytes >= self.file.bytes {
            return Ok(false);
        }
        let number = self.place.bytes / PART as u64;
        if self.part.as_ref().is_none_or(|(at_hand, _)| *at_hand != number) {
            let part = self.pool.file_part(self.file.upload, number).await?;
            self.part = part.map(|bytes| (number, bytes));
        }
        Ok(!self.rest().is_empty())
    }

    fn rest(&self) -> &[u8] {
        let offset = usize::try_from(self.place.bytes % PART as u64).unwrap_or_default();
        self.part.as_ref().and_then(|(_, bytes)| bytes.get(offset..)).unwrap_or_default()
    }
}

fn text_of(mut bytes: Vec<u8>) -> Result<String, String> {
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let too_long = format!("The row has more than {LONGEST_ROW} characters.");
    if bytes.len() > LONGEST_LINE {
        return Err(too_long);
    }
    let text = String::from_utf8(bytes).map_err(|_| "The row is not UTF-8.".to_owned())?;
    if text.chars().count() > LONGEST_ROW { Err(too_long) } else { Ok(text) }
}
