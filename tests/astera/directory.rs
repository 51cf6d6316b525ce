//! Rows 2 and 4 with a real directory behind them.

use cognate::pool::NewUser;
use serde_json::json;

use super::{
    SUCCESS, WRONG, admin, assert_bad, assert_forbidden, assert_refused, assert_unauthorized, call, call_as, client,
    group, login, public_id,
};
use crate::app::{Answer, Deployment, PASSWORD, TestApp, claims};
use crate::ldap::app_on;
use crate::servers::slapd::Slapd;

async fn sign_in(app: &TestApp, user: &str, password: &str) -> Answer {
    call(app, "loginaduser", json!({ "user": user, "password": password })).await
}

/// A service beside the directory with `CORP\alice` registered; an administrator's token.
async fn with_alice(deployment: Deployment) -> (TestApp, String) {
    let app = app_on(deployment, Slapd::shared().await.settings_with_service()).await;
    let token = admin(&app).await;
    let registered = call_as(&app, &token, "registeraduser", json!({ "user": "CORP\\alice" })).await;
    let id = public_id(&app, "CORP\\alice").await;
    let whole = format!(r#"{{"success":true,"id":{id},"user":"CORP\\alice","email":null}}"#);
    assert_eq!(registered.whole(), (200, whole.as_str()));
    (app, token)
}

// Rows 2 and 4
async fn a_person_of_the_directory_is_registered_and_signs_in(deployment: Deployment) {
    let (app, admin) = with_alice(deployment).await;
    let id = public_id(&app, "CORP\\alice").await;
    let answer = sign_in(&app, "CORP\\alice", "alice's word").await;
    let token = answer.field("token");
    // The address and the group come from there.
    let whole = format!(
        r#"{{"access_token":"{token}","token":"{token}","token_type":"Bearer","expires_in":3600,"user":{{"id":{id},"userName":"CORP\\alice","email":"alice@corp.example.test","roles":["sales"]}}}}"#
    );
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert_eq!(claims(&token)["client_id"], client(&app).id);
    let access = app.request(app.to("GET", "/api/account/checkaccess").bearer_auth(&token)).await;
    let whole = r#"{"authenticated":true,"user":"CORP\\alice","roles":["sales"],"expires_in":3600}"#;
    assert_eq!(access.whole(), (200, whole));
    for name in ["corp\\ALICE", "alice", "alice@corp.example.test"] {
        let body = json!({ "USER": name, "password": "alice's word", "rememberMe": 1 });
        let answer = call(&app, "loginaduser", body).await;
        assert_eq!((answer.status, &answer.json()["user"]["id"]), (200, &json!(id)), "{name}");
        assert!(answer.json()["refresh_token"].is_string());
    }
    assert_eq!(call_as(&app, &token, "logout", json!({})).await.whole(), SUCCESS);
    assert!(!app.accepts(&token).await);
    // An address and groups of ours that an administrator gives.
    group(&app, "editors").await;
    let body = json!({ "user": "bob", "email": "Bob@example.test", "roles": ["editors"] });
    let registered = call_as(&app, &admin, "registeraduser", body).await;
    let id = public_id(&app, "CORP\\bob").await;
    let whole = format!(r#"{{"success":true,"id":{id},"user":"CORP\\bob","email":"Bob@example.test"}}"#);
    assert_eq!(registered.whole(), (200, whole.as_str()));
    let signed_in = sign_in(&app, "CORP\\bob", "bob's word").await.json();
    assert_eq!(
        (&signed_in["user"]["email"], &signed_in["user"]["roles"][1]),
        (&json!("Bob@example.test"), &json!("editors"))
    );
}

#[tokio::test]
async fn a_person_of_the_directory_is_registered_and_signs_in_embedded() {
    a_person_of_the_directory_is_registered_and_signs_in(Deployment::Embedded).await;
}

#[tokio::test]
async fn a_person_of_the_directory_is_registered_and_signs_in_on_postgres_and_redis() {
    a_person_of_the_directory_is_registered_and_signs_in(Deployment::PostgresAndRedis).await;
}

// Row 2: 400, 409
#[tokio::test]
async fn only_people_of_the_directory_are_registered_and_each_once() {
    let (app, token) = with_alice(Deployment::Embedded).await;
    for again in ["CORP\\alice", "corp\\Alice", "alice"] {
        let answer = call_as(&app, &token, "registeraduser", json!({ "user": again })).await;
        assert_refused(&answer, 409, "Conflict", "User already exists");
    }
    for nobody in ["CORP\\ghost", "OTHER\\bob", "CORP\\*"] {
        let answer = call_as(&app, &token, "registeraduser", json!({ "user": nobody })).await;
        assert_bad(&answer, "User does not exist.");
    }
    for (body, detail) in [
        (json!({}), "user is required."),
        (json!({ "user": "bob", "email": "nowhere" }), "email must be an email address in ASCII"),
        (json!({ "user": "bob", "roles": ["nobody knows it"] }), "Group does not exist."),
    ] {
        assert_bad(&call_as(&app, &token, "registeraduser", body).await, detail);
    }
    assert!(app.pool().find_user("CORP\\bob").await.is_err());
}

// Row 4: 401; P11
#[tokio::test]
async fn whoever_is_not_let_in_from_the_directory_looks_alike() {
    let (app, _) = with_alice(Deployment::Embedded).await;
    app.user("local").await;
    let wrong = sign_in(&app, "CORP\\alice", "bob's word").await;
    assert_unauthorized(&wrong, WRONG);
    // Not registered, not there, of another kind, or a way to say everybody.
    for (name, password) in [
        ("CORP\\bob", "bob's word"),
        ("CORP\\ghost", "bob's word"),
        ("local", PASSWORD),
        ("OTHER\\alice", "alice's word"),
        ("*", "alice's word"),
        ("alice)(uid=*", "alice's word"),
    ] {
        assert_eq!(sign_in(&app, name, password).await.sight(), wrong.sight(), "{name}");
    }
    assert_bad(&sign_in(&app, "CORP\\alice", "").await, "password must not be empty.");
    assert_bad(&sign_in(&app, "CORP\\alice", "alice's word\0").await, "password must not contain NUL.");
}

#[tokio::test]
async fn the_password_of_the_directory_is_good_for_nothing_else_here() {
    let (app, _) = with_alice(Deployment::Embedded).await;
    let token = sign_in(&app, "alice", "alice's word").await.field("token");
    assert_unauthorized(&login(&app, "CORP\\alice", "alice's word").await, WRONG);
    assert_eq!(call(&app, "forgotpassword", json!({ "user": "CORP\\alice" })).await.whole(), SUCCESS);
    assert_eq!(app.mails().await.len(), 0);
    let body = json!({ "currentPassword": "alice's word", "newPassword": "another long password" });
    assert_forbidden(&call_as(&app, &token, "changepassword", body).await, "The current password is wrong.");
    assert_unauthorized(&login(&app, "CORP\\alice", "another long password").await, WRONG);
    app.pool().create_user(NewUser::new("carol", PASSWORD)).await.unwrap();
    assert_unauthorized(&sign_in(&app, "carol", PASSWORD).await, WRONG);
}

#[tokio::test]
async fn a_disabled_user_of_the_directory_is_told_so_after_the_right_password_only() {
    let (app, _) = with_alice(Deployment::Embedded).await;
    app.pool().disable_user("CORP\\alice").await.unwrap();
    assert_forbidden(&sign_in(&app, "CORP\\alice", "alice's word").await, "User is disabled.");
    assert_unauthorized(&sign_in(&app, "CORP\\alice", "bob's word").await, WRONG);
}

// An outage is never a wrong password.
#[tokio::test]
async fn a_directory_that_is_down_is_a_503_for_its_people_alone() {
    let mut slapd = tokio::task::spawn_blocking(Slapd::start).await.unwrap();
    let app = app_on(Deployment::Embedded, slapd.settings_with_service()).await;
    let token = admin(&app).await;
    let body = json!({ "user": "alice" });
    assert_eq!(call_as(&app, &token, "registeraduser", body).await.status, 200);
    slapd.kill();
    let busy = "Service is temporarily unavailable, please try again.";
    for password in ["alice's word", "a guess"] {
        assert_refused(&sign_in(&app, "alice", password).await, 503, "Service Unavailable", busy);
    }
    let other = call_as(&app, &token, "registeraduser", json!({ "user": "bob" })).await;
    assert_refused(&other, 503, "Service Unavailable", busy);
    assert_eq!(login(&app, "root", PASSWORD).await.status, 200);
    slapd.up();
    assert_eq!(sign_in(&app, "alice", "alice's word").await.status, 200);
}
