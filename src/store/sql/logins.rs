//! What users sign in with, in SQL: a table of its own, whose primary key gives every name and every alias of a pool
//! one owner, whatever happens at the same time.

use std::collections::BTreeSet;

use sqlx::AnyConnection;

use super::fault::Fault;
use super::row;
use crate::error::Error;
use crate::store::directory::User;

/// Makes name and aliases the user's logins, and no other.
pub(super) async fn claim(connection: &mut AnyConnection, id: i64, user: &User) -> Result<(), Fault> {
    // In one order for everybody, so that two users who claim each other's wait instead of locking for ever.
    let logins: BTreeSet<&str> = aliases(user).chain([user.username_key.as_str()]).collect();
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

/// What the user signs in with besides his name.
fn aliases(user: &User) -> impl Iterator<Item = &str> {
    let verified = user.email_key.as_deref().filter(|_| user.email_verified && user.aliases.is_none());
    verified.into_iter().chain(user.aliases.iter().flatten().map(String::as_str))
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
