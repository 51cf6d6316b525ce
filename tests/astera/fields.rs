//! How a call may be written: paths and names in any case, JSON or form, and what is refused before it means anything.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    SUCCESS, WRONG, admin, assert_bad, assert_refused, assert_unauthorized, call, call_as, group, public_id, signed_in,
};
use crate::app::{Answer, PASSWORD, TestApp, story};

/// A body that is not written by a library.
async fn raw(app: &TestApp, operation: &str, content_type: &str, body: &str) -> Answer {
    let request = app.to("POST", &format!("/api/account/{operation}")).header("content-type", content_type);
    app.request(request.body(body.to_owned())).await
}

story!(paths_and_names_are_known_in_any_case);
async fn paths_and_names_are_known_in_any_case(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    for path in ["/api/account/login", "/API/Account/LOGIN", "/api/account/Login/", "/Api/ACCOUNT/login"] {
        for body in [
            json!({ "user": "alice", "password": PASSWORD, "rememberMe": true }),
            json!({ "USER": "alice", "Password": PASSWORD, "rememberme": 1 }),
            json!({ "User": "alice", "PASSWORD": PASSWORD, "RememberMe": "true", "another": {} }),
        ] {
            let answer = app.post(path, body).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.text);
            assert!(answer.json()["refresh_token"].is_string());
        }
    }
    for path in ["/api/account/CheckAccess", "/API/ACCOUNT/CHECKACCESS/"] {
        assert_eq!(app.request(app.to("GET", path).bearer_auth(&token)).await.status, 200, "{path}");
    }
}

// D14
story!(two_names_that_differ_only_in_case_are_refused);
async fn two_names_that_differ_only_in_case_are_refused(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let twice = "user must not be given twice.";
    for body in [
        format!(r#"{{"user":"alice","USER":"bob","password":"{PASSWORD}"}}"#),
        format!(r#"{{"User":"alice","password":"{PASSWORD}","user":"alice"}}"#),
        format!(r#"{{"user":"alice","user":"alice","password":"{PASSWORD}"}}"#),
    ] {
        assert_bad(&raw(&app, "login", "application/json", &body).await, twice);
    }
    let form = "application/x-www-form-urlencoded";
    assert_bad(&raw(&app, "login", form, "user=alice&User=bob&password=x").await, twice);
    let body = format!(r#"{{"user":"alice","password":"guess","PASSWORD":"{PASSWORD}"}}"#);
    assert_bad(&raw(&app, "login", "application/json", &body).await, "password must not be given twice.");
    // In lower case the Kelvin sign is a k, so it makes a twin as well.
    let kelvin = format!("{{\"user\":\"alice\",\"password\":\"{PASSWORD}\",\"to\u{212a}en\":1,\"token\":2}}");
    assert_bad(&raw(&app, "login", "application/json", &kelvin).await, "token must not be given twice.");
}

story!(forms_say_the_same_as_json);
async fn forms_say_the_same_as_json(app: TestApp) {
    let token = admin(&app).await;
    group(&app, "editors").await;
    let fields = [("user", "carol"), ("email", "carol@example.test"), ("password", PASSWORD), ("roles", "editors")];
    let answer = app.request(app.to("POST", "/api/account/register").bearer_auth(&token).form(&fields)).await;
    let id = public_id(&app, "carol").await;
    let whole = format!(r#"{{"success":true,"id":{id},"user":"carol","email":"carol@example.test"}}"#);
    assert_eq!(answer.whole(), (200, whole.as_str()));
    for (flag, remembers) in [("true", true), ("1", true), ("false", false), ("0", false)] {
        let fields = [("USER", "carol"), ("password", PASSWORD), ("rememberMe", flag)];
        let answer = app.request(app.to("POST", "/api/account/login").form(&fields)).await.json();
        assert_eq!(answer["refresh_token"].is_string(), remembers, "{flag}");
        assert_eq!(answer["user"]["roles"], json!(["editors"]));
    }
    let charset = raw(&app, "checkaccess", "text/plain", "whatever").await;
    assert_unauthorized(&charset, super::NO_TOKEN);
}

story!(what_is_no_object_of_fields_is_refused);
async fn what_is_no_object_of_fields_is_refused(app: TestApp) {
    let not_json = "The body is not valid JSON.";
    for body in ["nope", "{", r#"{"token":"x""#, "{} {}"] {
        assert_bad(&raw(&app, "verifyresettoken", "application/json", body).await, not_json);
    }
    for body in ["[]", "null", "7", r#"["a","b"]"#] {
        let detail = "The body must be an object of JSON fields.";
        assert_bad(&raw(&app, "verifyresettoken", "application/json", body).await, detail);
    }
    let deep = format!(r#"{{"token":{}"#, "[".repeat(30_000));
    assert_eq!(raw(&app, "verifyresettoken", "application/json", &deep).await.status, 400);
    assert_bad(&raw(&app, "verifyresettoken", "application/json", "").await, "token is required.");
    let type_detail = "The content type must be application/json or application/x-www-form-urlencoded.";
    for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""] {
        let answer = raw(&app, "verifyresettoken", content_type, r#"{"token":"x"}"#).await;
        assert_refused(&answer, 415, "Unsupported Media Type", type_detail);
    }
}

// H04, R26
story!(a_body_over_64_kib_is_refused_as_a_problem);
async fn a_body_over_64_kib_is_refused_as_a_problem(app: TestApp) {
    let body = |length: usize| format!(r#"{{"token":"{}"}}"#, "x".repeat(length - 12));
    let fits = raw(&app, "verifyresettoken", "application/json", &body(65_536)).await;
    assert_bad(&fits, "token must have at most 4096 characters.");
    let answer = raw(&app, "verifyresettoken", "application/json", &body(65_537)).await;
    assert_refused(&answer, 413, "Payload Too Large", "The body is too large.");
}

// H03
story!(a_body_that_does_not_arrive_is_refused_as_a_problem, |config| config.http.body_timeout =
    cognate::config::Period::milliseconds(200));
async fn a_body_that_does_not_arrive_is_refused_as_a_problem(app: TestApp) {
    let mut stream = tokio::net::TcpStream::connect(app.config.http.listen).await.unwrap();
    let half = b"POST /api/account/logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    stream.write_all(half).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("\r\ncontent-type: application/problem+json\r\n"), "{answer}");
    let whole = r#"{"type":"about:blank","title":"Request Timeout","status":408,"detail":"The body did not arrive in time.","message":"The body did not arrive in time."}"#;
    assert!(answer.ends_with(whole), "{answer}");
}

story!(astera_alone_answers_the_shared_paths_where_it_is_alone, |config| {
    config.compat.account = cognate::config::AccountApi::Astera;
});
async fn astera_alone_answers_the_shared_paths_where_it_is_alone(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    for (operation, detail) in [("login", "user is required."), ("forgotpassword", "user is required.")] {
        assert_bad(&call(&app, operation, json!({})).await, detail);
        assert_bad(&call(&app, operation, json!({ "email": "alice@example.test" })).await, detail);
    }
    assert_bad(&call_as(&app, &token, "changepassword", json!({})).await, "currentPassword is required.");
    assert_unauthorized(&call(&app, "register", json!({})).await, super::NO_TOKEN);
    assert_unauthorized(&call(&app, "login", json!({ "user": "alice", "password": "x" })).await, WRONG);
    let verify = app.get("/api/account/verify?token=x").await;
    assert_eq!(verify.status, 404);
    assert_eq!(call_as(&app, &token, "logout", json!({})).await.whole(), SUCCESS);
}

story!(where_pm415_is_alone_astera_has_no_path, |config| {
    config.compat.account = cognate::config::AccountApi::Pm415;
});
async fn where_pm415_is_alone_astera_has_no_path(app: TestApp) {
    app.user("alice").await;
    for operation in ["logout", "checkaccess", "resetpassword", "loginaduser", "registeraduser", "changeemail"] {
        assert_eq!(call(&app, operation, json!({})).await.status, 404, "{operation}");
    }
    assert_eq!(call(&app, "login", json!({ "user": "alice", "password": PASSWORD })).await.status, 400);
}
