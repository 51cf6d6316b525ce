//! TLS from certificate files that are read again when they change, so that renewing needs no restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::Http;

/// How often the files are looked at; polling follows the symlink swaps of mounted secrets.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The TLS settings, if a certificate is configured.
pub(super) fn settings(http: &Http) -> Result<Option<ServerConfig>, String> {
    let (Some(certificate), Some(key)) = (&http.certificate_file, &http.certificate_key_file) else { return Ok(None) };
    let files = Files { certificate: certificate.clone(), key: key.clone() };
    let current = Arc::new(Current { certified: ArcSwap::new(files.read()?) });
    tokio::spawn(follow(files, current.clone()));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let settings = builder.map_err(|fault| fault.to_string())?.with_no_client_auth().with_cert_resolver(current);
    Ok(Some(settings))
}

#[derive(Debug)]
struct Current {
    certified: ArcSwap<CertifiedKey>,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified.load_full())
    }
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<Arc<CertifiedKey>, String> {
        let wrong = |path: &Path, fault: &dyn std::fmt::Display| format!("{}: {fault}", path.display());
        let chain =
            CertificateDer::pem_file_iter(&self.certificate).map_err(|fault| wrong(&self.certificate, &fault))?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|fault| wrong(&self.certificate, &fault))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|fault| wrong(&self.key, &fault))?;
        let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        certified.map(Arc::new).map_err(|fault| wrong(&self.certificate, &fault))
    }

    fn changed_at(&self) -> Option<(SystemTime, SystemTime)> {
        let at = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        Some((at(&self.certificate)?, at(&self.key)?))
    }
}

/// Files that are half written stay unread: the old certificate serves until the new pair fits.
async fn follow(files: Files, current: Arc<Current>) {
    let mut seen = files.changed_at();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let changed = files.changed_at();
        if changed.is_none() || changed == seen {
            continue;
        }
        match files.read() {
            Ok(certified) => {
                current.certified.store(certified);
                seen = changed;
                tracing::info!("the TLS certificate was read again");
            }
            Err(fault) => tracing::warn!(fault, "the new TLS certificate can not be used; the old one stays"),
        }
    }
}
