//! The first sign-in right after a registration was confirmed, without another proof: whoever confirmed it has shown
//! that the contact is his.

use std::net::IpAddr;

use super::auth::{Proven, Step};
use super::client::AuthFlow;
use super::{Client, Pool, Terms};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::Purpose;

impl Pool {
    /// A handle for the confirmation of a registration, or for the sign-in where none is needed; none where the client
    /// does not sign in by choice.
    pub async fn registration_session(&self, client: &Client, user: &User) -> Result<Option<String>, Error> {
        let confirmed = user.status == UserStatus::Confirmed;
        self.session_after(if confirmed { Purpose::AutoSignIn } else { Purpose::SignedUp }, client, user).await
    }

    /// A handle that signs a user in who was just confirmed; none where the client does not sign in by choice.
    pub async fn confirmation_session(&self, client: &Client, user: &User) -> Result<Option<String>, Error> {
        self.session_after(Purpose::AutoSignIn, client, user).await
    }

    async fn session_after(&self, purpose: Purpose, client: &Client, user: &User) -> Result<Option<String>, Error> {
        if !self.allows(client, AuthFlow::AllowUserAuth) {
            return Ok(None);
        }
        self.put_challenge(purpose, client, user).await.map(Some)
    }

    /// Refuses a handle that no registration of this name was given. One that came too late does not keep the
    /// registration from being confirmed.
    ///
    /// Errors: `ChallengeInvalid`, `Unavailable`.
    pub async fn check_registration(&self, client: &Client, username: &str, session: &str) -> Result<(), Error> {
        let kept = match self.kept(Purpose::SignedUp, session, Some(client)).await {
            Err(Error::ChallengeExpired | Error::ChallengeUsed) => return Ok(()),
            kept => kept?.1,
        };
        let user = self.ports.directory.user(self.id(), kept.user).await?;
        let named = user.is_some_and(|user| self.names(&user, username));
        if named { Ok(()) } else { Err(Error::ChallengeInvalid) }
    }

    /// Signs in who was just confirmed, once.
    ///
    /// Errors: `ChallengeInvalid` and its like, `NotFound(Device)`, `Hook`, the standings, `Unavailable`.
    pub async fn sign_in_confirmed(
        &self,
        terms: Terms<'_>,
        username: &str,
        session: &str,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let pending = self.pending(Purpose::AutoSignIn, session, Some((terms.client, username))).await?;
        self.known_device(terms, &pending.user).await?;
        self.pre_authentication(terms, (pending.user.sub, Some(&pending.user)), username, source).await?;
        self.consume(&pending).await?;
        self.next_step(Terms { metadata: None, ..terms }, &Proven(pending.user)).await
    }
}
