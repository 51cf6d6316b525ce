//! Devices: offered, confirmed, remembered, proven by SRP after the password, and forgotten (contract cognito (c)).

use cognate::pool::settings::{DeviceRules, MfaMode};
use cognate::pool::{DEVICES_A_USER, Rotation};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::mfa::{code, with_application, with_mfa};
use super::srp::{by_srp, with_srp};
use super::srp_client::{MODULUS, SrpClient, device_verifier};
use super::{NO_SESSION, USED, WRONG, call, initiate, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, claims, story};

/// When every test begins.
const NOW: &str = "Sat Nov 21 12:00:00 UTC 2026";
const NO_DEVICE: &str = "ResourceNotFoundException: Device does not exist.";
const INVALID: &str = "NotAuthorizedException: Invalid Refresh Token";
const REVOKED: &str = "NotAuthorizedException: Refresh Token has been revoked";
const SECRET: &str = "c2VjcmV0IG9mIGEgZGV2aWNlIHRoYXQgaXMgbG9uZyBlbm91Z2g=";

async fn tracking(app: &TestApp, challenge_required_on_new: bool, only_remembered_on_prompt: bool) {
    let rules = DeviceRules { challenge_required_on_new, only_remembered_on_prompt };
    app.change_pool(|pool| pool.devices = Some(rules)).await;
}

/// A device as its client keeps it.
#[derive(Clone)]
struct Phone {
    key: String,
    group: String,
}

impl Phone {
    fn offered(answer: &Answer) -> Self {
        let told = answer.json()["AuthenticationResult"]["NewDeviceMetadata"].clone();
        let text =
            |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned();
        Self { key: text("DeviceKey"), group: text("DeviceGroupKey") }
    }

    fn words<'a>(&'a self, secret: &'a str) -> [&'a str; 3] {
        [&self.key, &self.group, secret]
    }

    fn confirmation(&self, access_token: &str) -> Value {
        json!({ "AccessToken": access_token, "DeviceKey": self.key, "DeviceName": "Alice's phone",
                "DeviceSecretVerifierConfig": device_verifier(self.words(SECRET)) })
    }
}

/// A sign-in with the password on a device.
async fn sign_in_on(app: &TestApp, username: &str, key: &str) -> Answer {
    initiate(app, "USER_PASSWORD_AUTH", json!({ "USERNAME": username, "PASSWORD": PASSWORD, "DEVICE_KEY": key })).await
}

/// A phone that a user has confirmed; the answer to the sign-in that it was offered in.
async fn confirmed(app: &TestApp, username: &str) -> (Phone, Answer) {
    let signed_in = sign_in(app, username, PASSWORD).await;
    let phone = Phone::offered(&signed_in);
    let confirmation = phone.confirmation(&result(&signed_in, "AccessToken"));
    let answer = call(app, "ConfirmDevice", confirmation).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (phone, signed_in)
}

async fn begin(app: &TestApp, phone: &Phone, session: Option<&str>) -> Answer {
    let responses = json!({ "USERNAME": "alice", "DEVICE_KEY": phone.key, "SRP_A": SrpClient::new(5).srp_a() });
    respond(app, "DEVICE_SRP_AUTH", session, responses).await
}

fn proof(phone: &Phone, secret: &str, asked: &Answer) -> Value {
    assert_eq!(asked.status, 200, "{}", asked.text);
    SrpClient::new(5).answer_of(phone.words(secret), &asked.json()["ChallengeParameters"], NOW)
}

async fn prove(app: &TestApp, phone: &Phone, asked: &Answer) -> Answer {
    respond(app, "DEVICE_PASSWORD_VERIFIER", None, proof(phone, SECRET, asked)).await
}

/// What follows the password on a device that is known.
async fn go_on(app: &TestApp, phone: &Phone, session: Option<&str>) -> Answer {
    let asked = begin(app, phone, session).await;
    prove(app, phone, &asked).await
}

async fn refreshed(app: &TestApp, token: &str, key: Option<&str>) -> Answer {
    let body = json!({ "RefreshToken": token, "ClientId": app.client().id, "DeviceKey": key });
    call(app, "GetTokensFromRefreshToken", body).await
}

async fn status(app: &TestApp, token: &str, key: &str, status: &str) -> Answer {
    let body = json!({ "AccessToken": token, "DeviceKey": key, "DeviceRememberedStatus": status });
    call(app, "UpdateDeviceStatus", body).await
}

story!(a_device_is_offered_confirmed_and_proves_itself_after_the_password);
async fn a_device_is_offered_confirmed_and_proves_itself_after_the_password(app: TestApp) {
    app.user("alice").await;
    assert!(sign_in(&app, "alice", PASSWORD).await.json()["AuthenticationResult"]["NewDeviceMetadata"].is_null());
    tracking(&app, false, false).await;
    let first = sign_in(&app, "alice", PASSWORD).await;
    let (phone, access) = (Phone::offered(&first), result(&first, "AccessToken"));
    assert!(phone.key.starts_with("us-east-1_") && phone.key.len() == 46, "{}", phone.key);
    assert!(phone.group.starts_with('-') && phone.group.len() == 10, "{}", phone.group);
    assert!(claims(&access)["device_key"].is_null());
    let confirmation = phone.confirmation(&access);
    for _ in 0..2 {
        // Also again, because an answer may be lost.
        let answer = call(&app, "ConfirmDevice", confirmation.clone()).await;
        assert_eq!(answer.whole(), (200, r#"{"UserConfirmationNecessary":false}"#));
    }
    app.clock.advance_seconds(60);
    let asked = sign_in_on(&app, "alice", &phone.key).await;
    let session = asked.field("Session");
    let whole = format!(r#"{{"ChallengeName":"DEVICE_SRP_AUTH","Session":"{session}","ChallengeParameters":{{}}}}"#);
    assert_eq!(asked.whole(), (200, whole.as_str()));
    let asked = begin(&app, &phone, Some(&session)).await.json();
    assert_eq!(asked["ChallengeName"], "DEVICE_PASSWORD_VERIFIER");
    let told: Vec<&String> = asked["ChallengeParameters"].as_object().unwrap().keys().collect();
    assert_eq!(told, ["DEVICE_KEY", "SALT", "SECRET_BLOCK", "SRP_B", "USERNAME"]);
    let tokens = go_on(&app, &phone, Some(&session)).await;
    let access = result(&tokens, "AccessToken");
    assert_eq!(claims(&access)["device_key"], json!(phone.key));
    assert!(tokens.json()["AuthenticationResult"]["NewDeviceMetadata"].is_null());
    assert!(app.accepts(&access).await);
    let found = call(&app, "GetDevice", json!({ "AccessToken": access, "DeviceKey": phone.key })).await;
    let attributes = concat!(
        r#"[{"Name":"device_status","Value":"valid"},{"Name":"device_name","Value":"Alice's phone"},"#,
        r#"{"Name":"dev:device_remembered_status","Value":"remembered"}]"#
    );
    let whole = format!(
        r#"{{"Device":{{"DeviceKey":"{}","DeviceAttributes":{attributes},"DeviceCreateDate":1795262400.0,"DeviceLastModifiedDate":1795262400.0,"DeviceLastAuthenticatedDate":1795262460.0}}}}"#,
        phone.key
    );
    assert_eq!(found.whole(), (200, whole.as_str()));
}

// K05: a dump of the store holds nothing that a device's secret can be guessed by.
story!(a_verifier_of_a_device_rests_sealed_for_its_place);
async fn a_verifier_of_a_device_rests_sealed_for_its_place(app: TestApp) {
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let user = app.pool().find_user("alice").await.unwrap();
    let kept = app.pool().device(user.sub, &phone.key).await.unwrap();
    let given = device_verifier(phone.words(SECRET))["PasswordVerifier"].as_str().unwrap().to_owned();
    assert!(!kept.verifier.contains(&given[..40]) && !format!("{kept:?}").contains(&kept.verifier));
    // Moved to another device it does not open.
    let (other, _) = confirmed(&app, "alice").await;
    let directory = &app.api.ports.directory;
    let moved =
        cognate::store::device::Device { id: app.pool().device(user.sub, &other.key).await.unwrap().id, ..kept };
    directory.forget_device(app.pool().id(), user.sub, moved.id, cognate::clock::Timestamp(0)).await.unwrap();
    assert!(directory.confirm_device(&moved, 9, cognate::clock::Timestamp(0)).await.unwrap());
    let session = sign_in_on(&app, "alice", &other.key).await.field("Session");
    assert_eq!(begin(&app, &other, Some(&session)).await.status, 500);
}

story!(what_was_not_offered_to_a_session_is_not_confirmed_in_it);
async fn what_was_not_offered_to_a_session_is_not_confirmed_in_it(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let before = result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken");
    let stranger = Phone { key: "us-east-1_0d9c2b1a-7e6f-4a5b-9c8d-1e2f3a4b5c6d".to_owned(), group: "-x".to_owned() };
    let off = refused(&call(&app, "ConfirmDevice", stranger.confirmation(&before)).await);
    assert_eq!(off, "OperationNotEnabledException: Device tracking is not configured");
    tracking(&app, false, true).await;
    let [alice, bob] = [sign_in(&app, "alice", PASSWORD).await, sign_in(&app, "bob", PASSWORD).await];
    let access = result(&alice, "AccessToken");
    for phone in [&Phone::offered(&bob), &stranger] {
        assert_eq!(refused(&call(&app, "ConfirmDevice", phone.confirmation(&access)).await), NO_DEVICE);
    }
    let phone = Phone::offered(&alice);
    let mut elsewhere = phone.confirmation(&access);
    elsewhere["AccessToken"] = json!(result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken"));
    assert_eq!(refused(&call(&app, "ConfirmDevice", elsewhere).await), NO_DEVICE);
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut body = phone.confirmation(&access);
        change(&mut body["DeviceSecretVerifierConfig"]);
        body
    };
    let zero = "AA==";
    for (body, words) in [
        (broken(&|config| config["Salt"] = Value::Null), "Missing required parameter Salt"),
        (broken(&|config| *config = Value::Null), "Missing required parameter Salt"),
        (broken(&|config| config["PasswordVerifier"] = Value::Null), "Missing required parameter PasswordVerifier"),
        (broken(&|config| config["PasswordVerifier"] = json!(zero)), "PasswordVerifier is not a verifier in base64"),
        (
            broken(&|config| config["PasswordVerifier"] = json!("no base64")),
            "PasswordVerifier is not a verifier in base64",
        ),
        (broken(&|config| config["Salt"] = json!("")), "Salt is not a salt in base64"),
    ] {
        let refusal = refused(&call(&app, "ConfirmDevice", body).await);
        assert_eq!(refusal, format!("InvalidParameterException: {words}"));
    }
    let answer = call(&app, "ConfirmDevice", phone.confirmation(&access)).await;
    assert_eq!(answer.whole(), (200, r#"{"UserConfirmationNecessary":true}"#));
    let mut another = phone.confirmation(&access);
    another["DeviceSecretVerifierConfig"] = device_verifier(phone.words("another secret"));
    let exists = refused(&call(&app, "ConfirmDevice", another).await);
    assert_eq!(exists, "DeviceKeyExistsException: Device already exists.");
    app.pool().sign_out_user("alice").await.unwrap();
    let over = refused(&call(&app, "ConfirmDevice", phone.confirmation(&access)).await);
    assert_eq!(over, "NotAuthorizedException: Access Token has been revoked");
}

// (m) 3, K10: without the password just before, a device opens nothing, whoever has its secret.
story!(a_device_alone_signs_nobody_in);
async fn a_device_alone_signs_nobody_in(app: TestApp) {
    tracking(&app, true, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    let wrong = json!({ "USERNAME": "alice", "PASSWORD": "not the password", "DEVICE_KEY": phone.key });
    assert_eq!(refused(&initiate(&app, "USER_PASSWORD_AUTH", wrong).await), WRONG);
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    // Nor on the strength of a sign-in that named no device, or went all the way.
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    assert_eq!(go_on(&app, &phone, Some(&session)).await.status, 200);
    for session in [None, Some(session.as_str()), Some("a session that nobody was given")] {
        let refusal = refused(&begin(&app, &phone, session).await);
        assert!([NO_SESSION, USED].contains(&refusal.as_str()), "{refusal}");
    }
    // Nobody is told whether there is such a user.
    let nobody = json!({ "USERNAME": "nobody", "DEVICE_KEY": phone.key, "SRP_A": SrpClient::new(5).srp_a() });
    assert_eq!(refused(&respond(&app, "DEVICE_SRP_AUTH", None, nobody).await), NO_SESSION);
}

// §0.2 of pycognito: it brings no Session to either step, for a minute after the password.
story!(a_client_that_brings_no_session_goes_on_within_a_minute_and_once);
async fn a_client_that_brings_no_session_goes_on_within_a_minute_and_once(app: TestApp) {
    let app = app.doubled().await;
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let [one, other] = [begin(&app, &phone, None).await, begin(&app, &phone, None).await];
    let answers = join_all([prove(&app, &phone, &one), prove(&app, &phone, &other)]).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "one password opens one session");
    let over = |answer: &Answer| [NO_SESSION, USED].contains(&refused(answer).as_str());
    assert!(answers.iter().filter(|answer| answer.status != 200).all(over));
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    app.clock.advance_seconds(60);
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    // With its Session a client has as long as with any other.
    assert_eq!(begin(&app, &phone, Some(&session)).await.status, 200);
}

// K02
story!(a_block_of_a_device_is_good_for_one_proof_right_or_wrong);
async fn a_block_of_a_device_is_good_for_one_proof_right_or_wrong(app: TestApp) {
    let app = app.doubled().await;
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let verifier = "DEVICE_PASSWORD_VERIFIER";
    let asked = begin(&app, &phone, Some(&session)).await;
    let wrong = respond(&app, verifier, None, proof(&phone, "another secret", &asked)).await;
    assert_eq!(refused(&wrong), WRONG);
    assert_eq!(refused(&prove(&app, &phone, &asked).await), NO_SESSION, "burnt at the first try");
    let asked = begin(&app, &phone, Some(&session)).await;
    let late = SrpClient::new(5).answer_of(
        phone.words(SECRET),
        &asked.json()["ChallengeParameters"],
        "Sat Nov 21 11:54:59 UTC 2026",
    );
    assert_eq!(refused(&respond(&app, verifier, None, late).await), WRONG, "K02: an old timestamp");
    let asked = begin(&app, &phone, Some(&session)).await;
    for (name, words) in [
        ("DEVICE_KEY", "InvalidParameterException: Missing required parameter DEVICE_KEY"),
        ("TIMESTAMP", "InvalidParameterException: Missing required parameter TIMESTAMP"),
        ("PASSWORD_CLAIM_SIGNATURE", "InvalidParameterException: Missing required parameter PASSWORD_CLAIM_SIGNATURE"),
    ] {
        let mut without = proof(&phone, SECRET, &asked);
        without[name] = Value::Null;
        assert_eq!(refused(&respond(&app, verifier, None, without).await), words);
    }
    let right = proof(&phone, SECRET, &asked);
    let answers = join_all((0..6).map(|_| respond(&app, verifier, None, right.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| refused(answer) == NO_SESSION));
}

// K01, K12
story!(numbers_that_give_the_secret_away_are_refused_and_wrong_proofs_lock);
async fn numbers_that_give_the_secret_away_are_refused_and_wrong_proofs_lock(app: TestApp) {
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    for number in ["0", &MODULUS, "xyz"] {
        let responses = json!({ "USERNAME": "alice", "DEVICE_KEY": phone.key, "SRP_A": number });
        let refusal = refused(&respond(&app, "DEVICE_SRP_AUTH", Some(&session), responses).await);
        assert_eq!(refusal, "InvalidParameterException: SRP_A must be a number between 0 and N in hexadecimal");
    }
    let last = begin(&app, &phone, Some(&session)).await;
    for _ in 0..5 {
        let asked = begin(&app, &phone, Some(&session)).await;
        let wrong = proof(&phone, "another secret", &asked);
        assert_eq!(refused(&respond(&app, "DEVICE_PASSWORD_VERIFIER", None, wrong).await), WRONG);
    }
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(refused(&begin(&app, &phone, Some(&session)).await), locked);
    assert_eq!(refused(&prove(&app, &phone, &last).await), locked);
    // The password has a count of its own.
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
}

// K10, S23
story!(a_device_goes_on_from_its_own_user_client_and_password_and_no_other);
async fn a_device_goes_on_from_its_own_user_client_and_password_and_no_other(app: TestApp) {
    const ANOTHER: &str = "another lamp entirely";
    tracking(&app, false, false).await;
    app.user("alice").await;
    app.user("bob").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let (bobs, _) = confirmed(&app, "bob").await;
    let (second, _) = confirmed(&app, "alice").await;
    assert_eq!(refused(&sign_in_on(&app, "alice", &bobs.key).await), NO_DEVICE);

    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    for other in [&bobs, &second] {
        assert_eq!(refused(&begin(&app, other, Some(&session)).await), NO_SESSION);
        assert_eq!(refused(&begin(&app, other, None).await), NO_SESSION);
    }
    let as_bob = json!({ "USERNAME": "bob", "DEVICE_KEY": phone.key, "SRP_A": SrpClient::new(5).srp_a() });
    assert_eq!(refused(&respond(&app, "DEVICE_SRP_AUTH", Some(&session), as_bob).await), NO_SESSION);
    let asked = begin(&app, &phone, Some(&session)).await;
    let mut mixed = proof(&phone, SECRET, &asked);
    mixed["DEVICE_KEY"] = json!(second.key);
    assert_eq!(refused(&respond(&app, "DEVICE_PASSWORD_VERIFIER", None, mixed.clone()).await), NO_SESSION);
    assert_eq!(refused(&respond(&app, "PASSWORD_VERIFIER", None, mixed).await), NO_SESSION);
    let mut as_bob = proof(&phone, SECRET, &asked);
    as_bob["USERNAME"] = json!("bob");
    assert_eq!(refused(&respond(&app, "DEVICE_PASSWORD_VERIFIER", None, as_bob).await), NO_SESSION);

    // Another client knows nothing of it.
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let at_other = |operation: &'static str, mut body: Value| {
        body["ClientId"] = json!(other.id);
        let app = &app;
        async move { refused(&call(app, operation, body).await) }
    };
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD, "DEVICE_KEY": phone.key });
    let body = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters });
    assert_eq!(at_other("InitiateAuth", body).await, NO_DEVICE);
    let responses = json!({ "USERNAME": "alice", "DEVICE_KEY": phone.key, "SRP_A": SrpClient::new(5).srp_a() });
    for session in [Some(&session), None] {
        let body = json!({ "ChallengeName": "DEVICE_SRP_AUTH", "Session": session, "ChallengeResponses": responses });
        assert_eq!(at_other("RespondToAuthChallenge", body).await, NO_SESSION);
    }
    let asked = begin(&app, &phone, Some(&session)).await;
    let right = proof(&phone, SECRET, &asked);
    let body = json!({ "ChallengeName": "DEVICE_PASSWORD_VERIFIER", "ChallengeResponses": right });
    assert_eq!(at_other("RespondToAuthChallenge", body).await, NO_SESSION);

    // Who knew a password that was replaced since, or was signed out, goes no further.
    app.pool().set_password("alice", ANOTHER, false).await.unwrap();
    assert_eq!(refused(&prove(&app, &phone, &asked).await), NO_SESSION);
    for session in [Some(session.as_str()), None] {
        assert_eq!(refused(&begin(&app, &phone, session).await), NO_SESSION);
    }
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": ANOTHER, "DEVICE_KEY": phone.key });
    let session = initiate(&app, "USER_PASSWORD_AUTH", parameters).await.field("Session");
    let asked = begin(&app, &phone, Some(&session)).await;
    app.pool().sign_out_user("alice").await.unwrap();
    assert_eq!(refused(&prove(&app, &phone, &asked).await), NO_SESSION);
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": ANOTHER, "DEVICE_KEY": phone.key });
    let session = initiate(&app, "USER_PASSWORD_AUTH", parameters).await.field("Session");
    let asked = begin(&app, &phone, Some(&session)).await;
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(refused(&prove(&app, &phone, &asked).await), "NotAuthorizedException: User is disabled.");
}

story!(a_forgotten_device_proves_nothing_and_its_sessions_are_over);
async fn a_forgotten_device_proves_nothing_and_its_sessions_are_over(app: TestApp) {
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, born) = confirmed(&app, "alice").await;
    let (other, kept) = confirmed(&app, "alice").await;
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let later = go_on(&app, &phone, Some(&session)).await;
    let halfway = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let asked = begin(&app, &phone, Some(&halfway)).await;
    let [born, later, kept] =
        [born, later, kept].map(|answer| (result(&answer, "AccessToken"), result(&answer, "RefreshToken")));
    for (access, _) in [&born, &later, &kept] {
        assert!(app.accepts(access).await);
    }
    let forget = json!({ "AccessToken": kept.0, "DeviceKey": phone.key });
    assert_eq!(call(&app, "ForgetDevice", forget.clone()).await.whole(), (200, "{}"));
    assert_eq!(refused(&call(&app, "ForgetDevice", forget).await), NO_DEVICE);
    for (access, refresh) in [&born, &later] {
        assert!(!app.accepts(access).await);
        assert_eq!(refused(&refreshed(&app, refresh, Some(&phone.key)).await), REVOKED);
    }
    assert!(app.accepts(&kept.0).await);
    assert_eq!(refreshed(&app, &kept.1, Some(&other.key)).await.status, 200);
    assert_eq!(refused(&prove(&app, &phone, &asked).await), NO_DEVICE);
    assert_eq!(refused(&begin(&app, &phone, Some(&halfway)).await), NO_DEVICE);
    assert_eq!(refused(&sign_in_on(&app, "alice", &phone.key).await), NO_DEVICE);
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!(app.pool().sessions_of(&user).await.unwrap().len(), 1);
    // What was forgotten is not confirmed again in the session that it came from.
    let again = refused(&call(&app, "ConfirmDevice", phone.confirmation(&born.0)).await);
    assert_eq!(again, "NotAuthorizedException: Access Token has been revoked");
}

story!(a_session_of_a_device_is_refreshed_on_it_alone);
async fn a_session_of_a_device_is_refreshed_on_it_alone(app: TestApp) {
    tracking(&app, false, false).await;
    app.user("alice").await;
    let first = sign_in(&app, "alice", PASSWORD).await;
    let (phone, token) = (Phone::offered(&first), result(&first, "RefreshToken"));
    // Until the device is confirmed there is nothing to be bound to; clients send what they have.
    for key in [None, Some(phone.key.as_str())] {
        let access = result(&refreshed(&app, &token, key).await, "AccessToken");
        assert!(claims(&access)["device_key"].is_null());
    }
    let confirmation = phone.confirmation(&result(&first, "AccessToken"));
    assert_eq!(call(&app, "ConfirmDevice", confirmation).await.status, 200);
    let (other, _) = confirmed(&app, "alice").await;
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let later = result(&go_on(&app, &phone, Some(&session)).await, "RefreshToken");
    for token in [&token, &later] {
        for key in [None, Some(other.key.as_str()), Some("us-east-1_7a1b2c3d")] {
            assert_eq!(refused(&refreshed(&app, token, key).await), INVALID);
            let parameters = json!({ "REFRESH_TOKEN": token, "DEVICE_KEY": key });
            assert_eq!(refused(&initiate(&app, "REFRESH_TOKEN_AUTH", parameters).await), INVALID);
        }
        let parameters = json!({ "REFRESH_TOKEN": token, "DEVICE_KEY": phone.key });
        for answer in
            [refreshed(&app, token, Some(&phone.key)).await, initiate(&app, "REFRESH_TOKEN_AUTH", parameters).await]
        {
            let access = result(&answer, "AccessToken");
            assert_eq!(claims(&access)["device_key"], json!(phone.key));
            assert!(app.accepts(&access).await);
            assert!(answer.json()["AuthenticationResult"]["NewDeviceMetadata"].is_null());
        }
        // Taking it back needs no device: RevokeToken has no room for one.
        let revoke = json!({ "Token": token, "ClientId": app.client().id });
        assert_eq!(call(&app, "RevokeToken", revoke).await.whole(), (200, "{}"));
        assert_eq!(refused(&refreshed(&app, token, Some(&phone.key)).await), REVOKED);
    }
}

story!(a_rotated_refresh_token_stays_with_its_device);
async fn a_rotated_refresh_token_stays_with_its_device(app: TestApp) {
    tracking(&app, false, false).await;
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
    app.user("alice").await;
    let (phone, born) = confirmed(&app, "alice").await;
    let first = result(&born, "RefreshToken");
    assert_eq!(refused(&refreshed(&app, &first, None).await), INVALID);
    let second = result(&refreshed(&app, &first, Some(&phone.key)).await, "RefreshToken");
    // The refusal moved nothing, and the predecessor still yields the same successor.
    assert_eq!(result(&refreshed(&app, &first, Some(&phone.key)).await, "RefreshToken"), second);
    assert_eq!(refused(&refreshed(&app, &second, None).await), INVALID);
    let third = result(&refreshed(&app, &second, Some(&phone.key)).await, "RefreshToken");
    assert_eq!(refreshed(&app, &third, Some(&phone.key)).await.status, 200);
}

story!(a_remembered_device_stands_for_the_second_factor_where_the_pool_says_so);
async fn a_remembered_device_stands_for_the_second_factor_where_the_pool_says_so(app: TestApp) {
    tracking(&app, true, true).await;
    with_mfa(&app, MfaMode::Optional).await;
    let secret = with_application(&app, "alice").await;
    let answer_code = async |app: &TestApp, session: &str, code: &str| {
        let responses = json!({ "USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code });
        respond(app, "SOFTWARE_TOKEN_MFA", Some(session), responses).await
    };
    // On a new device the factor is asked; the device is offered after it.
    let session = sign_in(&app, "alice", PASSWORD).await.field("Session");
    let tokens = answer_code(&app, &session, &code(&app, &secret, 0)).await;
    let (phone, access) = (Phone::offered(&tokens), result(&tokens, "AccessToken"));
    let confirmed = call(&app, "ConfirmDevice", phone.confirmation(&access)).await;
    assert_eq!(confirmed.whole(), (200, r#"{"UserConfirmationNecessary":true}"#));
    // Not remembered yet: the factor first, then the device. A client that keeps the Session of the factor may use it.
    app.clock.advance_seconds(30);
    let asked = sign_in_on(&app, "alice", &phone.key).await;
    assert_eq!(asked.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
    let old = asked.field("Session");
    let early = begin(&app, &phone, Some(&old)).await;
    assert_eq!(refused(&early), NO_SESSION, "K10: the factor is still owed");
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    let asked = answer_code(&app, &old, &code(&app, &secret, 0)).await;
    assert_eq!(asked.field("ChallengeName"), "DEVICE_SRP_AUTH");
    assert_ne!(asked.field("Session"), old);
    app.clock.advance_seconds(30);
    let stale = answer_code(&app, &old, &code(&app, &secret, 0)).await;
    assert_eq!(refused(&stale), USED, "it is good for the device alone");
    let tokens = go_on(&app, &phone, Some(&old)).await;
    let access = result(&tokens, "AccessToken");
    let other = refused(&begin(&app, &phone, Some(&asked.field("Session"))).await);
    assert!([NO_SESSION, USED].contains(&other.as_str()), "both ways are one: {other}");
    // Remembered: it stands for the factor.
    assert_eq!(status(&app, &access, &phone.key, "remembered").await.whole(), (200, "{}"));
    let asked = sign_in_on(&app, "alice", &phone.key).await;
    assert_eq!(asked.field("ChallengeName"), "DEVICE_SRP_AUTH");
    let session = asked.field("Session");
    assert_eq!(go_on(&app, &phone, Some(&session)).await.status, 200);
    // Without its key the factor is asked as before.
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
    // What is no longer remembered before the end does not stand for it.
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let asked = begin(&app, &phone, Some(&session)).await;
    assert_eq!(status(&app, &access, &phone.key, "not_remembered").await.status, 200);
    let refusal = refused(&prove(&app, &phone, &asked).await);
    assert!([NO_SESSION, USED].contains(&refusal.as_str()), "{refusal}");
    assert_eq!(sign_in_on(&app, "alice", &phone.key).await.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
    // Nor does one where the pool asks on every device.
    assert_eq!(status(&app, &access, &phone.key, "remembered").await.status, 200);
    tracking(&app, false, true).await;
    assert_eq!(sign_in_on(&app, "alice", &phone.key).await.field("ChallengeName"), "SOFTWARE_TOKEN_MFA");
}

story!(a_device_does_not_spare_who_has_no_factor_yet_from_setting_one_up);
async fn a_device_does_not_spare_who_has_no_factor_yet_from_setting_one_up(app: TestApp) {
    tracking(&app, true, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    with_mfa(&app, MfaMode::On).await;
    let asked = sign_in_on(&app, "alice", &phone.key).await;
    assert_eq!(asked.field("ChallengeName"), "MFA_SETUP");
    let told = call(&app, "AssociateSoftwareToken", json!({ "Session": asked.field("Session") })).await;
    let code = code(&app, &told.field("SecretCode"), 0);
    let verify = json!({ "Session": told.field("Session"), "UserCode": code });
    let session = call(&app, "VerifySoftwareToken", verify).await.field("Session");
    let asked = respond(&app, "MFA_SETUP", Some(&session), json!({ "USERNAME": "alice" })).await;
    assert_eq!(asked.field("ChallengeName"), "DEVICE_SRP_AUTH");
    assert_eq!(go_on(&app, &phone, Some(&asked.field("Session"))).await.status, 200);
}

// §0.3: only a right proof is told that the device is not known, and it is good for one more.
story!(by_srp_a_device_is_told_to_who_knows_the_password_alone);
async fn by_srp_a_device_is_told_to_who_knows_the_password_alone(app: TestApp) {
    with_srp(&app).await;
    tracking(&app, false, false).await;
    app.user("alice").await;
    app.user("bob").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let answer = async |username: &str, password: &str, key: &str| {
        let client = SrpClient::new(7);
        let parameters = json!({ "USERNAME": username, "SRP_A": client.srp_a(), "DEVICE_KEY": key });
        let asked = initiate(&app, "USER_SRP_AUTH", parameters).await;
        let mut responses = client.answer(app.pool().id(), &asked.json()["ChallengeParameters"], password, NOW);
        responses["DEVICE_KEY"] = json!(key);
        (respond(&app, "PASSWORD_VERIFIER", None, responses.clone()).await, responses)
    };
    let stranger = "us-east-1_0d9c2b1a-7e6f-4a5b-9c8d-1e2f3a4b5c6d";
    for (username, key) in [
        ("alice", phone.key.as_str()),
        ("alice", stranger),
        ("bob", phone.key.as_str()),
        ("nobody", phone.key.as_str()),
        ("nobody", stranger),
    ] {
        let (refusal, responses) = answer(username, "not the password", key).await;
        assert_eq!(refused(&refusal), WRONG, "{username} {key}");
        assert_eq!(refused(&respond(&app, "PASSWORD_VERIFIER", None, responses).await), NO_SESSION, "burnt");
    }
    let (refusal, mut responses) = answer("bob", PASSWORD, &phone.key).await;
    assert_eq!(refused(&refusal), NO_DEVICE);
    responses["DEVICE_KEY"] = Value::Null;
    let tokens = respond(&app, "PASSWORD_VERIFIER", None, responses.clone()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    assert_eq!(refused(&respond(&app, "PASSWORD_VERIFIER", None, responses).await), NO_SESSION, "and once");
    let (asked, _) = answer("alice", PASSWORD, &phone.key).await;
    assert_eq!(asked.field("ChallengeName"), "DEVICE_SRP_AUTH");
    assert_eq!(go_on(&app, &phone, None).await.status, 200);
    assert!(Phone::offered(&by_srp(&app, "alice", PASSWORD).await).key != phone.key);
}

story!(a_temporary_password_is_replaced_before_the_device_is_asked);
async fn a_temporary_password_is_replaced_before_the_device_is_asked(app: TestApp) {
    const NEW: &str = "another lamp entirely";
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    app.pool().set_password("alice", "temporary 7 words", true).await.unwrap();
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": "temporary 7 words", "DEVICE_KEY": phone.key });
    let asked = initiate(&app, "USER_PASSWORD_AUTH", parameters).await;
    assert_eq!(asked.field("ChallengeName"), "NEW_PASSWORD_REQUIRED");
    assert_eq!(refused(&begin(&app, &phone, None).await), NO_SESSION);
    let responses = json!({ "USERNAME": "alice", "NEW_PASSWORD": NEW });
    let asked = respond(&app, "NEW_PASSWORD_REQUIRED", Some(&asked.field("Session")), responses).await;
    assert_eq!(asked.field("ChallengeName"), "DEVICE_SRP_AUTH");
    assert_eq!(go_on(&app, &phone, Some(&asked.field("Session"))).await.status, 200);
}

// P02, S24
story!(devices_are_listed_changed_and_forgotten_by_their_user_and_an_administrator);
async fn devices_are_listed_changed_and_forgotten_by_their_user_and_an_administrator(app: TestApp) {
    tracking(&app, false, true).await;
    app.user("alice").await;
    app.user("bob").await;
    let mut keys = Vec::new();
    let mut token = String::new();
    for _ in 0..3 {
        let (phone, answer) = confirmed(&app, "alice").await;
        keys.push(phone.key);
        token = result(&answer, "AccessToken");
    }
    keys.sort();
    let (bobs, of_bob) = confirmed(&app, "bob").await;
    let bob = result(&of_bob, "AccessToken");
    let listed = |answer: &Answer| -> Vec<String> {
        let body = answer.json();
        let devices = body["Devices"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
        devices.iter().map(|device| device["DeviceKey"].as_str().unwrap().to_owned()).collect()
    };
    let first = call(&app, "ListDevices", json!({ "AccessToken": token, "Limit": 2 })).await;
    assert_eq!(listed(&first), keys[..2]);
    let next = first.field("PaginationToken");
    let rest = json!({ "AccessToken": token, "Limit": 2, "PaginationToken": next });
    let rest = call(&app, "ListDevices", rest).await;
    assert_eq!(listed(&rest), keys[2..]);
    assert!(rest.json()["PaginationToken"].is_null());
    let all = call(&app, "ListDevices", json!({ "AccessToken": token })).await;
    assert_eq!(listed(&all), keys);
    // A page token is good for its own list.
    let stolen = refused(&call(&app, "ListDevices", json!({ "AccessToken": bob, "PaginationToken": next })).await);
    assert_eq!(stolen, "InvalidParameterException: Token is not one of this list");

    // Nobody sees or touches another's.
    let own = |operation: &'static str, token: Option<&str>, key: &str| {
        let body = json!({ "AccessToken": token, "DeviceKey": key, "DeviceRememberedStatus": "remembered" });
        let app = &app;
        async move { call(app, operation, body).await }
    };
    for operation in ["GetDevice", "ForgetDevice", "UpdateDeviceStatus"] {
        assert_eq!(refused(&own(operation, Some(&token), &bobs.key).await), NO_DEVICE);
        assert_eq!(refused(&own(operation, Some(&token), "eu-west-1_7a1b2c3d").await), NO_DEVICE);
        let invalid = refused(&own(operation, Some("a.b.c"), &keys[0]).await);
        assert_eq!(invalid, "NotAuthorizedException: Invalid Access Token");
    }
    for operation in ["GetDevice", "ForgetDevice"] {
        let words = "InvalidParameterException: Missing required parameter AccessToken";
        assert_eq!(refused(&own(operation, None, &keys[0]).await), words);
    }
    let no_status = json!({ "AccessToken": token, "DeviceKey": keys[0] });
    let words = "InvalidParameterException: Missing required parameter DeviceRememberedStatus";
    assert_eq!(refused(&call(&app, "UpdateDeviceStatus", no_status).await), words);

    // An administrator sees and touches all of the pool's.
    let id = app.pool().id().to_owned();
    let admin = |operation: &'static str, username: &str, key: &str, status: Option<&str>| {
        let body =
            json!({ "UserPoolId": id, "Username": username, "DeviceKey": key, "DeviceRememberedStatus": status });
        let app = &app;
        async move { app.cognito_admin(operation, body).await }
    };
    let page = json!({ "UserPoolId": id, "Username": "alice", "Limit": 2, "PaginationToken": next });
    assert_eq!(listed(&app.cognito_admin("AdminListDevices", page).await), keys[2..]);
    let changed = admin("AdminUpdateDeviceStatus", "alice", &keys[0], Some("remembered")).await;
    assert_eq!(changed.whole(), (200, "{}"));
    let found = admin("AdminGetDevice", "alice", &keys[0], None).await.json();
    assert_eq!(found["Device"]["DeviceAttributes"][2]["Value"], "remembered");
    for operation in ["AdminGetDevice", "AdminForgetDevice", "AdminUpdateDeviceStatus"] {
        assert_eq!(refused(&admin(operation, "alice", &bobs.key, Some("remembered")).await), NO_DEVICE);
    }
    for (operation, words) in [
        ("AdminGetDevice", "ResourceNotFoundException: User does not exist."),
        ("AdminListDevices", "ResourceNotFoundException: User does not exist."),
        ("AdminForgetDevice", "UserNotFoundException: User does not exist."),
        ("AdminUpdateDeviceStatus", "UserNotFoundException: User does not exist."),
    ] {
        let refusal = refused(&admin(operation, "nobody", &keys[0], Some("remembered")).await);
        assert_eq!(refusal, words);
    }
    assert!(app.accepts(&bob).await);
    assert_eq!(admin("AdminForgetDevice", "bob", &bobs.key, None).await.whole(), (200, "{}"));
    assert!(!app.accepts(&bob).await);
}

story!(who_has_too_many_devices_loses_the_one_used_longest_ago);
async fn who_has_too_many_devices_loses_the_one_used_longest_ago(app: TestApp) {
    tracking(&app, false, false).await;
    app.user("alice").await;
    let (oldest, first) = confirmed(&app, "alice").await;
    let user = app.pool().find_user("alice").await.unwrap();
    let directory = &app.api.ports.directory;
    let model = app.pool().device(user.sub, &oldest.key).await.unwrap();
    app.clock.advance_seconds(1);
    let now = app.api.ports.clock.now();
    for number in 1..u128::from(DEVICES_A_USER) {
        let id = uuid::Uuid::from_u128(number);
        let filler = cognate::store::device::Device { id, session: id, authenticated_at: now, ..model.clone() };
        assert!(directory.confirm_device(&filler, DEVICES_A_USER, now).await.unwrap());
    }
    assert_eq!(app.pool().device(user.sub, &oldest.key).await.unwrap(), model);
    app.clock.advance_seconds(1);
    let (newest, _) = confirmed(&app, "alice").await;
    assert!(app.pool().device(user.sub, &newest.key).await.is_ok());
    assert_eq!(refused(&sign_in_on(&app, "alice", &oldest.key).await), NO_DEVICE);
    assert!(!app.accepts(&result(&first, "AccessToken")).await);
}

story!(a_pool_says_by_its_device_configuration_whether_it_tells_devices_apart);
async fn a_pool_says_by_its_device_configuration_whether_it_tells_devices_apart(app: TestApp) {
    let made = app.cognito_admin("CreateUserPool", json!({ "PoolName": "shop" })).await.json();
    assert!(made["UserPool"]["DeviceConfiguration"].is_null());
    let id = made["UserPool"]["Id"].as_str().unwrap().to_owned();
    for (given, told) in [
        (json!({ "ChallengeRequiredOnNewDevice": true }), json!([true, false])),
        (json!({ "DeviceOnlyRememberedOnUserPrompt": true }), json!([false, true])),
        (json!({ "ChallengeRequiredOnNewDevice": false }), json!([false, false])),
        (json!({}), Value::Null),
        (
            json!({ "ChallengeRequiredOnNewDevice": true, "DeviceOnlyRememberedOnUserPrompt": true }),
            json!([true, true]),
        ),
        (Value::Null, Value::Null),
    ] {
        let update = json!({ "UserPoolId": id, "DeviceConfiguration": given });
        assert_eq!(app.cognito_admin("UpdateUserPool", update).await.whole(), (200, "{}"));
        let pool = app.cognito_admin("DescribeUserPool", json!({ "UserPoolId": id })).await.json();
        let found = &pool["UserPool"]["DeviceConfiguration"];
        let both = json!([found["ChallengeRequiredOnNewDevice"], found["DeviceOnlyRememberedOnUserPrompt"]]);
        assert_eq!(if found.is_null() { Value::Null } else { both }, told, "{given}");
    }
}

// What a pool stops telling apart it no longer knows; what was bound to a device stays so.
story!(a_pool_that_tells_devices_apart_no_more_knows_none);
async fn a_pool_that_tells_devices_apart_no_more_knows_none(app: TestApp) {
    tracking(&app, true, false).await;
    app.user("alice").await;
    let (phone, _) = confirmed(&app, "alice").await;
    let session = sign_in_on(&app, "alice", &phone.key).await.field("Session");
    let tokens = go_on(&app, &phone, Some(&session)).await;
    let token = result(&tokens, "RefreshToken");
    app.change_pool(|pool| pool.devices = None).await;
    assert_eq!(refused(&sign_in_on(&app, "alice", &phone.key).await), NO_DEVICE);
    assert!(sign_in(&app, "alice", PASSWORD).await.json()["AuthenticationResult"]["NewDeviceMetadata"].is_null());
    assert_eq!(refused(&refreshed(&app, &token, None).await), INVALID);
    let access = result(&refreshed(&app, &token, Some(&phone.key)).await, "AccessToken");
    let forget = json!({ "AccessToken": access, "DeviceKey": phone.key });
    assert_eq!(call(&app, "ForgetDevice", forget).await.whole(), (200, "{}"));
    assert_eq!(refused(&refreshed(&app, &token, Some(&phone.key)).await), REVOKED);
}
