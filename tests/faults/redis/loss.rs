//! Redis that lost what it had acknowledged: people sign in again, nothing that rotated out comes back.

use std::time::Duration;

use cognate::config::Secret;
use cognate::pool::client::Rotation;
use cognate::store::tokens::Verdict;

use super::ready;
use crate::app::{Deployment, TestApp};
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

// R13: the token store by itself.
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

/// Two replicas on PostgreSQL and `server`, whose client rotates its refresh tokens.
async fn rotating_on(server: &Server) -> TestApp {
    let url = Secret::new(server.url());
    let app = TestApp::start_on(Deployment::PostgresAndRedis, |config| config.tokens.url = url).await;
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
    app
}

/// A new user's refresh tokens after `refreshes`, the newest last.
async fn tokens_of(app: &TestApp, name: &str, refreshes: usize) -> Vec<String> {
    let mut tokens = vec![app.signed_in(name).await.field("refresh_token")];
    go_on(app, name, &mut tokens, refreshes).await;
    tokens
}

async fn go_on(app: &TestApp, name: &str, tokens: &mut Vec<String>, refreshes: usize) {
    for _ in 0..refreshes {
        let answer = app.refresh(name, tokens.last().unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tokens.push(answer.field("refresh_token"));
    }
}

/// Puts the last snapshot back and waits for both replicas.
async fn restore(app: &TestApp, server: &mut Server) {
    server.kill();
    server.up();
    for _ in 0..2 {
        while app.get("/readyz").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

// R05, R06, R13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_an_old_snapshot_owners_go_on_and_no_rotated_out_token_works() {
    let mut server = Server::start(&[]);
    let app = rotating_on(&server).await;
    let names = ["alice", "bob", "carol", "dora"];
    let mut held = Vec::new();
    for name in names {
        held.push(tokens_of(&app, name, 2).await);
    }
    server.ask::<()>(&["SAVE"]);
    for (name, tokens) in names.iter().zip(&mut held).take(3) {
        go_on(&app, name, tokens, 4).await;
    }
    restore(&app, &mut server).await;

    let [alice, bob, carol, dora] = held.as_mut_slice() else { panic!("four people") };
    // Within the window nothing is killed; the snapshot takes number 2 for current, and number 6 is the newest.
    for rotated_out in &carol[..5] {
        assert_eq!(app.refresh("carol", rotated_out).await.status, 401);
    }
    go_on(&app, "carol", carol, 3).await;
    // The answer to the owner's first call may be lost, too: the same successor comes again.
    let successor = app.refresh("alice", &alice[6]).await.field("refresh_token");
    assert_eq!(app.refresh("alice", &alice[6]).await.field("refresh_token"), successor);

    app.clock.advance_seconds(11);
    go_on(&app, "alice", alice, 3).await;
    assert_eq!(alice[7], successor);
    // Later it is reuse: a thief and whoever else holds the session are out.
    assert_eq!(app.refresh("bob", &bob[2]).await.status, 401);
    assert_eq!(app.refresh("bob", &bob[6]).await.status, 401);
    // Who did not refresh in between notices nothing.
    go_on(&app, "dora", dora, 2).await;
}

// R13: more than once, and without the owner in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_every_old_snapshot_the_token_of_that_time_is_reuse() {
    let mut server = Server::start(&[]);
    let app = rotating_on(&server).await;
    for name in ["erin", "frank"] {
        let mut tokens = tokens_of(&app, name, 1).await;
        server.ask::<()>(&["SAVE"]);
        go_on(&app, name, &mut tokens, 2).await;
        restore(&app, &mut server).await;
        go_on(&app, name, &mut tokens, 1).await;
        restore(&app, &mut server).await;
        app.clock.advance_seconds(3_600);
        assert_eq!(app.refresh(name, &tokens[1]).await.status, 401);
        assert_eq!(app.refresh(name, tokens.last().unwrap()).await.status, 401);
    }
}
