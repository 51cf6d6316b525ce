//! The first sign-in right after a registration, and users without a password.

use std::collections::BTreeSet;

use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{Contact, FirstProof};
use serde_json::{Value, json};

use super::{EXPIRED, NO_SESSION, USED, call, mailed, refused, result};
use crate::app::{Answer, PASSWORD, TestApp, story};

async fn with_registration(app: &TestApp) {
    app.change_pool(|pool| {
        pool.self_sign_up = true;
        pool.auto_verify = vec![Contact::Email];
        pool.first_proofs = vec![FirstProof::Password, FirstProof::EmailOtp];
    })
    .await;
    app.change_client(|client| client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowUserAuth]))).await;
}

async fn register(app: &TestApp, name: &str, password: Option<&str>) -> Answer {
    let attributes = json!([{ "Name": "email", "Value": format!("{name}@example.test") }]);
    let body =
        json!({ "ClientId": app.client().id, "Username": name, "Password": password, "UserAttributes": attributes });
    call(app, "SignUp", body).await
}

async fn confirm(app: &TestApp, name: &str, code: &str, session: Option<&str>) -> Answer {
    let client = app.client().id;
    let body = json!({ "ClientId": client, "Username": name, "ConfirmationCode": code, "Session": session });
    call(app, "ConfirmSignUp", body).await
}

async fn begin(app: &TestApp, name: &str, session: Option<&str>) -> Answer {
    let parameters: Value = json!({ "USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP" });
    let client = app.client().id;
    let body = json!({ "ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": parameters, "Session": session });
    call(app, "InitiateAuth", body).await
}

story!(who_was_just_confirmed_is_signed_in_without_another_code);
async fn who_was_just_confirmed_is_signed_in_without_another_code(app: TestApp) {
    with_registration(&app).await;
    let registered = register(&app, "alice", None).await;
    let session = registered.field("Session");
    let code = mailed(&app, 6).await;
    let unconfirmed = "UserNotConfirmedException: User is not confirmed.";
    assert_eq!(refused(&begin(&app, "alice", None).await), unconfirmed);
    assert_eq!(refused(&begin(&app, "alice", Some(&session)).await), NO_SESSION, "it confirms and does not sign in");
    assert_eq!(refused(&confirm(&app, "alice", &code, Some(&"x".repeat(80))).await), NO_SESSION);
    let confirmed = confirm(&app, "alice", &code, Some(&session)).await;
    let session = confirmed.field("Session");
    assert_eq!(confirmed.whole(), (200, format!(r#"{{"Session":"{session}"}}"#).as_str()));
    assert_eq!(refused(&begin(&app, "bob", Some(&session)).await), NO_SESSION);
    let token = result(&begin(&app, "alice", Some(&session)).await, "AccessToken");
    assert!(app.accepts(&token).await);
    assert_eq!(refused(&begin(&app, "alice", Some(&session)).await), USED);
    assert!(app.mails().await.is_empty());
    let factors = call(&app, "GetUserAuthFactors", json!({ "AccessToken": token })).await;
    assert_eq!(factors.whole(), (200, r#"{"Username":"alice","ConfiguredUserAuthFactors":["EMAIL_OTP"]}"#));

    // Whoever has no password proves none to choose one.
    let choose = async |previous: Option<&str>, proposed: &str| {
        let body = json!({ "AccessToken": token, "PreviousPassword": previous, "ProposedPassword": proposed });
        call(&app, "ChangePassword", body).await
    };
    let weak = "InvalidPasswordException: Password does not conform to policy: Password not long enough";
    assert_eq!(refused(&choose(None, "short").await), weak);
    let chosen = PASSWORD.replace(' ', "-");
    assert_eq!(choose(None, &chosen).await.whole(), (200, "{}"));
    let missing = "InvalidParameterException: Missing required parameter PreviousPassword";
    assert_eq!(refused(&choose(None, "another-long-password").await), missing);
    assert_eq!(choose(Some(&chosen), "another-long-password").await.whole(), (200, "{}"));
}

// Amplify confirms without the Session of the registration.
story!(the_session_of_a_registration_is_not_needed_and_may_come_late);
async fn the_session_of_a_registration_is_not_needed_and_may_come_late(app: TestApp) {
    with_registration(&app).await;
    register(&app, "alice", Some(&PASSWORD.replace(' ', "-"))).await;
    let code = mailed(&app, 6).await;
    let session = confirm(&app, "alice", &code, None).await.field("Session");
    app.clock.advance_seconds(900);
    assert_eq!(refused(&begin(&app, "alice", Some(&session)).await), EXPIRED);
    let late = register(&app, "bob", None).await.field("Session");
    let code = mailed(&app, 6).await;
    app.clock.advance_seconds(900);
    assert!(confirm(&app, "bob", &code, Some(&late)).await.json()["Session"].is_string());
    let of_carol = register(&app, "carol", None).await.field("Session");
    app.mails().await;
    register(&app, "dave", None).await;
    let code = mailed(&app, 6).await;
    assert_eq!(refused(&confirm(&app, "dave", &code, Some(&of_carol)).await), NO_SESSION);
}

story!(without_codes_as_first_factor_a_password_is_needed);
async fn without_codes_as_first_factor_a_password_is_needed(app: TestApp) {
    with_registration(&app).await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password]).await;
    let missing = "InvalidParameterException: Missing required parameter Password";
    assert_eq!(refused(&register(&app, "alice", None).await), missing);
}
