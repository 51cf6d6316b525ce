//! Devices in the Directory: the record that crosses the port.

use uuid::Uuid;

use crate::clock::Timestamp;

/// A device that its user has confirmed.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// The pool's id.
    pub pool: String,
    /// The user's sub.
    pub user: Uuid,
    /// Its id, unique among the user's.
    pub id: Uuid,
    /// The app client that it was confirmed through; no other knows it.
    pub client: String,
    /// The session that it was offered to; forgetting the device ends it.
    pub session: Uuid,
    /// What its user calls it.
    pub name: Option<String>,
    /// Its SRP salt and verifier, sealed.
    pub verifier: String,
    /// Whether it stands for a second factor where the pool's rules let it.
    pub remembered: bool,
    /// When it was confirmed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When somebody last signed in on it.
    pub authenticated_at: Timestamp,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its name is the user's, and its verifier a secret.
        f.debug_struct("Device")
            .field("user", &self.user)
            .field("id", &self.id)
            .field("remembered", &self.remembered)
            .finish_non_exhaustive()
    }
}
