//! The texts of mails: templates, built in or an operator's, filled only with the user's own name, the secret, the
//! organization he is invited to, and what the settings say; nothing else of a request reaches them.

use std::path::Path;
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use url::Url;

use super::{Mail, one_line};
use crate::config;
use crate::error::Error;

/// Far above what a mail needs and far below what a worker notices.
const FUEL: u64 = 100_000;

macro_rules! built_in {
    ($($name:literal),+; $($kind:literal),+) => { &[
        $(($name, include_str!(concat!("../templates/", $name))),)+
        $(
            (concat!($kind, ".subject"), include_str!(concat!("../templates/", $kind, ".subject"))),
            (concat!($kind, ".txt"), include_str!(concat!("../templates/", $kind, ".txt"))),
            (concat!($kind, ".html"), include_str!(concat!("../templates/", $kind, ".html"))),
        )+
    ] };
}
const BUILT_IN: &[(&str, &str)] = built_in!(
    "layout.html", "link_or_token.html", "text_code.txt",
    "text_password.txt";
    "reset_code", "verify_code", "sign_in_code", "temporary_password", "verify_email", "already_registered", "reset_link", "change_email",
    "email_changed", "invitation"
);

/// The mails about links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkMail {
    /// Proves an address.
    VerifyEmail,
    /// Tells the owner of an account that somebody wanted another one with his address.
    AlreadyRegistered,
    /// Resets a password.
    ResetLink,
    /// Proves a new address.
    ChangeEmail,
    /// Tells the old address that there is a new one.
    EmailChanged,
    /// Invites into an organization.
    Invitation,
}

impl LinkMail {
    const ALL: [Self; 6] = [
        Self::VerifyEmail,
        Self::AlreadyRegistered,
        Self::ResetLink,
        Self::ChangeEmail,
        Self::EmailChanged,
        Self::Invitation,
    ];

    const fn template(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetLink => "reset_link",
            Self::ChangeEmail => "change_email",
            Self::EmailChanged => "email_changed",
            Self::Invitation => "invitation",
        }
    }
}

/// What a mail about a link says; empty where its kind has no use for it.
#[derive(Clone, Copy)]
pub struct LinkText<'a> {
    /// The user's name.
    pub username: &'a str,
    /// The page that takes the token, with the token; without one the mail has the bare token.
    pub link: Option<&'a str>,
    /// The token.
    pub token: &'a str,
    /// The organization's name.
    pub organization: &'a str,
    /// How long the token works.
    pub valid_for: Duration,
}

/// The templates of every mail.
#[derive(Debug)]
pub struct Templates {
    templates: Environment<'static>,
    product: String,
    reset_url: Option<Url>,
}

impl Templates {
    /// Takes the built-in templates, replaces those that the operator's folder has, and tries each once; the text of
    /// a fault is for the operator.
    pub fn load(settings: &config::Mail) -> Result<Self, String> {
        let mut templates = Environment::new();
        templates.set_fuel(Some(FUEL));
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // Its error texts would show the values, codes and passwords among them.
        templates.set_debug(false);
        for &(name, source) in BUILT_IN {
            let own = settings.templates.as_deref().map(|folder| read(folder, name)).transpose()?.flatten();
            let source = own.unwrap_or_else(|| source.to_owned());
            templates.add_template_owned(name, source).map_err(|fault| format!("mail.templates: {fault}"))?;
        }
        let loaded = Self { templates, product: settings.product.clone(), reset_url: settings.reset_url.clone() };
        loaded.try_all().map_err(|fault| format!("mail.templates: {fault}"))?;
        settings.templates.as_deref().map_or(Ok(()), refuse_misnamed)?;
        Ok(loaded)
    }

    /// The mail with a code that resets a password.
    pub fn reset_code(&self, to: &str, username: &str, code: &str, valid_for: Duration) -> Result<Mail, Error> {
        self.secret("reset_code", to, username, code, valid_for).map_err(Error::internal)
    }

    /// The mail with a code that proves an address.
    pub fn verify_code(&self, to: &str, username: &str, code: &str, valid_for: Duration) -> Result<Mail, Error> {
        self.secret("verify_code", to, username, code, valid_for).map_err(Error::internal)
    }

    /// The mail with a code that signs in.
    pub fn sign_in_code(&self, to: &str, username: &str, code: &str, valid_for: Duration) -> Result<Mail, Error> {
        self.secret("sign_in_code", to, username, code, valid_for).map_err(Error::internal)
    }

    /// The text message with a code.
    pub fn text_code(&self, to: &str, code: &str, valid_for: Duration) -> Result<Mail, Error> {
        self.text("text_code.txt", to, context! { code => code, valid_for => in_words(valid_for) })
    }

    /// The text message with a temporary password.
    pub fn text_password(&self, to: &str, username: &str, password: &str, valid_for: Duration) -> Result<Mail, Error> {
        let values = context! {
            username => one_line(username), password => password, valid_for => in_words(valid_for)
        };
        self.text("text_password.txt", to, values)
    }

    fn text(&self, name: &str, to: &str, values: Value) -> Result<Mail, Error> {
        let values = context! { product => one_line(&self.product), ..values };
        let template = self.templates.get_template(name);
        let text = template.and_then(|template| template.render(&values));
        let text = text.map_err(|fault| Error::internal(fault.to_string()))?;
        Ok(Mail { to: to.to_owned(), subject: String::new(), text, html: String::new() })
    }

    /// The mail with a temporary password.
    pub fn temporary_password(
        &self,
        to: &str,
        username: &str,
        password: &str,
        valid_for: Duration,
    ) -> Result<Mail, Error> {
        self.secret("temporary_password", to, username, password, valid_for).map_err(Error::internal)
    }

    /// A mail about a link.
    pub fn link(&self, kind: LinkMail, to: &str, text: &LinkText<'_>) -> Result<Mail, Error> {
        self.about_link(kind, to, text).map_err(Error::internal)
    }

    fn secret(&self, kind: &str, to: &str, username: &str, secret: &str, valid_for: Duration) -> Result<Mail, String> {
        let values = context! {
            username => one_line(username),
            code => secret,
            password => secret,
            valid_for => in_words(valid_for),
        };
        self.mail(kind, to, values)
    }

    fn about_link(&self, kind: LinkMail, to: &str, text: &LinkText<'_>) -> Result<Mail, String> {
        let values = context! {
            username => one_line(text.username),
            link => text.link,
            token => text.token,
            organization => one_line(text.organization),
            valid_for => in_words(text.valid_for),
        };
        self.mail(kind.template(), to, values)
    }

    fn mail(&self, kind: &str, to: &str, values: Value) -> Result<Mail, String> {
        let values = context! {
            product => one_line(&self.product),
            reset_url => self.reset_url.as_ref().map(Url::as_str),
            ..values
        };
        let render = |form: &str| {
            let template = self.templates.get_template(&format!("{kind}.{form}"));
            template.and_then(|template| template.render(&values)).map_err(|fault| fault.to_string())
        };
        Ok(Mail {
            to: to.to_owned(),
            subject: one_line(&render("subject")?),
            text: render("txt")?,
            html: render("html")?,
        })
    }

    fn try_all(&self) -> Result<(), String> {
        let valid_for = Duration::from_secs(600);
        for kind in ["reset_code", "verify_code", "sign_in_code", "temporary_password"] {
            self.secret(kind, "", "name", "secret", valid_for)?;
        }
        self.text_code("", "secret", valid_for).map_err(|error| crate::error::chain(&error))?;
        self.text_password("", "name", "secret", valid_for).map_err(|error| crate::error::chain(&error))?;
        for kind in LinkMail::ALL {
            for link in [None, Some("https://example.test/?token=secret")] {
                let text = LinkText { username: "name", link, token: "secret", organization: "Acme", valid_for };
                self.about_link(kind, "", &text)?;
            }
        }
        Ok(())
    }
}

fn read(folder: &Path, name: &str) -> Result<Option<String>, String> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(source) => Ok(Some(source)),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(format!("mail.templates: {}: {fault}", folder.join(name).display())),
    }
}

/// A template under a name that nobody asks for would silently do nothing.
fn refuse_misnamed(folder: &Path) -> Result<(), String> {
    let entries =
        std::fs::read_dir(folder).map_err(|fault| format!("mail.templates: {}: {fault}", folder.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let a_template = [".subject", ".txt", ".html"].iter().any(|ending| name.ends_with(ending));
        if a_template && !BUILT_IN.iter().any(|(known, _)| *known == name) {
            let known: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            return Err(format!("mail.templates: {name} is no template's name; there are {}", known.join(", ")));
        }
    }
    Ok(())
}

/// `10 minutes`, `7 days`: the largest unit that says it exactly.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) =
        units.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    let count = seconds / length;
    if count == 1 { format!("{count} {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_words() {
        for (seconds, words) in [
            (600, "10 minutes"),
            (604_800, "7 days"),
            (3_600, "1 hour"),
            (90, "90 seconds"),
            (5_400, "90 minutes"),
            (0, "0 seconds"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
