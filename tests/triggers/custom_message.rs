//! CustomMessage: a trigger's own words in every message, which must have room for the code.

use cognate::pool::Trigger::CustomMessage;
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{Contact, FirstProof, MfaMode, MfaRules};
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, admin, call, refused};
use crate::app::{TestApp, story};
use crate::servers::gateway::Gateway;

const WORDS: &str = "<p>Use [{####}] now</p>";

async fn open(app: &TestApp) {
    app.have_triggers(&[CustomMessage]).await;
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email];
    })
    .await;
    app.on("CustomMessage", Reply::Fill(json!({ "emailMessage": WORDS, "emailSubject": "From the hook" })));
}

fn registration(name: &str) -> Value {
    json!({
        "Username": name, "Password": PASSWORD, "ClientMetadata": { "from": "shop" },
        "UserAttributes": [{ "Name": "email", "Value": format!("{name}@example.test") }]
    })
}

/// What stands for the placeholder in the one mail there is.
async fn told(app: &TestApp) -> String {
    let mail = app.mail().await;
    assert!(mail.contains("Subject: From the hook\r\n"), "{mail}");
    let (_, rest) = mail.split_once("<p>Use [").unwrap_or_else(|| panic!("{mail}"));
    rest.split_once("] now</p>").unwrap().0.to_owned()
}

story!(each_message_is_in_the_triggers_words, super::with_hook);
async fn each_message_is_in_the_triggers_words(app: TestApp) {
    open(&app).await;
    let answer = call(&app, "SignUp", registration("alice")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let sub = answer.field("UserSub");
    let first = told(&app).await;
    let heard = app.heard();
    assert_eq!(
        heard,
        [json!({
            "version": "1", "triggerSource": "CustomMessage_SignUp", "region": "us-east-1",
            "userPoolId": app.pool().id(), "userName": "alice",
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": app.client().id },
            "request": {
                "userAttributes": {
                    "sub": sub, "email": "alice@example.test", "email_verified": "false",
                    "cognito:user_status": "UNCONFIRMED"
                },
                "codeParameter": "{####}", "linkParameter": null, "usernameParameter": null,
                "clientMetadata": { "from": "shop" }
            },
            "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null }
        })],
        "the code is not told"
    );
    let resend = json!({ "Username": "alice", "ClientMetadata": { "again": "yes" } });
    assert_eq!(call(&app, "ResendConfirmationCode", resend).await.status, 200);
    let code = told(&app).await;
    assert_eq!((first.len(), code.len()), (6, 6));
    assert_eq!(app.heard()[0]["request"]["clientMetadata"], json!({ "again": "yes" }));
    let confirm = json!({ "Username": "alice", "ConfirmationCode": code });
    assert_eq!(call(&app, "ConfirmSignUp", confirm).await.whole(), (200, "{}"));

    let forgot = json!({ "Username": "alice", "ClientMetadata": { "lost": "it" } });
    assert_eq!(call(&app, "ForgotPassword", forgot).await.status, 200);
    told(&app).await;
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "CustomMessage_ForgotPassword");
    assert_eq!(heard[0]["request"]["clientMetadata"], json!({ "lost": "it" }));

    let token = app.login("alice", PASSWORD).await.field("access_token");
    let verify = json!({ "AccessToken": token, "AttributeName": "email" });
    assert_eq!(app.cognito("GetUserAttributeVerificationCode", verify).await.status, 200);
    told(&app).await;
    assert_eq!(app.heard_sources(), ["CustomMessage_VerifyUserAttribute"]);
    let attributes = json!([{ "Name": "email", "Value": "al@example.test" }]);
    let update = json!({ "AccessToken": token, "UserAttributes": attributes });
    assert_eq!(app.cognito("UpdateUserAttributes", update).await.status, 200);
    told(&app).await;
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "CustomMessage_UpdateUserAttribute");
    assert_eq!(heard[0]["request"]["userAttributes"]["email"], "al@example.test");
}

story!(an_invitation_is_told_with_the_name, super::with_hook);
async fn an_invitation_is_told_with_the_name(app: TestApp) {
    open(&app).await;
    let user = json!({
        "Username": "bob", "TemporaryPassword": "a-temporary-password", "DesiredDeliveryMediums": ["EMAIL"],
        "UserAttributes": [{ "Name": "email", "Value": "bob@example.test" }], "ClientMetadata": { "by": "ann" }
    });
    // Without the name it is no invitation.
    let nonsense = "InvalidLambdaResponseException: Unrecognizable lambda output";
    assert_eq!(refused(&admin(&app, "AdminCreateUser", user.clone()).await), nonsense);
    assert!(app.pool().find_user("bob").await.is_err());
    assert!(app.mails().await.is_empty());
    app.heard();
    app.on("CustomMessage", Reply::Fill(json!({ "emailMessage": "<i>{username}</i>: {####}" })));
    let made = admin(&app, "AdminCreateUser", user).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let mail = app.mail().await;
    assert!(mail.contains("<i>bob</i>: a-temporary-password"), "{mail}");
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "CustomMessage_AdminCreateUser");
    let request = &heard[0]["request"];
    assert_eq!((&request["usernameParameter"], &request["codeParameter"]), (&json!("{username}"), &json!("{####}")));
    assert_eq!(request["clientMetadata"], json!({ "by": "ann" }));
    assert_eq!(heard[0]["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
}

story!(what_the_trigger_does_not_say_the_pool_does_and_what_it_can_not_say_is_not_sent, super::with_hook);
async fn what_the_trigger_does_not_say_the_pool_does_and_what_it_can_not_say_is_not_sent(app: TestApp) {
    open(&app).await;
    app.change_pool(|pool| pool.messages.verification.email = Some("<p>Pool: {####}</p>".to_owned())).await;
    app.on("CustomMessage", Reply::Fill(json!({ "emailSubject": "From the hook" })));
    assert_eq!(call(&app, "SignUp", registration("alice")).await.status, 200);
    let mail = app.mail().await;
    assert!(mail.contains("Subject: From the hook\r\n") && mail.contains("<p>Pool: "), "{mail}");
    app.user("carl").await;
    let nonsense = "InvalidLambdaResponseException: Unrecognizable lambda output";
    for (message, words) in [
        (Reply::Fill(json!({ "emailMessage": "no code" })), nonsense),
        (Reply::Fill(json!({ "emailMessage": format!("{{####}}{}", "x".repeat(20_000)) })), nonsense),
        (Reply::Fill(json!({ "emailSubject": "x".repeat(141) })), nonsense),
        (
            Reply::Refuse("no mails today"),
            "UserLambdaValidationException: CustomMessage failed with error no mails today.",
        ),
        (Reply::Leave, "UnexpectedLambdaException: CustomMessage could not be called."),
    ] {
        app.on("CustomMessage", message);
        assert_eq!(refused(&call(&app, "SignUp", registration("bob")).await), words);
        assert!(app.pool().find_user("bob").await.is_err(), "nobody is made who can not be told his code");
        assert_eq!(refused(&call(&app, "ForgotPassword", json!({ "Username": "carl" })).await), words);
    }
    assert!(app.mails().await.is_empty());
    // Nobody is written to, and the trigger hears nothing.
    app.heard();
    assert_eq!(call(&app, "ForgotPassword", json!({ "Username": "nobody" })).await.status, 200);
    assert_eq!(app.heard_sources(), Vec::<String>::new());
}

story!(each_text_message_is_in_the_triggers_words, crate::triggers::beginnings::with_hook_and_gateway);
async fn each_text_message_is_in_the_triggers_words(app: TestApp) {
    const NUMBER: &str = "+12065559934";
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::PhoneNumber];
        pool.messages.verification.sms = Some("The pool says {####}".to_owned());
        pool.mfa = MfaRules { mode: MfaMode::Optional, sms: true, ..MfaRules::default() };
    })
    .await;
    app.have_triggers(&[CustomMessage]).await;
    app.on("CustomMessage", Reply::Fill(json!({ "smsMessage": "{username}: <{####}>" })));
    let told = async |source: &str| {
        app.api.pools.outbox().unwrap().deliver_due().await.unwrap();
        let text = Gateway::in_use(&app.config).message()["text"].as_str().unwrap().to_owned();
        assert_eq!(app.heard_sources(), [source]);
        let (name, rest) = text.split_once(": <").unwrap_or_else(|| panic!("{text}"));
        (name.to_owned(), rest.trim_end_matches('>').to_owned())
    };
    let attributes = |number: &str| json!([{ "Name": "phone_number", "Value": number }]);
    let body = json!({ "Username": "alice", "Password": PASSWORD, "UserAttributes": attributes(NUMBER) });
    assert_eq!(call(&app, "SignUp", body).await.status, 200);
    assert_eq!(told("CustomMessage_SignUp").await.1.len(), 6);
    assert_eq!(call(&app, "ResendConfirmationCode", json!({ "Username": "alice" })).await.status, 200);
    let (name, code) = told("CustomMessage_ResendCode").await;
    assert_eq!(name, "alice");
    let confirm = json!({ "Username": "alice", "ConfirmationCode": code });
    assert_eq!(call(&app, "ConfirmSignUp", confirm).await.whole(), (200, "{}"));
    assert_eq!(call(&app, "ForgotPassword", json!({ "Username": "alice" })).await.status, 200);
    told("CustomMessage_ForgotPassword").await;
    let token = app.login("alice", PASSWORD).await.field("access_token");
    let verify = json!({ "AccessToken": token, "AttributeName": "phone_number" });
    assert_eq!(app.cognito("GetUserAttributeVerificationCode", verify).await.status, 200);
    told("CustomMessage_VerifyUserAttribute").await;
    let update = json!({ "AccessToken": token, "UserAttributes": attributes("+4930123456") });
    assert_eq!(app.cognito("UpdateUserAttributes", update).await.status, 200);
    told("CustomMessage_UpdateUserAttribute").await;
    let bob = json!({ "Username": "bob", "TemporaryPassword": "a-temporary-password",
        "DesiredDeliveryMediums": ["SMS"], "UserAttributes": attributes(NUMBER) });
    assert_eq!(admin(&app, "AdminCreateUser", bob.clone()).await.status, 200);
    let password = "a-temporary-password".to_owned();
    assert_eq!(told("CustomMessage_AdminCreateUser").await, ("bob".to_owned(), password));
    // Words that do not tell what they have to: nobody is made.
    app.on("CustomMessage", Reply::Fill(json!({ "smsMessage": "it is {####}" })));
    let nonsense = "InvalidLambdaResponseException: Unrecognizable lambda output";
    let carol = json!({ "Username": "carol", "DesiredDeliveryMediums": ["SMS"], "UserAttributes": attributes(NUMBER) });
    assert_eq!(refused(&admin(&app, "AdminCreateUser", carol).await), nonsense);
    assert!(app.pool().find_user("carol").await.is_err());
}

// Contract cognito (j): what comes with InitiateAuth is for the triggers before a proof, and for them alone.
story!(what_a_sign_in_begins_with_is_not_told_to_the_words_of_its_code, super::with_hook);
async fn what_a_sign_in_begins_with_is_not_told_to_the_words_of_its_code(app: TestApp) {
    super::user(&app, "alice").await;
    app.have_triggers(&[CustomMessage]).await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password, FirstProof::EmailOtp]).await;
    app.change_client(|client| {
        client.auth_flows = Some([AuthFlow::AllowUserAuth, AuthFlow::AllowUserPasswordAuth].into());
    })
    .await;
    let heard = || {
        let heard = app.heard();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0]["triggerSource"], "CustomMessage_Authentication");
        heard[0]["request"]["clientMetadata"].clone()
    };
    let begin = async |flow: &str, more: Value| {
        let mut given = json!({ "USERNAME": "alice" });
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({ "AuthFlow": flow, "AuthParameters": given, "ClientMetadata": { "said": "at first" } });
        call(&app, "InitiateAuth", body).await
    };
    // As first factor, at once and by choice.
    begin("USER_AUTH", json!({ "PREFERRED_CHALLENGE": "EMAIL_OTP" })).await;
    assert_eq!(heard(), Value::Null);
    let choice = begin("USER_AUTH", json!({})).await;
    let body = json!({
        "ChallengeName": "SELECT_CHALLENGE", "Session": choice.field("Session"),
        "ChallengeResponses": { "USERNAME": "alice", "ANSWER": "EMAIL_OTP" }, "ClientMetadata": { "said": "later" }
    });
    assert_eq!(call(&app, "RespondToAuthChallenge", body).await.status, 200);
    assert_eq!(heard(), json!({ "said": "later" }));
    // As second factor, behind a password in either flow.
    let rules = MfaRules { mode: MfaMode::On, software_token: false, email: true, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
    begin("USER_PASSWORD_AUTH", json!({ "PASSWORD": PASSWORD })).await;
    assert_eq!(heard(), Value::Null);
    begin("USER_AUTH", json!({ "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": PASSWORD })).await;
    assert_eq!(heard(), Value::Null);
}
