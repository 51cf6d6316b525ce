//! The one writer of the embedded store: writes that arrive together share one transaction, because the disk's
//! flush at each commit is what limits them (performance goal P9). An answer is given only after the commit.

use std::fs::File;

use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, Executor as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::fault::{self, Fault};
use super::reserve::Reserve;
use super::{Plan, Verb, late};
use crate::error::Error;

/// Writes in one transaction at most.
const BATCH: usize = 64;
/// Writes that may wait.
const QUEUE: usize = 1024;

/// The way to the writer's task; the task ends with the last one.
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts the task; the locks live as long as it does.
    pub(super) fn start(connection: AnyConnection, reserve: Reserve, locks: Vec<File>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(Task { connection, reserve, _locks: locks }.serve(jobs));
        Self(queue)
    }

    /// Queues a verb and waits for its commit.
    pub(super) async fn carry_out<A, T>(
        &self,
        plan: Plan,
        args: A,
        verb: Verb<A, T>,
        deadline: Instant,
    ) -> Result<T, Fault>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Order { plan, args, verb, outcome: None, reply });
        let answered = async { self.0.send(job).await.is_ok().then_some(answer.await.ok()).flatten() };
        match timeout_at(deadline, answered).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(Fault::Refused(Error::unavailable("the writer of the database has stopped"))),
            Err(_) => Err(late()),
        }
    }
}

/// A queued write whose types are forgotten.
trait Job: Send {
    fn plan(&self) -> Plan;
    /// Whether its caller has gone.
    fn is_abandoned(&self) -> bool;
    /// Does it inside the open transaction. An error is the database's; a refusal is kept for the answer.
    fn run<'c>(&'c mut self, connection: &'c mut AnyConnection) -> BoxFuture<'c, Result<(), sqlx::Error>>;
    /// Answers what the run came to.
    fn answer(self: Box<Self>);
    /// Answers that it could not be done.
    fn fail(self: Box<Self>, fault: Fault);
}

struct Order<A, T> {
    plan: Plan,
    args: A,
    verb: Verb<A, T>,
    outcome: Option<Result<T, Fault>>,
    reply: oneshot::Sender<Result<T, Fault>>,
}

impl<A: Send + Sync, T: Send> Job for Order<A, T> {
    fn plan(&self) -> Plan {
        self.plan
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run<'c>(&'c mut self, connection: &'c mut AnyConnection) -> BoxFuture<'c, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if self.plan.whole {
                connection.execute(sqlx::query("SAVEPOINT job")).await?;
            }
            let outcome = match (self.verb)(connection, &self.args).await {
                Err(Fault::Store(error)) => return Err(error),
                outcome => outcome,
            };
            if self.plan.whole && outcome.is_err() {
                connection.execute(sqlx::query("ROLLBACK TO job")).await?;
            }
            if self.plan.whole {
                connection.execute(sqlx::query("RELEASE job")).await?;
            }
            self.outcome = Some(outcome);
            Ok(())
        })
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that has gone does not listen.
            let _ = self.reply.send(outcome);
        }
    }

    fn fail(self: Box<Self>, fault: Fault) {
        let _ = self.reply.send(Err(fault));
    }
}

struct Task {
    connection: AnyConnection,
    reserve: Reserve,
    _locks: Vec<File>,
}

impl Task {
    async fn serve(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            let mut wanted: Vec<_> = batch.drain(..).filter(|job| !job.is_abandoned()).collect();
            if !self.reserve.admits_all().await {
                wanted = turn_away(wanted);
            }
            match self.commit(&mut wanted).await {
                Ok(()) => wanted.into_iter().for_each(Job::answer),
                // One of them spoils it for all, or the disk is full: each gets its own transaction and answer.
                Err(_) => self.one_by_one(wanted).await,
            }
        }
    }

    async fn one_by_one(&mut self, jobs: Vec<Box<dyn Job>>) {
        for mut job in jobs.into_iter().filter(|job| !job.is_abandoned()) {
            let mut outcome = self.commit(std::slice::from_mut(&mut job)).await;
            if job.plan().urgent && outcome.as_ref().is_err_and(fault::is_disk_full) && self.reserve.spend().await {
                outcome = self.commit_with_reserve(&mut job).await;
            }
            match outcome {
                Ok(()) => job.answer(),
                Err(error) => job.fail(Fault::Store(error)),
            }
        }
    }

    /// Folds the log into the database first: that may free more room than the reserve.
    async fn commit_with_reserve(&mut self, job: &mut Box<dyn Job>) -> Result<(), sqlx::Error> {
        let _ = self.connection.execute(sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")).await;
        self.commit(std::slice::from_mut(job)).await
    }

    async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), sqlx::Error> {
        if jobs.is_empty() {
            return Ok(());
        }
        let outcome = self.transact(jobs).await;
        if outcome.is_err() {
            // SQLite may have rolled back by itself; then there is nothing to do.
            let _ = self.connection.execute(sqlx::query("ROLLBACK")).await;
        }
        outcome
    }

    async fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), sqlx::Error> {
        self.connection.execute(sqlx::query("BEGIN IMMEDIATE")).await?;
        for job in jobs {
            job.run(&mut self.connection).await?;
        }
        self.connection.execute(sqlx::query("COMMIT")).await?;
        Ok(())
    }
}

/// Refuses what may not use the last room; answers the rest.
fn turn_away(jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let (urgent, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.plan().urgent);
    for job in others {
        job.fail(Fault::Refused(Error::unavailable("the disk of the database is full")));
    }
    urgent
}
