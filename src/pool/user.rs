//! Users: made, found, changed and deleted by an administrator, and changing their own password.

use std::collections::BTreeMap;
use std::net::IpAddr;

use uuid::Uuid;

use super::name::{EmailAddress, Username};
use super::{Client, Pool};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};

/// Times a change is tried again when somebody else was faster.
const CHANGE_TRIES: u32 = 8;

/// A user to be made.
pub struct NewUser {
    /// The name.
    pub username: String,
    /// The address; verified from the start, because an administrator vouches for it.
    pub email: Option<String>,
    /// The password; it must fit the policy.
    pub password: String,
    /// Whether the password must be replaced at the first sign-in.
    pub temporary: bool,
    /// Groups to join.
    pub groups: Vec<String>,
}

impl NewUser {
    /// A user with a permanent password, without address and groups.
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            email: None,
            password: password.to_owned(),
            temporary: false,
            groups: Vec::new(),
        }
    }
}

impl User {
    /// Makes every session but `spared` dead, durably and at once.
    pub(super) fn end_all_sessions(&mut self, spared: Option<Uuid>) {
        self.session_epoch = self.session_epoch.saturating_add(1);
        self.spared_session = spared;
    }
}

/// Whether a user may have sessions at all: the one check behind sign-in, refresh and every token use.
pub(super) fn check_standing(user: &User) -> Result<(), Error> {
    if !user.enabled {
        return Err(Error::UserDisabled);
    }
    match user.status {
        UserStatus::Unconfirmed => Err(Error::UserNotConfirmed),
        UserStatus::ResetRequired => Err(Error::PasswordResetRequired),
        UserStatus::Confirmed | UserStatus::ForceChangePassword | UserStatus::ExternalProvider => Ok(()),
    }
}

/// The names a password must not be.
pub(super) fn own_names(user: &User) -> Vec<&str> {
    [Some(user.username.as_str()), user.email.as_deref(), user.phone.as_deref()].into_iter().flatten().collect()
}

impl Pool {
    /// Makes a user. Errors: `InvalidParameter`, `InvalidPassword`, `UserExists`, `NotFound(Group)`, `Unavailable`.
    pub async fn create_user(&self, draft: NewUser) -> Result<User, Error> {
        let username = Username::parse(&draft.username)?;
        let email = draft.email.as_deref().map(EmailAddress::parse).transpose()?;
        let now = self.now();
        let mut user = self.blank_user(username, email)?;
        self.settings.password_policy.check(&draft.password, &own_names(&user))?;
        user.password = Some(self.ports.hasher.hash(&draft.password).await?);
        if draft.temporary {
            user.status = UserStatus::ForceChangePassword;
            user.temporary_until = Some(now.plus(self.settings.temporary_password_life()));
        }
        user.groups = draft.groups;
        self.ports.directory.create_user(&user).await
    }

    /// A confirmed user without a password.
    pub(super) fn blank_user(&self, username: Username, email: Option<EmailAddress>) -> Result<User, Error> {
        let now = self.now();
        let (email, email_key) = email.map(|email| (email.shown, email.key)).unzip();
        Ok(User {
            id: 0,
            pool: self.id().to_owned(),
            sub: self.ports.random.uuid()?,
            username: username.shown,
            username_key: username.key,
            email_verified: email.is_some(),
            email,
            email_key,
            phone: None,
            phone_verified: false,
            attributes: BTreeMap::new(),
            status: UserStatus::Confirmed,
            enabled: true,
            password: None,
            temporary_until: None,
            session_epoch: 0,
            spared_session: None,
            external_id: None,
            client_secret: None,
            api_key: None,
            groups: Vec::new(),
            created_at: now,
            updated_at: now,
            version: 0,
        })
    }

    /// The user with this username, verified address or sub.
    pub async fn find_user(&self, name: &str) -> Result<User, Error> {
        if let Ok(sub) = Uuid::parse_str(name)
            && let Some(user) = self.ports.directory.user(self.id(), sub).await?
        {
            return Ok(user);
        }
        self.find_login(name).await?.user.ok_or(Error::UserNotFound)
    }

    /// Users by the order of their making, at most `limit` after the one with the integer id `after`.
    pub async fn users(&self, after: i64, limit: u32) -> Result<Vec<User>, Error> {
        self.ports.directory.users(self.id(), after, limit).await
    }

    /// Reads, changes and writes a user, again when somebody else was faster.
    pub(super) async fn change_user(
        &self,
        sub: Uuid,
        apply: impl Fn(&mut User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        for _ in 0..CHANGE_TRIES {
            let mut user = self.ports.directory.user(self.id(), sub).await?.ok_or(Error::UserNotFound)?;
            apply(&mut user)?;
            user.updated_at = self.now();
            match self.ports.directory.update_user(&user).await {
                Ok(version) => return Ok(User { version, ..user }),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// Disables a user: every session of his is dead at once and stays so.
    pub async fn disable_user(&self, name: &str) -> Result<(), Error> {
        let sub = self.find_user(name).await?.sub;
        self.change_user(sub, |user| {
            user.enabled = false;
            user.end_all_sessions(None);
            Ok(())
        })
        .await?;
        self.clear_sessions(sub, None, "disabled").await;
        Ok(())
    }

    /// Lets a disabled user sign in again.
    pub async fn enable_user(&self, name: &str) -> Result<(), Error> {
        let sub = self.find_user(name).await?.sub;
        self.change_user(sub, |user| {
            user.enabled = true;
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Deletes a user; his tokens are dead with him.
    pub async fn delete_user(&self, name: &str) -> Result<(), Error> {
        let sub = self.find_user(name).await?.sub;
        if !self.ports.directory.delete_user(self.id(), sub).await? {
            return Err(Error::UserNotFound);
        }
        self.clear_sessions(sub, None, "deleted").await;
        Ok(())
    }

    /// Sets a password for a user and ends his sessions; a temporary one must be replaced at the next sign-in. A user
    /// of a foreign directory has his password there: `ResetNotAllowed`.
    pub async fn set_password(&self, name: &str, password: &str, temporary: bool) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        if user.is_external() {
            return Err(Error::ResetNotAllowed);
        }
        self.settings.password_policy.check(password, &own_names(&user))?;
        let hash = self.ports.hasher.hash(password).await?;
        let until = self.now().plus(self.settings.temporary_password_life());
        self.change_user(user.sub, |user| {
            user.password = Some(hash.clone());
            user.status = if temporary { UserStatus::ForceChangePassword } else { UserStatus::Confirmed };
            user.temporary_until = temporary.then_some(until);
            user.end_all_sessions(None);
            Ok(())
        })
        .await?;
        self.clear_sessions(user.sub, None, "password_set").await;
        Ok(())
    }

    /// Makes a user reset his password by a mailed code before the next sign-in.
    pub async fn reset_user(&self, client: &Client, name: &str) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        user.verified_email().ok_or(Error::NoVerifiedAddress)?;
        let user = self
            .change_user(user.sub, |user| match user.status {
                UserStatus::Confirmed | UserStatus::ResetRequired => {
                    user.status = UserStatus::ResetRequired;
                    Ok(())
                }
                UserStatus::Unconfirmed | UserStatus::ForceChangePassword | UserStatus::ExternalProvider => {
                    Err(Error::ResetNotAllowed)
                }
            })
            .await?;
        self.send_reset_code(client, user.sub, Some(&user)).await
    }

    /// Changes the caller's own password; a wrong previous one counts like a failed sign-in (G01, G02). His other
    /// sessions end, the one he calls with goes on.
    pub async fn change_password(
        &self,
        access_token: &str,
        previous: &str,
        proposed: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        let caller = self.authenticate(access_token).await?;
        let (sub, session) = (caller.user.sub, caller.session.id);
        let user = self.attempt(sub, source, self.prove_password(Some(caller.user), previous)).await?;
        self.settings.password_policy.check(proposed, &own_names(&user))?;
        let hash = self.ports.hasher.hash(proposed).await?;
        let ends = self.settings.end_sessions_on_password_change;
        self.change_user(sub, |now| {
            if now.password != user.password {
                // Another change came between: the password that was proven is no longer the user's.
                return Err(Error::NotAuthorized);
            }
            now.password = Some(hash.clone());
            if ends {
                now.end_all_sessions(Some(session));
            }
            Ok(())
        })
        .await?;
        if ends {
            self.clear_sessions(sub, Some(session), "password_changed").await;
        }
        Ok(())
    }
}
