//! Refreshing and revoking over the Cognito API.

use cognate::pool::Rotation;
use serde_json::json;

use super::{call, initiate, refused, result, sign_in};
use crate::app::{PASSWORD, TestApp, claims, story};

async fn tokens_from(app: &TestApp, token: &str) -> crate::app::Answer {
    let body = json!({ "RefreshToken": token, "ClientId": app.client().id, "DeviceKey": null });
    call(app, "GetTokensFromRefreshToken", body).await
}

story!(a_refresh_yields_tokens_of_the_same_sign_in_and_no_refresh_token);
async fn a_refresh_yields_tokens_of_the_same_sign_in_and_no_refresh_token(app: TestApp) {
    app.user("alice").await;
    let first = sign_in(&app, "alice", PASSWORD).await;
    let token = result(&first, "RefreshToken");
    app.clock.advance_seconds(60);
    for answer in [
        initiate(&app, "REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": token })).await,
        initiate(&app, "REFRESH_TOKEN", json!({ "REFRESH_TOKEN": token })).await,
        tokens_from(&app, &token).await,
    ] {
        let [access, id] = ["AccessToken", "IdToken"].map(|name| result(&answer, name));
        let body = format!(
            r#""AuthenticationResult":{{"AccessToken":"{access}","ExpiresIn":86400,"TokenType":"Bearer","IdToken":"{id}"}}}}"#
        );
        assert!(answer.text.ends_with(&body), "{}", answer.text);
        let (before, after) = (claims(&result(&first, "AccessToken")), claims(&access));
        assert_eq!(before["origin_jti"], after["origin_jti"]);
        assert_eq!(before["auth_time"], after["auth_time"]);
        assert_ne!(before["jti"], after["jti"]);
    }
}

story!(a_client_that_rotates_refreshes_by_the_newer_operation_alone);
async fn a_client_that_rotates_refreshes_by_the_newer_operation_alone(app: TestApp) {
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 0 })).await;
    app.user("alice").await;
    let first = result(&sign_in(&app, "alice", PASSWORD).await, "RefreshToken");
    let old = initiate(&app, "REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": first })).await;
    assert_eq!(refused(&old), "NotAuthorizedException: Refresh token rotation is enabled for this client");
    let second = result(&tokens_from(&app, &first).await, "RefreshToken");
    let third = result(&tokens_from(&app, &second).await, "RefreshToken");
    app.clock.advance_seconds(1);
    let reused = refused(&tokens_from(&app, &first).await);
    assert!(reused.starts_with("RefreshTokenReuseException: "), "{reused}");
    let dead = "NotAuthorizedException: Refresh Token has been revoked";
    assert_eq!(refused(&tokens_from(&app, &third).await), dead);
}

story!(a_refresh_token_that_is_none_yields_nothing);
async fn a_refresh_token_that_is_none_yields_nothing(app: TestApp) {
    app.user("alice").await;
    let answer = sign_in(&app, "alice", PASSWORD).await;
    let token = result(&answer, "RefreshToken");
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let invalid = "NotAuthorizedException: Invalid Refresh Token";
    for garbage in ["garbage", &result(&answer, "AccessToken"), &token[1..]] {
        assert_eq!(refused(&initiate(&app, "REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": garbage })).await), invalid);
        assert_eq!(refused(&tokens_from(&app, garbage).await), invalid);
    }
    let foreign = json!({ "RefreshToken": token, "ClientId": other.id });
    assert_eq!(refused(&call(&app, "GetTokensFromRefreshToken", foreign).await), invalid);
    app.pool().disable_user("alice").await.unwrap();
    let answer = initiate(&app, "REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": token })).await;
    assert_eq!(refused(&answer), "NotAuthorizedException: User is disabled.");
    app.pool().delete_user("alice").await.unwrap();
    assert!(refused(&tokens_from(&app, &token).await).starts_with("NotAuthorizedException: "));
}

story!(only_a_refresh_token_of_the_same_client_is_revoked);
async fn only_a_refresh_token_of_the_same_client_is_revoked(app: TestApp) {
    app.user("alice").await;
    let answer = sign_in(&app, "alice", PASSWORD).await;
    let [access, token] = ["AccessToken", "RefreshToken"].map(|name| result(&answer, name));
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let revoke = async |client: &str, token: &str| {
        call(&app, "RevokeToken", json!({ "Token": token, "ClientId": client })).await
    };
    let own = app.client().id;
    let words = "UnsupportedTokenTypeException: Only refresh tokens can be revoked";
    assert_eq!(refused(&revoke(&own, &access).await), words);
    let words = "UnauthorizedException: The token was issued to another client";
    assert_eq!(refused(&revoke(&other.id, &token).await), words);
    assert!(app.accepts(&access).await);
    for _ in 0..2 {
        assert_eq!(revoke(&own, &token).await.whole(), (200, "{}"));
    }
    assert_eq!(revoke(&own, "garbage").await.whole(), (200, "{}"));
    assert!(!app.accepts(&access).await);
    assert_eq!(refused(&tokens_from(&app, &token).await), "NotAuthorizedException: Refresh Token has been revoked");
}
