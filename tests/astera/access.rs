//! Rows 14 and 15: what a token says while it lives, and its end.

use serde_json::json;

use super::{
    NO_TOKEN, SUCCESS, admin, assert_bad, assert_forbidden, assert_unauthorized, call, call_as, client, login,
    signed_in, token_of,
};
use crate::app::{Answer, PASSWORD, TestApp, story};

async fn access(app: &TestApp, method: &str, token: &str) -> Answer {
    app.request(app.to(method, "/api/account/checkaccess").bearer_auth(token)).await
}

// Row 15
story!(a_living_token_says_whose_it_is_and_for_how_long);
async fn a_living_token_says_whose_it_is_and_for_how_long(app: TestApp) {
    let token = admin(&app).await;
    for method in ["GET", "POST"] {
        let whole = r#"{"authenticated":true,"user":"root","roles":["admin"],"expires_in":3600}"#;
        assert_eq!(access(&app, method, &token).await.whole(), (200, whole));
    }
    app.clock.advance_seconds(600);
    let whole = r#"{"authenticated":true,"user":"root","roles":["admin"],"expires_in":3000}"#;
    assert_eq!(access(&app, "GET", &token).await.whole(), (200, whole));
    // The groups as they are now, not as they were at the sign-in.
    app.pool().remove_from_group("admin", "root").await.unwrap();
    let whole = r#"{"authenticated":true,"user":"root","roles":[],"expires_in":3000}"#;
    assert_eq!(access(&app, "POST", &token).await.whole(), (200, whole));
}

// Row 15: 401
story!(without_a_living_token_there_is_no_access);
async fn without_a_living_token_there_is_no_access(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    for method in ["GET", "POST"] {
        let none = app.request(app.to(method, "/api/account/checkaccess")).await;
        assert_unauthorized(&none, NO_TOKEN);
        assert_eq!(none.header("www-authenticate"), Some("Bearer"));
        for header in ["", "Bearer", "Bearer ", "Basic YWxpY2U6eA==", &token] {
            let request = app.to(method, "/api/account/checkaccess").header("authorization", header);
            assert_unauthorized(&app.request(request).await, NO_TOKEN);
        }
        let garbage = access(&app, method, "garbage").await;
        assert_unauthorized(&garbage, "The token is invalid.");
        assert_eq!(garbage.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    }
    app.clock.advance_seconds(3600);
    assert_unauthorized(&access(&app, "GET", &token).await, "The token has expired.");
}

// Row 15: 403
story!(a_disabled_user_is_told_so);
async fn a_disabled_user_is_told_so(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    for method in ["GET", "POST"] {
        assert_forbidden(&access(&app, method, &token).await, "User is disabled.");
    }
}

// Row 14
story!(logout_ends_the_session_for_good_and_no_other);
async fn logout_ends_the_session_for_good_and_no_other(app: TestApp) {
    let (token, other) = (signed_in(&app, "alice").await, token_of(&app, "alice").await);
    let out = async || app.request(app.to("POST", "/api/account/logout").bearer_auth(&token)).await;
    assert_eq!(out().await.whole(), SUCCESS);
    assert!(!app.accepts(&token).await);
    assert!(app.accepts(&other).await);
    assert_unauthorized(&out().await, "The token has been revoked.");
    // R06: whoever loses the token store's memory does not revive it.
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!(app.pool().sessions_of(&user).await.unwrap().len(), 1);
}

// Row 14
story!(logout_ends_the_session_of_its_refresh_token_too);
async fn logout_ends_the_session_of_its_refresh_token_too(app: TestApp) {
    app.user("alice").await;
    let body = json!({ "user": "alice", "password": PASSWORD, "rememberMe": true });
    let (one, other) = (call(&app, "login", body.clone()).await, call(&app, "login", body).await);
    let refreshes = async |answer: &Answer| {
        let client = client(&app);
        let terms = cognate::pool::Terms::from(&client);
        app.pool().refresh(terms, None, &answer.field("refresh_token"), 0).await.is_ok()
    };
    assert!(refreshes(&one).await && refreshes(&other).await);
    let own = json!({ "refresh_token": one.field("refresh_token") });
    assert_eq!(call_as(&app, &one.field("token"), "logout", own).await.whole(), SUCCESS);
    assert!(!refreshes(&one).await && refreshes(&other).await);
    // A refresh token of another session does not live on when its holder says goodbye with it.
    let token = token_of(&app, "alice").await;
    let body = json!({ "refresh_token": other.field("refresh_token") });
    assert_eq!(call_as(&app, &token, "logout", body).await.whole(), SUCCESS);
    assert!(!refreshes(&other).await && !app.accepts(&token).await && !app.accepts(&other.field("token")).await);
}

// Row 14
story!(a_logout_with_what_is_no_refresh_token_ends_nothing);
async fn a_logout_with_what_is_no_refresh_token_ends_nothing(app: TestApp) {
    app.user("alice").await;
    let token = token_of(&app, "alice").await;
    let of_another_client = app.login("alice", PASSWORD).await.field("refresh_token");
    for refresh in ["garbage", &token, &of_another_client] {
        let answer = call_as(&app, &token, "logout", json!({ "refresh_token": refresh })).await;
        assert_bad(&answer, "refresh_token is not a refresh token of this service.");
    }
    assert_bad(
        &call_as(&app, &token, "logout", json!({ "refresh_token": 1 })).await,
        "refresh_token must be a string.",
    );
    assert!(app.accepts(&token).await);
    assert_eq!(call_as(&app, &token, "logout", json!({ "refresh_token": null })).await.whole(), SUCCESS);
}

// Row 14: 401
story!(a_logout_without_a_token_is_refused);
async fn a_logout_without_a_token_is_refused(app: TestApp) {
    assert_unauthorized(&call(&app, "logout", json!({})).await, NO_TOKEN);
    assert_unauthorized(&call_as(&app, "garbage", "logout", json!({})).await, "The token is invalid.");
    assert_eq!(login(&app, "nobody", PASSWORD).await.status, 401);
}
