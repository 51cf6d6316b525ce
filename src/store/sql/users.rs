//! Users in SQL. The groups of a user come with him in one statement, one row a group.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::{groups, logins, row};
use crate::error::Error;
use crate::store::directory::{SessionOwner, User, UserStatus};

/// Users from `$source` with their groups, for the end of the statement to choose among.
macro_rules! select {
    ($extra:literal, $source:literal, $end:literal) => {
        concat!(
            "SELECT u.id, u.pool, u.sub, u.username, u.username_key, u.email, u.email_key, u.email_verified, u.phone, \
             u.phone_verified, u.attributes, u.status, u.enabled, u.password, u.temporary_until, u.session_epoch, \
             u.spared_session, u.created_at, u.updated_at, u.version, g.name AS group_name, \
             g.precedence AS group_precedence ",
            $extra,
            " FROM ",
            $source,
            " u LEFT JOIN memberships m ON m.user_id = u.id \
             LEFT JOIN groups g ON g.pool = m.pool AND g.name = m.name ",
            $end
        )
    };
}

const BY_SUB: &str = select!("", "users", "WHERE u.pool = $1 AND u.sub = $2");

const BY_SUB_AND_SESSION: &str = select!(
    ", (SELECT COUNT(*) FROM ended_sessions e WHERE e.id = $3) AS ended, \
     (SELECT COALESCE(MAX(d.version), 0) FROM documents d WHERE d.kind = 'keys' AND d.id = $1) AS keys",
    "users",
    "WHERE u.pool = $1 AND u.sub = $2"
);

const BY_LOGIN: &str = select!(
    "",
    "(SELECT o.* FROM logins l JOIN users o ON o.id = l.user_id WHERE l.pool = $1 AND l.login IN ($2, $3) \
      AND (o.username_key = $2 OR (o.email_verified = 1 AND o.email_key = $3)) \
      ORDER BY CASE WHEN o.username_key = $2 THEN 0 ELSE 1 END LIMIT 1)",
    ""
);

const PAGE: &str =
    select!("", "(SELECT * FROM users WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3)", "ORDER BY u.id");

/// Makes a user; see [`crate::store::directory::Directory::create_user`].
pub(super) async fn create(connection: &mut AnyConnection, user: &User) -> Result<User, Fault> {
    // The row of the counter also keeps two creations from waiting for each other's logins.
    let id = next_id(connection).await?;
    insert(connection, id, user).await?;
    logins::claim(connection, id, user).await?;
    for group in &user.groups {
        groups::join(connection, &user.pool, group, id).await?;
    }
    find(connection, &user.pool, user.sub).await?.ok_or_else(|| Error::internal("a new user is missing").into())
}

async fn next_id(connection: &mut AnyConnection) -> Result<i64, Fault> {
    let rows = sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'user' RETURNING value")
        .fetch_all(connection)
        .await?;
    rows.first().map_or_else(|| Err(Fault::unreadable("counter")), |row| row::integer(row, "value"))
}

async fn insert(connection: &mut AnyConnection, id: i64, user: &User) -> Result<(), Fault> {
    let made = sqlx::query(
        "INSERT INTO users (id, pool, sub, username, username_key, email, email_key, email_verified, phone, \
         phone_verified, attributes, status, enabled, password, temporary_until, session_epoch, spared_session, \
         created_at, updated_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1) \
         ON CONFLICT DO NOTHING",
    )
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
    .bind(user.created_at.0)
    .bind(user.updated_at.0)
    .execute(connection)
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(Error::UserExists.into()) }
}

/// Writes a user if nobody else did since; see [`crate::store::directory::Directory::update_user`].
pub(super) async fn update(connection: &mut AnyConnection, user: &User) -> Result<i64, Fault> {
    let rows = sqlx::query(
        "UPDATE users SET username = $1, username_key = $2, email = $3, email_key = $4, email_verified = $5, \
         phone = $6, phone_verified = $7, attributes = $8, status = $9, enabled = $10, password = $11, \
         temporary_until = $12, session_epoch = $13, spared_session = $14, updated_at = $15, version = version + 1 \
         WHERE pool = $16 AND sub = $17 AND version = $18 RETURNING id, version",
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

/// The user with this sub.
pub(super) async fn find(connection: &mut AnyConnection, pool: &str, sub: Uuid) -> Result<Option<User>, Fault> {
    let rows = sqlx::query(BY_SUB).bind(pool).bind(sub.to_string()).fetch_all(connection).await?;
    Ok(gather(&rows)?.pop())
}

/// The user who signs in with this name, else with this verified address.
pub(super) async fn find_by_login(
    connection: &mut AnyConnection,
    pool: &str,
    username_key: &str,
    email_key: &str,
) -> Result<Option<User>, Fault> {
    let rows = sqlx::query(BY_LOGIN).bind(pool).bind(username_key).bind(email_key).fetch_all(connection).await?;
    Ok(gather(&rows)?.pop())
}

/// The user with this sub and whether the session was ended.
pub(super) async fn owner(
    connection: &mut AnyConnection,
    pool: &str,
    sub: Uuid,
    session: Uuid,
) -> Result<Option<SessionOwner>, Fault> {
    let query = sqlx::query(BY_SUB_AND_SESSION).bind(pool).bind(sub.to_string()).bind(session.to_string());
    let rows = query.fetch_all(connection).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (session_ended, keys_version) = (row::flag(first, "ended")?, row::integer(first, "keys")?);
    Ok(gather(&rows)?.pop().map(|user| SessionOwner { user, session_ended, keys_version }))
}

/// One page of a pool's users.
pub(super) async fn page(
    connection: &mut AnyConnection,
    pool: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<User>, Fault> {
    let rows = sqlx::query(PAGE).bind(pool).bind(after).bind(i64::from(limit)).fetch_all(connection).await?;
    gather(&rows)
}

/// Deletes a user with logins and memberships.
pub(super) async fn delete(connection: &mut AnyConnection, pool: &str, sub: Uuid) -> Result<bool, Fault> {
    let query = sqlx::query("DELETE FROM users WHERE pool = $1 AND sub = $2").bind(pool).bind(sub.to_string());
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// One user out of as many rows as he has groups.
fn gather(rows: &[AnyRow]) -> Result<Vec<User>, Fault> {
    let mut users: Vec<User> = Vec::new();
    let mut memberships: Vec<(i64, String)> = Vec::new();
    for row in rows {
        if users.last().map(|user| user.id) != Some(row::integer(row, "id")?) {
            settle(&mut users, &mut memberships);
            users.push(user(row)?);
        }
        if let Some(name) = row::optional_text(row, "group_name")? {
            memberships.push((row::integer(row, "group_precedence")?, name));
        }
    }
    settle(&mut users, &mut memberships);
    Ok(users)
}

/// Gives the last user his groups. Sorted here, because the databases sort text differently.
fn settle(users: &mut [User], memberships: &mut Vec<(i64, String)>) {
    memberships.sort();
    let groups = memberships.drain(..).map(|(_, name)| name).collect();
    if let Some(user) = users.last_mut() {
        user.groups = groups;
    }
}

fn user(row: &AnyRow) -> Result<User, Fault> {
    Ok(User {
        id: row::integer(row, "id")?,
        pool: row::text(row, "pool")?,
        sub: row::uuid(row, "sub")?,
        username: row::text(row, "username")?,
        username_key: row::text(row, "username_key")?,
        email: row::optional_text(row, "email")?,
        email_key: row::optional_text(row, "email_key")?,
        email_verified: row::flag(row, "email_verified")?,
        phone: row::optional_text(row, "phone")?,
        phone_verified: row::flag(row, "phone_verified")?,
        attributes: serde_json::from_str(&row::text(row, "attributes")?)
            .map_err(|_| Fault::unreadable("attributes"))?,
        status: UserStatus::parse(&row::text(row, "status")?).ok_or_else(|| Fault::unreadable("status"))?,
        enabled: row::flag(row, "enabled")?,
        password: row::optional_text(row, "password")?,
        temporary_until: row::optional_integer(row, "temporary_until")?.map(crate::clock::Timestamp),
        session_epoch: row::integer(row, "session_epoch")?,
        spared_session: row::optional_uuid(row, "spared_session")?,
        groups: Vec::new(),
        created_at: row::time(row, "created_at")?,
        updated_at: row::time(row, "updated_at")?,
        version: row::integer(row, "version")?,
    })
}

fn attributes(user: &User) -> Result<String, Error> {
    serde_json::to_string(&user.attributes).map_err(Error::internal)
}
