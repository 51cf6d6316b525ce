//! Hashes of former passwords in SQL, a row a user, newest first. They hang on the user's row and go with it.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe};
use uuid::Uuid;

use super::fault::Fault;
use super::{row, users};
use crate::error::Error;
use crate::store::directory::User;

/// Keeps what users are made with, a statement for all of them.
pub(super) async fn insert(connection: &mut AnyConnection, drafts: &[(i64, &User)]) -> Result<(), Fault> {
    let some: Vec<_> = drafts.iter().filter(|(_, user)| !user.former_passwords.is_empty()).collect();
    if some.is_empty() {
        return Ok(());
    }
    let places = row::places(some.len(), 4);
    let text = format!("INSERT INTO former_passwords (user_id, pool, hashes, size) VALUES {places}");
    let mut query = sqlx::query(AssertSqlSafe(text));
    for (id, user) in some {
        let hashes = &user.former_passwords;
        query = query.bind(id).bind(&user.pool).bind(written(hashes)?).bind(size(hashes));
    }
    query.execute(connection).await?;
    Ok(())
}

/// See [`crate::store::directory::Directory::replace_password`]. The user's row, which is written first, is the lock.
pub(super) async fn replace(connection: &mut AnyConnection, user: &User, most: u32) -> Result<i64, Fault> {
    let query = sqlx::query("SELECT id, password FROM users WHERE pool = $1 AND sub = $2 AND version = $3");
    let query = query.bind(&user.pool).bind(user.sub.to_string()).bind(user.version);
    let rows = query.fetch_all(&mut *connection).await?;
    let before = rows.first().ok_or(Error::Conflict)?;
    let (id, replaced) = (row::integer(before, "id")?, row::optional_text(before, "password")?);
    let version = users::update(connection, user).await?;
    let query = sqlx::query("SELECT hashes FROM former_passwords WHERE user_id = $1").bind(id);
    let rows = query.fetch_all(&mut *connection).await?;
    let mut hashes = rows.first().map_or_else(|| Ok(Vec::new()), |row| read(&row::text(row, "hashes")?))?;
    hashes.splice(..0, replaced);
    hashes.truncate(count(most));
    put(connection, id, &user.pool, &hashes).await?;
    Ok(version)
}

async fn put(connection: &mut AnyConnection, user: i64, pool: &str, hashes: &[String]) -> Result<(), Fault> {
    if hashes.is_empty() {
        sqlx::query("DELETE FROM former_passwords WHERE user_id = $1").bind(user).execute(connection).await?;
        return Ok(());
    }
    let query = sqlx::query(
        "INSERT INTO former_passwords (user_id, pool, hashes, size) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_id) DO UPDATE SET hashes = excluded.hashes, size = excluded.size",
    );
    query.bind(user).bind(pool).bind(written(hashes)?).bind(size(hashes)).execute(connection).await?;
    Ok(())
}

/// Those of several users of a pool, by their subs.
pub(super) async fn of_users(
    connection: &mut AnyConnection,
    pool: &str,
    subs: &[Uuid],
) -> Result<HashMap<Uuid, Vec<String>>, Fault> {
    if subs.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (0..subs.len()).map(|place| format!("${}", place + 2)).collect();
    let text = format!(
        "SELECT u.sub, f.hashes FROM users u JOIN former_passwords f ON f.user_id = u.id \
         WHERE u.pool = $1 AND u.sub IN ({})",
        places.join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(text)).bind(pool);
    let query = subs.iter().fold(query, |query, sub| query.bind(sub.to_string()));
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row::uuid(row, "sub")?, read(&row::text(row, "hashes")?)?))).collect()
}

/// See [`crate::store::directory::Directory::trim_former_passwords`]. A row that changes meanwhile is left to whoever
/// changes it, and found again where he kept too many.
pub(super) async fn trim(connection: &mut AnyConnection, pool: &str, most: u32, limit: u32) -> Result<u64, Fault> {
    let query = sqlx::query("SELECT user_id, hashes FROM former_passwords WHERE pool = $1 AND size > $2 LIMIT $3");
    let rows = query.bind(pool).bind(i64::from(most)).bind(i64::from(limit)).fetch_all(&mut *connection).await?;
    for row in &rows {
        let (user, found) = (row::integer(row, "user_id")?, row::text(row, "hashes")?);
        let mut hashes = read(&found)?;
        hashes.truncate(count(most));
        let query = if hashes.is_empty() {
            sqlx::query("DELETE FROM former_passwords WHERE user_id = $1 AND hashes = $2").bind(user).bind(found)
        } else {
            let text = "UPDATE former_passwords SET hashes = $3, size = $4 WHERE user_id = $1 AND hashes = $2";
            sqlx::query(text).bind(user).bind(found).bind(written(&hashes)?).bind(size(&hashes))
        };
        query.execute(&mut *connection).await?;
    }
    Ok(rows.len() as u64)
}

fn read(text: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::unreadable("hashes"))
}

fn written(hashes: &[String]) -> Result<String, Error> {
    serde_json::to_string(hashes).map_err(Error::internal)
}

fn size(hashes: &[String]) -> i64 {
    i64::try_from(hashes.len()).unwrap_or(i64::MAX)
}

fn count(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}
