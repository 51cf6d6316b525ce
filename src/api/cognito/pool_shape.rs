//! UserPoolType: a pool's settings as Cognito describes them (contract cognito (h)).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::lambda_config::LambdaConfig;
use super::message_texts::{InviteMessageTemplate, MessageTexts};
use super::operation::epoch;
use super::pool_rules::AttributeUpdates;
use super::schema::SchemaAttribute;
use crate::config;
use crate::pool::PoolSettings;
use crate::pool::password::PasswordPolicy;
use crate::pool::settings::{Alias, Contact, DeviceRules, FirstProof, MfaMode, Usernames};

const DAY: u64 = 24 * 3600;

/// The name of a pool among the resources of the account that the settings name.
pub(super) fn arn(settings: &config::Cognito, id: &str) -> String {
    let region = id.split_once('_').map_or("", |(region, _)| region);
    format!("arn:aws:cognito-idp:{region}:{}:userpool/{id}", settings.account)
}

/// A pool as it is described.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserPool {
    id: String,
    name: String,
    arn: String,
    policies: Policies,
    deletion_protection: &'static str,
    lambda_config: LambdaConfig,
    schema_attributes: Vec<SchemaAttribute>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auto_verified_attributes: Vec<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_attribute_update_settings: Option<AttributeUpdates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_attributes: Option<Vec<Alias>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_attributes: Option<Vec<Contact>>,
    username_configuration: UsernameConfiguration,
    mfa_configuration: MfaMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_configuration: Option<DeviceConfiguration>,
    admin_create_user_config: AdminCreateUserConfig,
    user_pool_tags: BTreeMap<String, String>,
    creation_date: f64,
    last_modified_date: f64,
    #[serde(flatten)]
    texts: MessageTexts,
    #[serde(flatten)]
    described: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policies {
    password_policy: PasswordRules,
    sign_in_policy: SignInPolicy,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SignInPolicy {
    allowed_first_auth_factors: Vec<FirstProof>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PasswordRules {
    minimum_length: u32,
    require_uppercase: bool,
    require_lowercase: bool,
    require_numbers: bool,
    require_symbols: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_history_size: Option<u32>,
    temporary_password_validity_days: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UsernameConfiguration {
    case_sensitive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AdminCreateUserConfig {
    allow_admin_create_user_only: bool,
    unused_account_validity_days: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_message_template: Option<InviteMessageTemplate>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceConfiguration {
    challenge_required_on_new_device: bool,
    device_only_remembered_on_user_prompt: bool,
}

impl From<DeviceRules> for DeviceConfiguration {
    fn from(rules: DeviceRules) -> Self {
        Self {
            challenge_required_on_new_device: rules.challenge_required_on_new,
            device_only_remembered_on_user_prompt: rules.only_remembered_on_prompt,
        }
    }
}

impl UserPool {
    /// Describes a pool.
    pub(super) fn of(pool: &PoolSettings, settings: &config::Cognito) -> Self {
        let days = pool.temporary_password_seconds.div_ceil(DAY);
        let (alias_attributes, username_attributes) = match &pool.usernames {
            Usernames::Chosen { aliases } => (Some(aliases.clone()).filter(|aliases| !aliases.is_empty()), None),
            Usernames::Contact { contacts } => (None, Some(contacts.clone())),
        };
        Self {
            id: pool.id.clone(),
            name: pool.name.clone(),
            arn: arn(settings, &pool.id),
            policies: Policies {
                password_policy: password_rules(pool, days),
                sign_in_policy: SignInPolicy { allowed_first_auth_factors: pool.first_proofs.clone() },
            },
            deletion_protection: if pool.deletion_protection { "ACTIVE" } else { "INACTIVE" },
            lambda_config: LambdaConfig::of(&pool.triggers),
            schema_attributes: pool.schema.attributes().iter().map(SchemaAttribute::of).collect(),
            auto_verified_attributes: pool.auto_verify.clone(),
            user_attribute_update_settings: attribute_updates(pool),
            alias_attributes,
            username_attributes,
            username_configuration: UsernameConfiguration { case_sensitive: pool.case_sensitive },
            mfa_configuration: pool.mfa.mode,
            device_configuration: pool.devices.map(DeviceConfiguration::from),
            admin_create_user_config: AdminCreateUserConfig {
                allow_admin_create_user_only: !pool.self_sign_up,
                unused_account_validity_days: days,
                invite_message_template: InviteMessageTemplate::of(&pool.messages),
            },
            user_pool_tags: pool.tags.clone(),
            creation_date: epoch(pool.created_at),
            last_modified_date: epoch(pool.updated_at.unwrap_or(pool.created_at)),
            texts: MessageTexts::of(&pool.messages),
            described: described(&pool.described),
        }
    }
}

fn attribute_updates(pool: &PoolSettings) -> Option<AttributeUpdates> {
    let attributes_require_verification_before_update = pool.verify_before_update.clone();
    let asked = !attributes_require_verification_before_update.is_empty();
    asked.then_some(AttributeUpdates { attributes_require_verification_before_update })
}

fn password_rules(pool: &PoolSettings, days: u64) -> PasswordRules {
    let (minimum_length, [require_uppercase, require_lowercase, require_numbers, require_symbols]) =
        match pool.password_policy {
            PasswordPolicy::Nist { min_length } => (min_length, [false; 4]),
            PasswordPolicy::Cognito {
                min_length,
                require_uppercase,
                require_lowercase,
                require_numbers,
                require_symbols,
            } => (min_length, [require_uppercase, require_lowercase, require_numbers, require_symbols]),
        };
    PasswordRules {
        minimum_length,
        require_uppercase,
        require_lowercase,
        require_numbers,
        require_symbols,
        password_history_size: Some(pool.password_history).filter(|size| *size > 0),
        temporary_password_validity_days: days,
    }
}

/// What was given, and what Cognito says of pools that were given nothing.
fn described(given: &Map<String, Value>) -> Map<String, Value> {
    let usual = [
        ("EmailConfiguration", serde_json::json!({"EmailSendingAccount": "COGNITO_DEFAULT"})),
        ("UserPoolTier", Value::from("ESSENTIALS")),
    ];
    let mut all: Map<String, Value> = usual.into_iter().map(|(member, value)| (member.to_owned(), value)).collect();
    all.extend(given.clone());
    all
}
