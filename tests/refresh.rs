//! Refreshing: what the native API answers, with rotation off and on, and when it says no.

use std::time::Duration;

use cognate::pool::client::Rotation;
use serde_json::json;

use crate::app::{PASSWORD, TestApp};

async fn signed_in(app: &TestApp) -> String {
    app.user("alice").await;
    app.login("alice", PASSWORD).await.field("refresh_token")
}

async fn rotating(app: &TestApp) {
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
}

#[tokio::test]
async fn a_refresh_yields_an_access_and_an_id_token_and_no_refresh_token() {
    let app = TestApp::start().await;
    let token = signed_in(&app).await;
    let answer = app.refresh("alice", &token).await;
    assert_eq!(answer.status, 200);
    let (id, access) = (answer.field("id_token"), answer.field("access_token"));
    let whole = format!(r#"{{"id_token":"{id}","access_token":"{access}","expires_in":86400}}"#);
    assert_eq!(answer.text, whole);
}

#[tokio::test]
async fn a_refresh_with_the_verified_email_succeeds_and_with_another_name_is_refused() {
    let app = TestApp::start().await;
    let token = signed_in(&app).await;
    app.user("bob").await;
    assert_eq!(app.refresh("alice@example.test", &token).await.status, 200);
    // C01
    for name in ["bob", "nobody", "ALICIA"] {
        let whole = r#"{"status":401,"message":"Unauthorized."}"#;
        assert_eq!(app.refresh(name, &token).await.whole(), (401, whole));
    }
    assert_eq!(app.refresh("alice", &token).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_yields_ninety_pairs_and_then_says_so() {
    let app = TestApp::start_with(|config| config.v1.max_access_tokens = 3).await;
    let token = signed_in(&app).await;
    for _ in 0..3 {
        assert_eq!(app.refresh("alice", &token).await.status, 200);
    }
    let answer = app.refresh("alice", &token).await;
    assert_eq!(answer.whole(), (429, r#"{"status":429,"message":"Refresh tokens limit has been exceeded."}"#));
    assert_eq!(answer.header("retry-after"), Some("3600"));
}

#[tokio::test]
async fn a_session_ends_ninety_days_after_the_sign_in_however_often_it_was_refreshed() {
    let app = TestApp::start().await;
    let token = signed_in(&app).await;
    app.clock.advance(Duration::from_secs(90 * 86_400 - 1));
    assert_eq!(app.refresh("alice", &token).await.status, 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.refresh("alice", &token).await.whole(), (401, r#"{"status":401,"message":"Unauthorized."}"#));
}

#[tokio::test]
async fn a_rotating_client_gets_a_successor_and_the_same_one_again_within_the_grace() {
    let app = TestApp::start().await;
    let first = signed_in(&app).await;
    rotating(&app).await;
    let second = app.refresh("alice", &first).await.field("refresh_token");
    assert_ne!(first, second);
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(app.refresh("alice", &first).await.field("refresh_token"), second);
    assert_eq!(app.refresh("alice", &second).await.status, 200);
}

#[tokio::test]
async fn a_rotated_out_token_that_comes_back_ends_its_session_and_its_access_tokens() {
    let app = TestApp::start().await;
    app.user("alice").await;
    rotating(&app).await;
    let signed_in = app.login("alice", PASSWORD).await;
    let first = signed_in.field("refresh_token");
    let second = app.refresh("alice", &first).await.field("refresh_token");
    let third = app.refresh("alice", &second).await.field("refresh_token");
    // C06: two behind inside the window is refused, and nothing is killed (R23).
    assert_eq!(app.refresh("alice", &first).await.status, 401);
    let fourth = app.refresh("alice", &third).await.field("refresh_token");
    app.clock.advance(Duration::from_secs(11));
    // C05
    assert_eq!(app.refresh("alice", &first).await.status, 401);
    assert_eq!(app.refresh("alice", &fourth).await.status, 401);
    let change = json!({
        "access_token": signed_in.field("access_token"),
        "previous_password": PASSWORD,
        "proposed_password": "another long password",
    });
    assert_eq!(app.post("/v1/change-password", change).await.status, 401);
}

#[tokio::test]
async fn twenty_refreshes_of_one_token_on_two_replicas_yield_one_successor() {
    // C04, R22
    let app = TestApp::start().await;
    let first = signed_in(&app).await;
    rotating(&app).await;
    let other = app.replica().await;
    let replicas = [&app, &other];
    let calls = (0..20).map(|call: usize| replicas[call % 2].refresh("alice", &first));
    let answers = futures_util::future::join_all(calls).await;
    let mut successors: Vec<_> = answers.iter().map(|answer| answer.field("refresh_token")).collect();
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    assert_eq!(other.refresh("alice", &successors[0]).await.status, 200);
    other.stop().await;
    app.stop().await;
}
