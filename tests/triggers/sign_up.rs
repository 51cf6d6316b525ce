//! PreSignUp and PostConfirmation.

use cognate::pool::Trigger::{PostConfirmation, PreSignUp};
use cognate::pool::UserStatus;
use cognate::pool::settings::Contact;
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, admin, call, refused};
use crate::app::{Answer, TestApp, story};

async fn open(app: &TestApp) {
    app.have_triggers(&[PreSignUp, PostConfirmation]).await;
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email];
    })
    .await;
}

async fn sign_up(app: &TestApp, rest: Value) -> Answer {
    let mut body = json!({
        "Username": "alice", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "alice@example.test" }, { "Name": "name", "Value": "Alice" }],
    });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    call(app, "SignUp", body).await
}

/// The code of six digits in the one mail there is.
async fn code(app: &TestApp) -> String {
    let mail = app.mail().await;
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.lines().map(str::trim).find(is_code).unwrap().to_owned()
}

story!(a_registration_is_told_whole_before_there_is_a_user_and_again_when_it_is_confirmed, super::with_hook);
async fn a_registration_is_told_whole_before_there_is_a_user_and_again_when_it_is_confirmed(app: TestApp) {
    open(&app).await;
    let told = json!({ "ValidationData": [{ "Name": "plan", "Value": "gold" }], "ClientMetadata": { "from": "shop" } });
    let made = sign_up(&app, told).await;
    assert_eq!(made.json()["UserConfirmed"], false, "{}", made.text);
    let (pool, client, sub) = (app.pool().id().to_owned(), app.client().id, made.field("UserSub"));
    assert_eq!(
        app.heard(),
        [json!({
            "version": "1",
            "triggerSource": "PreSignUp_SignUp",
            "region": "us-east-1",
            "userPoolId": pool,
            "userName": "alice",
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client },
            "request": {
                "userAttributes": {
                    "sub": sub, "email": "alice@example.test", "email_verified": "false", "name": "Alice",
                    "cognito:user_status": "UNCONFIRMED"
                },
                "validationData": { "plan": "gold" },
                "clientMetadata": { "from": "shop" }
            },
            "response": { "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false }
        })]
    );
    let answer =
        json!({ "Username": "alice", "ConfirmationCode": code(&app).await, "ClientMetadata": { "to": "shop" } });
    assert_eq!(call(&app, "ConfirmSignUp", answer.clone()).await.whole(), (200, "{}"));
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "PostConfirmation_ConfirmSignUp");
    assert_eq!(
        heard[0]["request"],
        json!({
            "userAttributes": {
                "sub": sub, "email": "alice@example.test", "email_verified": "true", "name": "Alice",
                "cognito:user_status": "CONFIRMED"
            },
            "clientMetadata": { "to": "shop" }
        })
    );
    assert_eq!((heard[0]["response"].clone(), heard.len()), (json!({}), 1));
    // A confirmation that comes twice is told once.
    assert_eq!(call(&app, "ConfirmSignUp", answer).await.status, 400);
    assert_eq!(app.heard_sources(), Vec::<String>::new());
}

story!(pre_sign_up_refuses_in_its_own_words_and_nobody_is_made, super::with_hook);
async fn pre_sign_up_refuses_in_its_own_words_and_nobody_is_made(app: TestApp) {
    open(&app).await;
    app.on("PreSignUp", Reply::Refuse("only staff"));
    let words = "UserLambdaValidationException: PreSignUp failed with error only staff.";
    assert_eq!(refused(&sign_up(&app, json!({})).await), words);
    let by_admin = json!({ "Username": "alice", "ClientMetadata": { "by": "ann" } });
    assert_eq!(refused(&admin(&app, "AdminCreateUser", by_admin).await), words);
    let heard = app.heard();
    assert_eq!(heard[1]["triggerSource"], "PreSignUp_AdminCreateUser");
    assert_eq!(heard[1]["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
    assert_eq!(heard[1]["request"]["userAttributes"]["cognito:user_status"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(heard[1]["request"]["clientMetadata"], json!({ "by": "ann" }));
    assert!(app.pool().find_user("alice").await.is_err());
    assert!(app.mails().await.is_empty());
}

story!(a_hook_that_does_not_answer_makes_nobody_either, super::with_hook);
async fn a_hook_that_does_not_answer_makes_nobody_either(app: TestApp) {
    open(&app).await;
    app.on("PreSignUp", Reply::Leave);
    let answer = sign_up(&app, json!({})).await;
    assert_eq!(refused(&answer), "UnexpectedLambdaException: PreSignUp could not be called.");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(app.heard_sources(), ["PreSignUp_SignUp"; 3]);
    let malformed = "InvalidLambdaResponseException: Unrecognizable lambda output";
    for reply in [
        Reply::Fill(json!({ "autoConfirmUser": "yes" })),
        Reply::Fill(json!({ "autoVerifyPhone": true })),
        Reply::Say(200, "[]".to_owned()),
        Reply::Say(302, String::new()),
    ] {
        app.on("PreSignUp", reply);
        assert_eq!(refused(&sign_up(&app, json!({})).await), malformed);
    }
    assert!(app.pool().find_user("alice").await.is_err());
    // What is null is as good as absent.
    app.on("PreSignUp", Reply::Fill(json!({ "autoConfirmUser": null })));
    assert_eq!(sign_up(&app, json!({})).await.json()["UserConfirmed"], false);
}

story!(a_trigger_that_vouches_for_a_user_spares_him_the_code, super::with_hook);
async fn a_trigger_that_vouches_for_a_user_spares_him_the_code(app: TestApp) {
    open(&app).await;
    app.on("PreSignUp", Reply::Fill(json!({ "autoConfirmUser": true, "autoVerifyEmail": true })));
    let made = sign_up(&app, json!({ "ClientMetadata": { "from": "shop" } })).await;
    let body = format!(r#"{{"UserConfirmed":true,"UserSub":"{}"}}"#, made.field("UserSub"));
    assert_eq!(made.whole(), (200, body.as_str()));
    assert!(app.mails().await.is_empty());
    let heard = app.heard();
    assert_eq!(heard[1]["triggerSource"], "PostConfirmation_ConfirmSignUp");
    assert_eq!(heard[1]["request"]["clientMetadata"], json!({ "from": "shop" }));
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 200);
    // K09: an address that is another's alias stays his.
    let other = json!({ "Username": "bob" });
    let taken = "AliasExistsException: An account with the given email already exists.";
    assert_eq!(refused(&sign_up(&app, other).await), taken);
    assert!(app.pool().find_user("bob").await.is_err());
}

story!(an_administrators_user_is_not_vouched_for, super::with_hook);
async fn an_administrators_user_is_not_vouched_for(app: TestApp) {
    open(&app).await;
    app.on("PreSignUp", Reply::Fill(json!({ "autoConfirmUser": true })));
    let made = admin(&app, "AdminCreateUser", json!({ "Username": "alice", "MessageAction": "SUPPRESS" })).await;
    assert_eq!(made.json()["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD", "{}", made.text);
    assert_eq!(app.heard_sources(), ["PreSignUp_AdminCreateUser"]);
}

story!(what_was_confirmed_stays_so_whatever_post_confirmation_says, super::with_hook);
async fn what_was_confirmed_stays_so_whatever_post_confirmation_says(app: TestApp) {
    open(&app).await;
    app.on("PostConfirmation", Reply::Refuse("no room"));
    let words = "UserLambdaValidationException: PostConfirmation failed with error no room.";
    sign_up(&app, json!({})).await;
    app.mails().await;
    assert_eq!(refused(&admin(&app, "AdminConfirmSignUp", json!({ "Username": "alice" })).await), words);
    assert_eq!(app.pool().find_user("alice").await.unwrap().status, UserStatus::Confirmed);
    app.pool().update_attributes("alice", &[("email_verified".to_owned(), "true".to_owned())]).await.unwrap();
    assert_eq!(call(&app, "ForgotPassword", json!({ "Username": "alice" })).await.status, 200);
    let (code, new) = (code(&app).await, "another-long-password");
    app.heard();
    let reset = json!({ "Username": "alice", "ConfirmationCode": code, "Password": new });
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", reset).await), words);
    assert_eq!(app.heard_sources(), ["PostConfirmation_ConfirmForgotPassword"]);
    assert_eq!(app.login("alice", new).await.status, 200);
    // The native API says it with a status of its own: nobody is told that the code was wrong.
    assert_eq!(app.forgot("alice").await.status, 200);
    let code = app.mailed_code().await;
    let refused = app.confirm("alice", &code, PASSWORD).await;
    let body = r#"{"status":403,"message":"PostConfirmation failed with error no room."}"#;
    assert_eq!(refused.whole(), (403, body));
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}
