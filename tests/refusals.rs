//! Every refusal in the words of every operation of `/v1` that can meet it. Each is met for real: a call that would
//! succeed is prepared, something happens, and the call is made.

mod table;

use std::collections::BTreeSet;

use cognate::config::Secret;
use cognate::error::Error;
use cognate::pool::NewUser;
use cognate::pool::client::Rotation;
use cognate::pool::settings::{MfaMode, MfaRules};
use cognate::store::directory::UserStatus;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::app::{Answer, PASSWORD, TestApp};
use crate::servers::redis::Server;
use table::{CONFIRM, FORGOT, LOGIN, NEW, REFRESH, REVOKE, TABLE, every_refusal, is_met};

#[test]
fn every_refusal_that_can_be_met_has_its_row() {
    let met: BTreeSet<&str> = every_refusal().iter().filter(|error| is_met(error)).map(Error::label).collect();
    let labels: BTreeSet<&str> = every_refusal().iter().map(Error::label).collect();
    assert_eq!(labels.len(), every_refusal().len());
    assert_eq!(met, TABLE.iter().map(|row| row.0).collect());
    let rows: BTreeSet<(&str, &str)> = TABLE.iter().map(|row| (row.0, row.1)).collect();
    assert_eq!(rows.len(), TABLE.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_says_no_in_its_own_words() {
    let refusals: BTreeSet<&str> = TABLE.iter().map(|row| row.0).collect();
    for refusal in refusals {
        let rows: Vec<_> = TABLE.iter().filter(|row| row.0 == refusal).collect();
        let mut stage = Stage::start().await;
        let mut calls = Vec::new();
        for (_, operation, ..) in &rows {
            calls.push(stage.prepare(operation).await);
        }
        for call in &mut calls {
            stage.disturb(refusal, call).await;
        }
        stage.disturb_all(refusal).await;
        for ((_, operation, status, message), call) in rows.iter().zip(&calls) {
            let before = stage.count(refusal, operation);
            let answer = stage.app.post(&call.path, call.body.clone()).await;
            let whole = format!(r#"{{"status":{status},"message":"{message}"}}"#);
            assert_eq!(answer.whole(), (*status, whole.as_str()), "{refusal} {operation}");
            assert!(stage.count(refusal, operation) > before, "{operation} did not meet {refusal}");
            assert_headers(&answer, operation);
        }
    }
}

fn assert_headers(answer: &Answer, operation: &str) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{operation}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{operation}");
    let wait = answer.header("retry-after").map(|seconds| seconds.parse::<u32>().unwrap());
    assert_eq!(wait.is_some_and(|seconds| seconds >= 1), [429, 503].contains(&answer.status), "{operation}");
}

/// A call that would succeed.
struct Call {
    /// Whose it is: the operation's name.
    name: String,
    path: String,
    body: Value,
}

struct Stage {
    app: TestApp,
    redis: Server,
}

impl Stage {
    async fn start() -> Self {
        let redis = tokio::task::block_in_place(|| Server::start(&[]));
        let url = redis.url();
        let app = TestApp::start_with(|config| {
            config.tokens.url = Secret::new(url);
            config.limits.source_failures = 20;
        });
        Self { app: app.await, redis }
    }

    /// How often this refusal was measured: many say the same to the caller.
    fn count(&self, refusal: &str, operation: &str) -> u64 {
        let measured = self.app.api.measurements.render();
        let is_it = |line: &&str| {
            line.starts_with("cognate_http_requests_total")
                && line.contains(&format!(r#"operation="{operation}""#))
                && line.contains(&format!(r#"outcome="{refusal}""#))
        };
        let counts = measured.lines().filter(is_it).map(|line| line.rsplit_once(' ').unwrap().1);
        counts.map(|count| count.parse::<u64>().unwrap()).sum()
    }

    async fn prepare(&self, operation: &str) -> Call {
        let (app, name) = (&self.app, operation);
        let temporary = operation == NEW;
        let email = Some(format!("{name}@example.test"));
        app.pool().create_user(NewUser { email, temporary, ..NewUser::new(name, PASSWORD) }).await.unwrap();
        let proposed = "another long password";
        let body = match operation {
            LOGIN => json!({ "username": name, "password": PASSWORD }),
            FORGOT => json!({ "username": name }),
            CONFIRM => {
                assert_eq!(app.forgot(name).await.status, 204);
                json!({ "username": name, "password": proposed, "confirmation_code": app.mailed_code().await })
            }
            NEW => {
                let session = app.login(name, PASSWORD).await.field("session");
                json!({ "username": name, "session": session, "new_password": proposed })
            }
            signed_in => {
                let tokens = app.login(name, PASSWORD).await;
                let (access, refresh) = (tokens.field("access_token"), tokens.field("refresh_token"));
                match signed_in {
                    REFRESH => json!({ "username": name, "refresh_token": refresh }),
                    REVOKE => json!({ "refresh_token": refresh }),
                    _ => {
                        json!({ "access_token": access, "previous_password": PASSWORD, "proposed_password": proposed })
                    }
                }
            }
        };
        Call { name: name.to_owned(), path: format!("/v1/{operation}"), body }
    }

    /// What happens to one call or its user.
    async fn disturb(&self, refusal: &str, call: &mut Call) {
        let (app, pool) = (&self.app, self.app.pool());
        let keys: Vec<String> = call.body.as_object().unwrap().keys().cloned().collect();
        let set = |call: &mut Call, names: &[&str], value: &str| {
            keys.iter().filter(|key| names.contains(&key.as_str())).for_each(|key| call.body[key] = json!(value));
        };
        let tokens = ["refresh_token", "access_token"];
        match refusal {
            "invalid_parameter" => {
                let missing = ["confirmation_code", "access_token", "refresh_token", "session", "password", "username"];
                let missing = missing.into_iter().find(|name| keys.iter().any(|key| key == name)).unwrap();
                call.body.as_object_mut().unwrap().remove(missing);
            }
            "not_authorized" => set(call, &["password", "previous_password"], "not the password"),
            "invalid_password" => set(call, &["password", "proposed_password", "new_password"], "iloveyou"),
            "password_used" => set(call, &["password", "proposed_password", "new_password"], PASSWORD),
            "challenge_invalid" => set(call, &["session"], "no session"),
            "token_invalid" => set(call, &tokens, "no token"),
            "code_mismatch" | "code_expired" => set(call, &["confirmation_code"], "no code"),
            "user_not_found" => set(call, &["username"], "nobody"),
            "user_disabled" => pool.disable_user(&call.name).await.unwrap(),
            "user_not_confirmed" => self.put(&call.name, UserStatus::Unconfirmed).await,
            "password_reset_required" => self.put(&call.name, UserStatus::ResetRequired).await,
            "reset_not_allowed" => self.put(&call.name, UserStatus::ForceChangePassword).await,
            "temporary_password_expired" => pool.set_password(&call.name, PASSWORD, true).await.unwrap(),
            "no_verified_address" => {
                self.sql("UPDATE users SET email = NULL, email_key = NULL, email_verified = 0").await
            }
            "token_revoked" => {
                let sub = pool.find_user(&call.name).await.unwrap().sub;
                assert_eq!(app.api.ports.tokens.end_sessions_of(pool.id(), sub, None).await.unwrap(), 1);
            }
            "token_reused" => {
                app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 0 })).await;
                let mut token = call.body["refresh_token"].as_str().unwrap().to_owned();
                for _ in 0..2 {
                    app.clock.advance_seconds(1);
                    token = app.refresh(&call.name, &token).await.field("refresh_token");
                }
                app.clock.advance_seconds(1);
            }
            "challenge_used" => assert_eq!(app.post(&call.path, call.body.clone()).await.status, 200),
            "limit_exceeded" => {
                let token = call.body["refresh_token"].as_str().unwrap();
                for _ in 0..90 {
                    assert_eq!(app.refresh(&call.name, token).await.status, 200);
                }
            }
            _ => {}
        }
    }

    /// What happens to everybody.
    async fn disturb_all(&mut self, refusal: &str) {
        let shows_existence = [
            "user_not_found",
            "user_not_confirmed",
            "user_disabled",
            "no_verified_address",
            "reset_not_allowed",
            "code_expired",
        ];
        if shows_existence.contains(&refusal) {
            self.app.change_pool(|pool| pool.hide_user_existence = false).await;
        }
        match refusal {
            "password_used" => self.app.change_pool(|pool| pool.password_history = 1).await,
            "code_expired" => self.app.clock.advance_seconds(600),
            "challenge_expired" => self.app.clock.advance_seconds(900),
            "factor_required" => {
                let rules = MfaRules { mode: MfaMode::On, software_token: true, ..MfaRules::default() };
                self.app.change_pool(|pool| pool.mfa = rules).await;
            }
            "token_expired" => self.app.clock.advance_seconds(86_400),
            "temporary_password_expired" => self.app.clock.advance_seconds(7 * 86_400),
            "too_many_requests" => {
                for number in 0..25 {
                    self.app.login(&format!("nobody-{number}"), "guess").await;
                }
            }
            // What is read was changed meanwhile, every time.
            "conflict" => {
                self.sql("CREATE TRIGGER busy BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END").await;
            }
            "unavailable" => tokio::task::block_in_place(|| self.redis.kill()),
            "internal" => self.sql("UPDATE users SET status = 'nothing'").await,
            _ => {}
        }
    }

    async fn put(&self, name: &str, status: UserStatus) {
        let mut user = self.app.pool().find_user(name).await.unwrap();
        user.status = status;
        self.app.api.ports.directory.update_user(&user).await.unwrap();
    }

    /// What no verb does, done to the file itself.
    async fn sql(&self, text: &'static str) {
        let url = format!("sqlite://{}", self.app.config.data.join("cognate.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_reset_that_met_a_conflict_succeeds_when_it_is_repeated() {
    let stage = Stage { app: TestApp::start().await, redis: Server::stopped(&[]) };
    let call = stage.prepare(CONFIRM).await;
    for number in 0..4 {
        let body =
            json!({ "username": call.name, "password": "x".repeat(20), "confirmation_code": format!("{number}") });
        assert_eq!(stage.app.post(&call.path, body).await.status, 401);
    }
    stage.sql("CREATE TRIGGER busy BEFORE UPDATE ON users BEGIN SELECT RAISE(IGNORE); END").await;
    for _ in 0..2 {
        assert_eq!(stage.app.post(&call.path, call.body.clone()).await.status, 503);
    }
    stage.sql("DROP TRIGGER busy").await;
    assert_eq!(stage.app.post(&call.path, call.body.clone()).await.whole(), (204, ""));
}
