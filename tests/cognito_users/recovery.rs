//! AccountRecoverySetting: where only administrators reset passwords.

use serde_json::{Value, json};

use super::{PASSWORD, code_in, refused};
use crate::app::{Answer, TestApp, story};

const CONTACT: &str = "NotAuthorizedException: Contact administrator to reset password.";
const DONE: (u16, &str) = (200, "{}");

fn admin_only() -> Value {
    json!({ "RecoveryMechanisms": [{ "Priority": 1, "Name": "admin_only" }] })
}

async fn update(app: &TestApp, rest: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id() });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    let answer = app.cognito_admin("UpdateUserPool", body).await;
    app.reload().await;
    answer
}

async fn forgot(app: &TestApp, name: &str) -> Answer {
    app.cognito("ForgotPassword", json!({ "ClientId": app.client().id, "Username": name })).await
}

async fn hides(app: &TestApp, hidden: bool) {
    app.change_client(|client| client.hide_user_existence = Some(hidden)).await;
}

story!(where_only_administrators_reset_nobody_else_does);
async fn where_only_administrators_reset_nobody_else_does(app: TestApp) {
    super::user(&app, "alice").await;
    assert_eq!(update(&app, json!({ "AccountRecoverySetting": admin_only() })).await.whole(), DONE);
    let body = json!({ "UserPoolId": app.pool().id() });
    let described = app.cognito_admin("DescribeUserPool", body).await.json();
    assert_eq!(described["UserPool"]["AccountRecoverySetting"], admin_only());
    // D01: nobody is answered like anybody where who exists is hidden.
    hides(&app, true).await;
    for name in ["alice", "nobody"] {
        assert_eq!(refused(&forgot(&app, name).await), CONTACT, "{name}");
    }
    hides(&app, false).await;
    assert_eq!(refused(&forgot(&app, "alice").await), CONTACT);
    let missing = "UserNotFoundException: Username/client id combination not found.";
    assert_eq!(refused(&forgot(&app, "nobody").await), missing);
    // Nor is there another way, whichever API is asked.
    assert_eq!(app.forgot("alice").await.status, 401);
    let body = json!({ "email": "alice@example.test" });
    assert_eq!(app.post("/api/account/forgotpassword", body).await.status, 400);
    assert!(app.mails().await.is_empty());

    let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice" });
    assert_eq!(app.cognito_admin("AdminResetUserPassword", body).await.whole(), DONE);
    let code = code_in(&app.mails().await);
    let confirm = json!({
        "ClientId": app.client().id, "Username": "alice", "ConfirmationCode": code, "Password": "Another-long-passw0rd"
    });
    assert_eq!(app.cognito("ConfirmForgotPassword", confirm).await.whole(), DONE);
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    assert_eq!(app.login("alice", "Another-long-passw0rd").await.status, 200);

    // An update says all there is.
    assert_eq!(update(&app, json!({})).await.whole(), DONE);
    assert_eq!(forgot(&app, "alice").await.status, 200);
}

story!(administrators_are_the_only_way_or_none);
async fn administrators_are_the_only_way_or_none(app: TestApp) {
    let create = async |mechanisms: &[&str]| {
        let listed: Vec<Value> =
            (1..).zip(mechanisms).map(|(priority, name)| json!({ "Priority": priority, "Name": name })).collect();
        let setting = json!({ "RecoveryMechanisms": listed });
        app.cognito_admin("CreateUserPool", json!({ "PoolName": "x", "AccountRecoverySetting": setting })).await
    };
    assert_eq!(create(&["admin_only"]).await.json()["UserPool"]["AccountRecoverySetting"], admin_only());
    let words = "InvalidParameterException: Account Recovery Setting cannot use admin_only setting with any other \
                 recovery mechanisms.";
    assert_eq!(refused(&create(&["verified_email", "admin_only"]).await), words);
}
