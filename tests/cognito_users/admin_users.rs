//! Users as an administrator makes, reads and changes them.

use cognate::pool::settings::{Contact, Usernames};
use serde_json::{Value, json};

use super::{PASSWORD, password_in, refused};
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const MISSING: &str = "UserNotFoundException: User does not exist.";

async fn call(app: &TestApp, operation: &str, name: &str, rest: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id(), "Username": name });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito_admin(operation, body).await
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

async fn create(app: &TestApp, name: &str, pairs: &[(&str, &str)]) -> Answer {
    call(app, "AdminCreateUser", name, json!({ "UserAttributes": attributes(pairs) })).await
}

async fn status(app: &TestApp, name: &str) -> String {
    call(app, "AdminGetUser", name, json!({})).await.field("UserStatus")
}

story!(a_user_is_made_told_his_password_and_read_back);
async fn a_user_is_made_told_his_password_and_read_back(app: TestApp) {
    let made =
        create(&app, "Alice", &[("email", "alice@example.test"), ("name", "Alice A."), ("email_verified", "true")])
            .await;
    let sub = app.pool().find_user("alice").await.unwrap().sub;
    let seen = format!(
        r#"[{{"Name":"sub","Value":"{sub}"}},{{"Name":"name","Value":"Alice A."}},{{"Name":"email","Value":"alice@example.test"}},{{"Name":"email_verified","Value":"true"}}]"#
    );
    let rest = r#""UserCreateDate":1795262400.0,"UserLastModifiedDate":1795262400.0,"Enabled":true,"UserStatus":"FORCE_CHANGE_PASSWORD""#;
    let body = format!(r#"{{"User":{{"Username":"Alice","Attributes":{seen},{rest}}}}}"#);
    assert_eq!(made.whole(), (200, body.as_str()));
    let body = format!(r#"{{"Username":"Alice","UserAttributes":{seen},{rest}}}"#);
    for name in ["alice", "alice@example.test", &sub.to_string()] {
        assert_eq!(call(&app, "AdminGetUser", name, json!({})).await.whole(), (200, body.as_str()), "{name}");
    }
    let password = password_in(&app.mails().await);
    let asked = app.login("alice", &password).await.json();
    assert_eq!(asked["challenge_name"], "NEW_PASSWORD_REQUIRED");
}

story!(an_invitation_is_repeated_or_never_sent);
async fn an_invitation_is_repeated_or_never_sent(app: TestApp) {
    let quiet = json!({ "MessageAction": "SUPPRESS", "TemporaryPassword": PASSWORD, "DesiredDeliveryMediums": ["SMS"],
        "UserAttributes": attributes(&[("email", "alice@example.test")]) });
    assert_eq!(call(&app, "AdminCreateUser", "alice", quiet).await.status, 200);
    assert!(app.mails().await.is_empty());
    let resend = async |name: &str| call(&app, "AdminCreateUser", name, json!({ "MessageAction": "RESEND" })).await;
    assert_eq!(resend("alice").await.json()["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
    let password = password_in(&app.mails().await);
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    assert_eq!(app.login("alice", &password).await.json()["challenge_name"], "NEW_PASSWORD_REQUIRED");
    assert_eq!(refused(&resend("nobody").await), MISSING);
    super::user(&app, "bob").await;
    let words = "UnsupportedUserStateException: Resend not possible. bob status is not FORCE_CHANGE_PASSWORD.";
    assert_eq!(refused(&resend("bob").await), words);
    assert_eq!(create(&app, "carol", &[]).await.status, 200, "without an address nothing is sent");
    let words = "CodeDeliveryFailureException: The user has no email address.";
    assert_eq!(refused(&resend("carol").await), words);
    let texted = call(&app, "AdminCreateUser", "dave", json!({ "DesiredDeliveryMediums": ["SMS"] })).await;
    assert_eq!(refused(&texted), "CodeDeliveryFailureException: This server can not send SMS messages.");
    assert!(app.mails().await.is_empty());
}

story!(a_user_who_can_not_be_made_is_refused_in_cognitos_words);
async fn a_user_who_can_not_be_made_is_refused_in_cognitos_words(app: TestApp) {
    super::user(&app, "alice").await;
    assert_eq!(refused(&create(&app, "ALICE", &[]).await), "UsernameExistsException: User account already exists");
    for (pairs, words) in [
        (
            &[("email", "alice@example.test"), ("email_verified", "true")][..],
            "AliasExistsException: An account with the given email already exists.",
        ),
        (&[("email", "x")], "InvalidParameterException: Invalid email address format."),
        (&[("email_verified", "true")], "InvalidParameterException: Email is required to verify/un-verify an email"),
        (
            &[("phone_number_verified", "true")],
            "InvalidParameterException: Phone Number is required to verify/un-verify a phone number",
        ),
        (&[("sub", "x")], "InvalidParameterException: user.sub: Attribute cannot be updated.\n"),
        (
            &[("custom:x", "1"), ("email_verified", "perhaps")],
            "InvalidParameterException: Attributes did not conform to the schema: custom:x: Attribute does not exist in \
             the schema.\nemail_verified: must be true or false\n",
        ),
    ] {
        assert_eq!(refused(&create(&app, "bob", pairs).await), words);
    }
    let weak = call(&app, "AdminCreateUser", "bob", json!({ "TemporaryPassword": "seven77" })).await;
    let words = "InvalidPasswordException: Password did not conform with policy: Password not long enough";
    assert_eq!(refused(&weak), words);
    // K09
    let body = json!({ "ForceAliasCreation": true,
        "UserAttributes": attributes(&[("email", "alice@example.test"), ("email_verified", "true")]) });
    assert_eq!(call(&app, "AdminCreateUser", "bob", body).await.status, 200);
    assert_eq!(app.pool().find_user("alice@example.test").await.unwrap().username, "bob");
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: vec![Contact::Email] }).await;
    assert_eq!(create(&app, "carol@example.test", &[]).await.status, 200);
    let words = "UsernameExistsException: An account with the given email already exists.";
    assert_eq!(refused(&create(&app, "carol@example.test", &[]).await), words);
    let other = create(&app, "dave@example.test", &[("email", "eve@example.test")]).await;
    let words = "InvalidParameterException: The attributes must have the contact that is the username.";
    assert_eq!(refused(&other), words);
}

story!(an_administrator_writes_what_a_user_may_not);
async fn an_administrator_writes_what_a_user_may_not(app: TestApp) {
    super::user(&app, "alice").await;
    super::user(&app, "bob").await;
    let update = async |name: &str, pairs: &[(&str, &str)]| {
        call(&app, "AdminUpdateUserAttributes", name, json!({ "UserAttributes": attributes(pairs) })).await
    };
    assert_eq!(update("alice", &[("email", "a@example.test")]).await.whole(), DONE);
    assert!(!app.pool().find_user("alice").await.unwrap().email_verified, "a new address is not proven");
    assert_eq!(update("alice", &[("email_verified", "true"), ("email", "b@example.test")]).await.whole(), DONE);
    assert_eq!(app.login("b@example.test", PASSWORD).await.status, 200);
    let taken = "AliasExistsException: An account with the given email already exists.";
    let body = [("email", "bob@example.test"), ("email_verified", "true")];
    assert_eq!(refused(&update("alice", &body).await), taken);
    assert_eq!(refused(&update("nobody", &body).await), MISSING);
    let delete = async |names: &[&str]| {
        call(&app, "AdminDeleteUserAttributes", "alice", json!({ "UserAttributeNames": names })).await
    };
    let words = "InvalidParameterException: Invalid user attributes: user.custom:foo: Attribute does not exist in the \
                 schema.\n";
    assert_eq!(refused(&delete(&["custom:foo", "name"]).await), words);
    assert_eq!(delete(&["email"]).await.whole(), DONE);
    let alice = app.pool().find_user("alice").await.unwrap();
    assert_eq!((alice.email, alice.email_verified), (None, false));
    assert_eq!(app.login("b@example.test", PASSWORD).await.status, 401);
}

story!(an_administrator_sets_and_resets_passwords);
async fn an_administrator_sets_and_resets_passwords(app: TestApp) {
    super::user(&app, "alice").await;
    let set = async |password: &str, permanent: bool| {
        let body = json!({ "Password": password, "Permanent": permanent });
        call(&app, "AdminSetUserPassword", "alice", body).await
    };
    let words = "InvalidPasswordException: Password did not conform with policy: Password not long enough";
    assert_eq!(refused(&set("seven77", true).await), words);
    assert_eq!(set("a-second-long-password", false).await.whole(), DONE);
    assert_eq!(status(&app, "alice").await, "FORCE_CHANGE_PASSWORD");
    let reset = async |name: &str| call(&app, "AdminResetUserPassword", name, json!({})).await;
    let words = "NotAuthorizedException: User password cannot be reset in the current state.";
    assert_eq!(refused(&reset("alice").await), words);
    assert_eq!(set("a-third-long-password", true).await.whole(), DONE);
    assert_eq!(app.login("alice", "a-third-long-password").await.status, 200);
    assert_eq!(reset("alice").await.whole(), DONE);
    assert_eq!(status(&app, "alice").await, "RESET_REQUIRED");
    assert_eq!(super::code_in(&app.mails().await).len(), 6);
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(refused(&reset("alice").await), "NotAuthorizedException: User is disabled");
    app.pool().create_user(cognate::pool::NewUser::new("bob", PASSWORD)).await.unwrap();
    let words = "InvalidParameterException: Cannot reset password for the user as there is no registered/verified email \
                 or phone_number";
    assert_eq!(refused(&reset("bob").await), words);
}

// S22
story!(a_user_is_disabled_enabled_confirmed_and_deleted);
async fn a_user_is_disabled_enabled_confirmed_and_deleted(app: TestApp) {
    let session = super::signed_in(&app, "alice").await;
    assert_eq!(call(&app, "AdminDisableUser", "alice", json!({})).await.whole(), DONE);
    assert_eq!(call(&app, "AdminGetUser", "alice", json!({})).await.json()["Enabled"], false);
    assert!(!app.accepts(&session.field("access_token")).await);
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    assert_eq!(call(&app, "AdminEnableUser", "alice", json!({})).await.whole(), DONE);
    assert!(!app.accepts(&session.field("access_token")).await, "what was ended stays so");
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    let words = "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED";
    assert_eq!(refused(&call(&app, "AdminConfirmSignUp", "alice", json!({})).await), words);
    app.change_pool(|pool| pool.self_sign_up = true).await;
    let body = json!({ "ClientId": app.client().id, "Username": "bob", "Password": PASSWORD,
        "UserAttributes": attributes(&[("email", "bob@example.test")]) });
    assert_eq!(app.cognito("SignUp", body).await.status, 200);
    assert_eq!(status(&app, "bob").await, "UNCONFIRMED");
    assert_eq!(call(&app, "AdminConfirmSignUp", "bob", json!({})).await.whole(), DONE);
    let bob = app.pool().find_user("bob").await.unwrap();
    assert_eq!((bob.status.as_str(), bob.email_verified), ("CONFIRMED", false));
    assert_eq!(call(&app, "AdminDeleteUser", "alice", json!({})).await.whole(), DONE);
    for operation in ["AdminDeleteUser", "AdminGetUser", "AdminDisableUser", "AdminEnableUser", "AdminConfirmSignUp"] {
        assert_eq!(refused(&call(&app, operation, "alice", json!({})).await), MISSING, "{operation}");
    }
    let body = json!({ "UserPoolId": "us-east-1_000000000", "Username": "bob" });
    let words = "ResourceNotFoundException: User pool us-east-1_000000000 does not exist.";
    assert_eq!(refused(&app.cognito_admin("AdminGetUser", body).await), words);
}
