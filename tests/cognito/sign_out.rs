//! The operations that end sessions.

use serde_json::json;

use super::refused;
use crate::app::{TestApp, story};

story!(a_revoked_refresh_token_and_its_access_tokens_are_dead);
async fn a_revoked_refresh_token_and_its_access_tokens_are_dead(app: TestApp) {
    let session = app.signed_in("alice").await;
    let other = app.login("alice", crate::app::PASSWORD).await;
    let body = json!({ "Token": session.field("refresh_token"), "ClientId": app.client().id });
    for _ in 0..2 {
        assert_eq!(app.cognito("RevokeToken", body.clone()).await.whole(), (200, "{}"));
    }
    assert!(!app.accepts(&session.field("access_token")).await);
    assert_eq!(app.refresh("alice", &session.field("refresh_token")).await.status, 401);
    assert!(app.accepts(&other.field("access_token")).await);
    let unknown = json!({ "Token": other.field("refresh_token"), "ClientId": "0123456789abcdefghijklmnop" });
    let words = "ResourceNotFoundException: User pool client 0123456789abcdefghijklmnop does not exist.";
    assert_eq!(refused(&app.cognito("RevokeToken", unknown).await), words);
}

story!(a_global_sign_out_ends_every_session_of_the_caller_and_of_nobody_else);
async fn a_global_sign_out_ends_every_session_of_the_caller_and_of_nobody_else(app: TestApp) {
    let (one, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let other = app.login("alice", crate::app::PASSWORD).await;
    let body = json!({ "AccessToken": one.field("access_token") });
    // An Authorization header means nothing here.
    let request = app.cognito_request("GlobalSignOut").bearer_auth("nothing").body(body.to_string());
    assert_eq!(app.request(request).await.whole(), (200, "{}"));
    for session in [&one, &other] {
        assert!(!app.accepts(&session.field("access_token")).await);
        assert_eq!(app.refresh("alice", &session.field("refresh_token")).await.status, 401);
    }
    assert!(app.accepts(&bob.field("access_token")).await);
    let words = "NotAuthorizedException: Access Token has been revoked";
    assert_eq!(refused(&app.cognito("GlobalSignOut", body).await), words);
    for token in ["x", "a.b.c", &bob.field("id_token"), &format!("{}x", bob.field("access_token"))] {
        let answer = app.cognito("GlobalSignOut", json!({ "AccessToken": token })).await;
        assert_eq!(refused(&answer), "NotAuthorizedException: Invalid Access Token", "{token}");
    }
    app.clock.advance_seconds(2 * 24 * 3600);
    let answer = app.cognito("GlobalSignOut", json!({ "AccessToken": bob.field("access_token") })).await;
    assert_eq!(refused(&answer), "NotAuthorizedException: Access Token has expired");
}

story!(an_administrator_signs_somebody_out);
async fn an_administrator_signs_somebody_out(app: TestApp) {
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let pool = app.pool().id().to_owned();
    let answer = app.cognito_admin("AdminUserGlobalSignOut", json!({ "UserPoolId": pool, "Username": "alice" })).await;
    assert_eq!(answer.whole(), (200, "{}"));
    assert!(!app.accepts(&alice.field("access_token")).await);
    assert!(app.accepts(&bob.field("access_token")).await);
    let answer = app.cognito_admin("AdminUserGlobalSignOut", json!({ "UserPoolId": pool, "Username": "nobody" })).await;
    assert_eq!(refused(&answer), "UserNotFoundException: User does not exist.");
    let answer = app
        .cognito_admin("AdminUserGlobalSignOut", json!({ "UserPoolId": "us-east-1_000000000", "Username": "a" }))
        .await;
    assert_eq!(refused(&answer), "ResourceNotFoundException: User pool us-east-1_000000000 does not exist.");
}
