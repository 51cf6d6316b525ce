//! `cognate backup` and `cognate restore`: the embedded store as one file, and which master key belongs to it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::open::quiet_logging;
use super::output::Output;
use crate::config::Config;
use crate::server;
use crate::store::sql::backup;
use crate::store::{embedded_file, open_directory};

const KEY_WARNING: &str = "\
The master key is NOT inside: it lies in master.key in the data folder, or where master_key_file says. Keep a copy of it
in another place. Without it the signing keys in the backup do not open and every session is lost.";

const RESTORE: &str = "\
Sessions, pending codes and mails are left out: people sign in again, and nothing that was revoked since comes back.
The master key that was in force at the time of the backup must be in its place.";

/// Where the backup goes.
#[derive(Args)]
#[command(after_help = KEY_WARNING)]
pub(super) struct Backup {
    /// The file to make; an existing one is never overwritten
    file: PathBuf,
}

/// Where the backup is.
#[derive(Args)]
#[command(after_help = RESTORE)]
pub(super) struct Restore {
    /// A file that `cognate backup` made
    file: PathBuf,
    /// Replace the database that is there
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let db = embedded(config)?;
        if !db.exists() {
            return Err(format!("{} does not exist: there is nothing to back up", db.display()).into());
        }
        backup::backup(&db, &self.file).await?;
        output.line(format_args!("{} is a checked copy of {}.", self.file.display(), db.display()))?;
        output.line(format_args!(
            "It is of use only with the master key, which is not inside: keep a copy of {} in another place.",
            server::master_key_place(config)
        ))
    }
}

impl Restore {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let _last_lines = quiet_logging(config)?;
        let db = embedded(config)?;
        if !self.force && db.exists() {
            return Err(format!("{} exists: say --force to replace it", db.display()).into());
        }
        backup::restore(&self.file, &db, self.force).await?;
        output.line(format_args!("{} now holds what was in {}.", db.display(), self.file.display()))?;
        try_master_key(config, &db).await?;
        output.line("The master key opens it; sessions, codes and mails were left out, so people sign in again.")
    }
}

async fn try_master_key(config: &Config, db: &Path) -> Result<(), Failure> {
    let directory = open_directory(config).await?;
    let opened = server::check_seals(config, &*directory).await;
    opened.map(drop).map_err(|fault| {
        format!(
            "{} is restored, but no service starts on it until the master key of that time is back: {fault}",
            db.display()
        )
        .into()
    })
}

fn embedded(config: &Config) -> Result<PathBuf, Failure> {
    embedded_file(config)
        .ok_or_else(|| "this is for the embedded store; for PostgreSQL use pg_dump and pg_restore".into())
}
