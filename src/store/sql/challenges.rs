//! Challenges in SQL: the attempt is counted by the statement that reads the record, before anything is compared.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::fault::Fault;
use super::row;
use crate::clock::Timestamp;
use crate::crypto;
use crate::store::tokens::{Answer, Challenge, ChallengeKey};

/// Keeps a challenge in place of an older one.
pub(super) async fn put(
    connection: &mut AnyConnection,
    key: &ChallengeKey,
    challenge: &Challenge,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO challenges (pool, purpose, subject, client, user_sub, user_version, expires_at, attempts_left, \
         answer, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (pool, purpose, subject) DO UPDATE SET client = excluded.client, user_sub = excluded.user_sub, \
         user_version = excluded.user_version, expires_at = excluded.expires_at, \
         attempts_left = excluded.attempts_left, answer = excluded.answer, payload = excluded.payload",
    )
    .bind(&key.pool)
    .bind(key.purpose.as_str())
    .bind(&key.subject)
    .bind(&challenge.client)
    .bind(challenge.user.to_string())
    .bind(challenge.user_version)
    .bind(challenge.expires_at.0)
    .bind(i64::from(challenge.attempts_left))
    .bind(challenge.answer.map(crypto::encode))
    .bind(challenge.payload.as_ref())
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts an attempt; `None` when there is no challenge or it was used up, and then it is gone.
pub(super) async fn attempt(
    connection: &mut AnyConnection,
    key: &ChallengeKey,
    now: Timestamp,
) -> Result<Option<Challenge>, Fault> {
    let rows = sqlx::query(
        "UPDATE challenges SET attempts_left = attempts_left - 1 \
         WHERE pool = $1 AND purpose = $2 AND subject = $3 AND expires_at > $4 AND attempts_left > 0 \
         RETURNING client, user_sub, user_version, expires_at, attempts_left, answer, payload",
    )
    .bind(&key.pool)
    .bind(key.purpose.as_str())
    .bind(&key.subject)
    .bind(now.0)
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        clear(connection, key, now).await?;
    }
    rows.first().map(challenge).transpose()
}

/// Deletes what is expired or used up, but never one that was put meanwhile.
async fn clear(connection: &mut AnyConnection, key: &ChallengeKey, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM challenges WHERE pool = $1 AND purpose = $2 AND subject = $3 \
         AND (expires_at <= $4 OR attempts_left <= 0)",
    )
    .bind(&key.pool)
    .bind(key.purpose.as_str())
    .bind(&key.subject)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts, compares, consumes. In one transaction: the counted row stays locked until it is judged.
pub(super) async fn answer(
    connection: &mut AnyConnection,
    key: &ChallengeKey,
    answer: &[u8; 32],
    now: Timestamp,
) -> Result<Answer, Fault> {
    let Some(challenge) = attempt(connection, key, now).await? else { return Ok(Answer::Unknown) };
    if challenge.answer.is_some_and(|right| crypto::same(&right, answer)) {
        let won = consume(connection, key, now).await?;
        return Ok(if won { Answer::Right(challenge) } else { Answer::Unknown });
    }
    clear(connection, key, now).await?;
    Ok(Answer::Wrong)
}

/// Takes a challenge away; true for one caller, while it is alive.
pub(super) async fn consume(connection: &mut AnyConnection, key: &ChallengeKey, now: Timestamp) -> Result<bool, Fault> {
    let taken =
        sqlx::query("DELETE FROM challenges WHERE pool = $1 AND purpose = $2 AND subject = $3 AND expires_at > $4")
            .bind(&key.pool)
            .bind(key.purpose.as_str())
            .bind(&key.subject)
            .bind(now.0)
            .execute(connection)
            .await?;
    Ok(taken.rows_affected() == 1)
}

fn challenge(row: &AnyRow) -> Result<Challenge, Fault> {
    let answer = row::optional_text(row, "answer")?.map(|text| {
        let bytes = crypto::decode(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| Fault::unreadable("answer"))
    });
    Ok(Challenge {
        client: row::text(row, "client")?,
        user: row::uuid(row, "user_sub")?,
        user_version: row::integer(row, "user_version")?,
        expires_at: row::time(row, "expires_at")?,
        attempts_left: row::count(row, "attempts_left")?,
        answer: answer.transpose()?,
        payload: row::optional_text(row, "payload")?,
    })
}
