//! What services that validate our tokens read: the JWKS (RFC 7517 §5) and the discovery document (OIDC Discovery 1.0).

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::http::{ErrorBody, Outcome, mark, retry_after};
use super::{Api, Dialect, Route};
use crate::crypto;
use crate::error::{self, Error};
use crate::pool::Pool;

const JWKS: Route = Route { method: "GET", path: "/{pool}/.well-known/jwks.json", operation: "jwks" };
const DISCOVERY: Route =
    Route { method: "GET", path: "/{pool}/.well-known/openid-configuration", operation: "discovery" };

/// The dialect.
pub struct Oidc {
    api: Arc<Api>,
}

impl Oidc {
    /// Serves every pool.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }
}

impl Dialect for Oidc {
    fn name(&self) -> &'static str {
        "oidc"
    }

    fn routes(&self) -> Vec<Route> {
        vec![JWKS, DISCOVERY]
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let api = self.api.clone();
        let jwks = move |request: HttpRequest, pool: Path<String>| {
            let api = api.clone();
            async move { answer(&api, &request, &pool, jwks_body).await }
        };
        let api = self.api.clone();
        let discovery = move |request: HttpRequest, pool: Path<String>| {
            let api = api.clone();
            async move { answer(&api, &request, &pool, discovery_body).await }
        };
        app.route(JWKS.path, web::get().to(jwks.clone())).route(JWKS.path, web::head().to(jwks));
        app.route(DISCOVERY.path, web::get().to(discovery.clone())).route(DISCOVERY.path, web::head().to(discovery));
    }
}

/// A public document and its ETag.
struct Document {
    body: String,
    etag: String,
}

fn jwks_body(pool: &Pool) -> Document {
    let keys = pool.jwks();
    Document { body: keys.jwks().to_owned(), etag: keys.etag().to_owned() }
}

fn discovery_body(pool: &Pool) -> Document {
    let issuer = pool.issuer();
    // Also those of keys that sign no more: their tokens are still about.
    let algorithms: BTreeSet<_> = pool.keys().iter().map(|key| key.algorithm.as_str()).collect();
    let body = serde_json::json!({
        "issuer": issuer,
        // Ours also where the issuer is in Amazon's name.
        "jwks_uri": format!("{}/.well-known/jwks.json", pool.url()),
        "id_token_signing_alg_values_supported": algorithms,
        "subject_types_supported": ["public"],
        // No authorization endpoint is served, so no response type is.
        "response_types_supported": [],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "jti", "origin_jti", "event_id", "token_use",
            "cognito:username", "cognito:groups", "email", "email_verified", "phone_number", "phone_number_verified",
        ],
    })
    .to_string();
    let etag = format!("\"{}\"", crypto::encode(crypto::sha256(&body)));
    Document { body, etag }
}

async fn answer(api: &Api, request: &HttpRequest, pool: &str, document: fn(&Pool) -> Document) -> HttpResponse {
    let found = match api.pools.find(pool) {
        // Another replica may have made it a moment ago, and its tokens are about already.
        Err(Error::NotFound(_)) => api.pools.meet(Some(pool), None).await.and_then(|()| api.pools.find(pool)),
        found => found,
    };
    let pool = match found {
        Ok(pool) => pool,
        Err(error) => return refuse(&error),
    };
    let document = document(&pool);
    let asked = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = asked.is_some_and(|tags| tags.split(',').any(|tag| same_tag(tag, &document.etag)));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    open_to_all(&mut response)
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", pool.jwks_max_age().as_secs())))
        .insert_header((header::ETAG, document.etag));
    let response =
        if known { response.finish() } else { response.content_type("application/json").body(document.body) };
    mark(response, Outcome { label: "ok", cause: None, client: None })
}

/// RFC 9110 §13.1.2: weak comparison.
fn same_tag(asked: &str, ours: &str) -> bool {
    let asked = asked.trim();
    asked == "*" || asked.strip_prefix("W/").unwrap_or(asked) == ours
}

/// Public documents: any page may read them.
fn open_to_all(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
}

fn refuse(error: &Error) -> HttpResponse {
    let (mut response, message, cause) = if let Error::Unavailable { retry_after: wait, .. } = error {
        let mut response = HttpResponse::ServiceUnavailable();
        response.insert_header((header::RETRY_AFTER, retry_after(*wait)));
        (response, error.to_string(), Some(error::chain(error)))
    } else {
        (HttpResponse::NotFound(), "Not Found".to_owned(), None)
    };
    let status = if cause.is_some() { 503 } else { 404 };
    let response = open_to_all(&mut response).json(ErrorBody { status, message: &message });
    mark(response, Outcome { label: error.label(), cause, client: None })
}
