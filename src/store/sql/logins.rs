//! What users sign in with, in SQL: a table of its own, whose primary key gives every name and every verified
//! address of a pool one owner, whatever happens at the same time.

use sqlx::AnyConnection;

use super::fault::Fault;
use crate::error::Error;
use crate::store::directory::User;

/// Makes name and verified address the user's logins, and no other.
pub(super) async fn claim(connection: &mut AnyConnection, id: i64, user: &User) -> Result<(), Fault> {
    let address = user.email_key.as_ref().filter(|_| user.email_verified).unwrap_or(&user.username_key);
    sqlx::query("DELETE FROM logins WHERE user_id = $1 AND login <> $2 AND login <> $3")
        .bind(id)
        .bind(&user.username_key)
        .bind(address)
        .execute(&mut *connection)
        .await?;
    // In one order for everybody, so that two users who claim each other's wait instead of locking for ever.
    let mut logins = vec![&user.username_key, address];
    logins.sort();
    logins.dedup();
    for login in logins {
        claim_one(connection, &user.pool, login, id).await?;
    }
    Ok(())
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
