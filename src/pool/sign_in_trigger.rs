//! The triggers around a sign-in: PreAuthentication, which may refuse it, and PostAuthentication, which is told of it and
//! may refuse it still.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::trigger::{Occasion, Trigger};
use super::{Pool, Terms};
use crate::error::{Error, HookFault};
use crate::store::directory::User;

impl Pool {
    /// Asks whether a sign-in may go on, before the password is looked at. Where existence is hidden it is asked about a
    /// name that means nobody, too, who is told apart by nothing else. A refusal counts for the source, as a wrong
    /// password does; not for the account, whose owner may try again once he is let in.
    ///
    /// Errors: `TooManyRequests`, `Hook`, `Unavailable`.
    pub(super) async fn pre_authentication(
        &self,
        terms: Terms<'_>,
        (account, user): (Uuid, Option<&User>),
        name: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        if self.asks_before(terms, user) {
            self.may_attempt(account, source).await?;
        }
        self.pre_authentication_counted(terms, user, name, source).await
    }

    fn asks_before(&self, terms: Terms<'_>, user: Option<&User>) -> bool {
        self.has_trigger(Trigger::PreAuthentication) && (user.is_some() || self.hides_existence(terms.client))
    }

    /// The same of a sign-in that is counted already, and may itself be what locks the name.
    pub(super) async fn pre_authentication_counted(
        &self,
        terms: Terms<'_>,
        user: Option<&User>,
        name: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        if !self.asks_before(terms, user) {
            return Ok(());
        }
        let hides = self.hides_existence(terms.client);
        let occasion = Occasion {
            source: "PreAuthentication_Authentication",
            client: Some(&terms.client.id),
            username: user.map_or(name, |user| &user.username),
            user,
            request: json!({ "validationData": terms.metadata, "userNotFound": hides.then_some(user.is_none()) }),
            response: json!({}),
        };
        let asked = self.trigger::<Map<String, Value>>(Trigger::PreAuthentication, occasion).await;
        if let Err(Error::Hook(HookFault::Refused(..))) = &asked {
            self.count_source(source).await?;
        }
        asked.map(drop)
    }

    /// Tells of a sign-in that owes nothing more, before its session is opened; whether on none of the user's devices
    /// only where the pool tells them apart. Errors: `Hook`.
    pub(super) async fn post_authentication(
        &self,
        terms: Terms<'_>,
        user: &User,
        on_no_device: bool,
    ) -> Result<(), Error> {
        let new_device = on_no_device && self.settings.devices.is_some();
        let occasion = Occasion {
            source: "PostAuthentication_Authentication",
            client: Some(&terms.client.id),
            username: &user.username,
            user: Some(user),
            request: json!({ "newDeviceUsed": new_device, "clientMetadata": terms.metadata }),
            response: json!({}),
        };
        self.trigger::<Map<String, Value>>(Trigger::PostAuthentication, occasion).await.map(drop)
    }
}
