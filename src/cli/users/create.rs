//! Making a user and setting a password: where the password comes from, and who gets to see it.

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::MAIL_WAITS;
use super::show::Shown;
use crate::cli::ask::{self, Entered};
use crate::cli::failure::Failure;
use crate::cli::open::Opened;
use crate::cli::output::Output;
use crate::config::Period;
use crate::error::Error;
use crate::pool::{NewUser, Pool};
use crate::store::directory::User;

/// A user to be made.
#[derive(Args)]
pub(super) struct Create {
    /// The username
    name: String,
    /// The address, taken as verified; without one the password can not be reset by mail
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A group to join, which must exist; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    #[command(flatten)]
    password: PasswordOptions,
    /// Print the user as JSON, with `temporary_password` if one was made up
    #[arg(long)]
    json: bool,
}

/// A password to be set.
#[derive(Args)]
pub(super) struct SetPassword {
    /// Username, verified email address or sub
    name: String,
    #[command(flatten)]
    password: PasswordOptions,
}

#[derive(Args)]
struct PasswordOptions {
    /// The password must be replaced at the first sign-in; without --password-stdin one is made up and printed once
    #[arg(long)]
    temporary: bool,
    /// Mail the temporary password to the user instead of printing it
    #[arg(long, requires = "temporary")]
    mail: bool,
    /// Read the password from standard input: one line, without its line feed
    #[arg(long)]
    password_stdin: bool,
}

/// A password, and whether it was made up here.
struct Chosen {
    password: Entered,
    made_up: bool,
}

impl PasswordOptions {
    fn choose(&self, opened: &Opened, pool: &Pool, username: &str) -> Result<Chosen, Failure> {
        let made_up = self.temporary && !self.password_stdin;
        let password = if self.password_stdin {
            ask::password_from_stdin()?
        } else if made_up {
            Zeroizing::new(pool.settings.password_policy.generate(&opened.ports.random)?)
        } else {
            ask::new_password(username)?
        };
        Ok(Chosen { password, made_up })
    }

    /// Mails the password, or shows it if nobody knows it yet.
    async fn hand_out(&self, pool: &Pool, user: &User, chosen: &Chosen, output: &mut Output) -> Result<(), Failure> {
        if self.mail {
            mail(pool, user, &chosen.password).await?;
            return output.line(MAIL_WAITS);
        }
        if !chosen.made_up {
            return Ok(());
        }
        let life = Period::seconds(pool.settings.temporary_password_seconds);
        output.line(format_args!("Temporary password (shown only now): {}", *chosen.password))?;
        output.line(format_args!("It works once, for {life}; at the first sign-in the user chooses another."))
    }
}

async fn mail(pool: &Pool, user: &User, password: &str) -> Result<(), Failure> {
    pool.mail_temporary_password(user, password).await.map_err(|error| match Failure::from(error) {
        Failure::Said(line) => Failure::Said(format!(
            "the password is set, but its mail is not on its way: {line} Then: cognate users set-password {} --temporary --mail",
            user.username
        )),
        Failure::ReaderGone => Failure::ReaderGone,
    })
}

#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    user: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary_password: Option<&'a str>,
}

impl Create {
    pub(super) async fn run(self, opened: &Opened, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        if self.password.mail && self.email.is_none() {
            return Err("--mail needs an address: say --email".into());
        }
        let chosen = self.password.choose(opened, pool, &self.name)?;
        let draft = NewUser {
            email: self.email.clone(),
            temporary: self.password.temporary,
            groups: self.groups.clone(),
            ..NewUser::new(&self.name, &chosen.password)
        };
        let user = pool.create_user(draft).await?;
        if self.json {
            return self.print_json(pool, &user, &chosen, output).await;
        }
        output.line(format_args!("User {} made (sub {}).", user.username, user.sub))?;
        self.password.hand_out(pool, &user, &chosen, output).await
    }

    async fn print_json(&self, pool: &Pool, user: &User, chosen: &Chosen, output: &mut Output) -> Result<(), Failure> {
        if self.password.mail {
            mail(pool, user, &chosen.password).await?;
        }
        let shown = chosen.made_up && !self.password.mail;
        let temporary_password = shown.then_some(chosen.password.as_str());
        output.json(&Made { user: Shown::new(user), temporary_password })
    }
}

impl SetPassword {
    pub(super) async fn run(self, opened: &Opened, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let user = pool.find_user(&self.name).await?;
        if self.password.mail {
            user.verified_email().ok_or(Error::NoVerifiedAddress)?;
        }
        let chosen = self.password.choose(opened, pool, &user.username)?;
        pool.set_password(&user.sub.to_string(), &chosen.password, self.password.temporary).await?;
        output.line(format_args!("{} has a new password, and every session is over.", user.username))?;
        self.password.hand_out(pool, &user, &chosen, output).await
    }
}
