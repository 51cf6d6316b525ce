//! Refreshing: what a refresh token yields, and what becomes of its session when it should not have come back.

use super::refresh_token::RefreshToken;
use super::session::{Terms, Tokens, of_this_epoch};
use super::{Pool, TokenEvent};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::directory::SessionOwner;
use crate::store::tokens::{Floor, Session, SessionKey, Verdict};

impl Pool {
    /// Yields new tokens for a refresh token (contract cognito (f)). `username` is the name the caller claims, where
    /// the dialect carries one; a session of a device goes on on that device alone; `limit` is how often one session may be refreshed, 0 for ever.
    ///
    /// Errors: `TokenInvalid` (garbage, another client's, another user's, bound to another, or two behind),
    /// `TokenRevoked`, `TokenReused`, `UserDisabled` and its like, `LimitExceeded`, `Hook`, `Unavailable`.
    pub async fn refresh(
        &self,
        terms: Terms<'_>,
        username: Option<&str>,
        token: &str,
        limit: u32,
    ) -> Result<Tokens, Error> {
        let token = RefreshToken::decode(&self.secrets.refresh, terms, token).ok_or(Error::TokenInvalid)?;
        let client = terms.client;
        // The Directory is asked first: if it is down, the refresh token has not moved and the same call succeeds later.
        let mut owner = self.living_owner(token.user, token.session).await?;
        if !username.is_none_or(|name| self.names(&owner.user, name)) {
            return Err(Error::TokenInvalid);
        }
        let device = self.device_of_session(&owner.user, &token, terms.device).await?;
        // So is the trigger, each time anew: a retry in the grace window makes tokens of its own.
        let changes = self.token_changes(Terms { event: TokenEvent::RefreshTokens, ..terms }, &owner.user).await?;
        if changes.is_some() {
            // It took a while; whoever was disabled meanwhile gets nothing.
            owner = self.living_owner(token.user, token.session).await?;
        }
        let SessionOwner { user, floor, .. } = owner;
        let (key, now) = (token.key(self), self.now());
        let rule = client.refresh_rule(limit, self.floor(&token, floor, now).await?);
        let verdict = self.ports.tokens.refresh(&key, token.generation, rule, now).await?;
        let session = Session { device, ..self.judge(&key, verdict).await? };
        if !of_this_epoch(&user, &session) {
            return Err(Error::TokenRevoked);
        }
        self.tokens(terms, &user, &session, client.rotation.is_some(), changes.as_ref()).await
    }

    /// Below what the session's tokens are rotated out. That this one was presented is recorded before the token store
    /// is asked: whatever becomes of the call, that it was handed out is true, the token has not moved if the Directory
    /// does not answer, and no loss of data makes its predecessors good again.
    async fn floor(&self, token: &RefreshToken, known: Floor, now: Timestamp) -> Result<Floor, Error> {
        if token.generation <= known.generation || !self.ports.tokens.is_apart() {
            return Ok(known);
        }
        let presented = Floor { generation: token.generation, since: now };
        let until = now.plus(self.longest_session());
        let raised = self.ports.directory.raise_floor(token.session, presented, until).await?;
        // Refreshes in between that left no record (the version before made them) may have had followers: then this one
        // is good as far as the token store knows, and no further.
        let vouched = token.generation == known.generation + 1 || raised.generation > token.generation;
        Ok(if vouched { raised } else { known })
    }

    async fn judge(&self, key: &SessionKey, verdict: Verdict) -> Result<Session, Error> {
        match verdict {
            Verdict::Rotated(session) | Verdict::Kept(session) => Ok(session),
            Verdict::Retry(session) => {
                metrics::counter!("cognate_refresh_retries_total", "kind" => "in_grace").increment(1);
                Ok(session)
            }
            Verdict::Recovered(session) => {
                metrics::counter!("cognate_refresh_retries_total", "kind" => "recovered").increment(1);
                Ok(session)
            }
            Verdict::Stale => Err(Error::TokenInvalid),
            Verdict::Exhausted => Err(Error::LimitExceeded),
            Verdict::Dead | Verdict::Unknown => Err(Error::TokenRevoked),
            Verdict::Reuse => {
                self.end_for_good(key, self.longest_session(), "reuse").await?;
                Err(Error::TokenReused)
            }
        }
    }
}
