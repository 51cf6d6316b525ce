//! The triggers at every beginning of a sign-in that no password opens: asked once, before anything is sent or proven.

use std::collections::BTreeSet;

use cognate::pool::Trigger::{
    CreateAuthChallenge, CustomMessage, DefineAuthChallenge, PreAuthentication, VerifyAuthChallengeResponse,
};
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{FirstProof, MfaMode, MfaRules};
use serde_json::{Value, json};

use super::server::{Reply, with_hook};
use super::{PASSWORD, call, refused, sign_in, user};
use crate::app::{Answer, TestApp, story};
use crate::cognito_sign_in::srp_client::SrpClient;
use crate::servers::gateway::Gateway;

const CLOSED: &str = "UserLambdaValidationException: PreAuthentication failed with error closed on sundays.";
const NUMBER: &str = "+12065559934";

async fn allow(app: &TestApp, flow: AuthFlow) {
    app.change_client(|client| client.auth_flows = Some(BTreeSet::from([flow]))).await;
}

async fn begin(app: &TestApp, flow: &str, parameters: Value) -> Answer {
    let body = json!({ "AuthFlow": flow, "AuthParameters": parameters, "ClientMetadata": { "said": "at first" } });
    call(app, "InitiateAuth", body).await
}

/// What the one PreAuthentication among these was told.
fn asked_once(heard: &[Value]) -> &Value {
    let asked: Vec<_> =
        heard.iter().filter(|event| event["triggerSource"] == "PreAuthentication_Authentication").collect();
    let [event] = asked.as_slice() else { panic!("{} events", asked.len()) };
    assert_eq!(event["request"]["validationData"], json!({ "said": "at first" }));
    event
}

story!(no_code_is_mailed_to_who_may_not_sign_in, super::with_hook);
async fn no_code_is_mailed_to_who_may_not_sign_in(app: TestApp) {
    user(&app, "alice").await;
    app.change_pool(|pool| pool.first_proofs = vec![FirstProof::Password, FirstProof::EmailOtp]).await;
    allow(&app, AuthFlow::AllowUserAuth).await;
    app.have_triggers(&[PreAuthentication, CustomMessage]).await;
    let parameters = json!({ "USERNAME": "alice", "PREFERRED_CHALLENGE": "EMAIL_OTP" });
    app.on("PreAuthentication", Reply::Refuse("closed on sundays"));
    assert_eq!(refused(&begin(&app, "USER_AUTH", parameters.clone()).await), CLOSED);
    assert_eq!((app.heard_sources().len(), app.mails().await.len()), (1, 0));
    app.on("PreAuthentication", Reply::Fill(json!({})));
    assert_eq!(begin(&app, "USER_AUTH", parameters).await.json()["ChallengeName"], "EMAIL_OTP");
    let heard = app.heard();
    assert_eq!(asked_once(&heard)["userName"], "alice");
    assert_eq!(heard[1]["triggerSource"], "CustomMessage_Authentication");
    assert_eq!(app.mails().await.len(), 1);
    // Where it is hidden who exists, nobody is asked about like somebody.
    let nobody = json!({ "USERNAME": "nobody", "PREFERRED_CHALLENGE": "EMAIL_OTP" });
    assert_eq!(begin(&app, "USER_AUTH", nobody).await.json()["ChallengeName"], "EMAIL_OTP");
    assert_eq!(asked_once(&app.heard())["request"]["userNotFound"], true);
}

story!(challenges_of_the_pools_own_begin_with_the_trigger_before_a_sign_in, super::with_hook);
async fn challenges_of_the_pools_own_begin_with_the_trigger_before_a_sign_in(app: TestApp) {
    user(&app, "alice").await;
    app.change_pool(|pool| pool.srp = true).await;
    allow(&app, AuthFlow::AllowCustomAuth).await;
    let own = [PreAuthentication, DefineAuthChallenge, CreateAuthChallenge, VerifyAuthChallengeResponse];
    app.have_triggers(&own).await;
    app.on_event("DefineAuthChallenge", |event| {
        let first = event["request"]["session"][0]["challengeName"] == "SRP_A";
        Reply::Fill(json!({ "challengeName": if first { "PASSWORD_VERIFIER" } else { "CUSTOM_CHALLENGE" } }))
    });
    let srp_a = SrpClient::new(7).srp_a();
    let with_password = json!({ "USERNAME": "alice", "CHALLENGE_NAME": "SRP_A", "SRP_A": srp_a });
    let beginnings = [(json!({ "USERNAME": "alice" }), "CUSTOM_CHALLENGE"), (with_password, "PASSWORD_VERIFIER")];
    for (parameters, challenge) in beginnings {
        assert_eq!(begin(&app, "CUSTOM_AUTH", parameters.clone()).await.json()["ChallengeName"], challenge);
        let heard = app.heard();
        asked_once(&heard);
        assert_eq!(heard[0]["triggerSource"], "PreAuthentication_Authentication");
        assert_eq!(heard[1]["request"]["clientMetadata"], Value::Null, "what comes at first is for the first alone");
        app.on("PreAuthentication", Reply::Refuse("closed on sundays"));
        assert_eq!(refused(&begin(&app, "CUSTOM_AUTH", parameters).await), CLOSED);
        assert_eq!(app.heard_sources().len(), 1);
        app.on("PreAuthentication", Reply::Fill(json!({})));
    }
}

pub fn with_hook_and_gateway(config: &mut cognate::config::Config) {
    with_hook(config);
    let key = config.hooks.signing_key.clone();
    Gateway::of(config);
    config.hooks.signing_key = key;
}

story!(a_text_message_is_in_the_words_of_the_pool_or_of_its_trigger, super::with_hook_and_gateway);
async fn a_text_message_is_in_the_words_of_the_pool_or_of_its_trigger(app: TestApp) {
    user(&app, "alice").await;
    let number = [("phone_number", NUMBER), ("phone_number_verified", "true")];
    let number = number.map(|(name, value)| (name.to_owned(), value.to_owned()));
    app.pool().update_attributes("alice", &number).await.unwrap();
    app.change_pool(|pool| {
        pool.mfa = MfaRules { mode: MfaMode::On, sms: true, ..MfaRules::default() };
        pool.messages.authentication.sms = Some("Our code: {####}".to_owned());
    })
    .await;
    let texted = async || {
        assert_eq!(sign_in(&app, "alice", PASSWORD).await.json()["ChallengeName"], "SMS_MFA");
        app.api.pools.outbox().unwrap().deliver_due().await.unwrap();
        Gateway::in_use(&app.config).message()["text"].as_str().unwrap().to_owned()
    };
    let text = texted().await;
    assert_eq!((text.len(), text.starts_with("Our code: ")), (16, true), "{text}");
    app.have_triggers(&[CustomMessage]).await;
    app.on("CustomMessage", Reply::Fill(json!({ "smsMessage": "{####} says the hook" })));
    let text = texted().await;
    assert_eq!((text.len(), text.ends_with(" says the hook")), (20, true), "{text}");
    // Words without room for the code would tell nothing.
    app.on("CustomMessage", Reply::Fill(json!({ "smsMessage": "no code" })));
    let nonsense = "InvalidLambdaResponseException: Unrecognizable lambda output";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), nonsense);
}
