//! Some lines of an import at once: the store writes them in one go, and one that it refuses hinders no other.

use std::time::Duration;

use super::columns::Columns;
use super::records::{Record, Records};
use crate::cli::failure::Failure;
use crate::crypto::Random;
use crate::error::{Error, Kind, chain};
use crate::pool::{ImportedUser, Pool};
use crate::store::directory::User;

/// Few enough that a slow database has made them all before its timeout.
const SIZE: usize = 32;
/// How often they are tried again while the store is busy or away, and the pause in between.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// What became of one line.
pub(super) struct Line {
    /// Its number in the file.
    pub(super) number: u64,
    /// Where in the file it ends.
    pub(super) byte: u64,
    /// Why it was refused.
    pub(super) outcome: Result<(), String>,
}

/// Lines, and the users of those that are not refused yet.
struct Batch {
    lines: Vec<Line>,
    drafts: Vec<ImportedUser>,
}

/// Imports the next lines; none are left when there are none. An error means that the file or the store is gone.
pub(super) async fn import_some(
    pool: &Pool,
    random: &Random,
    columns: &Columns,
    records: &mut Records,
) -> Result<Vec<Line>, Failure> {
    let Batch { mut lines, drafts } = read(random, columns, records)?;
    let first = lines.first().map_or(0, |line| line.number);
    let made = import(pool, drafts).await.map_err(|error| stopped(first, &error))?;
    for (line, outcome) in lines.iter_mut().filter(|line| line.outcome.is_ok()).zip(made) {
        line.outcome = outcome;
    }
    Ok(lines)
}

fn read(random: &Random, columns: &Columns, records: &mut Records) -> Result<Batch, Failure> {
    let mut batch = Batch { lines: Vec::with_capacity(SIZE), drafts: Vec::with_capacity(SIZE) };
    for record in records.take(SIZE) {
        let Record { line, byte, values } =
            record.map_err(|fault| format!("the file can not be read to its end: {fault}"))?;
        let outcome = match columns.user(&values) {
            Ok(mut draft) => {
                // Chosen here, so that one whose making was not answered is recognised.
                draft.sub = Some(draft.sub.map_or_else(|| random.uuid(), Ok)?);
                batch.drafts.push(draft);
                Ok(())
            }
            Err(reason) => Err(reason),
        };
        batch.lines.push(Line { number: line, byte, outcome });
    }
    Ok(batch)
}

async fn import(pool: &Pool, drafts: Vec<ImportedUser>) -> Result<Vec<Result<(), String>>, Error> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let mut tries = 1;
    loop {
        match pool.import_users(drafts.clone()).await {
            Ok(made) => return judge(pool, drafts, made, tries > 1).await,
            Err(Error::Unavailable { .. }) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// One that exists at the second try with the very sub it was given was made by the first.
async fn judge(
    pool: &Pool,
    drafts: Vec<ImportedUser>,
    made: Vec<Result<User, Error>>,
    repeated: bool,
) -> Result<Vec<Result<(), String>>, Error> {
    let mut outcomes = Vec::with_capacity(made.len());
    for (draft, made) in drafts.into_iter().zip(made) {
        let sub = draft.sub.unwrap_or_default().to_string();
        outcomes.push(match made {
            Err(Error::UserExists) if repeated && pool.find_user(&sub).await.is_ok() => Ok(()),
            made => made.map(drop).map_err(|error| reason(&error)),
        });
    }
    Ok(outcomes)
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

fn stopped(line: u64, error: &Error) -> String {
    format!(
        "stopped at line {line}, because the store does not take it ({}); import the file again when it does: \
         users that are there already are refused and stay as they are",
        chain(error)
    )
}
