//! Import jobs (contract cognito (h), Import): users of a CSV file, taken in the background by whichever replica is
//! first, a portion at a time; what is done is in the Directory after every portion, so that another replica goes on
//! where one died.

pub mod csv;
mod csv_row;
mod fault;
mod job;
mod row;
mod run;
mod upload;

use uuid::Uuid;

use super::document::{self, IMPORT_FAULT, IMPORT_JOB, IMPORT_PART, IMPORT_QUEUE};
use super::{Page, PageOf, Pool, PoolSettings, Pools};
use crate::error::{Error, Kind, Rule};
use crate::store::directory::Directory;
use job::{ImportFile, Place};

pub use csv_row::cognito_row;
pub use fault::RowFault;
pub use job::{ImportJob, JobStatus, NewImportJob};
pub use row::HashAlgorithm;
pub use run::Importer;
pub use upload::{LARGEST_FILE, Upload};

/// Jobs of a pool; the oldest that is over gives way to a new one.
const MOST_JOBS: usize = 1_000;
/// Documents deleted by one statement: parts of files are large.
const AT_ONCE: u32 = 16;
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH: usize = 10;
const NO_CONTACT: &str = "The user pool has no auto-verified attribute, so its import jobs do not start.";
const STOPPED: &str = "The user import job was stopped.";

impl Pool {
    /// The columns that a file of this pool has. Errors: `Unavailable`.
    pub async fn import_header(&self) -> Result<Vec<String>, Error> {
        Ok(csv::header(&self.present_settings().await?.schema))
    }

    /// As they are now: another replica may have changed them a moment ago.
    async fn present_settings(&self) -> Result<PoolSettings, Error> {
        let found = document::read(&*self.ports.directory, document::POOL, self.id()).await?;
        found.map(|found| found.content).ok_or(Error::NotFound(Kind::Pool))
    }

    /// Makes a job, which waits for its file. Errors: `Rule` where there are too many, `Unavailable`.
    pub async fn create_import_job(&self, draft: NewImportJob) -> Result<ImportJob, Error> {
        let directory = &*self.ports.directory;
        self.make_room(directory).await?;
        let job = ImportJob {
            id: format!("import-{}", self.ports.random.text(ID_ALPHABET, ID_LENGTH)?),
            pool: self.id().to_owned(),
            name: draft.name,
            role_arn: draft.role_arn,
            hashes: draft.hashes,
            status: JobStatus::Created,
            created_at: self.now(),
            started_at: None,
            completed_at: None,
            imported: 0,
            skipped: 0,
            failed: 0,
            message: None,
            uploads: Vec::new(),
            file: None,
            runner: None,
            done: Place::default(),
        };
        if !document::create(directory, IMPORT_JOB, &job.id, self.id(), &job).await? {
            return Err(Error::Exists(Kind::ImportJob));
        }
        document::create(directory, IMPORT_QUEUE, &job.id, "", &()).await?;
        Ok(job)
    }

    async fn make_room(&self, directory: &dyn Directory) -> Result<(), Error> {
        let mut jobs = self.import_jobs().await?;
        if jobs.len() < MOST_JOBS {
            return Ok(());
        }
        jobs.retain(|job| job.status.is_over());
        let oldest = jobs.into_iter().min_by_key(|job| job.created_at);
        let oldest = oldest.ok_or(Rule::Full("The user pool has too many import jobs."))?;
        forget(directory, &oldest).await
    }

    /// All jobs of the pool as they are now.
    async fn import_jobs(&self) -> Result<Vec<ImportJob>, Error> {
        let found = self.ports.directory.documents(IMPORT_JOB, self.id()).await?;
        found.iter().map(|found| Ok(document::parse::<ImportJob>(found)?.content.at(self.now()))).collect()
    }

    /// A page of the jobs, newest first. Errors: `InvalidParameter` when the token was not given for this list,
    /// `Unavailable`.
    pub async fn import_job_page(&self, page: PageOf<'_>) -> Result<Page<ImportJob>, Error> {
        let query = ["ListUserImportJobs"];
        // Newest first: the later the instant the smaller the place.
        let place = |job: &ImportJob| (-job.created_at.0, job.id.clone());
        let after: Option<(i64, String)> = self.position(&query, page.token)?;
        let mut jobs = self.import_jobs().await?;
        jobs.retain(|job| after.as_ref().is_none_or(|after| place(job) > *after));
        jobs.sort_by_key(place);
        jobs.truncate(page.size() + 1);
        self.cut(jobs, page.size(), &query, place)
    }

    /// A job as it is now. Errors: `NotFound(ImportJob)`, also for another pool's; `Unavailable`.
    pub async fn import_job(&self, id: &str) -> Result<ImportJob, Error> {
        let found = document::read::<ImportJob>(&*self.ports.directory, IMPORT_JOB, id).await?;
        let job = found.map(|found| found.content).filter(|job| job.pool == self.id());
        job.map(|job| job.at(self.now())).ok_or(Error::NotFound(Kind::ImportJob))
    }

    /// The rows of a job that were not taken, as far as they are kept. Errors as of [`Pool::import_job`].
    pub async fn import_faults(&self, id: &str) -> Result<Vec<RowFault>, Error> {
        let job = self.import_job(id).await?;
        fault::of(&*self.ports.directory, &job.id).await
    }

    /// Lets a replica take the job. Errors: `NotFound(ImportJob)`, `Rule` when it has no file, was started before, or
    /// nobody of the pool could get a code; `Unavailable`.
    pub async fn start_import_job(&self, id: &str) -> Result<ImportJob, Error> {
        if self.present_settings().await?.auto_verify.is_empty() {
            return Err(Rule::NotYet(NO_CONTACT).into());
        }
        // Before it can be pending: whatever is to be done must be in the queue. It is there but where its making broke off.
        self.import_job(id).await?;
        document::create(&*self.ports.directory, IMPORT_QUEUE, id, "", &()).await?;
        let now = self.now();
        self.change_job(id, |job| {
            if job.status != JobStatus::Created {
                return Err(Rule::NotYet("The user import job was started already, or is over.").into());
            }
            if job.file.is_none() {
                return Err(Rule::NotYet("No file was uploaded for the user import job.").into());
            }
            (job.status, job.started_at) = (JobStatus::Pending, Some(now));
            Ok(())
        })
        .await
    }

    /// Stops a job that was started; the portion that is being made is the last. Errors: `NotFound(ImportJob)`, `Rule`
    /// when it does not run, `Unavailable`.
    pub async fn stop_import_job(&self, id: &str) -> Result<ImportJob, Error> {
        let now = self.now();
        self.change_job(id, |job| {
            match job.status {
                JobStatus::Pending => job.end(JobStatus::Stopped, STOPPED, now),
                JobStatus::InProgress | JobStatus::Stopping => job.status = JobStatus::Stopping,
                JobStatus::Created
                | JobStatus::Expired
                | JobStatus::Stopped
                | JobStatus::Failed
                | JobStatus::Succeeded => return Err(Rule::NotYet("The user import job does not run.").into()),
            }
            Ok(())
        })
        .await
    }

    async fn change_job(
        &self,
        id: &str,
        apply: impl Fn(&mut ImportJob) -> Result<(), Error> + Send + Sync,
    ) -> Result<ImportJob, Error> {
        let now = self.now();
        document::change(&*self.ports.directory, IMPORT_JOB, id, Kind::ImportJob, |job: &mut ImportJob| {
            if job.pool != self.id() {
                return Err(Error::NotFound(Kind::ImportJob));
            }
            *job = job.clone().at(now);
            apply(job)
        })
        .await
    }
}

impl Pools {
    /// Says no while a job of this pool runs, as Cognito does: what its rows are held against must not change. A job that
    /// is started at the same moment reads the rules as they are then.
    ///
    /// Errors: `Rule`, `Unavailable`.
    pub async fn refuse_while_importing(&self, pool: &str) -> Result<(), Error> {
        for found in self.ports().directory.documents(IMPORT_JOB, pool).await? {
            if document::parse::<ImportJob>(&found)?.content.status.runs() {
                return Err(Rule::ImportRuns.into());
            }
        }
        Ok(())
    }
}

/// Deletes what came of an upload.
async fn drop_parts(directory: &dyn Directory, upload: Uuid) -> Result<(), Error> {
    while directory.delete_documents(IMPORT_PART, &upload.to_string(), AT_ONCE).await? > 0 {}
    Ok(())
}

/// Deletes what a job that is over leaves besides its result.
async fn sweep(directory: &dyn Directory, job: &ImportJob) -> Result<(), Error> {
    for upload in &job.uploads {
        drop_parts(directory, *upload).await?;
    }
    directory.delete_document(IMPORT_QUEUE, &job.id).await.map(drop)
}

async fn forget(directory: &dyn Directory, job: &ImportJob) -> Result<(), Error> {
    while directory.delete_documents(IMPORT_FAULT, &job.id, AT_ONCE).await? > 0 {}
    sweep(directory, job).await?;
    directory.delete_document(IMPORT_JOB, &job.id).await.map(drop)
}

/// Deletes every job of a pool with all that is theirs.
pub(super) async fn forget_jobs(directory: &dyn Directory, pool: &str) -> Result<(), Error> {
    for found in directory.documents(IMPORT_JOB, pool).await? {
        forget(directory, &document::parse(&found)?.content).await?;
    }
    Ok(())
}
