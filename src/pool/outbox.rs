//! The outbox: mail and text messages are stored sealed inside the request and delivered outside of it, again and again until
//! they arrive or what they carry has expired. At least once: a replica that dies between delivery and note sends it twice.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, watch};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::clock::{Clock, Timestamp, millis};
use crate::crypto::{Random, SealKey};
use crate::error::{Cause, Error};
use crate::outbound::mail::{Mail, Mailer, Undelivered};
use crate::store::directory::{Directory, OutboxMail};

/// How often the store is asked for mail that another replica enqueued or that is due again.
const POLL: Duration = Duration::from_secs(1);
/// Deliveries at once.
const BATCH: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// Content is padded to a multiple of this, so that a row does not tell a mail from a decoy or one mail from another.
const PADDING: usize = 4096;

/// Mail on its way.
pub struct Outbox {
    directory: Arc<dyn Directory>,
    mailer: Arc<Mailer>,
    key: SealKey,
    clock: Arc<dyn Clock>,
    random: Random,
    enqueued: Notify,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("mailer", &self.mailer).finish_non_exhaustive()
    }
}

/// How one attempt ended.
enum Outcome {
    Delivered,
    Dropped,
    Postponed,
}

impl Outcome {
    const fn label(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dropped => "dropped",
            Self::Postponed => "postponed",
        }
    }
}

impl Outbox {
    /// An outbox on the Directory; `key` seals what it holds.
    pub fn new(
        directory: Arc<dyn Directory>,
        mailer: Arc<Mailer>,
        key: SealKey,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Self {
        Self { directory, mailer, key, clock, random, enqueued: Notify::new() }
    }

    /// Stores a mail for delivery until `expires_at`. `None`, or a mail to nobody, is a decoy for a name that does not
    /// exist: it costs the caller the same and goes nowhere (D02, E01).
    pub async fn enqueue(&self, mail: Option<&Mail>, expires_at: Timestamp) -> Result<(), Error> {
        let decoy = Mail { to: String::new(), subject: String::new(), text: String::new(), html: String::new() };
        let id = self.random.uuid()?;
        let mut plain = Zeroizing::new(serde_json::to_vec(mail.unwrap_or(&decoy)).map_err(Error::internal)?);
        // JSON ends before white space, so that nothing has to be cut off again.
        let padded = plain.len().next_multiple_of(PADDING);
        plain.resize(padded, b' ');
        let sealed = self.key.seal(&self.random, id.as_bytes(), &plain)?;
        let row = OutboxMail { id, sealed, attempts: 0, due_at: self.clock.now(), expires_at };
        self.directory.enqueue_mail(&row).await?;
        self.enqueued.notify_one();
        Ok(())
    }

    /// Tries every mail that is due once; answers how many were delivered.
    pub async fn deliver_due(&self) -> Result<usize, Error> {
        let mut delivered = 0;
        loop {
            let outcomes = self.deliver_batch().await?;
            if outcomes.is_empty() {
                return Ok(delivered);
            }
            delivered += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Delivered)).count();
        }
    }

    /// Delivers mail as it comes until `stop` turns true or its sender is gone; what is being delivered then is
    /// finished first.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut failing = false;
        while !*stop.borrow() {
            let outcome = self.deliver_batch().await;
            match &outcome {
                Err(error) if !failing => tracing::warn!(cause = cause(error), "outbox: the store does not answer"),
                Ok(_) if failing => tracing::info!("outbox: the store answers again"),
                Ok(_) | Err(_) => {}
            }
            failing = outcome.is_err();
            if outcome.is_ok_and(|attempts| !attempts.is_empty()) {
                continue;
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.enqueued.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Takes a few mails that are due and tries them side by side, so that one slow answer does not hold up the rest.
    async fn deliver_batch(&self) -> Result<Vec<Outcome>, Error> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let now = self.clock.now();
            // Longer than a delivery takes, or another replica would send the same mail meanwhile.
            let held_until = now.plus(self.mailer.patience().saturating_mul(2).saturating_add(FIRST_PAUSE));
            match self.directory.claim_mail(now, held_until).await? {
                Some(mail) => batch.push(mail),
                None => break,
            }
        }
        join_all(batch.iter().map(|mail| self.attempt(mail))).await.into_iter().collect()
    }

    async fn attempt(&self, row: &OutboxMail) -> Result<Outcome, Error> {
        let (id, attempt) = (row.id, row.attempts);
        let sent = match self.unseal(row) {
            Ok(mail) if mail.to.is_empty() => return self.finish(id, Outcome::Dropped).await,
            Ok(mail) => self.mailer.deliver(&mail).await,
            Err(cause) => Err(Undelivered::Later(cause)),
        };
        let outcome = match sent {
            Ok(written) => {
                if let Some(path) = written {
                    tracing::info!(mail = %id, path = %path.display(), "mail written to a file: mail.url is file");
                }
                self.finish(id, Outcome::Delivered).await?
            }
            Err(Undelivered::Never(cause)) => {
                tracing::warn!(mail = %id, attempt, %cause, "mail dropped: it cannot be delivered");
                self.finish(id, Outcome::Dropped).await?
            }
            Err(Undelivered::Later(cause)) => self.try_later(row, &cause).await?,
        };
        metrics::counter!("cognate_mails_total", "result" => outcome.label()).increment(1);
        Ok(outcome)
    }

    async fn try_later(&self, row: &OutboxMail, cause: &Cause) -> Result<Outcome, Error> {
        let (id, attempt, due_at) = (row.id, row.attempts, self.next_try(row.attempts)?);
        if due_at >= row.expires_at {
            tracing::warn!(mail = %id, attempt, %cause, "mail dropped: it expires before the next try");
            return self.finish(id, Outcome::Dropped).await;
        }
        tracing::warn!(mail = %id, attempt, %cause, "mail not delivered yet, will be tried again");
        self.directory.postpone_mail(id, due_at).await?;
        Ok(Outcome::Postponed)
    }

    async fn finish(&self, id: Uuid, outcome: Outcome) -> Result<Outcome, Error> {
        self.directory.finish_mail(id).await?;
        Ok(outcome)
    }

    fn unseal(&self, row: &OutboxMail) -> Result<Mail, Cause> {
        let plain = self.key.open(row.id.as_bytes(), &row.sealed).map(Zeroizing::new);
        // Not serde's own text, which may quote the content.
        plain
            .and_then(|plain| serde_json::from_slice(&plain).ok())
            .ok_or_else(|| "it cannot be unsealed with this key".into())
    }

    /// 5 s, doubled with every attempt up to 15 min, and up to a tenth more, so that the replicas and the mails of one
    /// outage do not come back in step.
    fn next_try(&self, attempt: i64) -> Result<Timestamp, Error> {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0).min(16);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let [dice] = self.random.bytes::<1>()?;
        let jitter = millis(pause) * i64::from(dice) / 2560;
        Ok(Timestamp(self.clock.now().plus(pause).0.saturating_add(jitter)))
    }
}

/// What lies behind a store's refusal; its own text is for callers and does not say.
fn cause(error: &Error) -> String {
    if let Error::Unavailable { cause, .. } | Error::Internal(cause) = error {
        cause.to_string()
    } else {
        error.to_string()
    }
}
