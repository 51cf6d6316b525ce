//! Registering by a mailed code, and resetting a forgotten password by one.

use cognate::pool::settings::{Alias, Contact, Usernames};
use serde_json::{Value, json};

use super::{PASSWORD, code_in, refused};
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const NEW: &str = "another-long-password";
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";
const EXPIRED: &str = "ExpiredCodeException: Invalid code provided, please request a code again.";

/// Anybody may register, and proves his address.
async fn open(app: &TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email];
    })
    .await;
}

async fn call(app: &TestApp, operation: &str, name: &str, rest: Value) -> Answer {
    let mut body = json!({ "ClientId": app.client().id, "Username": name });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito(operation, body).await
}

async fn sign_up(app: &TestApp, name: &str, email: &str) -> Answer {
    let attributes = json!([{ "Name": "email", "Value": email }]);
    call(app, "SignUp", name, json!({ "Password": PASSWORD, "UserAttributes": attributes })).await
}

async fn confirm(app: &TestApp, name: &str, code: &str) -> Answer {
    call(app, "ConfirmSignUp", name, json!({ "ConfirmationCode": code })).await
}

async fn login(app: &TestApp, name: &str, password: &str) -> u16 {
    app.login(name, password).await.status
}

story!(a_registration_is_confirmed_by_the_code_in_its_mail);
async fn a_registration_is_confirmed_by_the_code_in_its_mail(app: TestApp) {
    open(&app).await;
    let answer = sign_up(&app, "Alice", "alice@example.test").await;
    let sub = answer.field("UserSub");
    let body = format!(
        r#"{{"UserConfirmed":false,"CodeDeliveryDetails":{{"Destination":"a***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}},"UserSub":"{sub}"}}"#
    );
    assert_eq!(answer.whole(), (200, body.as_str()));
    assert_eq!(login(&app, "alice", PASSWORD).await, 401);
    let code = code_in(&app.mails().await);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(refused(&confirm(&app, "alice", wrong).await), MISMATCH);
    assert_eq!(confirm(&app, "alice", &code).await.whole(), DONE);
    let again = "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED";
    assert_eq!(refused(&confirm(&app, "alice", &code).await), again);
    let resent = call(&app, "ResendConfirmationCode", "alice", json!({})).await;
    assert_eq!(refused(&resent), "InvalidParameterException: User is already confirmed.");
    for name in ["ALICE", "alice@example.test"] {
        assert_eq!(login(&app, name, PASSWORD).await, 200, "{name}");
    }
}

story!(a_registration_that_the_pool_does_not_want_is_refused_in_its_words);
async fn a_registration_that_the_pool_does_not_want_is_refused_in_its_words(app: TestApp) {
    let attributes =
        |name: &str, value: &str| json!({ "Password": PASSWORD, "UserAttributes": [{ "Name": name, "Value": value }] });
    let closed = call(&app, "SignUp", "alice", attributes("name", "Alice")).await;
    assert_eq!(refused(&closed), "NotAuthorizedException: SignUp is not permitted for this user pool");
    open(&app).await;
    let known: cognate::pool::schema::Attribute = serde_json::from_value(json!({
        "name": "dev:custom:risk", "data_type": "String", "mutable": true, "required": false, "min": null, "max": null,
    }))
    .unwrap();
    app.change_pool(|pool| pool.schema.add(known.clone()).unwrap()).await;
    // K08
    for (name, value, words) in [
        ("sub", "0", "NotAuthorizedException: A client attempted to write unauthorized attribute"),
        ("email_verified", "true", "NotAuthorizedException: A client attempted to write unauthorized attribute"),
        ("dev:custom:risk", "none", "NotAuthorizedException: A client attempted to write unauthorized attribute"),
        (
            "custom:admin",
            "true",
            "InvalidParameterException: Attributes did not conform to the schema: custom:admin: Attribute does not exist \
             in the schema.\n",
        ),
        ("email", "nothing", "InvalidParameterException: Invalid email address format."),
        ("phone_number", "030", "InvalidParameterException: Invalid phone number format."),
        (
            "birthdate",
            "1.1.1990",
            "InvalidParameterException: Attributes did not conform to the schema: birthdate: must be a text of 10 to 10 \
             characters\n",
        ),
    ] {
        assert_eq!(refused(&call(&app, "SignUp", "alice", attributes(name, value)).await), words, "{name}");
    }
    let weak = call(&app, "SignUp", "alice", json!({ "Password": "seven77" })).await;
    let words = "InvalidPasswordException: Password did not conform with policy: Password not long enough";
    assert_eq!(refused(&weak), words);
    let none = call(&app, "SignUp", "alice", json!({})).await;
    assert_eq!(refused(&none), "InvalidParameterException: Missing required parameter Password");
    let like_mail = sign_up(&app, "alice@example.test", "alice@example.test").await;
    let words = "InvalidParameterException: Username cannot be of email format, since user pool is configured for email \
                 alias.";
    assert_eq!(refused(&like_mail), words);
    assert_eq!(sign_up(&app, "alice", "alice@example.test").await.status, 200);
    assert_eq!(
        refused(&sign_up(&app, "ALICE", "b@example.test").await),
        "UsernameExistsException: User already exists"
    );
    let unknown = json!({ "ClientId": "0123456789abcdefghijklmnop", "Username": "bob", "Password": PASSWORD });
    let words = "ResourceNotFoundException: User pool client 0123456789abcdefghijklmnop does not exist.";
    assert_eq!(refused(&app.cognito("SignUp", unknown).await), words);
    let hashed = call(&app, "SignUp", "bob", json!({ "Password": PASSWORD, "SecretHash": "AAAA" })).await;
    let words = format!("NotAuthorizedException: Unable to verify secret hash for client {}", app.client().id);
    assert_eq!(refused(&hashed), words);
}

story!(what_a_pool_requires_must_be_given_and_a_number_alone_is_not_reached);
async fn what_a_pool_requires_must_be_given_and_a_number_alone_is_not_reached(app: TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email, Contact::PhoneNumber];
        for name in ["email", "given_name"] {
            let usual = pool.schema.find(name).unwrap();
            let required = cognate::pool::schema::Attribute { required: true, ..usual };
            if pool.schema.add(required).is_err() {
                return;
            }
        }
    })
    .await;
    let bare = call(&app, "SignUp", "alice", json!({ "Password": PASSWORD })).await;
    let words = "InvalidParameterException: Attributes did not conform to the schema: email: The attribute is \
                 required\ngiven_name: The attribute is required\n";
    assert_eq!(refused(&bare), words);
    app.change_pool(|pool| pool.schema = cognate::pool::schema::Schema::default()).await;
    let phone = json!({ "Password": PASSWORD, "UserAttributes": [{ "Name": "phone_number", "Value": "+49301234" }] });
    let words = "CodeDeliveryFailureException: This server can not send SMS messages.";
    assert_eq!(refused(&call(&app, "SignUp", "alice", phone).await), words);
    // Nobody was made.
    let nameless = call(&app, "SignUp", "alice", json!({ "Password": PASSWORD })).await;
    let sub = nameless.field("UserSub");
    assert_eq!(nameless.whole(), (200, format!(r#"{{"UserConfirmed":false,"UserSub":"{sub}"}}"#).as_str()));
    assert!(app.mails().await.is_empty());
}

// K09
story!(an_alias_has_one_owner_whoever_claims_it);
async fn an_alias_has_one_owner_whoever_claims_it(app: TestApp) {
    open(&app).await;
    super::user(&app, "alice").await;
    assert_eq!(sign_up(&app, "eve", "alice@example.test").await.status, 200);
    let code = code_in(&app.mails().await);
    // Unproven, it takes nothing from anybody.
    assert_eq!(login(&app, "alice@example.test", PASSWORD).await, 200);
    let taken = "AliasExistsException: An account with the email already exists.";
    assert_eq!(refused(&confirm(&app, "eve", &code).await), taken);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let force = async |code: &str| {
        call(&app, "ConfirmSignUp", "eve", json!({ "ConfirmationCode": code, "ForceAliasCreation": true })).await
    };
    assert_eq!(refused(&force(wrong).await), MISMATCH);
    assert!(app.pool().find_user("alice").await.unwrap().email_verified);
    assert_eq!(force(&code).await.whole(), DONE);
    let owner = app.pool().find_user("alice@example.test").await.unwrap();
    assert_eq!(owner.username, "eve");
    assert!(!app.pool().find_user("alice").await.unwrap().email_verified);
    // Who is called so is not to be pushed aside.
    app.pool().create_user(cognate::pool::NewUser::new("bob@example.test", PASSWORD)).await.unwrap();
    assert_eq!(sign_up(&app, "mallory", "bob@example.test").await.status, 200);
    let code = code_in(&app.mails().await);
    let body = json!({ "ConfirmationCode": code, "ForceAliasCreation": true });
    assert_eq!(refused(&call(&app, "ConfirmSignUp", "mallory", body).await), taken);
}

// K09: who registers and never confirms holds his username, as at Amazon, and nothing else.
story!(a_preferred_name_goes_to_who_confirms);
async fn a_preferred_name_goes_to_who_confirms(app: TestApp) {
    open(&app).await;
    let usernames = Usernames::Chosen { aliases: vec![Alias::Email, Alias::PreferredUsername] };
    app.change_pool(|pool| pool.usernames = usernames.clone()).await;
    let prefers = async |name: &str, preferred: &str| {
        let attributes = json!([
            { "Name": "email", "Value": format!("{name}@example.test") },
            { "Name": "preferred_username", "Value": preferred }
        ]);
        let rest = json!({ "Password": PASSWORD, "UserAttributes": attributes });
        assert_eq!(call(&app, "SignUp", name, rest).await.status, 200, "{name}");
        code_in(&app.mails().await)
    };
    let late = prefers("squatter", "bob").await;
    let code = prefers("alice", "bob").await;
    assert_eq!(login(&app, "bob", PASSWORD).await, 401);
    assert_eq!(confirm(&app, "alice", &code).await.whole(), DONE);
    assert_eq!(login(&app, "bob", PASSWORD).await, 200);
    assert_eq!(app.pool().find_user("bob").await.unwrap().username, "alice");
    assert_eq!(confirm(&app, "squatter", &late).await.json()["__type"], "AliasExistsException");
    // Nor does it keep a username from anybody.
    prefers("other", "carol").await;
    let code = prefers("carol", "caro").await;
    assert_eq!(confirm(&app, "carol", &code).await.whole(), DONE);
    assert_eq!(login(&app, "carol", PASSWORD).await, 200);
}

story!(users_who_are_called_by_their_address_have_the_sub_for_a_name);
async fn users_who_are_called_by_their_address_have_the_sub_for_a_name(app: TestApp) {
    open(&app).await;
    app.change_pool(|pool| pool.usernames = Usernames::Contact { contacts: vec![Contact::Email] }).await;
    let answer = call(&app, "SignUp", "Alice@example.test", json!({ "Password": PASSWORD })).await;
    let sub = answer.field("UserSub");
    assert_eq!(answer.json()["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let words = "UsernameExistsException: An account with the given email already exists.";
    let again = call(&app, "SignUp", "alice@EXAMPLE.test", json!({ "Password": PASSWORD })).await;
    assert_eq!(refused(&again), words);
    let named = call(&app, "SignUp", "alice", json!({ "Password": PASSWORD })).await;
    assert_eq!(refused(&named), "InvalidParameterException: Username should be an email.");
    let mails = app.mails().await;
    assert!(mails[0].contains("Hello Alice@example.test,"), "{}", mails[0]);
    assert_eq!(confirm(&app, &sub, &code_in(&mails)).await.whole(), DONE);
    let user = app.pool().find_user("alice@example.test").await.unwrap();
    assert_eq!((user.username.as_str(), user.email_verified), (sub.as_str(), true));
    for name in ["alice@example.test", &sub] {
        assert_eq!(login(&app, name, PASSWORD).await, 200, "{name}");
    }
}

story!(a_code_is_good_for_one_thing_five_answers_and_a_day);
async fn a_code_is_good_for_one_thing_five_answers_and_a_day(app: TestApp) {
    open(&app).await;
    sign_up(&app, "alice", "alice@example.test").await;
    let first = code_in(&app.mails().await);
    // P07
    let reset = json!({ "ConfirmationCode": first, "Password": NEW });
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", "alice", reset).await), MISMATCH);
    let details =
        r#"{"CodeDeliveryDetails":{"Destination":"a***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}}"#;
    assert_eq!(call(&app, "ResendConfirmationCode", "alice", json!({})).await.whole(), (200, details));
    let second = code_in(&app.mails().await);
    if first != second {
        assert_eq!(refused(&confirm(&app, "alice", &first).await), MISMATCH, "the newer one counts");
    }
    let wrong = if second == "000000" { "000001" } else { "000000" };
    while refused(&confirm(&app, "alice", wrong).await) == MISMATCH {}
    assert_eq!(refused(&confirm(&app, "alice", &second).await), EXPIRED);
    app.clock.advance_seconds(3600);
    call(&app, "ResendConfirmationCode", "alice", json!({})).await;
    let third = code_in(&app.mails().await);
    app.clock.advance_seconds(24 * 3600);
    assert_eq!(refused(&confirm(&app, "alice", &third).await), EXPIRED);
    assert_eq!(login(&app, "alice", PASSWORD).await, 401);
}

story!(a_forgotten_password_is_reset_by_a_code_of_six_digits);
async fn a_forgotten_password_is_reset_by_a_code_of_six_digits(app: TestApp) {
    let session = super::signed_in(&app, "alice").await;
    let details =
        r#"{"CodeDeliveryDetails":{"Destination":"a***@e***","DeliveryMedium":"EMAIL","AttributeName":"email"}}"#;
    assert_eq!(call(&app, "ForgotPassword", "alice@example.test", json!({})).await.whole(), (200, details));
    let code = code_in(&app.mails().await);
    let set = async |password: &str| {
        call(&app, "ConfirmForgotPassword", "alice", json!({ "ConfirmationCode": code, "Password": password })).await
    };
    let words = "InvalidPasswordException: Password does not conform to policy: Password not long enough";
    assert_eq!(refused(&set("seven77").await), words);
    assert_eq!(set(NEW).await.whole(), DONE);
    assert_eq!(refused(&set("a-third-long-password").await), MISMATCH);
    assert_eq!(login(&app, "alice", NEW).await, 200);
    assert!(!app.accepts(&session.field("access_token")).await);
}

// E01
story!(who_exists_is_not_told_where_it_is_hidden);
async fn who_exists_is_not_told_where_it_is_hidden(app: TestApp) {
    open(&app).await;
    super::user(&app, "alice").await;
    let pool = app.pool();
    pool.create_user(cognate::pool::NewUser::new("no-address", PASSWORD)).await.unwrap();
    let shape = async |operation: &str, name: &str| {
        let answer = call(&app, operation, name, json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut body = answer.json();
        let destination = body["CodeDeliveryDetails"]["Destination"].take();
        let text = destination.as_str().unwrap();
        assert!(text.len() == 9 && text.contains("***@") && text.ends_with("***"), "{text}");
        (body, destination)
    };
    let known = shape("ForgotPassword", "alice").await;
    for name in ["ghost", "no-address", "ghost@example.test"] {
        let seeming = shape("ForgotPassword", name).await;
        assert_eq!(seeming.0, known.0, "{name}");
        assert_eq!(shape("ForgotPassword", name).await, seeming, "always the same");
    }
    assert_eq!(shape("ForgotPassword", "ghost@example.test").await.1, "g***@e***");
    assert_eq!(shape("ResendConfirmationCode", "ghost").await.0, known.0);
    assert_eq!(app.mails().await.len(), 1);
    let guess = json!({ "ConfirmationCode": "000000", "Password": NEW });
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", "ghost", guess.clone()).await), MISMATCH);
    assert_eq!(refused(&confirm(&app, "ghost", "000000").await), EXPIRED);

    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let missing = "UserNotFoundException: Username/client id combination not found.";
    for operation in ["ForgotPassword", "ResendConfirmationCode"] {
        assert_eq!(refused(&call(&app, operation, "ghost", json!({})).await), missing);
    }
    assert_eq!(refused(&confirm(&app, "ghost", "000000").await), missing);
    let words = "InvalidParameterException: Cannot reset password for the user as there is no registered/verified email \
                 or phone_number";
    assert_eq!(refused(&call(&app, "ForgotPassword", "no-address", json!({})).await), words);
    super::user(&app, "bob").await;
    assert_eq!(refused(&call(&app, "ConfirmForgotPassword", "bob", guess).await), EXPIRED);
}

story!(too_many_mails_are_not_sent);
async fn too_many_mails_are_not_sent(app: TestApp) {
    open(&app).await;
    super::user(&app, "alice").await;
    let mut answer = call(&app, "ForgotPassword", "alice", json!({})).await;
    for _ in 0..20 {
        if answer.status != 200 {
            break;
        }
        answer = call(&app, "ForgotPassword", "alice", json!({})).await;
    }
    assert_eq!(refused(&answer), "LimitExceededException: Attempt limit exceeded, please try after some time.");
}

story!(where_letters_matter_two_spellings_are_two_users);
async fn where_letters_matter_two_spellings_are_two_users(app: TestApp) {
    open(&app).await;
    app.change_pool(|pool| {
        pool.case_sensitive = true;
        pool.usernames = Usernames::Chosen { aliases: vec![Alias::Email] };
    })
    .await;
    assert_eq!(sign_up(&app, "alice", "a@example.test").await.status, 200);
    assert_eq!(sign_up(&app, "Alice", "b@example.test").await.status, 200);
    assert_eq!(
        refused(&sign_up(&app, "Alice", "c@example.test").await),
        "UsernameExistsException: User already exists"
    );
}

// D01: a pool whose people do not register themselves has no other answer that tells who exists.
story!(where_nobody_registers_himself_a_confirmed_user_is_answered_like_nobody);
async fn where_nobody_registers_himself_a_confirmed_user_is_answered_like_nobody(app: TestApp) {
    app.user("alice").await;
    let [known, unknown] = [confirm(&app, "alice", "123456").await, confirm(&app, "nobody", "123456").await];
    assert_eq!(refused(&known), "ExpiredCodeException: Invalid code provided, please request a code again.");
    assert_eq!(refused(&known), refused(&unknown));
    for name in ["alice", "nobody"] {
        let answer = call(&app, "ResendConfirmationCode", name, json!({})).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert_eq!(answer.json()["CodeDeliveryDetails"]["AttributeName"], "email");
    }
    assert_eq!(app.mails().await.len(), 0);
}
