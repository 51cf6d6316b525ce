//! What users sign in with, in SQL: a table of its own, whose primary key gives every name and every verified
//! address of a pool one owner, whatever happens at the same time.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::fault::Fault;
use super::row;
use crate::error::Error;
use crate::store::directory::User;

/// Makes name and verified address the user's logins, and no other.
pub(super) async fn claim(connection: &mut AnyConnection, id: i64, user: &User) -> Result<(), Fault> {
    let address = address(user);
    sqlx::query("DELETE FROM logins WHERE user_id = $1 AND login <> $2 AND login <> $3")
        .bind(id)
        .bind(&user.username_key)
        .bind(address)
        .execute(&mut *connection)
        .await?;
    let mut logins = vec![&user.username_key, address];
    put_in_order(&mut logins);
    for login in logins {
        claim_one(connection, &user.pool, login, id).await?;
    }
    Ok(())
}

/// The address that he signs in with once it is verified, else his name again.
fn address(user: &User) -> &String {
    user.email_key.as_ref().filter(|_| user.email_verified).unwrap_or(&user.username_key)
}

/// In one order for everybody, so that two users who claim each other's wait instead of locking for ever.
fn put_in_order<T: Ord>(logins: &mut Vec<T>) {
    logins.sort();
    logins.dedup();
}

/// Gives users who are just being made their logins, in one statement, or refuses when one is somebody's.
pub(super) async fn insert<'u>(connection: &mut AnyConnection, users: &[(i64, &'u User)]) -> Result<(), Fault> {
    let of = |entry: &(i64, &'u User)| {
        let (id, user) = *entry;
        [(&user.pool, &user.username_key, id), (&user.pool, address(user), id)]
    };
    let mut logins: Vec<_> = users.iter().flat_map(of).collect();
    put_in_order(&mut logins);
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
