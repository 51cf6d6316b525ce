//! What makes one pool differ from another: the document of kind `pool`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::password::PasswordPolicy;
use crate::clock::Timestamp;
use crate::keys::Algorithm;

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

    pub(super) fn temporary_password_life(&self) -> Duration {
        Duration::from_secs(self.temporary_password_seconds)
    }

    pub(super) fn reset_code_life(&self) -> Duration {
        Duration::from_secs(self.reset_code_seconds)
    }
}
