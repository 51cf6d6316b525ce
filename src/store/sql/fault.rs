//! What goes wrong in SQL, and which refusal it becomes: only a fault of ours is `Internal`; a store that is down,
//! slow, full, locked or read-only is `Unavailable` with its cause.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::error::Error;

/// Why a verb did not succeed.
pub(super) enum Fault {
    /// The verb's own answer; the statement did its work.
    Refused(Error),
    /// The database's.
    Store(sqlx::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Store(error) => refusal(error),
        }
    }
}

impl Fault {
    /// A value in the database that no version of Cognate wrote.
    pub(super) fn unreadable(what: &'static str) -> Self {
        Self::Refused(Error::internal(format!("the database holds an unreadable {what}")))
    }

    /// Whether the same transaction may succeed when it runs again (R14).
    pub(super) fn is_collision(&self) -> bool {
        matches!(self, Self::Store(error) if matches!(postgres_state(error).as_deref(), Some("40001" | "40P01")))
    }

    /// Whether the server behind the connection takes no writes: after a failover the address leads to another one.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self, Self::Store(error) if postgres_state(error).as_deref() == Some("25006"))
    }
}

fn refusal(error: sqlx::Error) -> Error {
    if is_absent(&error) {
        return Error::unavailable(error);
    }
    match error.as_database_error().map(DatabaseError::kind) {
        // What a row refers to went away between two statements.
        Some(ErrorKind::ForeignKeyViolation) => Error::Conflict,
        // PostgreSQL's text has no U+0000.
        Some(_) if postgres_state(&error).is_some_and(|state| state.starts_with("22")) => {
            Error::invalid("value", "has characters that cannot be stored")
        }
        Some(_) | None => Error::internal(error),
    }
}

/// Whether the store itself is missing, slow, full, locked, read-only or broken.
fn is_absent(error: &sqlx::Error) -> bool {
    let connection = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
            | sqlx::Error::Configuration(_)
    );
    connection
        || sqlite_code(error).is_some_and(|code| SQLITE_ABSENT.contains(&code))
        || postgres_state(error).is_some_and(|state| is_postgres_absent(&state))
}

/// BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB (sqlite.org/rescode.html).
const SQLITE_ABSENT: [i32; 10] = [5, 6, 7, 8, 10, 11, SQLITE_FULL, 14, 15, 26];
const SQLITE_FULL: i32 = 13;

/// Classes 08, 28, 3D, 40, 53, 57, 58, and a standby's or locked row's refusals (PostgreSQL manual, appendix A).
fn is_postgres_absent(state: &str) -> bool {
    ["08", "28", "3D", "40", "53", "57", "58"].iter().any(|class| state.starts_with(class))
        || matches!(state, "25006" | "55P03" | "42501")
}

/// Whether a table is not there: the database is somebody else's.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    postgres_state(error).as_deref() == Some("42P01")
        || error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"))
}

/// Whether the embedded store has run out of disk.
pub(super) fn is_disk_full(error: &sqlx::Error) -> bool {
    sqlite_code(error) == Some(SQLITE_FULL)
}

/// SQLite's primary result code.
fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

/// PostgreSQL's SQLSTATE.
fn postgres_state(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    Some(error.code().to_owned())
}
