//! USER_SRP_AUTH and PASSWORD_VERIFIER.

use std::collections::BTreeSet;

use cognate::pool::NewUser;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::srp_client::{MODULUS, SrpClient};
use super::{NO_SESSION, WRONG, call, initiate, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};

/// When every test begins.
const NOW: &str = "Sat Nov 21 12:00:00 UTC 2026";
const CHALLENGE: &str = "PASSWORD_VERIFIER";

pub async fn with_srp(app: &TestApp) {
    app.change_pool(|pool| pool.srp = true).await;
}

async fn ask(app: &TestApp, client: &SrpClient, username: &str) -> Answer {
    initiate(app, "USER_SRP_AUTH", json!({ "USERNAME": username, "SRP_A": client.srp_a() })).await
}

/// The whole of a sign-in; the answers to its two calls.
pub async fn by_srp(app: &TestApp, username: &str, password: &str) -> Answer {
    let client = SrpClient::new(7);
    let asked = ask(app, &client, username).await;
    if asked.status != 200 {
        return asked;
    }
    respond(app, CHALLENGE, None, proof(app, &client, &asked, password)).await
}

fn proof(app: &TestApp, client: &SrpClient, asked: &Answer, password: &str) -> Value {
    client.answer(app.pool().id(), &asked.json()["ChallengeParameters"], password, NOW)
}

story!(a_password_is_proven_without_being_sent);
async fn a_password_is_proven_without_being_sent(app: TestApp) {
    with_srp(&app).await;
    app.user("Alice").await;
    for username in ["Alice", "alice", "alice@example.test"] {
        let client = SrpClient::new(9);
        let asked = ask(&app, &client, username).await;
        let body = asked.json();
        let keys: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        // §0.2: nobody has to bring a Session back.
        assert_eq!(keys, BTreeSet::from(["ChallengeName", "ChallengeParameters"]));
        assert_eq!(body["ChallengeName"], CHALLENGE);
        let told: BTreeSet<&str> =
            body["ChallengeParameters"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(told, BTreeSet::from(["SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"]));
        assert_eq!(body["ChallengeParameters"]["USER_ID_FOR_SRP"], "Alice");
        assert_eq!(body["ChallengeParameters"]["USERNAME"], "Alice");
        let answer = respond(&app, CHALLENGE, None, proof(&app, &client, &asked, PASSWORD)).await;
        assert!(app.accepts(&result(&answer, "AccessToken")).await, "{username}");
    }
    assert_eq!(refused(&by_srp(&app, "Alice", "not the password").await), WRONG);
}

// K02
story!(a_block_is_good_for_one_proof_right_or_wrong);
async fn a_block_is_good_for_one_proof_right_or_wrong(app: TestApp) {
    let app = app.doubled().await;
    with_srp(&app).await;
    app.user("alice").await;
    let client = SrpClient::new(7);
    let asked = ask(&app, &client, "alice").await;
    let wrong = respond(&app, CHALLENGE, None, proof(&app, &client, &asked, "not the password")).await;
    assert_eq!(refused(&wrong), WRONG);
    let right = proof(&app, &client, &asked, PASSWORD);
    assert_eq!(refused(&respond(&app, CHALLENGE, None, right).await), NO_SESSION, "burnt at the first try");

    let asked = ask(&app, &client, "alice").await;
    let right = proof(&app, &client, &asked, PASSWORD);
    let answers = join_all((0..8).map(|_| respond(&app, CHALLENGE, None, right.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| refused(answer) == NO_SESSION));
}

// §0.3: after this refusal clients forget the device and send the same proof again.
story!(a_device_that_nobody_remembers_does_not_use_the_block_up);
async fn a_device_that_nobody_remembers_does_not_use_the_block_up(app: TestApp) {
    with_srp(&app).await;
    app.user("alice").await;
    let client = SrpClient::new(7);
    let asked = ask(&app, &client, "alice").await;
    let mut responses = proof(&app, &client, &asked, PASSWORD);
    responses["DEVICE_KEY"] = json!("us-east-1_7a1b2c3d");
    let refusal = refused(&respond(&app, CHALLENGE, None, responses.clone()).await);
    assert_eq!(refusal, "ResourceNotFoundException: Device does not exist.");
    responses["DEVICE_KEY"] = Value::Null;
    assert_eq!(respond(&app, CHALLENGE, None, responses).await.status, 200);
}

// K02
story!(a_block_is_bound_to_its_user_its_client_and_its_time);
async fn a_block_is_bound_to_its_user_its_client_and_its_time(app: TestApp) {
    with_srp(&app).await;
    app.user("alice").await;
    app.user("bob").await;
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let client = SrpClient::new(7);

    let asked = ask(&app, &client, "alice").await;
    let mut responses = proof(&app, &client, &asked, PASSWORD);
    let elsewhere = json!({ "ClientId": other.id, "ChallengeName": CHALLENGE, "ChallengeResponses": responses });
    assert_eq!(refused(&call(&app, "RespondToAuthChallenge", elsewhere).await), NO_SESSION);
    responses["USERNAME"] = json!("bob");
    assert_eq!(refused(&respond(&app, CHALLENGE, None, responses).await), WRONG);

    let asked = ask(&app, &client, "alice").await;
    let mut responses = proof(&app, &client, &asked, PASSWORD);
    for (name, value) in [("PASSWORD_CLAIM_SECRET_BLOCK", "AAAA"), ("PASSWORD_CLAIM_SECRET_BLOCK", "no base64")] {
        responses[name] = json!(value);
        assert_eq!(refused(&respond(&app, CHALLENGE, None, responses.clone()).await), NO_SESSION);
    }
    for name in ["USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"] {
        let mut without = proof(&app, &client, &asked, PASSWORD);
        without[name] = Value::Null;
        let words = format!("InvalidParameterException: Missing required parameter {name}");
        assert_eq!(refused(&respond(&app, CHALLENGE, None, without).await), words);
    }
    let asked = ask(&app, &client, "alice").await;
    app.clock.advance_seconds(301);
    assert_eq!(refused(&respond(&app, CHALLENGE, None, proof(&app, &client, &asked, PASSWORD)).await), WRONG);
    let asked = ask(&app, &client, "alice").await;
    app.clock.advance_seconds(900);
    assert_eq!(refused(&respond(&app, CHALLENGE, None, proof(&app, &client, &asked, PASSWORD)).await), NO_SESSION);
}

// K01
story!(a_number_that_gives_the_secret_away_is_refused);
async fn a_number_that_gives_the_secret_away_is_refused(app: TestApp) {
    with_srp(&app).await;
    app.user("alice").await;
    let words = "InvalidParameterException: SRP_A must be a number between 0 and N in hexadecimal";
    for number in ["0", "00", &MODULUS, &format!("{}0", *MODULUS), &"f".repeat(768), "xyz", &"1".repeat(100_000)] {
        let parameters = json!({ "USERNAME": "alice", "SRP_A": number });
        assert_eq!(refused(&initiate(&app, "USER_SRP_AUTH", parameters).await), words);
    }
    let missing = initiate(&app, "USER_SRP_AUTH", json!({ "USERNAME": "alice" })).await;
    assert_eq!(refused(&missing), "InvalidParameterException: Missing required parameter SRP_A");
}

// K03
story!(a_user_who_does_not_exist_is_asked_like_any_other);
async fn a_user_who_does_not_exist_is_asked_like_any_other(app: TestApp) {
    with_srp(&app).await;
    app.user("alice").await;
    let pool = app.pool();
    pool.disable_user("alice").await.unwrap();
    let shapes = ["nobody", "alice"].map(async |name| {
        let answers = join_all((0..5).map(|turn| {
            let client = SrpClient::new(turn + 1);
            let app = &app;
            async move { ask(app, &client, name).await.json() }
        }))
        .await;
        let told = |name: &str| -> BTreeSet<String> {
            answers.iter().map(|answer| answer["ChallengeParameters"][name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(told("SALT").len(), 1, "one salt for {name}");
        assert_eq!((told("SRP_B").len(), told("SECRET_BLOCK").len()), (5, 5));
        assert_eq!(told("USER_ID_FOR_SRP"), BTreeSet::from([name.to_owned()]));
        told("SECRET_BLOCK").iter().map(String::len).collect::<BTreeSet<_>>()
    });
    let [nobody, alice] = shapes;
    assert_eq!(nobody.await, alice.await);
    assert_eq!(refused(&by_srp(&app, "nobody", PASSWORD).await), WRONG);
    assert_eq!(refused(&by_srp(&app, "alice", "not the password").await), WRONG);
    assert_eq!(refused(&by_srp(&app, "alice", PASSWORD).await), "NotAuthorizedException: User is disabled.");

    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let words = "UserNotFoundException: User does not exist.";
    assert_eq!(refused(&by_srp(&app, "nobody", PASSWORD).await), words);
    assert_eq!(refused(&by_srp(&app, "alice", "x").await), "NotAuthorizedException: User is disabled.");
}

story!(a_password_older_than_the_switch_works_by_srp_after_one_sign_in_with_itself);
async fn a_password_older_than_the_switch_works_by_srp_after_one_sign_in_with_itself(app: TestApp) {
    app.user("alice").await;
    with_srp(&app).await;
    assert!(app.pool().find_user("alice").await.unwrap().srp.is_none());
    assert_eq!(refused(&by_srp(&app, "alice", PASSWORD).await), WRONG);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
    assert_eq!(by_srp(&app, "alice", PASSWORD).await.status, 200);
    // A new password has a verifier of its own; K05: sealed, so that two of one password differ.
    app.pool().set_password("alice", "another long password", false).await.unwrap();
    assert_eq!(refused(&by_srp(&app, "alice", PASSWORD).await), WRONG);
    assert_eq!(by_srp(&app, "alice", "another long password").await.status, 200);
    let before = app.pool().find_user("alice").await.unwrap().srp;
    app.pool().set_password("alice", "another long password", false).await.unwrap();
    assert_ne!(app.pool().find_user("alice").await.unwrap().srp, before);
}

story!(a_temporary_password_proven_by_srp_has_to_be_replaced);
async fn a_temporary_password_proven_by_srp_has_to_be_replaced(app: TestApp) {
    with_srp(&app).await;
    let draft = NewUser { temporary: true, ..NewUser::new("alice", "temporary 7 words") };
    app.pool().create_user(draft).await.unwrap();
    let answer = by_srp(&app, "alice", "temporary 7 words").await;
    assert_eq!(answer.field("ChallengeName"), "NEW_PASSWORD_REQUIRED");
    let responses = json!({ "USERNAME": "alice", "NEW_PASSWORD": PASSWORD });
    let session = answer.field("Session");
    assert_eq!(respond(&app, "NEW_PASSWORD_REQUIRED", Some(&session), responses).await.status, 200);
    assert_eq!(by_srp(&app, "alice", PASSWORD).await.status, 200);
}

// K12
story!(wrong_proofs_and_wrong_passwords_have_one_count);
async fn wrong_proofs_and_wrong_passwords_have_one_count(app: TestApp) {
    with_srp(&app).await;
    for name in ["alice", "nobody"] {
        if name == "alice" {
            app.user(name).await;
        }
        for turn in 0..5 {
            let answer =
                if turn % 2 == 0 { by_srp(&app, name, "wrong").await } else { sign_in(&app, name, "wrong").await };
            assert_eq!(refused(&answer), WRONG, "{name} {turn}");
        }
        let locked = "NotAuthorizedException: Password attempts exceeded";
        assert_eq!(refused(&sign_in(&app, name, PASSWORD).await), locked, "{name}");
        assert_eq!(refused(&by_srp(&app, name, PASSWORD).await), locked, "{name}");
    }
    app.clock.advance_seconds(60);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
}

story!(beginning_by_srp_is_no_attempt);
async fn beginning_by_srp_is_no_attempt(app: TestApp) {
    with_srp(&app).await;
    app.user("alice").await;
    for _ in 0..12 {
        assert_eq!(ask(&app, &SrpClient::new(3), "alice").await.status, 200);
    }
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
}
