//! Faults of Redis. Deadlines are the program's defaults: 250 ms to connect and 500 ms for an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cognate::error::Error;
use cognate::store::tokens::{SessionKey, Verdict};
use tokio::task::JoinHandle;

use crate::store::tokens::{ROTATING, Store, at, opened};

mod answers;
mod failover;
mod loss;
mod outage;
mod refusals;
mod replicated;
mod scripts;

/// Longest time for a verb: both deadlines, and room for a busy machine.
const BOUND: Duration = Duration::from_millis(2_500);

/// The cause of what must be `Unavailable`.
fn unavailable<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Unavailable { cause, .. }) => cause.to_string(),
        Err(other) => panic!("not Unavailable but {other:?}"),
        Ok(verdict) => panic!("a verdict without a store: {verdict:?}"),
    }
}

/// Waits until the store answers pings again, and says how long that took.
async fn ready(store: &Store) -> Duration {
    let started = Instant::now();
    while let Err(fault) = store.ping().await {
        assert!(started.elapsed() < Duration::from_secs(20), "still not ready: {fault:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

/// What riders met.
#[derive(Debug, Default)]
struct Ride {
    yielded: usize,
    unavailable: usize,
    /// Lost writes seen as such: the token is newer than the record, so the session ended.
    dead: usize,
    /// Anything that must not happen.
    wrong: Vec<String>,
    slowest: Duration,
    /// The longest time without a yield.
    gap: Duration,
}

impl Ride {
    fn join(self, other: Self) -> Self {
        Self {
            yielded: self.yielded + other.yielded,
            unavailable: self.unavailable + other.unavailable,
            dead: self.dead + other.dead,
            wrong: [self.wrong, other.wrong].concat(),
            slowest: self.slowest.max(other.slowest),
            gap: self.gap.max(other.gap),
        }
    }
}

/// Clients that refresh without pause, each on its own sessions, following every new token, until stopped.
struct Riders {
    stop: Arc<AtomicBool>,
    riders: Vec<JoinHandle<Ride>>,
}

impl Riders {
    async fn start(store: &Store, riders: usize, sessions: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut started = Vec::new();
        for _ in 0..riders {
            let mut keys = Vec::new();
            for _ in 0..sessions {
                keys.push(opened(store, |_| ()).await.1);
            }
            started.push(tokio::spawn(ride(store.clone(), keys, stop.clone())));
        }
        Self { stop, riders: started }
    }

    async fn finish(self) -> Ride {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Ride::default();
        for rider in self.riders {
            all = all.join(rider.await.unwrap());
        }
        all
    }
}

async fn ride(store: Store, keys: Vec<SessionKey>, stop: Arc<AtomicBool>) -> Ride {
    let mut ride = Ride::default();
    let mut generations = vec![0; keys.len()];
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        for (key, generation) in keys.iter().zip(&mut generations) {
            let asked = Instant::now();
            let answer = store.refresh(key, *generation, ROTATING, at(0)).await;
            ride.slowest = ride.slowest.max(asked.elapsed());
            match answer {
                // A retry is what a rider gets whose answer was lost with the connection.
                Ok(Verdict::Rotated(it) | Verdict::Retry(it)) if it.generation == *generation + 1 => {
                    *generation += 1;
                    ride.yielded += 1;
                    ride.gap = ride.gap.max(last.elapsed());
                    last = Instant::now();
                }
                Ok(Verdict::Dead) => {
                    ride.dead += 1;
                    return ride;
                }
                Err(Error::Unavailable { .. }) => {
                    ride.unavailable += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                other => {
                    ride.wrong.push(format!("{other:?} for generation {generation}"));
                    return ride;
                }
            }
        }
    }
    ride
}
