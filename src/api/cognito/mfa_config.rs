//! Which second factors a pool has, and whether it wants them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::operation::{Call, operations};
use crate::pool::PoolSettings;
use crate::pool::settings::{MfaMode, MfaRules};

operations! {
    Signed GetUserPoolMfaConfig => get_user_pool_mfa_config;
    Signed SetUserPoolMfaConfig => set_user_pool_mfa_config;
}

/// Members that are told again as they were given; their words are the pool's messages.
const EMAIL: &str = "EmailMfaConfiguration";
const SMS: &str = "SmsMfaConfiguration";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetUserPoolMfaConfigInput {
    user_pool_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetUserPoolMfaConfigInput {
    user_pool_id: String,
    mfa_configuration: Option<MfaMode>,
    software_token_mfa_configuration: Option<Enabled>,
    email_mfa_configuration: Option<Map<String, Value>>,
    sms_mfa_configuration: Option<Map<String, Value>>,
    web_authn_configuration: Option<Map<String, Value>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolMfaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_mfa_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    software_token_mfa_configuration: Option<Enabled>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_mfa_configuration: Option<Value>,
    mfa_configuration: MfaMode,
}

impl From<&PoolSettings> for UserPoolMfaConfig {
    fn from(settings: &PoolSettings) -> Self {
        let MfaRules { mode, software_token, email, sms } = settings.mfa;
        let given = |has: bool, member: &str| {
            let given = settings.mfa_described.get(member).cloned();
            has.then(|| given.unwrap_or_else(|| Value::Object(Map::new())))
        };
        Self {
            sms_mfa_configuration: given(sms, SMS),
            software_token_mfa_configuration: software_token.then_some(Enabled { enabled: true }),
            email_mfa_configuration: given(email, EMAIL),
            mfa_configuration: mode,
        }
    }
}

async fn get_user_pool_mfa_config(call: &Call, input: GetUserPoolMfaConfigInput) -> Result<UserPoolMfaConfig, Fault> {
    Ok(UserPoolMfaConfig::from(&call.pool_settings(&input.user_pool_id).await?))
}

/// What is left out goes back to its default.
async fn set_user_pool_mfa_config(call: &Call, input: SetUserPoolMfaConfigInput) -> Result<UserPoolMfaConfig, Fault> {
    if input.web_authn_configuration.is_some_and(|configuration| !configuration.is_empty()) {
        return Err(Fault::invalid("WebAuthnConfiguration is not available on this server."));
    }
    let text = |of: Option<&Map<String, Value>>, member: &str| of?.get(member)?.as_str().map(str::to_owned);
    let (mails, texts) = (input.email_mfa_configuration.as_ref(), input.sms_mfa_configuration.as_ref());
    let (subject, message) = (text(mails, "Subject"), text(mails, "Message"));
    let text_message = text(texts, "SmsAuthenticationMessage");
    let (email, sms) = (input.email_mfa_configuration.is_some(), input.sms_mfa_configuration.is_some());
    let members = [(EMAIL, input.email_mfa_configuration), (SMS, input.sms_mfa_configuration)];
    let given = members.into_iter().filter_map(|(member, given)| Some((member.to_owned(), Value::Object(given?))));
    let given: Map<String, Value> = given.collect();
    let rules = MfaRules {
        mode: input.mfa_configuration.unwrap_or_default(),
        software_token: input.software_token_mfa_configuration.unwrap_or_default().enabled,
        email,
        sms,
    };
    let change = |settings: &mut PoolSettings| {
        settings.mfa = rules;
        settings.mfa_described.clone_from(&given);
        let words = &mut settings.messages.authentication;
        (words.subject, words.email) = (subject.clone(), message.clone());
        if text_message.is_some() {
            words.sms.clone_from(&text_message);
        }
    };
    let before = call.pool_settings(&input.user_pool_id).await?;
    let mut after = before.clone();
    change(&mut after);
    call.api.pools.check_texts(Some(&before), &after)?;
    Ok(UserPoolMfaConfig::from(&call.change_pool(&input.user_pool_id, change).await?))
}
