//! Running import jobs. A replica has a job while the job's document names it and goes on growing by one version a
//! portion; one whose version stands still for as many looks as [`LOOKS`] is taken from whoever had it. No clock takes
//! part: a replica that only slept finds at its next write that the job is another's.

mod reader;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::super::{Pool, Pools, document};
use super::csv::{self, Columns};
use super::row::words;
use super::{ImportFile, ImportJob, JobStatus, Place, RowFault, STOPPED, fault, sweep};
use crate::error::{Error, Kind, chain};
use crate::store::directory::{Document, User};
use reader::{Line, Reader};

/// Looks at a job that stands still before it is taken over.
const LOOKS: u32 = 15;
/// Users made by one statement.
const PORTION: usize = 50;
/// Rows of a file.
const MOST_ROWS: u64 = 500_000;
const DONE: &str = "The user import job has completed.";
/// As Cognito says it.
const NOBODY: &str = "Too many users have failed or been skipped during the import.";
const INTERNAL: &str = "The user import job failed because of an internal error.";

/// What a replica knows of the jobs, from look to look.
pub struct Importer {
    pools: Arc<Pools>,
    id: Uuid,
    /// Versions of jobs that others have, and how often they were seen.
    seen: HashMap<String, (i64, u32)>,
    /// Jobs that do not go on, of which that was told.
    stuck: HashSet<String>,
}

/// What became of a portion.
#[derive(Default)]
struct Tally {
    imported: u64,
    faults: Vec<RowFault>,
}

impl Importer {
    /// Knows nothing yet. Errors: `Internal`.
    pub fn new(pools: Arc<Pools>) -> Result<Self, Error> {
        Ok(Self { id: pools.ports().random.uuid()?, pools, seen: HashMap::new(), stuck: HashSet::new() })
    }

    /// Looks at every job that has something to be done, and does it. To be called about once a second.
    pub async fn turn(&mut self) -> Result<(), Error> {
        let queue = self.pools.ports().directory.documents(document::IMPORT_QUEUE, "").await?;
        self.seen.retain(|id, _| queue.iter().any(|entry| entry.id == *id));
        for entry in queue {
            match self.look(&entry.id).await {
                Ok(()) => drop(self.stuck.remove(&entry.id)),
                Err(error) if self.stuck.insert(entry.id.clone()) => {
                    tracing::warn!(job = entry.id, cause = chain(&error), "an import job does not go on yet");
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    async fn look(&mut self, id: &str) -> Result<(), Error> {
        let (directory, now) = (&*self.pools.ports().directory, self.pools.ports().clock.now());
        let Some(found) = directory.document(document::IMPORT_JOB, id).await? else {
            return directory.delete_document(document::IMPORT_QUEUE, id).await.map(drop);
        };
        let kept: ImportJob = document::parse(&found)?.content;
        let mut job = kept.clone().at(now);
        let take = match job.status {
            JobStatus::Created => return Ok(()),
            JobStatus::Expired if kept.status != job.status => {
                return written(self.write(&found, &job).await);
            }
            JobStatus::Expired | JobStatus::Stopped | JobStatus::Failed | JobStatus::Succeeded => {
                return sweep(directory, &job).await;
            }
            JobStatus::Pending => true,
            JobStatus::InProgress | JobStatus::Stopping => job.runner == Some(self.id) || self.stands_still(&found),
        };
        if !take {
            return Ok(());
        }
        job.runner = Some(self.id);
        job.status = if job.status == JobStatus::Pending { JobStatus::InProgress } else { job.status };
        match self.write(&found, &job).await {
            Ok(()) => self.run(job).await,
            lost => written(lost),
        }
    }

    /// Whether a job of another was seen so often without a change that he must have died.
    fn stands_still(&mut self, found: &Document) -> bool {
        let before = self.seen.get(&found.id).filter(|(version, _)| *version == found.version);
        let looks = before.map_or(0, |(_, looks)| looks.saturating_add(1));
        self.seen.insert(found.id.clone(), (found.version, looks));
        looks >= LOOKS
    }

    async fn write(&self, found: &Document, job: &ImportJob) -> Result<(), Error> {
        let changed = Document { body: document::write(job)?, ..found.clone() };
        self.pools.ports().directory.update_document(&changed).await.map(drop)
    }

    /// The pool as it is now: its rules may have been changed on another replica just before the job was started.
    async fn pool(&self, id: &str) -> Result<Arc<Pool>, Error> {
        let settings = self.pools.pool_settings(id).await?;
        match self.pools.find(id) {
            Ok(pool) if pool.settings == settings => Ok(pool),
            Ok(_) | Err(Error::NotFound(_)) => {
                self.pools.reload().await?;
                self.pools.find(id)
            }
            Err(error) => Err(error),
        }
    }

    async fn run(&mut self, job: ImportJob) -> Result<(), Error> {
        let pool = self.pool(&job.pool).await?;
        let run = Run { pool: &pool, runner: self.id };
        match run.to_end(job.clone()).await {
            Ok(()) => {}
            // Another replica has it, or it went with its pool.
            Err(Error::Conflict | Error::NotFound(_)) => return Ok(()),
            Err(error @ Error::Internal(_)) => {
                tracing::error!(job = job.id, cause = chain(&error), "an import job failed");
                written(run.end(&job.id, JobStatus::Failed, INTERNAL).await)?;
            }
            Err(error) => return Err(error),
        }
        let job = pool.import_job(&job.id).await?;
        sweep(&*pool.ports.directory, &job).await
    }
}

/// Somebody else was faster: nothing is wrong.
fn written(outcome: Result<(), Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::Conflict | Error::NotFound(_)) => Ok(()),
        outcome => outcome,
    }
}

/// One replica's work on one job.
struct Run<'a> {
    pool: &'a Pool,
    runner: Uuid,
}

impl Run<'_> {
    async fn to_end(&self, job: ImportJob) -> Result<(), Error> {
        let Some(file) = job.file.clone() else { return Err(Error::internal("an import job has no file")) };
        if file.lines > MOST_ROWS + 1 {
            return self.end(&job.id, JobStatus::Failed, "The file has more than 500000 rows.").await;
        }
        let mut reader = Reader::new(self.pool, &file);
        let header = reader.line().await?.and_then(|line| line.text.ok()).unwrap_or_default();
        let wanted = csv::header(&self.pool.present_settings().await?.schema);
        let columns = match Columns::read(&header, &wanted, job.hashes.is_some()) {
            Ok(columns) => columns,
            Err(reason) => return self.end(&job.id, JobStatus::Failed, reason).await,
        };
        if job.done.bytes > 0 {
            reader.seek(job.done);
        }
        self.portions(job, &columns, reader, &file).await
    }

    async fn portions(
        &self,
        mut job: ImportJob,
        columns: &Columns,
        mut reader: Reader<'_>,
        file: &ImportFile,
    ) -> Result<(), Error> {
        while job.status == JobStatus::InProgress {
            let started = Instant::now();
            let lines = reader.portion(PORTION).await?;
            if lines.is_empty() && reader.place().bytes < file.bytes {
                return Err(Error::internal("a part of an import file is missing"));
            }
            let last = lines.is_empty();
            let tally = self.take(&job, columns, lines).await?;
            fault::keep(&*self.pool.ports.directory, &job, &tally.faults).await?;
            job = self.note(&job.id, &tally, reader.place(), last).await?;
            // Whoever signs in meanwhile must not wait for the import.
            tokio::time::sleep(started.elapsed() / 2).await;
        }
        if job.status == JobStatus::Stopping {
            return self.end(&job.id, JobStatus::Stopped, STOPPED).await;
        }
        Ok(())
    }

    /// Makes the users of some lines. Each has a sub that is drawn from job and line: one that is there already was
    /// made by whoever had the job before.
    async fn take(&self, job: &ImportJob, columns: &Columns, lines: Vec<Line>) -> Result<Tally, Error> {
        let (mut tally, mut numbers, mut users) = (Tally::default(), Vec::new(), Vec::new());
        for Line { number, text } in lines {
            match text.and_then(|text| self.pool.user_of_row(columns.row(&text)?, job.hashes)) {
                Ok(user) => {
                    users.push(self.numbered(user, &job.id, number));
                    numbers.push(number);
                }
                Err(reason) => tally.faults.push(RowFault { line: number, skipped: false, reason }),
            }
        }
        let made = self.pool.ports.directory.create_users(&users).await?;
        for ((line, user), outcome) in numbers.into_iter().zip(&users).zip(made) {
            match self.judge(user, outcome).await? {
                None => tally.imported += 1,
                Some((skipped, reason)) => tally.faults.push(RowFault { line, skipped, reason }),
            }
        }
        tally.faults.sort_by_key(|fault| fault.line);
        Ok(tally)
    }

    fn numbered(&self, mut user: User, job: &str, line: u64) -> User {
        let tag = self.pool.secrets.import.tag(&[b"sub", job.as_bytes(), &line.to_be_bytes()]);
        let bytes = tag.first_chunk().copied().unwrap_or_default();
        let sub = uuid::Builder::from_random_bytes(bytes).into_uuid();
        if user.username == user.sub.to_string() {
            (user.username, user.username_key) = (sub.to_string(), sub.to_string());
        }
        user.sub = sub;
        user.aliases = self.pool.aliases_of(&user);
        user
    }

    async fn judge(&self, user: &User, outcome: Result<User, Error>) -> Result<Option<(bool, String)>, Error> {
        match outcome {
            Ok(_) => Ok(None),
            Err(Error::UserExists) => {
                let own = self.pool.ports.directory.user(self.pool.id(), user.sub).await?.is_some();
                Ok((!own).then(|| (true, "The user already exists.".to_owned())))
            }
            Err(error @ (Error::Unavailable { .. } | Error::Internal(_) | Error::Conflict)) => Err(error),
            Err(error) => Ok(Some((false, words(error)))),
        }
    }

    /// Writes what a portion came to. Errors: `Conflict` when the job is another's.
    async fn note(&self, id: &str, tally: &Tally, place: Place, last: bool) -> Result<ImportJob, Error> {
        let now = self.pool.now();
        let skipped = tally.faults.iter().filter(|fault| fault.skipped).count() as u64;
        self.change(id, |job| {
            job.imported += tally.imported;
            job.skipped += skipped;
            job.failed += tally.faults.len() as u64 - skipped;
            job.done = place;
            if last {
                let nobody = job.imported == 0 && job.skipped + job.failed > 0;
                let (status, message) = if nobody { (JobStatus::Failed, NOBODY) } else { (JobStatus::Succeeded, DONE) };
                job.end(status, message, now);
            }
        })
        .await
    }

    async fn end(&self, id: &str, status: JobStatus, message: &str) -> Result<(), Error> {
        let now = self.pool.now();
        self.change(id, |job| job.end(status, message, now)).await.map(drop)
    }

    async fn change(&self, id: &str, apply: impl Fn(&mut ImportJob) + Send + Sync) -> Result<ImportJob, Error> {
        let directory = &*self.pool.ports.directory;
        let changed = document::change(directory, document::IMPORT_JOB, id, Kind::ImportJob, |job: &mut ImportJob| {
            if job.runner != Some(self.runner) {
                return Err(Error::Conflict);
            }
            apply(job);
            Ok(())
        })
        .await?;
        if changed.status.is_over() {
            let ImportJob { status, imported, skipped, failed, .. } = &changed;
            tracing::info!(job = id, ?status, imported, skipped, failed, "an import job is over");
        }
        Ok(changed)
    }
}
