//! The pm415 account API, row by row of its contract (seeds §2), with whole bodies.

mod fields;
mod invitation;
mod login;
mod member;
mod refusals;
mod register;
mod reset;

use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp};

const EMAIL: &str = "ada@example.test";
const ORGANIZATION: &str = "Analytical Engines";
const NEW: &str = "another long password";

/// An error as every one is said: the status, its HTTP reason, and the text.
fn refusal(status: u16, reason: &str, message: &str) -> (u16, String) {
    let message = json!(message);
    (status, format!(r#"{{"statusCode":{status},"error":"{reason}","message":{message},"success":false}}"#))
}

fn bad_request(message: &str) -> (u16, String) {
    refusal(400, "Bad Request", message)
}

fn whole(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text.clone())
}

/// Somebody who registers an organization.
fn registration(email: &str, organization: &str) -> Value {
    json!({
        "email": email,
        "password": PASSWORD,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "confirmation": PASSWORD,
        "tosAccepted": "Y",
        "organization": organization,
    })
}

/// Somebody who registers with an invitation.
fn invited(email: &str, token: &str) -> Value {
    let mut body = registration(email, "");
    body.as_object_mut().unwrap().remove("organization");
    body["token"] = json!(token);
    body
}

/// The body with a field of another value.
fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// The body without a field.
fn without(mut body: Value, name: &str) -> Value {
    body.as_object_mut().unwrap().remove(name).unwrap();
    body
}

impl TestApp {
    async fn pm415(&self, operation: &str, body: Value) -> Answer {
        self.post(&format!("/api/account/{operation}"), body).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.pm415("login", json!({ "email": email, "password": password })).await
    }

    async fn verify(&self, token: &str) -> Answer {
        self.get(&format!("/api/account/verify?token={token}")).await
    }

    /// A call with `Authorization: Bearer`.
    pub async fn with_bearer(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let request = self.to(method, path).header("authorization", format!("Bearer {token}"));
        self.request(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// The token of the link to a page of the site, in the one mail that is waiting.
    async fn mailed_link(&self, page: &str) -> String {
        let mail = self.mail().await;
        let start = format!("{}/account/{page}/?token=", self.config.public_url());
        token_after(&mail, &start)
    }

    /// Somebody who has registered an organization and followed the link; his id.
    pub async fn registered(&self, email: &str, organization: &str) -> i64 {
        let answer = self.pm415("register", registration(email, organization)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = self.mailed_link("verify").await;
        let verified = self.verify(&token).await;
        assert_eq!(verified.json()["success"], true, "{}", verified.text);
        verified.json()["userId"].as_i64().unwrap()
    }

    /// The same, signed in; his token.
    pub async fn registered_and_in(&self, email: &str, organization: &str) -> String {
        self.registered(email, organization).await;
        let answer = self.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.field("token")
    }

    /// Number of the first organization of whoever holds the token.
    pub async fn organization_of(&self, token: &str) -> i64 {
        let answer = self.with_bearer("GET", "/api/user", token, None).await;
        answer.json()["organization"]["id"].as_i64().unwrap_or_else(|| panic!("{}", answer.text))
    }

    /// The token of an invitation for an address.
    pub async fn invitation(&self, admin: &str, organization: i64, email: &str) -> String {
        let path = format!("/api/org/{organization}/invitelink");
        let answer = self.with_bearer("POST", &path, admin, Some(json!({ "email": email }))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.field("confirmUrl").split_once("?token=").unwrap().1.to_owned()
    }

    async fn show_existence(&self) {
        self.change_pool(|pool| pool.hide_user_existence = false).await;
    }
}

fn token_after(mail: &str, start: &str) -> String {
    let (_, rest) = mail.split_once(start).unwrap_or_else(|| panic!("no {start} in {mail}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ['-', '_'].contains(c)).collect()
}
