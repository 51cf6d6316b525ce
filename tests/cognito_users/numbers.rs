//! A user's number: changed by himself or by an administrator, and proven by a code.

use cognate::pool::settings::{Alias, Contact, Usernames};
use serde_json::{Value, json};

use super::{NUMBER, PASSWORD, code_in, give_number, other, refused, texted, texts};
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const SENT: &str = r#"{"CodeDeliveryDetailsList":[{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}]}"#;
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";
const EXPIRED: &str = "ExpiredCodeException: Invalid code provided, please request a code again.";
const OLD: &str = "+4930123456";

async fn call(app: &TestApp, operation: &str, token: &str, mut rest: Value) -> Answer {
    rest["AccessToken"] = json!(token);
    app.cognito(operation, rest).await
}

async fn update(app: &TestApp, token: &str, values: &[(&str, &str)]) -> Answer {
    let attributes: Vec<Value> = values.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    call(app, "UpdateUserAttributes", token, json!({ "UserAttributes": attributes })).await
}

async fn verify(app: &TestApp, token: &str, name: &str, code: &str) -> Answer {
    call(app, "VerifyUserAttribute", token, json!({ "AttributeName": name, "Code": code })).await
}

/// The user's number, and whether it is proven.
async fn number(app: &TestApp) -> (String, bool) {
    let user = app.pool().find_user("alice").await.unwrap();
    (user.phone.unwrap(), user.phone_verified)
}

fn proven(number: &str) -> (String, bool) {
    (number.to_owned(), true)
}

async fn proven_first(app: &TestApp) {
    app.change_pool(|pool| {
        pool.auto_verify = vec![Contact::Email, Contact::PhoneNumber];
        pool.verify_before_update = pool.auto_verify.clone();
    })
    .await;
}

story!(a_changed_number_is_unproven_until_its_code_comes_back, crate::servers::gateway::Gateway::of);
async fn a_changed_number_is_unproven_until_its_code_comes_back(app: TestApp) {
    app.change_pool(|pool| pool.auto_verify = vec![Contact::PhoneNumber]).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", OLD).await;
    assert_eq!(update(&app, &token, &[("phone_number", NUMBER)]).await.whole(), (200, SENT));
    assert_eq!(number(&app).await, (NUMBER.to_owned(), false));
    let code = texted(&app, NUMBER).await;
    assert_eq!(refused(&verify(&app, &token, "email", &code).await), EXPIRED, "it proves no address");
    assert_eq!(refused(&verify(&app, &token, "phone_number", other(&code)).await), MISMATCH);
    assert_eq!(verify(&app, &token, "phone_number", &code).await.whole(), DONE);
    assert_eq!(number(&app).await, proven(NUMBER));
    assert_eq!(refused(&verify(&app, &token, "phone_number", &code).await), EXPIRED);
    let nothing = (200, r#"{"CodeDeliveryDetailsList":[]}"#);
    assert_eq!(update(&app, &token, &[("phone_number", NUMBER)]).await.whole(), nothing);
    assert_eq!(number(&app).await, proven(NUMBER));
}

story!(a_new_number_counts_once_its_code_came_back, crate::servers::gateway::Gateway::of);
async fn a_new_number_counts_once_its_code_came_back(app: TestApp) {
    proven_first(&app).await;
    app.change_pool(|pool| pool.usernames = Usernames::Chosen { aliases: vec![Alias::PhoneNumber] }).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", OLD).await;
    let answer = update(&app, &token, &[("phone_number", NUMBER), ("name", "Alice")]).await;
    assert_eq!(answer.whole(), (200, SENT));
    let first = texted(&app, NUMBER).await;
    // Everything else is written, and the old number still signs in.
    assert_eq!(app.pool().find_user("alice").await.unwrap().attributes["name"], "Alice");
    assert_eq!(number(&app).await, proven(OLD));
    assert_eq!(app.login(OLD, PASSWORD).await.status, 200);
    // Another code for it, when it is asked for.
    let asked =
        call(&app, "GetUserAttributeVerificationCode", &token, json!({ "AttributeName": "phone_number" })).await;
    let details = r#"{"CodeDeliveryDetails":{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}}"#;
    assert_eq!(asked.whole(), (200, details));
    let code = texted(&app, NUMBER).await;
    if first != code {
        assert_eq!(refused(&verify(&app, &token, "phone_number", &first).await), MISMATCH);
    }
    assert_eq!(verify(&app, &token, "phone_number", &code).await.whole(), DONE);
    assert_eq!(number(&app).await, proven(NUMBER));
    assert_eq!(app.login(NUMBER, PASSWORD).await.status, 200);
    assert_eq!(app.login(OLD, PASSWORD).await.status, 401);
    assert_eq!(refused(&verify(&app, &token, "phone_number", &code).await), EXPIRED);
}

story!(number_and_address_wait_each_for_its_own_code, crate::servers::gateway::Gateway::of);
async fn number_and_address_wait_each_for_its_own_code(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", OLD).await;
    let answer = update(&app, &token, &[("phone_number", NUMBER), ("email", "new@example.test")]).await;
    let both = r#"{"CodeDeliveryDetailsList":[{"Destination":"n***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"},{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}]}"#;
    assert_eq!(answer.whole(), (200, both));
    let (code, mailed) = (texted(&app, NUMBER).await, code_in(&app.mails().await));
    if code != mailed {
        assert_eq!(refused(&verify(&app, &token, "phone_number", &mailed).await), MISMATCH);
    }
    assert_eq!(verify(&app, &token, "phone_number", &code).await.whole(), DONE);
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!((user.phone.as_deref(), user.email.as_deref()), (Some(NUMBER), Some("alice@example.test")));
    assert_eq!(verify(&app, &token, "email", &mailed).await.whole(), DONE);
    assert_eq!(app.pool().find_user("alice").await.unwrap().email.unwrap(), "new@example.test");
}

// K09
story!(a_number_of_another_is_not_taken_by_waiting_for_it, crate::servers::gateway::Gateway::of);
async fn a_number_of_another_is_not_taken_by_waiting_for_it(app: TestApp) {
    proven_first(&app).await;
    app.change_pool(|pool| pool.usernames = Usernames::Chosen { aliases: vec![Alias::PhoneNumber] }).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", OLD).await;
    assert_eq!(update(&app, &token, &[("phone_number", NUMBER)]).await.whole(), (200, SENT));
    let code = texted(&app, NUMBER).await;
    super::user(&app, "bob").await;
    give_number(&app, "bob", NUMBER).await;
    let words = "AliasExistsException: An account with the phone_number already exists.";
    assert_eq!(refused(&verify(&app, &token, "phone_number", &code).await), words);
    assert_eq!(number(&app).await, proven(OLD));
    // Where users are called by their numbers, it is said at once.
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: vec![Contact::PhoneNumber] }).await;
    app.pool().update_attributes("bob", &[("name".to_owned(), "B".to_owned())]).await.unwrap();
    let words = "AliasExistsException: An account with the given phone_number already exists.";
    assert_eq!(refused(&update(&app, &token, &[("phone_number", NUMBER)]).await), words);
    assert!(texts(&app).await.is_empty());
}

story!(an_administrator_vouches_for_a_number_or_has_it_proven, crate::servers::gateway::Gateway::of);
async fn an_administrator_vouches_for_a_number_or_has_it_proven(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    let admin = async |values: Value| {
        let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice", "UserAttributes": values });
        app.cognito_admin("AdminUpdateUserAttributes", body).await
    };
    let phone = |number: &str| json!({ "Name": "phone_number", "Value": number });
    let flag = |value: &str| json!({ "Name": "phone_number_verified", "Value": value });
    assert_eq!(admin(json!([phone(OLD), flag("true")])).await.whole(), DONE);
    assert_eq!(number(&app).await, proven(OLD));
    assert!(texts(&app).await.is_empty());
    assert_eq!(admin(json!([phone(NUMBER)])).await.whole(), DONE);
    assert_eq!(number(&app).await, proven(OLD));
    let code = texted(&app, NUMBER).await;
    assert_eq!(verify(&app, &token, "phone_number", &code).await.whole(), DONE);
    assert_eq!(number(&app).await, proven(NUMBER));
}

// Of two changes at once one is the last; a code proves the number that it was sent to, or none.
story!(of_two_numbers_at_once_a_code_proves_only_its_own, crate::servers::gateway::Gateway::of);
async fn of_two_numbers_at_once_a_code_proves_only_its_own(app: TestApp) {
    app.change_pool(|pool| pool.auto_verify = vec![Contact::PhoneNumber]).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    for round in 0..4 {
        let numbers = [format!("+4930100{round}"), format!("+4930200{round}")];
        let changed = numbers.clone().map(|number| {
            let (app, token) = (&app, &token);
            async move { update(app, token, &[("phone_number", number.as_str())]).await }
        });
        for answer in futures_util::future::join_all(changed).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        for (to, text) in texts(&app).await {
            let code = text.split(|letter: char| !letter.is_ascii_digit()).find(|word| word.len() == 6).unwrap();
            let answer = verify(&app, &token, "phone_number", code).await;
            let (present, verified) = number(&app).await;
            assert_eq!(answer.status == 200, verified && present == to, "{}", answer.text);
            assert!(numbers.contains(&present));
            if verified {
                break;
            }
        }
        app.clock.advance_seconds(2 * 3600);
        let again = app.login("alice", PASSWORD).await;
        assert_eq!(again.status, 200);
    }
}

story!(without_a_gateway_a_number_that_must_be_proven_is_not_changed);
async fn without_a_gateway_a_number_that_must_be_proven_is_not_changed(app: TestApp) {
    app.change_pool(|pool| pool.auto_verify = vec![Contact::Email, Contact::PhoneNumber]).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", OLD).await;
    let words = "CodeDeliveryFailureException: This server can not send SMS messages.";
    for values in [&[("phone_number", NUMBER)][..], &[("email", "new@example.test"), ("phone_number", NUMBER)]] {
        assert_eq!(refused(&update(&app, &token, values).await), words);
    }
    proven_first(&app).await;
    assert_eq!(refused(&update(&app, &token, &[("phone_number", NUMBER)]).await), words);
    let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice",
        "UserAttributes": [{ "Name": "phone_number", "Value": NUMBER }, { "Name": "name", "Value": "Alice" }] });
    assert_eq!(refused(&app.cognito_admin("AdminUpdateUserAttributes", body).await), words);
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!((user.phone.as_deref(), user.email.as_deref()), (Some(OLD), Some("alice@example.test")));
    assert!(user.phone_verified && user.attributes.is_empty());
    assert!(app.mails().await.is_empty());
}
