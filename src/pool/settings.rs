//! What makes one pool differ from another: the document of kind `pool`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::password::PasswordPolicy;
use crate::clock::Timestamp;
use crate::config::Period;
use crate::error::Error;
use crate::keys::Algorithm;

const DAY: u64 = 24 * 3600;

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
}

impl PoolSettings {
    /// The settings a pool starts with: NIST-style passwords, hidden existence (security §9.5).
    pub fn new(id: String, name: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            algorithm: Algorithm::default(),
            password_policy: PasswordPolicy::default(),
            hide_user_existence: true,
            end_sessions_on_password_change: true,
            temporary_password_seconds: 7 * 24 * 3600,
            reset_code_seconds: 600,
            created_at: now,
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
        self.password_policy.check_numbers()
    }

    pub(super) fn temporary_password_life(&self) -> Duration {
        Duration::from_secs(self.temporary_password_seconds)
    }

    pub(super) fn reset_code_life(&self) -> Duration {
        Duration::from_secs(self.reset_code_seconds)
    }
}
