//! What users sign in with, in SQL: a table of its own, whose primary key gives every name and every alias of a pool
//! one owner, whatever happens at the same time.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::fault::Fault;
use super::row;
use crate::error::Error;
use crate::store::directory::User;

/// Makes name and aliases the user's logins, and no other.
pub(super) async fn claim(connection: &mut AnyConnection, id: i64, user: &User) -> Result<(), Fault> {
    let logins = keys(user);
    let held = sqlx::query("SELECT login FROM logins WHERE user_id = $1").bind(id).fetch_all(&mut *connection).await?;
    for row in &held {
        let login = row::text(row, "login")?;
        if !logins.contains(login.as_str()) {
            let query = sqlx::query("DELETE FROM logins WHERE user_id = $1 AND login = $2").bind(id).bind(login);
            query.execute(&mut *connection).await?;
        }
    }
    for login in logins {
        claim_one(connection, &user.pool, login, id).await?;
    }
    Ok(())
}

/// His name and what he signs in with besides it; in one order for everybody, so that two users who claim each other's
/// wait instead of locking for ever.
fn keys(user: &User) -> BTreeSet<&str> {
    let verified = user.email_key.as_deref().filter(|_| user.email_verified && user.aliases.is_none());
    let aliases = user.aliases.iter().flatten().map(String::as_str);
    verified.into_iter().chain(aliases).chain([user.username_key.as_str()]).collect()
}

/// Gives users who are just being made their logins, in one statement, or refuses when one is somebody's.
pub(super) async fn insert<'u>(connection: &mut AnyConnection, users: &[(i64, &'u User)]) -> Result<(), Fault> {
    let of = |entry: &(i64, &'u User)| {
        let (id, user) = *entry;
        keys(user).into_iter().map(move |key| (user.pool.as_str(), key, id))
    };
    let logins: BTreeSet<_> = users.iter().flat_map(of).collect();
    let text = format!(
        "INSERT INTO logins (pool, login, user_id) VALUES {} ON CONFLICT DO NOTHING",
        row::places(logins.len(), 3)
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (pool, login, id) in &logins {
        query = query.bind(*pool).bind(*login).bind(id);
    }
    let made = query.execute(connection).await?;
    if made.rows_affected() == logins.len() as u64 { Ok(()) } else { Err(Error::UserExists.into()) }
}

async fn claim_one(connection: &mut AnyConnection, pool: &str, login: &str, id: i64) -> Result<(), Fault> {
    let claimed = sqlx::query(
        "INSERT INTO logins (pool, login, user_id) VALUES ($1, $2, $3) \
         ON CONFLICT (pool, login) DO UPDATE SET user_id = excluded.user_id WHERE logins.user_id = excluded.user_id",
    )
    .bind(pool)
    .bind(login)
    .bind(id)
    .execute(connection)
    .await?;
    if claimed.rows_affected() == 1 { Ok(()) } else { Err(Error::UserExists.into()) }
}
