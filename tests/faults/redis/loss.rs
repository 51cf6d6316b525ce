//! Redis that lost what it had acknowledged: people sign in again, nothing that rotated out comes back.

use cognate::store::tokens::Verdict;

use super::ready;
use crate::servers::redis::{Server, open, settings};
use crate::store::tokens::{ROTATING, at, opened};

// R12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_redis_without_persistence_forgot_is_unknown() {
    let mut server = Server::start(&[]);
    let store = open(&settings(&server.url()));
    let (_, key) = opened(&store, |_| ()).await;
    server.kill();
    server.up();
    ready(&store).await;
    assert_eq!(store.session(&key, at(0)).await.unwrap(), None);
    assert_eq!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Unknown);
}

// R13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_old_snapshot_newer_tokens_are_dead_and_end_their_sessions() {
    let mut server = Server::start(&[]);
    let store = open(&settings(&server.url()));
    let (_, key) = opened(&store, |_| ()).await;
    let (_, idle) = opened(&store, |_| ()).await;
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
    server.ask::<()>(&["SAVE"]);
    for generation in 1..4 {
        assert!(matches!(store.refresh(&key, generation, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
    }
    server.kill();
    server.up();
    ready(&store).await;
    // The snapshot knows generation 1, the client holds 4.
    assert_eq!(store.session(&key, at(0)).await.unwrap().unwrap().generation, 1);
    assert_eq!(store.refresh(&key, 4, ROTATING, at(0)).await.unwrap(), Verdict::Dead);
    for generation in 0..5 {
        assert_eq!(store.refresh(&key, generation, ROTATING, at(0)).await.unwrap(), Verdict::Unknown);
    }
    // Who did not refresh in between notices nothing.
    assert!(matches!(store.refresh(&idle, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}
