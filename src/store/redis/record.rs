//! What is kept in Redis, and where. All of a user's sessions are fields of one hash: one key a script, so that
//! a Cluster that moves slots never splits a step, and about half the memory of a key per session.

use std::time::Duration;

use redis::ParsingError;
use uuid::Uuid;

use crate::clock::{Timestamp, millis};
use crate::crypto::{encode, sha256};
use crate::error::Error;
use crate::store::tokens::{Challenge, ChallengeKey, Session, SessionKey};

/// Redis sweeps up this much later than the callers' clocks say, so that its own clock need not agree with theirs.
pub const SLACK: Duration = Duration::from_secs(3600);

/// The numbers at the head of a session's record, with their widths in bytes; the client's id follows, and the
/// device. The same layout stands in `refresh.lua`. Widths are fixed so that a refresh never needs room, and chosen so that with a
/// client id of 26 characters a record has 64 bytes: up to that length Redis packs a small hash most tightly.
const WIDTHS: [usize; 7] = [6, 6, 6, 6, 5, 5, 4];

/// Between the client's id, which has no such byte, and the device, where the session is of one.
const DEVICE_FOLLOWS: u8 = 0;

/// The key of a user's sessions.
pub fn sessions_key(pool: &str, user: Uuid) -> String {
    format!("cognate:{{{pool}:{user}}}:s")
}

/// The key of a challenge. The subject is any text, so its digest stands for it.
pub fn challenge_key(key: &ChallengeKey) -> String {
    format!("cognate:{{{}:{}}}:c:{}", key.pool, encode(sha256(&key.subject)), key.purpose.as_str())
}

/// The key of the attempts on a subject, which is any text.
pub fn attempts_key(subject: &str) -> String {
    format!("cognate:{{{}}}:a", encode(sha256(subject)))
}

/// A session as it is stored.
pub fn pack(session: &Session) -> Result<Vec<u8>, Error> {
    let numbers = [
        u64::try_from(session.auth_time.0).ok(),
        u64::try_from(session.expires_at.0).ok(),
        u64::try_from(session.rotated_at.0).ok(),
        u64::try_from(session.epoch).ok(),
        Some(session.generation),
        Some(session.recovered_at),
        Some(u64::from(session.refreshes)),
    ];
    let mut record = Vec::with_capacity(64);
    for (number, width) in numbers.into_iter().zip(WIDTHS) {
        let bytes = number.unwrap_or(u64::MAX).to_be_bytes();
        let (high, low) = bytes.split_at(bytes.len() - width);
        if high.iter().any(|byte| *byte != 0) {
            return Err(Error::internal("a number of a session is out of the range that Redis keeps"));
        }
        record.extend_from_slice(low);
    }
    record.extend_from_slice(session.client.as_bytes());
    if let Some(device) = session.device {
        record.push(DEVICE_FOLLOWS);
        record.extend_from_slice(device.as_bytes());
    }
    Ok(record)
}

/// A session from its record.
pub fn unpack(key: SessionKey, record: &[u8]) -> Result<Session, Error> {
    read(key, record).ok_or_else(|| Error::internal("a session in Redis is not as it was written"))
}

fn read(key: SessionKey, mut record: &[u8]) -> Option<Session> {
    let mut number = |width| {
        let (head, tail) = record.split_at_checked(width)?;
        record = tail;
        Some(head.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let mut numbers = [0; 7];
    for (value, width) in numbers.iter_mut().zip(WIDTHS) {
        *value = number(width)?;
    }
    let [auth_time, expires_at, rotated_at, epoch, generation, recovered_at, refreshes] = numbers;
    let instant = |millis| i64::try_from(millis).ok().map(Timestamp);
    let mut names = record.splitn(2, |byte| *byte == DEVICE_FOLLOWS);
    let (client, device) = (names.next()?, names.next());
    Some(Session {
        pool: key.pool,
        user: key.user,
        id: key.id,
        client: String::from_utf8(client.to_vec()).ok()?,
        device: device.map(Uuid::from_slice).transpose().ok()?,
        auth_time: instant(auth_time)?,
        expires_at: instant(expires_at)?,
        epoch: i64::try_from(epoch).ok()?,
        generation,
        rotated_at: instant(rotated_at)?,
        recovered_at,
        refreshes: u32::try_from(refreshes).ok()?,
    })
}

/// How long Redis keeps a session, in milliseconds from its birth.
pub fn lifetime(session: &Session) -> i64 {
    millis(session.expires_at.until(session.rotated_at).saturating_add(SLACK))
}

/// A challenge as the scripts answer it.
pub type ChallengeFields = (String, String, i64, i64, u32, Option<Vec<u8>>, Option<String>);

/// A challenge from its fields.
pub fn challenge(fields: ChallengeFields) -> Result<Challenge, Error> {
    let (client, user, user_version, expires_at, attempts_left, answer, payload) = fields;
    let broken = |_| Error::internal("a challenge in Redis is not as it was written");
    Ok(Challenge {
        client,
        user: user.parse().map_err(|_| broken(()))?,
        user_version,
        expires_at: Timestamp(expires_at),
        attempts_left,
        answer: answer.map(|bytes| bytes.try_into().map_err(|_| broken(()))).transpose()?,
        payload,
    })
}

/// What Redis answered is not of the form that was asked for.
pub fn misread(fault: ParsingError) -> Error {
    Error::internal(format!("an answer of Redis could not be read: {fault}"))
}
