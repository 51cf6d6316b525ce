//! A pool's own words in the mails that it sends, and what of them is told again.

use serde_json::{Value, json};

use super::refused;
use crate::app::{TestApp, story};

const CODE: &str = "<p>Hello {username}, your code is <b>{####}</b></p>";

/// A pool with these members, and a client of it.
async fn pool_with(app: &TestApp, members: Value) -> (String, String) {
    let mut body = json!({ "PoolName": "shop", "AutoVerifiedAttributes": ["email"] });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let made = app.cognito_admin("CreateUserPool", body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let pool = made.json()["UserPool"]["Id"].as_str().unwrap().to_owned();
    let client = json!({ "UserPoolId": pool, "ClientName": "web" });
    let client = app.cognito_admin("CreateUserPoolClient", client).await.json();
    (pool, client["UserPoolClient"]["ClientId"].as_str().unwrap().to_owned())
}

async fn sign_up(app: &TestApp, client: &str, name: &str) {
    let attributes = json!([{ "Name": "email", "Value": format!("{name}@example.test") }]);
    let body =
        json!({ "ClientId": client, "Username": name, "Password": "Quiet-lamp-1", "UserAttributes": attributes });
    let answer = app.cognito("SignUp", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// What stands between the two in the one mail there is.
async fn told(app: &TestApp, before: &str, after: &str) -> String {
    let mail = app.mail().await;
    let (_, rest) = mail.split_once(before).unwrap_or_else(|| panic!("no {before} in {mail}"));
    rest.split_once(after).unwrap().0.to_owned()
}

async fn described(app: &TestApp, pool: &str) -> Value {
    app.cognito_admin("DescribeUserPool", json!({ "UserPoolId": pool })).await.json()["UserPool"].clone()
}

story!(a_pools_own_words_carry_every_code_that_it_mails);
async fn a_pools_own_words_carry_every_code_that_it_mails(app: TestApp) {
    let template = json!({ "EmailMessage": CODE, "EmailSubject": "Hi {username}" });
    let (pool, client) = pool_with(&app, json!({ "VerificationMessageTemplate": template })).await;
    sign_up(&app, &client, "ann").await;
    let mail = app.mail().await;
    assert!(mail.contains("Subject: Hi ann\r\n"), "{mail}");
    assert!(mail.contains("Content-Type: text/html; charset=utf-8\r\n"), "{mail}");
    assert!(!mail.contains("text/plain"), "{mail}");
    let call = async |operation: &str, mut rest: Value| {
        rest["ClientId"] = json!(client);
        rest["Username"] = json!("ann");
        let answer = app.cognito(operation, rest).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text);
    };
    let (before, after) = ("<p>Hello ann, your code is <b>", "</b></p>");
    call("ResendConfirmationCode", json!({})).await;
    let code = told(&app, before, after).await;
    call("ConfirmSignUp", json!({ "ConfirmationCode": code })).await;
    call("ForgotPassword", json!({})).await;
    let code = told(&app, before, after).await;
    call("ConfirmForgotPassword", json!({ "ConfirmationCode": code, "Password": "Quiet-lamp-2" })).await;
    let body = json!({ "UserPoolId": pool, "Username": "ann" });
    assert_eq!(app.cognito_admin("AdminResetUserPassword", body).await.status, 200);
    assert_eq!(told(&app, before, after).await.len(), 6);

    // An update that does not name them gives the operator's templates back.
    let update = json!({ "UserPoolId": pool, "AutoVerifiedAttributes": ["email"] });
    assert_eq!(app.cognito_admin("UpdateUserPool", update).await.whole(), (200, "{}"));
    app.reload().await;
    sign_up(&app, &client, "bob").await;
    let mail = app.mail().await;
    assert!(mail.contains("text/plain") && mail.contains("this code proves that the address"), "{mail}");
}

// E08: a name or a password is no HTML, and no placeholder.
story!(an_invitation_in_the_pools_words_tells_name_and_password);
async fn an_invitation_in_the_pools_words_tells_name_and_password(app: TestApp) {
    let template = json!({ "EmailMessage": "<p>{username} signs in by [{####}]</p>", "EmailSubject": "Welcome" });
    let members = json!({ "AdminCreateUserConfig": { "InviteMessageTemplate": template } });
    let (pool, client) = pool_with(&app, members).await;
    let user = json!({
        "UserPoolId": pool, "Username": "a<b>&c", "TemporaryPassword": "1<b>{username}X",
        "UserAttributes": [{ "Name": "email", "Value": "ann@example.test" }], "DesiredDeliveryMediums": ["EMAIL"]
    });
    let made = app.cognito_admin("AdminCreateUser", user).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let mail = app.mail().await;
    assert!(mail.contains("Subject: Welcome\r\n"), "{mail}");
    assert!(mail.contains("<p>a&lt;b&gt;&amp;c signs in by [1&lt;b&gt;{username}X]</p>"), "{mail}");
    // What proves an address has words of its own.
    sign_up(&app, &client, "bob").await;
    assert!(!app.mail().await.contains("Welcome"));
}

story!(a_pools_words_are_told_again_and_refused_where_they_tell_nothing);
async fn a_pools_words_are_told_again_and_refused_where_they_tell_nothing(app: TestApp) {
    let members = json!({
        "SmsVerificationMessage": "Code {####}", "EmailVerificationMessage": CODE, "EmailVerificationSubject": "Hi",
        "SmsAuthenticationMessage": "Sign in by {####}"
    });
    let (pool, _) = pool_with(&app, members.clone()).await;
    let found = described(&app, &pool).await;
    for (member, words) in members.as_object().unwrap() {
        assert_eq!(found[member], *words, "{member}");
    }
    let template = json!({
        "SmsMessage": "Code {####}", "EmailMessage": CODE, "EmailSubject": "Hi",
        "DefaultEmailOption": "CONFIRM_WITH_CODE"
    });
    assert_eq!(found["VerificationMessageTemplate"], template);
    assert_eq!(found["AdminCreateUserConfig"].get("InviteMessageTemplate"), None);

    let config = json!({ "InviteMessageTemplate": { "SMSMessage": "{username} {####}", "EmailSubject": "Hi" } });
    let link = json!({ "EmailMessageByLink": "Press {##here##}", "EmailSubjectByLink": "Press" });
    let members = json!({ "AdminCreateUserConfig": config, "VerificationMessageTemplate": link });
    let (pool, _) = pool_with(&app, members).await;
    let found = described(&app, &pool).await;
    assert_eq!(found["AdminCreateUserConfig"]["InviteMessageTemplate"], config["InviteMessageTemplate"]);
    let template = json!({
        "EmailMessageByLink": "Press {##here##}", "EmailSubjectByLink": "Press",
        "DefaultEmailOption": "CONFIRM_WITH_CODE"
    });
    assert_eq!(found["VerificationMessageTemplate"], template);

    let invalid = "InvalidParameterException: ";
    for (members, words) in [
        (
            json!({ "VerificationMessageTemplate": { "DefaultEmailOption": "CONFIRM_WITH_LINK" } }),
            "VerificationMessageTemplate.DefaultEmailOption CONFIRM_WITH_LINK is not available on this server.",
        ),
        (
            json!({ "AdminCreateUserConfig": { "InviteMessageTemplate": { "EmailMessage": "Welcome, {username}" } } }),
            "Invitation messages must contain {username} and {####}.",
        ),
        (
            json!({ "AdminCreateUserConfig": { "InviteMessageTemplate": { "SMSMessage": "It is {####}" } } }),
            "Invitation messages must contain {username} and {####}.",
        ),
        (
            json!({ "SmsAuthenticationMessage": "no code" }),
            "1 validation error detected: Value 'no code' at 'smsAuthenticationMessage' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: .*\\{####\\}.*",
        ),
    ] {
        let mut body = json!({ "PoolName": "shop" });
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        assert_eq!(refused(&app.cognito_admin("CreateUserPool", body).await), format!("{invalid}{words}"));
    }
}
