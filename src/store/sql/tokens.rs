//! The TokenStore on SQL: each verb handed to the reader or the writer, with what it needs.

use async_trait::async_trait;
use sqlx::AnyConnection;
use uuid::Uuid;

use super::fault::Fault;
use super::{Plan, Sql, attempts, challenges, sessions};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::tokens::{
    Answer, Attempt, Challenge, ChallengeKey, RefreshRule, Session, SessionKey, Throttle, TokenStore, Verdict,
};

#[async_trait]
impl TokenStore for Sql {
    /// Sessions and what is known of them are lost together or not at all.
    fn is_apart(&self) -> bool {
        false
    }

    async fn ping(&self) -> Result<Option<Timestamp>, Error> {
        self.answers().await
    }

    async fn open_session(&self, session: &Session) -> Result<(), Error> {
        self.write(Plan::STEP, session.clone(), |c, session| Box::pin(sessions::open(c, session))).await
    }

    async fn session(&self, key: &SessionKey, now: Timestamp) -> Result<Option<Session>, Error> {
        self.read((key, now), |c, (key, now)| Box::pin(sessions::find(c, key, *now))).await
    }

    async fn refresh(
        &self,
        key: &SessionKey,
        presented: u64,
        rule: RefreshRule,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let args = (key.clone(), presented, rule, now);
        self.write(Plan::STEP, args, |c, (key, presented, rule, now)| {
            Box::pin(sessions::refresh(c, key, *presented, *rule, *now))
        })
        .await
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool, Error> {
        self.write(Plan::STEP.urgent(), key.clone(), |c, key| Box::pin(sessions::end(c, key))).await
    }

    async fn end_sessions_of(&self, pool: &str, user: Uuid, spared: Option<Uuid>) -> Result<u64, Error> {
        let args = (pool.to_owned(), user, spared);
        self.write(Plan::STEP.urgent(), args, |c, (pool, user, spared)| {
            Box::pin(sessions::end_all(c, pool, *user, *spared))
        })
        .await
    }

    async fn sessions_of(&self, pool: &str, user: Uuid, now: Timestamp) -> Result<Vec<Session>, Error> {
        self.read((pool, user, now), |c, (pool, user, now)| Box::pin(sessions::list(c, pool, *user, *now))).await
    }

    async fn put_challenge(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<(), Error> {
        let args = (key.clone(), challenge.clone());
        self.write(Plan::STEP, args, |c, (key, challenge)| Box::pin(challenges::put(c, key, challenge))).await
    }

    async fn attempt_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<Option<Challenge>, Error> {
        let args = (key.clone(), now);
        self.write(Plan::STEP, args, |c, (key, now)| Box::pin(challenges::attempt(c, key, *now))).await
    }

    async fn answer_challenge(&self, key: &ChallengeKey, answer: &[u8; 32], now: Timestamp) -> Result<Answer, Error> {
        let args = (key.clone(), *answer, now);
        self.write(Plan::WHOLE, args, |c, (key, answer, now)| Box::pin(challenges::answer(c, key, answer, *now))).await
    }

    async fn consume_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<bool, Error> {
        let args = (key.clone(), now);
        self.write(Plan::STEP.urgent(), args, |c, (key, now)| Box::pin(challenges::consume(c, key, *now))).await
    }

    async fn count_attempt(&self, subject: &str, throttle: &Throttle, now: Timestamp) -> Result<Attempt, Error> {
        let args = (subject.to_owned(), *throttle, now);
        self.write(Plan::STEP, args, |c, (subject, throttle, now)| {
            Box::pin(attempts::count(c, subject, throttle, *now))
        })
        .await
    }

    async fn clear_attempts(&self, subject: &str) -> Result<(), Error> {
        self.write(Plan::STEP.urgent(), subject.to_owned(), |c, subject| Box::pin(attempts::clear(c, subject))).await
    }

    async fn forgive_attempt(&self, subject: &str, _throttle: &Throttle, _now: Timestamp) -> Result<(), Error> {
        self.write(Plan::STEP, subject.to_owned(), |c, subject| Box::pin(attempts::forgive(c, subject))).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, Error> {
        self.write(Plan::WHOLE.urgent(), now, |c, now| Box::pin(purge(c, *now))).await
    }
}

async fn purge(connection: &mut AnyConnection, now: Timestamp) -> Result<u64, Fault> {
    let mut gone = 0;
    for statement in [
        "DELETE FROM sessions WHERE expires_at <= $1",
        "DELETE FROM challenges WHERE expires_at <= $1",
        "DELETE FROM attempts WHERE forget_at <= $1",
    ] {
        gone += sqlx::query(statement).bind(now.0).execute(&mut *connection).await?.rows_affected();
    }
    Ok(gone)
}
