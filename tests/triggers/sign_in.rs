//! PreAuthentication and PostAuthentication.

use cognate::pool::NewUser;
use cognate::pool::Trigger::{PostAuthentication, PreAuthentication, PreTokenGeneration};
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::Contact;
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, call, refused, result, sign_in, user};
use crate::app::{TestApp, story};

const WRONG: &str = "NotAuthorizedException: Incorrect username or password.";

story!(a_sign_in_asks_before_the_password_and_tells_after_the_tokens_are_settled, super::with_hook);
async fn a_sign_in_asks_before_the_password_and_tells_after_the_tokens_are_settled(app: TestApp) {
    user(&app, "alice").await;
    app.have_triggers(&[PreAuthentication, PostAuthentication, PreTokenGeneration]).await;
    let answer = sign_in(&app, "alice@example.test", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let heard = app.heard();
    let sources: Vec<&str> = heard.iter().map(|event| event["triggerSource"].as_str().unwrap()).collect();
    let order =
        ["PreAuthentication_Authentication", "TokenGeneration_Authentication", "PostAuthentication_Authentication"];
    assert_eq!(sources, order);
    let attributes = &heard[0]["request"]["userAttributes"];
    assert_eq!(
        heard[0]["request"],
        json!({ "userAttributes": attributes, "validationData": { "said": "at first" }, "userNotFound": false })
    );
    assert_eq!(attributes["cognito:user_status"], "CONFIRMED");
    assert_eq!((heard[0]["userName"].as_str(), heard[0]["response"].clone()), (Some("alice"), json!({})));
    assert_eq!(
        heard[2]["request"],
        json!({ "userAttributes": attributes, "newDeviceUsed": false, "clientMetadata": null })
    );
    // A wrong password gets as far as the first one.
    assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), WRONG);
    assert_eq!(app.heard_sources(), order[..1]);
}

story!(what_answers_a_challenge_is_what_the_triggers_behind_it_are_told, super::with_hook);
async fn what_answers_a_challenge_is_what_the_triggers_behind_it_are_told(app: TestApp) {
    let draft = NewUser { temporary: true, ..NewUser::new("alice", PASSWORD) };
    app.pool().create_user(draft).await.unwrap();
    app.have_triggers(&[PreAuthentication, PostAuthentication, PreTokenGeneration]).await;
    let asked = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(app.heard_sources(), ["PreAuthentication_Authentication"]);
    let new = json!({ "USERNAME": "alice", "NEW_PASSWORD": "another-long-password" });
    let answer = json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked.field("Session"), "ChallengeResponses": new,
        "ClientMetadata": { "said": "later" }
    });
    // A hook that is away uses nothing up: the same answer is good again.
    app.on("TokenGeneration", Reply::Leave);
    let away = call(&app, "RespondToAuthChallenge", answer.clone()).await;
    assert_eq!(refused(&away), "UnexpectedLambdaException: PreTokenGeneration could not be called.");
    app.heard();
    app.on("TokenGeneration", Reply::Fill(json!({})));
    assert!(!result(&call(&app, "RespondToAuthChallenge", answer).await, "AccessToken").is_empty());
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "TokenGeneration_NewPasswordChallenge");
    assert_eq!(heard[1]["triggerSource"], "PostAuthentication_Authentication");
    assert!(heard.iter().all(|event| event["request"]["clientMetadata"] == json!({ "said": "later" })));
}

story!(a_sign_in_that_a_trigger_refuses_opens_no_session, super::with_hook);
async fn a_sign_in_that_a_trigger_refuses_opens_no_session(app: TestApp) {
    user(&app, "alice").await;
    app.have_triggers(&[PreAuthentication, PostAuthentication]).await;
    for (source, name) in [("PostAuthentication", "PostAuthentication"), ("PreAuthentication", "PreAuthentication")] {
        app.on(source, Reply::Refuse("closed on sundays"));
        let words = format!("UserLambdaValidationException: {name} failed with error closed on sundays.");
        assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), words);
    }
    app.heard();
    let alice = app.pool().find_user("alice").await.unwrap();
    assert!(app.pool().sessions_of(&alice).await.unwrap().is_empty());
    // Before the proof the password makes no difference.
    let words = "UserLambdaValidationException: PreAuthentication failed with error closed on sundays.";
    assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), words);
    let srp = json!({ "USERNAME": "alice", "SRP_A": "a".repeat(768) });
    app.change_pool(|pool| pool.srp = true).await;
    let body = json!({ "AuthFlow": "USER_SRP_AUTH", "AuthParameters": srp, "ClientMetadata": { "by": "srp" } });
    assert_eq!(refused(&call(&app, "InitiateAuth", body).await), words);
    assert_eq!(app.heard().pop().unwrap()["request"]["validationData"], json!({ "by": "srp" }));
}

// K12, S19: whoever is locked out does not reach the hook either.
story!(a_locked_account_is_locked_before_anybody_is_asked, super::with_hook);
async fn a_locked_account_is_locked_before_anybody_is_asked(app: TestApp) {
    user(&app, "alice").await;
    app.have_triggers(&[PreAuthentication]).await;
    for _ in 0..5 {
        assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), WRONG);
    }
    assert_eq!(app.heard().len(), 5);
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), locked);
    assert_eq!(app.heard(), Vec::<Value>::new());
    // Refusals of the hook lock nobody out.
    app.clock.advance_seconds(1);
    app.on("PreAuthentication", Reply::Refuse("no"));
    user(&app, "bob").await;
    for _ in 0..10 {
        let words = "UserLambdaValidationException: PreAuthentication failed with error no.";
        assert_eq!(refused(&sign_in(&app, "bob", PASSWORD).await), words);
    }
    app.on("PreAuthentication", Reply::Fill(json!({})));
    assert_eq!(sign_in(&app, "bob", PASSWORD).await.status, 200);
}

// D01: who does not exist is asked about like everybody else, and told apart to the hook alone.
story!(a_name_that_means_nobody_is_asked_about_where_existence_is_hidden, super::with_hook);
async fn a_name_that_means_nobody_is_asked_about_where_existence_is_hidden(app: TestApp) {
    app.have_triggers(&[PreAuthentication]).await;
    assert_eq!(refused(&sign_in(&app, "nobody", PASSWORD).await), WRONG);
    let heard = app.heard();
    assert_eq!((heard.len(), heard[0]["userName"].as_str()), (1, Some("nobody")));
    assert_eq!(
        heard[0]["request"],
        json!({ "userAttributes": {}, "validationData": { "said": "at first" }, "userNotFound": true })
    );
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert_eq!(refused(&sign_in(&app, "nobody", PASSWORD).await), "UserNotFoundException: User does not exist.");
    assert_eq!(app.heard(), Vec::<Value>::new());
}

story!(a_change_of_password_is_no_sign_in, super::with_hook);
async fn a_change_of_password_is_no_sign_in(app: TestApp) {
    user(&app, "alice").await;
    let token = app.login("alice", PASSWORD).await.field("access_token");
    app.have_triggers(&[PreAuthentication, PostAuthentication]).await;
    assert_eq!(app.change_password(&token, PASSWORD, "another-long-password").await.status, 204);
    let source = [127, 0, 0, 1].into();
    app.pool().replace_password("alice", "another-long-password", PASSWORD, source, None).await.unwrap();
    assert_eq!(app.heard(), Vec::<Value>::new());
}

// Whoever has just registered is asked about like everybody: the Session of a registration passes nothing by.
story!(the_first_sign_in_after_a_registration_is_asked_about, super::with_hook);
async fn the_first_sign_in_after_a_registration_is_asked_about(app: TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email];
    })
    .await;
    app.change_client(|client| client.auth_flows = Some([AuthFlow::AllowUserAuth].into())).await;
    app.have_triggers(&[PreAuthentication, PostAuthentication]).await;
    let attributes = json!([{ "Name": "email", "Value": "alice@example.test" }]);
    let body = json!({ "Username": "alice", "Password": PASSWORD, "UserAttributes": attributes });
    let registered = call(&app, "SignUp", body).await.field("Session");
    let mail = app.mail().await;
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = mail.lines().map(str::trim).find(is_code).unwrap().to_owned();
    let body = json!({ "Username": "alice", "ConfirmationCode": code, "Session": registered });
    let confirmed = call(&app, "ConfirmSignUp", body).await.field("Session");
    let begin = async || {
        let body = json!({
            "AuthFlow": "USER_AUTH", "AuthParameters": { "USERNAME": "alice" }, "Session": confirmed,
            "ClientMetadata": { "said": "at first" }
        });
        call(&app, "InitiateAuth", body).await
    };
    app.on("PreAuthentication", Reply::Refuse("closed on sundays"));
    let words = "UserLambdaValidationException: PreAuthentication failed with error closed on sundays.";
    assert_eq!(refused(&begin().await), words);
    let heard = app.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0]["request"]["validationData"], json!({ "said": "at first" }));
    let alice = app.pool().find_user("alice").await.unwrap();
    assert!(app.pool().sessions_of(&alice).await.unwrap().is_empty());
    // Let in later, he is.
    app.on("PreAuthentication", Reply::Fill(json!({})));
    assert!(app.accepts(&result(&begin().await, "AccessToken")).await);
    assert_eq!(app.heard_sources(), ["PreAuthentication_Authentication", "PostAuthentication_Authentication"]);
}
