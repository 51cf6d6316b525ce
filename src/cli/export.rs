//! `cognate export`: a user pool on its way out, whole and sealed, or as Cognito's plain CSV.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::ask::passphrase;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, count};
use super::sealed_file::{Writer, create};
use crate::pool::user_import::cognito_row;
use crate::pool::{Group, MovedUser, Pool, PoolSettings, User};

const HELP: &str = "\
The file holds the pool's settings, groups and users: names, attributes, memberships, password hashes (former ones as
well), SRP verifiers and the secrets of second factors. All of it is sealed under a passphrase, which is asked for or
read from a file and never taken from the command line. `cognate import` takes it over, into a deployment with another
master key as well.

What is bound to this deployment stays: app clients, remembered devices, sessions, API keys, OAuth client secrets and
signing keys.

With --cognito-csv the file is what Cognito's import jobs read: names and attributes in the clear, no password.

Examples:
  cognate export --pool us-east-1_a1B2c3D4e people.cognate
  cognate export --cognito-csv people.csv";

/// Users that are read at once.
const PAGE: u32 = 500;

/// A pool to be written.
#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Export {
    /// The file to make; an existing one is never overwritten
    file: PathBuf,
    /// Id of the user pool [default: the first]
    #[arg(long, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    /// File with the passphrase on its first line [default: ask]
    #[arg(long, value_name = "FILE", conflicts_with = "cognito_csv")]
    passphrase_file: Option<PathBuf>,
    /// Write Cognito's CSV instead: no passwords, nothing sealed
    #[arg(long)]
    cognito_csv: bool,
}

/// A line of the sealed file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record {
    /// Comes first.
    Pool(Box<PoolSettings>),
    /// Come next.
    Group(Group),
    /// Come then.
    User(Box<MovedUser>),
    /// Comes last: how many users there are.
    End(u64),
}

impl Export {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let pool = &*opened.pool(self.pool.as_deref())?;
        let written = if self.cognito_csv {
            write_csv(pool, &self.file).await
        } else {
            let words = passphrase(self.passphrase_file.as_deref(), true)?;
            let writer = Writer::create(&self.file, &words, &opened.ports.random)?;
            or_removed(&self.file, write_all(pool, writer).await)
        };
        let users = count(written?, "user");
        output.line(format_args!("{} holds {users} of {}.", self.file.display(), pool.id()))
    }
}

/// Half a file is of no use, and what is in it is worth stealing.
fn or_removed<T>(path: &Path, outcome: Result<T, Failure>) -> Result<T, Failure> {
    if outcome.is_err() {
        // What went wrong first is what is told.
        let _ = std::fs::remove_file(path);
    }
    outcome
}

async fn write_all(pool: &Pool, mut writer: Writer) -> Result<usize, Failure> {
    writer.add(&Record::Pool(Box::new(pool.settings.clone())))?;
    for group in pool.groups_to_move().await? {
        writer.add(&Record::Group(group))?;
    }
    let (mut users, mut after) = (0, 0);
    while let Some(page) = next_page(pool, &mut after).await? {
        users += page.len();
        for user in pool.pack(&page).await? {
            writer.add(&Record::User(Box::new(user)))?;
        }
    }
    writer.add(&Record::End(users as u64))?;
    writer.end()?;
    Ok(users)
}

/// The users after the one with the id `after`, which becomes the last one's; none at the end.
async fn next_page(pool: &Pool, after: &mut i64) -> Result<Option<Vec<User>>, Failure> {
    let users = pool.users(*after, PAGE).await?;
    *after = users.last().map_or(*after, |last| last.id);
    Ok(Some(users).filter(|users| !users.is_empty()))
}

async fn write_csv(pool: &Pool, path: &Path) -> Result<usize, Failure> {
    let mut file = BufWriter::new(create(path)?);
    let unwritten = |fault: std::io::Error| Failure::from(format!("cannot write {}: {fault}", path.display()));
    let header = pool.import_header().await?;
    let written = async {
        writeln!(file, "{}", header.join(",")).map_err(unwritten)?;
        let (mut users, mut after) = (0, 0);
        while let Some(page) = next_page(pool, &mut after).await? {
            users += page.len();
            for user in &page {
                writeln!(file, "{}", cognito_row(pool, user, &header)?).map_err(unwritten)?;
            }
        }
        file.flush().map_err(unwritten)?;
        Ok(users)
    };
    or_removed(path, written.await)
}
