//! Codes and temporary passwords by text message: registering, resetting a forgotten password, being invited.

use cognate::pool::settings::{Alias, Contact, MfaMode, MfaRules, Usernames};
use serde_json::{Value, json};

use super::{NUMBER, PASSWORD, code_in, give_number, other, password_in, refused, texted, texts};
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const NEW: &str = "another-long-password";
const TO_NUMBER: &str =
    r#"{"CodeDeliveryDetails":{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}}"#;
const BY_MAIL: &str =
    r#"{"CodeDeliveryDetails":{"Destination":"a***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}}"#;
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";
const NO_SMS: &str = "CodeDeliveryFailureException: This server can not send SMS messages.";
const NOWHERE: &str = "InvalidParameterException: Cannot reset password for the user as there is no \
                       registered/verified email or phone_number";

/// Anybody may register, and proves these.
async fn open(app: &TestApp, proven: &[Contact]) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = proven.to_vec();
    })
    .await;
}

async fn call(app: &TestApp, operation: &str, name: &str, rest: Value) -> Answer {
    let mut body = json!({ "ClientId": app.client().id, "Username": name });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito(operation, body).await
}

async fn sign_up(app: &TestApp, name: &str, attributes: &[(&str, &str)]) -> Answer {
    let attributes: Vec<Value> =
        attributes.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    call(app, "SignUp", name, json!({ "Password": PASSWORD, "UserAttributes": attributes })).await
}

async fn confirm(app: &TestApp, name: &str, code: &str) -> Answer {
    call(app, "ConfirmSignUp", name, json!({ "ConfirmationCode": code })).await
}

async fn set(app: &TestApp, name: &str, code: &str) -> Answer {
    call(app, "ConfirmForgotPassword", name, json!({ "ConfirmationCode": code, "Password": NEW })).await
}

async fn admin(app: &TestApp, operation: &str, name: &str, rest: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id(), "Username": name });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito_admin(operation, body).await
}

/// Cognito's AccountRecoverySetting with these, the first first.
async fn recover_by(app: &TestApp, names: &[&str]) {
    let way = |(place, name): (usize, &&str)| json!({ "Priority": place + 1, "Name": name });
    // They come in any order.
    let ways: Vec<Value> = names.iter().enumerate().map(way).rev().collect();
    let setting = json!({ "RecoveryMechanisms": ways });
    app.change_pool(|pool| drop(pool.described.insert("AccountRecoverySetting".to_owned(), setting.clone()))).await;
}

story!(a_registration_is_confirmed_by_the_code_in_its_text_message, crate::servers::gateway::Gateway::of);
async fn a_registration_is_confirmed_by_the_code_in_its_text_message(app: TestApp) {
    open(&app, &[Contact::PhoneNumber]).await;
    app.change_pool(|pool| pool.usernames = Usernames::Chosen { aliases: vec![Alias::PhoneNumber] }).await;
    let answer = sign_up(&app, "alice", &[("phone_number", NUMBER)]).await;
    let sub = answer.field("UserSub");
    let body = format!(
        r#"{{"UserConfirmed":false,"CodeDeliveryDetails":{{"Destination":"+*******9934","DeliveryMedium":"SMS","AttributeName":"phone_number"}},"UserSub":"{sub}"}}"#
    );
    assert_eq!(answer.whole(), (200, body.as_str()));
    let first = texted(&app, NUMBER).await;
    assert_eq!(call(&app, "ResendConfirmationCode", "alice", json!({})).await.whole(), (200, TO_NUMBER));
    let code = texted(&app, NUMBER).await;
    if first != code {
        assert_eq!(refused(&confirm(&app, "alice", &first).await), MISMATCH, "the newer one counts");
    }
    assert_eq!(refused(&confirm(&app, "alice", other(&code)).await), MISMATCH);
    assert_eq!(confirm(&app, "alice", &code).await.whole(), DONE);
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!((user.phone_verified, user.email_verified), (true, false));
    assert_eq!(app.login(NUMBER, PASSWORD).await.status, 200, "a proven number is an alias");
    assert!(app.mails().await.is_empty());
}

// Contract cognito (g): phone before email when both.
story!(who_gives_number_and_address_proves_the_number, crate::servers::gateway::Gateway::of);
async fn who_gives_number_and_address_proves_the_number(app: TestApp) {
    open(&app, &[Contact::Email, Contact::PhoneNumber]).await;
    let both = [("email", "alice@example.test"), ("phone_number", NUMBER)];
    assert_eq!(sign_up(&app, "alice", &both).await.json()["CodeDeliveryDetails"]["DeliveryMedium"], "SMS");
    let code = texted(&app, NUMBER).await;
    assert!(app.mails().await.is_empty());
    assert_eq!(confirm(&app, "alice", &code).await.whole(), DONE);
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!((user.phone_verified, user.email_verified), (true, false));
    // Who has an address alone proves that.
    let mailed = sign_up(&app, "bob", &[("email", "bob@example.test")]).await;
    assert_eq!(mailed.json()["CodeDeliveryDetails"]["DeliveryMedium"], "EMAIL");
    assert_eq!(confirm(&app, "bob", &code_in(&app.mails().await)).await.whole(), DONE);
    assert!(app.pool().find_user("bob").await.unwrap().email_verified);
}

// P07: what was sent to a number proves no other.
story!(a_code_dies_with_the_number_that_it_was_sent_to, crate::servers::gateway::Gateway::of);
async fn a_code_dies_with_the_number_that_it_was_sent_to(app: TestApp) {
    open(&app, &[Contact::PhoneNumber]).await;
    assert_eq!(sign_up(&app, "alice", &[("phone_number", NUMBER)]).await.status, 200);
    let code = texted(&app, NUMBER).await;
    let values = [("phone_number".to_owned(), "+4930123456".to_owned())];
    app.pool().update_attributes("alice", &values).await.unwrap();
    assert_eq!(refused(&confirm(&app, "alice", &code).await), MISMATCH);
    assert!(!app.pool().find_user("alice").await.unwrap().phone_verified);
    // Neither is it good for anything else.
    assert_eq!(call(&app, "ResendConfirmationCode", "alice", json!({})).await.status, 200);
    let code = texted(&app, "+4930123456").await;
    assert_eq!(refused(&set(&app, "alice", &code).await), MISMATCH);
    assert_eq!(confirm(&app, "alice", &code).await.whole(), DONE);
}

// K09
story!(a_number_that_is_an_alias_has_one_owner, crate::servers::gateway::Gateway::of);
async fn a_number_that_is_an_alias_has_one_owner(app: TestApp) {
    open(&app, &[Contact::PhoneNumber]).await;
    app.change_pool(|pool| pool.usernames = Usernames::Chosen { aliases: vec![Alias::PhoneNumber] }).await;
    super::user(&app, "alice").await;
    give_number(&app, "alice", NUMBER).await;
    assert_eq!(sign_up(&app, "eve", &[("phone_number", NUMBER)]).await.status, 200);
    let code = texted(&app, NUMBER).await;
    let taken = "AliasExistsException: An account with the phone_number already exists.";
    assert_eq!(refused(&confirm(&app, "eve", &code).await), taken);
    assert_eq!(app.pool().find_user(NUMBER).await.unwrap().username, "alice");
    let force = json!({ "ConfirmationCode": code, "ForceAliasCreation": true });
    assert_eq!(call(&app, "ConfirmSignUp", "eve", force).await.whole(), DONE);
    assert_eq!(app.pool().find_user(NUMBER).await.unwrap().username, "eve");
    assert!(!app.pool().find_user("alice").await.unwrap().phone_verified);
    // An administrator moves it in the same way.
    let attributes =
        json!([{ "Name": "phone_number", "Value": NUMBER }, { "Name": "phone_number_verified", "Value": "true" }]);
    let made = json!({ "UserAttributes": attributes, "MessageAction": "SUPPRESS" });
    let words = "AliasExistsException: An account with the given phone_number already exists.";
    assert_eq!(refused(&admin(&app, "AdminCreateUser", "bob", made.clone()).await), words);
    let mut forced = made;
    forced["ForceAliasCreation"] = json!(true);
    assert_eq!(admin(&app, "AdminCreateUser", "bob", forced).await.status, 200);
    assert_eq!(app.pool().find_user(NUMBER).await.unwrap().username, "bob");
}

story!(a_forgotten_password_is_reset_at_the_contact_that_the_pool_says, crate::servers::gateway::Gateway::of);
async fn a_forgotten_password_is_reset_at_the_contact_that_the_pool_says(app: TestApp) {
    let session = super::signed_in(&app, "alice").await;
    let forgot = async || call(&app, "ForgotPassword", "alice", json!({})).await;
    assert_eq!(forgot().await.whole(), (200, BY_MAIL), "an unproven number is none");
    let mailed = code_in(&app.mails().await);
    give_number(&app, "alice", NUMBER).await;
    // Without a setting it is the number; a code that was mailed before is worth nothing.
    assert_eq!(refused(&set(&app, "alice", &mailed).await), MISMATCH);
    assert_eq!(forgot().await.whole(), (200, TO_NUMBER));
    assert!(app.mails().await.is_empty());
    let code = texted(&app, NUMBER).await;
    assert_eq!(set(&app, "alice", &code).await.whole(), DONE);
    assert_eq!(app.login("alice", NEW).await.status, 200);
    assert!(!app.accepts(&session.field("access_token")).await);
    recover_by(&app, &["verified_email", "verified_phone_number"]).await;
    assert_eq!(forgot().await.whole(), (200, BY_MAIL));
    assert_eq!((texts(&app).await.len(), app.mails().await.len()), (0, 1));
    recover_by(&app, &["verified_phone_number", "verified_email"]).await;
    assert_eq!(forgot().await.whole(), (200, TO_NUMBER));
    assert_eq!(texts(&app).await.len(), 1);
    recover_by(&app, &["verified_phone_number"]).await;
    super::user(&app, "bob").await;
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    assert_eq!(refused(&call(&app, "ForgotPassword", "bob", json!({})).await), NOWHERE, "his address is no way");
}

story!(an_administrator_has_a_password_reset_by_text_message, crate::servers::gateway::Gateway::of);
async fn an_administrator_has_a_password_reset_by_text_message(app: TestApp) {
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    super::user(&app, "alice").await;
    give_number(&app, "alice", NUMBER).await;
    assert_eq!(admin(&app, "AdminResetUserPassword", "alice", json!({})).await.whole(), DONE);
    let code = texted(&app, NUMBER).await;
    assert!(app.mails().await.is_empty());
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    // The number is another's by now.
    give_number(&app, "alice", "+4930123456").await;
    assert_eq!(refused(&set(&app, "alice", &code).await), MISMATCH);
    assert_eq!(call(&app, "ForgotPassword", "alice", json!({})).await.status, 200);
    let code = texted(&app, "+4930123456").await;
    assert_eq!(set(&app, "alice", &code).await.whole(), DONE);
    assert_eq!(app.login("alice", NEW).await.status, 200);
}

// Who has the telephone alone, or the mailbox alone, would have both factors.
story!(the_contact_that_is_a_second_factor_resets_no_password, crate::servers::gateway::Gateway::of);
async fn the_contact_that_is_a_second_factor_resets_no_password(app: TestApp) {
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    app.change_pool(|pool| {
        pool.mfa = MfaRules { mode: MfaMode::Optional, sms: true, email: true, ..MfaRules::default() };
    })
    .await;
    let token = super::signed_in(&app, "alice").await.field("access_token");
    give_number(&app, "alice", NUMBER).await;
    let forgot = async || call(&app, "ForgotPassword", "alice", json!({})).await;
    let prefer = async |sms: bool, email: bool| {
        let body = json!({ "AccessToken": token, "SMSMfaSettings": { "Enabled": sms }, "EmailMfaSettings": { "Enabled": email } });
        assert_eq!(app.cognito("SetUserMFAPreference", body).await.whole(), DONE);
    };
    assert_eq!(forgot().await.whole(), (200, TO_NUMBER));
    let code = texted(&app, NUMBER).await;
    prefer(true, false).await;
    assert_eq!(refused(&set(&app, "alice", &code).await), MISMATCH, "a code that was sent before dies with it, too");
    assert_eq!(forgot().await.whole(), (200, BY_MAIL));
    prefer(false, true).await;
    assert_eq!(refused(&set(&app, "alice", &code_in(&app.mails().await)).await), MISMATCH);
    assert_eq!(forgot().await.whole(), (200, TO_NUMBER));
    prefer(true, true).await;
    assert_eq!(refused(&forgot().await), NOWHERE);
    assert_eq!(refused(&admin(&app, "AdminResetUserPassword", "alice", json!({})).await), NOWHERE);
    assert_eq!(texts(&app).await.len(), 1);
}

story!(an_invitation_goes_by_text_message_by_mail_or_both, crate::servers::gateway::Gateway::of);
async fn an_invitation_goes_by_text_message_by_mail_or_both(app: TestApp) {
    let number = json!({ "Name": "phone_number", "Value": NUMBER });
    let address = json!({ "Name": "email", "Value": "a@example.test" });
    let invite = async |name: &str, attributes: Value, mediums: Option<Value>| {
        let mut body = json!({ "UserAttributes": attributes });
        if let Some(mediums) = mediums {
            body["DesiredDeliveryMediums"] = mediums;
        }
        let made = admin(&app, "AdminCreateUser", name, body).await;
        assert_eq!(made.json()["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD", "{}", made.text);
    };
    invite("alice", json!([number]), Some(json!(["SMS"]))).await;
    let told = texts(&app).await;
    let [(to, text)] = told.as_slice() else { panic!("{told:?}") };
    let password = text.split_once("your temporary password ").unwrap().1.split_once(". It").unwrap().0;
    let whole = format!("Your Cognate username is alice, your temporary password {password}. It works for 7 days.");
    assert_eq!((to.as_str(), text.as_str()), (NUMBER, whole.as_str()));
    assert_eq!(app.login("alice", password).await.json()["challenge_name"], "NEW_PASSWORD_REQUIRED");
    // Said again, it is another one.
    let again = json!({ "MessageAction": "RESEND", "DesiredDeliveryMediums": ["SMS"] });
    assert_eq!(admin(&app, "AdminCreateUser", "alice", again.clone()).await.status, 200);
    assert_eq!(app.login("alice", password).await.status, 401);
    assert_eq!(texts(&app).await.len(), 1);
    for (name, mediums, texted, mailed) in
        [("both", Some(json!(["SMS", "EMAIL"])), 1, 1), ("mail", Some(json!(["EMAIL"])), 0, 1), ("usual", None, 1, 0)]
    {
        invite(name, json!([number, address]), mediums).await;
        assert_eq!((texts(&app).await.len(), app.mails().await.len()), (texted, mailed), "{name}");
    }
    invite("mailed", json!([address]), None).await;
    assert_eq!(password_in(&app.mails().await).len(), 20);
    let words = "CodeDeliveryFailureException: The user has no phone number.";
    assert_eq!(refused(&admin(&app, "AdminCreateUser", "mailed", again).await), words);
}

story!(the_pools_words_stand_in_its_text_messages, crate::servers::gateway::Gateway::of);
async fn the_pools_words_stand_in_its_text_messages(app: TestApp) {
    open(&app, &[Contact::PhoneNumber]).await;
    app.change_pool(|pool| {
        pool.messages.verification.sms = Some("Shop: {####}".to_owned());
        pool.messages.invitation.sms = Some("{username} comes in by {####}".to_owned());
    })
    .await;
    assert_eq!(sign_up(&app, "alice", &[("phone_number", NUMBER)]).await.status, 200);
    let told = texts(&app).await;
    assert!(told[0].1.len() == 12 && told[0].1.starts_with("Shop: "), "{told:?}");
    let body =
        json!({ "UserAttributes": [{ "Name": "phone_number", "Value": NUMBER }], "TemporaryPassword": PASSWORD });
    assert_eq!(admin(&app, "AdminCreateUser", "bob", body).await.status, 200);
    assert_eq!(texts(&app).await[0].1, format!("bob comes in by {PASSWORD}"));
}

// What only a text message could do is refused where none is sent, and nothing of it is done.
story!(without_a_gateway_nothing_goes_by_text_message);
async fn without_a_gateway_nothing_goes_by_text_message(app: TestApp) {
    open(&app, &[Contact::Email, Contact::PhoneNumber]).await;
    assert_eq!(refused(&sign_up(&app, "alice", &[("phone_number", NUMBER)]).await), NO_SMS);
    assert!(app.pool().find_user("alice").await.is_err());
    let both = [("email", "a@example.test"), ("phone_number", NUMBER)];
    let mailed = sign_up(&app, "alice", &both).await;
    assert_eq!(mailed.json()["CodeDeliveryDetails"]["DeliveryMedium"], "EMAIL");
    assert_eq!(confirm(&app, "alice", &code_in(&app.mails().await)).await.whole(), DONE);
    give_number(&app, "alice", NUMBER).await;
    assert_eq!(call(&app, "ForgotPassword", "alice", json!({})).await.whole(), (200, BY_MAIL));
    app.mails().await;
    let texted =
        json!({ "DesiredDeliveryMediums": ["SMS"], "UserAttributes": [{ "Name": "phone_number", "Value": NUMBER }] });
    assert_eq!(refused(&admin(&app, "AdminCreateUser", "bob", texted).await), NO_SMS);
    assert!(app.pool().find_user("bob").await.is_err());
    // Where the number is the only way, it is said before anybody is looked for.
    recover_by(&app, &["verified_phone_number"]).await;
    for name in ["alice", "nobody"] {
        assert_eq!(refused(&call(&app, "ForgotPassword", name, json!({})).await), NO_SMS, "{name}");
    }
    assert_eq!(refused(&admin(&app, "AdminResetUserPassword", "alice", json!({})).await), NO_SMS);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    assert!(app.mails().await.is_empty());
}
