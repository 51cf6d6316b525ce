//! Registration in SQL: a user, his first membership, and what gives way to them, all or nothing.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::organizations::Draft;
use super::{members, next_id, organizations, row, users};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};
use crate::store::organization::{Joining, Role};

/// See [`crate::store::directory::Directory::register_user`].
pub(super) async fn register(connection: &mut AnyConnection, draft: &User, joining: &Joining) -> Result<User, Fault> {
    // The row of the counter lets registrations through one by one.
    let fresh = next_id(connection, "user").await?;
    let id = give_way(connection, &draft.pool, &draft.username_key).await?.unwrap_or(fresh);
    free_reserved(connection, draft).await?;
    let (organization, role) = enter(connection, draft, joining).await?;
    let user = users::create_as(connection, &[(id, draft)]).await?.pop();
    members::insert(connection, organization, id, role).await?;
    user.ok_or_else(|| Error::internal("a new user is missing").into())
}

/// Deletes the unconfirmed user of this name with every organization that has no other member; answers his id. A
/// registration goes on with it: an id that changed would tell a registration from an account that is there.
pub(super) async fn give_way(
    connection: &mut AnyConnection,
    pool: &str,
    username_key: &str,
) -> Result<Option<i64>, Fault> {
    // A write that changes nothing holds him: who confirms him at the same time then finds him gone.
    let rows = sqlx::query(
        "UPDATE users SET version = version WHERE id IN (SELECT user_id FROM logins WHERE pool = $1 AND login = $2) \
         AND username_key = $2 AND status = $3 AND enabled = 1 RETURNING id",
    )
    .bind(pool)
    .bind(username_key)
    .bind(UserStatus::Unconfirmed.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let id = row::integer(row, "id")?;
    organizations::delete_of(connection, id).await?;
    sqlx::query("DELETE FROM users WHERE id = $1").bind(id).execute(connection).await?;
    Ok(Some(id))
}

/// What was reserved for the address gives way like what an unconfirmed registration of it holds.
async fn free_reserved(connection: &mut AnyConnection, draft: &User) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM organizations \
         WHERE reserved_by IN (SELECT user_id FROM logins WHERE pool = $1 AND login = $2)",
    )
    .bind(&draft.pool)
    .bind(&draft.username_key)
    .execute(connection)
    .await?;
    Ok(())
}

/// See [`crate::store::directory::Directory::reserve_organization`].
pub(super) async fn reserve(connection: &mut AnyConnection, draft: &User, name: &str, key: &str) -> Result<(), Fault> {
    free_reserved(connection, draft).await?;
    let rows = sqlx::query("SELECT user_id FROM logins WHERE pool = $1 AND login = $2")
        .bind(&draft.pool)
        .bind(&draft.username_key)
        .fetch_all(&mut *connection)
        .await?;
    let holder = rows.first().ok_or(Error::UserNotFound)?;
    let reserved_by = Some(row::integer(holder, "user_id")?);
    let draft = Draft { pool: &draft.pool, name, name_key: key, now: draft.created_at, reserved_by };
    organizations::create(connection, &draft).await.map(drop)
}

/// The organization that is joined, made or held, and the role there.
async fn enter(connection: &mut AnyConnection, draft: &User, joining: &Joining) -> Result<(i64, Role), Fault> {
    match joining {
        Joining::New { name, name_key } => {
            let draft = Draft { pool: &draft.pool, name, name_key, now: draft.created_at, reserved_by: None };
            Ok((organizations::create(connection, &draft).await?, Role::Admin))
        }
        Joining::Existing { organization, role } => {
            organizations::hold(connection, &draft.pool, *organization).await?;
            Ok((*organization, *role))
        }
    }
}
