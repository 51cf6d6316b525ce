//! What can befall any call: bodies without end, stores that are down, paths that nobody knows.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{EMAIL, ORGANIZATION, refusal, registration, whole};
use crate::app::{PASSWORD, TestApp, story};
use crate::servers::redis::Server;
use cognate::config::Secret;

async fn raw(app: &TestApp, request: &str) -> String {
    let mut connection = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

// H04
story!(a_body_over_64_kib_is_too_large);
async fn a_body_over_64_kib_is_too_large(app: TestApp) {
    for path in ["/api/account/login", "/api/account/register"] {
        let request = app.to("POST", path).header("content-type", "application/json");
        let answer = app.request(request.body(format!(r#"{{"email":"{}"}}"#, "x".repeat(65_536)))).await;
        assert_eq!(whole(&answer), refusal(413, "Payload Too Large", "The body is too large."), "{path}");
    }
}

// H03
story!(a_body_that_does_not_arrive_is_not_waited_for, |config| {
    config.http.body_timeout = cognate::config::Period::milliseconds(200);
});
async fn a_body_that_does_not_arrive_is_not_waited_for(app: TestApp) {
    let half =
        "POST /api/account/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    let answer = raw(&app, half).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.ends_with(&refusal(408, "Request Timeout", "The body did not arrive in time.").1), "{answer}");
}

story!(a_path_or_method_that_nobody_knows_is_not_found);
async fn a_path_or_method_that_nobody_knows_is_not_found(app: TestApp) {
    for (method, path) in [
        ("GET", "/api/account/login"),
        ("PUT", "/api/account/register"),
        ("DELETE", "/api/account/forgotpassword"),
        ("PATCH", "/api/account/changepassword"),
        ("POST", "/api/account/verify"),
        ("OPTIONS", "/api/account/login"),
        ("POST", "/api/account"),
        ("POST", "/api/account/nothing"),
        ("POST", "/api/account/login/x"),
        ("POST", "/api/account//login"),
        ("POST", "/api/account/login//"),
        ("POST", "/api/user"),
        ("DELETE", "/api/user/apikey"),
        ("GET", "/api/org/1/invitelink"),
        ("POST", "/api/org/invite"),
        ("GET", "/api/org"),
        ("GET", "/api/org/1"),
    ] {
        let answer = app.request(app.to(method, path)).await;
        assert_eq!(
            answer.whole(),
            (404, r#"{"statusCode":404,"error":"Not Found","message":"Not Found","success":false}"#),
            "{method} {path}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_is_a_503_for_every_operation() {
    let mut redis = tokio::task::block_in_place(|| Server::start(&[]));
    let url = redis.url();
    let app = TestApp::start_with(|config| config.tokens.url = Secret::new(url)).await;
    let token = app.registered_and_in(EMAIL, ORGANIZATION).await;
    tokio::task::block_in_place(|| redis.kill());
    let down = refusal(503, "Service Unavailable", "Service is temporarily unavailable, please try again.");
    for (operation, body) in [
        ("login", json!({ "email": EMAIL, "password": PASSWORD })),
        ("login", json!({ "email": EMAIL, "password": PASSWORD, "token": "x".repeat(43) })),
        ("forgotpassword", json!({ "email": EMAIL })),
        ("register", registration("eve@example.test", "Another")),
        ("changepassword", json!({ "token": "x".repeat(43), "password": PASSWORD, "confirmation": PASSWORD })),
    ] {
        let answer = app.pm415(operation, body).await;
        assert_eq!(whole(&answer), down, "{operation}");
        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let unread = "x".repeat(43);
    for path in [format!("/api/account/verify?token={unread}"), format!("/api/org/invite?token={unread}")] {
        assert_eq!(whole(&app.get(&path).await), down, "{path}");
    }
    for (method, path) in [("GET", "/api/user"), ("POST", "/api/user/apikey"), ("POST", "/api/org/1/invitelink")] {
        let answer = app.with_bearer(method, path, &token, Some(json!({ "email": EMAIL }))).await;
        assert_eq!(whole(&answer), down, "{method} {path}");
    }
}
