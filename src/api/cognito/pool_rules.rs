//! The members that CreateUserPool and UpdateUserPool share: read, judged, and turned into a pool's settings. What is
//! not built is refused by name; what decides nothing here is kept and answered.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::lambda_config::LambdaConfig;
use super::operation;
use crate::pool::PoolSettings;
use crate::pool::password::PasswordPolicy;
use crate::pool::settings::{Contact, DeviceRules, MfaMode};

/// Members of other services, and words of mails that the deployment's own templates say: kept as they are given.
const DESCRIBED: [&str; 10] = [
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "VerificationMessageTemplate",
    "SmsAuthenticationMessage",
    "EmailConfiguration",
    "SmsConfiguration",
    "AccountRecoverySetting",
    "UserPoolAddOns",
    "UserPoolTier",
];

/// Members that would have to do something which is not built, and the value that asks for nothing.
const NOT_BUILT: [(&str, &str); 6] = [
    ("UserAttributeUpdateSettings", r#"{"AttributesRequireVerificationBeforeUpdate":[]}"#),
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
    rest: Map<String, Value>,
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
    invite_message_template: Option<Value>,
}

impl PoolRules {
    /// Takes what the call says. Errors: a member asks for something that is not built.
    pub(super) fn read(members: Map<String, Value>) -> Result<Self, Fault> {
        let rules: Self = operation::parse(Value::Object(members))?;
        for (member, nothing) in NOT_BUILT {
            let asked = rules.rest.get(member).filter(|asked| !asks_for_nothing(asked, nothing));
            refuse_if(asked.is_some(), member)?;
        }
        let by_link =
            rules.rest.get("VerificationMessageTemplate").and_then(|template| template.get("DefaultEmailOption"));
        refuse_if(
            by_link.is_some_and(|option| option == "CONFIRM_WITH_LINK"),
            "VerificationMessageTemplate.DefaultEmailOption CONFIRM_WITH_LINK",
        )?;
        let factors = &rules.policies.sign_in_policy.allowed_first_auth_factors;
        refuse_if(
            factors.iter().any(|factor| factor != "PASSWORD"),
            "Policies.SignInPolicy.AllowedFirstAuthFactors other than PASSWORD",
        )?;
        refuse_if(
            rules.policies.password_policy.password_history_size > 0,
            "Policies.PasswordPolicy.PasswordHistorySize",
        )?;
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
        refuse_if(
            rules.admin_create_user_config.invite_message_template.is_some(),
            "AdminCreateUserConfig.InviteMessageTemplate",
        )?;
        Ok(rules)
    }

    /// Writes it into a pool's settings, and the defaults where it says nothing.
    pub(super) fn apply(&self, settings: &mut PoolSettings) -> Result<(), Fault> {
        settings.password_policy = self.password_policy();
        settings.temporary_password_seconds = self.temporary_days()? * DAY;
        settings.deletion_protection = self.deletion_protection.as_deref() == Some("ACTIVE");
        settings.auto_verify.clone_from(&self.auto_verified_attributes);
        settings.mfa.mode = self.mfa_configuration;
        settings.devices = self.device_configuration.rules();
        settings.self_sign_up = !self.admin_create_user_config.allow_admin_create_user_only;
        settings.triggers = self.lambda_config.triggers()?;
        settings.tags.clone_from(&self.user_pool_tags);
        let kept = |member: &&str| Some(((*member).to_owned(), self.rest.get(*member)?.clone()));
        settings.described = DESCRIBED.iter().filter_map(kept).collect();
        Ok(())
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
