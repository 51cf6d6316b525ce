//! What makes one pool differ from another: the document of kind `pool`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Messages;
use super::password::PasswordPolicy;
use super::schema::Schema;
use super::trigger::Triggers;
use crate::clock::Timestamp;
use crate::config::Period;
use crate::error::{Error, Rule};
use crate::keys::Algorithm;

const DAY: u64 = 24 * 3600;
/// Cognito's; each password of it costs a hash.
const LONGEST_HISTORY: u32 = 24;
const VERIFIED_LATER: &str = "AttributesRequireVerificationBeforeUpdate must be among AutoVerifiedAttributes.";

/// Settings of a pool, kept in the Directory; a change takes effect in every replica within `keys.reload`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolSettings {
    /// `<region>_<9 letters and digits>`, the form that Cognito's verifiers demand (contract cognito §0.8).
    pub id: String,
    /// For people.
    pub name: String,
    /// What its tokens are signed with.
    pub algorithm: Algorithm,
    /// What a new password must be.
    pub password_policy: PasswordPolicy,
    /// How many of a user's passwords, the present one first, he may not have again; 0 for none.
    #[serde(default)]
    pub password_history: u32,
    /// Answer alike whether or not a user exists.
    pub hide_user_existence: bool,
    /// A change or reset of the password ends the user's other sessions.
    pub end_sessions_on_password_change: bool,
    /// Life of a temporary password, in seconds.
    pub temporary_password_seconds: u64,
    /// Life of a reset code, in seconds.
    pub reset_code_seconds: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed; absent in pools that never were.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// What its users are called and sign in with; fixed at birth.
    #[serde(default)]
    pub usernames: Usernames,
    /// Whether `Ann` and `ann` are two users; fixed at birth.
    #[serde(default)]
    pub case_sensitive: bool,
    /// The attributes of its users.
    #[serde(default)]
    pub schema: Schema,
    /// Contacts that a code is sent to when a user gives them himself.
    #[serde(default)]
    pub auto_verify: Vec<Contact>,
    /// Contacts whose new value counts only once its code came back (Cognito's
    /// AttributesRequireVerificationBeforeUpdate).
    #[serde(default)]
    pub verify_before_update: Vec<Contact>,
    /// Whether people may register themselves (Cognito's SignUp).
    #[serde(default)]
    pub self_sign_up: bool,
    /// Whether an SRP verifier is kept beside the hash of a password (contract cognito (m) 1).
    #[serde(default)]
    pub srp: bool,
    /// Second factors.
    #[serde(default)]
    pub mfa: MfaRules,
    /// Members of Cognito's MFA configuration that are kept and answered as they were given and decide nothing here.
    #[serde(default)]
    pub mfa_described: serde_json::Map<String, serde_json::Value>,
    /// What a sign-in by choice may begin with (Cognito's AllowedFirstAuthFactors).
    #[serde(default = "only_password")]
    pub first_proofs: Vec<FirstProof>,
    /// Its own words in messages.
    #[serde(default)]
    pub messages: Messages,
    /// The functions that it calls.
    #[serde(default)]
    pub triggers: Triggers,
    /// Whether devices are told apart, and what a remembered one is good for; absent: they are not.
    #[serde(default)]
    pub devices: Option<DeviceRules>,
    /// Whether it is kept from being deleted.
    #[serde(default)]
    pub deletion_protection: bool,
    /// For people and tools.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Members of Cognito's UserPool that are kept and answered as they were given and decide nothing here.
    #[serde(default)]
    pub described: serde_json::Map<String, serde_json::Value>,
}

/// Where a user is reached, and what he may sign in with once it is proven his.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// By mail.
    Email,
    /// By text message.
    PhoneNumber,
}

/// What a user signs in with besides his username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alias {
    /// The verified address.
    Email,
    /// The verified number.
    PhoneNumber,
    /// A name that he may change.
    PreferredUsername,
}

/// What the users of a pool are called (contract cognito (g), username modes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usernames {
    /// By a name of their own; these aliases sign in as well.
    Chosen {
        /// Cognito's AliasAttributes.
        aliases: Vec<Alias>,
    },
    /// By the sub; they sign in with one of these contacts, which has one owner also while it is not proven.
    Contact {
        /// Cognito's UsernameAttributes.
        contacts: Vec<Contact>,
    },
}

impl Default for Usernames {
    fn default() -> Self {
        Self::Chosen { aliases: vec![Alias::Email] }
    }
}

/// What a sign-in by choice begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FirstProof {
    /// The password, in the clear or by SRP.
    Password,
    /// A mailed code.
    EmailOtp,
    /// A code by text message.
    SmsOtp,
}

fn only_password() -> Vec<FirstProof> {
    vec![FirstProof::Password]
}

/// Whether a second factor is asked, and which ones there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MfaRules {
    /// Whether users need one.
    pub mode: MfaMode,
    /// Codes of an authenticator application (RFC 6238).
    pub software_token: bool,
    /// Mailed codes.
    pub email: bool,
    /// Codes by text message.
    pub sms: bool,
}

/// Cognito's DeviceConfiguration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRules {
    /// A second factor is asked on new devices alone: a remembered one stands for it.
    pub challenge_required_on_new: bool,
    /// A confirmed device is remembered when its user says so, not by itself.
    pub only_remembered_on_prompt: bool,
}

/// Cognito's MfaConfiguration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MfaMode {
    /// Nobody is asked.
    #[default]
    Off,
    /// Whoever has set one up is asked.
    Optional,
    /// Everybody is.
    On,
}

impl PoolSettings {
    /// The settings a pool starts with: NIST-style passwords, hidden existence (security §9.5).
    pub fn new(id: String, name: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            algorithm: Algorithm::default(),
            password_policy: PasswordPolicy::default(),
            password_history: 0,
            hide_user_existence: true,
            end_sessions_on_password_change: true,
            temporary_password_seconds: 7 * 24 * 3600,
            reset_code_seconds: 600,
            created_at: now,
            updated_at: None,
            usernames: Usernames::default(),
            case_sensitive: false,
            schema: Schema::default(),
            auto_verify: Vec::new(),
            verify_before_update: Vec::new(),
            self_sign_up: false,
            srp: false,
            mfa: MfaRules::default(),
            mfa_described: serde_json::Map::new(),
            first_proofs: only_password(),
            messages: Messages::default(),
            triggers: Triggers::default(),
            devices: None,
            deletion_protection: false,
            tags: BTreeMap::new(),
            described: serde_json::Map::new(),
        }
    }

    /// The settings that Cognito gives a pool that is made with a name alone.
    pub fn of_cognito(name: String, now: Timestamp) -> Self {
        let password_policy = PasswordPolicy::Cognito {
            min_length: 8,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
        };
        Self {
            password_policy,
            // Its clients say so, each for itself.
            hide_user_existence: false,
            reset_code_seconds: 3600,
            usernames: Usernames::Chosen { aliases: Vec::new() },
            case_sensitive: true,
            self_sign_up: true,
            srp: true,
            ..Self::new(String::new(), name, now)
        }
    }

    /// Whether every value is in its range.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name: &'static str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid(name, format!("must be {} to {}", Period::seconds(least), Period::seconds(most))))
            }
        };
        if self.name.is_empty() || self.name.chars().count() > 128 || self.name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "must be 1 to 128 characters"));
        }
        within("temporary password life", self.temporary_password_seconds, 60, 365 * DAY)?;
        within("reset code life", self.reset_code_seconds, 60, DAY)?;
        if !self.verify_before_update.iter().all(|contact| self.auto_verify.contains(contact)) {
            return Err(Rule::Form(VERIFIED_LATER).into());
        }
        if self.mfa.mode != MfaMode::Off && !(self.mfa.software_token || self.mfa.email || self.mfa.sms) {
            return Err(Error::invalid("MFA", "can not be asked for without a factor that users can have"));
        }
        if self.password_history > LONGEST_HISTORY {
            return Err(Error::invalid("password history", "must be 0 to 24"));
        }
        self.password_policy.check_numbers()
    }

    /// Whether users may do without a password: then some sign-in can begin with a code.
    pub(super) fn passwordless(&self) -> bool {
        self.first_proofs.iter().any(|proof| *proof != FirstProof::Password)
    }

    /// Whether users may not reset their passwords themselves: Cognito's AccountRecoverySetting has nothing else.
    pub(super) fn resets_by_administrator(&self) -> bool {
        let ways = self.described.get("AccountRecoverySetting").and_then(|setting| setting.get("RecoveryMechanisms"));
        let ways = ways.and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        !ways.is_empty() && ways.iter().all(|way| way.get("Name").is_some_and(|name| name == "admin_only"))
    }

    pub(super) fn temporary_password_life(&self) -> Duration {
        Duration::from_secs(self.temporary_password_seconds)
    }

    pub(super) fn reset_code_life(&self) -> Duration {
        Duration::from_secs(self.reset_code_seconds)
    }
}
