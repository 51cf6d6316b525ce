//! USER_AUTH: a sign-in whose first factor the user chooses.

use std::collections::BTreeSet;

use cognate::pool::NewUser;
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{FirstProof, MfaMode, MfaRules};
use serde_json::{Value, json};

use super::srp_client::SrpClient;
use super::{EXPIRED, NO_SESSION, USED, WRONG, WRONG_CODE, initiate, mailed, refused, respond, result};
use crate::app::{Answer, PASSWORD, TestApp, story};

const NOW: &str = "Sat Nov 21 12:00:00 UTC 2026";
const ALL: [&str; 3] = ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"];

async fn with_choice(app: &TestApp, hidden: bool) {
    app.change_pool(|pool| {
        pool.srp = true;
        pool.first_proofs = vec![FirstProof::Password, FirstProof::EmailOtp];
    })
    .await;
    app.change_client(|client| {
        client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowUserAuth]));
        client.hide_user_existence = Some(hidden);
    })
    .await;
}

async fn begin(app: &TestApp, username: &str, more: Value) -> Answer {
    let mut parameters = json!({ "USERNAME": username });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    initiate(app, "USER_AUTH", parameters).await
}

async fn preferring(app: &TestApp, username: &str, factor: &str) -> Answer {
    begin(app, username, json!({ "PREFERRED_CHALLENGE": factor })).await
}

async fn otp(app: &TestApp, username: &str, session: &str, code: &str) -> Answer {
    respond(app, "EMAIL_OTP", Some(session), json!({ "USERNAME": username, "EMAIL_OTP_CODE": code })).await
}

async fn select(app: &TestApp, session: &str, more: Value) -> Answer {
    let mut responses = json!({ "USERNAME": "alice" });
    responses.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    respond(app, "SELECT_CHALLENGE", Some(session), responses).await
}

fn offered(answer: &Answer) -> Value {
    answer.json()["AvailableChallenges"].clone()
}

story!(a_mailed_code_of_eight_digits_signs_in);
async fn a_mailed_code_of_eight_digits_signs_in(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    let asked = preferring(&app, "alice", "EMAIL_OTP").await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"EMAIL_OTP","Session":"{session}","ChallengeParameters":{{"CODE_DELIVERY_DELIVERY_MEDIUM":"EMAIL","CODE_DELIVERY_DESTINATION":"a***@e***"}},"AvailableChallenges":["PASSWORD_SRP","PASSWORD","EMAIL_OTP"]}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let code = mailed(&app, 8).await;
    assert_eq!(refused(&otp(&app, "alice", &session, "00000000").await), WRONG_CODE);
    assert_eq!(refused(&otp(&app, "bob", &session, &code).await), NO_SESSION);
    let tokens = otp(&app, "alice@example.test", &session, &code).await;
    assert!(app.accepts(&result(&tokens, "AccessToken")).await);
    assert!(tokens.json()["AuthenticationResult"]["RefreshToken"].is_string());
    assert_eq!(refused(&otp(&app, "alice", &session, &code).await), USED);
    let late = preferring(&app, "alice", "EMAIL_OTP").await.field("Session");
    let code = mailed(&app, 8).await;
    app.clock.advance_seconds(900);
    assert_eq!(refused(&otp(&app, "alice", &late, &code).await), EXPIRED);
}

story!(a_password_is_given_at_once_or_when_it_is_asked_for);
async fn a_password_is_given_at_once_or_when_it_is_asked_for(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    let at_once = json!({ "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": PASSWORD });
    let tokens = begin(&app, "alice", at_once.clone()).await;
    assert!(app.accepts(&result(&tokens, "AccessToken")).await);
    assert!(offered(&tokens).is_null());
    let wrong = json!({ "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": "not the password" });
    for name in ["alice", "nobody"] {
        assert_eq!(refused(&begin(&app, name, wrong.clone()).await), WRONG, "{name}");
    }
    let asked = preferring(&app, "alice", "PASSWORD").await;
    let session = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"PASSWORD","Session":"{session}","ChallengeParameters":{{}},"AvailableChallenges":["PASSWORD_SRP","PASSWORD","EMAIL_OTP"]}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let give = async |password: &str| {
        respond(&app, "PASSWORD", Some(&session), json!({ "USERNAME": "alice", "PASSWORD": password })).await
    };
    assert_eq!(refused(&give("not the password").await), WRONG, "the session stays");
    assert!(app.accepts(&result(&give(PASSWORD).await, "AccessToken")).await);
    assert_eq!(refused(&give(PASSWORD).await), USED);
    // What is asked for may also be brought as the answer to a choice (Amplify does so).
    let session = preferring(&app, "alice", "PASSWORD").await.field("Session");
    let chosen = select(&app, &session, json!({ "ANSWER": "PASSWORD", "PASSWORD": PASSWORD })).await;
    assert!(app.accepts(&result(&chosen, "AccessToken")).await);
}

story!(a_choice_is_asked_and_answered);
async fn a_choice_is_asked_and_answered(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    for more in [json!({}), json!({ "PREFERRED_CHALLENGE": "SMS_OTP" }), json!({ "PREFERRED_CHALLENGE": "x" })] {
        let asked = begin(&app, "alice", more).await;
        let session = asked.field("Session");
        let whole = format!(
            r#"{{"ChallengeName":"SELECT_CHALLENGE","Session":"{session}","ChallengeParameters":{{}},"AvailableChallenges":["PASSWORD_SRP","PASSWORD","EMAIL_OTP"]}}"#
        );
        assert_eq!(asked.whole(), (200, whole.as_str()));
    }
    let session = begin(&app, "alice", json!({})).await.field("Session");
    let invalid = |words: &str| format!("InvalidParameterException: {words}");
    let none = invalid("The answer is none of the challenges that can be chosen.");
    for what in ["SMS_OTP", "x"] {
        assert_eq!(refused(&select(&app, &session, json!({ "ANSWER": what })).await), none);
    }
    assert_eq!(refused(&select(&app, &session, json!({})).await), invalid("Missing required parameter ANSWER"));
    let passkey = invalid("WEB_AUTHN is not available on this server.");
    assert_eq!(refused(&select(&app, &session, json!({ "ANSWER": "WEB_AUTHN" })).await), passkey);
    assert_eq!(refused(&preferring(&app, "alice", "WEB_AUTHN").await), passkey);
    let asked = select(&app, &session, json!({ "ANSWER": "EMAIL_OTP" })).await;
    assert_eq!(asked.field("ChallengeName"), "EMAIL_OTP");
    assert!(offered(&asked).is_null());
    assert_eq!(refused(&select(&app, &session, json!({ "ANSWER": "EMAIL_OTP" })).await), USED);
    let code = mailed(&app, 8).await;
    assert_eq!(otp(&app, "alice", &asked.field("Session"), &code).await.status, 200);
}

story!(a_password_is_proven_by_srp_in_a_sign_in_by_choice);
async fn a_password_is_proven_by_srp_in_a_sign_in_by_choice(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    let prove = async |client: &SrpClient, asked: &Answer, password: &str| {
        assert_eq!(asked.field("ChallengeName"), "PASSWORD_VERIFIER");
        let parameters = asked.json()["ChallengeParameters"].clone();
        let responses = client.answer(app.pool().id(), &parameters, password, NOW);
        respond(&app, "PASSWORD_VERIFIER", None, responses).await
    };
    let client = SrpClient::new(7);
    let at_once = json!({ "PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": client.srp_a() });
    let asked = begin(&app, "alice", at_once.clone()).await;
    assert_eq!(offered(&asked), json!(ALL));
    assert!(app.accepts(&result(&prove(&client, &asked, PASSWORD).await, "AccessToken")).await);
    for (name, password) in [("alice", "not the password"), ("nobody", PASSWORD)] {
        let asked = begin(&app, name, at_once.clone()).await;
        assert_eq!(refused(&prove(&client, &asked, password).await), WRONG, "{name}");
    }
    let session = begin(&app, "alice", json!({})).await.field("Session");
    let srp = json!({ "ANSWER": "PASSWORD_SRP", "SRP_A": client.srp_a() });
    let asked = select(&app, &session, srp.clone()).await;
    assert!(app.accepts(&result(&prove(&client, &asked, PASSWORD).await, "AccessToken")).await);
    assert_eq!(refused(&select(&app, &session, srp).await), USED);
    let session = preferring(&app, "alice", "PASSWORD_SRP").await.field("Session");
    let responses = json!({ "USERNAME": "alice", "SRP_A": client.srp_a() });
    let asked = respond(&app, "PASSWORD_SRP", Some(&session), responses).await;
    assert!(app.accepts(&result(&prove(&client, &asked, PASSWORD).await, "AccessToken")).await);
}

/// Name and keys of an answer, and of what it tells.
fn shape(answer: &Answer) -> (u16, Value, BTreeSet<String>, Value) {
    let body = answer.json();
    let told = body["ChallengeParameters"].as_object().map(|told| told.keys().cloned().collect()).unwrap_or_default();
    (answer.status, body["ChallengeName"].clone(), told, body["AvailableChallenges"].clone())
}

// D01, K03, K12: nobody, a registration that proved nothing, a user without an address and one with a temporary password
// are asked like everybody else, and nothing they answer is right.
story!(who_can_be_mailed_a_code_is_hidden);
async fn who_can_be_mailed_a_code_is_hidden(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    app.pool().create_user(NewUser::new("bob", PASSWORD)).await.unwrap();
    let email = Some("carol@example.test".to_owned());
    app.pool().create_user(NewUser { temporary: true, email, ..NewUser::new("carol", PASSWORD) }).await.unwrap();
    app.user("dave").await;
    app.pool().disable_user("dave").await.unwrap();
    let names = ["alice", "nobody", "bob", "carol", "dave"];
    let mut seen = Vec::new();
    for name in names {
        let asked = preferring(&app, name, "EMAIL_OTP").await;
        let session = asked.field("Session");
        let mails = app.mails().await.len();
        assert_eq!(mails, usize::from(name == "alice"), "{name}");
        assert_eq!(session.len(), preferring(&app, "alice", "EMAIL_OTP").await.field("Session").len());
        app.mails().await;
        let mut words = vec![refused(&otp(&app, "eve", &session, "00000000").await)];
        for _ in 0..5 {
            words.push(refused(&otp(&app, name, &session, "00000000").await));
        }
        let locked = preferring(&app, name, "EMAIL_OTP").await;
        words.push(refused(&locked));
        app.clock.advance_seconds(2);
        words.push(refused(&otp(&app, name, &session, "00000000").await));
        seen.push((shape(&asked), shape(&begin(&app, name, json!({})).await), words));
        app.clock.advance_seconds(3600);
    }
    let locked = "NotAuthorizedException: Password attempts exceeded";
    // Five answers, of which one said another name.
    let all = [&[NO_SESSION][..], &[WRONG_CODE; 4], &[USED, locked, USED]].concat();
    for (one, name) in seen.iter().zip(names) {
        assert_eq!(one.2, all, "{name}");
        assert_eq!((&one.0, &one.1), (&seen[0].0, &seen[0].1), "{name}");
    }
    // Of a name without a user the same is told each time.
    let told = async || preferring(&app, "nobody", "EMAIL_OTP").await.json()["ChallengeParameters"].clone();
    assert_eq!(told().await, told().await);
}

story!(where_existence_is_shown_a_user_is_offered_what_he_has);
async fn where_existence_is_shown_a_user_is_offered_what_he_has(app: TestApp) {
    with_choice(&app, false).await;
    app.user("alice").await;
    app.pool().create_user(NewUser { email: None, ..NewUser::new("bob", PASSWORD) }).await.unwrap();
    let email = Some("carol@example.test".to_owned());
    app.pool().create_user(NewUser { temporary: true, email, ..NewUser::new("carol", PASSWORD) }).await.unwrap();
    let attributes =
        json!([{ "Name": "email", "Value": "dave@example.test" }, { "Name": "email_verified", "Value": "true" }]);
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "dave", "UserAttributes": attributes });
    let made = app.cognito_admin("AdminCreateUser", body).await;
    assert_eq!(made.json()["User"]["UserStatus"], "CONFIRMED", "without a password: {}", made.text);
    assert!(app.mails().await.is_empty(), "there is nothing to tell");
    let passwords = json!(["PASSWORD_SRP", "PASSWORD"]);
    for (name, challenge, offers) in [
        ("alice", "EMAIL_OTP", json!(ALL)),
        ("bob", "SELECT_CHALLENGE", passwords.clone()),
        ("carol", "SELECT_CHALLENGE", passwords),
        ("dave", "EMAIL_OTP", json!(["EMAIL_OTP"])),
    ] {
        let asked = preferring(&app, name, "EMAIL_OTP").await;
        assert_eq!((asked.field("ChallengeName"), offered(&asked)), (challenge.to_owned(), offers), "{name}");
    }
    let missing = "UserNotFoundException: User does not exist.";
    assert_eq!(refused(&preferring(&app, "nobody", "EMAIL_OTP").await), missing);
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(refused(&preferring(&app, "alice", "EMAIL_OTP").await), "NotAuthorizedException: User is disabled.");
    let factors = async |name: &str| {
        let body = json!({ "UserPoolId": app.pool().id(), "Username": name });
        app.cognito_admin("AdminGetUserAuthFactors", body).await.text
    };
    assert_eq!(factors("dave").await, r#"{"Username":"dave","ConfiguredUserAuthFactors":["EMAIL_OTP"]}"#);
    assert_eq!(factors("bob").await, r#"{"Username":"bob","ConfiguredUserAuthFactors":["PASSWORD"]}"#);
}

// S23: what went out to somebody whose standing or address changed signs nobody in.
story!(a_code_signs_in_only_who_may_still_sign_in_by_it);
async fn a_code_signs_in_only_who_may_still_sign_in_by_it(app: TestApp) {
    with_choice(&app, false).await;
    app.user("alice").await;
    let begun = async || {
        let session = preferring(&app, "alice", "EMAIL_OTP").await.field("Session");
        (session, mailed(&app, 8).await)
    };
    let (session, code) = begun().await;
    let moved = [("email".to_owned(), "new@example.test".to_owned()), ("email_verified".to_owned(), "true".to_owned())];
    app.pool().update_attributes("alice", &moved).await.unwrap();
    assert_eq!(refused(&otp(&app, "alice", &session, &code).await), WRONG_CODE);
    let (session, code) = begun().await;
    app.pool().sign_out_user("alice").await.unwrap();
    assert_eq!(refused(&otp(&app, "alice", &session, &code).await), WRONG_CODE);
    let (session, code) = begun().await;
    app.pool().disable_user("alice").await.unwrap();
    app.pool().enable_user("alice").await.unwrap();
    assert_eq!(refused(&otp(&app, "alice", &session, &code).await), WRONG_CODE);
    let (session, code) = begun().await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password]).await;
    assert_eq!(refused(&otp(&app, "alice", &session, &code).await), WRONG_CODE);
}

// A code that goes where the second factor would is no first one.
story!(who_owes_a_second_factor_begins_with_his_password);
async fn who_owes_a_second_factor_begins_with_his_password(app: TestApp) {
    with_choice(&app, false).await;
    app.user("alice").await;
    let rules = MfaRules { mode: MfaMode::On, software_token: true, email: true, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
    let asked = preferring(&app, "alice", "EMAIL_OTP").await;
    assert_eq!(
        (asked.field("ChallengeName"), offered(&asked)),
        ("SELECT_CHALLENGE".to_owned(), json!(["PASSWORD_SRP", "PASSWORD"]))
    );
    let proven = select(&app, &asked.field("Session"), json!({ "ANSWER": "PASSWORD", "PASSWORD": PASSWORD })).await;
    assert_eq!(proven.field("ChallengeName"), "EMAIL_OTP");
    let code = mailed(&app, 6).await;
    assert_eq!(otp(&app, "alice", &proven.field("Session"), &code).await.status, 200);
    // Where who exists is hidden, so is that: the code is asked for and never sent.
    app.change_client(|client| client.hide_user_existence = Some(true)).await;
    assert_eq!(preferring(&app, "alice", "EMAIL_OTP").await.field("ChallengeName"), "EMAIL_OTP");
    assert!(app.mails().await.is_empty());
}

// K10
story!(a_session_of_a_choice_answers_nothing_else);
async fn a_session_of_a_choice_answers_nothing_else(app: TestApp) {
    with_choice(&app, true).await;
    app.user("alice").await;
    let choice = begin(&app, "alice", json!({})).await.field("Session");
    let code = preferring(&app, "alice", "EMAIL_OTP").await.field("Session");
    let responses = json!({ "USERNAME": "alice", "EMAIL_OTP_CODE": "00000000", "SMS_OTP_CODE": "00000000",
        "SMS_MFA_CODE": "000000", "SOFTWARE_TOKEN_MFA_CODE": "000000", "NEW_PASSWORD": PASSWORD, "ANSWER": "PASSWORD",
        "PASSWORD": PASSWORD, "EMAIL": "alice@example.test" });
    let others = ["SMS_OTP", "SMS_MFA", "SOFTWARE_TOKEN_MFA", "NEW_PASSWORD_REQUIRED", "MFA_SETUP", "SELECT_MFA_TYPE"];
    for other in others {
        for session in [&choice, &code] {
            assert_eq!(refused(&respond(&app, other, Some(session), responses.clone()).await), NO_SESSION, "{other}");
        }
    }
    assert_eq!(refused(&respond(&app, "EMAIL_OTP", Some(&choice), responses.clone()).await), NO_SESSION);
    for other in ["SELECT_CHALLENGE", "PASSWORD"] {
        assert_eq!(refused(&respond(&app, other, Some(&code), responses.clone()).await), NO_SESSION);
    }
    let elsewhere = json!({ "USERNAME": "bob", "ANSWER": "PASSWORD", "PASSWORD": PASSWORD });
    assert_eq!(refused(&respond(&app, "SELECT_CHALLENGE", Some(&choice), elsewhere).await), NO_SESSION);
}

story!(a_pools_first_factors_are_set_and_described);
async fn a_pools_first_factors_are_set_and_described(app: TestApp) {
    let made = async |factors: &[&str]| {
        let policies = json!({ "SignInPolicy": { "AllowedFirstAuthFactors": factors } });
        app.cognito_admin("CreateUserPool", json!({ "PoolName": "choice", "Policies": policies })).await
    };
    let answer = made(&["PASSWORD", "EMAIL_OTP"]).await;
    let factors = answer.json()["UserPool"]["Policies"]["SignInPolicy"].clone();
    assert_eq!(factors, json!({ "AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"] }));
    for factor in ["WEB_AUTHN", "SMS_OTP"] {
        let words = format!(
            "InvalidParameterException: Policies.SignInPolicy.AllowedFirstAuthFactors {factor} is not available on this server."
        );
        assert_eq!(refused(&made(&["PASSWORD", factor]).await), words);
    }
}
