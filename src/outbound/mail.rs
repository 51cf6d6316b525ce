//! Mail: what one is, and its delivery by SMTP or, without a server, into a folder. A text message travels as one whose
//! recipient is a number.

mod smtp;
mod template;
mod words;

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::sms::Texter;
use crate::config;
use crate::crypto::Random;
use crate::error::Cause;

use smtp::Server;
pub use template::{LinkMail, LinkText, Templates};
pub use words::OwnText;

/// A mail to one recipient. It holds a secret of his: never logged, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Mail {
    /// The recipient's bare address, or number; empty makes it a mail to nobody.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The body for programs that show no HTML; empty makes it a mail in HTML alone.
    pub text: String,
    /// The body for those that do.
    pub html: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail([redacted])")
    }
}

/// Why a mail was not delivered; the causes name neither address nor content.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// The server is away, slow, refuses us or says to come back.
    #[error("{0}")]
    Later(Cause),
    /// The server or the address makes it impossible for ever.
    #[error("{0}")]
    Never(Cause),
}

/// Delivers mails.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
    patience: Duration,
    random: Random,
    texter: Option<Texter>,
}

#[derive(Debug)]
enum Way {
    Folder(PathBuf),
    Smtp(Server),
}

impl Mailer {
    /// Reads the settings and makes `data`/mail when mails land there; connects to nobody. The text of a fault is for
    /// the operator.
    pub fn open(settings: &config::Mail, data: &Path) -> Result<Self, String> {
        let from = settings.from.parse().map_err(|fault| format!("mail.from: {fault}"))?;
        let url = settings.url.expose();
        let way = if url == "file" { Way::Folder(folder(data)?) } else { Way::Smtp(Server::new(url, settings)?) };
        Ok(Self {
            from,
            way,
            patience: settings.timeout.saturating_add(smtp::FAREWELL),
            random: Random::default(),
            texter: None,
        })
    }

    /// The same, with a gateway for text messages.
    #[must_use]
    pub fn texting(self, texter: Option<Texter>) -> Self {
        Self { texter, ..self }
    }

    /// The longest time [`Mailer::deliver`] takes.
    pub fn patience(&self) -> Duration {
        self.texter.as_ref().map_or(self.patience, |texter| texter.patience().max(self.patience))
    }

    /// Delivers a mail now; answers the file when it became one.
    pub async fn deliver(&self, mail: &Mail) -> Result<Option<PathBuf>, Undelivered> {
        if mail.to.starts_with('+') && !mail.to.contains('@') {
            let texter = self.texter.as_ref().ok_or_else(|| Undelivered::Later("sms.url is not set".into()))?;
            return texter.send(&mail.to, mail.text.trim()).await.map(|()| None);
        }
        let message = self.message(mail)?;
        match &self.way {
            Way::Folder(folder) => write(folder, &message, &self.random).map(Some).map_err(Undelivered::Later),
            Way::Smtp(server) => server.send(&message).await.map(|()| None),
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, Undelivered> {
        let never = |what: &'static str| move |_| Undelivered::Never(what.into());
        let to: Address = mail.to.parse().map_err(never("the recipient has no valid address"))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(None)
            // RFC 3834 §5: keeps out-of-office answers away.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let composed = if mail.text.is_empty() {
            message.singlepart(SinglePart::html(mail.html.clone()))
        } else {
            message.multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        };
        composed.map_err(|_| Undelivered::Never("the mail cannot be composed".into()))
    }
}

/// `text` with every control character, line breaks above all, made a space.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn folder(data: &Path) -> Result<PathBuf, String> {
    let folder = data.join("mail");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|fault| format!("cannot make {}: {fault}", folder.display()))?;
    Ok(folder)
}

/// Under another name first, so that nobody reads half a mail.
fn write(folder: &Path, message: &Message, random: &Random) -> Result<PathBuf, Cause> {
    let path = folder.join(format!("{}.eml", random.uuid()?));
    let unfinished = path.with_extension("part");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(&message.formatted())?;
    std::fs::rename(&unfinished, &path)?;
    Ok(path)
}
