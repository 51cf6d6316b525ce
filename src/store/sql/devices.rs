//! Devices in SQL. They hang on the user's row and go with it.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::{outbox, row};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::device::Device;

/// Devices that give way at once at most; more than one do only where the bound became smaller.
const SURPLUS: i64 = 1_000;

/// A device's columns, of the user with the sub `$2` in the pool `$1`.
macro_rules! of_user {
    ($start:literal, $end:literal) => {
        concat!($start, " user_id = (SELECT id FROM users WHERE pool = $1 AND sub = $2) ", $end)
    };
}

macro_rules! select {
    ($end:literal) => {
        of_user!(
            "SELECT id, pool, user_sub, client, session, name, verifier, remembered, created_at, updated_at, \
             authenticated_at FROM devices WHERE",
            $end
        )
    };
}

/// See [`crate::store::directory::Directory::confirm_device`].
pub(super) async fn confirm(
    connection: &mut AnyConnection,
    device: &Device,
    most: u32,
    ended_until: Timestamp,
) -> Result<bool, Fault> {
    let user = hold_user(connection, device).await?;
    let made = insert(connection, user, device).await?;
    if made {
        let query = sqlx::query(
            "SELECT id, session FROM devices WHERE user_id = $1 AND id <> $2 \
             ORDER BY authenticated_at DESC, id DESC LIMIT $3 OFFSET $4",
        );
        let kept = i64::from(most.saturating_sub(1));
        let query = query.bind(user).bind(device.id.to_string()).bind(SURPLUS).bind(kept);
        for surplus in query.fetch_all(&mut *connection).await? {
            outbox::end_session(connection, row::uuid(&surplus, "session")?, ended_until).await?;
            let query = sqlx::query("DELETE FROM devices WHERE user_id = $1 AND id = $2");
            query.bind(user).bind(row::text(&surplus, "id")?).execute(&mut *connection).await?;
        }
    }
    Ok(made)
}

/// Locks the user, so that two devices confirmed at once are counted one after the other. A write that changes nothing
/// is the lock that both databases know.
async fn hold_user(connection: &mut AnyConnection, device: &Device) -> Result<i64, Fault> {
    let query = sqlx::query("UPDATE users SET version = version WHERE pool = $1 AND sub = $2 RETURNING id");
    let rows = query.bind(&device.pool).bind(device.user.to_string()).fetch_all(connection).await?;
    row::integer(rows.first().ok_or(Error::UserNotFound)?, "id")
}

async fn insert(connection: &mut AnyConnection, user: i64, device: &Device) -> Result<bool, Fault> {
    let made = sqlx::query(
        "INSERT INTO devices (user_id, id, pool, user_sub, client, session, name, verifier, remembered, created_at, \
         updated_at, authenticated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT DO NOTHING",
    )
    .bind(user)
    .bind(device.id.to_string())
    .bind(&device.pool)
    .bind(device.user.to_string())
    .bind(&device.client)
    .bind(device.session.to_string())
    .bind(device.name.as_ref())
    .bind(&device.verifier)
    .bind(i64::from(device.remembered))
    .bind(device.created_at.0)
    .bind(device.updated_at.0)
    .bind(device.authenticated_at.0)
    .execute(connection)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// The user's device with this id.
pub(super) async fn find(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    id: Uuid,
) -> Result<Option<Device>, Fault> {
    let query = sqlx::query(select!("AND id = $3")).bind(pool).bind(user.to_string()).bind(id.to_string());
    query.fetch_all(connection).await?.first().map(device).transpose()
}

/// One page of a user's devices.
pub(super) async fn page(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Device>, Fault> {
    let rows = sqlx::query(select!("AND id > $3 ORDER BY id LIMIT $4"))
        .bind(pool)
        .bind(user.to_string())
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(device).collect()
}

/// Says whether a device is remembered; false when there is none.
pub(super) async fn remember(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    id: Uuid,
    remembered: bool,
    now: Timestamp,
) -> Result<bool, Fault> {
    let changed = sqlx::query(of_user!("UPDATE devices SET remembered = $4, updated_at = $5 WHERE", "AND id = $3"))
        .bind(pool)
        .bind(user.to_string())
        .bind(id.to_string())
        .bind(i64::from(remembered))
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Notes a sign-in on a device; false when there is none.
pub(super) async fn note_use(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    id: Uuid,
    now: Timestamp,
) -> Result<bool, Fault> {
    let changed = sqlx::query(of_user!("UPDATE devices SET authenticated_at = $4 WHERE", "AND id = $3"))
        .bind(pool)
        .bind(user.to_string())
        .bind(id.to_string())
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Deletes a device, and records the end of the session that it was offered to; false when there was none.
pub(super) async fn forget(
    connection: &mut AnyConnection,
    pool: &str,
    user: Uuid,
    id: Uuid,
    ended_until: Timestamp,
) -> Result<bool, Fault> {
    let query = sqlx::query(of_user!("DELETE FROM devices WHERE", "AND id = $3 RETURNING session"));
    let query = query.bind(pool).bind(user.to_string()).bind(id.to_string());
    let rows = query.fetch_all(&mut *connection).await?;
    let Some(gone) = rows.first() else { return Ok(false) };
    outbox::end_session(connection, row::uuid(gone, "session")?, ended_until).await?;
    Ok(true)
}

fn device(row: &AnyRow) -> Result<Device, Fault> {
    Ok(Device {
        pool: row::text(row, "pool")?,
        user: row::uuid(row, "user_sub")?,
        id: row::uuid(row, "id")?,
        client: row::text(row, "client")?,
        session: row::uuid(row, "session")?,
        name: row::optional_text(row, "name")?,
        verifier: row::text(row, "verifier")?,
        remembered: row::flag(row, "remembered")?,
        created_at: row::time(row, "created_at")?,
        updated_at: row::time(row, "updated_at")?,
        authenticated_at: row::time(row, "authenticated_at")?,
    })
}
