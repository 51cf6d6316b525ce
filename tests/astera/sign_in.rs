//! Row 3, and row 4 where no directory is configured.

use std::time::Duration;

use cognate::pool::{NewUser, Terms};
use cognate::store::directory::UserStatus;
use serde_json::{Value, json};

use super::{
    WRONG, assert_bad, assert_forbidden, assert_refused, assert_unauthorized, call, client, group, login, public_id,
    token_of,
};
use crate::app::{PASSWORD, TestApp, claims, story};

// Row 3
story!(a_right_password_yields_a_bearer_token_and_who_signed_in);
async fn a_right_password_yields_a_bearer_token_and_who_signed_in(app: TestApp) {
    group(&app, "editors").await;
    group(&app, "auditors").await;
    let groups = vec!["editors".to_owned(), "auditors".to_owned()];
    let email = Some("Ann@example.test".to_owned());
    app.pool().create_user(NewUser { email, groups, ..NewUser::new("Ann", PASSWORD) }).await.unwrap();
    let body = json!({ "user": "ann", "password": PASSWORD, "rememberMe": false });
    let answer = call(&app, "login", body).await;
    let (token, id) = (answer.field("token"), public_id(&app, "Ann").await);
    let whole = format!(
        r#"{{"access_token":"{token}","token":"{token}","token_type":"Bearer","expires_in":3600,"user":{{"id":{id},"userName":"Ann","email":"Ann@example.test","roles":["auditors","editors"]}}}}"#
    );
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let said = claims(&token);
    assert_eq!((&said["exp"], &said["iat"]), (&json!(1_795_266_000), &json!(1_795_262_400)));
    assert_eq!(said["client_id"], client(&app).id);
    assert_eq!(said["token_use"], "access");
    assert!(app.accepts(&token).await);
}

// Row 3
story!(remember_me_adds_a_refresh_token);
async fn remember_me_adds_a_refresh_token(app: TestApp) {
    app.pool().create_user(NewUser::new("bob", PASSWORD)).await.unwrap();
    let answer = call(&app, "login", json!({ "user": "bob", "password": PASSWORD, "rememberMe": true })).await;
    let (token, refresh, id) = (answer.field("token"), answer.field("refresh_token"), public_id(&app, "bob").await);
    let whole = format!(
        r#"{{"access_token":"{token}","token":"{token}","token_type":"Bearer","expires_in":3600,"refresh_token":"{refresh}","user":{{"id":{id},"userName":"bob","email":null,"roles":[]}}}}"#
    );
    assert_eq!(answer.whole(), (200, whole.as_str()));
}

// Row 3
story!(remember_me_is_understood_in_every_spelling_of_its_callers);
async fn remember_me_is_understood_in_every_spelling_of_its_callers(app: TestApp) {
    app.user("alice").await;
    let ask = async |flag: Value| {
        call(&app, "login", json!({ "user": "alice", "password": PASSWORD, "rememberMe": flag })).await
    };
    for yes in [json!(true), json!(1), json!("true"), json!("True"), json!("1")] {
        assert!(ask(yes.clone()).await.json()["refresh_token"].is_string(), "{yes}");
    }
    for no in [json!(false), json!(0), json!("false"), json!("False"), json!("0"), json!(null)] {
        let answer = ask(no.clone()).await;
        assert_eq!((answer.status, answer.json().get("refresh_token")), (200, None), "{no}");
    }
    assert_eq!(login(&app, "alice", PASSWORD).await.json().get("refresh_token"), None);
    for other in [json!(2), json!(-1), json!(1.5), json!("yes"), json!(""), json!([]), json!({}), json!([true])] {
        assert_bad(&ask(other).await, "rememberMe must be true or false.");
    }
}

story!(without_remember_me_the_session_ends_with_its_access_token);
async fn without_remember_me_the_session_ends_with_its_access_token(app: TestApp) {
    app.user("alice").await;
    let token = token_of(&app, "alice").await;
    let user = app.pool().find_user("alice").await.unwrap();
    app.clock.advance_seconds(3599);
    assert!(app.accepts(&token).await);
    assert_eq!(app.pool().sessions_of(&user).await.unwrap().len(), 1);
    app.clock.advance_seconds(1);
    assert!(!app.accepts(&token).await);
    assert_eq!(app.pool().sessions_of(&user).await.unwrap().len(), 0);
}

story!(with_remember_me_the_session_lives_as_long_as_the_settings_say, |config| {
    config.astera.refresh_token = cognate::config::Period::hours(7 * 24);
});
async fn with_remember_me_the_session_lives_as_long_as_the_settings_say(app: TestApp) {
    app.user("alice").await;
    let answer = call(&app, "login", json!({ "user": "alice", "password": PASSWORD, "rememberMe": 1 })).await;
    let (client, refresh) = (client(&app), answer.field("refresh_token"));
    let again = async || app.pool().refresh(Terms::from(&client), None, &refresh, 0).await;
    app.clock.advance(Duration::from_secs(7 * 86_400 - 1));
    assert!(!app.accepts(&answer.field("token")).await);
    assert!(app.accepts(&again().await.unwrap().access_token).await);
    app.clock.advance_seconds(1);
    assert!(again().await.is_err());
}

// Row 3
story!(a_verified_address_is_as_good_as_the_name);
async fn a_verified_address_is_as_good_as_the_name(app: TestApp) {
    app.user("alice").await;
    assert_eq!(login(&app, "ALICE@example.TEST", PASSWORD).await.json()["user"]["userName"], "alice");
}

// Row 3: 401; D01
story!(a_wrong_password_and_an_unknown_user_look_alike);
async fn a_wrong_password_and_an_unknown_user_look_alike(app: TestApp) {
    app.user("alice").await;
    let wrong = login(&app, "alice", "not the password").await;
    assert_unauthorized(&wrong, WRONG);
    for name in ["ghost", "ghost@example.test", "a\\b", "*)(uid=*", " "] {
        assert_eq!(login(&app, name, PASSWORD).await.sight(), wrong.sight(), "{name:?}");
    }
}

// Row 3: 400
story!(a_sign_in_without_name_or_password_is_told_what_is_missing);
async fn a_sign_in_without_name_or_password_is_told_what_is_missing(app: TestApp) {
    for operation in ["login", "loginaduser"] {
        assert_bad(&call(&app, operation, json!({ "user": "alice" })).await, "password is required.");
        assert_bad(
            &call(&app, operation, json!({ "user": "alice", "password": "" })).await,
            "password must not be empty.",
        );
        assert_bad(&call(&app, operation, json!({ "user": "", "password": "x" })).await, "user must not be empty.");
        assert_bad(&call(&app, operation, json!({ "user": null, "password": "x" })).await, "user is required.");
        assert_bad(&call(&app, operation, json!({ "user": 7, "password": "x" })).await, "user must be a string.");
        let long = call(&app, operation, json!({ "user": "x".repeat(257), "password": "x" })).await;
        assert_bad(&long, "user must have at most 256 characters.");
        let nul = call(&app, operation, json!({ "user": "alice", "password": "x\0" })).await;
        assert_bad(&nul, "password must not contain NUL.");
    }
}

story!(who_may_not_have_tokens_is_told_why_after_the_right_password_only);
async fn who_may_not_have_tokens_is_told_why_after_the_right_password_only(app: TestApp) {
    let pool = app.pool();
    pool.create_user(NewUser { temporary: true, ..NewUser::new("temporary", PASSWORD) }).await.unwrap();
    for name in ["disabled", "unconfirmed", "resetting"] {
        app.user(name).await;
    }
    pool.disable_user("disabled").await.unwrap();
    for (name, status) in [("unconfirmed", UserStatus::Unconfirmed), ("resetting", UserStatus::ResetRequired)] {
        let mut user = pool.find_user(name).await.unwrap();
        user.status = status;
        app.api.ports.directory.update_user(&user).await.unwrap();
    }
    for (name, detail) in [
        ("temporary", "A new password must be chosen first."),
        ("disabled", "User is disabled."),
        ("resetting", "Password reset required for the user"),
    ] {
        assert_forbidden(&login(&app, name, PASSWORD).await, detail);
        assert_unauthorized(&login(&app, name, "not the password").await, WRONG);
    }
    assert_unauthorized(&login(&app, "unconfirmed", PASSWORD).await, WRONG);
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert_forbidden(&login(&app, "unconfirmed", PASSWORD).await, "User is not confirmed.");
    app.clock.advance_seconds(7 * 86_400);
    let detail = "Temporary password has expired and must be reset by an administrator.";
    assert_forbidden(&login(&app, "temporary", PASSWORD).await, detail);
}

// Row 4: 501
story!(without_a_directory_nobody_signs_in_from_one);
async fn without_a_directory_nobody_signs_in_from_one(app: TestApp) {
    app.user("alice").await;
    for name in ["CORP\\alice", "alice"] {
        let answer = call(&app, "loginaduser", json!({ "user": name, "password": PASSWORD, "rememberMe": true })).await;
        assert_refused(&answer, 501, "Not Implemented", "Active Directory is not configured");
    }
}

// Never ship the account of the product's documentation.
story!(the_documented_default_account_does_not_exist);
async fn the_documented_default_account_does_not_exist(app: TestApp) {
    let first = app.api.pools.first_admin().await.unwrap().unwrap();
    assert_ne!(first.temporary_password, "Admin123");
    for (operation, name) in [("login", "admin"), ("login", "Admin")] {
        let body = json!({ "user": name, "password": "Admin123", "rememberMe": true });
        assert_unauthorized(&call(&app, operation, body).await, WRONG);
    }
    let shipped = [include_str!("../../src/pool/bootstrap.rs"), include_str!("../../README.md")];
    assert!(shipped.iter().all(|text| !text.contains("Admin123")));
}
