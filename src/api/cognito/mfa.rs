//! Authenticator applications: told a secret, shown a code, asked for or not; and whether a pool wants them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::mfa::Preference;
use crate::pool::settings::{MfaMode, MfaRules};

operations! {
    Nobody AssociateSoftwareToken => associate_software_token;
    Nobody VerifySoftwareToken => verify_software_token;
    AccessToken SetUserMFAPreference => set_user_mfa_preference;
    Signed AdminSetUserMFAPreference => admin_set_user_mfa_preference;
    Signed GetUserPoolMfaConfig => get_user_pool_mfa_config;
    Signed SetUserPoolMfaConfig => set_user_pool_mfa_config;
}

const NEEDS_EITHER: &str = "Either an access token or a session must be given.";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateSoftwareTokenInput {
    access_token: Option<String>,
    session: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateSoftwareTokenOutput {
    secret_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

async fn associate_software_token(
    call: &Call,
    input: AssociateSoftwareTokenInput,
) -> Result<AssociateSoftwareTokenOutput, Fault> {
    match (input.access_token, input.session) {
        (Some(token), _) => {
            let (pool, caller) = call.caller(&token).await?;
            let secret = pool.associate_software_token(caller.user.sub).await.map_err(of_software_token)?;
            Ok(AssociateSoftwareTokenOutput { secret_code: secret.to_string(), session: None })
        }
        (None, Some(session)) => {
            let pool = call.api.pools.of_challenge(&session)?;
            let (secret, session) = pool.associate_for_challenge(&session).await.map_err(of_software_token)?;
            Ok(AssociateSoftwareTokenOutput { secret_code: secret.to_string(), session: Some(session) })
        }
        (None, None) => Err(Fault::invalid(NEEDS_EITHER)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VerifySoftwareTokenInput {
    access_token: Option<String>,
    session: Option<String>,
    user_code: String,
    friendly_device_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VerifySoftwareTokenOutput {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

async fn verify_software_token(
    call: &Call,
    input: VerifySoftwareTokenInput,
) -> Result<VerifySoftwareTokenOutput, Fault> {
    let (code, name) = (input.user_code.as_str(), input.friendly_device_name.as_deref());
    let session = match (&input.access_token, &input.session) {
        (Some(token), _) => {
            let (pool, caller) = call.caller(token).await?;
            pool.verify_software_token(caller.user.sub, code, name, call.source).await.map(|()| None)
        }
        (None, Some(session)) => {
            let pool = call.api.pools.of_challenge(session)?;
            pool.verify_for_challenge(session, code, name, call.source).await.map(Some)
        }
        (None, None) => return Err(Fault::invalid(NEEDS_EITHER)),
    };
    Ok(VerifySoftwareTokenOutput { status: "SUCCESS", session: session.map_err(of_software_token)? })
}

fn of_software_token(error: Error) -> Fault {
    if matches!(error, Error::NotConfigured(_)) {
        Fault::new("SoftwareTokenMFANotFoundException", "Software Token MFA is not enabled by the userPool")
    } else if matches!(error, Error::CodeMismatch) {
        Fault::new("EnableSoftwareTokenMFAException", "Code mismatch")
    } else {
        Fault::of_proof(error)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetUserMfaPreferenceInput {
    access_token: String,
    #[serde(flatten)]
    wanted: Wanted,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminSetUserMfaPreferenceInput {
    user_pool_id: String,
    username: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// What is wanted of each factor; one that is not named stays.
#[derive(Deserialize)]
struct Wanted {
    #[serde(rename = "SoftwareTokenMfaSettings")]
    software_token: Option<Factor>,
    #[serde(rename = "SMSMfaSettings")]
    sms: Option<Factor>,
    #[serde(rename = "EmailMfaSettings")]
    email: Option<Factor>,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Factor {
    enabled: bool,
    preferred_mfa: bool,
}

impl Wanted {
    async fn apply(&self, pool: &Pool, user: Uuid) -> Result<Empty, Fault> {
        if [self.sms, self.email].into_iter().flatten().any(|factor| factor.enabled) {
            return Err(Fault::invalid("This server has no second factor by SMS or email."));
        }
        if let Some(Factor { enabled, preferred_mfa }) = self.software_token {
            pool.prefer_software_token(user, Preference { enabled, preferred: preferred_mfa }).await?;
        }
        Ok(Empty {})
    }
}

async fn set_user_mfa_preference(call: &Call, input: SetUserMfaPreferenceInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    input.wanted.apply(&pool, caller.user.sub).await
}

async fn admin_set_user_mfa_preference(call: &Call, input: AdminSetUserMfaPreferenceInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    input.wanted.apply(&pool, user.sub).await
}

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
    software_token_mfa_configuration: Option<Enabled>,
    mfa_configuration: MfaMode,
}

impl From<MfaRules> for UserPoolMfaConfig {
    fn from(rules: MfaRules) -> Self {
        let software_token_mfa_configuration = rules.software_token.then_some(Enabled { enabled: true });
        Self { software_token_mfa_configuration, mfa_configuration: rules.mode }
    }
}

async fn get_user_pool_mfa_config(call: &Call, input: GetUserPoolMfaConfigInput) -> Result<UserPoolMfaConfig, Fault> {
    Ok(call.pool(&input.user_pool_id)?.settings.mfa.into())
}

/// What is left out goes back to its default.
async fn set_user_pool_mfa_config(call: &Call, input: SetUserPoolMfaConfigInput) -> Result<UserPoolMfaConfig, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let software_token = input.software_token_mfa_configuration.unwrap_or_default().enabled;
    let rules =
        MfaRules { mode: input.mfa_configuration.unwrap_or_default(), software_token, email: false, sms: false };
    let settings = call.api.pools.update_pool(pool.id(), |settings| settings.mfa = rules).await?;
    call.api.pools.reload().await?;
    Ok(settings.mfa.into())
}
