//! `cognate keys`: which keys sign tokens, and making the next one.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, instant};
use crate::pool::{KeyRow, inspect};
use crate::server;

const EXAMPLES: &str = "\
A key is published before it signs (keys.publish_ahead) and stays published until its last token has expired, so nobody
who caches the key set ever meets an unknown key. Keys follow one another by themselves after keys.rotate_after.

Examples:
  cognate keys list
  cognate keys rotate               the next key now, in good order
  cognate keys rotate --emergency   a private key leaked: take all keys away at once, and every token they signed
  cognate keys reseal               a new master key is the first in its file: may the old one go?";

/// The keys that sign tokens.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Keys {
    /// Id of the user pool [default: all for list, the first for rotate]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the keys and where each is in its life: published, active, retired
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make a new key: published now, signing once every cached key set has it
    Rotate {
        /// Let it sign at once and drop all other keys: every token they signed is refused
        #[arg(long)]
        emergency: bool,
    },
    /// Seal everything anew under the first master key; fails as long as anything is under another
    Reseal,
}

#[derive(Serialize)]
struct Shown {
    pool: String,
    kid: String,
    algorithm: &'static str,
    state: String,
    created_at: String,
    active_from: String,
    expires_at: Option<String>,
}

impl Shown {
    fn new(key: KeyRow) -> Self {
        Self {
            pool: key.pool,
            kid: key.kid,
            algorithm: key.algorithm.as_str(),
            state: key.state,
            created_at: instant(key.created_at),
            active_from: instant(key.active_from),
            expires_at: key.expires_at.map(instant),
        }
    }
}

impl Keys {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        match self.verb {
            Verb::List { json } => list(opened, self.pool.as_deref(), json, output),
            Verb::Rotate { emergency } => rotate(opened, self.pool.as_deref(), emergency, output).await,
            Verb::Reseal => reseal(opened, output).await,
        }
    }
}

fn list(opened: &Opened, pool: Option<&str>, json: bool, output: &mut Output) -> Result<(), Failure> {
    let pools = match pool {
        Some(id) => vec![opened.pools.find(id)?],
        None => opened.pools.all()?,
    };
    let keys: Vec<Shown> = pools.iter().flat_map(|pool| pool.keys()).map(Shown::new).collect();
    if json {
        return output.json(&keys);
    }
    let row = |key: Shown| {
        let expires_at = key.expires_at.unwrap_or_else(|| "-".to_owned());
        [key.pool, key.kid, key.algorithm.to_owned(), key.state, key.created_at, key.active_from, expires_at]
    };
    let rows: Vec<_> = keys.into_iter().map(row).collect();
    output.table(["POOL", "KID", "ALGORITHM", "STATE", "CREATED", "SIGNS FROM", "GONE AT"], &rows)
}

async fn rotate(opened: &Opened, pool: Option<&str>, emergency: bool, output: &mut Output) -> Result<(), Failure> {
    let pool = opened.pool(pool)?;
    let made = opened.pools.rotate_keys(&pool, emergency).await?;
    let (reload, ahead) = (opened.config.keys.reload, opened.config.keys.publish_ahead);
    output.line(format_args!("Key {} ({}) of pool {} was made.", made.kid, made.algorithm, made.pool))?;
    if emergency {
        return output.line(format_args!(
            "It signs at once, and every other key is gone: running services refuse all access and id tokens made \
             before from now on, publish the new key set within {reload}, and others follow as soon as they fetch the key set again (it may be cached for {ahead}). \
             Refresh tokens stay good and yield new tokens."
        ));
    }
    let signs_from = instant(made.active_from);
    output.line(format_args!(
        "It is published within {reload} and signs from {signs_from} on; the key before it then retires, and stays \
         published until its last token has expired. No token is refused."
    ))
}

/// Opening the stores has sealed everything anew; a running service with other keys may have sealed it back.
async fn reseal(opened: &Opened, output: &mut Output) -> Result<(), Failure> {
    let master = opened.ports.master.keys();
    let found = inspect(&*opened.ports.directory, &master).await?.unwrap_or_default();
    let (id, place) = (master.id(), server::master_key_place(&opened.config));
    if found.older > 0 {
        return Err(Failure::Said(format!(
            "{} secrets are sealed under another master key than {id}, the first in {place}: a running service still \
             has another first. Wait until its log says \"the master keys were read again\" with this one",
            found.older
        )));
    }
    output.line(format_args!(
        "Master key {id}, the first in {place}, seals the root secret and all signing keys ({}). The others may go once \
         every running service has this one first.",
        found.keys
    ))
}
