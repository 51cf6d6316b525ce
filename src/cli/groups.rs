//! `cognate groups`: named sets of users that tokens carry as `cognito:groups`.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::ask::confirm;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, instant};
use crate::pool::{NewGroup, Pool};
use crate::store::directory::Group;

const EXAMPLES: &str = "\
Examples:
  cognate groups create editors --description 'may publish' --precedence 10
  cognate groups add editors alice
  cognate groups list --json

A user's tokens carry his groups from his next sign-in or refresh on.";

/// Groups of a user pool.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Groups {
    /// Id of the user pool [default: the first]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a group
    Create {
        /// Its name
        group: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Its place among a user's groups: the lowest number comes first
        #[arg(long, value_name = "NUMBER")]
        precedence: Option<i64>,
    },
    /// Show all groups, lowest precedence number first
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Delete a group; its users stay
    Delete {
        /// Its name
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Add a user to a group
    Add {
        /// The group's name
        group: String,
        /// The user's name, verified address or sub
        user: String,
    },
    /// Remove a user from a group
    Remove {
        /// The group's name
        group: String,
        /// The user's name, verified address or sub
        user: String,
    },
}

#[derive(Serialize)]
struct Shown {
    name: String,
    description: Option<String>,
    precedence: Option<i64>,
    created_at: String,
}

impl Shown {
    fn new(group: Group) -> Self {
        Self {
            name: group.name,
            description: group.description,
            precedence: Some(group.precedence).filter(|precedence| *precedence != i64::MAX),
            created_at: instant(group.created_at),
        }
    }
}

impl Groups {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let pool = opened.pool(self.pool.as_deref())?;
        match self.verb {
            Verb::Create { group, description, precedence } => {
                let made = pool.create_group(NewGroup { name: group, description, precedence, role_arn: None }).await?;
                output.line(format_args!("Group {} made.", made.name))
            }
            Verb::List { json } => list(&pool, json, output).await,
            Verb::Delete { group, yes } => {
                confirm(&format!("Delete group {group} and all memberships?"), yes)?;
                pool.delete_group(&group).await?;
                output.line(format_args!("Group {group} deleted."))
            }
            Verb::Add { group, user } => {
                pool.add_to_group(&group, &user).await?;
                output.line(format_args!("{user} is in group {group}."))
            }
            Verb::Remove { group, user } => {
                pool.remove_from_group(&group, &user).await?;
                output.line(format_args!("{user} is not in group {group}."))
            }
        }
    }
}

async fn list(pool: &Pool, json: bool, output: &mut Output) -> Result<(), Failure> {
    let groups: Vec<Shown> = pool.groups().await?.into_iter().map(Shown::new).collect();
    if json {
        return output.json(&groups);
    }
    let row = |group: Shown| {
        let precedence = group.precedence.map_or_else(|| "-".to_owned(), |precedence| precedence.to_string());
        [group.name, precedence, group.created_at, group.description.unwrap_or_default()]
    };
    let rows: Vec<_> = groups.into_iter().map(row).collect();
    output.table(["GROUP", "PRECEDENCE", "CREATED", "DESCRIPTION"], &rows)
}
