//! Trigger webhooks: an event goes out as signed JSON, and comes back with its `response` filled.

mod address;
mod guard;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::clock::Timestamp;
use crate::config::{self, Function, Secret};
use crate::crypto;
use guard::Networks;

const TRIES: u32 = 3;
/// Long enough for a restarted hook to listen again, short beside the time that a try may take.
const PAUSE: Duration = Duration::from_millis(200);
const LARGEST_ANSWER: usize = 1_048_576;
/// A hook's own words end up in the caller's answer.
const LONGEST_MESSAGE: usize = 1_000;
const SIGNATURE: &str = "Cognate-Signature";

/// What happened, in the shape that Cognito gives its triggers. Not `Debug`: a migration's event holds a password.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Version of the trigger's shape: "1", and "2" or "3" of token generation.
    pub version: String,
    /// `PreSignUp_SignUp` …
    pub trigger_source: String,
    /// First part of the pool's id.
    pub region: String,
    /// The pool.
    pub user_pool_id: String,
    /// The user.
    pub user_name: String,
    /// Through what.
    pub caller_context: CallerContext,
    /// What the trigger is told.
    pub request: Value,
    /// What it fills in.
    pub response: Value,
}

/// Through what an event came about.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerContext {
    /// Whatever the caller calls itself.
    pub aws_sdk_version: String,
    /// The app client.
    pub client_id: String,
}

/// Why an event has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The hook says no, in its own words.
    #[error("the hook refused: {message}")]
    Failed {
        /// `errorMessage` of its answer.
        message: String,
    },
    /// It may not be called, or did not answer in time, three times.
    #[error("the hook did not answer: {0}")]
    Unreachable(String),
    /// It answered, and nobody knows what.
    #[error("the hook's answer makes no sense: {0}")]
    Malformed(String),
}

#[derive(Deserialize)]
struct Filled {
    response: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error_message: String,
}

/// Calls the hooks that stand for the functions of pools.
pub struct Hooks {
    functions: Vec<Function>,
    /// Some where there are functions; the settings are held to that.
    key: Option<Secret>,
    http: Client,
}

impl Hooks {
    /// By these settings. The fault is in words for an operator.
    pub fn new(settings: &config::Hooks) -> Result<Self, String> {
        let functions = settings.functions();
        for Function { name, url } in &functions {
            guard::check(url).map_err(|why| format!("hooks.functions: {name}: {why}"))?;
        }
        let http = Client::builder()
            .tls_backend_preconfigured(tls(settings.ca_file.as_deref())?)
            .dns_resolver(Networks(settings.allowed_networks.to_vec().into()))
            // Neither a redirect nor a proxy may choose another way than the one that was checked.
            .redirect(Policy::none())
            .no_proxy()
            .timeout(*settings.timeout)
            .user_agent("Cognate")
            .build()
            .map_err(|fault| format!("hooks: {fault}"))?;
        Ok(Self { functions, key: settings.signing_key.clone(), http })
    }

    /// Why `url` may not be called, whatever the settings say.
    pub fn check(url: &Url) -> Result<(), &'static str> {
        guard::check(url)
    }

    /// Sends signed JSON to a URL of the settings, once; answers the status. What else is answered is not read.
    pub async fn post(&self, url: &Url, body: &impl Serialize, now: Timestamp) -> Result<u16, HookError> {
        let body = serde_json::to_vec(body).map_err(|fault| HookError::Malformed(fault.to_string()))?;
        let signature = signature(self.key()?, now, &body);
        let request = self.http.post(url.clone()).header(CONTENT_TYPE, "application/json");
        let answer = request.header(SIGNATURE, signature).body(body).send().await.map_err(unreachable)?;
        Ok(answer.status().as_u16())
    }

    fn key(&self) -> Result<&[u8], HookError> {
        let key = self.key.as_ref().map(|key| key.expose().as_bytes());
        key.ok_or_else(|| HookError::Unreachable("hooks.signing_key is not set".to_owned()))
    }

    /// How many functions have a hook.
    pub fn count(&self) -> usize {
        self.functions.len()
    }

    /// Whether there is a hook for the function of this ARN.
    pub fn serves(&self, arn: &str) -> bool {
        self.url(arn).is_some()
    }

    /// The whole ARN is closer to what was meant than the name alone.
    fn url(&self, arn: &str) -> Option<&Url> {
        let named = |name: &str| self.functions.iter().find(|function| function.name == name);
        let by_name = || named(arn.split(':').nth(6).filter(|_| arn.starts_with("arn:"))?);
        named(arn).or_else(by_name).map(|function| &function.url)
    }

    /// Sends `event` to the hook of `function`, an ARN, and answers what it filled in. It is tried three times where
    /// nobody answered; the hook tells ours from others by `Cognate-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 under
    /// hooks.signing_key of `SECONDS.BODY`.
    pub async fn call(&self, function: &str, event: &Event, now: Timestamp) -> Result<Map<String, Value>, HookError> {
        let missing = || HookError::Unreachable(format!("hooks.functions has no URL for {function}"));
        let url = self.url(function).ok_or_else(missing)?;
        let key = self.key()?;
        let body = serde_json::to_vec(event).map_err(|fault| HookError::Malformed(fault.to_string()))?;
        let (signature, body) = (signature(key, now, &body), Bytes::from(body));
        let mut tried = 1;
        loop {
            match self.attempt(url, &signature, body.clone()).await {
                Err(HookError::Unreachable(_)) if tried < TRIES => tokio::time::sleep(PAUSE).await,
                outcome => return outcome,
            }
            tried += 1;
        }
    }

    async fn attempt(&self, url: &Url, signature: &str, body: Bytes) -> Result<Map<String, Value>, HookError> {
        let request = self.http.post(url.clone()).header(CONTENT_TYPE, "application/json");
        let answer = request.header(SIGNATURE, signature).body(body).send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(HookError::Unreachable(format!("it answered {}", status.as_u16())));
        }
        let body = read(answer).await?;
        if status.is_success() {
            let filled = serde_json::from_slice::<Filled>(&body);
            return filled.map(|filled| filled.response).map_err(|_| malformed("it has no response"));
        }
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(Refusal { error_message }) if status.is_client_error() => {
                Err(HookError::Failed { message: error_message.chars().take(LONGEST_MESSAGE).collect() })
            }
            Ok(_) | Err(_) => Err(malformed(&format!("it answered {}", status.as_u16()))),
        }
    }
}

fn signature(key: &[u8], now: Timestamp, body: &[u8]) -> String {
    let seconds = now.seconds().to_string();
    let tag = crypto::hmac_sha256(key, &[seconds.as_bytes(), b".", body]);
    format!("t={seconds},v1={}", hex::encode(tag))
}

/// The body, unless it is too large; what comes after that is not even received.
async fn read(mut answer: Response) -> Result<Vec<u8>, HookError> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(part.len()) > LARGEST_ANSWER {
            return Err(malformed("it is larger than 1 MiB"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn malformed(why: &str) -> HookError {
    HookError::Malformed(why.to_owned())
}

/// The cause without the URL, which may hold a secret.
fn unreachable(fault: reqwest::Error) -> HookError {
    let fault = fault.without_url();
    let mut text = fault.to_string();
    let mut next = std::error::Error::source(&fault);
    while let Some(deeper) = next {
        text = format!("{text}: {deeper}");
        next = deeper.source();
    }
    HookError::Unreachable(text)
}

fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let mut trusted = RootCertStore::empty();
    trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = ca_file {
        let wrong = |fault: &dyn std::fmt::Display| format!("hooks.ca_file: {}: {fault}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).map_err(|fault| wrong(&fault))? {
            trusted.add(certificate.map_err(|fault| wrong(&fault))?).map_err(|fault| wrong(&fault))?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|fault| fault.to_string())?;
    Ok(builder.with_root_certificates(trusted).with_no_client_auth())
}
