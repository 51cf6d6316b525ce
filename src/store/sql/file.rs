//! SQLite: the file, how it is opened, and what is refused. Never repairs anything (R17).

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::sync::watch;

use super::readers::Readers;
use super::reserve::Reserve;
use super::writer::Writer;
use super::{Connections, Inner, schema};
use crate::config::DirectoryStore;

/// Opens the file; see [`super::open`].
pub(super) async fn open(path: &Path, config: &DirectoryStore) -> Result<Inner, String> {
    let path = &prepare(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let line = |cause: String| format!("{}: {cause}", path.display());
    let mut locks = vec![hold(path).map_err(line)?];
    let unchecked = is_unchecked(path, &mut locks);
    let timeout = *config.timeout;
    let writer = writer(path, timeout, unchecked).await.map_err(line)?;
    let readers = Readers::open(path, config.connections, timeout).await.map_err(|cause| line(cause.to_string()))?;
    let writer = Writer::start(writer, Reserve::of(path).await, locks);
    Ok(Inner { connections: Connections::File { readers, writer }, lacking: watch::channel(None).1, timeout })
}

/// The connection that will write. The file is checked before anything is written to it, unless that was done.
async fn writer(path: &Path, timeout: Duration, unchecked: bool) -> Result<AnyConnection, String> {
    let mut connection = AnyConnection::connect(&url(path)).await.map_err(|cause| cause.to_string())?;
    if unchecked {
        check(&mut connection).await?;
    }
    set_up(&mut connection, timeout).await.map_err(|cause| cause.to_string())?;
    let outcome = schema::migrate_file(&mut connection).await;
    outcome.map_err(|error| schema::hopeless(&error).unwrap_or_else(|| error.to_string()))?;
    Ok(connection)
}

/// A connection to the file behind a [`url`].
pub(super) async fn connect(url: &str, timeout: Duration) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = AnyConnection::connect(url).await?;
    set_up(&mut connection, timeout).await?;
    Ok(connection)
}

/// Durable at every commit, readers beside the writer, and no temporary files that a full disk would refuse.
async fn set_up(connection: &mut AnyConnection, timeout: Duration) -> Result<(), sqlx::Error> {
    let text = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA temp_store = MEMORY;",
        timeout.as_millis()
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await?;
    Ok(())
}

/// Refuses a damaged file.
pub(super) async fn check(connection: &mut AnyConnection) -> Result<(), String> {
    let damaged = |what: String| format!("the database is damaged ({what}): restore a backup");
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_all(connection)
        .await
        .map_err(|cause| damaged(cause.to_string()))?;
    match found.first().map(String::as_str) {
        Some("ok") => Ok(()),
        what => Err(damaged(what.unwrap_or("no answer").replace('\n', " "))),
    }
}

/// Makes folder and file readable for the owner alone; answers the file's absolute path.
fn prepare(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().filter(|name| *name != ":memory:");
    let name = name.ok_or_else(|| std::io::Error::other("the embedded store needs the path of a file"))?;
    let path = folder(path)?.join(name);
    if !path.exists() {
        create(&path)?;
    }
    Ok(path)
}

/// The absolute folder of a file, made for the owner alone when it is missing.
pub(super) fn folder(path: &Path) -> std::io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    folder.canonicalize()
}

/// Makes an empty file that only the owner reads; fails when it is there.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Tells `restore` that the database is in use, for as long as the handle lives; another holder is no hindrance.
fn hold(path: &Path) -> Result<File, String> {
    let lock = lock_file(path).map_err(|cause| cause.to_string())?;
    lock.try_lock_shared().map_err(|_| "a restore is going on".to_owned())?;
    Ok(lock)
}

/// Whether the file still has to be checked. Who opens it first does that, and says so by a lock for as long as he uses
/// it: a command beside the service need not read all of a large file again.
fn is_unchecked(path: &Path, locks: &mut Vec<File>) -> bool {
    let Ok(lock) = lock_file(&beside(path, ".checked")) else { return true };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => true,
        Ok(()) => {
            locks.push(lock);
            true
        }
    }
}

/// The file whose lock says who uses the database. SQLite's own locks are left alone: closing any other handle of
/// the database file would drop them.
pub(super) fn lock_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(beside(path, ".lock"))
}

/// The path with `suffix` added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The address of the file with this absolute path; opening it never makes one.
pub(super) fn url(path: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            url.push(char::from(*byte));
        } else {
            // Writing to a String never fails.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url + "?mode=rw"
}
