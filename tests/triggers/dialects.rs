//! What the APIs besides Cognito's say of a hook that stands in the way: never a wrong password, never a token of no use.

use cognate::pool::Trigger::{PreAuthentication, PreSignUp, PreTokenGeneration};
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, user};
use crate::app::{Answer, TestApp, story};

/// Refusal, silence and nonsense; the wait that the second asks for.
async fn meets(app: &TestApp, source: &str, call: impl AsyncFn() -> Answer) -> [(u16, Value); 3] {
    let replies = [Reply::Refuse("closed"), Reply::Leave, Reply::Say(200, "nonsense".to_owned())];
    let mut met = Vec::new();
    for reply in replies {
        app.on(source, reply);
        let answer = call().await;
        assert_eq!(answer.header("retry-after"), (answer.status == 503).then_some("1"), "{}", answer.text);
        assert_eq!(answer.header("www-authenticate"), None);
        met.push((answer.status, answer.json()));
    }
    app.on(source, Reply::Fill(json!({})));
    let [refused, away, nonsense] = met.try_into().unwrap();
    [refused, away, nonsense]
}

const BUSY: &str = "Service is temporarily unavailable, please try again.";
const INTERNAL: &str = "Internal error, please try again later.";
const CLOSED: &str = "PreAuthentication failed with error closed.";

story!(every_api_says_who_stands_in_the_way_in_its_own_words, super::with_hook);
async fn every_api_says_who_stands_in_the_way_in_its_own_words(app: TestApp) {
    user(&app, "alice").await;
    let tokens = app.login("alice", PASSWORD).await;
    app.have_triggers(&[PreAuthentication, PreTokenGeneration, PreSignUp]).await;

    let said = |status: u16, message: &str| (status, json!({ "status": status, "message": message }));
    let met = meets(&app, "PreAuthentication", async || app.login("alice", PASSWORD).await).await;
    assert_eq!(met, [said(403, CLOSED), said(503, BUSY), said(500, INTERNAL)]);

    let problem = |status: u16, title: &str, detail: &str| {
        let body =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail, "message": detail });
        (status, body)
    };
    let astera = async || app.post("/api/account/login", json!({ "user": "alice", "password": PASSWORD })).await;
    let met = meets(&app, "PreAuthentication", astera).await;
    let busy = problem(503, "Service Unavailable", BUSY);
    assert_eq!(met, [problem(403, "Forbidden", CLOSED), busy, problem(500, "Internal Server Error", INTERNAL)]);

    let said = |status: u16, error: &str, message: &str| {
        (status, json!({ "statusCode": status, "error": error, "message": message, "success": false }))
    };
    let pm415 = json!({ "email": "alice@example.test", "password": PASSWORD });
    let met = meets(&app, "PreAuthentication", async || app.post("/api/account/login", pm415.clone()).await).await;
    let busy = said(503, "Service Unavailable", BUSY);
    assert_eq!(met, [said(403, "Forbidden", CLOSED), busy, said(500, "Internal Server Error", INTERNAL)]);

    let said = |status: u16, code: &str, text: &str| (status, json!({ "error": code, "error_description": text }));
    let (client, token) = (app.client().id, tokens.field("refresh_token"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str()), ("client_id", client.as_str())];
    let refresh = async || app.request(app.to("POST", "/oauth/token").form(&form)).await;
    let refused = said(400, "access_denied", "PreTokenGeneration failed with error closed.");
    let met = meets(&app, "TokenGeneration", refresh).await;
    assert_eq!(met, [refused, said(503, "temporarily_unavailable", BUSY), said(500, "server_error", INTERNAL)]);
    // None of that used the token up.
    assert_eq!(refresh().await.status, 200);
    assert_eq!(app.refresh("alice", &token).await.status, 200);

    let said = |status: u16, error: &str| (status, json!({ "status": "error", "data": { "error": error } }));
    let admin = app.admin().await;
    let register = [("name", "Bob B."), ("email", "bob@example.test"), ("password", PASSWORD)];
    let amadis =
        async || app.request(app.to("POST", "/api/user/v1/register").bearer_auth(&admin).form(&register)).await;
    let refused = said(403, "PreSignUp failed with error closed.");
    assert_eq!(meets(&app, "PreSignUp", amadis).await, [refused, said(503, BUSY), said(500, INTERNAL)]);
    assert_eq!(amadis().await.status, 201);

    let measured = app.get("/metrics").await.text;
    for (trigger, outcome) in [
        ("PreAuthentication", "ok"),
        ("PreSignUp", "refused"),
        ("PreTokenGeneration", "unreachable"),
        ("PreSignUp", "malformed"),
    ] {
        let series = format!(r#"cognate_hook_calls_total{{trigger="{trigger}",outcome="{outcome}"}}"#);
        assert!(measured.contains(&series), "{series}");
    }
    assert!(measured.contains(r#"cognate_hook_duration_seconds_count{trigger="PreSignUp"}"#));
}

story!(a_registration_by_link_asks_and_tells_as_well, super::with_hook);
async fn a_registration_by_link_asks_and_tells_as_well(app: TestApp) {
    app.have_triggers(&[PreSignUp, cognate::pool::Trigger::PostConfirmation]).await;
    let ada = json!({
        "email": "ada@example.test", "password": PASSWORD, "confirmation": PASSWORD, "firstName": "Ada",
        "lastName": "Lovelace", "tosAccepted": "Y", "organization": "Analytical Engines",
    });
    app.on("PreSignUp", Reply::Refuse("closed"));
    let refused = app.post("/api/account/register", ada.clone()).await;
    assert_eq!((refused.status, refused.field("message").as_str()), (403, "PreSignUp failed with error closed."));
    assert!(app.pool().find_user("ada@example.test").await.is_err());
    app.on("PreSignUp", Reply::Fill(json!({})));
    app.heard();
    assert_eq!(app.post("/api/account/register", ada).await.status, 200);
    assert_eq!(app.heard_sources(), ["PreSignUp_SignUp"]);
    let token = app.mailed_token().await;
    for _ in 0..2 {
        let verified = app.get(&format!("/api/account/verify?token={token}")).await;
        assert!(verified.status < 400, "{}", verified.text);
    }
    assert_eq!(app.heard_sources(), ["PostConfirmation_ConfirmSignUp"]);
}
