//! New passwords in place of known ones, and those that an administrator gives.

use std::net::IpAddr;

use uuid::Uuid;

use super::auth::{Proven, owes_password};
use super::user::{check_standing, own_names};
use super::{Caller, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};

impl Pool {
    /// Changes the caller's own password; a wrong previous one counts like a failed sign-in (G01, G02). His other
    /// sessions end, the one he calls with goes on.
    pub async fn change_password(
        &self,
        access_token: &str,
        previous: &str,
        proposed: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        self.ports.hasher.room()?;
        let caller = self.authenticate(access_token).await?;
        let (sub, session) = (caller.user.sub, caller.session.id);
        let user = self.attempt(sub, source, self.prove_password(Some(caller.user), previous)).await?;
        self.change_proven(Proven(user), proposed, Some(session)).await.map(drop)
    }

    /// Gives the caller, who has none, his first password.
    ///
    /// Errors: `Rule` when he has one, `InvalidPassword`, `PasswordUsed`, the refusals of a token, `Unavailable`.
    pub async fn choose_first_password(&self, access_token: &str, proposed: &str) -> Result<(), Error> {
        let caller = self.authenticate(access_token).await?;
        if caller.user.password.is_some() {
            return Err(Rule::Form("Missing required parameter PreviousPassword").into());
        }
        self.change_proven(Proven(caller.user), proposed, Some(caller.session.id)).await.map(drop)
    }

    /// Changes the password of the user with this name or verified address, who may be another than `caller`; the
    /// previous password proves that he wants it. His sessions end, but the one that the caller calls with if it is
    /// his. A temporary password that can still be used is replaced for good.
    ///
    /// Errors: `NotAuthorized` (unknown user or wrong password, not told apart), `TooManyRequests`, `InvalidPassword`,
    /// `PasswordUsed`, `UserDisabled` and its like, `TemporaryPasswordExpired`, `Unavailable`.
    pub async fn replace_password(
        &self,
        name: &str,
        previous: &str,
        proposed: &str,
        source: IpAddr,
        caller: Option<&Caller>,
    ) -> Result<User, Error> {
        let proven = self.prove_aside(name, previous, source).await?;
        let own = caller.filter(|caller| caller.user.sub == proven.user().sub);
        self.change_proven(proven, proposed, own.map(|caller| caller.session.id)).await
    }

    async fn change_proven(&self, user: Proven, proposed: &str, spared: Option<Uuid>) -> Result<User, Error> {
        let Proven(user) = user;
        if user.is_external() {
            // His password is another directory's to keep.
            return Err(Error::ResetNotAllowed);
        }
        check_standing(&user)?;
        owes_password(&user, self.now())?;
        self.settings.password_policy.check(proposed, &own_names(&user))?;
        let next = self.next_password(&user, proposed).await?;
        let ends = self.settings.end_sessions_on_password_change;
        let changed = self.change_user_and_password(user.sub, &next, |now| {
            if now.password != user.password || now.status != user.status {
                // Another change came between: what was proven is no longer so.
                return Err(Error::NotAuthorized);
            }
            if now.status == UserStatus::ForceChangePassword {
                now.status = UserStatus::Confirmed;
                now.temporary_until = None;
            }
            if ends {
                now.end_all_sessions(spared);
            }
            Ok(())
        });
        let changed = changed.await?;
        if ends {
            self.clear_sessions(changed.sub, spared, "password_changed").await;
        }
        Ok(changed)
    }

    /// Sets a password for a user and ends his sessions; a temporary one must be replaced at the next sign-in.
    ///
    /// Errors: `UserNotFound`, `InvalidPassword`, `PasswordUsed` for one that is not temporary, `ResetNotAllowed` for a
    /// user of the foreign directory, `Conflict`, `Unavailable`.
    pub async fn set_password(&self, name: &str, password: &str, temporary: bool) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        self.give_password(&user, password, temporary).await.map(drop)
    }

    /// Gives a user a made-up permanent password that keeps the policy, and ends his sessions. Errors as of
    /// [`Pool::set_password`].
    pub async fn generate_password(&self, name: &str) -> Result<(User, String), Error> {
        let user = self.find_user(name).await?;
        let password = self.settings.password_policy.generate(&self.ports.random)?;
        Ok((self.give_password(&user, &password, false).await?, password))
    }

    pub(super) async fn give_password(&self, user: &User, password: &str, temporary: bool) -> Result<User, Error> {
        self.settings.password_policy.check(password, &own_names(user))?;
        let next = if temporary {
            self.next_temporary_password(user, password).await?
        } else {
            self.next_password(user, password).await?
        };
        let until = self.now().plus(self.settings.temporary_password_life());
        let changed = self.change_user_and_password(user.sub, &next, |user| {
            if user.status == UserStatus::ExternalProvider {
                // He would have two passwords, one of which his directory knows nothing of.
                return Err(Error::ResetNotAllowed);
            }
            user.status = if temporary { UserStatus::ForceChangePassword } else { UserStatus::Confirmed };
            user.temporary_until = temporary.then_some(until);
            user.end_all_sessions(None);
            Ok(())
        });
        let changed = changed.await?;
        self.clear_sessions(changed.sub, None, "password_set").await;
        Ok(changed)
    }
}
