//! Who may do what: the one place that decides about acts on others.

use uuid::Uuid;

use super::Pool;
use crate::error::Error;
use crate::store::directory::User;
use crate::store::organization::Role;

/// The group whose members may do everything.
pub const ADMIN_GROUP: &str = "admin";

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Make users for others.
    RegisterUsers,
    /// Give others a new password.
    ResetPasswords,
    /// Change a password whose present one is known.
    ChangePassword {
        /// Whose: the user's sub.
        of: Uuid,
    },
    /// Invite somebody into an organization.
    Invite {
        /// Its id.
        organization: i64,
    },
}

impl Pool {
    /// Whether `caller` may do it. Errors: `AccessDenied`, `Unavailable`.
    pub async fn permit(&self, caller: &User, action: Action) -> Result<(), Error> {
        let may = caller.groups.iter().any(|group| group == ADMIN_GROUP)
            || match action {
                Action::RegisterUsers | Action::ResetPasswords => false,
                Action::ChangePassword { of } => caller.sub == of,
                Action::Invite { organization } => self.rules(caller, organization).await?,
            };
        if may { Ok(()) } else { Err(Error::AccessDenied) }
    }

    async fn rules(&self, user: &User, organization: i64) -> Result<bool, Error> {
        let memberships = self.memberships(user).await?;
        Ok(memberships.iter().any(|held| held.organization.id == organization && held.role == Role::Admin))
    }
}
