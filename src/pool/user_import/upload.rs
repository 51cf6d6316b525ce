//! The way of a job's file into the Directory: at an address that the job's maker was told, which is signed and good for
//! a quarter of an hour; a part at a time, each sealed, so that a file is never whole in memory and every replica has it.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::super::{Pool, document};
use super::{ImportFile, ImportJob, JobStatus, drop_parts};
use crate::clock::Timestamp;
use crate::crypto;
use crate::error::{Error, Rule};

/// Bytes of a file.
pub const LARGEST_FILE: u64 = 100 * 1024 * 1024;
/// Bytes of a part.
pub(super) const PART: usize = 256 * 1024;
/// How long the address is good.
const URL_LIFE: Duration = Duration::from_secs(15 * 60);
/// Files that may begin to come for one job, so that what broke off can not pile up.
const MOST_UPLOADS: usize = 8;
/// Jobs of a pool that hold a file at once.
const MOST_FILES: usize = 10;

/// A file on its way.
pub struct Upload {
    pool: Arc<Pool>,
    job: String,
    id: Uuid,
    parts: u64,
    buffer: Vec<u8>,
    bytes: u64,
    lines: u64,
    taken: bool,
}

impl Pool {
    /// Where the file of a job is to be put, the same at every call; not told any more once a file came, or when it is
    /// too late for one: whoever may only look at jobs could replace it.
    pub fn upload_url(&self, job: &ImportJob) -> Option<String> {
        let until = job.created_at.plus(URL_LIFE);
        if takes_file(job).is_err() || job.file.is_some() || until <= self.now() {
            return None;
        }
        let expires = until.seconds();
        let signature = crypto::encode(self.upload_tag(&job.id, expires));
        let (host, pool, id) = (&self.ports.public_url, self.id(), &job.id);
        Some(format!("{host}/user-imports/{pool}/{id}?expires={expires}&signature={signature}"))
    }

    fn upload_tag(&self, job: &str, expires: i64) -> [u8; 32] {
        self.secrets.import.tag(&[b"put", job.as_bytes(), &expires.to_be_bytes()])
    }

    /// Begins to take the file of a job. One that came before is replaced once this one is whole.
    ///
    /// Errors: `AccessDenied` for an address that is not ours or too old, `NotFound(ImportJob)`, `Rule` for a job that
    /// takes no file any more, `Unavailable`.
    pub async fn begin_upload(self: &Arc<Self>, job: &str, expires: i64, signature: &str) -> Result<Upload, Error> {
        let genuine = crypto::decode(signature).is_some_and(|tag| crypto::same(&tag, &self.upload_tag(job, expires)));
        if !genuine || Timestamp(expires.saturating_mul(1000)) <= self.now() {
            return Err(Error::AccessDenied);
        }
        let holding = self.import_jobs().await?.into_iter().filter(|other| other.file.is_some() && other.id != job);
        if holding.filter(|other| !other.status.is_over()).count() >= MOST_FILES {
            return Err(Rule::Full("Too many import jobs of the user pool hold a file; start or stop some.").into());
        }
        let id = self.ports.random.uuid()?;
        self.change_job(job, |job| {
            takes_file(job)?;
            if job.uploads.len() >= MOST_UPLOADS {
                return Err(Rule::Full("The file was uploaded too often; make another import job.").into());
            }
            job.uploads.push(id);
            Ok(())
        })
        .await?;
        let (pool, job) = (Arc::clone(self), job.to_owned());
        Ok(Upload { pool, job, id, parts: 0, buffer: Vec::new(), bytes: 0, lines: 0, taken: false })
    }

    /// A part of a file in the clear; none past its end.
    pub(super) async fn file_part(&self, upload: Uuid, part: u64) -> Result<Option<Vec<u8>>, Error> {
        let id = part_id(upload, part);
        let found = document::read::<String>(&*self.ports.directory, document::IMPORT_PART, &id).await?;
        let Some(found) = found else { return Ok(None) };
        let plain =
            crypto::decode(&found.content).and_then(|sealed| self.secrets.import_file.open(id.as_bytes(), &sealed));
        plain.map(Some).ok_or_else(|| Error::internal("a part of an import file is not what was sealed"))
    }
}

fn takes_file(job: &ImportJob) -> Result<(), Error> {
    if job.status == JobStatus::Created {
        Ok(())
    } else {
        Err(Rule::NotYet("The import job takes no file any more.").into())
    }
}

fn part_id(upload: Uuid, part: u64) -> String {
    format!("{upload}.{part:06}")
}

impl Upload {
    /// Takes the next bytes. Errors: `Unavailable`.
    pub async fn add(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let room = PART.saturating_sub(self.buffer.len()).min(bytes.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= PART {
                self.keep_part().await?;
            }
        }
        Ok(())
    }

    async fn keep_part(&mut self) -> Result<(), Error> {
        let (id, ports) = (part_id(self.id, self.parts), &self.pool.ports);
        let sealed = self.pool.secrets.import_file.seal(&ports.random, id.as_bytes(), &self.buffer)?;
        let (body, upload) = (crypto::encode(sealed), self.id.to_string());
        document::create(&*ports.directory, document::IMPORT_PART, &id, &upload, &body).await?;
        self.bytes += self.buffer.len() as u64;
        self.lines += self.buffer.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.parts += 1;
        self.buffer.clear();
        Ok(())
    }

    /// How many bytes have come.
    pub fn size(&self) -> u64 {
        self.bytes + self.buffer.len() as u64
    }

    /// The file is whole: it is the job's from now on. Errors: `Rule` when the job was started or stopped meanwhile,
    /// `Unavailable`.
    pub async fn finish(&mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            self.keep_part().await?;
        }
        // From here on it may be the job's, also when the answer is lost or nobody waits for it any more.
        self.taken = true;
        let changed = self.pool.change_job(&self.job, |job| {
            takes_file(job)?;
            let begun = job.uploads.iter().take_while(|upload| **upload != self.id).count();
            if job.file.as_ref().is_some_and(|file| begun < file.uploads) {
                // What came of this one was swept away when that one was whole.
                return Err(Rule::NotYet("Another file of the import job came first.").into());
            }
            let uploads = job.uploads.len();
            job.file = Some(ImportFile { upload: self.id, bytes: self.bytes, lines: self.lines, uploads });
            Ok(())
        });
        let changed = changed.await;
        // What says no, said so before anything was written; else what stays of it goes with the job.
        self.taken = !matches!(changed, Err(Error::Rule(_) | Error::NotFound(_) | Error::Conflict));
        let job = changed?;
        let directory = &*self.pool.ports.directory;
        for other in job.uploads.iter().filter(|other| **other != self.id) {
            // What stays of others now goes with the job.
            let _ = drop_parts(directory, *other).await;
        }
        Ok(())
    }

    /// The file does not come: nothing of it stays. One that is the job's, or may be, does.
    pub async fn abandon(self) -> Result<(), Error> {
        if self.taken {
            return Ok(());
        }
        drop_parts(&*self.pool.ports.directory, self.id).await
    }
}
