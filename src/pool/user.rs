//! Users: made, found, changed and deleted by an administrator.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::import::check_attributes;
use super::message::Via;
use super::name::{EmailAddress, Username};
use super::sign_up_trigger::ForHooks;
use super::{Client, ClientSecret, Digits, Pool};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};

/// Times a change is tried again when somebody else was faster.
const CHANGE_TRIES: u32 = 8;

/// A user to be made.
pub struct NewUser {
    /// The name.
    pub username: String,
    /// The address.
    pub email: Option<String>,
    /// Whether the address counts as proven; so it does where an administrator vouches for it.
    pub email_verified: bool,
    /// The password; it must fit the policy.
    pub password: String,
    /// Whether the password must be replaced at the first sign-in.
    pub temporary: bool,
    /// Groups to join.
    pub groups: Vec<String>,
    /// Other attributes by name.
    pub attributes: BTreeMap<String, String>,
    /// What is kept of his OAuth client secret; set by [`NewUser::with_secret`].
    pub client_secret: Option<String>,
}

impl NewUser {
    /// A user with a permanent password, without address and groups.
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            email: None,
            email_verified: true,
            password: password.to_owned(),
            temporary: false,
            groups: Vec::new(),
            attributes: BTreeMap::new(),
            client_secret: None,
        }
    }

    /// The same with an OAuth client secret.
    #[must_use]
    pub fn with_secret(self, secret: &ClientSecret) -> Self {
        Self { client_secret: Some(secret.tag.clone()), ..self }
    }
}

impl User {
    /// Makes every session but `spared` dead, durably and at once, and the API key with them: whoever was let in while
    /// he should not may have made one.
    pub(super) fn end_all_sessions(&mut self, spared: Option<Uuid>) {
        self.api_key = None;
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
    /// Makes a user. Errors: `InvalidParameter`, `InvalidPassword`, `UserExists`, `NotFound(Group)`, `Hook`,
    /// `Unavailable`.
    pub async fn create_user(&self, draft: NewUser) -> Result<User, Error> {
        let username = self.username(&draft.username)?;
        let email = draft.email.as_deref().map(EmailAddress::parse).transpose()?;
        check_attributes(&draft.attributes)?;
        let now = self.now();
        let mut user = self.blank_user(username, email)?;
        user.email_verified &= draft.email_verified;
        user.client_secret = draft.client_secret;
        user.attributes = draft.attributes;
        self.settings.password_policy.check(&draft.password, &own_names(&user))?;
        if draft.temporary {
            user.status = UserStatus::ForceChangePassword;
            user.temporary_until = Some(now.plus(self.settings.temporary_password_life()));
        }
        self.pre_create_user(&user, ForHooks::default()).await?;
        user.keep(&self.keep_password(&user.username, &draft.password).await?);
        user.groups = draft.groups;
        user.aliases = self.aliases_of(&user);
        self.write_new_user(&user).await
    }

    /// Keeps a user for whom an administrator vouches. Whoever only registered under his name or address, and proved
    /// nothing, gives way: else anybody could keep an administrator from making a user.
    pub(super) async fn write_new_user(&self, user: &User) -> Result<User, Error> {
        match self.ports.directory.create_user(user).await {
            Err(Error::UserExists) if self.make_way(user).await? => self.ports.directory.create_user(user).await,
            outcome => outcome,
        }
    }

    async fn make_way(&self, user: &User) -> Result<bool, Error> {
        let mut gone = false;
        for key in [Some(&user.username_key), user.email_key.as_ref()].into_iter().flatten() {
            gone |= self.ports.directory.delete_unconfirmed(self.id(), key).await?;
        }
        Ok(gone)
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
            aliases: None,
            password: None,
            former_passwords: Vec::new(),
            srp: None,
            mfa: None,
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
        self.rewrite_user(sub, None, apply).await
    }

    /// The same; with `former` the password is another one, and so many of those before are kept.
    pub(super) async fn rewrite_user(
        &self,
        sub: Uuid,
        former: Option<u32>,
        apply: impl Fn(&mut User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        for _ in 0..CHANGE_TRIES {
            let mut user = self.ports.directory.user(self.id(), sub).await?.ok_or(Error::UserNotFound)?;
            let username = user.username.clone();
            apply(&mut user)?;
            if user.username != username {
                // It is bound to the name; his next sign-in with the password itself makes another.
                user.srp = None;
            }
            user.aliases = self.aliases_of(&user);
            user.updated_at = self.now();
            match self.write_user(&user, former).await {
                Ok(version) => return Ok(User { version, ..user }),
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    pub(super) async fn write_user(&self, user: &User, former: Option<u32>) -> Result<i64, Error> {
        match former {
            Some(most) => self.ports.directory.replace_password(user, most).await,
            None => self.ports.directory.update_user(user).await,
        }
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

    /// Makes a user reset his password by a mailed code before the next sign-in.
    pub async fn reset_user(&self, client: &Client, name: &str) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        self.require_reset(user, Via { client: Some(&client.id), metadata: None }, Digits::Eight).await
    }

    pub(super) async fn require_reset(&self, user: User, via: Via<'_>, digits: Digits) -> Result<(), Error> {
        if user.verified_email().is_none() || self.owes_mailed_code(&user) {
            return Err(Error::NoVerifiedAddress);
        }
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
        self.send_code(self.reset_code(digits), via, user.sub, Some(&user)).await
    }
}
