//! The members that CreateUserPool and UpdateUserPool share: read, judged, and turned into a pool's settings. What is
//! not built is refused by name; what decides nothing here is kept and answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::lambda_config::LambdaConfig;
use super::message_texts::{InviteMessageTemplate, MessageTexts};
use super::operation;
use crate::pool::PoolSettings;
use crate::pool::password::PasswordPolicy;
use crate::pool::settings::{Contact, DeviceRules, FirstProof, MfaMode};

/// Members of other services: kept as they are given.
const DESCRIBED: [&str; 5] =
    ["EmailConfiguration", "SmsConfiguration", "AccountRecoverySetting", "UserPoolAddOns", "UserPoolTier"];

/// Members that would have to do something which is not built, and the value that asks for nothing.
const NOT_BUILT: [(&str, &str); 5] = [
    ("DcrConfiguration", r#"{"EnableStatus":"Disabled"}"#),
    ("KeyConfiguration", r#"{"KeyType":"AWS_OWNED_KEY"}"#),
    ("IssuerConfiguration", r#"{"Type":"ORIGINAL"}"#),
    ("AcrConfiguration", "{}"),
    ("WebAuthnConfiguration", "{}"),
];

const DAY: u64 = 24 * 3600;
/// Days that an invited user has by default.
const INVITATION_DAYS: u64 = 7;

/// What the call says about the pool, besides what is fixed at its birth.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PoolRules {
    #[serde(default)]
    policies: Policies,
    deletion_protection: Option<String>,
    #[serde(default)]
    auto_verified_attributes: Vec<Contact>,
    #[serde(default)]
    user_attribute_update_settings: AttributeUpdates,
    #[serde(default)]
    mfa_configuration: MfaMode,
    #[serde(default)]
    device_configuration: DeviceConfiguration,
    #[serde(default)]
    admin_create_user_config: AdminCreateUserConfig,
    #[serde(default)]
    lambda_config: LambdaConfig,
    #[serde(default)]
    user_pool_tags: BTreeMap<String, String>,
    #[serde(flatten)]
    texts: MessageTexts,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// UserAttributeUpdateSettingsType.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AttributeUpdates {
    pub(super) attributes_require_verification_before_update: Vec<Contact>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policies {
    password_policy: PasswordRules,
    sign_in_policy: SignInPolicy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PasswordRules {
    minimum_length: u32,
    require_uppercase: bool,
    require_lowercase: bool,
    require_numbers: bool,
    require_symbols: bool,
    password_history_size: u32,
    temporary_password_validity_days: Option<u64>,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            password_history_size: 0,
            temporary_password_validity_days: None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignInPolicy {
    allowed_first_auth_factors: Vec<String>,
}

/// With any member devices are told apart; with none they are not.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeviceConfiguration {
    challenge_required_on_new_device: Option<bool>,
    device_only_remembered_on_user_prompt: Option<bool>,
}

impl DeviceConfiguration {
    fn rules(&self) -> Option<DeviceRules> {
        let (challenge, prompt) = (self.challenge_required_on_new_device, self.device_only_remembered_on_user_prompt);
        challenge.or(prompt).map(|_| DeviceRules {
            challenge_required_on_new: challenge.unwrap_or_default(),
            only_remembered_on_prompt: prompt.unwrap_or_default(),
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminCreateUserConfig {
    allow_admin_create_user_only: bool,
    unused_account_validity_days: Option<u64>,
    invite_message_template: InviteMessageTemplate,
}

impl PoolRules {
    /// Takes what the call says; `texts` is whether text messages are sent. Errors: a member asks for something that is
    /// not built.
    pub(super) fn read(members: Map<String, Value>, texts: bool) -> Result<Self, Fault> {
        let rules: Self = operation::parse(Value::Object(members))?;
        for (member, nothing) in NOT_BUILT {
            let asked = rules.rest.get(member).filter(|asked| !asks_for_nothing(asked, nothing));
            refuse_if(asked.is_some(), member)?;
        }
        for factor in &rules.policies.sign_in_policy.allowed_first_auth_factors {
            let member = format!("Policies.SignInPolicy.AllowedFirstAuthFactors {factor}");
            refuse_if(first_proof(factor).is_none_or(|proof| proof == FirstProof::SmsOtp && !texts), &member)?;
        }
        let security = rules.rest.get("UserPoolAddOns").and_then(|add_ons| add_ons.get("AdvancedSecurityMode"));
        refuse_if(security.is_some_and(|mode| mode != "OFF"), "UserPoolAddOns.AdvancedSecurityMode")?;
        refuse_if(
            rules.rest.get("AccountRecoverySetting").is_some_and(only_by_admin),
            "AccountRecoverySetting admin_only",
        )?;
        refuse_if(
            rules.auto_verified_attributes.contains(&Contact::PhoneNumber),
            "AutoVerifiedAttributes phone_number",
        )?;
        let proven_first = &rules.user_attribute_update_settings.attributes_require_verification_before_update;
        refuse_if(
            proven_first.contains(&Contact::PhoneNumber),
            "AttributesRequireVerificationBeforeUpdate phone_number",
        )?;
        rules.texts.check()?;
        rules.admin_create_user_config.invite_message_template.check()?;
        Ok(rules)
    }

    /// Writes it into a pool's settings, and the defaults where it says nothing.
    pub(super) fn apply(&self, settings: &mut PoolSettings) -> Result<(), Fault> {
        settings.password_policy = self.password_policy();
        settings.password_history = self.policies.password_policy.password_history_size;
        settings.temporary_password_seconds = self.temporary_days()? * DAY;
        settings.deletion_protection = self.deletion_protection.as_deref() == Some("ACTIVE");
        settings.auto_verify.clone_from(&self.auto_verified_attributes);
        let proven_first = &self.user_attribute_update_settings.attributes_require_verification_before_update;
        settings.verify_before_update.clone_from(proven_first);
        settings.mfa.mode = self.mfa_configuration;
        settings.devices = self.device_configuration.rules();
        settings.first_proofs = self.first_proofs();
        settings.self_sign_up = !self.admin_create_user_config.allow_admin_create_user_only;
        settings.triggers = self.lambda_config.triggers()?;
        settings.tags.clone_from(&self.user_pool_tags);
        self.texts.apply(&mut settings.messages);
        self.admin_create_user_config.invite_message_template.apply(&mut settings.messages);
        let kept = |member: &&str| Some(((*member).to_owned(), self.rest.get(*member)?.clone()));
        settings.described = DESCRIBED.iter().filter_map(kept).collect();
        Ok(())
    }

    /// Cognito's default where nothing is said.
    fn first_proofs(&self) -> Vec<FirstProof> {
        let named = &self.policies.sign_in_policy.allowed_first_auth_factors;
        let proofs: Vec<_> = named.iter().filter_map(|factor| first_proof(factor)).collect();
        if proofs.is_empty() { vec![FirstProof::Password] } else { proofs }
    }

    fn password_policy(&self) -> PasswordPolicy {
        let rules = &self.policies.password_policy;
        PasswordPolicy::Cognito {
            min_length: rules.minimum_length,
            require_uppercase: rules.require_uppercase,
            require_lowercase: rules.require_lowercase,
            require_numbers: rules.require_numbers,
            require_symbols: rules.require_symbols,
        }
    }

    /// Days that a temporary password works; the older of the two members gives way.
    fn temporary_days(&self) -> Result<u64, Fault> {
        let newer = self.policies.password_policy.temporary_password_validity_days;
        let days = newer.or(self.admin_create_user_config.unused_account_validity_days).unwrap_or(INVITATION_DAYS);
        // Cognito takes 0 for its default.
        let days = if days == 0 { INVITATION_DAYS } else { days };
        if days <= 365 { Ok(days) } else { Err(Fault::invalid("TemporaryPasswordValidityDays must be at most 365.")) }
    }
}

fn first_proof(name: &str) -> Option<FirstProof> {
    serde_json::from_value(Value::from(name)).ok()
}

fn refuse_if(asked: bool, member: &str) -> Result<(), Fault> {
    if asked { Err(Fault::invalid(format!("{member} is not available on this server."))) } else { Ok(()) }
}

fn asks_for_nothing(asked: &Value, nothing: &str) -> bool {
    asked.as_object().is_some_and(Map::is_empty)
        || serde_json::from_str(nothing).is_ok_and(|nothing: Value| *asked == nothing)
}

fn only_by_admin(setting: &Value) -> bool {
    let mechanisms = setting.get("RecoveryMechanisms").and_then(Value::as_array);
    mechanisms.into_iter().flatten().any(|mechanism| mechanism.get("Name").is_some_and(|name| name == "admin_only"))
}
