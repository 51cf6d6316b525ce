//! Authenticator applications: set up with and without an access token, asked for, and used once.

use cognate::crypto::hmac_sha1;
use cognate::pool::settings::{MfaMode, MfaRules};
use data_encoding::BASE32_NOPAD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{NO_SESSION, WRONG, call, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};

const CHALLENGE: &str = "SOFTWARE_TOKEN_MFA";

/// The code of an application that was told `secret`, some steps of 30 seconds from now.
pub fn code(app: &TestApp, secret: &str, steps: i64) -> String {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let step = cognate::clock::Clock::now(&*app.clock).seconds() / 30 + steps;
    let digest = hmac_sha1(&secret, &step.to_be_bytes());
    let offset = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

pub async fn with_mfa(app: &TestApp, mode: MfaMode) {
    let rules = MfaRules { mode, software_token: true, email: false, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
}

/// A user with an application, and its secret. Its next code is good a step later.
pub async fn with_application(app: &TestApp, name: &str) -> String {
    app.user(name).await;
    let token = result(&sign_in(app, name, PASSWORD).await, "AccessToken");
    let secret = call(app, "AssociateSoftwareToken", json!({ "AccessToken": token })).await.field("SecretCode");
    let verify = json!({ "AccessToken": token, "UserCode": code(app, &secret, 0), "FriendlyDeviceName": "phone" });
    assert_eq!(call(app, "VerifySoftwareToken", verify).await.whole(), (200, r#"{"Status":"SUCCESS"}"#));
    let wanted = json!({ "Enabled": true, "PreferredMfa": true });
    let prefer = json!({ "AccessToken": token, "SoftwareTokenMfaSettings": wanted });
    assert_eq!(call(app, "SetUserMFAPreference", prefer).await.whole(), (200, "{}"));
    app.clock.advance_seconds(30);
    secret
}

async fn answer(app: &TestApp, session: &str, code: &str) -> Answer {
    let responses = json!({ "USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code, "SMS_MFA_CODE": code });
    respond(app, CHALLENGE, Some(session), responses).await
}

async fn session(app: &TestApp) -> String {
    sign_in(app, "alice", PASSWORD).await.field("Session")
}

story!(who_wants_to_is_asked_for_the_code_of_his_application);
async fn who_wants_to_is_asked_for_the_code_of_his_application(app: TestApp) {
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    assert_eq!(secret.len(), 52);
    let asked = sign_in(&app, "alice", PASSWORD).await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"SOFTWARE_TOKEN_MFA","Session":"{session}","ChallengeParameters":{{"FRIENDLY_DEVICE_NAME":"phone","USER_ID_FOR_SRP":"alice"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let tokens = answer(&app, &session, &code(&app, &secret, 0)).await;
    let access = result(&tokens, "AccessToken");
    assert!(app.accepts(&access).await);
    // The native API has no words for the challenge, and so no way around it.
    let native = app.login("alice", PASSWORD).await;
    assert!(native.json().get("access_token").is_none(), "{}", native.text);
    let off = json!({ "AccessToken": access, "SoftwareTokenMfaSettings": { "Enabled": false } });
    assert_eq!(call(&app, "SetUserMFAPreference", off).await.whole(), (200, "{}"));
    assert!(sign_in(&app, "alice", PASSWORD).await.json()["AuthenticationResult"].is_object());
}

// K10, K11
story!(a_code_is_good_once_and_a_wrong_one_leaves_the_session_alive);
async fn a_code_is_good_once_and_a_wrong_one_leaves_the_session_alive(app: TestApp) {
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    let first = session(&app).await;
    let mismatch = "CodeMismatchException: Invalid code received for user";
    for wrong in [code(&app, &secret, 2), code(&app, &secret, -2), "12345".to_owned(), "no code".to_owned()] {
        assert_eq!(refused(&answer(&app, &first, &wrong).await), mismatch, "{wrong}");
    }
    let right = code(&app, &secret, 0);
    assert_eq!(answer(&app, &first, &right).await.status, 200);
    assert_eq!(refused(&answer(&app, &first, &code(&app, &secret, 1)).await), NO_SESSION);
    let second = session(&app).await;
    let used = "ExpiredCodeException: Your software token has already been used once.";
    assert_eq!(refused(&answer(&app, &second, &right).await), used);
    assert_eq!(answer(&app, &second, &code(&app, &secret, 1)).await.status, 200);
}

// K11
story!(of_equal_codes_at_once_one_is_good);
async fn of_equal_codes_at_once_one_is_good(app: TestApp) {
    let app = app.doubled().await;
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(session(&app).await);
    }
    let right = code(&app, &secret, 0);
    let answers = join_all(sessions.iter().map(|session| answer(&app, session, &right))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

// S23, K10: whoever knew the old password must not go on with what it began.
story!(a_second_factor_is_worth_nothing_once_the_password_was_replaced_or_the_user_signed_out);
async fn a_second_factor_is_worth_nothing_once_the_password_was_replaced_or_the_user_signed_out(app: TestApp) {
    const ANOTHER: &str = "another lamp entirely";
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    let begun = session(&app).await;
    app.pool().set_password("alice", ANOTHER, false).await.unwrap();
    assert_eq!(refused(&answer(&app, &begun, &code(&app, &secret, 0)).await), NO_SESSION);
    let begun = sign_in(&app, "alice", ANOTHER).await.field("Session");
    app.pool().sign_out_user("alice").await.unwrap();
    assert_eq!(refused(&answer(&app, &begun, &code(&app, &secret, 0)).await), NO_SESSION);
    let begun = sign_in(&app, "alice", ANOTHER).await.field("Session");
    assert_eq!(answer(&app, &begun, &code(&app, &secret, 0)).await.status, 200);
    // Who has no factor yet could be given one by the thief.
    with_mfa(&app, MfaMode::On).await;
    app.user("bob").await;
    let begun = sign_in(&app, "bob", PASSWORD).await;
    assert_eq!(begun.field("ChallengeName"), "MFA_SETUP");
    app.pool().set_password("bob", ANOTHER, false).await.unwrap();
    let associate = call(&app, "AssociateSoftwareToken", json!({ "Session": begun.field("Session") })).await;
    assert_eq!(refused(&associate), NO_SESSION);
}

// K10, K12
story!(wrong_codes_lock_and_the_right_password_does_not_unlock);
async fn wrong_codes_lock_and_the_right_password_does_not_unlock(app: TestApp) {
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    for _ in 0..5 {
        let session = session(&app).await;
        assert!(refused(&answer(&app, &session, "000000").await).starts_with("CodeMismatchException"));
    }
    let last = session(&app).await;
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(refused(&answer(&app, &last, &code(&app, &secret, 0)).await), locked);
    app.clock.advance_seconds(60);
    assert_eq!(answer(&app, &last, &code(&app, &secret, 0)).await.status, 200);
}

// K10
story!(a_pool_that_needs_a_factor_has_it_set_up_step_by_step);
async fn a_pool_that_needs_a_factor_has_it_set_up_step_by_step(app: TestApp) {
    with_mfa(&app, MfaMode::On).await;
    app.user("alice").await;
    let asked = sign_in(&app, "alice", PASSWORD).await;
    let first = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"MFA_SETUP","Session":"{first}","ChallengeParameters":{{"MFAS_CAN_SETUP":"[\"SOFTWARE_TOKEN_MFA\"]","USER_ID_FOR_SRP":"alice"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let finish = async |session: &str| respond(&app, "MFA_SETUP", Some(session), json!({ "USERNAME": "alice" })).await;
    assert_eq!(refused(&finish(&first).await), NO_SESSION, "nothing was set up");
    let verify = async |session: &str, code: &str| {
        call(&app, "VerifySoftwareToken", json!({ "Session": session, "UserCode": code })).await
    };
    let none = verify(&first, "123456").await;
    assert_eq!(refused(&none), "SoftwareTokenMFANotFoundException: Software Token MFA is not enabled by the userPool");

    let told = call(&app, "AssociateSoftwareToken", json!({ "Session": first })).await;
    let (secret, second) = (told.field("SecretCode"), told.field("Session"));
    assert_eq!(refused(&call(&app, "AssociateSoftwareToken", json!({ "Session": first })).await), NO_SESSION);
    assert_eq!(refused(&finish(&second).await), NO_SESSION, "it is told and not shown");
    let wrong = verify(&second, "000000").await;
    assert_eq!(refused(&wrong), "EnableSoftwareTokenMFAException: Code mismatch");
    let shown = verify(&second, &code(&app, &secret, 0)).await;
    assert_eq!(shown.field("Status"), "SUCCESS");
    let third = shown.field("Session");
    for used in [&first, &second] {
        assert_eq!(refused(&finish(used).await), NO_SESSION);
        assert_eq!(refused(&verify(used, &code(&app, &secret, 1)).await), NO_SESSION);
    }
    assert_eq!(refused(&answer(&app, &third, &code(&app, &secret, 1)).await), NO_SESSION, "of another step");
    let tokens = finish(&third).await;
    assert!(app.accepts(&result(&tokens, "AccessToken")).await);
    assert_eq!(refused(&finish(&third).await), NO_SESSION);

    // From now on the code is asked, whatever he prefers.
    let session = session(&app).await;
    assert_eq!(
        refused(&answer(&app, &session, &code(&app, &secret, 0)).await).split(':').next().unwrap(),
        "ExpiredCodeException"
    );
    assert_eq!(answer(&app, &session, &code(&app, &secret, 1)).await.status, 200);
    assert_eq!(refused(&sign_in(&app, "alice", "not the password").await), WRONG);
}

story!(a_pool_without_second_factors_sets_none_up);
async fn a_pool_without_second_factors_sets_none_up(app: TestApp) {
    app.user("alice").await;
    let token = result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken");
    let none = "SoftwareTokenMFANotFoundException: Software Token MFA is not enabled by the userPool";
    let cases: [(&str, Value, &str); 7] = [
        ("AssociateSoftwareToken", json!({ "AccessToken": token }), none),
        ("VerifySoftwareToken", json!({ "AccessToken": token, "UserCode": "123456" }), none),
        (
            "AssociateSoftwareToken",
            json!({}),
            "InvalidParameterException: Either an access token or a session must be given.",
        ),
        ("AssociateSoftwareToken", json!({ "AccessToken": "a.b.c" }), "NotAuthorizedException: Invalid Access Token"),
        ("AssociateSoftwareToken", json!({ "Session": "x".repeat(40) }), NO_SESSION),
        (
            "SetUserMFAPreference",
            json!({ "AccessToken": token, "SoftwareTokenMfaSettings": { "Enabled": true } }),
            "InvalidParameterException: User has not verified software token mfa",
        ),
        (
            "SetUserMFAPreference",
            json!({ "AccessToken": token, "SMSMfaSettings": { "Enabled": true } }),
            "InvalidParameterException: This server has no second factor by SMS or email.",
        ),
    ];
    for (operation, body, words) in cases {
        assert_eq!(refused(&call(&app, operation, body).await), words);
    }
}
