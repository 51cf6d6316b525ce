//! How many text messages go to one number, whoever asks for them; and that nothing of it tells who exists.

use std::collections::BTreeSet;

use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{Contact, FirstProof, MfaMode, MfaRules, Usernames};
use serde_json::{Value, json};

use super::{NUMBER, PASSWORD, give_number, refused, texts};
use crate::app::{Answer, TestApp, story};

const TOO_MANY: &str = "LimitExceededException: Attempt limit exceeded, please try after some time.";
/// The setting `limits.mails`.
const FREE: usize = 5;

async fn call(app: &TestApp, operation: &str, mut rest: Value) -> Answer {
    rest["ClientId"] = json!(app.client().id);
    app.cognito(operation, rest).await
}

async fn sign_up(app: &TestApp, name: &str) -> Answer {
    let attributes = json!([{ "Name": "phone_number", "Value": NUMBER }]);
    call(app, "SignUp", json!({ "Username": name, "Password": PASSWORD, "UserAttributes": attributes })).await
}

async fn with_number(app: &TestApp, name: &str) {
    super::user(app, name).await;
    give_number(app, name, NUMBER).await;
}

/// Uses up what anybody may have sent to the number.
async fn bomb(app: &TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::PhoneNumber];
    })
    .await;
    for round in 0..FREE {
        let answer = sign_up(app, &format!("eve{round}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(texts(app).await.len(), FREE);
    assert_eq!(refused(&sign_up(app, "eve").await), TOO_MANY);
    assert!(app.pool().find_user("eve").await.is_err(), "nobody was made");
}

story!(a_number_gets_few_text_messages_whoever_asks, crate::servers::gateway::Gateway::of);
async fn a_number_gets_few_text_messages_whoever_asks(app: TestApp) {
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    with_number(&app, "bob").await;
    bomb(&app).await;
    // Whatever is asked for, in whoever's name.
    assert_eq!(refused(&call(&app, "ForgotPassword", json!({ "Username": "bob" })).await), TOO_MANY);
    assert_eq!(refused(&call(&app, "ResendConfirmationCode", json!({ "Username": "eve1" })).await), TOO_MANY);
    let attributes = json!([{ "Name": "phone_number", "Value": NUMBER }]);
    let body = json!({ "AccessToken": token, "UserAttributes": attributes });
    assert_eq!(refused(&app.cognito("UpdateUserAttributes", body).await), TOO_MANY);
    assert_eq!(app.pool().find_user("alice").await.unwrap().phone, None);
    assert!(texts(&app).await.is_empty());
    // Other numbers are not meant, and the pause ends.
    let other = json!([{ "Name": "phone_number", "Value": "+4930123456" }]);
    let body = json!({ "AccessToken": token, "UserAttributes": other });
    assert_eq!(app.cognito("UpdateUserAttributes", body).await.status, 200);
    app.clock.advance_seconds(61);
    assert_eq!(call(&app, "ForgotPassword", json!({ "Username": "bob" })).await.status, 200);
    assert_eq!(texts(&app).await.len(), 2);
    assert_eq!(refused(&sign_up(&app, "eve").await), TOO_MANY);
}

// K12: who bombs a number neither shuts its owner out nor keeps an administrator from helping him.
story!(a_bombed_number_still_gets_its_second_factor, crate::servers::gateway::Gateway::of);
async fn a_bombed_number_still_gets_its_second_factor(app: TestApp) {
    with_number(&app, "alice").await;
    app.change_pool(|pool| pool.mfa = MfaRules { mode: MfaMode::On, sms: true, ..MfaRules::default() }).await;
    bomb(&app).await;
    let sign_in = async || {
        let given = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD });
        call(&app, "InitiateAuth", json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given })).await
    };
    // Right answers take back what was asked for.
    for _ in 0..2 * FREE {
        let asked = sign_in().await;
        assert_eq!(asked.json()["ChallengeName"], "SMS_MFA", "{}", asked.text);
        let code = super::texted(&app, NUMBER).await;
        let responses = json!({ "USERNAME": "alice", "SMS_MFA_CODE": code });
        let body =
            json!({ "ChallengeName": "SMS_MFA", "Session": asked.field("Session"), "ChallengeResponses": responses });
        assert_eq!(call(&app, "RespondToAuthChallenge", body).await.status, 200);
    }
    let invite = json!({ "UserPoolId": app.pool().id(), "Username": "bob", "DesiredDeliveryMediums": ["SMS"],
        "UserAttributes": [{ "Name": "phone_number", "Value": NUMBER }] });
    assert_eq!(app.cognito_admin("AdminCreateUser", invite).await.status, 200);
    assert_eq!(texts(&app).await.len(), 1);
    // Without an answer they end: for the number, not only for one of those who have it.
    with_number(&app, "carol").await;
    for _ in 0..FREE {
        assert_eq!(sign_in().await.status, 200);
    }
    let given = json!({ "USERNAME": "carol", "PASSWORD": PASSWORD });
    let body = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given });
    assert_eq!(refused(&call(&app, "InitiateAuth", body).await), TOO_MANY);
    assert_eq!(texts(&app).await.len(), FREE);
}

// Who answers what is sent to a number may earn by it: even then there is an end.
story!(a_number_that_answers_gets_no_end_of_messages_either, crate::servers::gateway::Gateway::of);
async fn a_number_that_answers_gets_no_end_of_messages_either(app: TestApp) {
    with_number(&app, "alice").await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password, FirstProof::SmsOtp]).await;
    app.change_client(|client| client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowUserAuth]))).await;
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let mut sent = 0;
    loop {
        let parameters = json!({ "USERNAME": "alice", "PREFERRED_CHALLENGE": "SMS_OTP" });
        let asked = call(&app, "InitiateAuth", json!({ "AuthFlow": "USER_AUTH", "AuthParameters": parameters })).await;
        if asked.status != 200 {
            assert_eq!(refused(&asked), "NotAuthorizedException: Password attempts exceeded");
            break;
        }
        let (_, text) = texts(&app).await.pop().unwrap();
        sent += 1;
        let code = text.split(|letter: char| !letter.is_ascii_digit()).find(|word| word.len() == 8).unwrap();
        let responses = json!({ "USERNAME": "alice", "SMS_OTP_CODE": code });
        let body =
            json!({ "ChallengeName": "SMS_OTP", "Session": asked.field("Session"), "ChallengeResponses": responses });
        assert_eq!(call(&app, "RespondToAuthChallenge", body).await.status, 200);
    }
    assert_eq!(sent, 10 * FREE);
    app.clock.advance_seconds(3600);
    let parameters = json!({ "USERNAME": "alice", "PREFERRED_CHALLENGE": "SMS_OTP" });
    let body = json!({ "AuthFlow": "USER_AUTH", "AuthParameters": parameters });
    assert_eq!(call(&app, "InitiateAuth", body).await.status, 200);
}

// E01, D01
story!(who_exists_is_not_told_by_a_text_message_that_seems_to_be_sent, crate::servers::gateway::Gateway::of);
async fn who_exists_is_not_told_by_a_text_message_that_seems_to_be_sent(app: TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::PhoneNumber];
    })
    .await;
    with_number(&app, "alice").await;
    let shape = async |operation: &str, name: &str| {
        let answer = call(&app, operation, json!({ "Username": name })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut body = answer.json();
        let destination = body["CodeDeliveryDetails"]["Destination"].take();
        let text = destination.as_str().unwrap();
        let digits = text.strip_prefix("+*******").unwrap();
        assert!(digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
        (body, destination)
    };
    let known = shape("ForgotPassword", "alice").await;
    for name in ["ghost", "ghost@example.test"] {
        let seeming = shape("ForgotPassword", name).await;
        assert_eq!(seeming.0, known.0, "{name}");
        assert_eq!(shape("ForgotPassword", name).await, seeming, "always the same");
    }
    assert_eq!(shape("ForgotPassword", NUMBER).await.1, known.1);
    assert_eq!(shape("ResendConfirmationCode", "ghost").await.0, known.0);
    assert_eq!(texts(&app).await.len(), 1);
    let guess = json!({ "Username": "ghost", "ConfirmationCode": "000000", "Password": "another-long-password" });
    let words = "CodeMismatchException: Invalid verification code provided, please try again.";
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", guess).await), words);
}

// That a number has had enough would tell whose it is.
story!(a_number_that_has_had_enough_tells_nobody, crate::servers::gateway::Gateway::of);
async fn a_number_that_has_had_enough_tells_nobody(app: TestApp) {
    with_number(&app, "alice").await;
    bomb(&app).await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password, FirstProof::SmsOtp]).await;
    app.change_client(|client| client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowUserAuth]))).await;
    let begin = async |name: &str| {
        let parameters = json!({ "USERNAME": name, "PREFERRED_CHALLENGE": "SMS_OTP" });
        call(&app, "InitiateAuth", json!({ "AuthFlow": "USER_AUTH", "AuthParameters": parameters })).await
    };
    for name in ["alice", "ghost"] {
        let forgot = call(&app, "ForgotPassword", json!({ "Username": name })).await;
        assert_eq!((forgot.status, texts(&app).await.len()), (200, 0), "{name}: {}", forgot.text);
        assert_eq!(begin(name).await.json()["ChallengeName"], "SMS_OTP", "{name}");
        assert!(texts(&app).await.is_empty(), "{name}");
    }
    let again = call(&app, "ResendConfirmationCode", json!({ "Username": "eve1" })).await;
    assert_eq!((again.status, texts(&app).await.len()), (200, 0), "{}", again.text);
}

// Where users are called by their contacts, what a name looks like is what it seems to be reached at.
story!(an_unknown_number_or_address_seems_to_be_reached_there, crate::servers::gateway::Gateway::of);
async fn an_unknown_number_or_address_seems_to_be_reached_there(app: TestApp) {
    app.change_pool(|pool| {
        pool.usernames = Usernames::Contact { contacts: vec![Contact::Email, Contact::PhoneNumber] };
        pool.auto_verify = vec![Contact::Email, Contact::PhoneNumber];
        pool.self_sign_up = true;
    })
    .await;
    for (name, destination, medium) in
        [("ghost@example.test", "g***@e***", "EMAIL"), ("+12065550000", "+*******0000", "SMS")]
    {
        for operation in ["ForgotPassword", "ResendConfirmationCode"] {
            let told = call(&app, operation, json!({ "Username": name })).await.json()["CodeDeliveryDetails"].clone();
            assert_eq!((&told["Destination"], &told["DeliveryMedium"]), (&json!(destination), &json!(medium)));
        }
        let known = call(&app, "SignUp", json!({ "Username": name, "Password": PASSWORD })).await.json();
        assert_eq!(known["CodeDeliveryDetails"]["Destination"], destination);
    }
}
