//! A master behind Sentinels, or a node of a Cluster, lost under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cognate::store::tokens::{RefreshRule, SessionKey, Verdict};
use futures_util::future::join_all;

use super::{BOUND, Riders, ready, unavailable};
use crate::servers::redis::{Cluster, Watched, open, settings};
use crate::store::tokens::{ROTATING, Store, at, opened};

/// Opens and ends sessions until stopped; answers which ends were acknowledged, and when.
pub async fn end_sessions(store: Store, stop: Arc<AtomicBool>) -> Vec<(SessionKey, Instant)> {
    let mut ended = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let session = crate::store::tokens::session();
        if store.open_session(&session).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        } else if let Ok(true) = store.end_session(&session.key()).await {
            ended.push((session.key(), Instant::now()));
        }
    }
    ended
}

// R05, R06, R24
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_is_a_gap_of_unavailable_and_revives_nothing() {
    let mut watched = Watched::start(1_000);
    let store = open(&settings(&watched.url()));
    ready(&store).await;
    let (_, survivor) = opened(&store, |_| ()).await;
    let riders = Riders::start(&store, 4, 2).await;
    let stop = Arc::new(AtomicBool::new(false));
    let ender = tokio::spawn(end_sessions(store.clone(), stop.clone()));
    tokio::time::sleep(Duration::from_millis(1_000)).await;

    watched.master.kill();
    let killed = Instant::now();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let waited = ready(&store).await + Duration::from_millis(200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let ended = ender.await.unwrap();
    let ride = riders.finish().await;

    let mut revived = 0;
    for (key, acknowledged) in &ended {
        if store.session(key, at(0)).await.unwrap().is_some() {
            revived += 1;
            // Replication is asynchronous: what was acknowledged in the last instant may be lost, nothing older.
            assert!(*acknowledged + Duration::from_millis(100) > killed, "an end came back");
        }
    }
    println!("R05: ready {waited:?} after the kill; {} ends, {revived} revived; {ride:?}", ended.len());
    assert_eq!(ride.wrong, Vec::<String>::new());
    assert!(ride.slowest < BOUND && waited < Duration::from_secs(15));
    assert!(watched.replica.ask::<String>(&["INFO", "replication"]).contains("role:master"));
    assert!(matches!(store.refresh(&survivor, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}

// R05: the address of the master moved while it is still alive, as when an operator switches over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_became_a_replica_is_left_for_the_new_one() {
    let watched = Watched::start(30_000);
    let store = open(&settings(&watched.url()));
    ready(&store).await;
    let (_, key) = opened(&store, |_| ()).await;
    watched.fail_over();
    let waited = ready(&store).await;
    println!("R05 switch-over: ready after {waited:?}");
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
    assert!(watched.replica.ask::<String>(&["INFO", "replication"]).contains("role:master"));
}

// R07
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_node_killed_and_restarted_is_a_gap_of_unavailable() {
    let mut cluster = Cluster::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = open(&settings(&cluster.url()));
    ready(&store).await;
    // So many that some are on the node that dies.
    let riders = Riders::start(&store, 8, 3).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    cluster.nodes[1].kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    cluster.nodes[1].up();
    // The ACL is not in the append-only file.
    cluster.nodes[1].admit_to_cluster();
    cluster.whole();
    let waited = ready(&store).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let ride = riders.finish().await;
    println!("R07 kill: ready {waited:?} after the Cluster was whole; {ride:?}");
    assert_eq!((ride.dead, ride.wrong), (0, Vec::new()));
    assert!(ride.unavailable > 0 && ride.slowest < BOUND && waited < Duration::from_secs(3));
}

/// Refreshes for a while without a pause: how often it was served and not, and the longest wait.
async fn ask_for_a_while(store: &Store, key: &SessionKey) -> (usize, usize, Duration) {
    let rule = RefreshRule { rotate: false, ..ROTATING };
    let (mut served, mut unserved, mut slowest) = (0, 0, Duration::ZERO);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        match store.refresh(key, 0, rule, at(0)).await {
            Ok(Verdict::Kept(_)) => served += 1,
            answer => {
                unavailable(answer);
                unserved += 1;
            }
        }
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (served, unserved, slowest)
}

// R03: one silent node takes its own sessions away, not those of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_cluster_node_leaves_the_others_served() {
    let cluster = Cluster::start(&["--cluster-node-timeout", "30000"]);
    let store = open(&settings(&cluster.url()));
    ready(&store).await;
    let mut keys = Vec::new();
    for _ in 0..24 {
        keys.push(opened(&store, |_| ()).await.1);
    }
    cluster.nodes[1].pause();
    let rides = join_all(keys.iter().map(|key| ask_for_a_while(&store, key))).await;
    let (silent, others): (Vec<_>, Vec<_>) = rides.into_iter().partition(|(served, ..)| *served == 0);
    let failed: usize = others.iter().map(|(_, unserved, _)| unserved).sum();
    let slowest = |rides: &[(usize, usize, Duration)]| rides.iter().map(|ride| ride.2).max().unwrap();
    println!("R03: {} of 24 served, the slowest in {:?}", others.len(), slowest(&others));
    assert!(failed == 0 && slowest(&silent) < BOUND);
    cluster.nodes[1].resume();
    assert!(ready(&store).await < Duration::from_secs(3));
    for key in &keys {
        assert!(matches!(
            store.refresh(key, 0, RefreshRule { rotate: false, ..ROTATING }, at(0)).await.unwrap(),
            Verdict::Kept(_)
        ));
    }
}
