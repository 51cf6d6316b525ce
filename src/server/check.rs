//! Trying everything that a start needs, one after the other and without changing anything: `cognate check`.

use std::sync::Arc;

use super::room::Room;
use super::{master, tls};
use crate::config::Config;
use crate::error::{Error, chain};
use crate::outbound::hook::Hooks;
use crate::outbound::ldap::Ldap;
use crate::outbound::mail::{Mailer, Templates};
use crate::pool::{Hasher, Inventory, Surface, Surfaces, inspect};
use crate::store::directory::Directory;
use crate::store::{embedded_file, open_directory, open_tokens};
use crate::telemetry;

/// What trying one part came to, in words for an operator.
pub struct Finding {
    /// The part.
    pub part: &'static str,
    /// How it is, or what is wrong with it.
    pub outcome: Result<String, String>,
}

/// Tries every part.
pub async fn check(config: &Config) -> Vec<Finding> {
    let directory = try_directory(config).await;
    let seals = match &directory {
        Ok(Some(directory)) => check_seals(config, &**directory).await,
        Ok(None) => master::find(config).map(|_| None),
        Err(_) => Err("can not be tried without the directory".to_owned()),
    };
    let finding = |part, outcome| Finding { part, outcome };
    let mut findings = vec![
        finding("directory", directory.map(|found| say_directory(config, found.is_some()))),
        finding("tokens", try_tokens(config).await),
        finding("master key", seals.as_ref().map(|found| say_seals(config, found.as_ref())).map_err(Clone::clone)),
    ];
    findings.extend(try_clients(config, seals.ok().flatten().as_ref()));
    findings.extend([
        finding("room", Room::find(config).map(|room| room.to_string())),
        finding("certificate", try_certificate(config)),
        finding("mail", try_mail(config)),
        finding("ldap", try_ldap(config).await),
        finding("hooks", Hooks::new(&config.hooks).map(|hooks| say_hooks(&hooks))),
        finding("templates", Templates::load(&config.mail).map(|_| say_templates(config))),
        finding(
            "password",
            Hasher::new(&config.password).map(|_| "Argon2id".to_owned()).map_err(|fault| chain(&fault)),
        ),
        finding("log", telemetry::filter(&config.log).map(|filter| filter.to_string())),
    ]);
    findings
}

/// Whether the master keys at hand open what the Directory holds sealed; `None` when it holds nothing yet.
pub async fn check_seals(config: &Config, directory: &dyn Directory) -> Result<Option<Inventory>, String> {
    let keys = master::find(config)?;
    let found = match &keys {
        Some(keys) => inspect(directory, keys).await,
        None => match directory.document("root", "root").await {
            Ok(None) => Ok(None),
            Ok(Some(_)) => return Err(missing(config)),
            Err(error) => Err(error),
        },
    };
    found.map_err(|error| wrong(config, &error))
}

fn missing(config: &Config) -> String {
    format!("the data is sealed under a master key that is not here: put it back at {}", master::place(config))
}

fn wrong(config: &Config, error: &Error) -> String {
    if matches!(error, Error::Unavailable { .. }) {
        return format!("cannot be tried: {}", chain(error));
    }
    format!("{} does not open the data: {}", master::place(config), chain(error))
}

/// None when the embedded store is not there yet: looking must not make it.
async fn try_directory(config: &Config) -> Result<Option<Arc<dyn Directory>>, String> {
    if embedded_file(config).is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    let directory = open_directory(config).await?;
    directory.ping().await.map_err(|error| chain(&error))?;
    Ok(Some(directory))
}

fn say_directory(config: &Config, there: bool) -> String {
    match embedded_file(config) {
        Some(file) if there => format!("embedded store {}", file.display()),
        Some(file) => format!("{} will be made at the first start", file.display()),
        None => "PostgreSQL answers".to_owned(),
    }
}

async fn try_tokens(config: &Config) -> Result<String, String> {
    match open_tokens(config)? {
        None => Ok("beside the directory".to_owned()),
        Some(tokens) => match tokens.ping().await {
            Ok(_) => Ok("Redis answers".to_owned()),
            Err(error) => Err(chain(&error)),
        },
    }
}

fn say_seals(config: &Config, found: Option<&Inventory>) -> String {
    match found {
        Some(found) => format!("{} opens the root secret and signing keys ({})", master::place(config), found.keys),
        None => match master::find(config) {
            Ok(Some(_)) => format!("{}; nothing is sealed yet", master::place(config)),
            Ok(None) | Err(_) => format!("{} will be made at the first start", master::place(config)),
        },
    }
}

/// The clients that settings name; of those that make themselves only the oldest is worth a line.
fn try_clients(config: &Config, found: Option<&Inventory>) -> Vec<Finding> {
    let outcome = |named: Option<&str>| match (named, found) {
        (None, _) => Ok("the client made at the first start".to_owned()),
        (Some(client), Some(found)) if !found.clients.iter().any(|there| there == client) => {
            Err(format!("there is no client {client}; `cognate clients list` shows those there are"))
        }
        (Some(client), _) => Ok(client.to_owned()),
    };
    let surfaces = Surfaces::from(config);
    let shown = surfaces.served().filter(|(surface, named)| named.is_some() || *surface == Surface::V1);
    shown.map(|(surface, named)| Finding { part: surface.setting(), outcome: outcome(named) }).collect()
}

fn try_certificate(config: &Config) -> Result<String, String> {
    Ok(match tls::settings(&config.http)? {
        Some(_) => "certificate and key open and fit".to_owned(),
        None => "none: plain HTTP".to_owned(),
    })
}

fn try_mail(config: &Config) -> Result<String, String> {
    let folder = config.data.join("mail");
    if config.mail.url.expose() != "file" {
        Mailer::open(&config.mail, &config.data)?;
        return Ok("SMTP (the server is not called)".to_owned());
    }
    if folder.exists() {
        Mailer::open(&config.mail, &config.data)?;
    }
    Ok(format!("mails land in {}", folder.display()))
}

async fn try_ldap(config: &Config) -> Result<String, String> {
    match Ldap::open(&config.ldap)? {
        None => Ok("not configured: nobody signs in from Active Directory".to_owned()),
        Some(ldap) => ldap.try_out().await.map(str::to_owned).map_err(|error| chain(&error)),
    }
}

/// They are not called: an event that nobody caused would be one too many.
fn say_hooks(hooks: &Hooks) -> String {
    match hooks.count() {
        0 => "no functions: pools can have no triggers".to_owned(),
        count => format!("{count} functions have a URL, which is not called now"),
    }
}

fn say_templates(config: &Config) -> String {
    config.mail.templates.as_ref().map_or_else(|| "built in".to_owned(), |folder| folder.display().to_string())
}
