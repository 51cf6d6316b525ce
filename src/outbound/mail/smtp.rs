//! Delivery by SMTP: one connection a mail, closed whatever happens. lettre's pool is not used: it would keep a
//! connection whose delivery was cut off half-way, and take the late answer to one mail for the answer to the next.

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use percent_encoding::percent_decode_str;
use url::Url;

use super::Undelivered;
use crate::config;

/// How long a server may take over its farewell when it has the mail already.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// A mail server.
pub(super) struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    timeout: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Server {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT?tls=required|opportunistic` or `smtps://…`.
    pub fn new(url: &str, settings: &config::Mail) -> Result<Self, String> {
        // Never the parser's own words: they could repeat the password that stands in the URL.
        let form = "mail.url: must be smtp://USER:PASSWORD@HOST:PORT?tls=required or smtps://USER:PASSWORD@HOST:PORT";
        let url = Url::parse(url).map_err(|_| form)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(form)?.trim_matches(['[', ']']).to_owned();
        let (tls, port) = encryption(&url, parameters(&host, settings)?).ok_or(form)?;
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| form);
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        if credentials.is_some() && !matches!(tls, Tls::Wrapper(_) | Tls::Required(_)) && !is_loopback(&host) {
            return Err("mail.url: would send the password unencrypted; add ?tls=required or write smtps://".to_owned());
        }
        Ok(Self { host, port: url.port().unwrap_or(port), tls, credentials, timeout: *settings.timeout })
    }

    /// Hands a mail over, within `mail.timeout`.
    pub async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let mut connection = tokio::time::timeout(self.timeout, self.hand_over(message))
            .await
            .map_err(|_| Undelivered::Later("the mail server took longer than mail.timeout".into()))??;
        // The server has it: whatever it says to the farewell, or never says, must not make it come twice.
        let _: Result<_, tokio::time::error::Elapsed> = tokio::time::timeout(FAREWELL, connection.quit()).await;
        Ok(())
    }

    async fn hand_over(&self, message: &Message) -> Result<AsyncSmtpConnection, Undelivered> {
        // Whatever goes wrong before the mail is named is not the mail's fault.
        let mut connection = self.connect().await.map_err(|error| Undelivered::Later(cause(&error).into()))?;
        connection.send(message.envelope(), &message.formatted()).await.map_err(|error| refusal(&error))?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let name = ClientId::default();
        let (at_once, later) = match &self.tls {
            Tls::None => (None, None),
            Tls::Wrapper(parameters) => (Some(parameters.clone()), None),
            Tls::Required(parameters) | Tls::Opportunistic(parameters) => (None, Some(parameters.clone())),
        };
        let address = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(address, None, &name, at_once, None).await?;
        if let Some(parameters) = later
            && (matches!(self.tls, Tls::Required(_)) || connection.can_starttls())
        {
            connection.starttls(parameters, &name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

fn parameters(host: &str, settings: &config::Mail) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let fault = |fault: &dyn std::error::Error| format!("mail.ca_file: {}: {fault}", path.display());
        let pem = std::fs::read(path).map_err(|error| fault(&error))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| fault(&error))?);
    }
    parameters.build().map_err(|error| format!("mail.url: TLS: {error}"))
}

/// What the URL asks for, and the port that goes with it.
fn encryption(url: &Url, parameters: TlsParameters) -> Option<(Tls, u16)> {
    let mode = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), mode.as_deref()) {
        ("smtps", None) => Some((Tls::Wrapper(parameters), SUBMISSIONS_PORT)),
        ("smtp", None) => Some((Tls::None, SMTP_PORT)),
        ("smtp", Some("required")) => Some((Tls::Required(parameters), SUBMISSION_PORT)),
        ("smtp", Some("opportunistic")) => Some((Tls::Opportunistic(parameters), SUBMISSION_PORT)),
        _ => None,
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Of what the server answered only the code: its text often repeats the address.
fn cause(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {}", u16::from(code)),
        None if error.is_response() => "the mail server's answer makes no sense".to_owned(),
        None => error.to_string(),
    }
}

fn refusal(error: &Error) -> Undelivered {
    let cause = cause(error).into();
    // RFC 4954 §6: these are about our credentials, which an operator can mend.
    let about_us = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    if error.is_permanent() && !about_us { Undelivered::Never(cause) } else { Undelivered::Later(cause) }
}
