//! The record of an import job.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::HashAlgorithm;
use crate::clock::Timestamp;

/// How long a job may wait to be started.
const LIFE: Duration = Duration::from_secs(24 * 3600);
const EXPIRED: &str = "The user import job has expired.";

/// Cognito's UserImportJobStatusType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobStatus {
    /// It waits for its file, or to be started.
    Created,
    /// It was started, and no replica has it yet.
    Pending,
    /// Users are being made.
    InProgress,
    /// It was stopped, and a portion is still being made.
    Stopping,
    /// It was not started in time.
    Expired,
    /// It was stopped; what it made stays.
    Stopped,
    /// Its file can not be read, or nobody in it was taken.
    Failed,
    /// Its file was read to the end.
    Succeeded,
}

impl JobStatus {
    /// Whether nothing follows.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Expired | Self::Stopped | Self::Failed | Self::Succeeded)
    }

    /// Whether users are being made, or will be in a moment.
    pub(super) const fn runs(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress | Self::Stopping)
    }
}

/// An import job, the document of kind `import_job`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportJob {
    /// `import-` and ten letters and digits.
    pub id: String,
    /// The pool's id.
    pub pool: String,
    /// For people.
    pub name: String,
    /// Cognito's CloudWatchLogsRoleArn, answered as it was given.
    pub role_arn: String,
    /// What the passwords of its file are hashed with; none where it holds none.
    pub hashes: Option<HashAlgorithm>,
    /// How far it is.
    pub status: JobStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub completed_at: Option<Timestamp>,
    /// Users made.
    pub imported: u64,
    /// Rows whose user was there already.
    pub skipped: u64,
    /// Rows that can not be taken.
    pub failed: u64,
    /// What it came to, in a sentence.
    pub message: Option<String>,
    /// Every upload that was begun.
    pub(super) uploads: Vec<Uuid>,
    /// The one that is whole.
    pub(super) file: Option<ImportFile>,
    /// Who works on it.
    pub(super) runner: Option<Uuid>,
    /// Bytes and lines of the file that are done.
    pub(super) done: Place,
}

/// A file that came whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportFile {
    pub upload: Uuid,
    pub bytes: u64,
    pub lines: u64,
    /// How many uploads had begun when it was whole.
    pub uploads: usize,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub bytes: u64,
    pub lines: u64,
}

/// A job to be made.
pub struct NewImportJob {
    /// For people.
    pub name: String,
    /// Cognito's CloudWatchLogsRoleArn.
    pub role_arn: String,
    /// What the passwords of its file are hashed with.
    pub hashes: Option<HashAlgorithm>,
}

impl ImportJob {
    pub(super) fn end(&mut self, status: JobStatus, message: &str, now: Timestamp) {
        (self.status, self.completed_at, self.runner) = (status, Some(now), None);
        self.message = Some(message.to_owned());
    }

    /// As it is at this moment: whatever was not started in time has expired, also when nobody has written it yet.
    pub(super) fn at(mut self, now: Timestamp) -> Self {
        let end = self.created_at.plus(LIFE);
        if self.status == JobStatus::Created && now >= end {
            self.end(JobStatus::Expired, EXPIRED, end);
        }
        self
    }
}
