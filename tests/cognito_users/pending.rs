//! Pools that want a new address proven before it counts: until the code comes back the old one stays.

use cognate::pool::settings::{Contact, Usernames};
use serde_json::{Value, json};

use super::{PASSWORD, code_in, refused};
use crate::app::{Answer, TestApp, story};

const SENT: &str =
    r#"{"CodeDeliveryDetailsList":[{"Destination":"n***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}]}"#;
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";
const EXPIRED: &str = "ExpiredCodeException: Invalid code provided, please request a code again.";

async fn proven_first(app: &TestApp) {
    app.change_pool(|pool| {
        pool.auto_verify = vec![Contact::Email];
        pool.verify_before_update = vec![Contact::Email];
    })
    .await;
}

async fn call(app: &TestApp, operation: &str, token: &str, mut rest: Value) -> Answer {
    rest["AccessToken"] = json!(token);
    app.cognito(operation, rest).await
}

async fn update(app: &TestApp, token: &str, values: &[(&str, &str)]) -> Answer {
    let attributes: Vec<Value> = values.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    call(app, "UpdateUserAttributes", token, json!({ "UserAttributes": attributes })).await
}

async fn verify(app: &TestApp, token: &str, code: &str) -> Answer {
    call(app, "VerifyUserAttribute", token, json!({ "AttributeName": "email", "Code": code })).await
}

/// The user's address as he sees it, and whether it is proven.
async fn address(app: &TestApp, token: &str) -> (String, String) {
    let body = call(app, "GetUser", token, json!({})).await.json();
    let of = |name: &str| {
        let found = body["UserAttributes"].as_array().unwrap().iter().find(|attribute| attribute["Name"] == name);
        found.unwrap()["Value"].as_str().unwrap().to_owned()
    };
    (of("email"), of("email_verified"))
}

fn proven(address: &str) -> (String, String) {
    (address.to_owned(), "true".to_owned())
}

story!(a_new_address_counts_once_its_code_came_back);
async fn a_new_address_counts_once_its_code_came_back(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    let answer = update(&app, &token, &[("email", "new@example.test"), ("name", "Alice")]).await;
    assert_eq!(answer.whole(), (200, SENT));
    let mails = app.mails().await;
    assert!(mails[0].contains("To: new@example.test"), "{}", mails[0]);
    let code = code_in(&mails);
    // Everything else is written, and the old address still signs in.
    assert_eq!(app.pool().find_user("alice").await.unwrap().attributes["name"], "Alice");
    assert_eq!(address(&app, &token).await, proven("alice@example.test"));
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 200);
    assert_eq!(app.login("new@example.test", PASSWORD).await.status, 401);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(&verify(&app, &token, wrong).await), MISMATCH);
    assert_eq!(verify(&app, &token, &code).await.whole(), (200, "{}"));
    assert_eq!(address(&app, &token).await, proven("new@example.test"));
    assert_eq!(app.login("new@example.test", PASSWORD).await.status, 200);
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 401);
    assert_eq!(refused(&verify(&app, &token, &code).await), EXPIRED);
    // Whoever loses an address is told.
    let mails = app.mails().await;
    assert!(mails.len() == 1 && mails[0].contains("To: alice@example.test"), "{mails:?}");
    // The same address in other letters needs no proof.
    let again = update(&app, &token, &[("email", "NEW@example.test")]).await;
    assert_eq!(again.whole(), (200, r#"{"CodeDeliveryDetailsList":[]}"#));
    assert_eq!(address(&app, &token).await, proven("NEW@example.test"));
}

// P07
story!(a_code_proves_the_address_that_it_was_sent_to_and_no_other);
async fn a_code_proves_the_address_that_it_was_sent_to_and_no_other(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    update(&app, &token, &[("email", "first@example.test")]).await;
    let first = code_in(&app.mails().await);
    // A second one takes the place of the first, with its code.
    update(&app, &token, &[("email", "new@example.test")]).await;
    let second = code_in(&app.mails().await);
    if first != second {
        assert_eq!(refused(&verify(&app, &token, &first).await), MISMATCH);
    }
    // Another code for it, when it is asked for.
    app.clock.advance_seconds(3600);
    let asked = call(&app, "GetUserAttributeVerificationCode", &token, json!({ "AttributeName": "email" })).await;
    let details =
        r#"{"CodeDeliveryDetails":{"Destination":"n***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}}"#;
    assert_eq!(asked.whole(), (200, details));
    let mails = app.mails().await;
    assert!(mails[0].contains("To: new@example.test"));
    let third = code_in(&mails);
    if second != third {
        assert_eq!(refused(&verify(&app, &token, &second).await), MISMATCH);
    }
    assert_eq!(address(&app, &token).await, proven("alice@example.test"));
    assert_eq!(verify(&app, &token, &third).await.whole(), (200, "{}"));
    assert_eq!(address(&app, &token).await, proven("new@example.test"));
}

story!(an_address_that_waits_is_forgotten_in_time_and_with_the_one_it_follows);
async fn an_address_that_waits_is_forgotten_in_time_and_with_the_one_it_follows(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    update(&app, &token, &[("email", "new@example.test")]).await;
    let code = code_in(&app.mails().await);
    // An administrator was faster.
    let values = [("email", "ada@example.test"), ("email_verified", "true")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.pool().update_attributes("alice", &values).await.unwrap();
    assert_eq!(refused(&verify(&app, &token, &code).await), MISMATCH);
    assert_eq!(address(&app, &token).await, proven("ada@example.test"));
    update(&app, &token, &[("email", "new@example.test")]).await;
    let code = code_in(&app.mails().await);
    app.clock.advance_seconds(24 * 3600);
    let token = app.login("alice", PASSWORD).await.field("access_token");
    assert_eq!(refused(&verify(&app, &token, &code).await), EXPIRED);
    assert_eq!(address(&app, &token).await, proven("ada@example.test"));
}

// K09
story!(an_address_of_another_is_not_taken_by_waiting_for_it);
async fn an_address_of_another_is_not_taken_by_waiting_for_it(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    update(&app, &token, &[("email", "victim@example.test")]).await;
    let code = code_in(&app.mails().await);
    super::user(&app, "victim").await;
    let words = "AliasExistsException: An account with the email already exists.";
    assert_eq!(refused(&verify(&app, &token, &code).await), words);
    assert_eq!(address(&app, &token).await, proven("alice@example.test"));
    // Where users are called by their addresses, it is said at once.
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: vec![Contact::Email] }).await;
    app.pool().update_attributes("victim", &[("name".to_owned(), "V".to_owned())]).await.unwrap();
    let words = "AliasExistsException: An account with the given email already exists.";
    assert_eq!(refused(&update(&app, &token, &[("email", "victim@example.test")]).await), words);
    assert!(app.mails().await.is_empty());
}

story!(an_administrator_vouches_for_an_address_or_has_it_proven);
async fn an_administrator_vouches_for_an_address_or_has_it_proven(app: TestApp) {
    proven_first(&app).await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    let admin = async |values: Value| {
        let body = json!({ "UserPoolId": app.pool().id(), "Username": "alice", "UserAttributes": values });
        app.cognito_admin("AdminUpdateUserAttributes", body).await
    };
    let email = |address: &str| json!({ "Name": "email", "Value": address });
    let flag = |value: &str| json!({ "Name": "email_verified", "Value": value });
    assert_eq!(admin(json!([email("a@example.test"), flag("true")])).await.whole(), (200, "{}"));
    assert_eq!(address(&app, &token).await, proven("a@example.test"));
    assert!(app.mails().await.is_empty());
    assert_eq!(admin(json!([email("b@example.test"), flag("false")])).await.whole(), (200, "{}"));
    assert_eq!(address(&app, &token).await, proven("a@example.test"));
    let code = code_in(&app.mails().await);
    assert_eq!(verify(&app, &token, &code).await.whole(), (200, "{}"));
    assert_eq!(address(&app, &token).await, proven("b@example.test"));
}

story!(a_pool_says_what_is_proven_first);
async fn a_pool_says_what_is_proven_first(app: TestApp) {
    let rules = |first: Value, auto: Value| {
        json!({ "PoolName": "shop", "AutoVerifiedAttributes": auto,
                "UserAttributeUpdateSettings": { "AttributesRequireVerificationBeforeUpdate": first } })
    };
    let made = app.cognito_admin("CreateUserPool", rules(json!(["email"]), json!(["email"]))).await.json();
    let settings = json!({ "AttributesRequireVerificationBeforeUpdate": ["email"] });
    assert_eq!(made["UserPool"]["UserAttributeUpdateSettings"], settings);
    for (first, auto, words) in [
        (
            json!(["email"]),
            json!([]),
            "AttributesRequireVerificationBeforeUpdate must be among AutoVerifiedAttributes.",
        ),
        (
            json!(["phone_number"]),
            json!(["email"]),
            "AttributesRequireVerificationBeforeUpdate phone_number is not available on this server.",
        ),
    ] {
        let answer = app.cognito_admin("CreateUserPool", rules(first, auto)).await;
        assert_eq!(refused(&answer), format!("InvalidParameterException: {words}"));
    }
    // What an update does not name goes back to its default.
    let body = json!({ "UserPoolId": made["UserPool"]["Id"] });
    assert_eq!(app.cognito_admin("UpdateUserPool", body.clone()).await.whole(), (200, "{}"));
    let described = app.cognito_admin("DescribeUserPool", body).await.json();
    assert_eq!(described["UserPool"].get("UserAttributeUpdateSettings"), None);
}
