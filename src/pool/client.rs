//! App clients: which application speaks, how long its tokens live, and whether its refresh tokens rotate.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::document;
use super::{Pool, Pools};
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::store::tokens::{Floor, RefreshRule};

pub(super) const ID_ALPHABET: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
pub(super) const ID_LENGTH: usize = 26;
const DAY: u64 = 24 * 3600;
/// Cognito says a day; the web client of the pm415 API keeps its token a week and has no other.
const LONGEST_ACCESS_TOKEN: u64 = 7 * DAY;

/// Rotation of refresh tokens (Cognito's RefreshTokenRotation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// How long the immediate predecessor still yields the same successor, 0 to 60 seconds.
    pub grace_seconds: u64,
}

/// An app client, the document of kind `client`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// 26 digits and lower-case letters.
    pub id: String,
    /// The pool's id.
    pub pool: String,
    /// For people.
    pub name: String,
    /// Life of an access token, 300 s to seven days.
    pub access_token_seconds: u64,
    /// Life of an id token, 300 s to one day.
    pub id_token_seconds: u64,
    /// Life of a session, one hour to ten years; refreshing never extends it.
    pub refresh_token_seconds: u64,
    /// Time to answer a challenge, 180 to 900 s.
    pub auth_session_seconds: u64,
    /// Rotation; none by default, because the SDKs of the native API keep their first refresh token.
    pub rotation: Option<Rotation>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Client {
    /// A client with the native API's defaults: tokens for a day, sessions for 90 days, no rotation.
    pub fn new(id: String, pool: String, name: String, now: Timestamp) -> Self {
        Self {
            id,
            pool,
            name,
            access_token_seconds: DAY,
            id_token_seconds: DAY,
            refresh_token_seconds: 90 * DAY,
            auth_session_seconds: 900,
            rotation: None,
            created_at: now,
        }
    }

    /// Whether every value is in its range.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name: &'static str, value: u64, least: u64, most: u64| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid(name, format!("must be {least} to {most} seconds")))
            }
        };
        if self.name.is_empty() || self.name.chars().count() > 128 || self.name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "must be 1 to 128 characters"));
        }
        within("access token life", self.access_token_seconds, 300, LONGEST_ACCESS_TOKEN)?;
        within("id token life", self.id_token_seconds, 300, DAY)?;
        within("refresh token life", self.refresh_token_seconds, 3600, 3650 * DAY)?;
        within("auth session life", self.auth_session_seconds, 180, 900)?;
        if self.refresh_token_seconds < self.access_token_seconds.max(self.id_token_seconds) {
            return Err(Error::invalid("refresh token life", "must not be shorter than that of access and id tokens"));
        }
        self.rotation.map_or(Ok(()), |rotation| within("grace", rotation.grace_seconds, 0, 60))
    }

    pub(super) fn access_token_life(&self) -> Duration {
        Duration::from_secs(self.access_token_seconds)
    }

    pub(super) fn refresh_token_life(&self) -> Duration {
        Duration::from_secs(self.refresh_token_seconds)
    }

    pub(super) fn auth_session_life(&self) -> Duration {
        Duration::from_secs(self.auth_session_seconds)
    }

    /// The rule its refresh tokens follow; `limit` is the surface's, `floor` the session's.
    pub(super) fn refresh_rule(&self, limit: u32, floor: Floor) -> RefreshRule {
        RefreshRule {
            rotate: self.rotation.is_some(),
            grace: Duration::from_secs(self.rotation.map_or(0, |rotation| rotation.grace_seconds)),
            limit,
            floor,
        }
    }
}

impl Pools {
    pub(super) fn new_client_id(&self) -> Result<String, Error> {
        self.ports().random.text(ID_ALPHABET, ID_LENGTH)
    }

    /// Makes a client of `pool` from `draft`, whose id is given here.
    pub async fn create_client(&self, pool: &Pool, mut draft: Client) -> Result<Client, Error> {
        draft.id = self.new_client_id()?;
        pool.id().clone_into(&mut draft.pool);
        draft.check()?;
        if !document::create(&*self.ports().directory, document::CLIENT, &draft.id, &draft.pool, &draft).await? {
            return Err(Error::Exists(Kind::Client));
        }
        Ok(draft)
    }

    /// Changes a client of `pool`.
    pub async fn update_client(
        &self,
        pool: &Pool,
        id: &str,
        change: impl Fn(&mut Client) + Send + Sync,
    ) -> Result<Client, Error> {
        document::change(&*self.ports().directory, document::CLIENT, id, Kind::Client, |client: &mut Client| {
            if client.pool != pool.id() {
                return Err(Error::NotFound(Kind::Client));
            }
            change(client);
            client.check()
        })
        .await
    }

    /// Deletes a client of `pool`; its refresh tokens are dead with it.
    pub async fn delete_client(&self, pool: &Pool, id: &str) -> Result<(), Error> {
        pool.client(id)?;
        if self.ports().directory.delete_document(document::CLIENT, id).await? {
            Ok(())
        } else {
            Err(Error::NotFound(Kind::Client))
        }
    }
}
