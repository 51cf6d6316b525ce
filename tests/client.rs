//! The app client that `/v1` speaks for: settings choose it, and its tokens live as long as it says.

use cognate::pool::Client;
use serde_json::json;

use crate::app::{PASSWORD, TestApp, claims, story};

/// Replicas that speak for another client of the same pool.
async fn of_another_client(app: &TestApp) -> (Client, TestApp) {
    let draft = Client {
        name: "mobile".to_owned(),
        access_token_seconds: 300,
        id_token_seconds: 600,
        refresh_token_seconds: 3600,
        ..app.client()
    };
    let client = app.api.pools.create_client(&app.pool(), draft).await.unwrap();
    app.reload().await;
    let mut config = app.config.clone();
    config.v1.client = Some(client.id.clone());
    (client, app.replica_with(config).await)
}

story!(settings_choose_the_client_and_the_client_says_how_long_tokens_live);
async fn settings_choose_the_client_and_the_client_says_how_long_tokens_live(app: TestApp) {
    let (client, other) = of_another_client(&app).await;
    app.user("alice").await;
    let answer = other.login("alice", PASSWORD).await;
    assert_eq!(answer.json()["expires_in"], 300);
    let (access, id) = (claims(&answer.field("access_token")), claims(&answer.field("id_token")));
    assert_eq!((&access["client_id"], &id["aud"]), (&json!(client.id), &json!(client.id)));
    let life = |said: &serde_json::Value| said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap();
    assert_eq!((life(&access), life(&id)), (300, 600));
    let refresh = answer.field("refresh_token");
    app.clock.advance_seconds(300);
    assert!(!other.accepts(&answer.field("access_token")).await);
    assert!(other.accepts(&other.refresh("alice", &refresh).await.field("access_token")).await);
    app.clock.advance_seconds(3300);
    assert_eq!(other.refresh("alice", &refresh).await.whole(), (401, r#"{"status":401,"message":"Unauthorized."}"#));
}

// S09, C01
story!(tokens_of_one_client_are_nothing_to_another);
async fn tokens_of_one_client_are_nothing_to_another(app: TestApp) {
    let (_, other) = of_another_client(&app).await;
    let token = app.signed_in("alice").await.field("refresh_token");
    assert_eq!(other.refresh("alice", &token).await.status, 401);
    assert_eq!(other.revoke(&token).await.whole(), (401, r#"{"status":401,"message":"Unauthorized"}"#));
    assert_eq!(app.refresh("alice", &token).await.status, 200);
}

story!(a_deleted_client_takes_its_sessions_with_it_and_the_settings_must_name_another);
async fn a_deleted_client_takes_its_sessions_with_it_and_the_settings_must_name_another(app: TestApp) {
    let (client, other) = of_another_client(&app).await;
    app.user("alice").await;
    let answer = other.login("alice", PASSWORD).await;
    app.api.pools.delete_client(&app.pool(), &client.id).await.unwrap();
    app.reload().await;
    other.reload().await;
    assert!(!app.accepts(&answer.field("access_token")).await);
    for refused in [other.login("alice", PASSWORD).await, other.refresh("alice", "x").await] {
        let whole = r#"{"status":503,"message":"Service is temporarily unavailable, please try again."}"#;
        assert_eq!(refused.whole(), (503, whole));
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

story!(what_a_client_may_not_be_is_refused);
async fn what_a_client_may_not_be_is_refused(app: TestApp) {
    for (change, reason) in [
        (
            (|client| client.access_token_seconds = 299) as fn(&mut Client),
            "access token life must be 300 to 604800 seconds",
        ),
        (|client| client.access_token_seconds = 604_801, "access token life must be 300 to 604800 seconds"),
        (|client| client.id_token_seconds = 86_401, "id token life must be 300 to 86400 seconds"),
        (|client| client.refresh_token_seconds = 3599, "refresh token life must be 3600 to 315360000 seconds"),
        (
            |client| client.refresh_token_seconds = 3600,
            "refresh token life must not be shorter than that of access and id tokens",
        ),
        (|client| client.auth_session_seconds = 179, "auth session life must be 180 to 900 seconds"),
        (
            |client| client.rotation = Some(cognate::pool::client::Rotation { grace_seconds: 61 }),
            "grace must be 0 to 60 seconds",
        ),
        (|client| client.name = String::new(), "name must be 1 to 128 characters"),
    ] {
        let refused = app.api.pools.update_client(&app.pool(), &app.client().id, change).await.unwrap_err();
        assert_eq!(refused.to_string(), reason);
    }
}
