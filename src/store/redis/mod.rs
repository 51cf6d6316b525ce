//! The `TokenStore` on Redis 7 or later: one server, Sentinel or Cluster. A verb is one Lua script (or one command,
//! where one does it) on one key, sent in one round trip.
//!
//! What a user in tokens.url must be allowed, on the keys `cognate:*`: `+eval +evalsha +hget +hset +hdel +hkeys
//! +hgetall +hmget +hincrby +hrandfield +del +set +pexpire +pttl +time +info`, for Sentinel also `+role` and for
//! Cluster `+cluster|slots +asking`, and `+wait` where `tokens.durability` is `replicated`.
//!
//! What is only counted or used up (attempts, answers to a challenge) is acknowledged without a replica even then: an
//! error would use up what nobody got anything for. A sign-in or an answer ends with a step that is waited for, and
//! what was written before that on the same server is then on the replica, too.

mod address;
mod call;
mod cluster;
mod connection;
mod fault;
mod node;
mod once_per;
mod record;
mod runtimes;
mod slots;

use std::collections::HashMap;

use async_trait::async_trait;
use redis::{FromRedisValue, Value, from_redis_value, from_redis_value_ref};
use uuid::Uuid;

use self::call::{Call, Script};
use self::record::{ChallengeFields, SLACK, attempts_key, challenge_key, misread, sessions_key};
use self::runtimes::PerRuntime;
use super::tokens::{
    Answer, Attempt, Challenge, ChallengeKey, RefreshRule, Session, SessionKey, Throttle, TokenStore, Verdict,
};
use crate::clock::{Timestamp, millis};
use crate::config::Tokens;
use crate::error::Error;

static OPEN_SESSION: Script = Script::new(include_str!("open_session.lua"));
static REFRESH: Script = Script::new(include_str!("refresh.lua"));
static END_SESSIONS_OF: Script = Script::new(include_str!("end_sessions_of.lua"));
static PUT_CHALLENGE: Script = Script::new(include_str!("put_challenge.lua"));
static ATTEMPT_CHALLENGE: Script = Script::new(include_str!("attempt_challenge.lua"));
static ANSWER_CHALLENGE: Script = Script::new(include_str!("answer_challenge.lua"));
static CONSUME_CHALLENGE: Script = Script::new(include_str!("consume_challenge.lua"));
static COUNT_ATTEMPT: Script = Script::new(include_str!("count_attempt.lua"));
static FORGIVE_ATTEMPT: Script = Script::new(include_str!("forgive_attempt.lua"));
static WRITE_CHECK: Script = Script::new(include_str!("write_check.lua"));

/// The `TokenStore` on Redis.
pub struct RedisTokens(PerRuntime);

/// Reads `settings` and answers a store that connects when first needed, so that the process starts while Redis is
/// down. Fails only on what can never work.
pub fn open(settings: &Tokens) -> Result<RedisTokens, String> {
    PerRuntime::new(settings).map(RedisTokens)
}

impl RedisTokens {
    async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T, Error> {
        from_redis_value(self.0.run(call).await?).map_err(misread)
    }
}

#[async_trait]
impl TokenStore for RedisTokens {
    /// A failover takes the last instant, and a snapshot that is put back takes all since.
    fn is_apart(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<Option<Timestamp>, Error> {
        let check = Call::script(&WRITE_CHECK, "cognate:check".to_owned()).repeatable().replicated();
        let (seconds, micros): (i64, i64) = self.run(check).await?;
        let memory = self.run(Call::keyless("INFO").arg("memory").repeatable()).await?;
        check_policy(&memory)?;
        Ok(Some(Timestamp(seconds.saturating_mul(1000).saturating_add(micros / 1000))))
    }

    async fn open_session(&self, session: &Session) -> Result<(), Error> {
        let call = Call::script(&OPEN_SESSION, sessions_key(&session.pool, session.user))
            .arg(session.id.as_bytes().as_slice())
            .arg(record::pack(session)?)
            .arg(record::lifetime(session))
            .arg(session.rotated_at.0);
        self.run(call.repeatable().replicated()).await
    }

    async fn session(&self, key: &SessionKey, now: Timestamp) -> Result<Option<Session>, Error> {
        let call = Call::command("HGET", sessions_key(&key.pool, key.user)).arg(key.id.as_bytes().as_slice());
        let stored: Option<Vec<u8>> = self.run(call.repeatable()).await?;
        let session = stored.map(|stored| record::unpack(key.clone(), &stored)).transpose()?;
        Ok(session.filter(|session| session.expires_at > now))
    }

    /// Repeated when the answer was lost: the token is then the predecessor inside its window, so the same successor
    /// comes out; only `refreshes` grows by two.
    async fn refresh(
        &self,
        key: &SessionKey,
        presented: u64,
        rule: RefreshRule,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let call = Call::script(&REFRESH, sessions_key(&key.pool, key.user))
            .arg(key.id.as_bytes().as_slice())
            .arg(presented)
            .arg(u8::from(rule.rotate))
            .arg(millis(rule.grace))
            .arg(rule.limit)
            .arg(now.0)
            .arg(rule.floor.generation)
            .arg(rule.floor.since.0);
        let (word, stored): (String, Option<Vec<u8>>) = self.run(call.repeatable().replicated()).await?;
        let session = stored.map(|stored| record::unpack(key.clone(), &stored)).transpose()?;
        verdict(&word, session).ok_or_else(|| Error::internal("refresh.lua answered an unknown verdict"))
    }

    async fn end_session(&self, key: &SessionKey) -> Result<bool, Error> {
        let call = Call::command("HDEL", sessions_key(&key.pool, key.user)).arg(key.id.as_bytes().as_slice());
        self.run(call.repeatable().replicated()).await
    }

    async fn end_sessions_of(&self, pool: &str, user: Uuid, spared: Option<Uuid>) -> Result<u64, Error> {
        let spared = spared.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let call = Call::script(&END_SESSIONS_OF, sessions_key(pool, user)).arg(spared);
        self.run(call.repeatable().replicated()).await
    }

    async fn sessions_of(&self, pool: &str, user: Uuid, now: Timestamp) -> Result<Vec<Session>, Error> {
        let call = Call::command("HGETALL", sessions_key(pool, user)).repeatable();
        let stored: HashMap<Vec<u8>, Vec<u8>> = self.run(call).await?;
        let session = |(id, record): (Vec<u8>, Vec<u8>)| {
            let id = Uuid::from_slice(&id).map_err(Error::internal)?;
            record::unpack(SessionKey { pool: pool.to_owned(), user, id }, &record)
        };
        let mut sessions = stored.into_iter().map(session).collect::<Result<Vec<_>, _>>()?;
        sessions.retain(|session| session.expires_at > now);
        sessions.sort_by_key(|session| (std::cmp::Reverse(session.auth_time), session.id));
        Ok(sessions)
    }

    async fn put_challenge(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<(), Error> {
        let call = Call::script(&PUT_CHALLENGE, challenge_key(key))
            .arg(millis(SLACK))
            .arg(&challenge.client)
            .arg(challenge.user.to_string())
            .arg(challenge.user_version)
            .arg(challenge.expires_at.0)
            .arg(challenge.attempts_left)
            .arg(challenge.answer.as_ref().map(|answer| ("answer", answer.as_slice())))
            .arg(challenge.payload.as_ref().map(|payload| ("payload", payload)));
        self.run(call.repeatable().replicated()).await
    }

    async fn attempt_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<Option<Challenge>, Error> {
        let fields: Option<ChallengeFields> =
            self.run(Call::script(&ATTEMPT_CHALLENGE, challenge_key(key)).arg(now.0)).await?;
        fields.map(record::challenge).transpose()
    }

    async fn answer_challenge(&self, key: &ChallengeKey, answer: &[u8; 32], now: Timestamp) -> Result<Answer, Error> {
        let call = Call::script(&ANSWER_CHALLENGE, challenge_key(key)).arg(now.0).arg(answer.as_slice());
        let (word, fields): (String, Option<ChallengeFields>) = self.run(call).await?;
        match (word.as_str(), fields) {
            ("right", Some(fields)) => record::challenge(fields).map(Answer::Right),
            ("wrong", None) => Ok(Answer::Wrong),
            ("unknown", None) => Ok(Answer::Unknown),
            (_, _) => Err(Error::internal("answer_challenge.lua answered an unknown word")),
        }
    }

    async fn consume_challenge(&self, key: &ChallengeKey, now: Timestamp) -> Result<bool, Error> {
        self.run(Call::script(&CONSUME_CHALLENGE, challenge_key(key)).arg(now.0)).await
    }

    async fn count_attempt(&self, subject: &str, throttle: &Throttle, now: Timestamp) -> Result<Attempt, Error> {
        let call = Call::script(&COUNT_ATTEMPT, attempts_key(subject))
            .arg(throttle.free)
            .arg(millis(throttle.lock))
            .arg(millis(throttle.lock_max))
            .arg(now.0)
            .arg(millis(SLACK));
        let locked: Option<i64> = self.run(call).await?;
        Ok(locked.map_or(Attempt::Allowed, |until| Attempt::Locked(Timestamp(until))))
    }

    async fn clear_attempts(&self, subject: &str) -> Result<(), Error> {
        self.run(Call::command("DEL", attempts_key(subject)).repeatable()).await
    }

    async fn forgive_attempt(&self, subject: &str, throttle: &Throttle, now: Timestamp) -> Result<(), Error> {
        let call = Call::script(&FORGIVE_ATTEMPT, attempts_key(subject)).arg(millis(throttle.lock_max)).arg(now.0);
        self.run(call.replicated()).await
    }

    /// Redis lets records expire by itself, and every sign-in sweeps up after its user.
    async fn purge(&self, _now: Timestamp) -> Result<u64, Error> {
        Ok(0)
    }
}

fn verdict(word: &str, session: Option<Session>) -> Option<Verdict> {
    Some(match (word, session) {
        ("rotated", Some(session)) => Verdict::Rotated(session),
        ("kept", Some(session)) => Verdict::Kept(session),
        ("retry", Some(session)) => Verdict::Retry(session),
        ("recovered", Some(session)) => Verdict::Recovered(session),
        ("stale", None) => Verdict::Stale,
        ("reuse", None) => Verdict::Reuse,
        ("exhausted", None) => Verdict::Exhausted,
        ("dead", None) => Verdict::Dead,
        ("unknown", None) => Verdict::Unknown,
        (_, _) => return None,
    })
}

/// Any policy but `noeviction` drops sessions silently, oldest first: everybody is logged out without a word (R10).
fn check_policy(memory: &Value) -> Result<(), Error> {
    // A Cluster answers for each of its masters.
    if let Value::Map(nodes) = memory {
        return nodes.iter().try_for_each(|(_, memory)| check_policy(memory));
    }
    let text: String = from_redis_value_ref(memory).map_err(misread)?;
    let value = |name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    match (value("maxmemory:"), value("maxmemory_policy:")) {
        ("0", _) | (_, "noeviction") => Ok(()),
        (_, policy) => Err(Error::unavailable(format!(
            "token store: Redis evicts sessions when it is full: set maxmemory-policy noeviction (it is {policy})"
        ))),
    }
}
