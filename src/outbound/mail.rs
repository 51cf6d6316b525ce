//! Mail: what one is, and its delivery by SMTP or, without a server, into a folder.

mod template;

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::config;
use crate::crypto::Random;
use crate::error::Cause;

pub use template::Templates;

/// A mail to one recipient. It holds a secret of his: never logged, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Mail {
    /// The recipient's bare address; empty makes it a mail to nobody.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The body for programs that show no HTML.
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
    timeout: Duration,
    random: Random,
}

#[derive(Debug)]
enum Way {
    Folder(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Mailer {
    /// Reads the settings and makes `data`/mail when mails land there; connects to nobody. For SMTP it must be called
    /// inside a tokio runtime, which then keeps the connections. The text of a fault is for the operator.
    pub fn open(settings: &config::Mail, data: &Path) -> Result<Self, String> {
        let from = settings.from.parse().map_err(|fault| format!("mail.from: {fault}"))?;
        let url = settings.url.expose();
        let way = if url == "file" { Way::Folder(folder(data)?) } else { Way::Smtp(smtp(url, settings)?) };
        Ok(Self { from, way, timeout: *settings.timeout, random: Random::default() })
    }

    /// The longest time [`Mailer::deliver`] takes.
    pub fn patience(&self) -> Duration {
        self.timeout
    }

    /// Delivers a mail now; answers the file when it became one.
    pub async fn deliver(&self, mail: &Mail) -> Result<Option<PathBuf>, Undelivered> {
        let message = self.message(mail)?;
        match &self.way {
            Way::Folder(folder) => write(folder, &message, &self.random).map(Some).map_err(Undelivered::Later),
            Way::Smtp(transport) => match tokio::time::timeout(self.timeout, transport.send(message)).await {
                Ok(answer) => answer.map(|_| None).map_err(refusal),
                Err(_) => Err(Undelivered::Later("the mail server took longer than mail.timeout".into())),
            },
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, Undelivered> {
        let never = |what: &'static str| move |_| Undelivered::Never(what.into());
        let to: Address = mail.to.parse().map_err(never("the recipient has no valid address"))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(None)
            // RFC 3834 §5: keeps out-of-office answers away.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| Undelivered::Never("the mail cannot be composed".into()))
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

fn smtp(url: &str, settings: &config::Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    // lettre's own words could repeat the password that stands in the URL.
    let form = "mail.url: must be smtp://USER:PASSWORD@HOST:PORT?tls=required or smtps://USER:PASSWORD@HOST:PORT";
    let parsed = Url::parse(url).map_err(|_| form)?;
    let builder =
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| form)?.timeout(Some(*settings.timeout));
    let builder = match tls(&parsed, settings)? {
        Some(tls) => builder.tls(tls),
        None if parsed.password().is_some() && !is_loopback(&parsed) => {
            return Err("mail.url: would send the password unencrypted; add ?tls=required or write smtps://".to_owned());
        }
        None => builder,
    };
    Ok(builder.build())
}

fn tls(url: &Url, settings: &config::Mail) -> Result<Option<Tls>, String> {
    let mode = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let mut parameters = TlsParameters::builder(url.host_str().unwrap_or_default().to_owned());
    if let Some(path) = &settings.ca_file {
        let fault = |fault: String| format!("mail.ca_file: {}: {fault}", path.display());
        let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
        parameters =
            parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| fault(error.to_string()))?);
    }
    let parameters = parameters.build().map_err(|fault| format!("mail.ca_file: {fault}"))?;
    Ok(match (url.scheme(), mode.as_deref()) {
        ("smtps", _) => Some(Tls::Wrapper(parameters)),
        (_, Some("required")) => Some(Tls::Required(parameters)),
        (_, Some("opportunistic")) => Some(Tls::Opportunistic(parameters)),
        _ => None,
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What the server answered becomes its code alone: its text often repeats the address.
fn refusal(error: lettre::transport::smtp::Error) -> Undelivered {
    let Some(code) = error.status() else { return Undelivered::Later(error.into()) };
    let code = u16::from(code);
    let cause = format!("the mail server answered {code}").into();
    // RFC 4954 §6: these are about our credentials, not about the mail; an operator can mend them.
    let about_us = matches!(code, 530 | 534 | 535 | 538);
    if error.is_permanent() && !about_us { Undelivered::Never(cause) } else { Undelivered::Later(cause) }
}
