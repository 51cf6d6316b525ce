//! AWS Signature Version 4 with our access keys (contract cognito (b)). A signature is good for 15 minutes, as at
//! Amazon's, and within them again: what it can be replayed for is the very same call.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::claim::Claim;
use super::fault::Fault;
use crate::api::Api;
use crate::crypto;
use crate::pool::AccessKey;

/// How far the caller's clock may be from ours.
const WINDOW_SECONDS: i64 = 15 * 60;
const SERVICE: &str = "cognito-idp";
const TERMINATOR: &str = "aws4_request";
/// What must be signed when it is sent, or a signature could be moved to another call.
const GUARDED: [&str; 5] =
    ["x-amz-target", "content-type", "x-amz-security-token", "x-amz-content-sha256", "x-amz-date"];

/// Whose signature a request bears. Errors: in Amazon's words, whatever is wrong with it.
pub(super) async fn signer(api: &Api, request: &HttpRequest, body: &[u8]) -> Result<AccessKey, Fault> {
    let claim = Claim::read(request.headers())?;
    check_signed_headers(&claim, request.headers())?;
    let stamp = stamp(request.headers())?;
    check_time(&claim, &stamp, api.ports.clock.now().seconds())?;
    check_scope(&claim, api.config.cognito_region())?;
    let found = api.pools.signing_key(&claim.key).await?;
    let (key, secret) = found.ok_or_else(|| {
        Fault::new("UnrecognizedClientException", "The security token included in the request is invalid.")
    })?;
    let signing = Signing { claim: &claim, stamp: &stamp, request, hash: hex::encode(crypto::sha256(body)) };
    if signing.is_by(&secret, &hosts(api, request)) { Ok(key) } else { Err(mismatch()) }
}

fn refused(message: String) -> Fault {
    Fault::new("InvalidSignatureException", message)
}

fn mismatch() -> Fault {
    Fault::new(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.",
    )
}

fn check_signed_headers(claim: &Claim, headers: &HeaderMap) -> Result<(), Fault> {
    let sent = GUARDED.into_iter().filter(|name| headers.contains_key(*name));
    let date = (!headers.contains_key("x-amz-date")).then_some("date");
    for name in ["host"].into_iter().chain(sent).chain(date) {
        if !claim.signs(name) {
            return Err(refused(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
        }
    }
    Ok(())
}

/// When it was signed, as the string to sign has it.
fn stamp(headers: &HeaderMap) -> Result<String, Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let from_date = || text("date").and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()).map(written);
    text("x-amz-date").map(str::to_owned).or_else(from_date).ok_or_else(|| {
        let message = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        Fault::new("IncompleteSignatureException", message)
    })
}

fn written(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
        .unwrap_or_default()
}

fn check_time(claim: &Claim, stamp: &str, now: i64) -> Result<(), Fault> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = PrimitiveDateTime::parse(stamp, format).map_err(|_| {
        let message = "Date must be in ISO-8601 'basic format': YYYYMMDDTHHMMSSZ.";
        Fault::new("IncompleteSignatureException", message)
    })?;
    let at = at.assume_utc().unix_timestamp();
    let spelled =
        |seconds: i64| written(OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH));
    let (present, first, last) = (spelled(now), now - WINDOW_SECONDS, now + WINDOW_SECONDS);
    if at < first {
        return Err(refused(format!(
            "Signature expired: {stamp} is now earlier than {} ({present} - 15 min.)",
            spelled(first)
        )));
    }
    if at > last {
        return Err(refused(format!(
            "Signature not yet current: {stamp} is still later than {} ({present} + 15 min.)",
            spelled(last)
        )));
    }
    if stamp.starts_with(&claim.day) && claim.day.len() == 8 {
        return Ok(());
    }
    Err(refused("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.".to_owned()))
}

fn check_scope(claim: &Claim, region: &str) -> Result<(), Fault> {
    if claim.region != region {
        return Err(refused(format!("Credential should be scoped to a valid region: this server is in '{region}'.")));
    }
    if claim.service != SERVICE {
        return Err(refused(format!("Credential should be scoped to correct service: '{SERVICE}'.")));
    }
    if claim.terminator != TERMINATOR {
        return Err(refused(format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'.")));
    }
    Ok(())
}

/// What the caller may have signed as host: what we see, and what a proxy may have hidden. No header decides it.
fn hosts(api: &Api, request: &HttpRequest) -> Vec<String> {
    let seen = request.headers().get(header::HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
    let seen = seen.or_else(|| request.uri().authority().map(ToString::to_string));
    let public = api.config.public_url();
    let public = public.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest).to_owned());
    let configured = api.config.cognito.hosts.iter().cloned();
    let mut hosts: Vec<String> = seen.into_iter().chain(public).chain(configured).collect();
    hosts.dedup();
    hosts
}

/// A request and what its signature claims of it.
struct Signing<'a> {
    claim: &'a Claim,
    stamp: &'a str,
    request: &'a HttpRequest,
    hash: String,
}

impl Signing<'_> {
    fn is_by(&self, secret: &str, hosts: &[String]) -> bool {
        let headers = self.request.headers();
        let hashes = headers.get_all("x-amz-content-sha256").all(|sent| sent.as_bytes() == self.hash.as_bytes());
        // SDKs send none: what is signed is the path alone.
        let bare = self.request.path() == "/" && self.request.query_string().is_empty();
        bare && hashes && hosts.iter().any(|host| self.is_of_host(secret, host))
    }

    fn is_of_host(&self, secret: &str, host: &str) -> bool {
        let Some(canonical) = self.canonical(host) else { return false };
        let Claim { day, region, signature, .. } = self.claim;
        let scope = format!("{day}/{region}/{SERVICE}/{TERMINATOR}");
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.stamp, hex::encode(crypto::sha256(canonical)));
        let first = zeroize::Zeroizing::new(format!("AWS4{secret}"));
        let steps = [day.as_str(), region, SERVICE, TERMINATOR];
        let of_day = |key: Vec<u8>, step: &str| crypto::hmac_sha256(&key, &[step.as_bytes()]).to_vec();
        let key = steps.into_iter().fold(first.as_bytes().to_vec(), of_day);
        let ours = hex::encode(crypto::hmac_sha256(&key, &[text.as_bytes()]));
        crypto::same(ours.as_bytes(), signature.as_bytes())
    }

    /// `None` when a header that should be signed was not sent.
    fn canonical(&self, host: &str) -> Option<Vec<u8>> {
        let mut text = b"POST\n/\n\n".to_vec();
        for name in &self.claim.headers {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            let folded = if name == "host" { host.as_bytes().to_vec() } else { self.folded(name)? };
            text.extend_from_slice(&folded);
            text.push(b'\n');
        }
        text.extend_from_slice(format!("\n{}\n{}", self.claim.headers.join(";"), self.hash).as_bytes());
        Some(text)
    }

    /// The values of a header, with commas between them and one space where there were many.
    fn folded(&self, name: &str) -> Option<Vec<u8>> {
        let values = self.request.headers().get_all(name).map(|value| {
            let words = value.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(&b' ')
        });
        let values: Vec<Vec<u8>> = values.collect();
        (!values.is_empty()).then(|| values.join(&b','))
    }
}
