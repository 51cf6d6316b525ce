//! Codes by text message: as second factor, as first factor, and as the proof of a number; and the gateway that gets
//! them.

use std::collections::BTreeSet;

use cognate::crypto::hmac_sha256;
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{Contact, FirstProof, MfaMode, MfaRules};
use serde_json::json;

use super::{USED, call, initiate, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};
use crate::servers::gateway::{Gateway, KEY};

const NUMBER: &str = "+12065559934";

async fn deliver(app: &TestApp) -> usize {
    app.api.pools.outbox().unwrap().deliver_due().await.unwrap()
}

/// The code in the one message that waits.
async fn texted(app: &TestApp) -> String {
    deliver(app).await;
    let message = Gateway::in_use(&app.config).message();
    assert_eq!(message["to"], NUMBER);
    let words = message["text"].as_str().unwrap().split(|letter: char| !letter.is_ascii_digit());
    words.max_by_key(|word| word.len()).unwrap().to_owned()
}

/// A user with a proven number.
async fn with_number(app: &TestApp, name: &str) {
    app.user(name).await;
    let number = [("phone_number", NUMBER), ("phone_number_verified", "true")];
    let number = number.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.pool().update_attributes(name, &number).await.unwrap();
}

async fn with_factor(app: &TestApp) {
    app.change_pool(|pool| pool.mfa = MfaRules { mode: MfaMode::Optional, sms: true, ..MfaRules::default() }).await;
    with_number(app, "alice").await;
    let token = result(&sign_in(app, "alice", PASSWORD).await, "AccessToken");
    // As amazon-cognito-identity-js turns it on.
    let options = json!([{ "DeliveryMedium": "SMS", "AttributeName": "phone_number" }]);
    let settings = call(app, "SetUserSettings", json!({ "AccessToken": token, "MFAOptions": options })).await;
    assert_eq!(settings.whole(), (200, "{}"));
}

async fn answer(app: &TestApp, session: &str, code: &str) -> Answer {
    respond(app, "SMS_MFA", Some(session), json!({ "USERNAME": "alice", "SMS_MFA_CODE": code })).await
}

story!(a_code_by_text_message_is_a_second_factor, crate::servers::gateway::Gateway::of);
async fn a_code_by_text_message_is_a_second_factor(app: TestApp) {
    with_factor(&app).await;
    let asked = sign_in(&app, "alice", PASSWORD).await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"SMS_MFA","Session":"{session}","ChallengeParameters":{{"CODE_DELIVERY_DELIVERY_MEDIUM":"SMS","CODE_DELIVERY_DESTINATION":"+*******9934","USER_ID_FOR_SRP":"alice"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let code = texted(&app).await;
    assert_eq!(code.len(), 6);
    let mismatch = "CodeMismatchException: Invalid code received for user";
    assert_eq!(refused(&answer(&app, &session, "none").await), mismatch);
    assert!(app.accepts(&result(&answer(&app, &session, &code).await, "AccessToken")).await);
    assert_eq!(refused(&answer(&app, &session, &code).await), USED);
}

// The gateway tells ours from others, may come back later, and loses nothing.
story!(a_gateway_that_is_away_gets_the_message_later_signed, crate::servers::gateway::Gateway::of);
async fn a_gateway_that_is_away_gets_the_message_later_signed(app: TestApp) {
    with_factor(&app).await;
    let gateway = Gateway::in_use(&app.config);
    gateway.refuse(&[503, 429]);
    let session = sign_in(&app, "alice", PASSWORD).await.field("Session");
    assert_eq!(deliver(&app).await, 0);
    app.clock.advance_seconds(6);
    assert_eq!(deliver(&app).await, 0);
    app.clock.advance_seconds(20);
    assert_eq!(deliver(&app).await, 1);
    let heard = gateway.take();
    let bodies: BTreeSet<&str> = heard.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1).collect();
    assert_eq!((heard.len(), bodies.len()), (3, 1), "the same message with the same id");
    for request in &heard {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("cognate-signature: ")).unwrap();
        let (seconds, tag) = line.split_once("t=").unwrap().1.split_once(",v1=").unwrap();
        let signed = hmac_sha256(KEY.as_bytes(), &[seconds.as_bytes(), b".", body.as_bytes()]);
        assert_eq!(tag, hex::encode(signed));
    }
    let text = serde_json::from_str::<serde_json::Value>(bodies.first().unwrap()).unwrap();
    let code: String = text["text"].as_str().unwrap().chars().filter(char::is_ascii_digit).take(6).collect();
    assert_eq!(answer(&app, &session, &code).await.status, 200);
    // What it says no to for good is not tried again.
    gateway.refuse(&[400]);
    sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(deliver(&app).await, 0);
    app.clock.advance_seconds(60);
    assert_eq!((deliver(&app).await, gateway.take().len()), (0, 1));
}

story!(a_code_by_text_message_signs_in, crate::servers::gateway::Gateway::of);
async fn a_code_by_text_message_signs_in(app: TestApp) {
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password, FirstProof::SmsOtp]).await;
    app.change_client(|client| client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowUserAuth]))).await;
    with_number(&app, "alice").await;
    let parameters = json!({ "USERNAME": "alice", "PREFERRED_CHALLENGE": "SMS_OTP" });
    let asked = initiate(&app, "USER_AUTH", parameters).await;
    assert_eq!(asked.json()["AvailableChallenges"], json!(["PASSWORD", "SMS_OTP"]));
    let told = json!({ "CODE_DELIVERY_DELIVERY_MEDIUM": "SMS", "CODE_DELIVERY_DESTINATION": "+*******9934" });
    assert_eq!(asked.json()["ChallengeParameters"], told);
    let code = texted(&app).await;
    assert_eq!(code.len(), 8);
    // D01: nobody is asked in the same shape.
    let parameters = json!({ "USERNAME": "nobody", "PREFERRED_CHALLENGE": "SMS_OTP" });
    let nobody = initiate(&app, "USER_AUTH", parameters).await.json();
    assert_eq!(nobody["ChallengeName"], "SMS_OTP");
    assert_eq!(nobody["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"], "SMS");
    let seen = nobody["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"].as_str().unwrap().to_owned();
    assert!(seen.starts_with("+*******") && seen.len() == 12, "{seen}");
    let responses = json!({ "USERNAME": "alice", "SMS_OTP_CODE": code });
    let tokens = respond(&app, "SMS_OTP", Some(&asked.field("Session")), responses).await;
    assert!(app.accepts(&result(&tokens, "AccessToken")).await);
}

story!(a_number_is_proven_by_a_code, crate::servers::gateway::Gateway::of);
async fn a_number_is_proven_by_a_code(app: TestApp) {
    app.user("alice").await;
    let token = result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken");
    let own = json!({ "AccessToken": token, "AttributeName": "phone_number" });
    let none = "InvalidParameterException: The user has no phone number.";
    assert_eq!(refused(&call(&app, "GetUserAttributeVerificationCode", own.clone()).await), none);
    app.pool().update_attributes("alice", &[("phone_number".to_owned(), NUMBER.to_owned())]).await.unwrap();
    let sent = call(&app, "GetUserAttributeVerificationCode", own.clone()).await;
    let whole = r#"{"CodeDeliveryDetails":{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}}"#;
    assert_eq!(sent.whole(), (200, whole));
    let code = texted(&app).await;
    let verify = async |code: &str| {
        let body = json!({ "AccessToken": token, "AttributeName": "phone_number", "Code": code });
        call(&app, "VerifyUserAttribute", body).await
    };
    let other = if code == "000000" { "111111" } else { "000000" };
    let wrong = "CodeMismatchException: Invalid verification code provided, please try again.";
    assert_eq!(refused(&verify(other).await), wrong);
    assert_eq!(verify(&code).await.whole(), (200, "{}"));
    assert!(app.pool().find_user("alice").await.unwrap().phone_verified);
    let gone = "ExpiredCodeException: Invalid code provided, please request a code again.";
    assert_eq!(refused(&verify(&code).await), gone);
}

story!(a_pool_has_text_messages_where_the_deployment_sends_them, crate::servers::gateway::Gateway::of);
async fn a_pool_has_text_messages_where_the_deployment_sends_them(app: TestApp) {
    let body = json!({ "UserPoolId": app.pool().id(), "MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": {
        "SmsConfiguration": { "SnsCallerArn": "arn:aws:iam::123456789012:role/sms" } } });
    let whole = r#"{"SmsMfaConfiguration":{"SmsConfiguration":{"SnsCallerArn":"arn:aws:iam::123456789012:role/sms"}},"MfaConfiguration":"OPTIONAL"}"#;
    assert_eq!(app.cognito_admin("SetUserPoolMfaConfig", body).await.whole(), (200, whole));
    let phone = json!(["phone_number"]);
    let rules = json!({ "PoolName": "shop", "AutoVerifiedAttributes": phone,
        "UserAttributeUpdateSettings": { "AttributesRequireVerificationBeforeUpdate": phone } });
    let made = app.cognito_admin("CreateUserPool", rules).await.json()["UserPool"].clone();
    assert_eq!(made["AutoVerifiedAttributes"], phone);
    assert_eq!(made["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"], phone);
}

story!(where_none_are_sent_a_pool_has_none);
async fn where_none_are_sent_a_pool_has_none(app: TestApp) {
    let body = json!({ "UserPoolId": app.pool().id(), "MfaConfiguration": "OPTIONAL", "SmsMfaConfiguration": {} });
    let words = "InvalidParameterException: SmsMfaConfiguration is not available on this server.";
    assert_eq!(refused(&app.cognito_admin("SetUserPoolMfaConfig", body).await), words);
    // A pool that was made while some were sent keeps what it has, and gets nothing more of the kind.
    app.change_pool(|pool| pool.auto_verify = vec![Contact::PhoneNumber]).await;
    let update = |more: serde_json::Value| {
        let mut body = json!({ "UserPoolId": app.pool().id(), "AutoVerifiedAttributes": ["phone_number"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(app.cognito_admin("UpdateUserPool", update(json!({}))).await.whole(), (200, "{}"));
    let more = json!({ "Policies": { "SignInPolicy": { "AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP"] } } });
    let words = "InvalidParameterException: Policies.SignInPolicy.AllowedFirstAuthFactors SMS_OTP is not available on this \
                 server.";
    assert_eq!(refused(&app.cognito_admin("UpdateUserPool", update(more)).await), words);
}

// A factor that somebody wants must not fall away because no message reaches him.
story!(
    who_wants_text_messages_and_can_be_sent_none_is_not_let_in_by_his_password,
    crate::servers::gateway::Gateway::of
);
async fn who_wants_text_messages_and_can_be_sent_none_is_not_let_in_by_his_password(app: TestApp) {
    with_factor(&app).await;
    let unproven = [("phone_number_verified".to_owned(), "false".to_owned())];
    app.pool().update_attributes("alice", &unproven).await.unwrap();
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.json()["ChallengeName"], "MFA_SETUP");
    let settings = json!({ "Enabled": false });
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice", "SMSMfaSettings": settings });
    assert_eq!(app.cognito_admin("AdminSetUserMFAPreference", body).await.whole(), (200, "{}"));
    assert!(app.accepts(&result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken")).await);
}
