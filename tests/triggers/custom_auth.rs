//! CUSTOM_AUTH: DefineAuthChallenge, CreateAuthChallenge and VerifyAuthChallengeResponse, with and without a password.

use cognate::pool::NewUser;
use cognate::pool::Trigger::{CreateAuthChallenge, DefineAuthChallenge, VerifyAuthChallengeResponse};
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{MfaMode, MfaRules};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{admin, call, refused};
use crate::app::{Answer, PASSWORD, TestApp, story};
use crate::cognito_sign_in::srp_client::SrpClient;

const WRONG: &str = "NotAuthorizedException: Incorrect username or password.";
const NO_SESSION: &str = "NotAuthorizedException: Invalid session for the user.";
const USED: &str = "NotAuthorizedException: Invalid session for the user, session can only be used once.";
const EXPIRED: &str = "NotAuthorizedException: Invalid session for the user, session is expired.";
const NONSENSE: &str = "InvalidLambdaResponseException: Unrecognizable lambda output";
const LOCKED: &str = "NotAuthorizedException: Password attempts exceeded";
/// When every test begins.
const NOW: &str = "Sat Nov 21 12:00:00 UTC 2026";

/// A pool whose triggers ask for 42, three times at most, after the password where that comes first.
pub(super) async fn with_custom_auth(app: &TestApp) {
    app.have_triggers(&[DefineAuthChallenge, CreateAuthChallenge, VerifyAuthChallengeResponse]).await;
    app.change_pool(|pool| pool.srp = true).await;
    app.change_client(|client| client.auth_flows = Some([AuthFlow::AllowCustomAuth].into())).await;
    app.on_event("DefineAuthChallenge", |event| {
        let session = event["request"]["session"].as_array().unwrap();
        let last = session.last().map(|step| (step["challengeName"].as_str().unwrap(), &step["challengeResult"]));
        Reply::Fill(match last {
            Some(("SRP_A", _)) => json!({ "challengeName": "PASSWORD_VERIFIER" }),
            Some(("CUSTOM_CHALLENGE", right)) if right == true => json!({ "issueTokens": true }),
            _ if session.len() >= 3 => json!({ "failAuthentication": true }),
            _ => json!({ "challengeName": "CUSTOM_CHALLENGE" }),
        })
    });
    app.on_event("CreateAuthChallenge", |event| {
        let round = event["request"]["session"].as_array().unwrap().len();
        Reply::Fill(json!({
            "publicChallengeParameters": { "hint": "six times seven" },
            "privateChallengeParameters": { "solution": "42" },
            "challengeMetadata": format!("round {round}")
        }))
    });
    app.on_event("VerifyAuthChallengeResponse", |event| {
        let request = &event["request"];
        let right = request["privateChallengeParameters"]["solution"] == request["challengeAnswer"];
        Reply::Fill(json!({ "answerCorrect": right }))
    });
}

async fn begin(app: &TestApp, name: &str) -> Answer {
    let body = json!({
        "AuthFlow": "CUSTOM_AUTH", "AuthParameters": { "USERNAME": name }, "ClientMetadata": { "not": "told" }
    });
    call(app, "InitiateAuth", body).await
}

async fn session(app: &TestApp, name: &str) -> String {
    begin(app, name).await.field("Session")
}

async fn answer(app: &TestApp, session: &str, name: &str, answer: &str) -> Answer {
    let body = json!({
        "ChallengeName": "CUSTOM_CHALLENGE", "Session": session, "ClientMetadata": { "from": "shop" },
        "ChallengeResponses": { "USERNAME": name, "ANSWER": answer }
    });
    call(app, "RespondToAuthChallenge", body).await
}

async fn accepted(app: &TestApp, answer: &Answer) -> bool {
    let body = answer.json();
    let token = body["AuthenticationResult"]["AccessToken"].as_str().unwrap_or_else(|| panic!("{}", answer.text));
    app.accepts(token).await
}

story!(a_challenge_of_the_pools_own_is_asked_judged_and_yields_tokens, super::with_hook);
async fn a_challenge_of_the_pools_own_is_asked_judged_and_yields_tokens(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let asked = begin(&app, "alice@example.test").await;
    let first = asked.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"CUSTOM_CHALLENGE","Session":"{first}","ChallengeParameters":{{"USERNAME":"alice","hint":"six times seven"}}}}"#
    );
    assert_eq!(asked.whole(), (200, whole.as_str()), "what is private is not told");
    let (pool, client) = (app.pool().id().to_owned(), app.client().id);
    let sub = app.pool().find_user("alice").await.unwrap().sub;
    let attributes = json!({
        "sub": sub, "email": "alice@example.test", "email_verified": "true", "cognito:user_status": "CONFIRMED"
    });
    let event = |source: &str, request: Value, response: Value| {
        json!({
            "version": "1", "triggerSource": source, "region": "us-east-1", "userPoolId": pool, "userName": "alice",
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client },
            "request": request, "response": response
        })
    };
    let define = json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null });
    let create =
        json!({ "publicChallengeParameters": {}, "privateChallengeParameters": {}, "challengeMetadata": null });
    assert_eq!(
        app.heard(),
        [
            event(
                "DefineAuthChallenge_Authentication",
                json!({ "userAttributes": attributes, "session": [], "userNotFound": false, "clientMetadata": null }),
                define.clone()
            ),
            event(
                "CreateAuthChallenge_Authentication",
                json!({
                    "userAttributes": attributes, "challengeName": "CUSTOM_CHALLENGE", "session": [],
                    "userNotFound": false, "clientMetadata": null
                }),
                create
            ),
        ]
    );

    let again = answer(&app, &first, "alice", "41").await;
    let second = again.field("Session");
    assert_ne!(first, second);
    let metadata = json!({ "from": "shop" });
    let steps = json!([
        { "challengeName": "CUSTOM_CHALLENGE", "challengeResult": false, "challengeMetadata": "round 0" }
    ]);
    let heard = app.heard();
    assert_eq!(
        heard[..2],
        [
            event(
                "VerifyAuthChallengeResponse_Authentication",
                json!({
                    "userAttributes": attributes, "privateChallengeParameters": { "solution": "42" },
                    "challengeAnswer": "41", "userNotFound": false, "clientMetadata": metadata
                }),
                json!({ "answerCorrect": null })
            ),
            event(
                "DefineAuthChallenge_Authentication",
                json!({
                    "userAttributes": attributes, "session": steps, "userNotFound": false, "clientMetadata": metadata
                }),
                define
            ),
        ]
    );
    assert_eq!((heard[2]["request"]["session"].clone(), heard.len()), (steps, 3));
    // K10: the first answer used the challenge up.
    assert_eq!(refused(&answer(&app, &first, "alice", "42").await), USED);
    let tokens = answer(&app, &second, "alice", "42").await;
    assert!(accepted(&app, &tokens).await);
    assert_eq!(refused(&answer(&app, &second, "alice", "42").await), USED);
}

story!(a_third_wrong_answer_ends_the_sign_in_because_the_triggers_say_so, super::with_hook);
async fn a_third_wrong_answer_ends_the_sign_in_because_the_triggers_say_so(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let mut session = session(&app, "alice").await;
    for _ in 0..2 {
        session = answer(&app, &session, "alice", "41").await.field("Session");
    }
    assert_eq!(refused(&answer(&app, &session, "alice", "41").await), WRONG);
    assert_eq!(refused(&answer(&app, &session, "alice", "42").await), USED);
}

pub(super) async fn begin_with_password(app: &TestApp, srp: &SrpClient, name: &str) -> Answer {
    let parameters = json!({ "USERNAME": name, "CHALLENGE_NAME": "SRP_A", "SRP_A": srp.srp_a() });
    call(app, "InitiateAuth", json!({ "AuthFlow": "CUSTOM_AUTH", "AuthParameters": parameters })).await
}

pub(super) async fn prove(app: &TestApp, srp: &SrpClient, asked: &Answer, password: &str) -> Answer {
    let responses = srp.answer(app.pool().id(), &asked.json()["ChallengeParameters"], password, NOW);
    let body = json!({ "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": responses });
    call(app, "RespondToAuthChallenge", body).await
}

story!(the_password_comes_first_where_the_client_begins_with_it, super::with_hook);
async fn the_password_comes_first_where_the_client_begins_with_it(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let srp = SrpClient::new(7);
    let asked = begin_with_password(&app, &srp, "alice").await;
    assert_eq!(asked.field("ChallengeName"), "PASSWORD_VERIFIER");
    let step = |name: &str| json!({ "challengeName": name, "challengeResult": true, "challengeMetadata": null });
    assert_eq!(app.heard()[0]["request"]["session"], json!([step("SRP_A")]));
    let next = prove(&app, &srp, &asked, PASSWORD).await;
    assert_eq!(next.field("ChallengeName"), "CUSTOM_CHALLENGE");
    assert_eq!(app.heard()[0]["request"]["session"], json!([step("SRP_A"), step("PASSWORD_VERIFIER")]));
    let tokens = answer(&app, &next.field("Session"), "alice", "42").await;
    assert!(accepted(&app, &tokens).await);
    // A wrong password is not the triggers' to forgive, and the password alone is not enough.
    app.heard();
    let asked = begin_with_password(&app, &srp, "alice").await;
    assert_eq!(refused(&prove(&app, &srp, &asked, "not the password").await), WRONG);
    assert_eq!(app.heard_sources(), ["DefineAuthChallenge_Authentication"]);
    app.on("DefineAuthChallenge", Reply::Fill(json!({ "issueTokens": true })));
    assert_eq!(refused(&begin_with_password(&app, &srp, "alice").await), NONSENSE);
}

// K03, D01: the same questions, whoever is asked, and nobody is ever let in.
story!(where_it_is_hidden_who_exists_nobody_is_asked_like_anybody, super::with_hook);
async fn where_it_is_hidden_who_exists_nobody_is_asked_like_anybody(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    for name in ["nobody", "nobody@example.test"] {
        let asked = begin(&app, name).await;
        let first = asked.field("Session");
        assert_eq!(first.len(), session(&app, "alice").await.len());
        let parameters = asked.json()["ChallengeParameters"].clone();
        assert_eq!(parameters["hint"], "six times seven");
        let called = parameters["USERNAME"].as_str().unwrap().to_owned();
        app.heard();
        let second = answer(&app, &first, name, "41").await.field("Session");
        let heard = app.heard();
        assert_eq!(heard[0]["request"]["userNotFound"], true);
        assert_eq!(heard[0]["request"]["userAttributes"], json!({}));
        assert_eq!(heard[0]["userName"], called.as_str());
        assert_eq!(refused(&answer(&app, &second, &called, "42").await), WRONG);
        assert_eq!(app.heard_sources().len(), 2, "the triggers said yes");
    }
    // Another name's session.
    let session = session(&app, "nobody").await;
    assert_eq!(refused(&answer(&app, &session, "somebody", "42").await), NO_SESSION);
    // One who only registered, where that is not told.
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert_eq!(refused(&begin(&app, "nobody").await), "UserNotFoundException: User does not exist.");
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(refused(&begin(&app, "alice").await), "NotAuthorizedException: User is disabled.");
}

// S22, S23
story!(what_was_begun_before_a_change_is_not_finished_after_it, super::with_hook);
async fn what_was_begun_before_a_change_is_not_finished_after_it(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let begun = session(&app, "alice").await;
    app.pool().set_password("alice", "another lamp entirely", false).await.unwrap();
    assert_eq!(refused(&answer(&app, &begun, "alice", "42").await), NO_SESSION);
    let begun = session(&app, "alice").await;
    app.pool().sign_out_user("alice").await.unwrap();
    assert_eq!(refused(&answer(&app, &begun, "alice", "42").await), NO_SESSION);
    let begun = session(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(answer(&app, &begun, "alice", "42").await.status, 400);
    app.pool().enable_user("alice").await.unwrap();
    // While the trigger thinks, too.
    let begun = session(&app, "alice").await;
    let (pool, runtime) = (app.pool(), tokio::runtime::Handle::current());
    app.on_event("VerifyAuthChallengeResponse", move |_| {
        runtime.block_on(pool.sign_out_user("alice")).unwrap();
        Reply::Fill(json!({ "answerCorrect": true }))
    });
    assert_eq!(refused(&answer(&app, &begun, "alice", "42").await), NO_SESSION);
}

story!(whoever_is_let_in_owes_what_everybody_owes, super::with_hook);
async fn whoever_is_let_in_owes_what_everybody_owes(app: TestApp) {
    with_custom_auth(&app).await;
    let temporary = NewUser { temporary: true, ..NewUser::new("tom", PASSWORD) };
    app.pool().create_user(temporary).await.unwrap();
    let owed = answer(&app, &session(&app, "tom").await, "tom", "42").await;
    assert_eq!(owed.field("ChallengeName"), "NEW_PASSWORD_REQUIRED");
    let responses = json!({ "USERNAME": "tom", "NEW_PASSWORD": "another-lamp-entirely" });
    let body = json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": owed.field("Session"), "ChallengeResponses": responses
    });
    assert!(accepted(&app, &call(&app, "RespondToAuthChallenge", body).await).await);

    app.user("alice").await;
    let reset = json!({ "Username": "alice" });
    assert_eq!(admin(&app, "AdminResetUserPassword", reset).await.status, 200);
    let refusal = refused(&answer(&app, &session(&app, "alice").await, "alice", "42").await);
    assert_eq!(refusal, "PasswordResetRequiredException: Password reset required for the user");
    app.user("dora").await;
    app.pool().disable_user("dora").await.unwrap();
    let refusal = refused(&answer(&app, &session(&app, "dora").await, "dora", "42").await);
    assert_eq!(refusal, "NotAuthorizedException: User is disabled.");

    // Second factors are the triggers' to ask for.
    let rules = MfaRules { mode: MfaMode::On, software_token: true, email: false, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
    app.user("mia").await;
    assert!(accepted(&app, &answer(&app, &session(&app, "mia").await, "mia", "42").await).await);
}

// K10
story!(of_many_answers_at_once_one_is_judged, super::with_hook);
async fn of_many_answers_at_once_one_is_judged(app: TestApp) {
    let app = app.doubled().await;
    with_custom_auth(&app).await;
    app.user("alice").await;
    let session = session(&app, "alice").await;
    app.heard();
    let answers = join_all(["39", "40", "41"].map(|guess| answer(&app, &session, "alice", guess))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| refused(answer) == USED));
    let judged = app.heard_sources().into_iter().filter(|source| source.starts_with("Verify")).count();
    assert_eq!(judged, 1);
}

// K12
story!(wrong_answers_lock_whatever_else_was_right, super::with_hook);
async fn wrong_answers_lock_whatever_else_was_right(app: TestApp) {
    with_custom_auth(&app).await;
    // A first challenge that anybody can answer, and a second that nobody can guess.
    app.on_event("DefineAuthChallenge", |event| {
        let results: Vec<bool> = event["request"]["session"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["challengeResult"].as_bool().unwrap())
            .collect();
        Reply::Fill(match results.as_slice() {
            [true, true] => json!({ "issueTokens": true }),
            [_, _, ..] | [false] => json!({ "failAuthentication": true }),
            [] | [true] => json!({ "challengeName": "CUSTOM_CHALLENGE" }),
        })
    });
    app.on_event("CreateAuthChallenge", |event| {
        let solution = if event["request"]["session"] == json!([]) { "easy" } else { "hard" };
        Reply::Fill(json!({ "privateChallengeParameters": { "solution": solution } }))
    });
    app.user("alice").await;
    let waiting = session(&app, "alice").await;
    for _ in 0..5 {
        let second = answer(&app, &session(&app, "alice").await, "alice", "easy").await.field("Session");
        assert_eq!(refused(&answer(&app, &second, "alice", "guess").await), WRONG);
    }
    assert_eq!(refused(&answer(&app, &waiting, "alice", "easy").await), LOCKED);
    assert_eq!(refused(&begin(&app, "alice").await), LOCKED);
    // The right password is another proof and clears nothing.
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    assert_eq!(refused(&begin(&app, "alice").await), LOCKED);
    app.clock.advance_seconds(60);
    let second = answer(&app, &waiting, "alice", "easy").await.field("Session");
    assert!(accepted(&app, &answer(&app, &second, "alice", "hard").await).await);
}

story!(a_session_is_bound_to_its_user_its_client_and_its_time, super::with_hook);
async fn a_session_is_bound_to_its_user_its_client_and_its_time(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    app.user("bob").await;
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let begun = session(&app, "alice").await;
    assert_eq!(refused(&answer(&app, &begun, "bob", "42").await), NO_SESSION);
    let elsewhere = json!({
        "ClientId": other.id, "ChallengeName": "CUSTOM_CHALLENGE", "Session": begun,
        "ChallengeResponses": { "USERNAME": "alice", "ANSWER": "42" }
    });
    assert_eq!(refused(&call(&app, "RespondToAuthChallenge", elsewhere).await), NO_SESSION);
    let as_another = json!({
        "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": begun,
        "ChallengeResponses": { "USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": "123456" }
    });
    assert_eq!(refused(&call(&app, "RespondToAuthChallenge", as_another).await), NO_SESSION);
    assert_eq!(answer(&app, &begun, "alice@example.test", "42").await.status, 200);
    let begun = session(&app, "alice").await;
    app.clock.advance_seconds(900);
    assert_eq!(refused(&answer(&app, &begun, "alice", "42").await), EXPIRED);
}

story!(an_answer_that_makes_no_sense_lets_nobody_in, super::with_hook);
async fn an_answer_that_makes_no_sense_lets_nobody_in(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let begun = session(&app, "alice").await;
    for defined in [
        json!({ "challengeName": "SMS_MFA" }),
        json!({ "challengeName": "PASSWORD_VERIFIER" }),
        json!({ "issueTokens": true }),
        json!({ "issueTokens": "yes" }),
        json!({}),
    ] {
        app.on("DefineAuthChallenge", Reply::Fill(defined));
        assert_eq!(refused(&begin(&app, "alice").await), NONSENSE);
    }
    // Not even after an answer, if it was wrong.
    app.on("DefineAuthChallenge", Reply::Fill(json!({ "issueTokens": true })));
    assert_eq!(refused(&answer(&app, &begun, "alice", "41").await), NONSENSE);
    app.on("DefineAuthChallenge", Reply::Fill(json!({ "issueTokens": true, "failAuthentication": true })));
    assert_eq!(refused(&begin(&app, "alice").await), WRONG);
    app.on("DefineAuthChallenge", Reply::Refuse("not today"));
    let words = "UserLambdaValidationException: DefineAuthChallenge failed with error not today.";
    assert_eq!(refused(&begin(&app, "alice").await), words);

    app.on("DefineAuthChallenge", Reply::Fill(json!({ "challengeName": "CUSTOM_CHALLENGE" })));
    let long = "x".repeat(20_000);
    for created in [
        json!({ "publicChallengeParameters": { "a": 1 } }),
        json!({ "publicChallengeParameters": { "a": long } }),
        json!({ "privateChallengeParameters": { "a": long } }),
        json!({ "challengeMetadata": long }),
    ] {
        app.on("CreateAuthChallenge", Reply::Fill(created));
        assert_eq!(refused(&begin(&app, "alice").await), NONSENSE);
    }
    app.on("CreateAuthChallenge", Reply::Fill(json!({})));
    // It ends, however long the triggers go on.
    let mut next = begin(&app, "alice").await;
    app.on("VerifyAuthChallengeResponse", Reply::Fill(json!({ "answerCorrect": true })));
    let mut steps = 0;
    while next.status == 200 {
        steps += 1;
        next = answer(&app, &next.field("Session"), "alice", "42").await;
    }
    assert_eq!((steps, refused(&next)), (20, WRONG.to_owned()));
}

story!(a_pool_without_the_triggers_and_a_client_without_the_flow_say_so, super::with_hook);
async fn a_pool_without_the_triggers_and_a_client_without_the_flow_say_so(app: TestApp) {
    app.user("alice").await;
    let words = "InvalidParameterException: CUSTOM_AUTH flow not enabled for this client";
    assert_eq!(refused(&begin(&app, "alice").await), words);
    app.change_client(|client| client.auth_flows = None).await;
    let none = "InvalidParameterException: Custom auth lambda trigger is not configured for the user pool.";
    assert_eq!(refused(&begin(&app, "alice").await), none);
    app.have_triggers(&[DefineAuthChallenge]).await;
    app.on("DefineAuthChallenge", Reply::Fill(json!({ "challengeName": "CUSTOM_CHALLENGE" })));
    assert_eq!(refused(&begin(&app, "alice").await), none);
    app.change_client(|client| client.auth_flows = Some([AuthFlow::CustomAuthFlowOnly].into())).await;
    app.have_triggers(&[DefineAuthChallenge, CreateAuthChallenge]).await;
    assert_eq!(begin(&app, "alice").await.status, 200);
    let missing = json!({ "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {} });
    let words = "InvalidParameterException: Missing required parameter USERNAME";
    assert_eq!(refused(&call(&app, "InitiateAuth", missing).await), words);
}

story!(an_administrators_program_may_be_let_in_without_a_challenge, super::with_hook);
async fn an_administrators_program_may_be_let_in_without_a_challenge(app: TestApp) {
    with_custom_auth(&app).await;
    app.user("alice").await;
    let body = json!({
        "ClientId": app.client().id, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": { "USERNAME": "alice" }
    });
    let asked = admin(&app, "AdminInitiateAuth", body.clone()).await;
    let respond = json!({
        "ClientId": app.client().id, "ChallengeName": "CUSTOM_CHALLENGE", "Session": asked.field("Session"),
        "ChallengeResponses": { "USERNAME": "alice", "ANSWER": "42" }
    });
    assert!(accepted(&app, &admin(&app, "AdminRespondToAuthChallenge", respond).await).await);
    app.on("DefineAuthChallenge", Reply::Fill(json!({ "issueTokens": true })));
    assert!(accepted(&app, &admin(&app, "AdminInitiateAuth", body.clone()).await).await);
    app.pool().disable_user("alice").await.unwrap();
    let disabled = "NotAuthorizedException: User is disabled.";
    assert_eq!(refused(&admin(&app, "AdminInitiateAuth", body).await), disabled);
}
