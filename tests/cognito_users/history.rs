//! The last passwords of a user, which do not come again (PasswordHistorySize).

use cognate::pool::NewUser;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{code_in, refused, signed_in, user};
use crate::app::{Answer, PASSWORD as OLD, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const USED: &str = "PasswordHistoryPolicyViolationException: Password has previously been used";
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";

/// The `number`th password of a user, and [`super::PASSWORD`] the one before the first.
fn word(number: usize) -> String {
    if number == 0 { super::PASSWORD.to_owned() } else { format!("password-of-the-day-{number}") }
}

async fn remember(app: &TestApp, size: u32) {
    app.change_pool(|pool| pool.password_history = size).await;
}

async fn change(app: &TestApp, token: &str, previous: &str, proposed: &str) -> Answer {
    let body = json!({ "AccessToken": token, "PreviousPassword": previous, "ProposedPassword": proposed });
    app.cognito("ChangePassword", body).await
}

async fn set(app: &TestApp, password: &str, permanent: bool) -> Answer {
    let pool = app.pool().id().to_owned();
    let body = json!({ "UserPoolId": pool, "Username": "alice", "Password": password, "Permanent": permanent });
    app.cognito_admin("AdminSetUserPassword", body).await
}

async fn call(app: &TestApp, operation: &str, rest: Value) -> Answer {
    let mut body = json!({ "ClientId": app.client().id, "Username": "alice" });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito(operation, body).await
}

/// How many of her former passwords are kept.
async fn kept(app: &TestApp) -> usize {
    let sub = app.pool().find_user("alice").await.unwrap().sub;
    let found = app.api.ports.directory.former_passwords(app.pool().id(), &[sub]).await.unwrap();
    found.get(&sub).map_or(0, Vec::len)
}

story!(a_changed_password_is_none_of_the_last);
async fn a_changed_password_is_none_of_the_last(app: TestApp) {
    remember(&app, 3).await;
    let token = signed_in(&app, "alice").await.field("access_token");
    assert_eq!(refused(&change(&app, &token, &word(0), &word(0)).await), USED, "the present one counts");
    for number in 1..=3 {
        assert_eq!(change(&app, &token, &word(number - 1), &word(number)).await.whole(), DONE);
        for before in number.saturating_sub(2)..=number {
            assert_eq!(refused(&change(&app, &token, &word(number), &word(before)).await), USED, "{number} {before}");
        }
        assert_eq!(kept(&app).await, number.min(2));
    }
    // Whoever does not know the present one learns nothing of the others.
    let words = "NotAuthorizedException: Incorrect username or password.";
    for number in [1, 2, 3, 9] {
        assert_eq!(refused(&change(&app, &token, &word(2), &word(number)).await), words);
    }
    assert_eq!(app.login("alice", &word(3)).await.status, 200);
    assert_eq!(change(&app, &token, &word(3), &word(0)).await.whole(), DONE, "it is the fourth last");
}

story!(a_reset_sets_none_of_the_last_passwords_and_the_code_stays_for_another);
async fn a_reset_sets_none_of_the_last_passwords_and_the_code_stays_for_another(app: TestApp) {
    remember(&app, 2).await;
    let token = signed_in(&app, "alice").await.field("access_token");
    change(&app, &token, &word(0), &word(1)).await;
    call(&app, "ForgotPassword", json!({})).await;
    let code = code_in(&app.mails().await);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let confirm = async |code: &str, password: &str| {
        call(&app, "ConfirmForgotPassword", json!({ "ConfirmationCode": code, "Password": password })).await
    };
    assert_eq!(refused(&confirm(wrong, &word(0)).await), MISMATCH, "nothing is told without the code");
    assert_eq!(refused(&confirm(&code, &word(0)).await), USED);
    assert_eq!(refused(&confirm(&code, &word(1)).await), USED);
    assert_eq!(confirm(&code, &word(2)).await.whole(), DONE);
    assert_eq!(refused(&confirm(&code, &word(3)).await), MISMATCH);
    assert_eq!(app.login("alice", &word(2)).await.status, 200);
}

story!(as_many_used_passwords_are_tried_by_a_code_as_there_are_wrong_codes);
async fn as_many_used_passwords_are_tried_by_a_code_as_there_are_wrong_codes(app: TestApp) {
    remember(&app, 1).await;
    user(&app, "alice").await;
    call(&app, "ForgotPassword", json!({})).await;
    let code = code_in(&app.mails().await);
    let confirm = async |password: &str| {
        call(&app, "ConfirmForgotPassword", json!({ "ConfirmationCode": code, "Password": password })).await
    };
    for _ in 0..app.api.ports.limits.code_attempts {
        assert_eq!(refused(&confirm(&word(0)).await), USED);
    }
    let dead = refused(&confirm(&word(1)).await);
    assert!(dead.starts_with("CodeMismatchException") || dead.starts_with("ExpiredCodeException"), "{dead}");
    assert_eq!(app.login("alice", &word(0)).await.status, 200);
}

story!(a_temporary_password_may_be_any_and_what_follows_it_none_of_the_last);
async fn a_temporary_password_may_be_any_and_what_follows_it_none_of_the_last(app: TestApp) {
    remember(&app, 3).await;
    user(&app, "alice").await;
    assert_eq!(refused(&set(&app, &word(0), true).await), USED);
    assert_eq!(set(&app, &word(1), true).await.whole(), DONE);
    assert_eq!(refused(&set(&app, &word(0), true).await), USED);
    assert_eq!(set(&app, &word(1), false).await.whole(), DONE, "it has to be replaced anyway");
    assert_eq!(set(&app, &word(2), false).await.whole(), DONE);
    let asked = app.login("alice", &word(2)).await;
    let respond = async |password: &str| {
        let responses = json!({ "USERNAME": "alice", "NEW_PASSWORD": password });
        let body = json!({
            "ClientId": app.client().id, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": asked.field("session"),
            "ChallengeResponses": responses
        });
        app.cognito("RespondToAuthChallenge", body).await
    };
    for number in [1, 2] {
        assert_eq!(refused(&respond(&word(number)).await), USED, "{number}: the session stays");
    }
    assert_eq!(respond(&word(3)).await.status, 200);
    assert_eq!(app.login("alice", &word(3)).await.status, 200);
    assert_eq!(kept(&app).await, 2);
}

story!(a_pool_says_how_many_passwords_it_remembers_and_forgets_the_rest);
async fn a_pool_says_how_many_passwords_it_remembers_and_forgets_the_rest(app: TestApp) {
    let pool = app.pool().id().to_owned();
    let update = async |size: u32| {
        let policies = json!({ "PasswordPolicy": { "PasswordHistorySize": size } });
        let answer = app.cognito_admin("UpdateUserPool", json!({ "UserPoolId": pool, "Policies": policies })).await;
        app.reload().await;
        answer
    };
    let described = async || {
        let answer = app.cognito_admin("DescribeUserPool", json!({ "UserPoolId": pool })).await.json();
        answer["UserPool"]["Policies"]["PasswordPolicy"].get("PasswordHistorySize").cloned()
    };
    user(&app, "alice").await;
    assert_eq!(described().await, None);
    let words = "InvalidParameterException: 1 validation error detected: Value '25' at \
                 'policies.passwordPolicy.passwordHistorySize' failed to satisfy constraint: Member must have value less \
                 than or equal to 24";
    assert_eq!(refused(&update(25).await), words);
    assert_eq!(update(24).await.whole(), DONE);
    assert_eq!(described().await, Some(json!(24)));
    for number in 1..=4 {
        let given = set(&app, &format!("Password-of-the-day-{number}"), true).await;
        assert_eq!(given.whole(), DONE);
    }
    assert_eq!(kept(&app).await, 4);
    for (size, left) in [(3, 2), (1, 0)] {
        assert_eq!(update(size).await.whole(), DONE);
        assert_eq!(kept(&app).await, left, "{size}");
    }
    assert_eq!(refused(&set(&app, "Password-of-the-day-4", true).await), USED);
    assert_eq!(set(&app, "Password-of-the-day-3", true).await.whole(), DONE);
    assert_eq!(update(0).await.whole(), DONE);
    assert_eq!(described().await, None);
    assert_eq!(set(&app, "Password-of-the-day-3", true).await.whole(), DONE);
    assert_eq!(kept(&app).await, 0);
}

story!(of_many_changes_at_once_each_that_won_is_remembered);
async fn of_many_changes_at_once_each_that_won_is_remembered(app: TestApp) {
    remember(&app, 24).await;
    user(&app, "alice").await;
    let words: Vec<String> = (1..=6).map(word).collect();
    let pool = app.pool();
    let outcomes = join_all(words.iter().map(|word| pool.set_password("alice", word, false))).await;
    let won: Vec<&String> =
        words.iter().zip(&outcomes).filter(|(_, done)| done.is_ok()).map(|(word, _)| word).collect();
    assert!(!won.is_empty(), "{outcomes:?}");
    assert_eq!(kept(&app).await, won.len());
    for word in won {
        assert_eq!(refused(&set(&app, word, true).await), USED);
    }
}

// The same pool, whichever API is called.
story!(other_apis_say_it_in_their_own_words);
async fn other_apis_say_it_in_their_own_words(app: TestApp) {
    remember(&app, 2).await;
    let token = app.signed_in("alice").await.field("access_token");
    assert_eq!(app.change_password(&token, OLD, &word(1)).await.whole(), (204, ""));
    let refusal = r#"{"status":401,"message":"Incorrect username or password."}"#;
    assert_eq!(app.change_password(&token, &word(1), OLD).await.whole(), (401, refusal));
    app.forgot("alice").await;
    let message = "PasswordHistoryPolicyViolationException: Password has previously been used";
    let whole = format!(r#"{{"status":401,"message":"{message}"}}"#);
    let code = app.mailed_code().await;
    assert_eq!(app.confirm("alice", &code, OLD).await.whole(), (401, whole.as_str()));
    assert_eq!(app.confirm("alice", &code, &word(2)).await.whole(), (204, ""));
    app.pool().create_user(NewUser { temporary: true, ..NewUser::new("bob", &word(1)) }).await.unwrap();
    let session = app.login("bob", &word(1)).await.field("session");
    assert_eq!(app.new_password("bob", &session, &word(1)).await.whole(), (401, whole.as_str()));
    assert_eq!(app.new_password("bob", &session, &word(2)).await.status, 200);
}
