//! What dialects share of HTTP: reading a body within its limits, the caller's address, origins, and headers.

use std::net::IpAddr;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use ipnet::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config;

/// The type of every JSON answer that names its encoding.
pub const JSON: &str = "application/json; charset=utf-8";
/// Why a call that met others, or a store that is away, is worth making again.
pub const BUSY: &str = "Service is temporarily unavailable, please try again.";
/// All that a caller is told of a fault of ours.
pub const INTERNAL: &str = "Internal error, please try again later.";

/// What is wrong with a body before its fields mean anything.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// Longer than the limit.
    TooLarge,
    /// Not whole within the time.
    TooSlow,
    /// The connection broke.
    Broken,
    /// A content type or encoding that is not read here.
    UnknownType,
    /// Not of the form that its type promises; a sentence for people that holds no value of a field.
    Malformed(String),
}

/// A body whose rest is not read, so that the connection can not go on.
pub struct Unread {
    /// The status.
    pub status: u16,
    /// The words, alike in every dialect.
    pub message: &'static str,
    /// Its name in logs and metrics.
    pub label: &'static str,
}

impl BodyFault {
    /// What all dialects say alike; `Err` is for the dialect's own words.
    pub fn unread(self) -> Result<Unread, Self> {
        let unread = |status, message, label| Ok(Unread { status, message, label });
        match self {
            Self::TooLarge => unread(413, "The body is too large.", "body_too_large"),
            Self::TooSlow => unread(408, "The body did not arrive in time.", "body_too_slow"),
            Self::Broken => unread(400, "The body ended too early.", "body_broken"),
            Self::UnknownType | Self::Malformed(_) => Err(self),
        }
    }
}

/// The whole body, at most `settings.body_limit` bytes, within `settings.body_timeout`: a framework's reader has a
/// limit but no deadline (security §6).
pub async fn read_body(request: &HttpRequest, payload: Payload, settings: &config::Http) -> Result<Bytes, BodyFault> {
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(BodyFault::UnknownType);
    }
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > settings.body_limit) {
        return Err(BodyFault::TooLarge);
    }
    let limit = settings.body_limit;
    let reading = async {
        let mut payload = payload;
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyFault::Broken)?;
            if body.len() + chunk.len() > limit {
                return Err(BodyFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(*settings.body_timeout, reading).await.unwrap_or(Err(BodyFault::TooSlow))
}

/// The fields of a body: JSON, urlencoded or multipart, as its content type says. Values never appear in a fault.
pub async fn parse_body<T: DeserializeOwned>(request: &HttpRequest, body: Bytes) -> Result<T, BodyFault> {
    match request.content_type().to_ascii_lowercase().as_str() {
        "application/json" => parse_json(&body),
        "application/x-www-form-urlencoded" => parse_form(&body),
        "multipart/form-data" => parse_form(&flatten_multipart(request, body).await?),
        _ => Err(BodyFault::UnknownType),
    }
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyFault> {
    // serde would take an array for a struct, its items for the fields in the order of their declaration.
    if !body.trim_ascii_start().starts_with(b"{") {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        return Err(describe(is_json, ".", "", "JSON"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
        let path = fault.path().to_string();
        describe(fault.inner().is_data(), &path, &fault.inner().to_string(), "JSON")
    })?;
    reader.end().map_err(|_| BodyFault::Malformed("The body is not valid JSON.".to_owned()))?;
    Ok(value)
}

fn parse_form<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyFault> {
    serde_urlencoded::from_bytes(body).map_err(|fault| describe(true, ".", &fault.to_string(), "form data"))
}

/// A fault in words that name the field but never quote the value: it could be a password.
fn describe(is_data: bool, path: &str, detail: &str, form: &str) -> BodyFault {
    let duplicate = detail.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
    BodyFault::Malformed(match duplicate {
        Some(field) => format!("{field} must not be given twice."),
        None if is_data && path != "." => format!("{path} must be a string."),
        None if is_data => format!("The body must be an object of {form} fields."),
        None => format!("The body is not valid {form}."),
    })
}

/// A multipart body as urlencoded fields, so that one reader judges both.
async fn flatten_multipart(request: &HttpRequest, body: Bytes) -> Result<Vec<u8>, BodyFault> {
    let malformed = || BodyFault::Malformed("The body is not valid multipart form data.".to_owned());
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok()).ok_or_else(malformed)?;
    let chunks = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
    let mut multipart = multer::Multipart::new(chunks, boundary);
    let mut fields = Vec::new();
    while let Some(field) = multipart.next_field().await.map_err(|_| malformed())? {
        let name = field.name().ok_or_else(malformed)?.to_owned();
        fields.push((name, field.bytes().await.map_err(|_| malformed())?));
    }
    let mut text = Vec::with_capacity(fields.len());
    for (name, value) in &fields {
        text.push((name.as_str(), std::str::from_utf8(value).map_err(|_| malformed())?));
    }
    serde_urlencoded::to_string(text).map(String::into_bytes).map_err(|_| malformed())
}

/// The address a request came from. X-Forwarded-For counts only when the peer is a configured proxy, and then its
/// last entry that is no proxy: everything before that the caller could have made up (D21).
pub fn caller_address(request: &HttpRequest, proxies: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |address| address.ip().to_canonical());
    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    if !is_proxy(&peer) {
        return peer;
    }
    let lines: Vec<&str> = request.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok()).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).rev();
    for hop in hops {
        match hop.trim().parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if is_proxy(&address) => {}
            Ok(address) => return address,
            Err(_) => return peer,
        }
    }
    peer
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1), the only place a token is taken from.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A field of the query string, if it is there exactly once.
pub fn query_field(request: &HttpRequest, name: &str) -> Option<String> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).ok()?;
    let mut found = fields.into_iter().filter(|(field, _)| field == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// Paths under `/api` are known in any case and with one slash more (contract seeds §5): the routes see them plain.
pub async fn plain_path(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if let Some(uri) = plain(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await
}

/// The address with its path in plain form, where that is another.
fn plain(uri: &Uri) -> Option<Uri> {
    let lower = uri.path().to_ascii_lowercase();
    let path = lower.strip_suffix('/').unwrap_or(&lower);
    if !path.starts_with("/api/") || path == uri.path() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{path}{query}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Cross-origin rules for the APIs: configured origins, never credentials, because tokens travel in bodies.
pub fn cors(settings: &config::Http) -> Cors {
    let base = Cors::default().allowed_methods(["GET", "POST", "OPTIONS", "HEAD"]).allow_any_header().max_age(86_400);
    if settings.allowed_origins.iter().any(|origin| origin == "*") {
        return base.allow_any_origin().send_wildcard();
    }
    settings.allowed_origins.iter().fold(base, |cors, origin| cors.allowed_origin(origin))
}

/// A preflight is answered with 204 (contract seeds §1), where the CORS library says 200, and refused by `refuse`, in
/// the shape of whom the path belongs to.
pub async fn preflight_in_words_of(
    refuse: fn(&'static str) -> HttpResponse,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.call(request).await?;
    if preflight && response.status() == StatusCode::OK {
        *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    }
    if preflight && response.status() == StatusCode::BAD_REQUEST {
        let refusal = refuse("This origin or method may not call from a browser.");
        return Ok(response.into_response(refusal).map_into_right_body());
    }
    Ok(response.map_into_left_body())
}

/// An error as `/v1` and the public documents say it.
#[derive(Serialize)]
pub struct ErrorBody<'a> {
    /// The HTTP status again.
    pub status: u16,
    /// For people.
    pub message: &'a str,
}

/// Seconds for a Retry-After header: rounded up, at least one.
pub fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_millis().div_ceil(1000).clamp(1, 86_400) as u64)
}

/// The id that the log line of a request bears, and every answer in `x-request-id`.
#[derive(Clone)]
pub struct RequestId(pub String);

/// The operation of an answer in logs and metrics, where one route serves many.
pub struct OperationName(pub &'static str);

/// What a refusal or an answer is called in logs and metrics; left on the response for [`crate::telemetry`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `ok` or the refusal's label.
    pub label: &'static str,
    /// The cause to log, where there is one.
    pub cause: Option<String>,
    /// The app client, where one was named.
    pub client: Option<String>,
}

/// Marks a response with its outcome.
pub fn mark(mut response: HttpResponse, outcome: Outcome) -> HttpResponse {
    response.extensions_mut().insert(outcome);
    response
}
