//! Showing users, one or all.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::cli::failure::Failure;
use crate::cli::output::{Output, Table, instant, yes_no};
use crate::pool::Pool;
use crate::store::directory::User;
use crate::store::tokens::Session;

const PAGE: u32 = 500;
const HEAD: [&str; 6] = ["USERNAME", "EMAIL", "STATUS", "ENABLED", "CREATED", "SUB"];

/// How to list users.
#[derive(Args)]
pub(super) struct List {
    /// As a JSON array
    #[arg(long)]
    json: bool,
    /// Show no more than this many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
}

/// How to show a user.
#[derive(Args)]
pub(super) struct Show {
    /// Username, verified email address or sub
    name: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A user as scripts see him; names stay as they are.
#[derive(Serialize)]
pub(super) struct Shown {
    id: i64,
    sub: Uuid,
    username: String,
    email: Option<String>,
    email_verified: bool,
    phone_number: Option<String>,
    phone_number_verified: bool,
    status: &'static str,
    enabled: bool,
    groups: Vec<String>,
    attributes: BTreeMap<String, String>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct ShownSession {
    id: Uuid,
    client: String,
    signed_in_at: String,
    expires_at: String,
    refreshes: u32,
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    user: Shown,
    sessions: Vec<ShownSession>,
}

impl Shown {
    pub(super) fn new(user: &User) -> Self {
        Self {
            id: user.id,
            sub: user.sub,
            username: user.username.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            phone_number: user.phone.clone(),
            phone_number_verified: user.phone_verified,
            status: user.status.as_str(),
            enabled: user.enabled,
            groups: user.groups.clone(),
            attributes: user.attributes.clone(),
            created_at: instant(user.created_at),
            updated_at: instant(user.updated_at),
        }
    }
}

impl ShownSession {
    fn new(session: &Session) -> Self {
        Self {
            id: session.id,
            client: session.client.clone(),
            signed_in_at: instant(session.auth_time),
            expires_at: instant(session.expires_at),
            refreshes: session.refreshes,
        }
    }
}

impl List {
    pub(super) async fn run(&self, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let mut printed = Printed { json: self.json, table: None };
        let (mut after, mut left) = (0, self.limit.unwrap_or(u32::MAX));
        loop {
            let page = pool.users(after, left.min(PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            printed.page(&page, output)?;
            left = left.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
        }
        printed.end(output)
    }
}

/// A list on its way out, page by page, so that a long one begins at once and is never held in memory.
struct Printed {
    json: bool,
    table: Option<Table<6>>,
}

impl Printed {
    fn page(&mut self, page: &[User], output: &mut Output) -> Result<(), Failure> {
        let rows: Vec<_> = page.iter().map(row).collect();
        let first = self.table.is_none();
        let table = &*self.table.get_or_insert_with(|| Table::fitting(HEAD, &rows));
        if self.json {
            return page.iter().enumerate().try_for_each(|(index, user)| {
                output.text(if first && index == 0 { "[\n" } else { ",\n" })?;
                output.text(&serde_json::to_string(&Shown::new(user)).map_err(|fault| fault.to_string())?)
            });
        }
        if first {
            table.head(output, HEAD)?;
        }
        rows.iter().try_for_each(|row| table.row(output, row))
    }

    fn end(&self, output: &mut Output) -> Result<(), Failure> {
        match (self.json, self.table.is_some()) {
            (true, true) => output.text("\n]\n"),
            (true, false) => output.text("[]\n"),
            (false, true) => Ok(()),
            (false, false) => output.table(HEAD, &[]),
        }
    }
}

fn row(user: &User) -> [String; 6] {
    [
        user.username.clone(),
        user.email.clone().unwrap_or_else(|| "-".to_owned()),
        user.status.as_str().to_owned(),
        yes_no(user.enabled),
        instant(user.created_at),
        user.sub.to_string(),
    ]
}

impl Show {
    pub(super) async fn run(&self, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let user = pool.find_user(&self.name).await?;
        let sessions: Vec<_> = pool.sessions_of(&user).await?.iter().map(ShownSession::new).collect();
        if self.json {
            return output.json(&Whole { user: Shown::new(&user), sessions });
        }
        output.details(&details(&user))?;
        if sessions.is_empty() {
            return output.line("no live sessions");
        }
        let row = |session: ShownSession| {
            let ShownSession { id, client, signed_in_at, expires_at, refreshes } = session;
            [id.to_string(), client, signed_in_at, expires_at, refreshes.to_string()]
        };
        let rows: Vec<_> = sessions.into_iter().map(row).collect();
        output.line("")?;
        output.table(["SESSION", "CLIENT", "SIGNED IN", "EXPIRES", "REFRESHES"], &rows)
    }
}

fn details(user: &User) -> Vec<(&str, String)> {
    let address = |value: &Option<String>, verified: bool| match value {
        Some(value) => format!("{value} ({})", if verified { "verified" } else { "not verified" }),
        None => "-".to_owned(),
    };
    let mut rows = vec![
        ("username", user.username.clone()),
        ("sub", user.sub.to_string()),
        ("id", user.id.to_string()),
        ("status", user.status.as_str().to_owned()),
        ("enabled", yes_no(user.enabled)),
        ("email", address(&user.email, user.email_verified)),
        ("phone number", address(&user.phone, user.phone_verified)),
        ("groups", if user.groups.is_empty() { "-".to_owned() } else { user.groups.join(", ") }),
        ("created", instant(user.created_at)),
        ("updated", instant(user.updated_at)),
    ];
    rows.extend(user.temporary_until.map(|until| ("temporary password until", instant(until))));
    rows.extend(user.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())));
    rows
}
