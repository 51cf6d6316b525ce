//! Sessions in SQL. A refresh with the current token is one statement. Any other reads the record, judges it, and
//! writes only if it still is what was judged: compare-and-set on `refreshes`, which grows with every change. Who
//! loses the race judges again.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::row;
use super::verdict::{Step, judge};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::tokens::{RefreshRule, Session, SessionKey, Verdict};

/// A session's columns between the start and the end of a statement.
macro_rules! sessions {
    ($start:literal, $end:literal) => {
        concat!(
            $start,
            " id, pool, user_sub, client, device, auth_time, expires_at, epoch, generation, rotated_at, \
             recovered_at, refreshes ",
            $end
        )
    };
}

/// Keeps a new session.
pub(super) async fn open(connection: &mut AnyConnection, session: &Session) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO sessions (id, pool, user_sub, client, auth_time, expires_at, epoch, generation, rotated_at, \
         recovered_at, refreshes, device) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(session.id.to_string())
    .bind(&session.pool)
    .bind(session.user.to_string())
    .bind(&session.client)
    .bind(session.auth_time.0)
    .bind(session.expires_at.0)
    .bind(session.epoch)
    .bind(stored(session.generation)?)
    .bind(session.rotated_at.0)
    .bind(stored(session.recovered_at)?)
    .bind(i64::from(session.refreshes))
    .bind(session.device.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The session, if it is alive.
pub(super) async fn find(
    connection: &mut AnyConnection,
    key: &SessionKey,
    now: Timestamp,
) -> Result<Option<Session>, Fault> {
    Ok(record(connection, key).await?.filter(|session| session.expires_at > now))
}

async fn record(connection: &mut AnyConnection, key: &SessionKey) -> Result<Option<Session>, Fault> {
    let rows = sqlx::query(sessions!("SELECT", "FROM sessions WHERE pool = $1 AND user_sub = $2 AND id = $3"))
        .bind(&key.pool)
        .bind(key.user.to_string())
        .bind(key.id.to_string())
        .fetch_all(connection)
        .await?;
    rows.first().map(session).transpose()
}

/// Presents a refresh token; see [`Verdict`].
pub(super) async fn refresh(
    connection: &mut AnyConnection,
    key: &SessionKey,
    presented: u64,
    rule: RefreshRule,
    now: Timestamp,
) -> Result<Verdict, Fault> {
    if let Some(session) = advance(connection, key, presented, rule, now).await? {
        return Ok(if rule.rotate { Verdict::Rotated(session) } else { Verdict::Kept(session) });
    }
    while let Some(session) = record(connection, key).await? {
        let seen = session.refreshes;
        let (verdict, done) = match judge(session, presented, rule, now) {
            Step::Leave(verdict) => return Ok(verdict),
            Step::Delete(verdict) => (verdict, delete(connection, key, seen).await?),
            Step::Write(verdict) => {
                let done = write(connection, &verdict, seen).await?;
                (verdict, done)
            }
        };
        if done {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Unknown)
}

/// The common case in one statement: the token is current, the session alive, the limit not reached.
async fn advance(
    connection: &mut AnyConnection,
    key: &SessionKey,
    presented: u64,
    rule: RefreshRule,
    now: Timestamp,
) -> Result<Option<Session>, Fault> {
    // No stored generation is that high; and what is below the floor is not current, whatever the record says.
    let Some(presented) = i64::try_from(presented).ok().filter(|_| presented >= rule.floor.generation) else {
        return Ok(None);
    };
    let rows = sqlx::query(sessions!(
        "UPDATE sessions SET refreshes = refreshes + 1, generation = generation + $1, \
         rotated_at = CASE WHEN $1 = 1 THEN $2 ELSE rotated_at END \
         WHERE pool = $3 AND user_sub = $4 AND id = $5 AND generation = $6 AND expires_at > $2 \
         AND ($7 = 0 OR refreshes < $7) RETURNING",
        ""
    ))
    .bind(i64::from(rule.rotate))
    .bind(now.0)
    .bind(&key.pool)
    .bind(key.user.to_string())
    .bind(key.id.to_string())
    .bind(presented)
    .bind(i64::from(rule.limit))
    .fetch_all(connection)
    .await?;
    rows.first().map(session).transpose()
}

async fn write(connection: &mut AnyConnection, verdict: &Verdict, seen: u32) -> Result<bool, Fault> {
    let next = match verdict {
        Verdict::Rotated(next) | Verdict::Kept(next) | Verdict::Retry(next) | Verdict::Recovered(next) => next,
        Verdict::Stale | Verdict::Reuse | Verdict::Exhausted | Verdict::Dead | Verdict::Unknown => return Ok(true),
    };
    let written = sqlx::query(
        "UPDATE sessions SET generation = $1, rotated_at = $2, recovered_at = $3, refreshes = $4 \
         WHERE pool = $5 AND user_sub = $6 AND id = $7 AND refreshes = $8",
    )
    .bind(stored(next.generation)?)
    .bind(next.rotated_at.0)
    .bind(stored(next.recovered_at)?)
    .bind(i64::from(next.refreshes))
    .bind(&next.pool)
    .bind(next.user.to_string())
    .bind(next.id.to_string())
    .bind(i64::from(seen))
    .execute(connection)
    .await?;
    Ok(written.rows_affected() == 1)
}

async fn delete(connection: &mut AnyConnection, key: &SessionKey, seen: u32) -> Result<bool, Fault> {
    let deleted = sqlx::query("DELETE FROM sessions WHERE pool = $1 AND user_sub = $2 AND id = $3 AND refreshes = $4")
        .bind(&key.pool)
        .bind(key.user.to_string())
        .bind(key.id.to_string())
        .bind(i64::from(seen))
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Ends a session; false when there was none.
pub(super) async fn end(connection: &mut AnyConnection, key: &SessionKey) -> Result<bool, Fault> {
    let ended = sqlx::query("DELETE FROM sessions WHERE pool = $1 AND user_sub = $2 AND id = $3")
        .bind(&key.pool)
        .bind(key.user.to_string())
        .bind(key.id.to_string())
        .execute(connection)
        .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends all sessions of a user but one; answers how many.
pub(super) async fn end_all(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    spared: Option<Uuid>,
) -> Result<u64, Fault> {
    let ended = sqlx::query("DELETE FROM sessions WHERE pool = $1 AND user_sub = $2 AND id <> $3")
        .bind(pool)
        .bind(user.to_string())
        .bind(spared.map_or_else(String::new, |id| id.to_string()))
        .execute(connection)
        .await?;
    Ok(ended.rows_affected())
}

/// The user's sessions alive at `now`, latest sign-in first.
pub(super) async fn list(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    now: Timestamp,
) -> Result<Vec<Session>, Fault> {
    let rows = sqlx::query(sessions!(
        "SELECT",
        "FROM sessions WHERE pool = $1 AND user_sub = $2 AND expires_at > $3 ORDER BY auth_time DESC, id"
    ))
    .bind(pool)
    .bind(user.to_string())
    .bind(now.0)
    .fetch_all(connection)
    .await?;
    rows.iter().map(session).collect()
}

fn session(row: &AnyRow) -> Result<Session, Fault> {
    Ok(Session {
        pool: row::text(row, "pool")?,
        user: row::uuid(row, "user_sub")?,
        id: row::uuid(row, "id")?,
        client: row::text(row, "client")?,
        device: row::optional_uuid(row, "device")?,
        auth_time: row::time(row, "auth_time")?,
        expires_at: row::time(row, "expires_at")?,
        epoch: row::integer(row, "epoch")?,
        generation: row::count(row, "generation")?,
        rotated_at: row::time(row, "rotated_at")?,
        recovered_at: row::count(row, "recovered_at")?,
        refreshes: row::count(row, "refreshes")?,
    })
}

/// A generation as it is stored.
pub(super) fn stored(generation: u64) -> Result<i64, Error> {
    i64::try_from(generation).map_err(Error::internal)
}
