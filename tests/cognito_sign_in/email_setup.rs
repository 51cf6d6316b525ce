//! MFA_SETUP with an address: it becomes the user's with the code that went there, and no sooner.

use cognate::pool::NewUser;
use cognate::pool::settings::{Contact, MfaMode, MfaRules, Usernames};
use serde_json::{Value, json};

use super::{WRONG_CODE, mailed, refused, respond, result, sign_in};
use crate::app::{Answer, TestApp, story};

/// Without a space, which Cognito's model does not allow.
const PASSWORD: &str = "correct-horse-battery";
const TAKEN: &str = "AliasExistsException: An account with the email already exists.";

async fn with_setup(app: &TestApp) {
    let rules = MfaRules { mode: MfaMode::On, software_token: true, email: true, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
}

async fn without_address(app: &TestApp, name: &str) {
    app.pool().create_user(NewUser::new(name, PASSWORD)).await.unwrap();
}

/// What a user who has just proven his password is answered when he gives this address.
async fn set_up(app: &TestApp, name: &str, email: &str) -> Answer {
    let session = sign_in(app, name, PASSWORD).await.field("Session");
    respond(app, "MFA_SETUP", Some(&session), json!({ "USERNAME": name, "EMAIL": email })).await
}

async fn prove(app: &TestApp, name: &str, asked: &Answer, code: &str) -> Answer {
    let responses = json!({ "USERNAME": name, "EMAIL_OTP_CODE": code });
    respond(app, "EMAIL_OTP", Some(&asked.field("Session")), responses).await
}

async fn address(app: &TestApp, name: &str) -> (Option<String>, bool) {
    let user = app.pool().find_user(name).await.unwrap();
    (user.email, user.email_verified)
}

// K10: whoever has the password alone writes nothing into the account.
story!(an_address_is_the_users_only_once_its_code_came_back);
async fn an_address_is_the_users_only_once_its_code_came_back(app: TestApp) {
    with_setup(&app).await;
    without_address(&app, "alice").await;
    let stranger = set_up(&app, "alice", "stranger@example.test").await;
    assert_eq!(stranger.field("ChallengeName"), "EMAIL_OTP");
    assert_eq!(address(&app, "alice").await, (None, false));
    let code = mailed(&app, 6).await;
    let wrong = if code == "123456" { "654321" } else { "123456" };
    assert_eq!(refused(&prove(&app, "alice", &stranger, wrong).await), WRONG_CODE);
    assert_eq!(address(&app, "alice").await, (None, false));
    // So the next sign-in is free to give another one, and its code does not prove the first.
    let own = set_up(&app, "alice", "Alice@example.test").await;
    assert_eq!(own.json()["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"], "a***@e***");
    let of_own = mailed(&app, 6).await;
    if of_own != code {
        assert_eq!(refused(&prove(&app, "alice", &stranger, &of_own).await), WRONG_CODE);
    }
    assert!(app.accepts(&result(&prove(&app, "alice", &own, &of_own).await, "AccessToken")).await);
    assert_eq!(address(&app, "alice").await, (Some("Alice@example.test".to_owned()), true));
    // The first code is late: he owes nothing of the kind any more.
    assert_eq!(prove(&app, "alice", &stranger, &code).await.status, 400);
    assert_eq!(address(&app, "alice").await, (Some("Alice@example.test".to_owned()), true));
    assert_eq!(sign_in(&app, "alice@example.test", PASSWORD).await.field("ChallengeName"), "EMAIL_OTP");
}

// K09
story!(an_address_that_another_proves_meanwhile_stays_his);
async fn an_address_that_another_proves_meanwhile_stays_his(app: TestApp) {
    with_setup(&app).await;
    for name in ["alice", "bob"] {
        without_address(&app, name).await;
    }
    let of_bob = set_up(&app, "bob", "shared@example.test").await;
    let code_of_bob = mailed(&app, 6).await;
    let of_alice = set_up(&app, "alice", "shared@example.test").await;
    assert_eq!(prove(&app, "alice", &of_alice, &mailed(&app, 6).await).await.status, 200);
    assert_eq!(refused(&prove(&app, "bob", &of_bob, &code_of_bob).await), TAKEN);
    assert_eq!(address(&app, "bob").await, (None, false));
    assert_eq!(app.pool().find_user("shared@example.test").await.unwrap().username, "alice");
}

/// A user who is called by this contact.
async fn called(app: &TestApp, name: &str) {
    let pool = app.pool().id().to_owned();
    let body = json!({ "UserPoolId": pool, "Username": name, "MessageAction": "SUPPRESS" });
    assert_eq!(app.cognito_admin("AdminCreateUser", body).await.status, 200);
    let body = json!({ "UserPoolId": pool, "Username": name, "Password": PASSWORD, "Permanent": true });
    assert_eq!(app.cognito_admin("AdminSetUserPassword", body).await.whole(), (200, "{}"));
}

story!(an_address_that_another_is_called_by_is_none_to_set_up);
async fn an_address_that_another_is_called_by_is_none_to_set_up(app: TestApp) {
    with_setup(&app).await;
    let contacts = vec![Contact::Email, Contact::PhoneNumber];
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: contacts.clone() }).await;
    called(&app, "+12065550101").await;
    called(&app, "there@example.test").await;
    assert_eq!(refused(&set_up(&app, "+12065550101", "There@example.test").await), TAKEN);
    let asked = set_up(&app, "+12065550101", "late@example.test").await;
    let code = mailed(&app, 6).await;
    called(&app, "late@example.test").await;
    assert_eq!(refused(&prove(&app, "+12065550101", &asked, &code).await), TAKEN);
    assert_eq!(address(&app, "+12065550101").await, (None, false));
}

// E20: a sign-in is no way to write to strangers without end, whoever asks.
story!(an_address_that_somebody_gives_is_mailed_a_few_times_and_no_more);
async fn an_address_that_somebody_gives_is_mailed_a_few_times_and_no_more(app: TestApp) {
    with_setup(&app).await;
    let mut answers: Vec<Value> = Vec::new();
    for name in ["ann", "bob"] {
        without_address(&app, name).await;
        for _ in 0..3 {
            answers.push(set_up(&app, name, "victim@example.test").await.json());
        }
    }
    let limit = json!({
        "__type": "LimitExceededException", "message": "Attempt limit exceeded, please try after some time."
    });
    assert_eq!(answers.iter().filter(|answer| **answer == limit).count(), 1, "{answers:?}");
    assert_eq!(answers[5], limit);
    assert_eq!(app.mails().await.len(), 5);
}
