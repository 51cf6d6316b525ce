//! Copies of the embedded store, made beside a running server, and putting one back.

use std::fs::{self, File};
use std::path::Path;

use sqlx::{AnyConnection, Connection as _};

use super::file::{beside, check, create, folder, lock_file, url};
use super::schema;

/// Copies the database to a new file, consistent and checked, while a server goes on using it. Never overwrites.
pub async fn backup(db: &Path, to: &Path) -> Result<(), String> {
    sqlx::any::install_default_drivers();
    let db = db.canonicalize().map_err(|cause| said(db, cause))?;
    // SQLite fills an empty file but refuses any other; made here, so that only the owner reads it.
    create(to).map_err(|cause| said(to, cause))?;
    let outcome = copy(&db, to).await;
    if outcome.is_err() {
        let _ = fs::remove_file(to);
    }
    outcome
}

async fn copy(db: &Path, to: &Path) -> Result<(), String> {
    let target = to.canonicalize().map_err(|cause| said(to, cause))?;
    let name = target.to_str().ok_or_else(|| said(to, "the name is not UTF-8"))?;
    let mut source = connect(db).await?;
    let copied = sqlx::query("VACUUM INTO $1").bind(name).execute(&mut source).await;
    copied.map_err(|cause| said(db, cause))?;
    source.close().await.map_err(|cause| said(db, cause))?;
    inspect(&target).await.map_err(|cause| said(to, cause))?;
    flush(&target)
}

/// Puts a backup in the place of the database. Refuses while a server holds the database, when the backup is
/// damaged or of a newer schema, and, unless `force`, when there is a database. What was pending at the time of the
/// backup is left out (sessions, challenges, mails): a session that was ended since must not come back (R13).
pub async fn restore(from: &Path, db: &Path, force: bool) -> Result<(), String> {
    sqlx::any::install_default_drivers();
    if !force && db.exists() {
        return Err(said(db, "there is a database; it is replaced only when that is asked for"));
    }
    if fs::metadata(beside(from, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(said(from, "its log lies beside it, so it is a database in use; make a copy with backup"));
    }
    folder(db).map_err(|cause| said(db, cause))?;
    let lock = lock_file(db).map_err(|cause| said(db, cause))?;
    lock.try_lock().map_err(|_| said(db, "a server is using the database; stop it first"))?;
    let staged = beside(db, ".restoring");
    let outcome = stage(from, &staged).await.and_then(|()| replace(&staged, db));
    if outcome.is_err() {
        let _ = fs::remove_file(&staged);
    }
    outcome
}

/// A checked copy of the backup beside the database, on the same disk, so that it can be renamed.
async fn stage(from: &Path, staged: &Path) -> Result<(), String> {
    let _ = fs::remove_file(staged);
    let mut source = File::open(from).map_err(|cause| said(from, cause))?;
    let mut target = create(staged).map_err(|cause| said(staged, cause))?;
    std::io::copy(&mut source, &mut target).map_err(|cause| said(staged, cause))?;
    let staged = staged.canonicalize().map_err(|cause| said(staged, cause))?;
    inspect(&staged).await.map_err(|cause| said(from, cause))?;
    forget_pending(&staged).await?;
    flush(&staged)
}

fn replace(staged: &Path, db: &Path) -> Result<(), String> {
    // A log of the old database must never be applied to the new one.
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(beside(db, suffix)) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(said(db, cause)),
            Ok(()) | Err(_) => {}
        }
    }
    fs::rename(staged, db).map_err(|cause| said(db, cause))?;
    flush(&folder(db).map_err(|cause| said(db, cause))?)
}

async fn inspect(path: &Path) -> Result<(), String> {
    let mut connection = connect(path).await?;
    check(&mut connection).await?;
    schema::recognise(&mut connection).await?;
    connection.close().await.map_err(|cause| cause.to_string())
}

async fn forget_pending(path: &Path) -> Result<(), String> {
    let mut connection = connect(path).await?;
    let text = "DELETE FROM sessions; DELETE FROM challenges; DELETE FROM outbox;";
    sqlx::raw_sql(text).execute(&mut connection).await.map_err(|cause| said(path, cause))?;
    connection.close().await.map_err(|cause| said(path, cause))
}

async fn connect(path: &Path) -> Result<AnyConnection, String> {
    AnyConnection::connect(&url(path)).await.map_err(|cause| said(path, cause))
}

/// To the disk, so that a power cut after success takes nothing back.
fn flush(path: &Path) -> Result<(), String> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|cause| said(path, cause))
}

fn said(path: &Path, cause: impl std::fmt::Display) -> String {
    format!("{}: {cause}", path.display())
}
