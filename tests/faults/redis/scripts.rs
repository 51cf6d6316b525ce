//! Scripts forgotten under load, slots moved under load, and two replicas of the program at once.

use std::time::Duration;

use cognate::store::tokens::Verdict;
use futures_util::future::join_all;

use super::{Riders, ready};
use crate::servers::redis::{Cluster, Server, open, patient, settings};
use crate::store::tokens::{ROTATING, at, opened};

// R08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushing_the_scripts_under_load_fails_nothing() {
    let server = Server::start(&[]);
    let store = patient(settings(&server.url()));
    let riders = Riders::start(&store, 8, 2).await;
    for _ in 0..200 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ride = riders.finish().await;
    println!("R08: {ride:?}");
    assert_eq!((ride.unavailable, ride.dead, ride.wrong), (0, 0, Vec::new()));
    assert!(ride.yielded > 200);
}

// R07
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_slots_under_load_fails_nothing() {
    let cluster = Cluster::start(&[]);
    let store = patient(settings(&cluster.url()));
    ready(&store).await;
    let riders = Riders::start(&store, 8, 50).await;
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.reshard(0, 1, 1_500);
        cluster.reshard(1, 2, 1_500);
        cluster
    })
    .await
    .unwrap();
    let ride = riders.finish().await;
    let moved: usize = cluster.nodes[2].ask(&["DBSIZE"]);
    println!("R07: {moved} users on the last node; {ride:?}");
    assert_eq!((ride.unavailable, ride.dead, ride.wrong), (0, 0, Vec::new()));
    assert!(ride.yielded > 400);
}

// R22
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_with_one_token_yield_one_successor() {
    let server = Server::start(&[]);
    let replicas = [patient(settings(&server.url())), patient(settings(&server.url()))];
    let (_, key) = opened(&replicas[0], |_| ()).await;
    for presented in 0..20 {
        let calls = (0..10).map(|index| replicas[index % 2].refresh(&key, presented, ROTATING, at(0)));
        let verdicts: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        let rotated = |it: &&Verdict| matches!(it, Verdict::Rotated(it) if it.generation == presented + 1);
        let retried = |it: &&Verdict| matches!(it, Verdict::Retry(it) if it.generation == presented + 1);
        assert_eq!(verdicts.iter().filter(rotated).count(), 1, "{verdicts:?}");
        assert_eq!(verdicts.iter().filter(retried).count(), 9, "{verdicts:?}");
    }
}

// P7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_is_one_round_trip() {
    let server = Server::start(&[]);
    let store = open(&settings(&server.url()));
    let (_, key) = opened(&store, |_| ()).await;
    store.refresh(&key, 0, ROTATING, at(0)).await.unwrap();
    server.ask::<()>(&["CONFIG", "RESETSTAT"]);
    for generation in 1..=100 {
        store.refresh(&key, generation, ROTATING, at(0)).await.unwrap();
    }
    let stats: String = server.ask(&["INFO", "commandstats"]);
    assert!(stats.contains("cmdstat_evalsha:calls=100,"), "{stats}");
    assert!(!stats.contains("cmdstat_eval:") && !stats.contains("cmdstat_script"), "{stats}");
}

// P7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_takes_at_most_400_bytes() {
    let server = Server::start(&[]);
    let store = patient(settings(&server.url()));
    ready(&store).await;
    let used = || -> usize {
        let memory: String = server.ask(&["INFO", "memory"]);
        memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().parse().unwrap()
    };
    let before = used();
    for _ in 0..100 {
        join_all((0..200).map(|_| opened(&store, |_| ()))).await;
    }
    let each = (used() - before) / 20_000;
    println!("P7: {each} bytes a session of its own user");
    assert!(each <= 400, "{each}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_signs_in_often_leaves_no_heap_of_dead_sessions() {
    let server = Server::start(&[]);
    let store = patient(settings(&server.url()));
    let (first, key) = opened(&store, |_| ()).await;
    for second in 1..200 {
        opened(&store, |session| {
            session.user = first.user;
            session.auth_time = at(second * 1_000);
            session.rotated_at = at(second * 1_000);
            session.expires_at = at(second * 1_000 + 500);
        })
        .await;
    }
    let sessions: String = server.ask(&["RANDOMKEY"]);
    let kept: usize = server.ask(&["HLEN", &sessions]);
    assert!(kept < 10, "{kept} records for one living session");
    assert_eq!(store.sessions_of(&key.pool, key.user, at(300_000)).await.unwrap(), [first]);
}
