//! Triggers as webhooks (contract cognito (j)): when each is called, with what, and what its answer does.

mod beginnings;
mod configuration;
mod custom_auth;
mod custom_factor;
mod custom_message;
mod dialects;
mod migration;
pub mod server;
mod sign_in;
mod sign_up;
mod tokens;

use cognate::pool::NewUser;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

/// Without a space, which Cognito's model does not allow.
const PASSWORD: &str = "correct-horse-battery";

/// A call through the app client of the first pool.
async fn call(app: &TestApp, operation: &str, rest: Value) -> Answer {
    let mut body = json!({ "ClientId": app.client().id });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito(operation, body).await
}

/// An administrator's call about the first pool.
async fn admin(app: &TestApp, operation: &str, rest: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id() });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito_admin(operation, body).await
}

/// Name and message of a Cognito exception.
fn refused(answer: &Answer) -> String {
    let body = answer.json();
    assert_eq!((answer.status, body.as_object().unwrap().len()), (400, 2), "{}", answer.text);
    format!("{}: {}", body["__type"].as_str().unwrap(), body["message"].as_str().unwrap())
}

/// A confirmed user with the address NAME@example.test.
async fn user(app: &TestApp, name: &str) {
    let email = Some(format!("{name}@example.test"));
    app.pool().create_user(NewUser { email, ..NewUser::new(name, PASSWORD) }).await.unwrap();
}

/// A sign-in with a password, which says something to the triggers.
async fn sign_in(app: &TestApp, name: &str, password: &str) -> Answer {
    let given = json!({ "USERNAME": name, "PASSWORD": password });
    let body = json!({
        "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given, "ClientMetadata": { "said": "at first" }
    });
    call(app, "InitiateAuth", body).await
}

fn result(answer: &Answer, name: &str) -> String {
    let body = answer.json();
    body["AuthenticationResult"][name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned()
}
