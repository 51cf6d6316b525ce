//! Signing in over the Amazon Cognito API: every flow, every refusal in its words (contract cognito (c) to (f)).

mod choice;
mod devices;
mod email_mfa;
mod email_setup;
mod hidden;
mod mfa;
mod new_password;
mod password;
mod refresh;
mod registered;
mod renamed;
mod secret;
mod sms;
mod srp;
pub mod srp_client;

use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

/// Calls an operation.
async fn call(app: &TestApp, operation: &str, body: Value) -> Answer {
    let request = app
        .to("POST", "/")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    app.request(request).await
}

/// Begins a sign-in by the client that `/v1` speaks for.
async fn initiate(app: &TestApp, flow: &str, parameters: Value) -> Answer {
    let body = json!({ "ClientId": app.client().id, "AuthFlow": flow, "AuthParameters": parameters });
    call(app, "InitiateAuth", body).await
}

async fn sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    initiate(app, "USER_PASSWORD_AUTH", json!({ "USERNAME": username, "PASSWORD": password })).await
}

/// Answers a challenge.
async fn respond(app: &TestApp, challenge: &str, session: Option<&str>, responses: Value) -> Answer {
    let body = json!({
        "ClientId": app.client().id, "ChallengeName": challenge, "Session": session, "ChallengeResponses": responses
    });
    call(app, "RespondToAuthChallenge", body).await
}

/// What a 400 says.
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, 400, "{}", answer.text);
    format!("{}: {}", answer.field("__type"), answer.field("message"))
}

fn result(answer: &Answer, name: &str) -> String {
    let body = answer.json();
    body["AuthenticationResult"][name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned()
}

const WRONG: &str = "NotAuthorizedException: Incorrect username or password.";
const NO_SESSION: &str = "NotAuthorizedException: Invalid session for the user.";
const USED: &str = "NotAuthorizedException: Invalid session for the user, session can only be used once.";
const EXPIRED: &str = "NotAuthorizedException: Invalid session for the user, session is expired.";
const WRONG_CODE: &str = "CodeMismatchException: Invalid code or auth state for the user.";

/// The code of so many digits in the one mail that is waiting.
async fn mailed(app: &TestApp, digits: usize) -> String {
    let mail = app.mail().await;
    let is_code = |line: &&str| line.len() == digits && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in {mail}")).to_owned()
}
