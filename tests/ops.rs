//! Running it: what liveness, readiness and measurements say, when a store is missing and when the end is near.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cognate::config::{Period, Secret};
use serde_json::json;

use crate::app::{Deployment, PASSWORD, TestApp, story};
use crate::servers::postgres::Postgres;
use crate::servers::redis::Server;

const LATER: (u16, &str) = (503, r#"{"status":503,"message":"Service is temporarily unavailable, please try again."}"#);

fn state(directory: &str, tokens: &str, pools: &str) -> serde_json::Value {
    let ready = [directory, tokens, pools] == ["ok"; 3];
    json!({ "ready": ready, "draining": false, "directory": directory, "tokens": tokens, "pools": pools })
}

/// Waits as the background work does: it reads the pools again and again.
async fn until_ready(app: &TestApp) {
    for _ in 0..200 {
        let _ = app.api.pools.reload().await;
        if app.get("/readyz").await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not ready in 10 s");
}

story!(a_running_service_is_alive_and_ready);
async fn a_running_service_is_alive_and_ready(app: TestApp) {
    for replica in app.replicas() {
        assert_eq!(replica.get("/livez").await.whole(), (200, r#"{"status":"ok"}"#));
        let ready = replica.get("/readyz").await;
        assert_eq!((ready.status, ready.json()), (200, state("ok", "ok", "ok")));
    }
}

// R27: the rest of it, signals and an empty listener, is a test of the built binary.
story!(a_draining_service_says_so_and_closes_its_connections_while_it_still_answers);
async fn a_draining_service_says_so_and_closes_its_connections_while_it_still_answers(app: TestApp) {
    app.user("alice").await;
    assert_eq!(app.login("alice", PASSWORD).await.header("connection"), None);
    app.replicas().for_each(|replica| replica.api.draining.store(true, Ordering::Relaxed));
    for _ in app.replicas() {
        let ready = app.get("/readyz").await;
        let whole = json!({ "ready": false, "draining": true, "directory": "ok", "tokens": "ok", "pools": "ok" });
        assert_eq!((ready.status, ready.json()), (503, whole));
        assert_eq!(app.get("/livez").await.whole(), (200, r#"{"status":"ok"}"#));
        let login = app.login("alice", PASSWORD).await;
        assert_eq!(login.status, 200);
        for answer in [ready, login, app.get("/nothing").await] {
            assert_eq!(answer.header("connection"), Some("close"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn without_the_token_store_the_service_says_what_is_missing_and_loses_nothing() {
    let mut redis = Server::start(&["--appendonly", "yes"]);
    let url = redis.url();
    let app = TestApp::start_with(|config| config.tokens.url = Secret::new(url)).await;
    let token = app.signed_in("alice").await.field("refresh_token");
    let jwks = app.get(&format!("/{}/.well-known/jwks.json", app.pool().id())).await.text;
    redis.kill();
    let missing = app.get("/readyz").await;
    assert_eq!((missing.status, missing.json()), (503, state("ok", "unavailable", "ok")));
    assert_eq!(app.get("/livez").await.status, 200);
    for answer in [app.refresh("alice", &token).await, app.login("alice", PASSWORD).await, app.revoke(&token).await] {
        assert_eq!(answer.whole(), LATER);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // Who verifies tokens does not notice.
    let during = app.get(&format!("/{}/.well-known/jwks.json", app.pool().id())).await;
    assert_eq!(during.whole(), (200, jwks.as_str()));
    redis.up();
    until_ready(&app).await;
    // What was to be revoked when nothing answered is dead all the same: the Directory had it first.
    assert_eq!(app.refresh("alice", &token).await.status, 401);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_service_that_starts_before_its_directory_waits_for_it() {
    let mut postgres = tokio::task::spawn_blocking(Postgres::start).await.unwrap();
    let url = postgres.database().await;
    postgres.kill();
    let start = TestApp::start_on(Deployment::Embedded, |config| {
        config.directory.url = Some(Secret::new(url));
        config.directory.timeout = Period::seconds(2);
        config.master_key = Some(Secret::new("SZbbDRHBrTAHLQ6EXwQbTxCzXQfkVKBBwqmlc1BNR/8="));
    });
    let app = start.await;
    let missing = app.get("/readyz").await;
    assert_eq!((missing.status, missing.json()), (503, state("unavailable", "unavailable", "unavailable")));
    let answer = app.login("alice", PASSWORD).await;
    assert_eq!((answer.whole(), answer.header("retry-after")), (LATER, Some("1")));
    assert_eq!(app.get("/us-east-1_Something/.well-known/jwks.json").await.whole(), LATER);
    let restarted = tokio::task::spawn_blocking(move || {
        postgres.restart();
        postgres
    });
    let _alive = restarted.await.unwrap();
    until_ready(&app).await;
    app.signed_in("alice").await;
}

story!(two_replicas_that_start_together_make_one_deployment);
async fn two_replicas_that_start_together_make_one_deployment(app: TestApp) {
    let (one, other) = tokio::join!(app.replica(), app.replica());
    assert_eq!(one.pool().id(), other.pool().id());
    assert_eq!(one.client().id, other.client().id);
    let (first, second) = tokio::join!(one.api.pools.first_admin(), other.api.pools.first_admin());
    assert_eq!([first, second].into_iter().filter(|admin| admin.as_ref().unwrap().is_some()).count(), 1);
}

#[test]
fn every_series_that_is_described_is_counted_somewhere() {
    let mut text = String::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                text += &std::fs::read_to_string(entry).unwrap();
            }
        }
    }
    let described = ["describe_counter", "describe_gauge", "describe_histogram"];
    assert!(described.iter().all(|macro_name| text.contains(macro_name)), "telemetry describes every series");
    let names: std::collections::BTreeSet<&str> = text
        .split('"')
        .filter(|word| {
            word.starts_with("cognate_") && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
        .collect();
    for name in names {
        assert!(text.matches(&format!("\"{name}\"")).count() >= 2, "{name} is described or counted, not both");
    }
}

story!(a_signing_key_is_measured_in_the_state_it_is_in_and_no_longer_than_it_is_there, |config| {
    config.pm415.access_token = cognate::config::Period::hours(24);
});
async fn a_signing_key_is_measured_in_the_state_it_is_in_and_no_longer_than_it_is_there(app: TestApp) {
    let pool = app.pool().id().to_owned();
    let measured = async || {
        let text = app.get("/metrics").await.text;
        assert_eq!(text.matches("# TYPE cognate_signing_key_age_seconds gauge").count(), 1);
        let series = text.lines().filter(|line| line.starts_with("cognate_signing_key_age_seconds"));
        series.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let series = |kid: &str, state: &str, age: u64| {
        format!(r#"cognate_signing_key_age_seconds{{pool="{pool}",kid="{kid}",state="{state}"}} {age}"#)
    };
    let old = app.pool().keys()[0].kid.clone();
    assert_eq!(measured().await, [series(&old, "active", 0)].into());
    let new = app.api.pools.rotate_keys(&app.pool(), false).await.unwrap().kid;
    app.reload().await;
    assert_eq!(measured().await, [series(&old, "active", 0), series(&new, "published", 0)].into());
    app.clock.advance_seconds(3610);
    assert_eq!(measured().await, [series(&old, "retired", 3610), series(&new, "active", 3610)].into());
    app.clock.advance_seconds(2 * 86_400);
    app.reload().await;
    assert_eq!(measured().await, [series(&new, "active", 176_410)].into());
}

story!(every_kind_of_event_is_measured);
async fn every_kind_of_event_is_measured(app: TestApp) {
    let token = app.signed_in("alice").await.field("refresh_token");
    app.change_client(|client| client.rotation = Some(cognate::pool::client::Rotation { grace_seconds: 10 })).await;
    for _ in 0..2 {
        app.refresh("alice", &token).await;
    }
    for _ in 0..6 {
        app.login("alice", "guess").await;
    }
    app.revoke(&token).await;
    app.get("/nothing").await;
    app.forgot("alice").await;
    app.mailed_code().await;
    let answer = app.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let kid = &app.pool().keys()[0].kid;
    let age = format!(r#"cognate_signing_key_age_seconds{{pool="{}",kid="{kid}",state="active"}} 0"#, app.pool().id());
    for series in [
        r#"cognate_http_requests_total{dialect="v1",operation="login",status="200",outcome="ok"}"#,
        r#"cognate_http_requests_total{dialect="v1",operation="login",status="401",outcome="not_authorized"}"#,
        r#"cognate_http_requests_total{dialect="v1",operation="login",status="429",outcome="too_many_requests"}"#,
        r#"cognate_http_requests_total{dialect="v1",operation="token-revoke",status="204",outcome="ok"}"#,
        r#"cognate_http_requests_total{dialect="none",operation="unknown",status="404",outcome="refused"}"#,
        r#"cognate_http_request_duration_seconds_bucket{dialect="v1",operation="login",le="0.005"}"#,
        r#"cognate_tokens_issued_total{kind="access"}"#,
        r#"cognate_tokens_issued_total{kind="id"}"#,
        r#"cognate_refresh_retries_total{kind="in_grace"}"#,
        r#"cognate_sessions_ended_total{cause="revoked"}"#,
        r#"cognate_throttled_total{subject="account"}"#,
        r#"cognate_store_duration_seconds_bucket{store="directory",verb="session_owner",le="0.005"}"#,
        r#"cognate_store_duration_seconds_bucket{store="tokens",verb="refresh",le="0.005"}"#,
        r#"cognate_mails_total{result="delivered"}"#,
        "cognate_hash_queue 0",
        &age,
    ] {
        assert!(answer.text.lines().any(|line| line.starts_with(series)), "{series} in\n{}", answer.text);
    }
    for secret in ["alice", &token, &app.client().id] {
        assert!(!answer.text.contains(secret), "{secret} is nobody's business");
    }
}
