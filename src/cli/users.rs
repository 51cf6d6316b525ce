//! `cognate users`: people, made and looked after by an operator.

mod batch;
mod columns;
mod create;
mod import;
mod jobs;
mod progress;
mod records;
mod register;
mod show;

use clap::{Args, Subcommand};

use super::ask::confirm;
use super::failure::Failure;
use super::open::Opened;
use super::output::Output;
use crate::pool::Pool;

const EXAMPLES: &str = "\
Examples:
  cognate users create alice --email alice@example.com --group admin        asks for the password twice
  cognate users create bob --email bob@example.com --temporary              prints a temporary password once
  cognate users create eve --email eve@example.com --temporary --mail       mails it to her instead
  pass show carol | cognate users create carol --password-stdin             for scripts
  cognate users import people.csv
  cognate users register 'CORP\\alice'                                       a person of Active Directory

NAME may be the username, the verified email address or the sub. Passwords are never taken from the command line, where
other users of the machine could read them.";

/// Users of a user pool.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Users {
    /// Id of the user pool [default: the first]
    #[arg(long, global = true, value_name = "ID", help_heading = "Settings")]
    pool: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a user, who may sign in at once
    Create(create::Create),
    /// Let a person of Active Directory sign in with the password of there
    Register(register::Register),
    /// Show all users in the order of their making
    List(show::List),
    /// Show a user with groups and live sessions
    Show(show::Show),
    /// Keep a user out: sign-in, refresh and access are refused at once
    Disable(Name),
    /// Let a disabled user in again
    Enable(Name),
    /// Delete a user; his tokens are dead with him
    Delete {
        #[command(flatten)]
        name: Name,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Give a user a new password and end his sessions
    SetPassword(create::SetPassword),
    /// Give a user a new OAuth client secret, shown only now; the one before stops working
    ClientSecret(Name),
    /// Take a user's API key and OAuth client secret away
    RevokeKeys(Name),
    /// Make a user choose a new password by a mailed code before the next sign-in
    Reset(Name),
    /// End every session of a user
    SignOut(Name),
    /// Take over users from a CSV file, with their password hashes
    Import(import::Import),
    /// Show the import jobs of the Cognito API; with an id, the rows that one did not take and why
    Jobs(jobs::Jobs),
}

#[derive(Args)]
struct Name {
    /// Username, verified email address or sub
    name: String,
}

impl Users {
    pub(super) async fn run(self, opened: &Opened, output: &mut Output) -> Result<(), Failure> {
        let pool = &*opened.pool(self.pool.as_deref())?;
        match self.verb {
            Verb::Create(create) => create.run(opened, pool, output).await,
            Verb::Register(register) => register.run(pool, output).await,
            Verb::List(list) => list.run(pool, output).await,
            Verb::Show(show) => show.run(pool, output).await,
            Verb::Disable(Name { name }) => {
                pool.disable_user(&name).await?;
                output.line(format_args!("{name} is disabled, and every session is over."))
            }
            Verb::Enable(Name { name }) => {
                pool.enable_user(&name).await?;
                output.line(format_args!("{name} may sign in again."))
            }
            Verb::Delete { name: Name { name }, yes } => delete(pool, &name, yes, output).await,
            Verb::SetPassword(set) => set.run(opened, pool, output).await,
            Verb::ClientSecret(Name { name }) => client_secret(pool, &name, output).await,
            Verb::RevokeKeys(Name { name }) => {
                pool.revoke_keys(&name).await?;
                output.line(format_args!("{name} has neither an API key nor a client secret any more."))
            }
            Verb::Reset(Name { name }) => {
                pool.reset_user(opened.client_of(pool)?, &name).await?;
                output.line(format_args!("{name} must reset the password. {MAIL_WAITS}"))
            }
            Verb::SignOut(Name { name }) => {
                pool.sign_out_user(&name).await?;
                output.line(format_args!("Every session of {name} is over."))
            }
            Verb::Import(import) => import.run(opened, pool, output).await,
            Verb::Jobs(jobs) => jobs.run(pool, output).await,
        }
    }
}

/// When a mail that a command enqueued goes out.
const MAIL_WAITS: &str = "A mail waits in the store; a running service sends it within about a second.";

async fn client_secret(pool: &Pool, name: &str, output: &mut Output) -> Result<(), Failure> {
    let user = pool.find_user(name).await?;
    let secret = pool.replace_client_secret(&user.sub.to_string()).await?;
    output.line(format_args!("Client id of {}: {}", user.username, pool.public_id(&user)))?;
    output.line(format_args!("Client secret (shown only now): {}", secret.text))
}

async fn delete(pool: &Pool, name: &str, yes: bool, output: &mut Output) -> Result<(), Failure> {
    let user = pool.find_user(name).await?;
    confirm(&format!("Delete user {} ({}) for ever?", user.username, user.sub), yes)?;
    pool.delete_user(&user.sub.to_string()).await?;
    output.line(format_args!("User {} ({}) deleted.", user.username, user.sub))
}
