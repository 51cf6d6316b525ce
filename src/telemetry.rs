//! Logs and measurements: one line a request by an allow-list of fields, Prometheus series, and the only place that
//! logs an internal cause. No token, password, code or address of a person gets here.

use std::io::{BufWriter, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::api::http::{OperationName, Outcome, RequestId};
use crate::api::{Api, Route};
use crate::config::{Log, LogFormat};

/// Log lines that wait for the writer at most; a few megabytes.
const LINES_WAITING: usize = 16_384;
const LATENCY_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The log of the process; it must live until there is nothing more to log.
pub struct Logging {
    _last_lines: WorkerGuard,
    /// What is logged.
    pub level: Level,
}

/// What is logged, while the process runs.
#[derive(Clone)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Logs what `settings` say from now on.
    pub fn follow(&self, settings: &Log) -> Result<(), String> {
        self.0.reload(filter(settings)?).map_err(|fault| fault.to_string())
    }
}

/// Starts logging to standard error. A thread of its own writes: a request neither pays for the system call nor waits
/// for whoever reads the log, and lines that nobody takes are dropped (R28).
pub fn start_logging(settings: &Log) -> Result<Logging, String> {
    let (filter, level) = reload::Layer::new(filter(settings)?);
    let ansi = std::io::stderr().is_terminal();
    let (lines, last) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING)
        .finish(BufWriter::new(std::io::stderr()));
    let base = fmt::layer().with_writer(lines).with_ansi(ansi).with_target(false);
    let written = match settings.format {
        LogFormat::Text => base.boxed(),
        LogFormat::Json => base.json().flatten_event(true).boxed(),
    };
    let log = tracing_subscriber::registry().with(filter).with(written);
    log.try_init().map_err(|fault| fault.to_string())?;
    Ok(Logging { _last_lines: last, level: Level(level) })
}

/// What is logged.
pub fn filter(settings: &Log) -> Result<EnvFilter, String> {
    let wrong = |fault: &dyn std::fmt::Display| format!("log.level: {fault}");
    // What this crate logs by itself can hold what a directory says of a person.
    let silence = "ldap3=off".parse().map_err(|fault| wrong(&fault))?;
    Ok(EnvFilter::try_new(&settings.level).map_err(|fault| wrong(&fault))?.add_directive(silence))
}

/// The recorder behind every measurement of the process.
pub fn start_measuring() -> Result<PrometheusHandle, String> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|fault| fault.to_string())
}

/// Names and explains every series, so that a scrape is readable by itself.
pub fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram as histogram};
    counter!("cognate_http_requests_total", "Requests by dialect, operation, status and outcome.");
    histogram!("cognate_http_request_duration_seconds", "Time from head to answer, by dialect and operation.");
    counter!("cognate_tokens_issued_total", "Signed tokens by kind.");
    counter!("cognate_refresh_retries_total", "Refresh tokens presented again: in the grace window, or recovered.");
    counter!("cognate_sessions_ended_total", "Sessions ended, by cause.");
    counter!("cognate_throttled_total", "Attempts refused by a throttle.");
    counter!("cognate_mails_total", "Mails by result.");
    counter!("cognate_ldap_requests_total", "Questions to the foreign directory by result.");
    counter!("cognate_hook_calls_total", "Calls of triggers' hooks, by trigger and outcome.");
    histogram!("cognate_hook_duration_seconds", "Time of a trigger with all tries of its hook, by trigger.");
    histogram!("cognate_store_duration_seconds", "Time of a store's verb, by store and verb.");
    counter!("cognate_store_errors_total", "Store verbs that failed, by store and verb.");
    gauge!("cognate_store_disk_full", "1 while the disk of the embedded store is full, else 0.");
    counter!("cognate_connections_refused_total", "Connections closed because their source had as many as it may.");
    gauge!("cognate_hash_queue", "Passwords waiting to be hashed.");
}

/// Around every request: an id, one log line, the measurements, and the headers that every answer bears.
pub async fn observe(
    api: Arc<Api>,
    routes: Arc<Vec<(&'static str, Route)>>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = api.ports.random.uuid().unwrap_or_default().to_string();
    let method = request.method().clone();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.call(request).await?;
    let pattern = response.request().match_pattern().unwrap_or_default();
    let found = routes.iter().find(|(_, route)| route.path == pattern && route.method == method.as_str());
    let (dialect, operation) = found.map_or(("none", "unknown"), |(dialect, route)| (*dialect, route.operation));
    let outcome = response.response_mut().extensions_mut().remove::<Outcome>();
    let named = response.response_mut().extensions_mut().remove::<OperationName>();
    let operation = named.map_or(operation, |OperationName(name)| name);
    let status = response.status();
    let label = outcome.as_ref().map_or(if status.is_success() { "ok" } else { "refused" }, |outcome| outcome.label);
    let latency = started.elapsed();
    metrics::counter!("cognate_http_requests_total",
        "dialect" => dialect, "operation" => operation, "status" => status.as_u16().to_string(), "outcome" => label)
    .increment(1);
    metrics::histogram!("cognate_http_request_duration_seconds", "dialect" => dialect, "operation" => operation)
        .record(latency.as_secs_f64());
    let client = outcome.as_ref().and_then(|outcome| outcome.client.as_deref()).unwrap_or("-");
    let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    if let Some(cause) = outcome.as_ref().and_then(|outcome| outcome.cause.as_deref()) {
        tracing::error!(%id, operation, cause, "could not answer");
    }
    tracing::info!(%id, dialect, operation, status = status.as_u16(), latency_ms = millis, client, outcome = label, "request");
    bear_headers(&api, &mut response, &id);
    Ok(response)
}

fn bear_headers<B>(api: &Api, response: &mut ServiceResponse<B>, id: &str) {
    let draining = api.draining.load(Ordering::Relaxed);
    if draining {
        // A keep-alive client would send its next request into a closing socket (R27).
        response.response_mut().head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}
