//! CUSTOM_AUTH where the triggers ask for the password and for nothing else: then what everybody owes is owed.

use cognate::pool::NewUser;
use cognate::pool::settings::{MfaMode, MfaRules};
use serde_json::json;

use super::call;
use super::custom_auth::{begin_with_password, prove, with_custom_auth};
use super::server::{Reply, with_hook};
use crate::app::{Answer, PASSWORD, TestApp, story};
use crate::cognito_sign_in::srp_client::SrpClient;

/// Triggers that are content with the password.
async fn with_password_alone(app: &TestApp) {
    with_custom_auth(app).await;
    app.on_event("DefineAuthChallenge", |event| {
        let session = event["request"]["session"].as_array().unwrap();
        let proven = session.iter().any(|step| step["challengeName"] == "PASSWORD_VERIFIER");
        Reply::Fill(if proven {
            json!({ "issueTokens": true })
        } else {
            json!({ "challengeName": "PASSWORD_VERIFIER" })
        })
    });
}

async fn sign_in(app: &TestApp, name: &str) -> Answer {
    let srp = SrpClient::new(7);
    let asked = begin_with_password(app, &srp, name).await;
    prove(app, &srp, &asked, PASSWORD).await
}

// K10: no flow is a way around a second factor.
story!(a_password_alone_does_not_pass_a_second_factor_by, super::with_hook);
async fn a_password_alone_does_not_pass_a_second_factor_by(app: TestApp) {
    with_password_alone(&app).await;
    app.user("alice").await;
    let tokens = sign_in(&app, "alice").await;
    assert!(tokens.json()["AuthenticationResult"].is_object(), "{}", tokens.text);
    let rules = MfaRules { mode: MfaMode::On, software_token: true, email: true, sms: false };
    app.change_pool(|pool| pool.mfa = rules).await;
    let asked = sign_in(&app, "alice").await;
    assert_eq!(asked.json()["ChallengeName"], "EMAIL_OTP", "{}", asked.text);
    app.pool().create_user(NewUser::new("bob", PASSWORD)).await.unwrap();
    let setup = sign_in(&app, "bob").await;
    assert_eq!(setup.json()["ChallengeName"], "MFA_SETUP", "{}", setup.text);
    let responses = json!({ "USERNAME": "bob" });
    let body =
        json!({ "ChallengeName": "MFA_SETUP", "Session": setup.field("Session"), "ChallengeResponses": responses });
    assert_eq!(call(&app, "RespondToAuthChallenge", body).await.status, 400);
}
