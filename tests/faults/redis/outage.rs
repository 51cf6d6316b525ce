//! Redis away, silent, back again.

use std::time::{Duration, Instant};

use cognate::store::tokens::{Attempt, Verdict};

use super::{BOUND, Riders, ready, unavailable};
use crate::servers::redis::{Server, open, settings};
use crate::store::tokens::attempts::THROTTLE;
use crate::store::tokens::challenges::{challenge, key as challenge_key};
use crate::store::tokens::{ROTATING, Store, at, opened, session};

/// A server whose acknowledged writes survive a kill.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Every verb, each `Unavailable` within the bound.
async fn every_verb_is_unavailable_in_time(store: &Store) {
    let (session, challenge, challenge_key) = (session(), challenge(), challenge_key());
    let key = session.key();
    let started = Instant::now();
    unavailable(store.ping().await);
    unavailable(store.open_session(&session).await);
    unavailable(store.session(&key, at(0)).await);
    unavailable(store.refresh(&key, 0, ROTATING, at(0)).await);
    unavailable(store.end_session(&key).await);
    unavailable(store.end_sessions_of(&key.pool, key.user, None).await);
    unavailable(store.sessions_of(&key.pool, key.user, at(0)).await);
    unavailable(store.put_challenge(&challenge_key, &challenge).await);
    unavailable(store.attempt_challenge(&challenge_key, at(0)).await);
    unavailable(store.answer_challenge(&challenge_key, &[7; 32], at(0)).await);
    unavailable(store.consume_challenge(&challenge_key, at(0)).await);
    unavailable(store.count_attempt("somebody", &THROTTLE, at(0)).await);
    unavailable(store.clear_attempts("somebody").await);
    unavailable(store.forgive_attempt("somebody", &THROTTLE, at(0)).await);
    assert!(started.elapsed() < 14 * BOUND, "14 verbs took {:?}", started.elapsed());
}

// R01
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_opened_while_redis_is_down_works_as_soon_as_it_is_up() {
    let mut server = Server::stopped(&[]);
    let store = open(&settings(&server.url()));
    every_verb_is_unavailable_in_time(&store).await;
    server.up();
    let waited = ready(&store).await;
    assert!(waited < Duration::from_secs(2), "ready only after {waited:?}");
    let (_, key) = opened(&store, |_| ()).await;
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}

// R02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_is_unavailable_and_goes_on_where_it_was() {
    let mut server = Server::start(&DURABLE);
    let store = open(&settings(&server.url()));
    let riders = Riders::start(&store, 4, 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    every_verb_is_unavailable_in_time(&store).await;
    server.up();
    let gap = ready(&store).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ride = riders.finish().await;
    println!("R02 kill: ready {gap:?} after the restart; {ride:?}");
    assert_eq!((ride.dead, ride.wrong), (0, Vec::new()));
    assert!(ride.unavailable > 0 && ride.slowest < BOUND && gap < Duration::from_secs(2));
}

// R02, R04: a server that keeps its connections and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_redis_is_unavailable_in_time_and_goes_on_when_it_continues() {
    let server = Server::start(&[]);
    let store = open(&settings(&server.url()));
    let riders = Riders::start(&store, 4, 2).await;
    server.pause();
    every_verb_is_unavailable_in_time(&store).await;
    server.resume();
    let gap = ready(&store).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ride = riders.finish().await;
    println!("R02 stop: ready {gap:?} after it continued; {ride:?}");
    assert_eq!((ride.dead, ride.wrong), (0, Vec::new()));
    assert!(ride.unavailable > 0 && ride.slowest < BOUND && gap < Duration::from_secs(2));
}

// R19
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reuse_is_caught_across_restarts() {
    let mut server = Server::start(&DURABLE);
    let store = open(&settings(&server.url()));
    let (_, key) = opened(&store, |_| ()).await;
    for generation in 0..2 {
        let verdict = store.refresh(&key, generation, ROTATING, at(0)).await.unwrap();
        assert!(matches!(verdict, Verdict::Rotated(it) if it.generation == generation + 1));
        server.kill();
        server.up();
        ready(&store).await;
    }
    assert!(matches!(store.refresh(&key, 1, ROTATING, at(0)).await.unwrap(), Verdict::Retry(_)));
    assert_eq!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 0, ROTATING, at(20_000)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.refresh(&key, 2, ROTATING, at(20_000)).await.unwrap(), Verdict::Unknown);
    assert_eq!(store.count_attempt(&key.id.to_string(), &THROTTLE, at(0)).await.unwrap(), Attempt::Allowed);
}
