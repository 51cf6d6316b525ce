//! `cognate organizations`: what people made by signing up, and who belongs to it.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use uuid::Uuid;

use super::ask::confirm;
use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, count, instant};
use crate::error::Error;
use crate::pool::Pool;
use crate::store::organization::{Member, Organization, Role};

const PAGE: u32 = 500;
const EXAMPLES: &str = "\
Examples:
  cognate organizations list
  cognate organizations show Acme
  cognate organizations set-role Acme bob@example.com member   let in who accepted an invitation
  cognate organizations remove Acme bob@example.com

ORGANIZATION may be its name or its id. People make organizations by signing up.";

/// Organizations of a user pool.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Organizations {
    /// Id of the user pool [default: the first]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show all organizations in the order of their making
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show an organization with its members
    Show {
        /// Its name or id
        organization: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change what a member may do
    SetRole {
        /// The organization's name or id
        organization: String,
        /// The member's username, verified address or sub
        user: String,
        /// What he may do from now on
        role: Wanted,
    },
    /// Take a member out
    Remove {
        /// The organization's name or id
        organization: String,
        /// The member's username, verified address or sub
        user: String,
    },
    /// Delete an organization; its members stay as users
    Delete {
        /// Its name or id
        organization: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Wanted {
    /// Invites others
    Admin,
    /// Belongs to it
    Member,
    /// Accepted an invitation and is not let in yet
    Pending,
}

impl From<Wanted> for Role {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Admin => Self::Admin,
            Wanted::Member => Self::Member,
            Wanted::Pending => Self::Pending,
        }
    }
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    name: String,
    created_at: String,
}

#[derive(Serialize)]
struct ShownMember {
    sub: Uuid,
    username: String,
    email: Option<String>,
    role: &'static str,
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    organization: Shown,
    members: Vec<ShownMember>,
}

impl Shown {
    fn new(organization: Organization) -> Self {
        Self { id: organization.id, name: organization.name, created_at: instant(organization.created_at) }
    }
}

impl ShownMember {
    fn new(Member { user, role }: Member) -> Self {
        Self { sub: user.sub, username: user.username, email: user.email, role: role.as_str() }
    }
}

impl Organizations {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let pool = &*opened.pool(self.pool.as_deref())?;
        match self.verb {
            Verb::List { json } => list(pool, json, output).await,
            Verb::Show { organization, json } => show(pool, &organization, json, output).await,
            Verb::SetRole { organization, user, role } => {
                let (found, role) = (find(pool, &organization).await?, Role::from(role));
                let changed = pool.change_role(found.id, &user, role).await;
                changed.map_err(|error| no_member(error, &user, &found))?;
                output.line(format_args!("{user} is {} in {}.", role.as_str(), found.name))
            }
            Verb::Remove { organization, user } => {
                let found = find(pool, &organization).await?;
                pool.leave_organization(found.id, &user).await.map_err(|error| no_member(error, &user, &found))?;
                output.line(format_args!("{user} is not in {} any more.", found.name))
            }
            Verb::Delete { organization, yes } => delete(pool, &organization, yes, output).await,
        }
    }
}

/// By id, else by name: a name of digits only that is some id is shadowed by it.
async fn find(pool: &Pool, text: &str) -> Result<Organization, Failure> {
    if let Ok(id) = text.parse()
        && let Ok(found) = pool.organization(id).await
    {
        return Ok(found);
    }
    Ok(pool.organization_by_name(text).await?)
}

fn no_member(error: Error, user: &str, organization: &Organization) -> Failure {
    if matches!(error, Error::UserNotFound) {
        return format!("{user} is no member of {}", organization.name).into();
    }
    error.into()
}

async fn list(pool: &Pool, json: bool, output: &mut Output) -> Result<(), Failure> {
    let (mut organizations, mut after) = (Vec::new(), 0);
    loop {
        let page = pool.organizations(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        organizations.extend(page.into_iter().map(Shown::new));
    }
    if json {
        return output.json(&organizations);
    }
    let row = |shown: Shown| [shown.id.to_string(), shown.name, shown.created_at];
    let rows: Vec<_> = organizations.into_iter().map(row).collect();
    output.table(["ID", "NAME", "CREATED"], &rows)
}

async fn show(pool: &Pool, text: &str, json: bool, output: &mut Output) -> Result<(), Failure> {
    let organization = find(pool, text).await?;
    let members: Vec<_> = pool.members(organization.id).await?.into_iter().map(ShownMember::new).collect();
    let organization = Shown::new(organization);
    if json {
        return output.json(&Whole { organization, members });
    }
    output.details(&[
        ("id", organization.id.to_string()),
        ("name", organization.name),
        ("created", organization.created_at),
    ])?;
    let row = |member: ShownMember| {
        let email = member.email.unwrap_or_else(|| "-".to_owned());
        [member.username, email, member.role.to_owned(), member.sub.to_string()]
    };
    let rows: Vec<_> = members.into_iter().map(row).collect();
    output.line("")?;
    output.table(["USERNAME", "EMAIL", "ROLE", "SUB"], &rows)
}

async fn delete(pool: &Pool, text: &str, yes: bool, output: &mut Output) -> Result<(), Failure> {
    let organization = find(pool, text).await?;
    let members = count(pool.members(organization.id).await?.len(), "member");
    confirm(&format!("Delete organization {} ({members})?", organization.name), yes)?;
    pool.delete_organization(organization.id).await?;
    output.line(format_args!("Organization {} deleted.", organization.name))
}
