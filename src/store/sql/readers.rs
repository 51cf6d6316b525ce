//! The readers of the embedded store: connections beside the writer's, lent to one verb at a time. A pool of sqlx asks
//! each connection how it is when it comes back, which costs more than most of our reads.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::AnyConnection;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::fault::Fault;
use super::{Verb, file, late};
use crate::error::Error;

/// The connections that nobody uses, and how many more there may be.
pub(super) struct Readers {
    url: String,
    timeout: Duration,
    turns: Semaphore,
    idle: Mutex<Vec<AnyConnection>>,
}

impl Readers {
    /// At most `count` readers of a database, one of them open from the start: with none left SQLite would delete its
    /// log, and could not make it again on a full disk.
    pub(super) async fn open(path: &Path, count: u32, timeout: Duration) -> Result<Self, sqlx::Error> {
        let url = file::url(path);
        let first = file::connect(&url, timeout).await?;
        let turns = Semaphore::new(usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS));
        Ok(Self { url, timeout, turns, idle: Mutex::new(vec![first]) })
    }

    /// Runs a verb that only reads.
    pub(super) async fn run<A, T>(&self, args: &A, verb: Verb<A, T>, deadline: Instant) -> Result<T, Fault> {
        timeout_at(deadline, self.run_in_turn(args, verb)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn run_in_turn<A, T>(&self, args: &A, verb: Verb<A, T>) -> Result<T, Fault> {
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        // The last one that came back: what it read is still at hand.
        let last = self.idle().pop();
        let mut connection = match last {
            Some(connection) => connection,
            None => file::connect(&self.url, self.timeout).await?,
        };
        let outcome = verb(&mut connection, args).await;
        // One whose verb failed, or whose caller went away before this line, is closed: it may be in any state.
        if !matches!(outcome, Err(Fault::Store(_))) {
            self.idle().push(connection);
        }
        outcome
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
