//! Challenges: what a user who has proven himself still owes, asked and found again by a random handle. Each kind is
//! answered in the file of its noun.

use std::sync::Arc;

use super::device_sign_in::NamedDevice;
use super::user::check_standing;
use super::{Client, Pool, Pools, Terms};
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

impl Pending {
    /// On what terms the sign-in goes on: on the device that it began on.
    pub(super) fn terms<'a>(&'a self, terms: impl Into<Terms<'a>>) -> Terms<'a> {
        let key = self.challenge.payload.as_deref().and_then(|payload| Carried::read(payload).device);
        let device = key.map(|key| NamedDevice { key, answered: Some(&self.key) });
        Terms { device, ..terms.into() }
    }
}

/// What a challenge carries on from the proofs before it.
#[derive(Default)]
pub(super) struct Carried<'a> {
    /// What the first proof stands on; none where the challenge itself says whether it is still owed.
    state: Option<&'a str>,
    /// The key of the device that the sign-in began on.
    pub(super) device: Option<&'a str>,
    /// Whether the device's proof stands for a second factor that was not asked.
    pub(super) for_factor: bool,
}

impl<'a> Carried<'a> {
    const FOR_FACTOR: &'static str = "for_factor";

    /// Lines: none of the parts has one's end in it.
    pub(super) fn read(payload: &'a str) -> Self {
        let mut lines = payload.split('\n').map(|line| Some(line).filter(|line| !line.is_empty()));
        let mut next = || lines.next().flatten();
        Self { state: next(), device: next(), for_factor: next() == Some(Self::FOR_FACTOR) }
    }

    fn write(&self) -> Option<String> {
        let for_factor = if self.for_factor { Self::FOR_FACTOR } else { "" };
        let lines = [self.state.unwrap_or_default(), self.device.unwrap_or_default(), for_factor].join("\n");
        Some(lines.trim_end().to_owned()).filter(|lines| !lines.is_empty())
    }
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
    pub(super) async fn put_challenge<'a>(
        &self,
        purpose: Purpose,
        terms: impl Into<Terms<'a>>,
        user: &User,
    ) -> Result<String, Error> {
        self.put_anew(purpose, &self.challenge_of(purpose, terms.into(), user, false)).await
    }

    /// A challenge for a user; `for_factor` as of [`Carried`].
    pub(super) fn challenge_of(&self, purpose: Purpose, terms: Terms<'_>, user: &User, for_factor: bool) -> Challenge {
        let state = (purpose != Purpose::NewPassword).then(|| self.proof_state(user));
        let device = terms.device.map(|device| device.key);
        Challenge {
            client: terms.client.id.clone(),
            user: user.sub,
            user_version: user.version,
            expires_at: self.now().plus(terms.client.auth_session_life()),
            attempts_left: ATTEMPTS,
            answer: None,
            payload: Carried { state: state.as_deref(), device, for_factor }.write(),
        }
    }

    /// What the first proof stands on: whoever knew a password that was replaced since, or was signed out, must not go
    /// on with a second factor (S23). A new password says by itself whether it is still owed.
    fn proof_state(&self, user: &User) -> String {
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

    pub(super) fn handle_key(&self, purpose: Purpose, session: &str) -> ChallengeKey {
        ChallengeKey {
            pool: self.id().to_owned(),
            purpose,
            // A dump of the store must not hold handles that work.
            subject: crypto::encode(self.secrets.handle.tag(&[session.as_bytes()])),
        }
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
        self.pending_at(self.handle_key(purpose, session), by).await
    }

    /// The same where its place is known.
    pub(super) async fn pending_at(&self, key: ChallengeKey, by: Option<(&Client, &str)>) -> Result<Pending, Error> {
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.filter(|found| by.is_none_or(|(client, _)| found.client == client.id));
        let challenge = challenge.ok_or(Error::ChallengeInvalid)?;
        let user = self.ports.directory.user(self.id(), challenge.user).await?;
        let user = user.filter(|user| by.is_none_or(|(_, name)| self.names(user, name)));
        let user = user.ok_or(Error::ChallengeInvalid)?;
        check_standing(&user)?;
        let state = challenge.payload.as_deref().and_then(|payload| Carried::read(payload).state);
        if state.is_some_and(|state| state != self.proof_state(&user)) {
            return Err(Error::ChallengeInvalid);
        }
        Ok(Pending { key, challenge, user })
    }

    /// Takes a challenge away. `ChallengeInvalid` for all but one caller.
    pub(super) async fn consume(&self, pending: &Pending) -> Result<(), Error> {
        let taken = self.ports.tokens.consume_challenge(&pending.key, self.now()).await?;
        if taken { Ok(()) } else { Err(Error::ChallengeInvalid) }
    }
}
