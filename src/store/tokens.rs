//! The TokenStore: the port behind which lives what expires (sessions, challenges, attempts), and the verdicts it
//! answers. Every verb is one atomic step; there is no get+set pair, so the race cannot be written.
//! Time is handed in; the order of refreshes comes from the generation, never from the time.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::refresh::{Floor, RefreshRule, Verdict};
use crate::clock::Timestamp;
use crate::error::Error;

/// Where a session is found. All keys of one user share a hash tag, so one script can end them all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The pool's id.
    pub pool: String,
    /// The user's sub.
    pub user: Uuid,
    /// The session's id: `origin_jti` of every token it yields.
    pub id: Uuid,
}

/// A signed-in device: one record per sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The pool's id.
    pub pool: String,
    /// The user's sub.
    pub user: Uuid,
    /// Its id.
    pub id: Uuid,
    /// The app client that signed in; no other may use it.
    pub client: String,
    /// The device that proved itself at the sign-in, which lives no longer than it.
    pub device: Option<Uuid>,
    /// When the user proved who he is.
    pub auth_time: Timestamp,
    /// Absolute, fixed at birth.
    pub expires_at: Timestamp,
    /// The user's `session_epoch` at birth.
    pub epoch: i64,
    /// Number of the refresh token that is current; 0 at birth.
    pub generation: u64,
    /// When the generation last grew or was handed out again after a lost answer; equals `auth_time` at birth.
    pub rotated_at: Timestamp,
    /// The generation that was current at the last recovery; 0 for none.
    pub recovered_at: u64,
    /// Token pairs yielded by refreshing.
    pub refreshes: u32,
}

impl Session {
    /// Where it is found.
    pub fn key(&self) -> SessionKey {
        SessionKey { pool: self.pool.clone(), user: self.user, id: self.id }
    }
}

/// What a challenge or code is for. Part of its key, so that a reset code never answers a sign-in (P07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The new password owed by a user with a temporary one; found by its random handle.
    NewPassword,
    /// A password reset by mailed code; found by the user.
    ResetPassword,
    /// A password reset by mailed link; found by the link's random handle, like all below.
    ResetLink,
    /// The proof of an address by mailed link.
    VerifyEmail,
    /// A change to a new address.
    ChangeEmail,
    /// An invitation into an organization.
    Invitation,
    /// An exchange by SRP; found by the id in its sealed block.
    Srp,
    /// The code of an authenticator application; found by its random handle, like all below.
    SoftwareToken,
    /// A second factor to be set up.
    MfaSetup,
    /// A second factor that was just set up.
    MfaReady,
    /// The confirmation of a registration by mailed code; found by the user, like the one below.
    SignUpCode,
    /// The proof of an address by mailed code.
    AddressCode,
    /// The proof of a device, owed after all others; found by its random handle.
    Device,
    /// Another way to a device's proof that is owed; found by who owes it, or by the handle before.
    DeviceWay,
}

impl Purpose {
    /// Its part of a key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewPassword => "new_password",
            Self::ResetPassword => "reset_password",
            Self::ResetLink => "reset_link",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::Invitation => "invitation",
            Self::Srp => "srp",
            Self::SoftwareToken => "software_token",
            Self::MfaSetup => "mfa_setup",
            Self::MfaReady => "mfa_ready",
            Self::SignUpCode => "sign_up_code",
            Self::AddressCode => "address_code",
            Self::Device => "device",
            Self::DeviceWay => "device_way",
        }
    }
}

/// Where a challenge is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChallengeKey {
    /// The pool's id.
    pub pool: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Within pool and purpose: a digest of the random handle, or the user's sub.
    pub subject: String,
}

/// Something owed before an action: who owes it, since when, and what answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The app client it was asked through.
    pub client: String,
    /// The user's sub (derived for names that do not exist, so that both look alike).
    pub user: Uuid,
    /// The user's version when it was asked: a change since then makes it void where that matters.
    pub user_version: i64,
    /// After this it is gone.
    pub expires_at: Timestamp,
    /// Answers still allowed.
    pub attempts_left: u32,
    /// MAC of the right answer, for codes; none where the answer is judged by the pool.
    pub answer: Option<[u8; 32]>,
    /// What the challenge is about beyond its user, sealed; none for most.
    pub payload: Option<String>,
}

/// What an answer to a challenge comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Right: the challenge is consumed.
    Right(Challenge),
    /// Wrong: one attempt less; with none left the challenge is deleted.
    Wrong,
    /// No such challenge: never asked, consumed, exhausted or expired.
    Unknown,
}

/// A throttle: `free` attempts pass, then each further one locks the subject for `lock`, doubling up to `lock_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Attempts after which the first lock begins: the `free`-th attempt still passes and locks.
    pub free: u32,
    /// The first lock.
    pub lock: Duration,
    /// The longest lock, and the time after the last attempt at which the count starts again.
    pub lock_max: Duration,
}

impl Throttle {
    /// The lock that the `count`-th attempt begins; zero while attempts are free.
    pub fn lock_after(&self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(doublings) => self.lock.saturating_mul(2_u32.saturating_pow(doublings.min(31))).min(self.lock_max),
        }
    }
}

/// Whether an attempt may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It was counted; go on.
    Allowed,
    /// Locked until then; it was not counted.
    Locked(Timestamp),
}

/// What expires. A store that is down, slow or full answers [`Error::Unavailable`]: an error, never a verdict.
/// Records vanish by themselves after their expiry; the logic never depends on when.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// Whether this is another store than the Directory: then it may lose what the Directory still knows (R06, R13).
    fn is_apart(&self) -> bool;

    /// Answers when the store can be written and is configured not to lose records (R10), with the time of its clock if
    /// it has one of its own; `Unavailable` says why not.
    async fn ping(&self) -> Result<Option<Timestamp>, Error>;

    /// Keeps a new session.
    async fn open_session(&self, session: &Session) -> Result<(), Error>;
    /// The session, if it is alive at `now`.
    async fn session(&self, key: &SessionKey, now: Timestamp) -> Result<Option<Session>, Error>;
    /// Presents a refresh token of generation `presented`; see [`Verdict`].
    async fn refresh(
        &self,
        key: &SessionKey,
        presented: u64,
        rule: RefreshRule,
        now: Timestamp,
    ) -> Result<Verdict, Error>;
    /// Ends a session; false when there was none. Works also when the store is full.
    async fn end_session(&self, key: &SessionKey) -> Result<bool, Error>;
    /// Ends all sessions of a user but `spared`; answers how many. Works also when the store is full.
    async fn end_sessions_of(&self, pool: &str, user: Uuid, spared: Option<Uuid>) -> Result<u64, Error>;
    /// The user's sessions alive at `now`, latest sign-in first.
    async fn sessions_of(&self, pool: &str, user: Uuid, now: Timestamp) -> Result<Vec<Session>, Error>;

    /// Keeps a challenge; an older one under the same key is replaced.
    async fn put_challenge(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<(), Error>;
    /// Counts an attempt and answers the challenge as it is then, without judging; `None` when there is none alive
    /// or its attempts were used up (then it is deleted).
    async fn attempt_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<Option<Challenge>, Error>;
    /// Counts an attempt, compares in constant time, and consumes if right: one step, one winner.
    async fn answer_challenge(&self, key: &ChallengeKey, answer: &[u8; 32], now: Timestamp) -> Result<Answer, Error>;
    /// Takes a challenge away; true for exactly one caller, and only while it is alive.
    async fn consume_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<bool, Error>;

    /// Counts an attempt on `subject` before anything is compared; see [`Throttle`].
    async fn count_attempt(&self, subject: &str, throttle: &Throttle, now: Timestamp) -> Result<Attempt, Error>;
    /// Forgets the attempts on `subject`. Works also when the store is full.
    async fn clear_attempts(&self, subject: &str) -> Result<(), Error>;
    /// Takes one attempt on `subject` back (it turned out right); a lock that it began ends.
    async fn forgive_attempt(&self, subject: &str, throttle: &Throttle, now: Timestamp) -> Result<(), Error>;

    /// Deletes what has expired, where the store does not do so by itself; answers how many records.
    async fn purge(&self, now: Timestamp) -> Result<u64, Error>;
}
