//! What is kept of a password: the one place that makes it and the one that writes it into a user.

use super::Pool;
use crate::error::Error;
use crate::store::directory::User;

/// What is kept of a password.
#[derive(Clone)]
pub(super) struct KeptPassword {
    hash: String,
}

impl Pool {
    /// What will be kept of a password. Errors: `Unavailable` when no turn to hash came in time.
    pub(super) async fn keep_password(&self, password: &str) -> Result<KeptPassword, Error> {
        Ok(KeptPassword { hash: self.ports.hasher.hash(password).await? })
    }
}

impl User {
    /// Replaces the password.
    pub(super) fn keep(&mut self, kept: &KeptPassword) {
        self.password = Some(kept.hash.clone());
    }
}
