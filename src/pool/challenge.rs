//! Challenges: what a user who has proven himself still owes, asked and found again by a random handle. Each kind is
//! answered in the file of its noun.

use std::sync::Arc;

use super::device_sign_in::NamedDevice;
use super::user::check_standing;
use super::{Client, Pool, Pools, Terms};
use crate::clock::Timestamp;
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
    pub(super) state: Option<&'a str>,
    /// The key of the device that the sign-in began on.
    pub(super) device: Option<&'a str>,
    /// Whether the device's proof stands for a second factor that was not asked.
    pub(super) for_factor: bool,
    /// The address that is to become the user's, sealed.
    pub(super) address: Option<&'a str>,
}

impl<'a> Carried<'a> {
    const FOR_FACTOR: &'static str = "for_factor";

    /// Lines: none of the parts has one's end in it.
    pub(super) fn read(payload: &'a str) -> Self {
        let mut lines = payload.split('\n').map(|line| Some(line).filter(|line| !line.is_empty()));
        let mut next = || lines.next().flatten();
        Self { state: next(), device: next(), for_factor: next() == Some(Self::FOR_FACTOR), address: next() }
    }

    pub(super) fn write(&self) -> Option<String> {
        let for_factor = self.for_factor.then_some(Self::FOR_FACTOR);
        let lines = [self.state, self.device, for_factor, self.address].map(Option::unwrap_or_default).join("\n");
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
            payload: Carried { state: state.as_deref(), device, for_factor, address: None }.write(),
        }
    }

    /// What the first proof stands on: whoever knew a password that was replaced since, or was signed out, must not go
    /// on with a second factor (S23). A new password says by itself whether it is still owed.
    pub(super) fn proof_state(&self, user: &User) -> String {
        format!("{}.{}", user.session_epoch, self.password_state(Some(user)))
    }

    /// Keeps a challenge under a handle of its own. That of a second factor names the pool, because nothing else in
    /// Cognito's AssociateSoftwareToken does.
    pub(super) async fn put_anew(&self, purpose: Purpose, challenge: &Challenge) -> Result<String, Error> {
        let handle = Handle::new(self, purpose, challenge.expires_at)?;
        let handle = if purpose == Purpose::NewPassword { handle } else { format!("{handle}.{}", self.id()) };
        self.ports.tokens.put_challenge(&self.handle_key(purpose, &handle), challenge).await?;
        Ok(handle)
    }

    /// The step after one that was taken, for the same user and client and no longer than it.
    pub(super) async fn follow_with(&self, purpose: Purpose, pending: Pending) -> Result<String, Error> {
        self.consume(&pending).await?;
        self.put_anew(purpose, &Challenge { attempts_left: ATTEMPTS, ..pending.challenge }).await
    }

    /// Which of these purposes a handle was made for. `ChallengeInvalid` when none.
    pub(super) fn purpose_of(&self, session: &str, purposes: &[Purpose]) -> Result<Purpose, Error> {
        let made_for = |purpose: &&Purpose| Handle::read(self, **purpose, session).is_some();
        purposes.iter().find(made_for).copied().ok_or(Error::ChallengeInvalid)
    }

    pub(super) fn handle_key(&self, purpose: Purpose, session: &str) -> ChallengeKey {
        ChallengeKey {
            pool: self.id().to_owned(),
            purpose,
            // A dump of the store must not hold handles that work.
            subject: crypto::encode(self.secrets.handle.tag(&[session.as_bytes()])),
        }
    }

    /// Counts an attempt on the challenge of a handle, which stays alive, whoever owes it.
    ///
    /// Errors: `ChallengeInvalid` and its like, `Unavailable`.
    pub(super) async fn kept(
        &self,
        purpose: Purpose,
        session: &str,
        client: Option<&Client>,
    ) -> Result<(ChallengeKey, Challenge), Error> {
        let key = self.handle_key(purpose, session);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.ok_or_else(|| self.why_gone(purpose, session))?;
        let own = client.is_none_or(|client| challenge.client == client.id);
        if own { Ok((key, challenge)) } else { Err(Error::ChallengeInvalid) }
    }

    /// Why there is no challenge of a handle: it says itself what it was and how long, so that nothing has to be kept
    /// of one that is over.
    fn why_gone(&self, purpose: Purpose, session: &str) -> Error {
        match Handle::read(self, purpose, session) {
            None => Error::ChallengeInvalid,
            Some(handle) if handle.until <= self.now() => Error::ChallengeExpired,
            Some(_) => Error::ChallengeUsed,
        }
    }

    /// The challenge of a handle, which stays alive, and who owes it. `by` is the client that answers and whom it says
    /// the user is, where the dialect carries that.
    ///
    /// Errors: `ChallengeInvalid` and its like, the standings, `Unavailable`.
    pub(super) async fn pending(
        &self,
        purpose: Purpose,
        session: &str,
        by: Option<(&Client, &str)>,
    ) -> Result<Pending, Error> {
        let (key, challenge) = self.kept(purpose, session, by.map(|(client, _)| client)).await?;
        self.owed_by(key, challenge, by).await
    }

    /// The same where its place is known.
    pub(super) async fn pending_at(&self, key: ChallengeKey, by: Option<(&Client, &str)>) -> Result<Pending, Error> {
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.filter(|found| by.is_none_or(|(client, _)| found.client == client.id));
        self.owed_by(key, challenge.ok_or(Error::ChallengeInvalid)?, by).await
    }

    async fn owed_by(
        &self,
        key: ChallengeKey,
        challenge: Challenge,
        by: Option<(&Client, &str)>,
    ) -> Result<Pending, Error> {
        let user = self.ports.directory.user(self.id(), challenge.user).await?;
        let user = user.filter(|user| by.is_none_or(|(_, name)| self.names(user, name)));
        let user = user.ok_or(Error::ChallengeInvalid)?;
        check_standing(&user)?;
        if !self.stands(&challenge, &user) {
            return Err(Error::ChallengeInvalid);
        }
        Ok(Pending { key, challenge, user })
    }

    /// Whether what the first proof of a challenge stood on is still so.
    pub(super) fn stands(&self, challenge: &Challenge, user: &User) -> bool {
        let state = challenge.payload.as_deref().and_then(|payload| Carried::read(payload).state);
        state.is_none_or(|state| state == self.proof_state(user))
    }

    /// Takes a challenge away. `ChallengeUsed` for all but one caller.
    pub(super) async fn consume(&self, pending: &Pending) -> Result<(), Error> {
        self.consume_key(&pending.key).await
    }

    pub(super) async fn consume_key(&self, key: &ChallengeKey) -> Result<(), Error> {
        let taken = self.ports.tokens.consume_challenge(key, self.now()).await?;
        if taken { Ok(()) } else { Err(Error::ChallengeUsed) }
    }
}

/// What a handle says of itself: random bits, how long it works, and the tag that makes it ours and of one purpose.
struct Handle {
    until: Timestamp,
}

impl Handle {
    const RANDOM: usize = 32;
    const UNTIL: usize = 8;
    const TAG: usize = 16;

    #[expect(clippy::new_ret_no_self, reason = "it is only ever passed on in writing")]
    fn new(pool: &Pool, purpose: Purpose, until: Timestamp) -> Result<String, Error> {
        let mut written = pool.ports.random.bytes::<{ Self::RANDOM }>()?.to_vec();
        written.extend(until.0.to_be_bytes());
        let tag = Self::tag(pool, purpose, &written);
        written.extend(tag);
        Ok(crypto::encode(written))
    }

    fn read(pool: &Pool, purpose: Purpose, session: &str) -> Option<Self> {
        let (handle, of) = session.split_once('.').unwrap_or((session, pool.id()));
        let written = crypto::decode(handle).filter(|_| of == pool.id())?;
        let (random, rest) = written.split_first_chunk::<{ Self::RANDOM }>()?;
        let (until, tag) = rest.split_first_chunk::<{ Self::UNTIL }>()?;
        let right = Self::tag(pool, purpose, &[random.as_slice(), until].concat());
        crypto::same(&right, tag).then_some(Self { until: Timestamp(i64::from_be_bytes(*until)) })
    }

    fn tag(pool: &Pool, purpose: Purpose, body: &[u8]) -> Vec<u8> {
        let tag = pool.secrets.handle.tag(&[purpose.as_str().as_bytes(), body]);
        tag.into_iter().take(Self::TAG).collect()
    }
}
