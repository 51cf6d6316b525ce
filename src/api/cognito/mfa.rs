//! Second factors of a user: authenticator applications, told a secret and shown a code; and which factors he wants.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use crate::error::Error;
use crate::pool::{Factor, Pool, Preference};

operations! {
    Nobody AssociateSoftwareToken => associate_software_token;
    Nobody VerifySoftwareToken => verify_software_token;
    AccessToken SetUserMFAPreference => set_user_mfa_preference;
    Signed AdminSetUserMFAPreference => admin_set_user_mfa_preference;
    AccessToken SetUserSettings => set_user_settings;
    Signed AdminSetUserSettings => admin_set_user_settings;
    Signed AdminDeleteSoftwareToken => admin_delete_software_token;
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
    software_token: Option<Settings>,
    #[serde(rename = "SMSMfaSettings")]
    sms: Option<Settings>,
    #[serde(rename = "EmailMfaSettings")]
    email: Option<Settings>,
    #[serde(rename = "WebAuthnMfaSettings")]
    web_authn: Option<Settings>,
}

#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    enabled: bool,
    preferred_mfa: bool,
}

impl Wanted {
    async fn apply(&self, pool: &Pool, user: Uuid) -> Result<Empty, Fault> {
        if self.web_authn.is_some_and(|settings| settings.enabled) {
            return Err(Fault::invalid("Passkeys are not available on this server."));
        }
        let named =
            [(Factor::Sms, self.sms), (Factor::SoftwareToken, self.software_token), (Factor::Email, self.email)];
        let wanted: Vec<_> = named
            .into_iter()
            .filter_map(|(factor, settings)| {
                let Settings { enabled, preferred_mfa } = settings?;
                Some((factor, Preference { enabled, preferred: preferred_mfa }))
            })
            .collect();
        pool.prefer_factors(user, &wanted).await?;
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
struct SetUserSettingsInput {
    access_token: String,
    #[serde(rename = "MFAOptions")]
    options: Vec<MfaOption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminSetUserSettingsInput {
    user_pool_id: String,
    username: String,
    #[serde(rename = "MFAOptions")]
    options: Vec<MfaOption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MfaOption {
    delivery_medium: Option<String>,
    attribute_name: Option<String>,
}

/// The older operations know text messages and nothing else: naming them turns the factor on, an empty list off.
async fn set_options(pool: &Pool, user: Uuid, options: &[MfaOption]) -> Result<Empty, Fault> {
    let by_sms = |option: &MfaOption| {
        option.delivery_medium.as_deref() == Some("SMS") && option.attribute_name.as_deref() == Some("phone_number")
    };
    if !options.iter().all(by_sms) {
        return Err(Fault::invalid("Only the delivery medium SMS and the attribute phone_number can be set."));
    }
    let preference = Preference { enabled: !options.is_empty(), preferred: false };
    pool.prefer_factors(user, &[(Factor::Sms, preference)]).await?;
    Ok(Empty {})
}

async fn set_user_settings(call: &Call, input: SetUserSettingsInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    set_options(&pool, caller.user.sub, &input.options).await
}

async fn admin_set_user_settings(call: &Call, input: AdminSetUserSettingsInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    set_options(&pool, user.sub, &input.options).await
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminDeleteSoftwareTokenInput {
    user_pool_id: String,
    username: String,
}

async fn admin_delete_software_token(call: &Call, input: AdminDeleteSoftwareTokenInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    pool.delete_software_token(user.sub).await?;
    Ok(Empty {})
}
