//! App clients: which application speaks, how long its tokens live, and whether its refresh tokens rotate.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::document;
use super::{OAuthRules, Pool, Pools};
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
    /// When it was last changed; absent in clients that never were.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Its secrets, of which any proves it; none for a public client.
    #[serde(default)]
    pub secrets: Vec<SealedSecret>,
    /// Cognito's ExplicitAuthFlows as they were given; `None` is Cognito's default.
    #[serde(default = "native_flows")]
    pub auth_flows: Option<BTreeSet<AuthFlow>>,
    /// Answer alike whether or not a user exists; `None`: as the pool says.
    #[serde(default)]
    pub hide_user_existence: Option<bool>,
    /// Attributes that it may read; `None`: all.
    #[serde(default)]
    pub read_attributes: Option<BTreeSet<String>>,
    /// Attributes that it may write; `None`: all that are not the pool's own to write.
    #[serde(default)]
    pub write_attributes: Option<BTreeSet<String>>,
    /// Whether its refresh tokens can be revoked and its tokens name their session (Cognito's EnableTokenRevocation).
    #[serde(default = "yes")]
    pub revocation: bool,
    /// What it may do by OAuth, as itself.
    #[serde(default)]
    pub oauth: OAuthRules,
    /// Members of Cognito's UserPoolClient that are kept and answered as they were given and decide nothing here.
    #[serde(default)]
    pub described: serde_json::Map<String, serde_json::Value>,
}

/// A client secret, sealed: proofs by HMAC need it in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Names it without telling it.
    pub id: String,
    /// The secret under the pool's key for them.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A way to sign in that a client may use: Cognito's ExplicitAuthFlows in their newer and older spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuthFlow {
    /// Password in the clear, by an administrator's key.
    AllowAdminUserPasswordAuth,
    /// Challenges of the pool's own.
    AllowCustomAuth,
    /// Refreshing.
    AllowRefreshTokenAuth,
    /// The user chooses the factor.
    AllowUserAuth,
    /// Password in the clear.
    AllowUserPasswordAuth,
    /// Password by SRP.
    AllowUserSrpAuth,
    /// Older word for [`AuthFlow::AllowAdminUserPasswordAuth`].
    AdminNoSrpAuth,
    /// Older word for [`AuthFlow::AllowCustomAuth`].
    CustomAuthFlowOnly,
    /// Older word for [`AuthFlow::AllowUserPasswordAuth`].
    UserPasswordAuth,
}

impl AuthFlow {
    /// Whether it is one of the older spellings, which stand alone.
    pub const fn is_older(self) -> bool {
        matches!(self, Self::AdminNoSrpAuth | Self::CustomAuthFlowOnly | Self::UserPasswordAuth)
    }
}

/// What clients of the native API could always do.
#[expect(clippy::unnecessary_wraps, reason = "it stands for a field that may be absent")]
fn native_flows() -> Option<BTreeSet<AuthFlow>> {
    Some(BTreeSet::from([
        AuthFlow::AllowAdminUserPasswordAuth,
        AuthFlow::AllowRefreshTokenAuth,
        AuthFlow::AllowUserPasswordAuth,
        AuthFlow::AllowUserSrpAuth,
    ]))
}

const fn yes() -> bool {
    true
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
            updated_at: None,
            secrets: Vec::new(),
            auth_flows: native_flows(),
            hide_user_existence: None,
            read_attributes: None,
            write_attributes: None,
            revocation: true,
            oauth: OAuthRules::default(),
            described: serde_json::Map::new(),
        }
    }

    /// Whether it may use a flow, in its newer spelling. Older spellings leave SRP and refreshing allowed (contract
    /// cognito (c)).
    pub fn allows(&self, flow: AuthFlow) -> bool {
        let Some(flows) = &self.auth_flows else { return usual_flow(flow) };
        let older = |word: AuthFlow| flows.contains(&word);
        let any_older = flows.iter().any(|flow| flow.is_older());
        flows.contains(&flow)
            || match flow {
                AuthFlow::AllowAdminUserPasswordAuth => older(AuthFlow::AdminNoSrpAuth),
                AuthFlow::AllowCustomAuth => older(AuthFlow::CustomAuthFlowOnly),
                AuthFlow::AllowUserPasswordAuth => older(AuthFlow::UserPasswordAuth),
                AuthFlow::AllowRefreshTokenAuth | AuthFlow::AllowUserSrpAuth => any_older,
                AuthFlow::AllowUserAuth
                | AuthFlow::AdminNoSrpAuth
                | AuthFlow::CustomAuthFlowOnly
                | AuthFlow::UserPasswordAuth => false,
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
        self.oauth.check(!self.secrets.is_empty())?;
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

/// Cognito's flows of a client that names none.
fn usual_flow(flow: AuthFlow) -> bool {
    matches!(flow, AuthFlow::AllowRefreshTokenAuth | AuthFlow::AllowUserSrpAuth | AuthFlow::AllowCustomAuth)
}

impl Pools {
    /// An id for a new client.
    pub fn new_client_id(&self) -> Result<String, Error> {
        self.ports().random.text(ID_ALPHABET, ID_LENGTH)
    }

    /// The clients of a pool as they are now, also those that another replica wrote.
    pub async fn clients_of(&self, pool: &str) -> Result<Vec<Client>, Error> {
        let found = self.ports().directory.documents(document::CLIENT, pool).await?;
        found.iter().map(|found| Ok(document::parse(found)?.content)).collect()
    }

    /// Makes a client of `pool` from `draft`, whose id is given here.
    pub async fn create_client(&self, pool: &Pool, mut draft: Client) -> Result<Client, Error> {
        draft.id = self.new_client_id()?;
        self.keep_client(pool, draft).await
    }

    /// Makes a client of `pool` that has its id, a new one, already.
    pub async fn keep_client(&self, pool: &Pool, mut draft: Client) -> Result<Client, Error> {
        pool.id().clone_into(&mut draft.pool);
        draft.check()?;
        self.check_scopes(&draft.pool, &draft.oauth.scopes).await?;
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
