//! UserMigration: somebody who is a user elsewhere until now becomes one here when he signs in with his password or has
//! forgotten it.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::alias::NameKeys;
use super::attribute::{Life, NamedValues, Party};
use super::auth::Login;
use super::trigger::{Metadata, Occasion, Trigger};
use super::{Pool, Terms};
use crate::error::{Cause, Error, HookFault, Rule};
use crate::store::directory::{User, UserStatus};

/// What the other side knows of him.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Migrated {
    user_attributes: Metadata,
    final_user_status: FinalStatus,
    force_alias_creation: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FinalStatus {
    Confirmed,
    #[default]
    ResetRequired,
}

/// A password that somebody said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// Not judged yet.
    Open,
    /// Judged wrong elsewhere, and counted.
    Counted,
}

impl Pool {
    /// Whom a name means that meant nobody: whoever the trigger vouches for is made a user, all at once. A refusal leaves
    /// everything as it is, also for the caller's eyes. Of two who ask at once the second finds what the first made.
    ///
    /// Errors: `Hook` (away, or it says nonsense: then nobody knows who he is), `Unavailable`.
    pub(super) async fn migrate(&self, terms: Terms<'_>, login: Login, name: &str) -> Result<Login, Error> {
        if !self.may_migrate(&login, name) {
            return Ok(login);
        }
        match self.ask_migration(terms, name, None).await? {
            Some(migrated) => self.take_over(migrated, name, None).await,
            None => Ok(login),
        }
    }

    /// The same of somebody who says his password. A guess that the other side judged wrong is counted already: before it
    /// was judged, so that many at once are no more guesses than one after the other (K12).
    ///
    /// Errors: `TooManyRequests` too.
    pub(super) async fn migrate_by_password(
        &self,
        terms: Terms<'_>,
        login: Login,
        name: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<(Login, Guess), Error> {
        if !self.may_migrate(&login, name) {
            return Ok((login, Guess::Open));
        }
        self.count_part(login.account, source).await?;
        let migrated = match self.ask_migration(terms, name, Some(password)).await {
            Ok(None) => return Ok((login, Guess::Counted)),
            Ok(Some(migrated)) => Ok(migrated),
            Err(error) => Err(error),
        };
        self.forgive_part(login.account, source).await?;
        Ok((self.take_over(migrated?, name, Some(password)).await?, Guess::Open))
    }

    /// A proof of a password, which takes its time also where it can only fail.
    pub(super) async fn attempt_guess(
        &self,
        guess: Guess,
        account: Uuid,
        source: IpAddr,
        proof: impl Future<Output = Result<User, Error>>,
    ) -> Result<User, Error> {
        match guess {
            Guess::Open => self.attempt(account, source, proof).await,
            Guess::Counted => proof.await,
        }
    }

    fn may_migrate(&self, login: &Login, name: &str) -> bool {
        let NameKeys { username, alias } = self.name_keys(name);
        login.user.is_none() && (username.is_some() || alias.is_some()) && self.has_trigger(Trigger::UserMigration)
    }

    async fn take_over(&self, migrated: Migrated, name: &str, password: Option<&str>) -> Result<Login, Error> {
        let take_alias = migrated.force_alias_creation;
        let mut user = self.migrated(name, migrated, password.is_some()).map_err(nonsense)?;
        if let Some(password) = password {
            // Right by the other side's word, whatever this pool asks of new ones.
            user.keep(&self.keep_password(&user.username, password).await?);
        }
        match self.create_or_take(&user, take_alias).await {
            Ok(user) => tracing::info!(pool = self.id(), user = %user.sub, "a user was migrated"),
            Err(Error::UserExists | Error::Rule(Rule::AliasTaken(_))) => {}
            Err(error) => return Err(error),
        }
        self.find_login(name).await
    }

    async fn ask_migration(
        &self,
        terms: Terms<'_>,
        name: &str,
        password: Option<&str>,
    ) -> Result<Option<Migrated>, Error> {
        let (source, request) = match password {
            Some(password) => (
                "UserMigration_Authentication",
                json!({ "password": password, "validationData": terms.metadata, "clientMetadata": null }),
            ),
            None => (
                "UserMigration_ForgotPassword",
                json!({ "password": null, "validationData": null, "clientMetadata": terms.metadata }),
            ),
        };
        let response = json!({
            "userAttributes": null, "forceAliasCreation": null, "finalUserStatus": null, "messageAction": null,
            "desiredDeliveryMediums": null, "enableSMSMFA": null
        });
        let client = Some(terms.client.id.as_str());
        let occasion = Occasion { source, client, username: name, user: None, request, response };
        match self.trigger(Trigger::UserMigration, occasion).await {
            Err(Error::Hook(HookFault::Refused(..))) => Ok(None),
            asked => asked,
        }
    }

    /// The user as he will be here. Without a password of his he has to choose one.
    fn migrated(&self, name: &str, migrated: Migrated, proven: bool) -> Result<User, Error> {
        let Migrated { user_attributes: mut attributes, final_user_status, .. } = migrated;
        let username = attributes.remove("username").unwrap_or_else(|| name.to_owned());
        let mut user = self.named_user(&username)?;
        let named = (user.email.clone(), user.phone.clone());
        let attributes: NamedValues = attributes.into_iter().collect();
        if attributes.is_empty() {
            return Err(Error::invalid("userAttributes", "must not be empty"));
        }
        self.write_attributes(&mut user, Party::Administrator, Life::New, &attributes)?;
        self.check_called(&user, &named)?;
        self.check_required(&user)?;
        let confirmed = proven && final_user_status == FinalStatus::Confirmed;
        user.status = if confirmed { UserStatus::Confirmed } else { UserStatus::ResetRequired };
        user.aliases = self.aliases_of(&user);
        if self.names(&user, name) { Ok(user) } else { Err(Error::invalid("userAttributes", "are another user's")) }
    }
}

/// The hook's fault, not the caller's.
fn nonsense(error: Error) -> Error {
    HookFault::Malformed(Trigger::UserMigration.name(), Cause::from(error)).into()
}
