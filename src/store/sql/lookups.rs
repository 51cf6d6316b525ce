//! Users as they are found in SQL. The groups of a user come with him in one statement, one row a group.

use std::collections::HashMap;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use super::{floors, members, row};
use crate::clock::Timestamp;
use crate::store::directory::{SessionOwner, User, UserStatus};
use crate::store::organization::Member;

/// Users from `$source` with their groups, for the end of the statement to choose among.
macro_rules! select {
    ($extra:expr, $source:expr, $end:expr) => {
        concat!(
            "SELECT u.id, u.pool, u.sub, u.username, u.username_key, u.email, u.email_key, u.email_verified, u.phone, \
             u.phone_verified, u.attributes, u.status, u.enabled, u.password, u.temporary_until, u.session_epoch, \
             u.spared_session, u.external_id, u.client_secret, u.api_key, u.aliases, u.srp, u.mfa, u.created_at, \
             u.updated_at, u.version, g.name AS group_name, g.precedence AS group_precedence ",
            $extra,
            " FROM ",
            $source,
            " u LEFT JOIN memberships m ON m.user_id = u.id \
             LEFT JOIN groups g ON g.pool = m.pool AND g.name = m.name ",
            $end
        )
    };
}
pub(super) use select;

const BY_SUB: &str = select!("", "users", "WHERE u.pool = $1 AND u.sub = $2");

const BY_SUB_AND_SESSION: &str = select!(
    ", (SELECT COUNT(*) FROM ended_sessions e WHERE e.id = $3) AS ended, \
     (SELECT COALESCE(MAX(d.version), 0) FROM documents d WHERE d.kind = 'keys' AND d.id = $1) AS keys, \
     COALESCE(r.generation, 0) AS floor, COALESCE(r.since, 0) AS floor_since",
    "users",
    "LEFT JOIN rotations r ON r.session = $3 WHERE u.pool = $1 AND u.sub = $2"
);

const BY_ID: &str = select!("", "users", "WHERE u.pool = $1 AND u.id = $2");

const BY_LOGIN: &str = select!(
    "",
    "(SELECT o.* FROM logins l JOIN users o ON o.id = l.user_id WHERE l.pool = $1 AND l.login IN ($2, $3) \
      AND (o.username_key = $2 OR l.login = $3) \
      ORDER BY CASE WHEN o.username_key = $2 THEN 0 ELSE 1 END LIMIT 1)",
    ""
);

const PAGE: &str =
    select!("", "(SELECT * FROM users WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3)", "ORDER BY u.id");

const IN_GROUP: &str = select!(
    "",
    "(SELECT o.* FROM memberships i JOIN users o ON o.id = i.user_id \
      WHERE i.pool = $1 AND i.name = $2 AND o.id > $3 ORDER BY o.id LIMIT $4)",
    "ORDER BY u.id"
);

const MEMBERS: &str = select!(
    ", u.role",
    "(SELECT p.*, m.role FROM organizations o JOIN organization_members m ON m.organization_id = o.id \
      JOIN users p ON p.id = m.user_id WHERE o.pool = $1 AND o.id = $2)",
    "ORDER BY u.id"
);

/// The user with this sub.
pub(super) async fn find(connection: &mut AnyConnection, pool: &str, sub: Uuid) -> Result<Option<User>, Fault> {
    let rows = sqlx::query(BY_SUB).bind(pool).bind(sub.to_string()).fetch_all(connection).await?;
    Ok(gather(&rows)?.pop())
}

/// The user with this integer alias.
pub(super) async fn find_by_id(connection: &mut AnyConnection, pool: &str, id: i64) -> Result<Option<User>, Fault> {
    let rows = sqlx::query(BY_ID).bind(pool).bind(id).fetch_all(connection).await?;
    Ok(gather(&rows)?.pop())
}

/// The user who signs in with this name, else with this alias.
pub(super) async fn find_by_login(
    connection: &mut AnyConnection,
    pool: &str,
    username_key: &str,
    alias: &str,
) -> Result<Option<User>, Fault> {
    let rows = sqlx::query(BY_LOGIN).bind(pool).bind(username_key).bind(alias).fetch_all(connection).await?;
    Ok(gather(&rows)?.pop())
}

/// The user with this sub and what is known of the session.
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
    let floor = floors::found(first)?;
    Ok(gather(&rows)?.pop().map(|user| SessionOwner { user, session_ended, floor, keys_version }))
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

/// One page of the members of a group.
pub(super) async fn in_group(
    connection: &mut AnyConnection,
    pool: &str,
    name: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<User>, Fault> {
    let query = sqlx::query(IN_GROUP).bind(pool).bind(name).bind(after).bind(i64::from(limit));
    gather(&query.fetch_all(connection).await?)
}

/// The members of an organization by the user's id.
pub(super) async fn members(
    connection: &mut AnyConnection,
    pool: &str,
    organization: i64,
) -> Result<Vec<Member>, Fault> {
    let rows = sqlx::query(MEMBERS).bind(pool).bind(organization).fetch_all(connection).await?;
    let roles = rows.iter().map(|row| Ok((row::integer(row, "id")?, members::role(row)?)));
    let roles = roles.collect::<Result<HashMap<_, _>, Fault>>()?;
    let member = |user: User| roles.get(&user.id).map(|role| Member { role: *role, user });
    Ok(gather(&rows)?.into_iter().filter_map(member).collect())
}

/// One user out of as many rows as he has groups.
pub(super) fn gather(rows: &[AnyRow]) -> Result<Vec<User>, Fault> {
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
        aliases: optional_json(row, "aliases")?,
        password: row::optional_text(row, "password")?,
        srp: row::optional_text(row, "srp")?,
        mfa: row::optional_text(row, "mfa")?,
        temporary_until: row::optional_integer(row, "temporary_until")?.map(Timestamp),
        session_epoch: row::integer(row, "session_epoch")?,
        spared_session: row::optional_uuid(row, "spared_session")?,
        external_id: row::optional_text(row, "external_id")?,
        client_secret: row::optional_text(row, "client_secret")?,
        api_key: row::optional_text(row, "api_key")?,
        former_passwords: Vec::new(),
        groups: Vec::new(),
        created_at: row::time(row, "created_at")?,
        updated_at: row::time(row, "updated_at")?,
        version: row::integer(row, "version")?,
    })
}

fn optional_json<T: serde::de::DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<Option<T>, Fault> {
    let text = row::optional_text(row, column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| Fault::unreadable(column))).transpose()
}
