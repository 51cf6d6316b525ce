//! What operators and their machines ask: liveness, readiness, measurements, and the API's own description.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Path, ServiceConfig};
use metrics::describe_gauge as gauge;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::http::{ErrorBody, Outcome, mark};
use super::{Api, Dialect, Route};
use crate::error;

/// The API's description, as `cognate openapi` prints it too.
pub const OPENAPI: &str = include_str!("../../openapi.yaml");

const ROUTES: [Route; 5] = {
    const fn get(path: &'static str, operation: &'static str) -> Route {
        Route { method: "GET", path, operation }
    }
    [
        get("/livez", "livez"),
        get("/readyz", "readyz"),
        get("/metrics", "metrics"),
        get("/openapi.yaml", "openapi"),
        get("/docs/", "docs"),
    ]
};

/// The dialect.
pub struct Ops {
    api: Arc<Api>,
}

impl Ops {
    /// Speaks of this process.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }
}

impl Dialect for Ops {
    fn name(&self) -> &'static str {
        "ops"
    }

    fn routes(&self) -> Vec<Route> {
        ROUTES.to_vec()
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let page = Arc::new(utoipa_swagger_ui::Config::from("/openapi.yaml").validator_url("none"));
        app.app_data(Data::from(self.api.clone()))
            .route("/livez", web::get().to(livez))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(measurements))
            .route("/openapi.yaml", web::get().to(openapi))
            .route("/docs", web::get().to(to_docs))
            .route("/docs/{file:.*}", web::get().to(move |file: Path<String>| docs(file, page.clone())));
    }
}

/// 200 while the process runs: only a restart would help a process that can not say this.
async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// 200 when every part answers, else 503 with the state of each part.
async fn readyz(api: Data<Api>) -> HttpResponse {
    let (directory, tokens) = tokio::join!(api.ports.directory.ping(), api.ports.tokens.ping());
    let pools = if api.pools.is_loaded() { Ok(()) } else { Err(error::Error::unavailable("not read yet")) };
    let draining = api.draining.load(Ordering::Relaxed);
    let parts = [("directory", directory.map(drop)), ("tokens", tokens.map(drop)), ("pools", pools)];
    let cause =
        parts.iter().find_map(|(name, state)| state.as_ref().err().map(|e| format!("{name}: {}", error::chain(e))));
    let ready = cause.is_none() && !draining;
    let word = |state: &Result<(), error::Error>| if state.is_ok() { "ok" } else { "unavailable" };
    let [directory, tokens, pools] = parts.each_ref().map(|(_, state)| word(state));
    let body = serde_json::json!({
        "ready": ready, "draining": draining, "directory": directory, "tokens": tokens, "pools": pools,
    });
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    let label = if ready { "ok" } else { "unavailable" };
    mark(response.json(body), Outcome { label, cause, client: None })
}

/// The measurements in Prometheus' text format.
async fn measurements(api: Data<Api>) -> HttpResponse {
    metrics::gauge!("cognate_hash_queue").set(f64::from(u32::try_from(api.ports.hasher.waiting()).unwrap_or(u32::MAX)));
    let text = api.measurements.render() + &key_ages(&api);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}

/// The keys as they are at this moment. The recorder is new each time: one that lives on would go on telling of keys
/// that are gone, and of states that are over.
fn key_ages(api: &Api) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    let now = api.ports.clock.now();
    metrics::with_local_recorder(&recorder, || {
        gauge!("cognate_signing_key_age_seconds", "Age of each signing key, by pool, key and state.");
        for key in api.pools.all().unwrap_or_default().iter().flat_map(|pool| pool.keys()) {
            let age = now.until(key.created_at).as_secs_f64();
            metrics::gauge!("cognate_signing_key_age_seconds", "pool" => key.pool, "kid" => key.kid, "state" => key.state)
                .set(age);
        }
    });
    recorder.handle().render()
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml").body(OPENAPI)
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

/// A file of the page. The library's own handler answers an unknown one with nothing, not even in our shape.
async fn docs(file: Path<String>, page: Arc<utoipa_swagger_ui::Config<'static>>) -> HttpResponse {
    let Ok(Some(file)) = utoipa_swagger_ui::serve(&file, page) else { return unknown_path().await };
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    response.content_type(file.content_type).body(file.bytes.into_owned())
}

/// A path that no dialect owns.
pub async fn unknown_path() -> HttpResponse {
    HttpResponse::NotFound().json(ErrorBody { status: 404, message: "Not Found" })
}
