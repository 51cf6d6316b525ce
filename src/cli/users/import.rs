//! Importing users from a CSV file: many at once, so that the store writes them in groups; a line that can not be
//! taken over is named with its reason and stops nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;

use super::columns::Columns;
use super::progress::Progress;
use super::records::{Record, open};
use crate::cli::failure::Failure;
use crate::cli::open::Opened;
use crate::cli::output::{Output, count};
use crate::error::{Error, Kind, chain};
use crate::pool::{ImportedUser, Pool};
use crate::store::embedded_file;

/// Users on their way into the store at once: as many as it writes in one go.
const AT_ONCE: usize = 64;
/// How often a user is tried again while the store is busy or away, and the pause in between.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

const COLUMNS: &str = "\
The first line names the columns: username (or cognito:username, both work), and any of sub, email, email_verified,
phone_number, phone_number_verified, password_hash, groups (separated by ;), Cognito's standard attributes (name,
given_name, locale …) and custom:NAME. An unknown column is refused before anything is imported.

password_hash may be bcrypt ($2b$…), scrypt ($scrypt$… or $7$…), PBKDF2-SHA256 or Argon2; it is replaced by Argon2id at
the first sign-in. A user without one must reset the password by a mailed code. A sub is kept, so tokens name the same
subject as before. Groups must exist.

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

/// What became of one line.
struct Line {
    number: u64,
    byte: u64,
    outcome: Result<(), String>,
}

impl Import {
    pub(super) async fn run(&self, opened: &Opened, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let (columns, mut records, size) = open(&self.file)?;
        let embedded = embedded_file(&opened.config).is_some();
        let (mut tally, mut progress) = (Tally::default(), Progress::new(size));
        loop {
            let started = Instant::now();
            let batch = records.by_ref().take(AT_ONCE).map(|record| import(opened, pool, &columns, record));
            let lines = join_all(batch).await;
            if lines.is_empty() {
                break;
            }
            for line in lines {
                self.note(line.inspect_err(|_| progress.end())?, &mut tally, &mut progress, output)?;
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

async fn import(
    opened: &Opened,
    pool: &Pool,
    columns: &Columns,
    record: Result<Record, csv::Error>,
) -> Result<Line, Failure> {
    let record = record.map_err(|fault| format!("the file can not be read to its end: {fault}"))?;
    let Record { line: number, byte, values } = record;
    let outcome = match columns.user(&values) {
        Ok(user) => take_over(opened, pool, user).await.map_err(|stop| stopped(number, &stop))?,
        Err(reason) => Err(reason),
    };
    Ok(Line { number, byte, outcome })
}

fn stopped(line: u64, error: &Error) -> String {
    format!(
        "stopped at line {line}, because the store does not answer ({}); import the file again when it does: \
         users that are there already are refused and stay as they are",
        chain(error)
    )
}

/// Imports a user; an error means that the store is gone, a refusal is this user's own.
async fn take_over(opened: &Opened, pool: &Pool, mut user: ImportedUser) -> Result<Result<(), String>, Error> {
    // Chosen here, so that a try whose answer was lost is recognised.
    let sub = user.sub.map_or_else(|| opened.ports.random.uuid(), Ok)?;
    user.sub = Some(sub);
    let mut tries = 1;
    loop {
        match pool.import_user(user.clone()).await {
            Ok(_) => return Ok(Ok(())),
            Err(Error::Unavailable { .. }) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error @ Error::Unavailable { .. }) => return Err(error),
            Err(Error::UserExists) if tries > 1 && pool.find_user(&sub.to_string()).await.is_ok() => return Ok(Ok(())),
            Err(error) => return Ok(Err(reason(&error))),
        }
    }
}

fn reason(error: &Error) -> String {
    if matches!(error, Error::UserExists) {
        return "exists: username, sub or verified address is taken".to_owned();
    }
    if matches!(error, Error::NotFound(Kind::Group)) {
        return "a group of this line does not exist; make it with `cognate groups create`".to_owned();
    }
    chain(error)
}
