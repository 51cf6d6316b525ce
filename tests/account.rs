//! Who answers under `/api/account`: decided by the path and the names of the fields alone (contract seeds §5).

use cognate::config::AccountApi;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, story};

const PM415: &str = "application/json; charset=utf-8";
const ASTERA: &str = "application/problem+json";

/// What every case refuses, so that the type of the answer tells who said it.
async fn owner(app: &TestApp, path: &str, body: &Value) -> String {
    owner_of(&app.post(path, body.clone()).await)
}

fn owner_of(answer: &Answer) -> String {
    assert!((400..500).contains(&answer.status), "{}", answer.text);
    answer.header("content-type").unwrap().to_owned()
}

/// Bodies that the four shared paths refuse, and whose they are.
fn shared() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("login", json!({ "email": "", "password": "x" }), PM415),
        ("login", json!({ "user": "", "password": "x", "rememberMe": true }), ASTERA),
        ("login", json!({ "USER": "", "password": "x" }), ASTERA),
        ("login", json!({ "User": "", "email": "ada@example.test" }), ASTERA),
        ("login", json!({ "email": "", "rememberMe": true }), PM415),
        ("login", json!({ "username": "ada" }), PM415),
        ("login", json!({}), PM415),
        ("register", json!({ "email": "ada" }), PM415),
        ("register", json!({ "user": "", "email": "ada" }), ASTERA),
        ("forgotpassword", json!({ "email": "" }), PM415),
        ("forgotpassword", json!({ "user": "" }), ASTERA),
        ("changepassword", json!({ "token": "x", "password": "x" }), PM415),
        ("changepassword", json!({ "currentPassword": "x" }), ASTERA),
        ("changepassword", json!({ "OldPassword": "x" }), ASTERA),
        ("changepassword", json!({ "newpassword": "x", "token": "x" }), ASTERA),
        ("changepassword", json!({ "user": "x" }), PM415),
    ]
}

story!(the_fields_of_a_body_say_who_answers_on_a_shared_path);
async fn the_fields_of_a_body_say_who_answers_on_a_shared_path(app: TestApp) {
    for (path, body, expected) in shared() {
        assert_eq!(owner(&app, &format!("/api/account/{path}"), &body).await, expected, "{path} {body}");
        let form: Vec<(&str, &str)> = body
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or("1")))
            .collect();
        let answer = app.request(app.to("POST", &format!("/api/account/{path}")).form(&form)).await;
        assert_eq!(owner_of(&answer), expected, "{path} {body}, as a form");
    }
}

story!(paths_are_known_in_any_case_and_with_a_slash_more);
async fn paths_are_known_in_any_case_and_with_a_slash_more(app: TestApp) {
    for prefix in ["/api/account", "/API/Account", "/Api/ACCOUNT"] {
        for suffix in ["", "/", "?x=Y", "/?x=Y"] {
            for (path, body, expected) in shared() {
                let path: String = if suffix.is_empty() { path.to_uppercase() } else { path.replace('o', "O") };
                let path = format!("{prefix}/{path}{suffix}");
                assert_eq!(owner(&app, &path, &body).await, expected, "{path}");
            }
            let path = format!("{prefix}/VERIFY{suffix}");
            assert_eq!(app.get(&path).await.text, r#"{"success":false,"message":"Token is invalid or expired."}"#);
        }
    }
    // What an address carries besides its path keeps its case.
    let token = app.registered_and_in("ada@example.test", "Engines").await;
    let organization = app.organization_of(&token).await;
    let invitation = app.invitation(&token, organization, "eve@example.test").await;
    assert_eq!(app.get(&format!("/API/Org/INVITE/?token={invitation}")).await.status, 200);
    assert_eq!(app.with_bearer("GET", "/Api/User/", &token, None).await.status, 200);
    assert_eq!(app.with_bearer("POST", "/Api/User/ApiKey/", &token, None).await.status, 200);
}

story!(what_can_not_be_read_falls_to_pm415);
async fn what_can_not_be_read_falls_to_pm415(app: TestApp) {
    for operation in ["login", "register", "forgotpassword", "changepassword"] {
        let request = || app.to("POST", &format!("/api/account/{operation}"));
        for request in [
            request(),
            request().header("content-type", "application/json").body(r#"{"user":"ada""#),
            request().header("content-type", "application/json").body(r#"["user","newPassword"]"#),
            request().header("content-type", "text/plain").body(r#"{"user":"ada","newPassword":"x"}"#),
            request()
                .header("content-type", "application/json")
                .body(format!(r#"{{"user":"{}"}}"#, "x".repeat(70_000))),
        ] {
            let answer = app.request(request).await;
            assert_eq!(owner_of(&answer), PM415, "{operation}: {}", answer.text);
        }
    }
}

// Neither a header nor a value chooses.
story!(nothing_but_the_names_of_the_fields_chooses);
async fn nothing_but_the_names_of_the_fields_chooses(app: TestApp) {
    let body = json!({ "email": "user", "password": "user" });
    let request = app.to("POST", "/api/account/forgotpassword?user=ada").header("user", "ada");
    let request = request.header("authorization", "Bearer user").header("accept", ASTERA);
    assert_eq!(owner_of(&app.request(request.json(&body)).await), PM415);
    let nested = json!({ "email": { "user": "ada" } });
    assert_eq!(owner(&app, "/api/account/login", &nested).await, PM415);
}

story!(every_other_path_has_one_owner);
async fn every_other_path_has_one_owner(app: TestApp) {
    for path in
        ["registeraduser", "requestemailchange", "verifyemailchangetoken", "changeemail", "logout", "checkaccess"]
    {
        let answer = app.post(&format!("/api/account/{path}"), json!({ "email": "ada@example.test" })).await;
        assert_eq!((answer.status, answer.header("content-type")), (401, Some(ASTERA)), "{path}");
    }
    for path in ["verifyresettoken", "resetpassword", "confirmemail", "loginaduser"] {
        assert_eq!(owner(&app, &format!("/api/account/{path}"), &json!({ "email": "" })).await, ASTERA, "{path}");
    }
    for path in ["verifyresettoken", "confirmemail", "checkaccess"] {
        assert_eq!(owner_of(&app.get(&format!("/api/account/{path}")).await), ASTERA, "{path}");
    }
}

#[tokio::test]
async fn each_api_can_be_alone() {
    let pm415 = TestApp::start_with(|config| config.compat.account = AccountApi::Pm415).await;
    for (path, body, _) in shared() {
        assert_eq!(owner(&pm415, &format!("/api/account/{path}"), &body).await, PM415, "{path} {body}");
    }
    assert_eq!(pm415.post("/api/account/logout", json!({})).await.status, 404);
    assert_eq!(pm415.get("/api/user").await.status, 401);

    let astera = TestApp::start_with(|config| config.compat.account = AccountApi::Astera).await;
    for (path, body, _) in shared() {
        assert_eq!(owner(&astera, &format!("/api/account/{path}"), &body).await, ASTERA, "{path} {body}");
    }
    assert_eq!(astera.get("/api/account/verify").await.status, 404);
    assert_eq!(astera.get("/api/user").await.status, 404);
    assert_eq!(astera.get("/api/org/invite").await.status, 404);
}

#[tokio::test]
async fn neither_is_there_when_they_are_off() {
    let app = TestApp::start_with(|config| config.compat.account = AccountApi::Off).await;
    for path in ["/api/account/login", "/api/account/logout", "/api/org/1/invitelink", "/api/user/apikey"] {
        let answer = app.post(path, json!({})).await;
        assert_eq!(answer.whole(), (404, r#"{"status":404,"message":"Not Found"}"#), "{path}");
    }
    assert_eq!(app.get("/v1/status").await.status, 200);
}
