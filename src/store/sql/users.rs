//! Users in SQL: made, written, deleted.

use sqlx::{AnyConnection, AssertSqlSafe};
use uuid::Uuid;

use super::fault::Fault;
use super::{former, groups, logins, lookups, next_id, row};
use crate::error::Error;
use crate::store::directory::User;

/// What counts them.
pub(super) const COUNTER: &str = "user";
const FIRST_VERSION: i64 = 1;

/// Makes a user; see [`crate::store::directory::Directory::create_user`].
pub(super) async fn create(connection: &mut AnyConnection, user: &User) -> Result<User, Fault> {
    // The row of the counter also keeps two creations from waiting for each other's logins.
    let id = next_id(connection, COUNTER).await?;
    let made = create_as(connection, &[(id, user)]).await?.pop();
    made.ok_or_else(|| Error::internal("a new user is missing").into())
}

/// Makes users under ids that were given before, all or none.
pub(super) async fn create_as(connection: &mut AnyConnection, drafts: &[(i64, &User)]) -> Result<Vec<User>, Fault> {
    insert(connection, drafts).await?;
    logins::insert(connection, drafts).await?;
    former::insert(connection, drafts).await?;
    let mut made = Vec::with_capacity(drafts.len());
    for (id, draft) in drafts {
        let user = User { id: *id, version: FIRST_VERSION, ..User::clone(draft) };
        made.push(join_groups(connection, user).await?);
    }
    Ok(made)
}

/// Adds a new user to the groups named in him; answers him with the groups in their order.
async fn join_groups(connection: &mut AnyConnection, user: User) -> Result<User, Fault> {
    if user.groups.is_empty() {
        return Ok(user);
    }
    for group in &user.groups {
        groups::join(connection, &user.pool, group, user.id).await?;
    }
    let made = lookups::find(connection, &user.pool, user.sub).await?;
    made.ok_or_else(|| Error::internal("a new user is missing").into())
}

/// One statement; refuses when one of them can not be.
async fn insert(connection: &mut AnyConnection, drafts: &[(i64, &User)]) -> Result<(), Fault> {
    let text = format!(
        "INSERT INTO users (id, pool, sub, username, username_key, email, email_key, email_verified, phone, \
         phone_verified, attributes, status, enabled, password, temporary_until, session_epoch, spared_session, \
         external_id, client_secret, api_key, aliases, srp, mfa, created_at, updated_at, version) VALUES {} ON CONFLICT DO NOTHING",
        row::places(drafts.len(), 26)
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (id, user) in drafts {
        query = query
            .bind(id)
            .bind(&user.pool)
            .bind(user.sub.to_string())
            .bind(&user.username)
            .bind(&user.username_key)
            .bind(user.email.as_ref())
            .bind(user.email_key.as_ref())
            .bind(i64::from(user.email_verified))
            .bind(user.phone.as_ref())
            .bind(i64::from(user.phone_verified))
            .bind(attributes(user)?)
            .bind(user.status.as_str())
            .bind(i64::from(user.enabled))
            .bind(user.password.as_ref())
            .bind(user.temporary_until.map(|time| time.0))
            .bind(user.session_epoch)
            .bind(user.spared_session.map(|id| id.to_string()))
            .bind(user.external_id.as_ref())
            .bind(user.client_secret.as_ref())
            .bind(user.api_key.as_ref())
            .bind(aliases(user)?)
            .bind(user.srp.as_ref())
            .bind(user.mfa.as_ref())
            .bind(user.created_at.0)
            .bind(user.updated_at.0)
            .bind(FIRST_VERSION);
    }
    let made = query.execute(connection).await?;
    if made.rows_affected() == drafts.len() as u64 { Ok(()) } else { Err(Error::UserExists.into()) }
}

/// Writes a user if nobody else did since; see [`crate::store::directory::Directory::update_user`].
pub(super) async fn update(connection: &mut AnyConnection, user: &User) -> Result<i64, Fault> {
    let rows = sqlx::query(
        "UPDATE users SET username = $1, username_key = $2, email = $3, email_key = $4, email_verified = $5, \
         phone = $6, phone_verified = $7, attributes = $8, status = $9, enabled = $10, password = $11, \
         temporary_until = $12, session_epoch = $13, spared_session = $14, external_id = $15, client_secret = $16, \
         api_key = $17, aliases = $18, srp = $19, mfa = $20, updated_at = $21, version = version + 1 \
         WHERE pool = $22 AND sub = $23 AND version = $24 RETURNING id, version",
    )
    .bind(&user.username)
    .bind(&user.username_key)
    .bind(user.email.as_ref())
    .bind(user.email_key.as_ref())
    .bind(i64::from(user.email_verified))
    .bind(user.phone.as_ref())
    .bind(i64::from(user.phone_verified))
    .bind(attributes(user)?)
    .bind(user.status.as_str())
    .bind(i64::from(user.enabled))
    .bind(user.password.as_ref())
    .bind(user.temporary_until.map(|time| time.0))
    .bind(user.session_epoch)
    .bind(user.spared_session.map(|id| id.to_string()))
    .bind(user.external_id.as_ref())
    .bind(user.client_secret.as_ref())
    .bind(user.api_key.as_ref())
    .bind(aliases(user)?)
    .bind(user.srp.as_ref())
    .bind(user.mfa.as_ref())
    .bind(user.updated_at.0)
    .bind(&user.pool)
    .bind(user.sub.to_string())
    .bind(user.version)
    .fetch_all(&mut *connection)
    .await?;
    let written = rows.first().ok_or(Error::Conflict)?;
    logins::claim(connection, row::integer(written, "id")?, user).await?;
    row::integer(written, "version")
}

/// Deletes a user with logins and memberships.
pub(super) async fn delete(connection: &mut AnyConnection, pool: &str, sub: Uuid) -> Result<bool, Fault> {
    let query = sqlx::query("DELETE FROM users WHERE pool = $1 AND sub = $2").bind(pool).bind(sub.to_string());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

fn attributes(user: &User) -> Result<String, Error> {
    serde_json::to_string(&user.attributes).map_err(Error::internal)
}

fn aliases(user: &User) -> Result<Option<String>, Error> {
    user.aliases.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)
}
