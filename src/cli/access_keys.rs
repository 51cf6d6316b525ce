//! `cognate access-keys`: whom AWS SDKs sign administrative calls of the Cognito API as.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, instant, yes_no};
use crate::api::cognito;
use crate::pool::{AccessKey, NewAccessKey};

const EXAMPLES: &str = "\
Examples:
  cognate access-keys create --name backend --operations 'Admin*,List*'
  cognate access-keys create --name terraform --pool '*'
  cognate access-keys list
  cognate access-keys disable CGNA…

The secret is shown once. Give both to an SDK as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and this server as its
endpoint. What is made, and what is disabled, counts from the next call on.";

/// Access keys of the Cognito API.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AccessKeys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an access key and show its secret, this once
    Create {
        /// For people
        #[arg(long)]
        name: String,
        /// Id of a pool that it is for; several times for several, '*' for all [default: the first]
        #[arg(long, value_name = "ID")]
        pool: Vec<String>,
        /// Operations that it may do, with commas; Admin* stands for all that begin so
        #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "*", value_parser = operation)]
        operations: Vec<String>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show all access keys, without their secrets
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Refuse what an access key signs, from the next call on and for good
    Disable {
        /// Its id
        id: String,
    },
}

/// A name that would never fit is a slip of the pen.
fn operation(text: &str) -> Result<String, String> {
    let fits = |name: &str| text.strip_suffix('*').map_or(name == text, |beginning| name.starts_with(beginning));
    let known = cognito::known().into_iter().any(|(name, _)| fits(name));
    if known { Ok(text.to_owned()) } else { Err("Cognito has no such operation".to_owned()) }
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    name: &'a str,
    pools: &'a [String],
    operations: &'a [String],
    enabled: bool,
    created_at: String,
}

impl<'a> Shown<'a> {
    fn new(key: &'a AccessKey, secret: Option<&'a str>) -> Self {
        let AccessKey { id, name, pools, operations, enabled, created_at, .. } = key;
        Self { id, secret, name, pools, operations, enabled: *enabled, created_at: instant(*created_at) }
    }
}

impl AccessKeys {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        match self.verb {
            Verb::Create { name, mut pool, operations, json } => {
                if pool.is_empty() {
                    pool.push(opened.pool(None)?.id().to_owned());
                }
                let (key, secret) =
                    opened.pools.create_access_key(NewAccessKey { name, pools: pool, operations }).await?;
                if json { output.json(&Shown::new(&key, Some(&secret))) } else { show(&key, &secret, output) }
            }
            Verb::List { json } => list(&opened.pools.access_keys().await?, json, output),
            Verb::Disable { id } => {
                let key = opened.pools.disable_access_key(&id).await?;
                output.line(format_args!("Access key {} ({}) is disabled.", key.id, key.name))
            }
        }
    }
}

fn show(key: &AccessKey, secret: &str, output: &mut Output) -> Result<(), Failure> {
    output.details(&[
        ("id", key.id.clone()),
        ("secret (shown only now)", secret.to_owned()),
        ("name", key.name.clone()),
        ("pools", key.pools.join(", ")),
        ("operations", key.operations.join(", ")),
    ])
}

fn list(keys: &[AccessKey], json: bool, output: &mut Output) -> Result<(), Failure> {
    if json {
        return output.json(&keys.iter().map(|key| Shown::new(key, None)).collect::<Vec<_>>());
    }
    let row = |key: &AccessKey| {
        let AccessKey { id, name, pools, operations, enabled, created_at, .. } = key;
        let (pools, operations) = (pools.join(","), operations.join(","));
        [id.clone(), name.clone(), pools, operations, yes_no(*enabled), instant(*created_at)]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    output.table(["ID", "NAME", "POOLS", "OPERATIONS", "ENABLED", "CREATED"], &rows)
}
