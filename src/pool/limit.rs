//! Throttling: every attempt to prove a password is counted before it is judged, per account (also one that does not
//! exist) and per source address, whatever way it comes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::Pool;
use super::name::EmailAddress;
use crate::crypto;
use crate::error::Error;
use crate::store::tokens::{Attempt, Throttle};

const STRIPES: usize = 1024;
/// For each mail that one account may be sent, how many people one user may invite.
const INVITATIONS_A_MAIL: u32 = 10;
/// For each text message that one number gets before it is throttled, how many it gets however many were answered.
const TEXTS_IN_ALL: u32 = 10;
/// Where a program calls from that is trusted and acts for many: were its address counted, anybody could keep all of them
/// out by guessing through it.
pub const ON_BEHALF: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const LONGEST_TURN_WAIT: Duration = Duration::from_secs(5);

/// Who asks for a text message. Each is counted apart: who asks in a user's name keeps neither him from his second factor
/// nor an administrator from his work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// Whoever knows a name or types a number.
    Anybody,
    /// Who has proven the first factor.
    SecondFactor,
    /// An administrator.
    Administrator,
}

impl Asker {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::SecondFactor => "second factor",
            Self::Administrator => "administrator",
        }
    }
}

/// Attempts on one account are judged one after the other: right passwords sent at once all succeed instead of
/// locking each other out while they are counted but not yet judged.
pub struct Turns(Vec<Mutex<()>>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }
}

impl Turns {
    async fn take(&self, subject: &str) -> Result<Option<MutexGuard<'_, ()>>, Error> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or(0);
        let Some(turn) = self.0.get(stripe) else { return Ok(None) };
        match tokio::time::timeout(LONGEST_TURN_WAIT, turn.lock()).await {
            Ok(guard) => Ok(Some(guard)),
            Err(_) => Err(Error::TooManyRequests { retry_after: Duration::from_secs(1) }),
        }
    }
}

impl Pool {
    /// Runs one proof of a password: waits for the account's turn, counts, judges, and takes the count back when the
    /// proof was right or nothing was judged (a store or the hash queue was not available).
    pub(super) async fn attempt<T>(
        &self,
        account: Uuid,
        source: IpAddr,
        proof: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let account = self.account_subject(account);
        let _turn = self.ports.turns.take(&account).await?;
        self.count_source(source).await?;
        if let Err(locked) = self.count(&account, &self.account_throttle()).await {
            metrics::counter!("cognate_throttled_total", "subject" => "account").increment(1);
            return Err(locked);
        }
        let outcome = proof.await;
        let (now, tokens) = (self.now(), &self.ports.tokens);
        match &outcome {
            Ok(_) => {
                tokens.clear_attempts(&account).await?;
                self.forgive_source(source).await?;
            }
            Err(Error::Unavailable { .. } | Error::Internal(_)) => {
                // Best effort: the answer is an error already, and a store that is down keeps its counts.
                let _ = tokens.forgive_attempt(&account, &self.account_throttle(), now).await;
                let _ = self.forgive_source(source).await;
            }
            Err(_) => {}
        }
        outcome
    }

    /// Whether a proof may begin, without counting it. Errors: `TooManyRequests`, `Unavailable`.
    pub(super) async fn may_attempt(&self, account: Uuid, source: IpAddr) -> Result<(), Error> {
        let (account, throttle) = (self.account_subject(account), self.account_throttle());
        let _turn = self.ports.turns.take(&account).await?;
        self.count_source(source).await?;
        self.forgive_source(source).await?;
        self.count(&account, &throttle).await?;
        self.ports.tokens.forgive_attempt(&account, &throttle, self.now()).await
    }

    /// The same for a proof whose beginning is work already: it is counted for the source until the proof itself comes
    /// ([`Pool::forgive_source`]), so that nobody begins without end and never answers.
    pub(super) async fn begin_attempt(&self, account: Uuid, source: IpAddr) -> Result<(), Error> {
        self.may_attempt(account, source).await?;
        self.count_source(source).await
    }

    /// Counts one answer of several that a sign-in may take. Whoever can answer one challenge must not win guesses at
    /// another by it: a right answer is only taken back ([`Pool::forgive_part`]), and clears nothing.
    pub(super) async fn count_part(&self, account: Uuid, source: IpAddr) -> Result<(), Error> {
        self.count_source(source).await?;
        self.count(&self.account_subject(account), &self.account_throttle()).await
    }

    /// Takes back what [`Pool::count_part`] counted.
    pub(super) async fn forgive_part(&self, account: Uuid, source: IpAddr) -> Result<(), Error> {
        let (subject, throttle) = (self.account_subject(account), self.account_throttle());
        self.ports.tokens.forgive_attempt(&subject, &throttle, self.now()).await?;
        self.forgive_source(source).await
    }

    /// Forgets wrong answers: the sign-in came to its end.
    pub(super) async fn clear_parts(&self, account: Uuid) -> Result<(), Error> {
        self.ports.tokens.clear_attempts(&self.account_subject(account)).await
    }

    fn account_subject(&self, account: Uuid) -> String {
        format!("account|{}|{account}", self.id())
    }

    /// Counts one request for a mail to an account.
    pub(super) async fn count_mail(&self, account: Uuid, source: IpAddr) -> Result<(), Error> {
        self.count_source(source).await?;
        self.count_mails_of(&account.to_string()).await
    }

    /// Counts one request for a mail to an address that somebody typed, whoever has it.
    pub(super) async fn count_mail_to(&self, email_key: &str) -> Result<(), Error> {
        self.count_mails_of(&crypto::encode(self.secrets.absent.tag(&[b"address", email_key.as_bytes()]))).await
    }

    /// Counts one invitation: of all that one user sends, and of all mails to that address. Whoever signs up may make
    /// an organization and invite; this is what keeps him from writing to the whole world.
    pub(super) async fn count_invitation(&self, inviter: Uuid, address: &EmailAddress) -> Result<(), Error> {
        let all = self.mail_throttle();
        let throttle = Throttle { free: all.free.saturating_mul(INVITATIONS_A_MAIL), ..all };
        self.count(&format!("invite|{}|{inviter}", self.id()), &throttle).await?;
        self.count_mail_to(&address.key).await
    }

    pub(super) async fn count_mails_of(&self, subject: &str) -> Result<(), Error> {
        self.count(&format!("mail|{}|{subject}", self.id()), &self.mail_throttle()).await
    }

    /// Counts one code of a second factor, apart from mails that anybody can ask for in the user's name.
    pub(super) async fn count_factor_codes(&self, account: Uuid) -> Result<(), Error> {
        self.count_mails_of(&format!("factor|{account}")).await
    }

    /// Forgets them: one came back.
    pub(super) async fn forgive_factor_codes(&self, account: Uuid) -> Result<(), Error> {
        self.ports.tokens.clear_attempts(&format!("mail|{}|factor|{account}", self.id())).await
    }

    /// Counts one text message to a number, whoever has it and in whatever pool: it rings the same telephone, and costs.
    pub(super) async fn count_text_to(&self, number: &str, asker: Asker) -> Result<(), Error> {
        let (asked, all) = (self.text_subject(number, asker.as_str()), self.text_subject(number, "all"));
        let throttle = self.mail_throttle();
        self.count(&asked, &throttle).await?;
        self.count(&all, &Throttle { free: throttle.free.saturating_mul(TEXTS_IN_ALL), ..throttle }).await
    }

    /// Forgets what one asked for to a number: a code came back. That so many went there is not forgotten: who answers
    /// them may earn by them.
    pub(super) async fn forgive_texts_to(&self, number: &str, asker: Asker) -> Result<(), Error> {
        self.ports.tokens.clear_attempts(&self.text_subject(number, asker.as_str())).await
    }

    fn text_subject(&self, number: &str, asker: &str) -> String {
        let tag = self.secrets.number.tag(&[asker.as_bytes(), number.as_bytes()]);
        format!("text|{}", crypto::encode(tag))
    }

    /// Forgets the mails that went to an account: what one of them carried has come back.
    pub(super) async fn forgive_mails_of(&self, account: Uuid) -> Result<(), Error> {
        self.ports.tokens.clear_attempts(&format!("mail|{}|{account}", self.id())).await
    }

    /// Counts one request or one answer to a code or link from a source; a code itself counts its own.
    pub(super) async fn count_source(&self, source: IpAddr) -> Result<(), Error> {
        match source_subject(source) {
            Some(source) => self.count(&source, &self.source_throttle()).await,
            None => Ok(()),
        }
    }

    /// Takes back what [`Pool::count_source`] counted: the answer was right.
    pub(super) async fn forgive_source(&self, source: IpAddr) -> Result<(), Error> {
        match source_subject(source) {
            Some(source) => self.ports.tokens.forgive_attempt(&source, &self.source_throttle(), self.now()).await,
            None => Ok(()),
        }
    }

    async fn count(&self, subject: &str, throttle: &Throttle) -> Result<(), Error> {
        let now = self.now();
        match self.ports.tokens.count_attempt(subject, throttle, now).await? {
            Attempt::Allowed => Ok(()),
            Attempt::Locked(until) => Err(Error::TooManyRequests { retry_after: until.until(now) }),
        }
    }

    fn account_throttle(&self) -> Throttle {
        let limits = &self.ports.limits;
        Throttle { free: limits.account_failures, lock: *limits.account_lock, lock_max: *limits.account_lock_max }
    }

    fn mail_throttle(&self) -> Throttle {
        let limits = &self.ports.limits;
        Throttle { free: limits.mails, lock: *limits.mail_pause, lock_max: limits.mail_pause.saturating_mul(60) }
    }

    fn source_throttle(&self) -> Throttle {
        let limits = &self.ports.limits;
        Throttle { free: limits.source_failures, lock: *limits.account_lock, lock_max: *limits.account_lock_max }
    }
}

/// One IPv6 customer holds a whole /64, so its addresses count as one; none for [`ON_BEHALF`].
fn source_subject(source: IpAddr) -> Option<String> {
    match source.to_canonical() {
        ON_BEHALF => None,
        IpAddr::V4(address) => Some(format!("source|{address}")),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(format!("source|{a:x}:{b:x}:{c:x}:{d:x}::/64"))
        }
    }
}
