//! The schema: numbered texts that run once each, in order, on both databases. During a rolling upgrade the program
//! before the newest step goes on working, and may restart, on the schema after it: steps expand first, and contract
//! in a later release, which says so in [`COMPATIBLE_SINCE`].

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _};

use super::fault::is_missing_table;
use super::spelling::Spelling;

const STEPS: [(i64, &str, &str); 8] = [
    (1, "start", include_str!("migrations/0001_start.sql")),
    (2, "accounts", include_str!("migrations/0002_accounts.sql")),
    (3, "rotations", include_str!("migrations/0003_rotations.sql")),
    (4, "cognito", include_str!("migrations/0004_cognito.sql")),
    (5, "search", include_str!("migrations/0005_search.sql")),
    (6, "scale", include_str!("migrations/0006_scale.sql")),
    (7, "devices", include_str!("migrations/0007_devices.sql")),
    (8, "former passwords", include_str!("migrations/0008_former_passwords.sql")),
];

/// The oldest program that can work on the schema after all [`STEPS`], by the newest step it knows. A step that only
/// adds (tables, columns with a default or NULL, indexes) leaves this alone; one that takes away what the program before
/// still uses raises it. Kept in the database, where older programs read it.
const COMPATIBLE_SINCE: i64 = 1;

fn newest() -> i64 {
    STEPS.iter().map(|(number, _, _)| *number).max().unwrap_or_default()
}

fn migrator(spelling: Spelling) -> Migrator {
    let step = |(number, name, text): (i64, &'static str, &'static str)| {
        Migration::new(number, Cow::Borrowed(name), MigrationType::Simple, spelling.spell(text), false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.into_iter().map(step).collect());
    // Whether unknown steps may be there is for `recognise` to say.
    migrator.set_ignore_missing(true);
    migrator
}

/// Brings the schema up to date; an error when it is one that this program can not work on.
async fn migrate(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if matches!(applied(connection).await, Ok(numbers) if !numbers.is_empty()) {
        refuse_too_new(connection).await?;
        // Before a step takes anything away, so that no older program starts on it.
        match announce(connection).await {
            // A stranger's database, which the checksums below tell.
            Err(error) if is_missing_table(&error) => {}
            announced => announced?,
        }
    }
    migrator(Spelling::of(connection)).run_direct(None, &mut *connection, false).await?;
    refuse_too_new(connection).await?;
    announce(connection).await
}

async fn refuse_too_new(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match too_new(connection).await? {
        Some(number) => Err(MigrateError::VersionMissing(number).into()),
        None => Ok(()),
    }
}

async fn applied(connection: &mut AnyConnection) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(connection).await
}

/// The newest step of the database, if it is unknown here and its maker did not say that this program can work on it.
async fn too_new(connection: &mut AnyConnection) -> Result<Option<i64>, sqlx::Error> {
    let ahead = applied(&mut *connection).await?.last().copied().filter(|number| *number > newest());
    if ahead.is_none() {
        return Ok(None);
    }
    let since: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT value FROM counters WHERE name = 'compatible_since'")
            .fetch_optional(connection)
            .await;
    let since = match since {
        Err(error) if is_missing_table(&error) => None,
        since => since?,
    };
    Ok(ahead.filter(|_| since.is_none_or(|since| since > newest())))
}

async fn announce(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO counters (name, value) VALUES ('compatible_since', $1) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value < excluded.value",
    )
    .bind(COMPATIBLE_SINCE)
    .execute(connection)
    .await?;
    Ok(())
}

/// Brings a SQLite file up to date, in one transaction that two processes never run at once.
pub(super) async fn migrate_file(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrate(&mut transaction).await?;
    transaction.commit().await
}

/// Brings a PostgreSQL database up to date. The connection is closed afterwards, because the advisory lock that
/// keeps other replicas out is the session's and survives a failed run.
pub(super) async fn migrate_server(mut connection: AnyConnection) -> Result<(), sqlx::Error> {
    let outcome = match be_patient(&mut connection).await {
        Ok(()) => migrate(&mut connection).await,
        Err(error) => Err(error),
    };
    let closed = connection.close().await;
    outcome?;
    closed
}

/// A step may take longer than a request may, but it must not wait long for a lock: whoever comes after it in the
/// queue, the requests of the replicas that serve, would wait with it.
async fn be_patient(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let text = "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '1s', false)";
    sqlx::query(text).fetch_all(connection).await?;
    Ok(())
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

/// Whether the file holds a Cognate database of a schema that this program can work on.
pub(super) async fn recognise(connection: &mut AnyConnection) -> Result<(), String> {
    match applied(connection).await {
        Ok(numbers) if !numbers.is_empty() => {}
        Ok(_) | Err(_) => return Err("it is not a Cognate database".to_owned()),
    }
    match too_new(connection).await.map_err(|fault| fault.to_string())? {
        Some(number) => Err(newer(number)),
        None => Ok(()),
    }
}
