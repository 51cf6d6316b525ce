//! Where the directory is, and the way into it: TCP, StartTLS where the URL asks for it, TLS.

use std::path::Path;
use std::sync::Arc;

use ldap3::{LdapConnAsync, LdapConnSettings, StdStream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use url::Url;

use super::connection::Connection;
use super::start_tls::start_tls;
use crate::error::Cause;

/// A directory server.
pub(super) struct Server {
    host: String,
    port: u16,
    starts_plain: bool,
    /// The name that the certificate must bear, as a URL whose scheme is TLS from the first byte.
    secure_url: Url,
    tls: Arc<ClientConfig>,
}

impl Server {
    /// Reads `ldaps://HOST:PORT` or `ldap://HOST:PORT`, and whom to trust.
    pub(super) fn new(url: &Url, ca_file: Option<&Path>) -> Result<Self, String> {
        let starts_plain = url.scheme() == "ldap";
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port().unwrap_or(if starts_plain { 389 } else { 636 });
        let secure_url = Url::parse(&format!("ldaps://{host}:{port}")).map_err(|fault| format!("ldap.url: {fault}"))?;
        Ok(Self { host, port, starts_plain, secure_url, tls: Arc::new(tls(ca_file)?) })
    }

    /// A new connection, bound as nobody.
    pub(super) async fn connect(&self) -> Result<Connection, Cause> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if self.starts_plain {
            start_tls(&mut stream).await?;
        }
        let settings =
            LdapConnSettings::new().set_config(self.tls.clone()).set_std_stream(StdStream::Tcp(stream.into_std()?));
        let (driver, ldap) = LdapConnAsync::from_url_with_settings(settings, &self.secure_url).await?;
        Ok(Connection::new(driver, ldap))
    }
}

fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|fault| fault.to_string())?;
    Ok(builder.with_root_certificates(trusted(ca_file)?).with_no_client_auth())
}

fn trusted(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut trusted = RootCertStore::empty();
    let Some(path) = ca_file else {
        trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(trusted);
    };
    let wrong = |fault: &dyn std::fmt::Display| format!("ldap.ca_file: {}: {fault}", path.display());
    for certificate in CertificateDer::pem_file_iter(path).map_err(|fault| wrong(&fault))? {
        trusted.add(certificate.map_err(|fault| wrong(&fault))?).map_err(|fault| wrong(&fault))?;
    }
    if trusted.is_empty() { Err(wrong(&"holds no certificate")) } else { Ok(trusted) }
}
