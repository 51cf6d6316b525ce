//! Changing a pool: what is not named stays.

use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::clients::seconds;
use crate::cli::failure::Failure;
use crate::cli::open::Opened;
use crate::keys::Algorithm;
use crate::pool::password::PasswordPolicy;
use crate::pool::settings::{MfaMode, MfaRules};
use crate::pool::{Pool, PoolSettings};

/// What to change.
#[derive(Args)]
pub(super) struct Update {
    /// For people
    #[arg(long)]
    name: Option<String>,
    /// What tokens are signed with: RS256, ES256 or EdDSA; a new key is published first and then signs
    #[arg(long, value_name = "NAME")]
    algorithm: Option<Algorithm>,
    /// Rules for new passwords: nist (length and a list of common ones) or cognito (kinds of characters)
    #[arg(long, value_enum, value_name = "STYLE")]
    password_policy: Option<Style>,
    /// Least number of characters, 8 to 64 (nist) or 6 to 99 (cognito)
    #[arg(long, value_name = "NUMBER")]
    password_length: Option<u32>,
    /// Characters that the cognito rules ask for; `none` for no kind
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KINDS")]
    password_needs: Option<Vec<Needed>>,
    /// How many of his passwords, the present one first, a user may not have again, 0 to 24; 0 for any
    #[arg(long, value_name = "NUMBER")]
    password_history: Option<u32>,
    /// Answer alike whether or not a user exists
    #[arg(long, value_enum, value_name = "SWITCH")]
    hide_user_existence: Option<Switch>,
    /// End a user's other sessions when he changes or resets his password
    #[arg(long, value_enum, value_name = "SWITCH")]
    end_sessions_on_password_change: Option<Switch>,
    /// Keep an SRP verifier beside the hash of each password, for clients that sign in by SRP (Amplify and others); for
    /// passwords that are there already, from the next sign-in with the password itself
    #[arg(long, value_enum, value_name = "SWITCH")]
    srp: Option<Switch>,
    /// Ask for the code of an authenticator application: of nobody, of who has set one up, or of everybody
    #[arg(long, value_enum, value_name = "MODE")]
    mfa: Option<Mfa>,
    /// How long a temporary password works, 1m to 365d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    temporary_password_life: Option<u64>,
    /// How long a mailed reset code works, 1m to 1d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    reset_code_life: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Style {
    Nist,
    Cognito,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Needed {
    Uppercase,
    Lowercase,
    Numbers,
    Symbols,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mfa {
    Off,
    Optional,
    On,
}

impl Mfa {
    fn apply(self, rules: &mut MfaRules) {
        rules.mode = match self {
            Self::Off => MfaMode::Off,
            Self::Optional => MfaMode::Optional,
            Self::On => MfaMode::On,
        };
        rules.software_token |= self != Self::Off;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Update {
    /// Writes the change and answers the pool as it is then.
    pub(super) async fn run(&self, opened: &Opened, pool: &Pool) -> Result<Arc<Pool>, Failure> {
        let policy = self.policy(pool.settings.password_policy);
        if self.password_needs.is_some() && matches!(policy, PasswordPolicy::Nist { .. }) {
            return Err("--password-needs belongs to the cognito rules: say --password-policy cognito".into());
        }
        opened.pools.update_pool(pool.id(), |settings| self.apply(settings)).await?;
        // A new algorithm needs a new key, which is made by reading again.
        opened.pools.reload().await?;
        Ok(opened.pools.find(pool.id())?)
    }

    fn apply(&self, settings: &mut PoolSettings) {
        let switched = |switch: Option<Switch>, present| switch.map_or(present, |switch| switch == Switch::On);
        if let Some(name) = &self.name {
            settings.name.clone_from(name);
        }
        settings.algorithm = self.algorithm.unwrap_or(settings.algorithm);
        settings.password_policy = self.policy(settings.password_policy);
        settings.password_history = self.password_history.unwrap_or(settings.password_history);
        settings.hide_user_existence = switched(self.hide_user_existence, settings.hide_user_existence);
        settings.end_sessions_on_password_change =
            switched(self.end_sessions_on_password_change, settings.end_sessions_on_password_change);
        settings.srp = switched(self.srp, settings.srp);
        if let Some(mfa) = self.mfa {
            mfa.apply(&mut settings.mfa);
        }
        settings.temporary_password_seconds =
            self.temporary_password_life.unwrap_or(settings.temporary_password_seconds);
        settings.reset_code_seconds = self.reset_code_life.unwrap_or(settings.reset_code_seconds);
    }

    /// The present rules with what was named changed; a style that is turned to begins with all of its rules on.
    fn policy(&self, present: PasswordPolicy) -> PasswordPolicy {
        let (style, length, needs) = match present {
            PasswordPolicy::Nist { min_length } => (Style::Nist, min_length, [true; 4]),
            PasswordPolicy::Cognito {
                min_length,
                require_uppercase,
                require_lowercase,
                require_numbers,
                require_symbols,
            } => (Style::Cognito, min_length, [require_uppercase, require_lowercase, require_numbers, require_symbols]),
        };
        let min_length = self.password_length.unwrap_or(length);
        let [require_uppercase, require_lowercase, require_numbers, require_symbols] =
            self.password_needs.as_ref().map_or(needs, |needs| {
                [Needed::Uppercase, Needed::Lowercase, Needed::Numbers, Needed::Symbols]
                    .map(|kind| needs.contains(&kind))
            });
        match self.password_policy.unwrap_or(style) {
            Style::Nist => PasswordPolicy::Nist { min_length },
            Style::Cognito => PasswordPolicy::Cognito {
                min_length,
                require_uppercase,
                require_lowercase,
                require_numbers,
                require_symbols,
            },
        }
    }
}
