//! Throttles in SQL: read, judge, and write only if the record still is what was judged; who loses judges again.
//! Subjects are any text of any length (and may name a person): what is kept is their digest.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::row;
use crate::clock::Timestamp;
use crate::crypto;
use crate::store::tokens::{Attempt, Throttle};

/// Not the instant of the attempt: one that began earlier may be counted later, and is not locked by it.
const UNLOCKED: Timestamp = Timestamp(0);

#[derive(Clone, Copy)]
struct Record {
    count: u32,
    locked_until: Timestamp,
    forget_at: Timestamp,
}

/// Counts an attempt; see [`Throttle`].
pub(super) async fn count(
    connection: &mut AnyConnection,
    subject: &str,
    throttle: &Throttle,
    now: Timestamp,
) -> Result<Attempt, Fault> {
    loop {
        let seen = find(connection, subject).await?;
        let known = seen.filter(|record| record.forget_at > now);
        if let Some(locked) = known.filter(|record| record.locked_until > now) {
            return Ok(Attempt::Locked(locked.locked_until));
        }
        let count = known.map_or(0, |record| record.count).saturating_add(1);
        let lock = throttle.lock_after(count);
        let locked_until = if lock.is_zero() { UNLOCKED } else { now.plus(lock) };
        let next = Record { count, locked_until, forget_at: now.plus(throttle.lock_max) };
        if replace(connection, subject, seen, next).await? {
            return Ok(Attempt::Allowed);
        }
    }
}

/// Takes one attempt back.
pub(super) async fn forgive(connection: &mut AnyConnection, subject: &str) -> Result<(), Fault> {
    loop {
        let Some(seen) = find(connection, subject).await? else { return Ok(()) };
        let next = Record { count: seen.count.saturating_sub(1), locked_until: UNLOCKED, ..seen };
        if replace(connection, subject, Some(seen), next).await? {
            return Ok(());
        }
    }
}

/// Forgets the attempts.
pub(super) async fn clear(connection: &mut AnyConnection, subject: &str) -> Result<(), Fault> {
    sqlx::query("DELETE FROM attempts WHERE subject = $1").bind(digest(subject)).execute(connection).await?;
    Ok(())
}

async fn find(connection: &mut AnyConnection, subject: &str) -> Result<Option<Record>, Fault> {
    let rows = sqlx::query("SELECT count, locked_until, forget_at FROM attempts WHERE subject = $1")
        .bind(digest(subject))
        .fetch_all(connection)
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Record {
        count: row::count(row, "count")?,
        locked_until: row::time(row, "locked_until")?,
        forget_at: row::time(row, "forget_at")?,
    }))
}

/// Writes `next` if the record still is `seen`.
async fn replace(
    connection: &mut AnyConnection,
    subject: &str,
    seen: Option<Record>,
    next: Record,
) -> Result<bool, Fault> {
    let (count, locked, forget) = (i64::from(next.count), next.locked_until.0, next.forget_at.0);
    let query = match seen {
        None => sqlx::query(
            "INSERT INTO attempts (subject, count, locked_until, forget_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(digest(subject))
        .bind(count)
        .bind(locked)
        .bind(forget),
        Some(seen) => sqlx::query(
            "UPDATE attempts SET count = $2, locked_until = $3, forget_at = $4 \
             WHERE subject = $1 AND count = $5 AND locked_until = $6 AND forget_at = $7",
        )
        .bind(digest(subject))
        .bind(count)
        .bind(locked)
        .bind(forget)
        .bind(i64::from(seen.count))
        .bind(seen.locked_until.0)
        .bind(seen.forget_at.0),
    };
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

fn digest(subject: &str) -> String {
    crypto::encode(crypto::sha256(subject))
}
