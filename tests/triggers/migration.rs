//! UserMigration: at the first sign-in with a password, and at a forgotten one.

use cognate::pool::Trigger::{PreAuthentication, UserMigration};
use cognate::pool::UserStatus;
use cognate::pool::settings::{Contact, Usernames};
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, call, refused, result, sign_in};
use crate::app::{TestApp, claims, story};

const WRONG: &str = "NotAuthorizedException: Incorrect username or password.";

/// The other side: it knows one user by his password.
async fn elsewhere(app: &TestApp, status: &'static str) {
    app.have_triggers(&[UserMigration]).await;
    app.on_event("UserMigration", move |event| {
        let right =
            event["request"]["password"] == PASSWORD || event["triggerSource"] == "UserMigration_ForgotPassword";
        if event["userName"] != "alice" || !right {
            return Reply::Refuse("Bad password");
        }
        Reply::Fill(json!({
            "userAttributes": { "email": "alice@example.test", "email_verified": "true", "name": "Alice" },
            "finalUserStatus": status, "messageAction": "SUPPRESS"
        }))
    });
}

async fn exists(app: &TestApp, name: &str) -> bool {
    app.pool().find_user(name).await.is_ok()
}

story!(a_user_of_elsewhere_becomes_one_here_by_his_first_sign_in, super::with_hook);
async fn a_user_of_elsewhere_becomes_one_here_by_his_first_sign_in(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    // A wrong password makes nobody, and is answered like that of somebody who is nowhere.
    assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), WRONG);
    assert_eq!(refused(&sign_in(&app, "nobody", PASSWORD).await), WRONG);
    assert!(!exists(&app, "alice").await && !exists(&app, "nobody").await);
    app.heard();
    let answer = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(claims(&result(&answer, "IdToken"))["name"], "Alice");
    let heard = app.heard();
    assert_eq!((heard.len(), heard[0]["triggerSource"].as_str()), (1, Some("UserMigration_Authentication")));
    assert_eq!(heard[0]["userName"], "alice");
    assert_eq!(
        heard[0]["request"],
        json!({
            "userAttributes": {}, "password": PASSWORD, "validationData": { "said": "at first" }, "clientMetadata": null
        })
    );
    let user = app.pool().find_user("alice@example.test").await.unwrap();
    assert_eq!((user.status, user.email_verified), (UserStatus::Confirmed, true));
    // From now on he is known here, and nobody else is asked.
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 200);
    assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), WRONG);
    assert_eq!(app.heard(), Vec::<Value>::new());
}

story!(the_native_api_takes_users_over_as_well, super::with_hook);
async fn the_native_api_takes_users_over_as_well(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    let wrong = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);
    assert_eq!(app.login("alice", "wrong-password").await.whole(), wrong);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// K09, R-: of many first sign-ins at once one makes the user, and all are let in.
story!(of_many_first_sign_ins_at_once_one_makes_the_user, super::with_hook);
async fn of_many_first_sign_ins_at_once_one_makes_the_user(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    let logins = futures_util::future::join_all((0..5).map(|_| app.login("alice", PASSWORD))).await;
    let subs: std::collections::BTreeSet<String> =
        logins.iter().map(|answer| claims(&answer.field("id_token"))["sub"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subs.len(), 1);
}

// K12: what the other side judges is counted before it does.
story!(no_more_passwords_are_judged_at_once_than_may_be_wrong, super::with_hook);
async fn no_more_passwords_are_judged_at_once_than_may_be_wrong(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    let guess = async |guess: u32| app.login("alice", &format!("guess-number-{guess}")).await;
    let answers = futures_util::future::join_all((0..30).map(guess)).await;
    assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status)));
    assert_eq!(app.heard().len(), 5);
    assert_eq!(app.login("alice", PASSWORD).await.status, 429);
}

story!(a_user_who_is_to_reset_his_password_is_told_so, super::with_hook);
async fn a_user_who_is_to_reset_his_password_is_told_so(app: TestApp) {
    elsewhere(&app, "RESET_REQUIRED").await;
    let words = "PasswordResetRequiredException: Password reset required for the user";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), words);
    assert_eq!(app.pool().find_user("alice").await.unwrap().status, UserStatus::ResetRequired);
    assert_eq!(app.forgot("alice").await.status, 204);
    let code = app.mailed_code().await;
    assert_eq!(app.confirm("alice", &code, "another-long-password").await.status, 204);
    assert_eq!(app.login("alice", "another-long-password").await.status, 200);
}

story!(a_forgotten_password_brings_a_user_over, super::with_hook);
async fn a_forgotten_password_brings_a_user_over(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    let ask = async |name: &str| {
        let body = json!({ "Username": name, "ClientMetadata": { "said": "forgot" } });
        call(&app, "ForgotPassword", body).await
    };
    assert_eq!(ask("nobody").await.status, 200);
    assert!(!exists(&app, "nobody").await && app.mails().await.is_empty());
    app.heard();
    assert_eq!(ask("alice").await.json()["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "UserMigration_ForgotPassword");
    assert_eq!(
        heard[0]["request"],
        json!({ "userAttributes": {}, "password": null, "validationData": null, "clientMetadata": { "said": "forgot" } })
    );
    // He has no password here yet, whatever the answer says.
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), WRONG);
    let mail = app.mail().await;
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = mail.lines().map(str::trim).find(is_code).unwrap();
    let body = json!({ "Username": "alice", "ConfirmationCode": code, "Password": "another-long-password" });
    assert_eq!(call(&app, "ConfirmForgotPassword", body).await.whole(), (200, "{}"));
    assert_eq!(sign_in(&app, "alice", "another-long-password").await.status, 200);
}

story!(an_answer_that_makes_no_user_makes_none, super::with_hook);
async fn an_answer_that_makes_no_user_makes_none(app: TestApp) {
    app.have_triggers(&[UserMigration]).await;
    let malformed = "InvalidLambdaResponseException: Unrecognizable lambda output";
    for response in [
        json!({}),
        json!({ "userAttributes": { "email": "no address" }, "finalUserStatus": "CONFIRMED" }),
        json!({ "userAttributes": { "email": "alice@example.test" }, "finalUserStatus": "ADMIN" }),
        json!({ "userAttributes": { "sub": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" } }),
        json!({ "userAttributes": { "custom:unknown": "x" } }),
        json!({ "userAttributes": { "username": "bob", "name": "Bob" }, "finalUserStatus": "CONFIRMED" }),
        json!({ "userAttributes": ["email"] }),
    ] {
        app.on("UserMigration", Reply::Fill(response.clone()));
        assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), malformed, "{response}");
    }
    app.on("UserMigration", Reply::Leave);
    let away = "UnexpectedLambdaException: UserMigration could not be called.";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), away);
    assert!(!exists(&app, "alice").await && !exists(&app, "bob").await);
    // An outage of the other side is no wrong password.
    assert_eq!(app.login("alice", PASSWORD).await.status, 503);
}

// K09
story!(an_alias_stays_its_owners_unless_the_other_side_takes_it, super::with_hook);
async fn an_alias_stays_its_owners_unless_the_other_side_takes_it(app: TestApp) {
    super::user(&app, "bob").await;
    app.have_triggers(&[UserMigration]).await;
    let claim = |force: bool| {
        Reply::Fill(json!({
            "userAttributes": { "email": "bob@example.test", "email_verified": "true" },
            "finalUserStatus": "CONFIRMED", "forceAliasCreation": force
        }))
    };
    app.on("UserMigration", claim(false));
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), WRONG);
    assert!(!exists(&app, "alice").await);
    app.on("UserMigration", claim(true));
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
    assert_eq!(app.pool().find_user("bob@example.test").await.unwrap().username, "alice");
    assert!(!app.pool().find_user("bob").await.unwrap().email_verified);
}

story!(where_users_are_called_by_their_address_he_is_who_has_it, super::with_hook);
async fn where_users_are_called_by_their_address_he_is_who_has_it(app: TestApp) {
    app.have_triggers(&[UserMigration]).await;
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: vec![Contact::Email] }).await;
    let of = |email: &str| {
        Reply::Fill(
            json!({ "userAttributes": { "email": email, "email_verified": "true" }, "finalUserStatus": "CONFIRMED" }),
        )
    };
    app.on("UserMigration", of("other@example.test"));
    assert_eq!(sign_in(&app, "ann@example.test", PASSWORD).await.status, 400);
    assert!(!exists(&app, "ann@example.test").await && !exists(&app, "other@example.test").await);
    app.on("UserMigration", of("ann@example.test"));
    assert_eq!(sign_in(&app, "ann@example.test", PASSWORD).await.status, 200);
    // What is no name of any user is nobody elsewhere either.
    app.heard();
    assert_eq!(refused(&sign_in(&app, "a\u{7}b", PASSWORD).await), WRONG);
    assert_eq!(app.heard(), Vec::<Value>::new());
}

// S19: guesses at users of elsewhere are counted here.
story!(guesses_at_a_user_of_elsewhere_lock_his_name, super::with_hook);
async fn guesses_at_a_user_of_elsewhere_lock_his_name(app: TestApp) {
    elsewhere(&app, "CONFIRMED").await;
    app.change_pool(|pool| {
        pool.triggers.functions.insert(PreAuthentication.name().to_owned(), super::server::ARN.to_owned());
    })
    .await;
    for _ in 0..5 {
        assert_eq!(refused(&sign_in(&app, "alice", "wrong-password").await), WRONG);
    }
    // Asked for the migration, then like any name that means nobody.
    assert_eq!(app.heard_sources()[..2], ["UserMigration_Authentication", "PreAuthentication_Authentication"]);
    let locked = "NotAuthorizedException: Password attempts exceeded";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), locked);
    assert_eq!(app.heard(), Vec::<Value>::new());
    assert!(!exists(&app, "alice").await);
}
