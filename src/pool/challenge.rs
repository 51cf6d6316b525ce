//! Challenges: what a user who has proven himself still owes, asked and found again by a random handle. Each kind is
//! answered in the file of its noun.

use std::sync::Arc;

use super::user::check_standing;
use super::{Client, Pool, Pools};
use crate::crypto;
use crate::error::{Error, Kind};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// The handle is 256 random bits, so whoever has it is the user, and wrong answers are mistakes: he may try many
/// passwords against the policy before he has to sign in again. Wrong codes are counted apart.
const ATTEMPTS: u32 = 100;

/// A challenge as a dialect passes it on.
pub struct Asked {
    /// Cognito's name of it.
    pub name: &'static str,
    /// The handle that the answer must bring back.
    pub session: String,
    /// What else the client is told.
    pub parameters: Vec<(&'static str, String)>,
}

/// A challenge that was found alive, and who owes it.
pub(super) struct Pending {
    pub(super) key: ChallengeKey,
    pub(super) challenge: Challenge,
    pub(super) user: User,
}

impl Pools {
    /// The pool of a second factor's challenge. Errors: `ChallengeInvalid`, `Unavailable`.
    pub fn of_challenge(&self, session: &str) -> Result<Arc<Pool>, Error> {
        let (_, pool) = session.split_once('.').ok_or(Error::ChallengeInvalid)?;
        match self.find(pool) {
            Err(Error::NotFound(Kind::Pool)) => Err(Error::ChallengeInvalid),
            found => found,
        }
    }
}

impl Pool {
    /// Keeps a challenge for a user; answers its handle.
    pub(super) async fn put_challenge(&self, purpose: Purpose, client: &Client, user: &User) -> Result<String, Error> {
        let challenge = Challenge {
            client: client.id.clone(),
            user: user.sub,
            user_version: user.version,
            expires_at: self.now().plus(client.auth_session_life()),
            attempts_left: ATTEMPTS,
            answer: None,
            payload: (purpose != Purpose::NewPassword).then(|| self.proof_state(user)),
        };
        self.put_anew(purpose, &challenge).await
    }

    /// What the first proof stands on: whoever knew a password that was replaced since, or was signed out, must not go
    /// on with a second factor (S23). A new password says by itself whether it is still owed.
    pub(super) fn proof_state(&self, user: &User) -> String {
        format!("{}.{}", user.session_epoch, self.password_state(Some(user)))
    }

    /// Keeps a challenge under a handle of its own. That of a second factor names the pool, because nothing else in
    /// Cognito's AssociateSoftwareToken does.
    pub(super) async fn put_anew(&self, purpose: Purpose, challenge: &Challenge) -> Result<String, Error> {
        let handle = crypto::encode(self.ports.random.bytes::<32>()?);
        let handle = if purpose == Purpose::NewPassword { handle } else { format!("{handle}.{}", self.id()) };
        self.ports.tokens.put_challenge(&self.handle_key(purpose, &handle), challenge).await?;
        Ok(handle)
    }

    /// The step after one that was taken, for the same user and client and no longer than it.
    pub(super) async fn follow_with(&self, purpose: Purpose, pending: Pending) -> Result<String, Error> {
        self.consume(&pending).await?;
        self.put_anew(purpose, &Challenge { attempts_left: ATTEMPTS, ..pending.challenge }).await
    }

    fn handle_key(&self, purpose: Purpose, session: &str) -> ChallengeKey {
        ChallengeKey {
            pool: self.id().to_owned(),
            purpose,
            // A dump of the store must not hold handles that work.
            subject: crypto::encode(self.secrets.handle.tag(&[session.as_bytes()])),
        }
    }

    /// Counts an attempt on the challenge of a handle, which stays alive, whoever owes it.
    ///
    /// Errors: `ChallengeInvalid`, `Unavailable`.
    pub(super) async fn kept(
        &self,
        purpose: Purpose,
        session: &str,
        client: Option<&Client>,
    ) -> Result<(ChallengeKey, Challenge), Error> {
        let key = self.handle_key(purpose, session);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.filter(|found| client.is_none_or(|client| found.client == client.id));
        Ok((key, challenge.ok_or(Error::ChallengeInvalid)?))
    }

    /// The challenge of a handle, which stays alive. `by` is the client that answers and whom it says the user is,
    /// where the dialect carries that.
    ///
    /// Errors: `ChallengeInvalid`, the standings, `Unavailable`.
    pub(super) async fn pending(
        &self,
        purpose: Purpose,
        session: &str,
        by: Option<(&Client, &str)>,
    ) -> Result<Pending, Error> {
        let (key, challenge) = self.kept(purpose, session, by.map(|(client, _)| client)).await?;
        let user = self.ports.directory.user(self.id(), challenge.user).await?;
        let user = user.filter(|user| by.is_none_or(|(_, name)| self.names(user, name)));
        let user = user.ok_or(Error::ChallengeInvalid)?;
        check_standing(&user)?;
        if challenge.payload.as_ref().is_some_and(|state| *state != self.proof_state(&user)) {
            return Err(Error::ChallengeInvalid);
        }
        Ok(Pending { key, challenge, user })
    }

    /// Takes a challenge away. `ChallengeInvalid` for all but one caller.
    pub(super) async fn consume(&self, pending: &Pending) -> Result<(), Error> {
        self.consume_key(&pending.key).await
    }

    pub(super) async fn consume_key(&self, key: &ChallengeKey) -> Result<(), Error> {
        let taken = self.ports.tokens.consume_challenge(key, self.now()).await?;
        if taken { Ok(()) } else { Err(Error::ChallengeInvalid) }
    }
}
