//! A user's next password: the one place that judges it against those that he had, and the one that writes it in the
//! place of the present one, which joins them.

use uuid::Uuid;

use super::kept_password::KeptPassword;
use super::{Pool, PoolSettings};
use crate::error::Error;
use crate::store::directory::User;

/// What will be kept of a user's next password, judged.
pub(super) struct NextPassword {
    kept: KeptPassword,
    instead: Instead,
}

/// Which present password it was judged beside: beside another one the judgement says nothing.
enum Instead {
    OfAny,
    Of(Option<String>),
}

impl NextPassword {
    /// Puts it in the place of the present one. `Conflict` when that is not the one that it was judged beside.
    pub(super) fn put_into(&self, user: &mut User) -> Result<(), Error> {
        if matches!(&self.instead, Instead::Of(present) if *present != user.password) {
            return Err(Error::Conflict);
        }
        user.keep(&self.kept);
        Ok(())
    }
}

impl PoolSettings {
    /// How many passwords before the present one may not come again; with that one they are as many as the pool says.
    pub(super) fn former_passwords(&self) -> u32 {
        self.password_history.saturating_sub(1)
    }
}

impl Pool {
    /// What will be kept of a password that a user is to have for good. To be asked once everything else allows the
    /// change: the answer tells which passwords he had.
    ///
    /// Errors: `PasswordUsed`, `Unavailable` when no turn to hash came in time.
    pub(super) async fn next_password(&self, user: &User, password: &str) -> Result<NextPassword, Error> {
        let instead = self.judge_beside_former(user, password).await?;
        Ok(NextPassword { kept: self.keep_password(&user.username, password).await?, instead })
    }

    /// The same of one that was hashed before.
    pub(super) async fn next_password_kept(
        &self,
        user: &User,
        password: &str,
        kept: KeptPassword,
    ) -> Result<NextPassword, Error> {
        Ok(NextPassword { kept, instead: self.judge_beside_former(user, password).await? })
    }

    /// The same of one that the user has to replace: it may be any.
    pub(super) async fn next_temporary_password(&self, user: &User, password: &str) -> Result<NextPassword, Error> {
        let kept = self.keep_password(&user.username, password).await?;
        Ok(NextPassword { kept, instead: Instead::OfAny })
    }

    async fn judge_beside_former(&self, user: &User, password: &str) -> Result<Instead, Error> {
        let size = self.settings.password_history;
        if size == 0 {
            return Ok(Instead::OfAny);
        }
        let mut had: Vec<String> = user.password.iter().cloned().collect();
        if self.settings.former_passwords() > 0 {
            let former = self.ports.directory.former_passwords(self.id(), &[user.sub]).await?;
            had.extend(former.into_values().flatten());
        }
        had.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        if self.ports.hasher.is_any(password, &had).await? {
            return Err(Error::PasswordUsed);
        }
        Ok(Instead::Of(user.password.clone()))
    }

    /// Changes a user and his password together. Errors: those of `apply`, `UserNotFound`, `Conflict` when another
    /// change of the password came between, `Unavailable`.
    pub(super) async fn change_user_and_password(
        &self,
        sub: Uuid,
        next: &NextPassword,
        apply: impl Fn(&mut User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        let change = |user: &mut User| {
            apply(user)?;
            next.put_into(user)
        };
        self.rewrite_user(sub, Some(self.settings.former_passwords()), change).await
    }
}
