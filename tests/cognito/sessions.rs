//! A user's sessions, one by one: listed and ended by himself and by an administrator.

use serde_json::{Value, json};

use super::refused;
use crate::app::{Answer, PASSWORD, TestApp, story};

const GONE: &str = "ResourceNotFoundException: Session does not exist.";

async fn list(app: &TestApp, access_token: &str) -> Vec<Value> {
    let listed = app.cognito("ListUserSessions", json!({ "AccessToken": access_token })).await;
    assert_eq!(listed.status, 200, "{}", listed.text);
    listed.json()["Sessions"].as_array().unwrap().clone()
}

async fn revoke(app: &TestApp, access_token: &str, id: &Value) -> Answer {
    app.cognito("RevokeUserSession", json!({ "AccessToken": access_token, "SessionId": id })).await
}

async fn admin(app: &TestApp, operation: &str, mut rest: Value) -> Answer {
    rest["UserPoolId"] = json!(app.pool().id());
    app.cognito_admin(operation, rest).await
}

/// A sign-in some time after the last.
async fn later(app: &TestApp, name: &str) -> Answer {
    app.clock.advance_seconds(10);
    app.login(name, PASSWORD).await
}

fn current(sessions: &[Value]) -> Vec<bool> {
    sessions.iter().map(|session| session["IsCurrentSession"].as_bool().unwrap()).collect()
}

// S22
story!(a_user_ends_one_of_his_sessions_and_the_others_go_on);
async fn a_user_ends_one_of_his_sessions_and_the_others_go_on(app: TestApp) {
    let one = app.signed_in("alice").await;
    let other = later(&app, "alice").await;
    let (mine, theirs) = (one.field("access_token"), other.field("access_token"));
    let sessions = list(&app, &mine).await;
    let id = sessions[0]["SessionId"].as_str().unwrap();
    assert!(id.len() == 28 && id.starts_with("tkn"), "{id}");
    assert!(id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{id}");
    assert_eq!(
        sessions[0],
        json!({ "SessionId": id, "SessionType": "TOKEN", "ClientId": app.client().id, "IsCurrentSession": false,
                "CreateDate": 1_795_262_410.0, "LastActiveDate": 1_795_262_410.0 })
    );
    assert_eq!((current(&sessions), current(&list(&app, &theirs).await)), (vec![false, true], vec![true, false]));
    let own = refused(&revoke(&app, &mine, &sessions[1]["SessionId"]).await);
    assert_eq!(own, "InvalidParameterException: The session of the access token can not be revoked by it.");
    let linked = json!({ "AccessToken": mine, "SessionId": id, "RevokeAssociatedSessions": "LINKED" });
    assert_eq!(app.cognito("RevokeUserSession", linked).await.whole(), (200, "{}"));
    assert!(!app.accepts(&theirs).await && app.accepts(&mine).await);
    let revoked = "NotAuthorizedException: Access Token has been revoked";
    for _ in app.replicas() {
        assert_eq!(refused(&app.cognito("GetUser", json!({ "AccessToken": theirs })).await), revoked);
        assert_eq!(app.refresh("alice", &other.field("refresh_token")).await.status, 401);
        assert_eq!(list(&app, &mine).await.len(), 1);
    }
    assert_eq!(app.refresh("alice", &one.field("refresh_token")).await.status, 200);
    assert_eq!(refused(&revoke(&app, &mine, &json!(id)).await), GONE);
}

// S22
story!(an_administrator_ends_one_session_of_a_user);
async fn an_administrator_ends_one_session_of_a_user(app: TestApp) {
    let (one, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let other = later(&app, "alice").await;
    let listed = admin(&app, "AdminListUserSessions", json!({ "Username": "alice@example.test" })).await.json();
    let sessions = listed["Sessions"].as_array().unwrap();
    assert_eq!((listed.get("NextToken"), current(sessions)), (None, vec![false, false]));
    // The latest comes first.
    let body = json!({ "Username": "alice", "SessionId": sessions[0]["SessionId"] });
    let wrong = json!({ "Username": "bob", "SessionId": sessions[0]["SessionId"] });
    assert_eq!(refused(&admin(&app, "AdminRevokeUserSession", wrong).await), GONE);
    assert_eq!(admin(&app, "AdminRevokeUserSession", body.clone()).await.whole(), (200, "{}"));
    assert!(!app.accepts(&other.field("access_token")).await);
    for alive in [&one, &bob] {
        assert!(app.accepts(&alive.field("access_token")).await);
    }
    assert_eq!(refused(&admin(&app, "AdminRevokeUserSession", body).await), GONE);
    let nobody = json!({ "Username": "nobody", "SessionId": sessions[1]["SessionId"] });
    let words = "UserNotFoundException: User does not exist.";
    assert_eq!(refused(&admin(&app, "AdminRevokeUserSession", nobody.clone()).await), words);
    assert_eq!(refused(&admin(&app, "AdminListUserSessions", json!({ "Username": "nobody" })).await), words);
}

// K07, K10
story!(what_is_no_session_of_the_user_is_refused);
async fn what_is_no_session_of_the_user_is_refused(app: TestApp) {
    let (alice, bob) = (app.signed_in("alice").await, app.signed_in("bob").await);
    let (alice, bob) = (alice.field("access_token"), bob.field("access_token"));
    let theirs = list(&app, &bob).await[0]["SessionId"].clone();
    assert_eq!(refused(&revoke(&app, &alice, &theirs).await), GONE);
    let sso = format!("sso{}", &theirs.as_str().unwrap()[3..]);
    for id in [sso.as_str(), "tkn0000000000000000000000000", "tknzzzzzzzzzzzzzzzzzzzzzzzzz"] {
        assert_eq!(refused(&revoke(&app, &alice, &json!(id)).await), GONE, "{id}");
    }
    assert!(app.accepts(&bob).await);
    let upper = refused(&revoke(&app, &alice, &json!(theirs.as_str().unwrap().to_uppercase())).await);
    assert!(upper.starts_with("InvalidParameterException: 1 validation error detected"), "{upper}");
    let words = "NotAuthorizedException: Invalid Access Token";
    assert_eq!(refused(&revoke(&app, "x", &theirs).await), words);
    assert_eq!(refused(&app.cognito("ListUserSessions", json!({ "AccessToken": "x" })).await), words);
}

story!(sessions_that_ended_otherwise_are_not_listed);
async fn sessions_that_ended_otherwise_are_not_listed(app: TestApp) {
    app.change_client(|client| client.refresh_token_seconds = 90_000).await;
    let first = app.signed_in("alice").await;
    app.clock.advance_seconds(80_000);
    let second = later(&app, "alice").await;
    let third = later(&app, "alice").await.field("access_token");
    assert_eq!(list(&app, &third).await.len(), 3);
    app.revoke(&second.field("refresh_token")).await;
    assert_eq!(list(&app, &third).await.len(), 2);
    app.clock.advance_seconds(10_000);
    assert_eq!(list(&app, &third).await.len(), 1, "{} has run out", first.field("access_token").len());
    app.pool().sign_out_user("alice").await.unwrap();
    let fourth = later(&app, "alice").await.field("access_token");
    assert_eq!(list(&app, &fourth).await.len(), 1);
}

story!(sessions_are_listed_in_pages_of_125);
async fn sessions_are_listed_in_pages_of_125(app: TestApp) {
    app.user("alice").await;
    let mut last = String::new();
    for second in 0..127 {
        if second % 2 == 0 {
            app.clock.advance_seconds(1);
        }
        last = app.login("alice", PASSWORD).await.field("access_token");
    }
    let page = app.cognito("ListUserSessions", json!({ "AccessToken": last })).await.json();
    let token = page["NextToken"].clone();
    let rest = app.cognito("ListUserSessions", json!({ "AccessToken": last, "NextToken": token })).await.json();
    let ids = |page: &Value| page["Sessions"].as_array().unwrap().iter().map(|one| one["SessionId"].clone()).collect();
    let (first, second): (Vec<Value>, Vec<Value>) = (ids(&page), ids(&rest));
    assert_eq!((first.len(), second.len(), rest.get("NextToken")), (125, 2, None));
    assert!(second.iter().all(|id| !first.contains(id)));
    // P02: a token of another user's list.
    let bob = app.signed_in("bob").await.field("access_token");
    let other = app.cognito("ListUserSessions", json!({ "AccessToken": bob, "NextToken": token })).await;
    assert_eq!(refused(&other), "InvalidParameterException: Token is not one of this list");
}

story!(a_session_that_does_not_rotate_tells_no_last_use_it_does_not_know);
async fn a_session_that_does_not_rotate_tells_no_last_use_it_does_not_know(app: TestApp) {
    let session = app.signed_in("alice").await;
    app.clock.advance_seconds(60);
    let refreshed = app.refresh("alice", &session.field("refresh_token")).await;
    assert_eq!(list(&app, &refreshed.field("access_token")).await[0].get("LastActiveDate"), None);
    app.change_client(|client| client.rotation = Some(cognate::pool::Rotation { grace_seconds: 10 })).await;
    app.clock.advance_seconds(60);
    let refreshed = app.refresh("alice", &session.field("refresh_token")).await;
    let seen = list(&app, &refreshed.field("access_token")).await[0]["LastActiveDate"].clone();
    assert_eq!(seen, 1_795_262_520.0);
}
