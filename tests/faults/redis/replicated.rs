//! `tokens.durability = replicated`: what no replica has is no answer, and what was answered outlives the master.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cognate::config::{Durability, Period, Tokens};
use cognate::store::tokens::{Attempt, Verdict};

use super::failover::end_sessions;
use super::{BOUND, Riders, ready, unavailable};
use crate::servers::redis::{Cluster, Server, Watched, eventually, open, settings};
use crate::store::tokens::attempts::THROTTLE;
use crate::store::tokens::{ROTATING, Store, at, opened, session};

fn replicated(url: &str) -> Store {
    open(&Tokens { durability: Durability::Replicated, ..settings(url) })
}

/// The same with deadlines that a busy machine keeps.
fn patiently(url: &str) -> Store {
    let patient = Tokens { connect_timeout: Period::seconds(2), timeout: Period::seconds(2), ..settings(url) };
    open(&Tokens { durability: Durability::Replicated, ..patient })
}

fn following(master: &Server) -> Server {
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    eventually("replication", || replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up"));
    replica
}

// R06
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_replica_what_is_written_is_unavailable_in_time_and_the_same_call_succeeds_later() {
    let master = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = following(&master);
    let store = replicated(&master.url());
    ready(&store).await;
    let (opened_before, key) = opened(&store, |_| ()).await;
    replica.pause();
    for _ in 0..2 {
        let started = Instant::now();
        let causes = [
            unavailable(store.open_session(&session()).await),
            unavailable(store.refresh(&key, 0, ROTATING, at(0)).await),
            unavailable(store.end_sessions_of(&key.pool, session().user, None).await),
            unavailable(store.ping().await),
        ];
        assert!(started.elapsed() < 4 * BOUND, "four writes took {:?}", started.elapsed());
        assert!(causes[0].contains("no replica of Redis has it in time"), "{causes:?}");
    }
    // Reading and counting wait for nobody.
    let asked = Instant::now();
    assert_eq!(store.session(&key, at(0)).await.unwrap().unwrap().auth_time, opened_before.auth_time);
    assert_eq!(store.count_attempt("somebody", &THROTTLE, at(0)).await.unwrap(), Attempt::Allowed);
    assert!(asked.elapsed() < Duration::from_millis(300), "{:?}", asked.elapsed());
    replica.resume();
    assert!(ready(&store).await < Duration::from_secs(3));
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Retry(it) if it.generation == 1));
    assert!(matches!(store.refresh(&key, 1, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_without_replicas_is_not_ready() {
    let server = Server::start(&[]);
    let store = patiently(&server.url());
    for cause in [unavailable(store.ping().await), unavailable(store.open_session(&session()).await)] {
        assert!(cause.contains("no replica of Redis has it in time"), "{cause}");
    }
}

// R05, R06: with a replica that is cut off and comes late, and a master that dies in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_loses_nothing_that_was_acknowledged() {
    let mut watched = Watched::start(1_000);
    let store = replicated(&watched.url());
    ready(&store).await;
    let riders = Riders::start(&store, 4, 2).await;
    let stop = Arc::new(AtomicBool::new(false));
    let ender = tokio::spawn(end_sessions(store.clone(), stop.clone()));
    tokio::time::sleep(Duration::from_millis(700)).await;
    // What the master takes from here on, nobody else has.
    watched.replica.pause();
    tokio::time::sleep(Duration::from_millis(300)).await;
    watched.master.kill();
    watched.replica.resume();
    eventually("a new master", || watched.replica.ask::<String>(&["INFO", "replication"]).contains("role:master"));
    unavailable(store.ping().await);
    // It needs a replica itself.
    let replica = following(&watched.replica);
    let waited = ready(&store).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let ended = ender.await.unwrap();
    let ride = riders.finish().await;
    println!("R06: ready {waited:?} after there was a replica; {} ends; {ride:?}", ended.len());
    for (key, _) in &ended {
        assert_eq!(store.session(key, at(0)).await.unwrap(), None, "an end came back");
    }
    assert_eq!((ride.dead, ride.wrong), (0, Vec::new()));
    assert!(ended.len() > 10 && ride.unavailable > 0 && ride.slowest < BOUND);
    drop(replica);
}

// R06, R07: the question goes to the node that has the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_cluster_the_replicas_of_the_node_are_asked() {
    let cluster = Cluster::start(&["--repl-diskless-sync-delay", "0"]);
    let replicas: Vec<Server> = (0..3).map(|node| cluster.replica_of(node)).collect();
    let store = patiently(&cluster.url());
    ready(&store).await;
    let mut keys = Vec::new();
    for _ in 0..18 {
        keys.push(opened(&store, |_| ()).await.1);
    }
    replicas[1].pause();
    let mut without = 0;
    for key in &keys {
        match store.refresh(key, 0, ROTATING, at(0)).await {
            Ok(verdict) => assert!(matches!(verdict, Verdict::Rotated(_)), "{verdict:?}"),
            refused => {
                let cause = unavailable(refused);
                assert!(cause.contains("no replica of Redis has it in time"), "{cause}");
                without += 1;
            }
        }
    }
    println!("R07: {without} of 18 sessions without a replica");
    assert!((1..18).contains(&without));
    replicas[1].resume();
    assert!(ready(&store).await < Duration::from_secs(3));
    for key in &keys {
        let verdict = store.refresh(key, 0, ROTATING, at(0)).await.unwrap();
        assert!(matches!(&verdict, Verdict::Retry(it) if it.generation == 1), "{verdict:?}");
    }
}
