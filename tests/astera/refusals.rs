//! Refusals that any operation can meet, in the shape of this API.

use cognate::config::Secret;
use serde_json::json;
use sqlx::Connection as _;

use super::{WRONG, assert_refused, assert_unauthorized, call, call_as, login, reset_token, signed_in};
use crate::app::{PASSWORD, TestApp, story};
use crate::servers::redis::Server;

const BUSY: &str = "Service is temporarily unavailable, please try again.";

// D20, S19
story!(guesses_at_a_password_are_throttled_for_users_and_ghosts_alike);
async fn guesses_at_a_password_are_throttled_for_users_and_ghosts_alike(app: TestApp) {
    app.user("alice").await;
    for name in ["alice", "ghost"] {
        for _ in 0..5 {
            assert_unauthorized(&login(&app, name, "guess").await, WRONG);
        }
        let locked = login(&app, name, PASSWORD).await;
        let detail = "Attempt limit exceeded, please try after some time.";
        assert_refused(&locked, 429, "Too Many Requests", detail);
        assert_eq!(locked.header("retry-after"), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_is_a_503_and_nobodys_fault() {
    let mut redis = tokio::task::block_in_place(|| Server::start(&[]));
    let url = redis.url();
    let app = TestApp::start_with(|config| config.tokens.url = Secret::new(url)).await;
    let token = signed_in(&app, "alice").await;
    let reset = reset_token(&app, "alice").await;
    tokio::task::block_in_place(|| redis.kill());
    for (operation, body) in [
        ("login", json!({ "user": "alice", "password": PASSWORD })),
        ("forgotpassword", json!({ "user": "alice" })),
        ("verifyresettoken", json!({ "token": reset })),
        ("resetpassword", json!({ "token": reset, "newPassword": "another long password" })),
        ("requestemailchange", json!({ "newEmail": "new@example.test" })),
        ("verifyemailchangetoken", json!({ "newEmail": "new@example.test", "token": reset })),
        ("changeemail", json!({ "newEmail": "new@example.test", "token": reset })),
        ("changepassword", json!({ "currentPassword": PASSWORD, "newPassword": "another long password" })),
        ("confirmemail", json!({ "email": "alice@example.test", "code": reset })),
        ("logout", json!({})),
        ("checkaccess", json!({})),
    ] {
        assert_refused(&call_as(&app, &token, operation, body).await, 503, "Service Unavailable", BUSY);
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_a_500_that_tells_nothing() {
    let app = TestApp::start().await;
    let token = signed_in(&app, "alice").await;
    let url = format!("sqlite://{}", app.config.data.join("cognate.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("UPDATE users SET status = 'nothing'").execute(&mut connection).await.unwrap();
    let detail = "Internal error, please try again later.";
    assert_refused(&call_as(&app, &token, "checkaccess", json!({})).await, 500, "Internal Server Error", detail);
    let body = json!({ "user": "alice", "password": PASSWORD });
    assert_refused(&call(&app, "login", body).await, 500, "Internal Server Error", detail);
}

#[tokio::test]
async fn a_change_that_others_keep_interrupting_may_be_tried_again() {
    let app = TestApp::start().await;
    let token = signed_in(&app, "alice").await;
    let url = format!("sqlite://{}", app.config.data.join("cognate.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = "CREATE TRIGGER busy BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END";
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "another long password" });
    assert_refused(&call_as(&app, &token, "changepassword", body).await, 503, "Service Unavailable", BUSY);
}

#[tokio::test]
async fn a_client_that_the_operator_names_but_never_made_is_nobodys_bad_token() {
    let app = TestApp::start_with(|config| config.astera.client = Some("nobody".to_owned())).await;
    app.user("alice").await;
    let answer = login(&app, "alice", PASSWORD).await;
    assert_refused(&answer, 503, "Service Unavailable", BUSY);
}
