//! The Astera account API (contract seeds §3), with whole answers. Beside each story stands the row of the contract's
//! table that it proves.

mod access;
mod address;
mod attacks;
mod directory;
mod fields;
mod password;
mod people;
mod refusals;
mod sign_in;

use cognate::pool::{Client, NewGroup, NewUser, Surface};
use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp};

pub const NEW: &str = "another long password";
pub const SUCCESS: (u16, &str) = (200, r#"{"success":true}"#);

/// A call without a token.
pub async fn call(app: &TestApp, operation: &str, body: Value) -> Answer {
    app.post(&format!("/api/account/{operation}"), body).await
}

/// A call with a token.
pub async fn call_as(app: &TestApp, token: &str, operation: &str, body: Value) -> Answer {
    app.request(app.to("POST", &format!("/api/account/{operation}")).bearer_auth(token).json(&body)).await
}

pub async fn login(app: &TestApp, user: &str, password: &str) -> Answer {
    call(app, "login", json!({ "user": user, "password": password })).await
}

/// An access token of somebody with [`PASSWORD`].
pub async fn token_of(app: &TestApp, user: &str) -> String {
    let answer = login(app, user, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.field("access_token")
}

/// A user with [`PASSWORD`] and the address NAME@example.test, signed in: the access token.
pub async fn signed_in(app: &TestApp, name: &str) -> String {
    app.user(name).await;
    token_of(app, name).await
}

/// An access token of an administrator.
pub async fn admin(app: &TestApp) -> String {
    group(app, "admin").await;
    let groups = vec!["admin".to_owned()];
    app.pool().create_user(NewUser { groups, ..NewUser::new("root", PASSWORD) }).await.unwrap();
    token_of(app, "root").await
}

pub async fn group(app: &TestApp, name: &str) {
    let draft = NewGroup { name: name.to_owned(), ..cognate::pool::NewGroup::default() };
    app.pool().create_group(draft).await.unwrap();
}

/// The client that the API speaks for.
pub fn client(app: &TestApp) -> Client {
    app.api.pools.surface(Surface::Astera).unwrap().1
}

pub async fn public_id(app: &TestApp, name: &str) -> i64 {
    let pool = app.pool();
    pool.public_id(&pool.find_user(name).await.unwrap())
}

/// The token in the one mail that waits: on a line of its own, or at the end of a link.
pub async fn mailed_token(app: &TestApp) -> String {
    let mail = app.mail().await;
    let is_token =
        |text: &&str| text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    mail.lines().filter_map(|line| line.trim().rsplit('=').next()).find(is_token).unwrap().to_owned()
}

/// Asks for a reset: the mailed token.
pub async fn reset_token(app: &TestApp, name: &str) -> String {
    assert_eq!(call(app, "forgotpassword", json!({ "user": name })).await.whole(), SUCCESS);
    mailed_token(app).await
}

/// Asks for another address: the mailed token.
pub async fn email_token(app: &TestApp, token: &str, address: &str) -> String {
    assert_eq!(call_as(app, token, "requestemailchange", json!({ "newEmail": address })).await.whole(), SUCCESS);
    mailed_token(app).await
}

/// Registers a user by an administrator: the code in the mailed link.
pub async fn registered(app: &TestApp, admin: &str, name: &str) -> String {
    let body = json!({ "user": name, "email": format!("{name}@example.test"), "password": PASSWORD });
    assert_eq!(call_as(app, admin, "register", body).await.status, 200);
    mailed_token(app).await
}

/// That the answer is this refusal, whole.
#[track_caller]
pub fn assert_refused(answer: &Answer, status: u16, title: &str, detail: &str) {
    let detail = serde_json::to_string(detail).unwrap();
    let whole =
        format!(r#"{{"type":"about:blank","title":"{title}","status":{status},"detail":{detail},"message":{detail}}}"#);
    assert_eq!(answer.whole(), (status, whole.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    let wait = answer.header("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
    assert_eq!(wait.is_some_and(|seconds| seconds >= 1), [429, 503].contains(&status));
}

#[track_caller]
pub fn assert_bad(answer: &Answer, detail: &str) {
    assert_refused(answer, 400, "Bad Request", detail);
}

#[track_caller]
pub fn assert_unauthorized(answer: &Answer, detail: &str) {
    assert_refused(answer, 401, "Unauthorized", detail);
}

#[track_caller]
pub fn assert_forbidden(answer: &Answer, detail: &str) {
    assert_refused(answer, 403, "Forbidden", detail);
}

pub const WRONG: &str = "Incorrect username or password.";
pub const LINK: &str = "The link is invalid or has expired.";
pub const NO_TOKEN: &str = "A bearer token is required.";
