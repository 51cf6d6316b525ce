//! Groups and memberships in SQL.

use sqlx::AnyConnection;
use uuid::Uuid;

use super::fault::Fault;
use super::row;
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::store::directory::{Group, GroupChange};

/// Makes a group, or refuses when there is one of that name.
pub(super) async fn create(connection: &mut AnyConnection, group: &Group) -> Result<(), Fault> {
    let made = sqlx::query(
        "INSERT INTO groups (pool, name, description, precedence, role_arn, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(&group.pool)
    .bind(&group.name)
    .bind(group.description.as_ref())
    .bind(group.precedence)
    .bind(group.role_arn.as_ref())
    .bind(group.created_at.0)
    .bind(group.updated_at.0)
    .execute(connection)
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(Error::Exists(Kind::Group).into()) }
}

/// Where whole groups come from. A group that the version before made was last changed when it was made.
macro_rules! columns {
    () => {
        "SELECT pool, name, description, precedence, role_arn, created_at, \
         COALESCE(updated_at, created_at) AS updated_at FROM groups"
    };
}

/// The group of this name.
pub(super) async fn find(connection: &mut AnyConnection, pool: &str, name: &str) -> Result<Option<Group>, Fault> {
    let query = sqlx::query(concat!(columns!(), " WHERE pool = $1 AND name = $2")).bind(pool).bind(name);
    query.fetch_all(connection).await?.first().map(group).transpose()
}

/// Changes what is given; none when there is no such group.
pub(super) async fn update(
    connection: &mut AnyConnection,
    pool: &str,
    name: &str,
    change: &GroupChange,
    now: Timestamp,
) -> Result<Option<Group>, Fault> {
    let rows = sqlx::query(
        "UPDATE groups SET description = COALESCE($1, description), precedence = COALESCE($2, precedence), \
         role_arn = COALESCE($3, role_arn), updated_at = $4 WHERE pool = $5 AND name = $6 \
         RETURNING pool, name, description, precedence, role_arn, created_at, updated_at",
    )
    .bind(change.description.as_ref())
    .bind(change.precedence)
    .bind(change.role_arn.as_ref())
    .bind(now.0)
    .bind(pool)
    .bind(name)
    .fetch_all(connection)
    .await?;
    rows.first().map(group).transpose()
}

/// All groups of a pool by precedence, then name.
pub(super) async fn list(connection: &mut AnyConnection, pool: &str) -> Result<Vec<Group>, Fault> {
    let rows = sqlx::query(concat!(columns!(), " WHERE pool = $1")).bind(pool).fetch_all(connection).await?;
    let mut groups = rows.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because the databases sort text differently.
    groups.sort_by(|one, other| (one.precedence, &one.name).cmp(&(other.precedence, &other.name)));
    Ok(groups)
}

fn group(row: &sqlx::any::AnyRow) -> Result<Group, Fault> {
    Ok(Group {
        pool: row::text(row, "pool")?,
        name: row::text(row, "name")?,
        description: row::optional_text(row, "description")?,
        precedence: row::integer(row, "precedence")?,
        role_arn: row::optional_text(row, "role_arn")?,
        created_at: row::time(row, "created_at")?,
        updated_at: row::time(row, "updated_at")?,
    })
}

/// Deletes a group with its memberships.
pub(super) async fn delete(connection: &mut AnyConnection, pool: &str, name: &str) -> Result<bool, Fault> {
    let query = sqlx::query("DELETE FROM groups WHERE pool = $1 AND name = $2").bind(pool).bind(name);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// Makes the user with this sub a member.
pub(super) async fn add(connection: &mut AnyConnection, pool: &str, name: &str, sub: Uuid) -> Result<(), Fault> {
    exists(connection, pool, name).await?;
    let rows = sqlx::query("SELECT id FROM users WHERE pool = $1 AND sub = $2")
        .bind(pool)
        .bind(sub.to_string())
        .fetch_all(&mut *connection)
        .await?;
    let user = row::integer(rows.first().ok_or(Error::UserNotFound)?, "id")?;
    insert(connection, pool, name, user).await
}

/// Makes the user with this id a member of a group that must exist.
pub(super) async fn join(connection: &mut AnyConnection, pool: &str, name: &str, user: i64) -> Result<(), Fault> {
    exists(connection, pool, name).await?;
    insert(connection, pool, name, user).await
}

async fn exists(connection: &mut AnyConnection, pool: &str, name: &str) -> Result<(), Fault> {
    let query = sqlx::query("SELECT precedence FROM groups WHERE pool = $1 AND name = $2").bind(pool).bind(name);
    let rows = query.fetch_all(connection).await?;
    if rows.is_empty() { Err(Error::NotFound(Kind::Group).into()) } else { Ok(()) }
}

async fn insert(connection: &mut AnyConnection, pool: &str, name: &str, user: i64) -> Result<(), Fault> {
    sqlx::query("INSERT INTO memberships (user_id, pool, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(user)
        .bind(pool)
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a member, if he is one.
pub(super) async fn remove(connection: &mut AnyConnection, pool: &str, name: &str, sub: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM memberships WHERE pool = $1 AND name = $2 \
         AND user_id IN (SELECT id FROM users WHERE pool = $1 AND sub = $3)",
    )
    .bind(pool)
    .bind(name)
    .bind(sub.to_string())
    .execute(connection)
    .await?;
    Ok(())
}
