//! The newest refresh token of each session that was ever presented, where the token store may forget it.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::row;
use super::sessions::stored;
use crate::clock::Timestamp;
use crate::store::tokens::Floor;

/// Raises the floor of a session; answers where it is then. PostgreSQL is not told to acknowledge this before it is on
/// the disk (`synchronous_commit = off`): what takes the last instant from it, a power cut, may take it from Redis too,
/// and then this row is all that knows.
pub(super) async fn raise(
    connection: &mut AnyConnection,
    session: Uuid,
    floor: Floor,
    expires_at: Timestamp,
) -> Result<Floor, Fault> {
    let rows = sqlx::query(
        "INSERT INTO rotations (session, generation, since, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (session) DO UPDATE SET \
         generation = CASE WHEN excluded.generation > rotations.generation \
                      THEN excluded.generation ELSE rotations.generation END, \
         since = CASE WHEN excluded.generation > rotations.generation \
                 THEN excluded.since ELSE rotations.since END, \
         expires_at = CASE WHEN excluded.expires_at > rotations.expires_at \
                      THEN excluded.expires_at ELSE rotations.expires_at END \
         RETURNING generation AS floor, since AS floor_since",
    )
    .bind(session.to_string())
    .bind(stored(floor.generation)?)
    .bind(floor.since.0)
    .bind(expires_at.0)
    .fetch_all(connection)
    .await?;
    rows.first().map_or_else(|| Err(Fault::unreadable("floor")), found)
}

/// The floor in a row that has one, or none.
pub(super) fn found(row: &AnyRow) -> Result<Floor, Fault> {
    Ok(Floor { generation: row::count(row, "floor")?, since: row::time(row, "floor_since")? })
}
