//! Redis full, misconfigured, or refusing us: each is `Unavailable` and the cause says what to do.

use std::thread;
use std::time::Duration;

use cognate::config::Secret;
use cognate::store::tokens::Verdict;

use super::{ready, unavailable};
use crate::servers::redis::{Cluster, Server, open, settings};
use crate::store::tokens::attempts::THROTTLE;
use crate::store::tokens::challenges::{challenge, key as challenge_key};
use crate::store::tokens::{ROTATING, Store, at, opened, session};

// R09
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_takes_no_new_sessions_but_refreshes_and_ends_the_ones_it_has() {
    let server = Server::start(&[]);
    let store = open(&settings(&server.url()));
    let (kept, key) = opened(&store, |_| ()).await;
    let (_, other) = opened(&store, |session| session.user = kept.user).await;
    let (code, subject) = (challenge_key(), "somebody");
    store.put_challenge(&code, &challenge()).await.unwrap();
    for _ in 0..3 {
        store.count_attempt(subject, &THROTTLE, at(0)).await.unwrap();
    }
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);

    assert!(unavailable(store.open_session(&session()).await).contains("full: raise maxmemory (OOM)"));
    assert!(unavailable(store.ping().await).contains("OOM"));
    assert!(unavailable(store.put_challenge(&code, &challenge()).await).contains("OOM"));
    assert!(unavailable(store.count_attempt("another", &THROTTLE, at(0)).await).contains("OOM"));
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
    store.forgive_attempt(subject, &THROTTLE, at(0)).await.unwrap();
    store.clear_attempts(subject).await.unwrap();
    assert!(store.attempt_challenge(&code, at(0)).await.unwrap().is_some());
    assert!(store.consume_challenge(&code, at(0)).await.unwrap());
    assert_eq!(store.end_sessions_of(&key.pool, key.user, Some(key.id)).await.unwrap(), 1);
    assert_eq!(store.session(&other, at(0)).await.unwrap(), None);
    assert!(store.end_session(&key).await.unwrap());
    assert_eq!(store.session(&key, at(0)).await.unwrap(), None);

    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    store.ping().await.unwrap();
    store.open_session(&kept).await.unwrap();
}

// R10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_evicts_is_not_ready() {
    let server = Server::start(&["--maxmemory", "100mb"]);
    let store = open(&settings(&server.url()));
    store.ping().await.unwrap();
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let cause = unavailable(store.ping().await);
        assert!(cause.contains("set maxmemory-policy noeviction") && cause.contains(policy), "{cause}");
    }
    // Without a limit nothing is ever evicted.
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    store.ping().await.unwrap();
}

// R10
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_with_one_node_that_evicts_is_not_ready() {
    let cluster = Cluster::start(&[]);
    let store = open(&settings(&cluster.url()));
    ready(&store).await;
    cluster.nodes[2].ask::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]);
    store.ping().await.unwrap();
    cluster.nodes[2].ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    assert!(unavailable(store.ping().await).contains("maxmemory-policy noeviction"));
}

async fn refused(store: &Store, cause: &str) {
    let said = unavailable(store.open_session(&session()).await);
    assert!(said.contains(cause), "{said}");
}

// R11: those that a server can be made to say; the others are in the table of src/store/redis/fault.rs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_names_its_cause() {
    let server = Server::start(&["--busy-reply-threshold", "50"]);
    let store = open(&settings(&server.url()));
    ready(&store).await;

    server.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    refused(&store, "(READONLY)").await;
    server.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    ready(&store).await;

    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    refused(&store, "(NOREPLICAS)").await;
    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    store.ping().await.unwrap();

    let busy = Server::url(&server);
    thread::spawn(move || {
        let mut connection = redis::Client::open(busy).unwrap().get_connection().unwrap();
        let _: redis::RedisResult<()> = redis::cmd("EVAL").arg("while true do end").arg(0).query(&mut connection);
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    refused(&store, "(BUSY)").await;
    server.ask::<()>(&["SCRIPT", "KILL"]);
    ready(&store).await;

    server.ask::<()>(&["ACL", "SETUSER", "poor", "on", ">secret", "~cognate:*", "+ping"]);
    let with_user = |user: &str| settings(&server.url().replace("//", &format!("//{user}@")));
    refused(&open(&with_user("poor:secret")), "(NOPERM)").await;
    refused(&open(&with_user("poor:wrong")), "(WRONGPASS)").await;
    refused(&open(&with_user("nobody:secret")), "(WRONGPASS)").await;

    server.ask::<()>(&["CONFIG", "SET", "requirepass", "secret"]);
    refused(&open(&settings(&server.url())), "(NOAUTH)").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cause_names_a_password() {
    let server = Server::start(&[]);
    let url = server.url().replace("//", "//cognate:hunter2@");
    let store = open(&settings(&url));
    assert!(!unavailable(store.ping().await).contains("hunter2"));
    let store = open(&settings("redis://cognate:hunter2@127.0.0.1:1"));
    let cause = unavailable(store.ping().await);
    assert!(cause.contains("refused") && !cause.contains("hunter2"), "{cause}");
    assert!(!format!("{:?}", Secret::new(url)).contains("hunter2"));
}
