//! Users and groups over the Cognito API (contract cognito (g), (h)).

mod admin_users;
mod history;
mod lists;
mod messages;
mod own;
mod pending;
mod registration;

use cognate::pool::NewUser;

use crate::app::{Answer, TestApp};

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
