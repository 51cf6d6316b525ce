//! Organizations in SQL.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::fault::Fault;
use super::{next_id, row};
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::store::organization::Organization;

/// The organization with this id.
pub(super) async fn find(connection: &mut AnyConnection, pool: &str, id: i64) -> Result<Option<Organization>, Fault> {
    let rows =
        sqlx::query("SELECT id, pool, name, name_key, created_at FROM organizations WHERE pool = $1 AND id = $2")
            .bind(pool)
            .bind(id)
            .fetch_all(connection)
            .await?;
    rows.first().map(organization).transpose()
}

/// The organization with this name as it is compared.
pub(super) async fn find_by_name(
    connection: &mut AnyConnection,
    pool: &str,
    name_key: &str,
) -> Result<Option<Organization>, Fault> {
    let rows =
        sqlx::query("SELECT id, pool, name, name_key, created_at FROM organizations WHERE pool = $1 AND name_key = $2")
            .bind(pool)
            .bind(name_key)
            .fetch_all(connection)
            .await?;
    rows.first().map(organization).transpose()
}

/// One page of a pool's organizations.
pub(super) async fn page(
    connection: &mut AnyConnection,
    pool: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<Organization>, Fault> {
    let rows = sqlx::query(
        "SELECT id, pool, name, name_key, created_at FROM organizations WHERE pool = $1 AND id > $2 \
         ORDER BY id LIMIT $3",
    )
    .bind(pool)
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter().map(organization).collect()
}

/// An organization to be made.
pub(super) struct Draft<'a> {
    pub(super) pool: &'a str,
    pub(super) name: &'a str,
    pub(super) name_key: &'a str,
    pub(super) now: Timestamp,
    /// The user it is only reserved for.
    pub(super) reserved_by: Option<i64>,
}

/// Makes an organization and answers its id, or refuses when there is one of that name.
pub(super) async fn create(connection: &mut AnyConnection, draft: &Draft<'_>) -> Result<i64, Fault> {
    let id = next_id(connection, "organization").await?;
    let made = sqlx::query(
        "INSERT INTO organizations (id, pool, name, name_key, created_at, reserved_by) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(draft.pool)
    .bind(draft.name)
    .bind(draft.name_key)
    .bind(draft.now.0)
    .bind(draft.reserved_by)
    .execute(connection)
    .await?;
    if made.rows_affected() == 1 { Ok(id) } else { Err(Error::Exists(Kind::Organization).into()) }
}

/// Locks an organization that must exist: nobody else joins it, deletes it or finds it empty before the transaction
/// ends. A write that changes nothing is the lock that both databases know.
pub(super) async fn hold(connection: &mut AnyConnection, pool: &str, id: i64) -> Result<(), Fault> {
    let query = sqlx::query("UPDATE organizations SET name = name WHERE pool = $1 AND id = $2").bind(pool).bind(id);
    let held = query.execute(connection).await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound(Kind::Organization).into()) }
}

/// Deletes an organization with its memberships.
pub(super) async fn delete(connection: &mut AnyConnection, pool: &str, id: i64) -> Result<bool, Fault> {
    let query = sqlx::query("DELETE FROM organizations WHERE pool = $1 AND id = $2").bind(pool).bind(id);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// Deletes every organization that this user is the only member of.
pub(super) async fn delete_of(connection: &mut AnyConnection, user: i64) -> Result<(), Fault> {
    for statement in [
        // Held first, so that the second statement sees whoever joined meanwhile.
        "UPDATE organizations SET name = name \
         WHERE id IN (SELECT organization_id FROM organization_members WHERE user_id = $1)",
        "DELETE FROM organizations \
         WHERE id IN (SELECT organization_id FROM organization_members WHERE user_id = $1) \
         AND id NOT IN (SELECT organization_id FROM organization_members WHERE user_id <> $1 \
         AND organization_id IN (SELECT organization_id FROM organization_members WHERE user_id = $1))",
    ] {
        sqlx::query(statement).bind(user).execute(&mut *connection).await?;
    }
    Ok(())
}

/// An organization from its columns.
pub(super) fn organization(row: &AnyRow) -> Result<Organization, Fault> {
    Ok(Organization {
        id: row::integer(row, "id")?,
        pool: row::text(row, "pool")?,
        name: row::text(row, "name")?,
        name_key: row::text(row, "name_key")?,
        created_at: row::time(row, "created_at")?,
    })
}
