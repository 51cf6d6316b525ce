//! `cognate import`: a user pool on its way in, from a file of `cognate export`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::ask::passphrase;
use super::export::Record;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, count};
use super::sealed_file::Reader;
use crate::error::{Error, chain};
use crate::pool::{MovedUser, Moving, Pool};

const HELP: &str = "\
The pool is made with the id it had, so that tokens name the same subjects and SRP sign-in goes on; where there is one of
this id already, its settings stay and the users join it. With --pool they join another one: SRP works there from the
next sign-in by the password itself on. App clients are not in the file; make them with `cognate clients create`.

Users who are here already, by their sub, stay as they are, so the same file can be imported again. The exit code is 1 if
a user was refused, or the file is not whole: what came before the damage is imported, and nothing after it.

For CSV files see `cognate users import`.

Example:
  cognate import people.cognate";

/// Users made by one transaction.
const AT_ONCE: usize = 50;
/// How often the store is asked again while it is busy or away, and the pause in between.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// A file to be taken over.
#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Import {
    /// A file that `cognate export` wrote
    file: PathBuf,
    /// Id of the user pool that the users join [default: the one they come from]
    #[arg(long, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    /// File with the passphrase on its first line [default: ask]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// What came.
#[derive(Default)]
struct Tally {
    imported: usize,
    present: usize,
    refused: usize,
}

impl Import {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let mut reader = Reader::open(&self.file, || passphrase(self.passphrase_file.as_deref(), false))?;
        let (mut tally, mut pool, mut ended) = (Tally::default(), None, false);
        let outcome = loop {
            let records = match reader.portion::<Record>() {
                Ok(Some(records)) => records,
                Ok(None) => break Ok(()),
                Err(fault) => break Err(fault),
            };
            if let Err(fault) = self.take(opened, records, &mut pool, &mut tally, &mut ended, output).await {
                break Err(fault);
            }
        };
        let id = pool.as_ref().map_or("no pool", |pool: &Arc<Pool>| pool.id());
        output.line(format_args!(
            "{} imported into {id}, {} there already, {} refused.",
            count(tally.imported, "user"),
            tally.present,
            tally.refused
        ))?;
        match outcome {
            Err(Failure::Said(fault)) if tally.imported > 0 => {
                Err(format!("{fault}; what came before is imported, nothing after").into())
            }
            Err(fault) => Err(fault),
            Ok(()) if !ended => Err(format!("{} has no end", self.file.display()).into()),
            Ok(()) if tally.refused > 0 => Err(format!("{} not imported", count(tally.refused, "user")).into()),
            Ok(()) => Ok(()),
        }
    }

    async fn take(
        &self,
        opened: &Opened,
        records: Vec<Record>,
        pool: &mut Option<Arc<Pool>>,
        tally: &mut Tally,
        ended: &mut bool,
        output: &mut Output,
    ) -> Result<(), Failure> {
        let mut users = Vec::with_capacity(AT_ONCE);
        for record in records {
            match record {
                Record::Pool(settings) => {
                    *pool = Some(match &self.pool {
                        Some(id) => opened.pools.find(id)?,
                        None => {
                            opened.pools.adopt_pool(&settings).await?;
                            opened.pools.find(&settings.id)?
                        }
                    });
                }
                Record::Group(group) => drop(of(pool)?.adopt_group(group).await?),
                Record::User(user) => users.push(*user),
                Record::End(_) => *ended = true,
            }
            if users.len() == AT_ONCE {
                tally.note(unpack(of(pool)?, std::mem::take(&mut users)).await?, output)?;
            }
        }
        if users.is_empty() { Ok(()) } else { tally.note(unpack(of(pool)?, users).await?, output) }
    }
}

fn of(pool: &Option<Arc<Pool>>) -> Result<&Pool, Failure> {
    pool.as_deref().ok_or_else(|| "the file does not begin with its pool".into())
}

async fn unpack(pool: &Pool, users: Vec<MovedUser>) -> Result<Vec<Moving>, Failure> {
    let mut tries = 1;
    loop {
        match pool.unpack(&users).await {
            Err(Error::Unavailable { .. }) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return Ok(outcome?),
        }
    }
}

impl Tally {
    fn note(&mut self, moved: Vec<Moving>, output: &mut Output) -> Result<(), Failure> {
        for moved in moved {
            match moved {
                Moving::Made => self.imported += 1,
                Moving::Present => self.present += 1,
                Moving::Refused { sub, reason } => {
                    self.refused += 1;
                    output.line(format_args!("{sub}: {}", chain(&reason)))?;
                }
            }
        }
        Ok(())
    }
}
