//! `cognate pools`: what user pools there are, and what makes one differ from another.

mod update;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::open::Opened;
use super::output::{Output, instant, yes_no};
use crate::config::Period;
use crate::keys::Algorithm;
use crate::pool::password::PasswordPolicy;
use crate::pool::settings::MfaMode;
use crate::pool::{Pool, PoolSettings};

const EXAMPLES: &str = "\
Examples:
  cognate pools list
  cognate pools update --algorithm ES256
  cognate pools update --password-policy cognito --password-length 10 --password-needs uppercase,lowercase,numbers
  cognate pools update --temporary-password-life 2d --hide-user-existence off
  cognate pools update --srp on --mfa optional

Running services take a change over within keys.reload.";

/// User pools.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PoolsCommand {
    /// Id of the user pool for show and update [default: the first]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show all pools
    List {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show a pool
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a pool; what is not named stays
    Update(Box<update::Update>),
}

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    issuer: String,
    algorithm: Algorithm,
    password_policy: PasswordPolicy,
    password_history: u32,
    hide_user_existence: bool,
    end_sessions_on_password_change: bool,
    srp: bool,
    mfa: MfaMode,
    temporary_password_seconds: u64,
    reset_code_seconds: u64,
    created_at: String,
}

impl<'a> Shown<'a> {
    fn new(pool: &'a Pool) -> Self {
        let settings = &pool.settings;
        Self {
            id: &settings.id,
            name: &settings.name,
            issuer: pool.issuer(),
            algorithm: settings.algorithm,
            password_policy: settings.password_policy,
            password_history: settings.password_history,
            hide_user_existence: settings.hide_user_existence,
            end_sessions_on_password_change: settings.end_sessions_on_password_change,
            srp: settings.srp,
            mfa: settings.mfa.mode,
            temporary_password_seconds: settings.temporary_password_seconds,
            reset_code_seconds: settings.reset_code_seconds,
            created_at: instant(settings.created_at),
        }
    }
}

impl PoolsCommand {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        match self.verb {
            Verb::List { json } => list(opened, json, output),
            Verb::Show { json } => show(&*opened.pool(self.pool.as_deref())?, json, output),
            Verb::Update(update) => {
                let pool = update.run(opened, &*opened.pool(self.pool.as_deref())?).await?;
                show(&pool, false, output)
            }
        }
    }
}

fn list(opened: &Opened, json: bool, output: &mut Output) -> Result<(), Failure> {
    let pools = opened.pools.all()?;
    if json {
        return output.json(&pools.iter().map(|pool| Shown::new(pool)).collect::<Vec<_>>());
    }
    let row = |pool: &Pool| {
        let PoolSettings { id, name, algorithm, .. } = &pool.settings;
        [id.clone(), name.clone(), algorithm.to_string(), pool.clients().len().to_string(), pool.issuer()]
    };
    let rows: Vec<_> = pools.iter().map(|pool| row(pool)).collect();
    output.table(["ID", "NAME", "ALGORITHM", "CLIENTS", "ISSUER"], &rows)
}

fn show(pool: &Pool, json: bool, output: &mut Output) -> Result<(), Failure> {
    if json {
        return output.json(&Shown::new(pool));
    }
    let settings = &pool.settings;
    output.details(&[
        ("id", settings.id.clone()),
        ("name", settings.name.clone()),
        ("issuer", pool.issuer()),
        ("algorithm", settings.algorithm.to_string()),
        ("password policy", in_words(settings.password_policy)),
        ("password history", history(settings.password_history)),
        ("hide user existence", yes_no(settings.hide_user_existence)),
        ("end sessions on password change", yes_no(settings.end_sessions_on_password_change)),
        ("SRP", yes_no(settings.srp)),
        ("second factor", second_factor(settings.mfa.mode).to_owned()),
        ("temporary password life", Period::seconds(settings.temporary_password_seconds).to_string()),
        ("reset code life", Period::seconds(settings.reset_code_seconds).to_string()),
        ("created", instant(settings.created_at)),
    ])
}

fn second_factor(mode: MfaMode) -> &'static str {
    match mode {
        MfaMode::Off => "off",
        MfaMode::Optional => "optional",
        MfaMode::On => "on",
    }
}

fn history(size: u32) -> String {
    if size == 0 { "none".to_owned() } else { format!("the last {size} may not come again") }
}

fn in_words(policy: PasswordPolicy) -> String {
    match policy {
        PasswordPolicy::Nist { min_length } => format!("nist: at least {min_length} characters, no common password"),
        PasswordPolicy::Cognito {
            min_length,
            require_uppercase,
            require_lowercase,
            require_numbers,
            require_symbols,
        } => {
            let kinds = [
                (require_uppercase, "uppercase"),
                (require_lowercase, "lowercase"),
                (require_numbers, "numbers"),
                (require_symbols, "symbols"),
            ];
            let needed: Vec<_> = kinds.iter().filter(|(needed, _)| *needed).map(|(_, kind)| *kind).collect();
            let needed = if needed.is_empty() { "no kind of character".to_owned() } else { needed.join(", ") };
            format!("cognito: at least {min_length} characters; needs {needed}")
        }
    }
}
