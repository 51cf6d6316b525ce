//! Importing users from a CSV file: many at once, so that the store writes them in groups; a line that can not be
//! taken over is named with its reason and stops nothing.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::batch::{Line, import_some};
use super::progress::Progress;
use super::records::open;
use crate::cli::failure::Failure;
use crate::cli::open::Opened;
use crate::cli::output::{Output, count};
use crate::pool::Pool;
use crate::store::embedded_file;

const COLUMNS: &str = "\
The first line names the columns: username (or cognito:username, both work), and any of sub, email, email_verified,
phone_number, phone_number_verified, password_hash, groups (separated by ;), Cognito's standard attributes (name,
given_name, locale …) and custom:NAME. An unknown column is refused before anything is imported.

password_hash may be bcrypt ($2b$…), scrypt ($scrypt$…), PBKDF2-SHA256 ($pbkdf2-sha256$…, or Django's) or Argon2
($argon2id$…); it is replaced by Argon2id at the first sign-in. A user without one must reset the password by a mailed
code. A sub is kept, so tokens name the same subject as before. Groups must exist.

Users that exist are refused and stay as they are, so the same file can be imported again after mending some lines. The
exit code is 1 if a line was refused.

Example:
  username,email,email_verified,password_hash,groups
  alice,alice@example.com,true,$2b$10$…,admin;editors";

/// What to import.
#[derive(Args)]
#[command(after_help = COLUMNS)]
pub(super) struct Import {
    /// CSV file in UTF-8
    file: PathBuf,
    /// Print {imported, refused: [{line, reason}]} as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Refused {
    line: u64,
    reason: String,
}

#[derive(Serialize, Default)]
struct Tally {
    imported: u64,
    refused: Vec<Refused>,
}

impl Import {
    pub(super) async fn run(&self, opened: &Opened, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let (columns, mut records, size) = open(&self.file)?;
        let embedded = embedded_file(&opened.config).is_some();
        let (mut tally, mut progress) = (Tally::default(), Progress::new(size));
        loop {
            let started = Instant::now();
            let lines = import_some(pool, &opened.ports.random, &columns, &mut records).await;
            let lines = lines.inspect_err(|_| progress.end())?;
            if lines.is_empty() {
                break;
            }
            for line in lines {
                self.note(line, &mut tally, &mut progress, output)?;
            }
            if embedded {
                // SQLite's writers do not queue: without a rest the service beside would find it locked again and again.
                tokio::time::sleep(started.elapsed() / 2).await;
            }
        }
        progress.end();
        self.sum_up(&tally, output)
    }

    fn note(&self, line: Line, tally: &mut Tally, progress: &mut Progress, output: &mut Output) -> Result<(), Failure> {
        let Line { number, byte, outcome } = line;
        match outcome {
            Ok(()) => tally.imported += 1,
            Err(reason) => {
                progress.aside(|| self.say_refused(number, &reason, output))?;
                tally.refused.push(Refused { line: number, reason });
            }
        }
        progress.at(byte, tally.imported, tally.refused.len());
        Ok(())
    }

    fn say_refused(&self, line: u64, reason: &str, output: &mut Output) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        output.line(format_args!("line {line}: {reason}"))?;
        output.flush()
    }

    fn sum_up(&self, tally: &Tally, output: &mut Output) -> Result<(), Failure> {
        let refused = tally.refused.len();
        if self.json {
            output.json(tally)?;
        } else {
            output.line(format_args!("{} imported, {refused} refused.", tally.imported))?;
        }
        if refused == 0 { Ok(()) } else { Err(format!("{} not imported", count(refused, "line")).into()) }
    }
}
