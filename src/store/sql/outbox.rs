//! Outgoing mails and ended sessions in SQL.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::row;
use crate::clock::Timestamp;
use crate::crypto;
use crate::store::directory::OutboxMail;

/// Puts a mail into the outbox.
pub(super) async fn enqueue(connection: &mut AnyConnection, mail: &OutboxMail) -> Result<(), Fault> {
    sqlx::query("INSERT INTO outbox (id, sealed, attempts, due_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(mail.id.to_string())
        .bind(crypto::encode(&mail.sealed))
        .bind(mail.attempts)
        .bind(mail.due_at.0)
        .bind(mail.expires_at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the earliest mail that is due and holds it.
pub(super) async fn claim(
    connection: &mut AnyConnection,
    now: Timestamp,
    held_until: Timestamp,
) -> Result<Option<OutboxMail>, Fault> {
    while let Some(id) = earliest(connection, now).await? {
        // Another replica may have taken it since; then the next one is looked for.
        if let Some(mail) = hold(connection, &id, now, held_until).await? {
            return Ok(Some(mail));
        }
    }
    Ok(None)
}

async fn earliest(connection: &mut AnyConnection, now: Timestamp) -> Result<Option<String>, Fault> {
    let rows = sqlx::query("SELECT id FROM outbox WHERE due_at <= $1 AND expires_at > $1 ORDER BY due_at, id LIMIT 1")
        .bind(now.0)
        .fetch_all(connection)
        .await?;
    rows.first().map(|row| row::text(row, "id")).transpose()
}

async fn hold(
    connection: &mut AnyConnection,
    id: &str,
    now: Timestamp,
    held_until: Timestamp,
) -> Result<Option<OutboxMail>, Fault> {
    let rows = sqlx::query(
        "UPDATE outbox SET attempts = attempts + 1, due_at = $1 WHERE id = $2 AND due_at <= $3 \
         RETURNING id, sealed, attempts, due_at, expires_at",
    )
    .bind(held_until.0)
    .bind(id)
    .bind(now.0)
    .fetch_all(connection)
    .await?;
    rows.first().map(mail).transpose()
}

fn mail(row: &AnyRow) -> Result<OutboxMail, Fault> {
    Ok(OutboxMail {
        id: row::uuid(row, "id")?,
        sealed: row::bytes(row, "sealed")?,
        attempts: row::integer(row, "attempts")?,
        due_at: row::time(row, "due_at")?,
        expires_at: row::time(row, "expires_at")?,
    })
}

/// Removes a mail.
pub(super) async fn finish(connection: &mut AnyConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query("DELETE FROM outbox WHERE id = $1").bind(id.to_string()).execute(connection).await?;
    Ok(())
}

/// Lets a mail be tried again at `due_at`.
pub(super) async fn postpone(connection: &mut AnyConnection, id: Uuid, due_at: Timestamp) -> Result<(), Fault> {
    let query = sqlx::query("UPDATE outbox SET due_at = $1 WHERE id = $2").bind(due_at.0).bind(id.to_string());
    query.execute(connection).await?;
    Ok(())
}

/// Records that a session is over; the later expiry stands.
pub(super) async fn end_session(connection: &mut AnyConnection, id: Uuid, expires_at: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO ended_sessions (id, expires_at) VALUES ($1, $2) \
         ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at \
         WHERE excluded.expires_at > ended_sessions.expires_at",
    )
    .bind(id.to_string())
    .bind(expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets sessions, ended or rotating, and mails whose time has passed.
pub(super) async fn purge(connection: &mut AnyConnection, now: Timestamp) -> Result<u64, Fault> {
    let mut gone = 0;
    for statement in [
        "DELETE FROM ended_sessions WHERE expires_at <= $1",
        "DELETE FROM rotations WHERE expires_at <= $1",
        "DELETE FROM outbox WHERE expires_at <= $1",
    ] {
        gone += sqlx::query(statement).bind(now.0).execute(&mut *connection).await?.rows_affected();
    }
    Ok(gone)
}
