//! UserMigration: somebody who is a user elsewhere until now becomes one here when he signs in with his password or has
//! forgotten it.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::json;

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

impl Pool {
    /// Whom a name means that meant nobody: whoever the trigger vouches for is made a user, all at once. A refusal leaves
    /// everything as it is, also for the caller's eyes. Of two who ask at once the second finds what the first made.
    ///
    /// Errors: `TooManyRequests`, `Hook` (away, or it says nonsense: then nobody knows who he is), `Unavailable`.
    pub(super) async fn migrate(
        &self,
        terms: Terms<'_>,
        login: Login,
        name: &str,
        password: Option<&str>,
        source: IpAddr,
    ) -> Result<Login, Error> {
        let NameKeys { username, alias } = self.name_keys(name);
        let may_be = username.is_some() || alias.is_some();
        if login.user.is_some() || !may_be || !self.has_trigger(Trigger::UserMigration) {
            return Ok(login);
        }
        // Counted while the other side judges, so that many at once are no more guesses than one after the other (K12).
        if password.is_some() {
            self.count_part(login.account, source).await?;
        }
        let asked = self.ask_migration(terms, name, password).await;
        if password.is_some() {
            self.forgive_part(login.account, source).await?;
        }
        let Some(migrated) = asked? else { return Ok(login) };
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
