//! Which rows of a job were not taken and why: kept with the job for an administrator, and logged, where Amazon writes
//! them to CloudWatch. Rows are named by their numbers, and no value of theirs is told.

use serde::{Deserialize, Serialize};

use super::super::document;
use super::ImportJob;
use crate::error::Error;
use crate::store::directory::Directory;

/// Rows that are kept of one job; those beyond are only counted.
pub(super) const MOST_KEPT: u64 = 10_000;

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// Its number in the file; the header is line 1.
    pub line: u64,
    /// Whether the user was there already.
    pub skipped: bool,
    /// Why, in a sentence.
    pub reason: String,
}

impl std::fmt::Display for RowFault {
    /// As Cognito's log has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.skipped { "SKIPPED" } else { "FAILED" };
        write!(f, "[{word}] Line Number {} - {}", self.line, self.reason)
    }
}

/// Keeps the faults of a portion of rows, unless it was done before, as when a replica died after this step.
pub(super) async fn keep(directory: &dyn Directory, job: &ImportJob, faults: &[RowFault]) -> Result<(), Error> {
    let kept = usize::try_from(MOST_KEPT.saturating_sub(job.skipped + job.failed)).unwrap_or(usize::MAX);
    let faults = faults.get(..kept.min(faults.len())).unwrap_or_default();
    let Some(first) = faults.first() else { return Ok(()) };
    let id = format!("{}.{:07}", job.id, first.line);
    if document::create(directory, document::IMPORT_FAULT, &id, &job.id, &faults).await? {
        for RowFault { line, skipped, reason } in faults {
            tracing::info!(job = job.id, line, skipped, reason, "a row of an import job was not taken");
        }
    }
    Ok(())
}

/// All that are kept of a job, by their lines.
pub(super) async fn of(directory: &dyn Directory, job: &str) -> Result<Vec<RowFault>, Error> {
    let mut faults = Vec::new();
    for kept in directory.documents(document::IMPORT_FAULT, job).await? {
        faults.extend(document::parse::<Vec<RowFault>>(&kept)?.content);
    }
    Ok(faults)
}
