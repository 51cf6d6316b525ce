//! Users and groups over the Cognito API (contract cognito (g), (h)).

mod admin_users;
mod history;
mod lists;
mod messages;
mod numbers;
mod own;
mod pending;
mod recovery;
mod registration;
mod text_limits;
mod texts;

use cognate::pool::NewUser;

use crate::app::{Answer, TestApp};
use crate::servers::gateway::Gateway;

/// Without a space, which Cognito's model does not allow.
const PASSWORD: &str = "correct-horse-battery";

/// A confirmed user with the address NAME@example.test.
async fn user(app: &TestApp, name: &str) {
    let email = Some(format!("{name}@example.test"));
    app.pool().create_user(NewUser { email, ..NewUser::new(name, PASSWORD) }).await.unwrap();
}

/// The same, signed in.
async fn signed_in(app: &TestApp, name: &str) -> Answer {
    user(app, name).await;
    let answer = app.login(name, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// Name and message of a Cognito exception.
fn refused(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!((answer.status, body.as_object().unwrap().len()), (400, 2), "{}", answer.text);
    format!("{}: {}", body["__type"].as_str().unwrap(), body["message"].as_str().unwrap())
}

/// The code of six digits in the one mail there is.
fn code_in(mails: &[String]) -> String {
    let [mail] = mails else { panic!("{} mails", mails.len()) };
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.lines().map(str::trim).find(is_code).unwrap().to_owned()
}

/// The temporary password in the one mail there is.
fn password_in(mails: &[String]) -> String {
    let [mail] = mails else { panic!("{} mails", mails.len()) };
    let is_password = |line: &&str| line.len() == 20 && !line.contains(' ');
    mail.lines().map(str::trim).find(is_password).unwrap().to_owned()
}

const NUMBER: &str = "+12065559934";

/// The text messages that wait, each with whom it goes to.
async fn texts(app: &TestApp) -> Vec<(String, String)> {
    app.api.pools.outbox().unwrap().deliver_due().await.unwrap();
    let of = |message: &serde_json::Value, name: &str| message[name].as_str().unwrap().to_owned();
    Gateway::in_use(&app.config).messages().iter().map(|message| (of(message, "to"), of(message, "text"))).collect()
}

/// The code of six digits in the one text message that waits, which goes to this number.
async fn texted(app: &TestApp, number: &str) -> String {
    let texts = texts(app).await;
    let [(to, text)] = texts.as_slice() else { panic!("{texts:?}") };
    assert_eq!(to, number);
    let mut words = text.split(|letter: char| !letter.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap().to_owned()
}

/// Gives a user a number that an administrator vouches for.
async fn give_number(app: &TestApp, name: &str, number: &str) {
    let values = [("phone_number", number), ("phone_number_verified", "true")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.pool().update_attributes(name, &values).await.unwrap();
}

/// Another code than this one.
fn other(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}
