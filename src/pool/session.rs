//! Sessions: open one, revoke it, and prove by an access token that one lives.

use std::time::Duration;

use uuid::Uuid;

use super::device::NewDevice;
use super::device_sign_in::NamedDevice;
use super::refresh_token::RefreshToken;
use super::token::AccessClaims;
use super::token_trigger::TokenChanges;
use super::{Client, Metadata, Pool, TokenEvent};
use crate::error::Error;
use crate::store::directory::{SessionOwner, User};
use crate::store::tokens::{Session, SessionKey};

/// On what terms tokens are given, and a refresh token taken back.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The app client.
    pub client: &'a Client,
    /// Whether a sign-in yields a refresh token; without one the session ends with its access token.
    pub refreshable: bool,
    /// Whom the refresh token is bound to besides the client; empty: nobody.
    pub bound_to: &'a str,
    /// The device that the client says it runs on.
    pub device: Option<NamedDevice<'a>>,
    /// What leads to the tokens.
    pub event: TokenEvent,
    /// What the client says for the triggers.
    pub metadata: Option<&'a Metadata>,
}

impl<'a> From<&'a Client> for Terms<'a> {
    fn from(client: &'a Client) -> Self {
        let event = TokenEvent::Authentication;
        Self { client, refreshable: true, bound_to: "", device: None, event, metadata: None }
    }
}

impl<'a> Terms<'a> {
    /// The same on a device that the client names.
    #[must_use]
    pub fn on(self, device: Option<&'a str>) -> Self {
        Self { device: device.map(NamedDevice::from), ..self }
    }

    /// The same, with what the client says for the triggers.
    #[must_use]
    pub fn telling(self, metadata: Option<&'a Metadata>) -> Self {
        Self { metadata, ..self }
    }

    fn session_life(self) -> Duration {
        if self.refreshable { self.client.refresh_token_life() } else { self.client.access_token_life() }
    }
}

/// What a sign-in or a refresh yields.
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// The id token.
    pub id_token: String,
    /// The refresh token, where the terms have one; at a refresh only where the client rotates.
    pub refresh_token: Option<String>,
    /// Life of the access token in seconds.
    pub expires_in: u64,
    /// The device that a sign-in on none that is known may become, where the pool tells them apart.
    pub new_device: Option<NewDevice>,
}

/// Who called with an access token.
pub struct Caller {
    /// The user as he is now.
    pub user: User,
    /// The session that the token belongs to.
    pub session: Session,
    /// What the token says.
    pub claims: AccessClaims,
}

impl Pool {
    /// Opens a session for a user who owes nothing more. What it may become a device by is told with its tokens.
    pub(super) async fn open_session(&self, terms: Terms<'_>, user: &User) -> Result<Tokens, Error> {
        let (tokens, session) = self.open_session_on(terms, user, None).await?;
        Ok(Tokens { new_device: self.offer_device(session), ..tokens })
    }

    /// The same on a device that has proven itself, or on none; answers also the session. The triggers come first: whom
    /// one refuses has none, and who was signed out while they were asked has one of an epoch that is over.
    pub(super) async fn open_session_on(
        &self,
        terms: Terms<'_>,
        user: &User,
        device: Option<Uuid>,
    ) -> Result<(Tokens, Uuid), Error> {
        let changes = self.token_changes(terms, user).await?;
        self.post_authentication(terms, user, device.is_none()).await?;
        self.newest_keys().await?;
        let now = self.now();
        let session = Session {
            pool: self.id().to_owned(),
            user: user.sub,
            id: self.ports.random.uuid()?,
            client: terms.client.id.clone(),
            device,
            auth_time: now,
            expires_at: now.plus(terms.session_life()),
            epoch: user.session_epoch,
            generation: 0,
            rotated_at: now,
            recovered_at: 0,
            refreshes: 0,
        };
        self.ports.tokens.open_session(&session).await?;
        let tokens = self.tokens(terms, user, &session, terms.refreshable, changes.as_ref()).await?;
        Ok((tokens, session.id))
    }

    /// The tokens of a session as it is now.
    pub(super) async fn tokens(
        &self,
        terms: Terms<'_>,
        user: &User,
        session: &Session,
        refresh: bool,
        changes: Option<&TokenChanges>,
    ) -> Result<Tokens, Error> {
        let issued = self.issue(terms.client, user, session, changes).await?;
        let refresh_token = refresh.then(|| RefreshToken::current(session).encode(&self.secrets.refresh, terms));
        Ok(Tokens {
            access_token: issued.access_token,
            id_token: issued.id_token,
            refresh_token,
            expires_in: terms.client.access_token_seconds,
            new_device: None,
        })
    }

    /// Ends the session of a refresh token, at once and for good: its access tokens with it. Ending it again succeeds.
    pub async fn revoke(&self, terms: Terms<'_>, token: &str) -> Result<(), Error> {
        let token = RefreshToken::decode(&self.secrets.refresh, terms, token).ok_or(Error::TokenInvalid)?;
        self.end_for_good(&token.key(self), self.longest_session(), "revoked").await
    }

    /// Whether this is a refresh token of one of the pool's clients.
    pub fn is_refresh_token(&self, token: &str) -> bool {
        let of = |client| RefreshToken::decode(&self.secrets.refresh, Terms::from(client), token).is_some();
        self.clients.values().any(of)
    }

    /// Ends the caller's session, at once and for good; his others go on.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Error> {
        let key = caller.session.key();
        self.end_for_good(&key, caller.session.expires_at.until(self.now()), "signed_out").await
    }

    /// Where a session's own end is not known: a session of one surface may be ended by another, whose sessions are
    /// shorter.
    pub(super) fn longest_session(&self) -> Duration {
        let clients = self.clients.values().map(Client::refresh_token_life).max().unwrap_or_default();
        clients.max(self.ports.surfaces.longest_session())
    }

    /// The Directory first: once it has the record, no lost write or old snapshot of the token store revives the
    /// session (R06, R13), and a caller who got an error can repeat the call.
    pub(super) async fn end_for_good(
        &self,
        key: &SessionKey,
        left: Duration,
        cause: &'static str,
    ) -> Result<(), Error> {
        self.ports.directory.end_session(key.id, self.now().plus(left)).await?;
        if self.ports.tokens.end_session(key).await? {
            metrics::counter!("cognate_sessions_ended_total", "cause" => cause).increment(1);
        }
        Ok(())
    }

    /// Who calls with this access token: the one check of every operation that a token opens.
    ///
    /// Errors: `TokenInvalid`, `TokenExpired`, `TokenRevoked` (its session or all of the user's were ended),
    /// `UserDisabled`, `Unavailable`.
    pub async fn authenticate(&self, access_token: &str) -> Result<Caller, Error> {
        let known = self.keys.load().version();
        let claims = self.verify_access(access_token).await?;
        let id = claims.session();
        let user = self.living_owner(claims.sub, id).await?.user;
        if self.keys.load().version() != known {
            // The key may have been dropped in an emergency since the last reading.
            self.verify_access(access_token).await?;
        }
        let key = SessionKey { pool: self.id().to_owned(), user: claims.sub, id };
        let session = self.ports.tokens.session(&key, self.now()).await?.ok_or(Error::TokenRevoked)?;
        if session.client != claims.client_id || !of_this_epoch(&user, &session) {
            return Err(Error::TokenRevoked);
        }
        self.device_lives(&session).await?;
        Ok(Caller { user, session, claims })
    }

    /// The user of a session, if he may have sessions and this one was not ended for good.
    pub(super) async fn living_owner(&self, user: Uuid, session: Uuid) -> Result<SessionOwner, Error> {
        let owner = self.ports.directory.session_owner(self.id(), user, session).await?;
        let owner = owner.ok_or(Error::TokenRevoked)?;
        if owner.session_ended {
            return Err(Error::TokenRevoked);
        }
        super::user::check_standing(&owner.user)?;
        self.follow_keys(owner.keys_version).await?;
        Ok(owner)
    }

    /// Ends what the token store still holds of a user's sessions. They are dead already, because the user's
    /// `session_epoch` has grown; this only frees the room, so a store that is down does not undo the answer.
    pub(super) async fn clear_sessions(&self, user: Uuid, spared: Option<Uuid>, cause: &'static str) {
        match self.ports.tokens.end_sessions_of(self.id(), user, spared).await {
            Ok(count) => metrics::counter!("cognate_sessions_ended_total", "cause" => cause).increment(count),
            Err(error) => {
                tracing::warn!(cause = crate::error::chain(&error), "sessions ended by epoch are not freed yet")
            }
        }
    }

    /// Ends every session of a user, durably and at once.
    pub async fn sign_out_user(&self, name: &str) -> Result<(), Error> {
        let sub = self.find_user(name).await?.sub;
        self.change_user(sub, |user| {
            user.end_all_sessions(None);
            Ok(())
        })
        .await?;
        self.clear_sessions(sub, None, "signed_out").await;
        Ok(())
    }

    /// The user's live sessions, latest sign-in first.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<Session>, Error> {
        let found = self.ports.tokens.sessions_of(self.id(), user.sub, self.now()).await?;
        Ok(found.into_iter().filter(|session| of_this_epoch(user, session)).collect())
    }
}

/// Whether the session outlived the last time that all of the user's were ended.
pub(super) fn of_this_epoch(user: &User, session: &Session) -> bool {
    session.epoch == user.session_epoch || user.spared_session == Some(session.id)
}
