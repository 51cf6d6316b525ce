//! A pool's end in SQL: its users a few at a time, then everything else that names it.

use sqlx::AnyConnection;

use super::fault::Fault;

/// See [`crate::store::directory::Directory::delete_users`].
pub(super) async fn delete_users(connection: &mut AnyConnection, pool: &str, limit: u32) -> Result<u64, Fault> {
    let query = "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE pool = $1 ORDER BY id LIMIT $2)";
    Ok(sqlx::query(query).bind(pool).bind(i64::from(limit)).execute(connection).await?.rows_affected())
}

/// See [`crate::store::directory::Directory::delete_clients`].
pub(super) async fn delete_clients(connection: &mut AnyConnection, pool: &str) -> Result<u64, Fault> {
    let query = sqlx::query("DELETE FROM documents WHERE kind = 'client' AND parent = $1").bind(pool);
    Ok(query.execute(connection).await?.rows_affected())
}

/// See [`crate::store::directory::Directory::delete_pool`].
pub(super) async fn delete(connection: &mut AnyConnection, pool: &str) -> Result<bool, Fault> {
    for query in [
        "DELETE FROM groups WHERE pool = $1",
        "DELETE FROM organizations WHERE pool = $1",
        "DELETE FROM documents WHERE kind IN ('client', 'keys', 'resource_server') AND parent = $1",
    ] {
        sqlx::query(query).bind(pool).execute(&mut *connection).await?;
    }
    let query = sqlx::query("DELETE FROM documents WHERE kind = 'pool' AND id = $1").bind(pool);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}
