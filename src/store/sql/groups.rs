//! Groups and memberships in SQL.

use sqlx::AnyConnection;
use uuid::Uuid;

use super::fault::Fault;
use super::row;
use crate::error::{Error, Kind};
use crate::store::directory::Group;

/// Makes a group, or refuses when there is one of that name.
pub(super) async fn create(connection: &mut AnyConnection, group: &Group) -> Result<(), Fault> {
    let made = sqlx::query(
        "INSERT INTO groups (pool, name, description, precedence, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&group.pool)
    .bind(&group.name)
    .bind(group.description.as_ref())
    .bind(group.precedence)
    .bind(group.created_at.0)
    .execute(connection)
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(Error::Exists(Kind::Group).into()) }
}

/// All groups of a pool by precedence, then name.
pub(super) async fn list(connection: &mut AnyConnection, pool: &str) -> Result<Vec<Group>, Fault> {
    let rows = sqlx::query("SELECT pool, name, description, precedence, created_at FROM groups WHERE pool = $1")
        .bind(pool)
        .fetch_all(connection)
        .await?;
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
        created_at: row::time(row, "created_at")?,
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
