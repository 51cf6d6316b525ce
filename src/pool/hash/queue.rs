//! The queue before the threads that hash: who waits, how long at most, and how fast it moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// Callers in the order in which they came, and as many turns at once as there are threads.
pub(super) struct Queue {
    turns: Arc<Semaphore>,
    threads: u32,
    longest: Duration,
    waiting: AtomicUsize,
    pace: Pace,
}

impl Queue {
    pub fn new(threads: usize, longest: Duration) -> Self {
        let threads = threads.min(Semaphore::MAX_PERMITS);
        Self {
            turns: Arc::new(Semaphore::new(threads)),
            threads: u32::try_from(threads).unwrap_or(u32::MAX).max(1),
            longest,
            waiting: AtomicUsize::new(0),
            pace: Pace::default(),
        }
    }

    /// How many callers wait for a turn.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// `Unavailable` when so many wait already that one more would wait in vain. Never when nobody waits.
    pub fn room(&self) -> Result<(), Error> {
        let ahead = u32::try_from(self.waiting()).unwrap_or(u32::MAX);
        if self.pace.of_one().saturating_mul(ahead) / self.threads > self.longest {
            return Err(Error::unavailable("too many passwords wait to be hashed"));
        }
        Ok(())
    }

    /// Waits for a turn.
    pub async fn turn(&self) -> Result<Turn, Error> {
        let _waiting = Waiting::enter(&self.waiting);
        let permit = tokio::time::timeout(self.longest, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| Error::unavailable("no turn to hash a password came within password.queue_wait"))?
            .map_err(Error::internal)?;
        Ok(Turn { _permit: permit, since: Instant::now(), pace: self.pace.clone() })
    }
}

/// The right to hash, until dropped.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
    since: Instant,
    pace: Pace,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pace.add(self.since.elapsed());
    }
}

/// What a turn takes, on average over the last few, in microseconds; zero before the first.
#[derive(Clone, Default)]
struct Pace(Arc<AtomicU32>);

impl Pace {
    fn of_one(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed).into())
    }

    /// Two turns that end at once may lose one of them, which changes nothing.
    fn add(&self, took: Duration) {
        let known = self.of_one();
        let mean = if known.is_zero() { took } else { (known * 7 + took) / 8 };
        self.0.store(u32::try_from(mean.as_micros()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// Counts a caller as waiting for as long as it lives, also when the caller is dropped half-way.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
