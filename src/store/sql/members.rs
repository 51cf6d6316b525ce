//! Who belongs to which organization, in SQL. A membership never crosses pools: only [`join`] and a registration
//! make one.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::{organizations, row};
use crate::error::Error;
use crate::store::organization::{Membership, Role};

/// The organizations of a user, by id.
pub(super) async fn of_user(connection: &mut AnyConnection, pool: &str, sub: Uuid) -> Result<Vec<Membership>, Fault> {
    let rows = sqlx::query(
        "SELECT o.id, o.pool, o.name, o.name_key, o.created_at, m.role FROM users u \
         JOIN organization_members m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id \
         WHERE u.pool = $1 AND u.sub = $2 ORDER BY o.id",
    )
    .bind(pool)
    .bind(sub.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(membership).collect()
}

fn membership(row: &AnyRow) -> Result<Membership, Fault> {
    Ok(Membership { organization: organizations::organization(row)?, role: role(row)? })
}

/// A role from its column.
pub(super) fn role(row: &AnyRow) -> Result<Role, Fault> {
    Role::from_number(row::integer(row, "role")?).ok_or_else(|| Fault::unreadable("role"))
}

/// Makes the user with this sub a member.
pub(super) async fn join(
    connection: &mut AnyConnection,
    pool: &str,
    organization: i64,
    sub: Uuid,
    role: Role,
) -> Result<(), Fault> {
    organizations::hold(connection, pool, organization).await?;
    let rows = sqlx::query("SELECT id FROM users WHERE pool = $1 AND sub = $2")
        .bind(pool)
        .bind(sub.to_string())
        .fetch_all(&mut *connection)
        .await?;
    let user = row::integer(rows.first().ok_or(Error::UserNotFound)?, "id")?;
    insert(connection, organization, user, role).await
}

/// Makes the user with this id a member of an organization that is held.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    organization: i64,
    user: i64,
    role: Role,
) -> Result<(), Fault> {
    let made = sqlx::query(
        "INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(organization)
    .bind(user)
    .bind(role.number())
    .execute(connection)
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(Error::AlreadyMember.into()) }
}

/// Changes the role of a member; false when he is none.
pub(super) async fn change_role(
    connection: &mut AnyConnection,
    pool: &str,
    organization: i64,
    sub: Uuid,
    role: Role,
) -> Result<bool, Fault> {
    let changed = sqlx::query(
        "UPDATE organization_members SET role = $1 WHERE organization_id = $2 \
         AND user_id IN (SELECT id FROM users WHERE pool = $3 AND sub = $4)",
    )
    .bind(role.number())
    .bind(organization)
    .bind(pool)
    .bind(sub.to_string())
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Removes a member; false when he was none.
pub(super) async fn leave(
    connection: &mut AnyConnection,
    pool: &str,
    organization: i64,
    sub: Uuid,
) -> Result<bool, Fault> {
    let removed = sqlx::query(
        "DELETE FROM organization_members WHERE organization_id = $1 \
         AND user_id IN (SELECT id FROM users WHERE pool = $2 AND sub = $3)",
    )
    .bind(organization)
    .bind(pool)
    .bind(sub.to_string())
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() == 1)
}
