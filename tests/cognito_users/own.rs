//! What a user reads and changes of himself with his access token.

use std::collections::BTreeSet;

use cognate::pool::settings::Contact;
use serde_json::{Value, json};

use super::{PASSWORD, code_in, refused};
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const FORBIDDEN: &str = "NotAuthorizedException: A client attempted to write unauthorized attribute";

async fn call(app: &TestApp, operation: &str, token: &str, rest: Value) -> Answer {
    let mut body = json!({ "AccessToken": token });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito(operation, body).await
}

async fn update(app: &TestApp, token: &str, name: &str, value: &str) -> Answer {
    call(app, "UpdateUserAttributes", token, json!({ "UserAttributes": [{ "Name": name, "Value": value }] })).await
}

/// Value of one of his attributes.
async fn attribute(app: &TestApp, token: &str, name: &str) -> Option<String> {
    let body = call(app, "GetUser", token, json!({})).await.json();
    let found = body["UserAttributes"].as_array().unwrap().iter().find(|attribute| attribute["Name"] == name).cloned();
    found.map(|attribute| attribute["Value"].as_str().unwrap().to_owned())
}

story!(a_user_reads_himself);
async fn a_user_reads_himself(app: TestApp) {
    let session = super::signed_in(&app, "alice").await;
    let token = session.field("access_token");
    let sub = crate::app::claims(&token)["sub"].as_str().unwrap().to_owned();
    let body = format!(
        r#"{{"Username":"alice","UserAttributes":[{{"Name":"sub","Value":"{sub}"}},{{"Name":"email","Value":"alice@example.test"}},{{"Name":"email_verified","Value":"true"}}]}}"#
    );
    assert_eq!(call(&app, "GetUser", &token, json!({})).await.whole(), (200, body.as_str()));
    // Only what his client may read.
    app.change_client(|client| client.read_attributes = Some(BTreeSet::from(["email".to_owned()]))).await;
    assert_eq!(attribute(&app, &token, "email").await.unwrap(), "alice@example.test");
    assert_eq!(attribute(&app, &token, "email_verified").await, None);
    assert_eq!(attribute(&app, &token, "sub").await.unwrap(), sub);
    for (token, words) in [
        ("x", "NotAuthorizedException: Invalid Access Token"),
        (&session.field("id_token"), "NotAuthorizedException: Invalid Access Token"),
        (&format!("{token}A"), "NotAuthorizedException: Invalid Access Token"),
    ] {
        assert_eq!(refused(&call(&app, "GetUser", token, json!({})).await), words);
    }
    app.clock.advance_seconds(24 * 3600);
    let words = "NotAuthorizedException: Access Token has expired";
    assert_eq!(refused(&call(&app, "GetUser", &token, json!({})).await), words);
}

// S22
story!(a_token_of_a_user_who_is_out_opens_nothing);
async fn a_token_of_a_user_who_is_out_opens_nothing(app: TestApp) {
    let token = super::signed_in(&app, "alice").await.field("access_token");
    app.pool().disable_user("alice").await.unwrap();
    let disabled = "NotAuthorizedException: User is disabled.";
    assert_eq!(refused(&call(&app, "GetUser", &token, json!({})).await), disabled);
    app.pool().enable_user("alice").await.unwrap();
    let revoked = "NotAuthorizedException: Access Token has been revoked";
    let body = json!({ "UserAttributes": [{ "Name": "name", "Value": "A" }] });
    let change = json!({ "PreviousPassword": PASSWORD, "ProposedPassword": "another-long-password" });
    let code = json!({ "AttributeName": "email", "Code": "000000" });
    for (operation, rest) in [
        ("GetUser", json!({})),
        ("UpdateUserAttributes", body),
        ("DeleteUserAttributes", json!({ "UserAttributeNames": ["name"] })),
        ("GetUserAttributeVerificationCode", json!({ "AttributeName": "email" })),
        ("VerifyUserAttribute", code),
        ("ChangePassword", change),
        ("DeleteUser", json!({})),
    ] {
        assert_eq!(refused(&call(&app, operation, &token, rest).await), revoked, "{operation}");
    }
}

story!(a_changed_address_is_no_longer_proven_until_its_code_comes_back);
async fn a_changed_address_is_no_longer_proven_until_its_code_comes_back(app: TestApp) {
    let token = super::signed_in(&app, "alice").await.field("access_token");
    assert_eq!(update(&app, &token, "name", "Alice").await.whole(), (200, r#"{"CodeDeliveryDetailsList":[]}"#));
    app.change_pool(|pool| pool.auto_verify = vec![Contact::Email]).await;
    let details =
        r#"{"CodeDeliveryDetailsList":[{"Destination":"n***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}]}"#;
    assert_eq!(update(&app, &token, "email", "new@example.test").await.whole(), (200, details));
    assert_eq!(attribute(&app, &token, "email_verified").await.unwrap(), "false");
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 401);
    let mails = app.mails().await;
    assert!(mails[0].contains("To: new@example.test"));
    let code = code_in(&mails);
    let verify = async |code: &str| {
        call(&app, "VerifyUserAttribute", &token, json!({ "AttributeName": "email", "Code": code })).await
    };
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let mismatch = "CodeMismatchException: Invalid verification code provided, please try again.";
    assert_eq!(refused(&verify(wrong).await), mismatch);
    assert_eq!(verify(&code).await.whole(), DONE);
    assert_eq!(attribute(&app, &token, "email_verified").await.unwrap(), "true");
    assert_eq!(app.login("new@example.test", PASSWORD).await.status, 200);
    let used = "ExpiredCodeException: Invalid code provided, please request a code again.";
    assert_eq!(refused(&verify(&code).await), used);
    // The same address again changes nothing.
    assert_eq!(
        update(&app, &token, "email", "NEW@example.test").await.whole(),
        (200, r#"{"CodeDeliveryDetailsList":[]}"#)
    );
    assert_eq!(attribute(&app, &token, "email_verified").await.unwrap(), "true");
}

story!(a_code_for_an_address_dies_with_it);
async fn a_code_for_an_address_dies_with_it(app: TestApp) {
    let token = super::signed_in(&app, "alice").await.field("access_token");
    update(&app, &token, "email", "first@example.test").await;
    let asked = call(&app, "GetUserAttributeVerificationCode", &token, json!({ "AttributeName": "email" })).await;
    let details =
        r#"{"CodeDeliveryDetails":{"Destination":"f***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}}"#;
    assert_eq!(asked.whole(), (200, details));
    let code = code_in(&app.mails().await);
    update(&app, &token, "email", "victim@example.test").await;
    let answer = call(&app, "VerifyUserAttribute", &token, json!({ "AttributeName": "email", "Code": code })).await;
    let mismatch = "CodeMismatchException: Invalid verification code provided, please try again.";
    assert_eq!(refused(&answer), mismatch);
    assert_eq!(attribute(&app, &token, "email_verified").await.unwrap(), "false");
    for (name, words) in [
        ("phone_number", "CodeDeliveryFailureException: This server can not send SMS messages."),
        ("name", "InvalidParameterException: Only email and phone_number can be verified."),
    ] {
        let body = json!({ "AttributeName": name });
        assert_eq!(refused(&call(&app, "GetUserAttributeVerificationCode", &token, body).await), words);
    }
    // K09: an address that is another's by now.
    let asked = call(&app, "GetUserAttributeVerificationCode", &token, json!({ "AttributeName": "email" })).await;
    assert_eq!(asked.status, 200);
    let code = code_in(&app.mails().await);
    super::user(&app, "victim").await;
    let answer = call(&app, "VerifyUserAttribute", &token, json!({ "AttributeName": "email", "Code": code })).await;
    assert_eq!(refused(&answer), "AliasExistsException: An account with the email already exists.");
}

// K08
story!(a_user_writes_only_what_his_client_may);
async fn a_user_writes_only_what_his_client_may(app: TestApp) {
    let token = super::signed_in(&app, "alice").await.field("access_token");
    app.change_pool(|pool| {
        for (name, mutable) in [("custom:team", true), ("custom:badge", false), ("dev:custom:risk", true)] {
            let usual = pool.schema.find("name").unwrap();
            let own = cognate::pool::schema::Attribute { name: name.to_owned(), mutable, ..usual };
            if pool.schema.add(own).is_err() {
                return;
            }
        }
    })
    .await;
    for name in ["sub", "email_verified", "phone_number_verified", "custom:team", "dev:custom:risk"] {
        assert_eq!(refused(&update(&app, &token, name, "true").await), FORBIDDEN, "{name}");
        let body = json!({ "UserAttributeNames": [name] });
        assert_eq!(refused(&call(&app, "DeleteUserAttributes", &token, body).await), FORBIDDEN, "{name}");
    }
    let names = ["custom:team", "custom:badge", "dev:custom:risk", "email_verified", "name"].map(str::to_owned);
    app.change_client(|client| client.write_attributes = Some(names.clone().into())).await;
    for name in ["email_verified", "dev:custom:risk", "nickname"] {
        assert_eq!(refused(&update(&app, &token, name, "true").await), FORBIDDEN, "{name}");
    }
    assert_eq!(update(&app, &token, "custom:team", "red").await.status, 200);
    assert_eq!(app.pool().find_user("alice").await.unwrap().attributes["custom:team"], "red");
    let fixed = "InvalidParameterException: user.custom:badge: Attribute cannot be updated.\n";
    assert_eq!(refused(&update(&app, &token, "custom:badge", "7").await), fixed);
    let unknown = json!({ "UserAttributeNames": ["custom:foo", "custom:bar"] });
    let words = "InvalidParameterException: Invalid user attributes: user.custom:foo: Attribute does not exist in the \
                 schema.\nuser.custom:bar: Attribute does not exist in the schema.\n";
    assert_eq!(refused(&call(&app, "DeleteUserAttributes", &token, unknown).await), words);
    let answer = call(&app, "DeleteUserAttributes", &token, json!({ "UserAttributeNames": ["custom:team"] })).await;
    assert_eq!(answer.whole(), DONE);
    assert!(app.pool().find_user("alice").await.unwrap().attributes.is_empty());
}

story!(a_user_changes_his_password_and_deletes_himself);
async fn a_user_changes_his_password_and_deletes_himself(app: TestApp) {
    let token = super::signed_in(&app, "alice").await.field("access_token");
    let change = async |previous: Option<&str>, proposed: &str| {
        let body = json!({ "PreviousPassword": previous, "ProposedPassword": proposed });
        call(&app, "ChangePassword", &token, body).await
    };
    let new = "another-long-password";
    for (previous, proposed, words) in [
        (None, new, "InvalidParameterException: Missing required parameter PreviousPassword"),
        (Some("wrong-password"), new, "NotAuthorizedException: Incorrect username or password."),
        (
            Some(PASSWORD),
            "seven77",
            "InvalidPasswordException: Password does not conform to policy: Password not long enough",
        ),
    ] {
        assert_eq!(refused(&change(previous, proposed).await), words);
    }
    assert_eq!(change(Some(PASSWORD), new).await.whole(), DONE);
    assert_eq!(app.login("alice", new).await.status, 200);
    assert_eq!(call(&app, "DeleteUser", &token, json!({})).await.whole(), DONE);
    assert_eq!(app.login("alice", new).await.status, 401);
    let revoked = "NotAuthorizedException: Access Token has been revoked";
    assert_eq!(refused(&call(&app, "GetUser", &token, json!({})).await), revoked);
}
