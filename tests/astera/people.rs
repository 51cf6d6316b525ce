//! Row 1, and row 2 where no directory is configured.

use cognate::store::directory::UserStatus;
use serde_json::{Value, json};

use super::{
    NO_TOKEN, SUCCESS, WRONG, admin, assert_bad, assert_forbidden, assert_refused, assert_unauthorized, call, call_as,
    group, login, public_id, signed_in,
};
use crate::app::{PASSWORD, TestApp, claims, story};

fn carol() -> Value {
    json!({ "user": "carol", "email": "Carol@example.test", "password": PASSWORD })
}

// Row 1
story!(an_administrator_registers_a_user_who_may_sign_in_at_once);
async fn an_administrator_registers_a_user_who_may_sign_in_at_once(app: TestApp) {
    let token = admin(&app).await;
    group(&app, "editors").await;
    let mut body = carol();
    body["firstName"] = json!("Carol");
    body["lastName"] = json!("Müller");
    body["roles"] = json!(["editors"]);
    let answer = call_as(&app, &token, "register", body).await;
    let id = public_id(&app, "carol").await;
    let whole = format!(r#"{{"success":true,"id":{id},"user":"carol","email":"Carol@example.test"}}"#);
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let user = app.pool().find_user("carol").await.unwrap();
    assert_eq!((user.status, user.email_verified), (UserStatus::Confirmed, false));
    assert_eq!((&user.attributes["given_name"], &user.attributes["family_name"]), (&"Carol".into(), &"Müller".into()));
    let signed_in = login(&app, "carol", PASSWORD).await;
    let profile = json!({ "id": id, "userName": "carol", "email": "Carol@example.test", "roles": ["editors"] });
    assert_eq!((signed_in.status, &signed_in.json()["user"]), (200, &profile));
    assert_eq!(claims(&signed_in.field("token"))["cognito:groups"], json!(["editors"]));
    // Nobody has proven the address yet.
    assert_unauthorized(&login(&app, "carol@example.test", PASSWORD).await, WRONG);
}

// Rows 1 and 12
story!(the_mail_to_a_registered_user_leads_to_our_own_page);
async fn the_mail_to_a_registered_user_leads_to_our_own_page(app: TestApp) {
    let token = admin(&app).await;
    let mut body = carol();
    body["user"] = json!("Carol & Co");
    assert_eq!(call_as(&app, &token, "register", body).await.status, 200);
    let mail = app.mail().await;
    assert!(mail.contains("To: Carol@example.test\r\n"), "{mail}");
    let start = format!("{}/api/account/confirmemail?user=Carol+%26+Co&code=", app.config.public_url());
    let link = mail.lines().map(str::trim).find(|line| line.starts_with(&start)).unwrap();
    let path = link.strip_prefix(&app.config.public_url()).unwrap();
    assert_eq!(app.get(path).await.whole(), SUCCESS);
    assert!(app.pool().find_user("Carol & Co").await.unwrap().email_verified);
    assert_eq!(login(&app, "carol@example.test", PASSWORD).await.status, 200);
}

// Row 1: 401, 403
story!(only_an_administrator_registers_anybody);
async fn only_an_administrator_registers_anybody(app: TestApp) {
    admin(&app).await;
    let alice = signed_in(&app, "alice").await;
    let ad = json!({ "user": "CORP\\carol" });
    for (operation, body) in [("register", carol()), ("registeraduser", ad)] {
        assert_unauthorized(&call(&app, operation, body.clone()).await, NO_TOKEN);
        assert_unauthorized(&call_as(&app, "garbage", operation, body.clone()).await, "The token is invalid.");
        assert_forbidden(&call_as(&app, &alice, operation, body.clone()).await, "Access denied.");
        // Who may not do it is not told what would be wrong with it either.
        assert_forbidden(&call_as(&app, &alice, operation, json!({ "user": "root" })).await, "Access denied.");
    }
    assert!(app.pool().find_user("carol").await.is_err());
    assert_eq!(app.mails().await.len(), 0);
}

// Row 1: 409
story!(a_name_is_given_once);
async fn a_name_is_given_once(app: TestApp) {
    let token = admin(&app).await;
    assert_eq!(call_as(&app, &token, "register", carol()).await.status, 200);
    let mut again = carol();
    for name in ["carol", "CAROL"] {
        again["user"] = json!(name);
        assert_refused(&call_as(&app, &token, "register", again.clone()).await, 409, "Conflict", "User already exists");
    }
}

// Row 1: 400
story!(what_makes_no_user_is_told);
async fn what_makes_no_user_is_told(app: TestApp) {
    let token = admin(&app).await;
    for (field, value, detail) in [
        ("email", json!(null), "email is required."),
        ("password", json!(null), "password is required."),
        ("user", json!(""), "user must not be empty."),
        ("user", json!("two\nlines"), "username must not contain invisible or control characters"),
        ("email", json!("nowhere"), "email must be an email address in ASCII"),
        ("email", json!("a@b.test\r\nBcc: eve@evil.test"), "email must be an email address in ASCII"),
        ("password", json!("short"), "Password does not conform to policy: Password not long enough"),
        ("password", json!("iloveyou"), "Password does not conform to policy: Password is too common"),
        ("roles", json!(["nobody knows it"]), "Group does not exist."),
        ("roles", json!([1]), "roles must be an array of strings."),
        ("roles", json!({}), "roles must be an array of strings."),
        ("roles", json!([""]), "roles must not be empty."),
        ("roles", json!(vec!["x"; 101]), "roles must have at most 100 items."),
        ("firstName", json!(true), "firstName must be a string."),
        ("lastName", json!("x".repeat(257)), "lastName must have at most 256 characters."),
    ] {
        let mut body = carol();
        body[field] = value;
        assert_bad(&call_as(&app, &token, "register", body).await, detail);
    }
    assert_eq!(app.pool().users(0, 10).await.unwrap().len(), 1);
    assert_eq!(app.mails().await.len(), 0);
}

// Row 2: 501
story!(without_a_directory_nobody_is_registered_from_one);
async fn without_a_directory_nobody_is_registered_from_one(app: TestApp) {
    let token = admin(&app).await;
    let answer = call_as(&app, &token, "registeraduser", json!({ "user": "CORP\\carol" })).await;
    assert_refused(&answer, 501, "Not Implemented", "Active Directory is not configured");
    assert_bad(&call_as(&app, &token, "registeraduser", json!({})).await, "user is required.");
}
