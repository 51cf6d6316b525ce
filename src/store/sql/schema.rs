//! The schema: numbered texts that run once each, in order, on both databases.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, SqlSafeStr as _};

const STEPS: [(i64, &str, &str); 2] = [
    (1, "start", include_str!("migrations/0001_start.sql")),
    (2, "accounts", include_str!("migrations/0002_accounts.sql")),
];

fn migrator() -> Migrator {
    let step = |(number, name, text): (i64, &'static str, &'static str)| {
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.into_iter().map(step).collect())
}

/// Brings a SQLite file up to date, in one transaction that two processes never run at once.
pub(super) async fn migrate_file(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator().run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await
}

/// Brings a PostgreSQL database up to date. The connection is closed afterwards, because the advisory lock that
/// keeps other replicas out is the session's and survives a failed run.
pub(super) async fn migrate_server(mut connection: AnyConnection) -> Result<(), sqlx::Error> {
    let outcome = migrator().run_direct(None, &mut connection, false).await;
    let closed = connection.close().await;
    outcome?;
    closed
}

/// The line for a fault that no waiting mends; `None` when the store may yet come.
pub(super) fn hopeless(error: &sqlx::Error) -> Option<String> {
    if let sqlx::Error::Configuration(cause) = error {
        return Some(format!("the address is not usable: {cause}"));
    }
    let sqlx::Error::Migrate(fault) = error else { return None };
    if let MigrateError::VersionMissing(number) = fault.as_ref() {
        return Some(newer(*number));
    }
    let theirs = matches!(fault.as_ref(), MigrateError::VersionMismatch(_) | MigrateError::Dirty(_));
    theirs.then(|| format!("the schema of the database is not one that Cognate made: {fault}"))
}

fn newer(number: i64) -> String {
    format!(
        "the database was written by a newer Cognate (schema {number} is unknown here): upgrade or restore a backup"
    )
}

/// Whether the file holds a Cognate database of a known schema.
pub(super) async fn recognise(connection: &mut AnyConnection) -> Result<(), String> {
    let numbers: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(|_| "it is not a Cognate database".to_owned())?;
    match numbers.last().copied() {
        None => Err("it is not a Cognate database".to_owned()),
        Some(number) if STEPS.iter().all(|(known, _, _)| *known != number) => Err(newer(number)),
        Some(_) => Ok(()),
    }
}
