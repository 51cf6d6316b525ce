//! The Amazon Cognito API (contract cognito): `POST /`, the operation in X-Amz-Target, JSON 1.1 both ways. A call goes
//! target → who may call → the model's constraints → the function of the table, and every refusal has one shape.

mod admin_users;
mod auth;
mod auth_factors;
mod challenges;
mod claim;
mod client_rules;
mod client_secrets;
mod client_shape;
mod clients;
mod devices;
mod fault;
mod groups;
mod lambda_config;
mod list_users;
mod message_texts;
mod mfa;
mod mfa_config;
mod model;
mod operation;
mod own;
mod pool_rules;
mod pool_shape;
mod pools;
mod resource_servers;
mod schema;
mod secret;
mod sessions;
mod sign_out;
mod sign_up;
mod sigv4;
mod tokens;
mod user;
mod user_auth;
mod user_import_file;
mod user_imports;
mod violation;

use std::sync::Arc;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Payload, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, middleware};
use serde_json::Value;

use super::http::{self, OperationName, Outcome, RequestId};
use super::{Api, Dialect, Route, ops};
use crate::config;
use crate::pool::{AccessKey, ON_BEHALF, Pools, drop_nulls};
use fault::Fault;
use model::model;
use operation::{Call, Operation};

pub use operation::{Who, built};

/// The type of every body.
const JSON: &str = "application/x-amz-json-1.1";
const TARGET: &str = "AWSCognitoIdentityProviderService.";
/// Longest body; the longest field of the model has 131,072 characters.
const BODY_LIMIT: usize = 1024 * 1024;
/// What a page of another origin may read of an answer: without the type, a browser's SDK knows no refusal.
const EXPOSED: [&str; 5] = ["x-amzn-requestid", "x-amzn-errortype", "x-amzn-errormessage", "date", "retry-after"];
const ROUTE: Route = Route::post("/", "unknown");

/// The dialect.
pub struct Cognito {
    api: Arc<Api>,
    http: config::Http,
}

/// Every operation that Cognito has, and whether it is signed there.
pub fn known() -> Vec<(&'static str, bool)> {
    model().map(|model| model.operations().collect()).unwrap_or_default()
}

impl Cognito {
    /// Serves every pool.
    pub fn new(api: Arc<Api>) -> Self {
        let http = config::Http { body_limit: BODY_LIMIT, ..api.config.http.clone() };
        Self { api, http }
    }
}

impl Dialect for Cognito {
    fn name(&self) -> &'static str {
        "cognito"
    }

    fn routes(&self) -> Vec<Route> {
        vec![ROUTE, user_import_file::ROUTE]
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let (api, http) = (self.api.clone(), Arc::new(self.http.clone()));
        let handler = move |request: HttpRequest, payload: Payload| answer(api.clone(), http.clone(), request, payload);
        let resource = web::resource(ROUTE.path)
            .wrap(http::cors(&self.http).expose_headers(EXPOSED))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)))
            .route(web::post().to(handler))
            .default_service(web::to(ops::unknown_path));
        app.service(resource);
        let api = self.api.clone();
        let put = move |request, path, payload| user_import_file::put(api.clone(), request, path, payload);
        let file = web::resource(user_import_file::ROUTE.path).route(web::put().to(put));
        app.service(file.default_service(web::to(ops::unknown_path)));
    }
}

fn refuse_preflight(message: &'static str) -> HttpResponse {
    Fault::new("AccessDeniedException", message).into_response()
}

async fn answer(api: Arc<Api>, http: Arc<config::Http>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let mut exchange = Exchange { api, request, operation: ROUTE.operation, client: None };
    let outcome = exchange.answer(payload, &http).await;
    let Exchange { request, operation, client, .. } = exchange;
    let (mut response, outcome) = match outcome {
        Ok(body) => (HttpResponse::Ok().content_type(JSON).body(body), Outcome { label: "ok", cause: None, client }),
        Err(fault) => {
            let outcome = fault.outcome(client);
            (fault.into_response(), outcome)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let id = request.extensions().get::<RequestId>().and_then(|RequestId(id)| HeaderValue::from_str(id).ok());
    if let Some(id) = id {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response.extensions_mut().insert(OperationName(operation));
    http::mark(response, outcome)
}

/// One call, and what of it logs and metrics may know.
struct Exchange {
    api: Arc<Api>,
    request: HttpRequest,
    operation: &'static str,
    client: Option<String>,
}

impl Exchange {
    async fn answer(&mut self, payload: Payload, http: &config::Http) -> Result<String, Fault> {
        let operation = self.target()?;
        let body = http::read_body(&self.request, payload, http).await?;
        if !self.request.content_type().eq_ignore_ascii_case(JSON) {
            return Err(Fault::unreadable("The content type must be application/x-amz-json-1.1."));
        }
        let key = self.signer(operation, &body).await?;
        let input = parse(&body)?;
        self.client = self.named_client(&input);
        model()?.check(operation.name, &input)?;
        key.map_or(Ok(()), |key| permit(&key, operation.name, pool_of(&input)))?;
        let named = |member: &str| input.get(member).and_then(Value::as_str);
        let issuer = named("AccessToken").and_then(Pools::named_by);
        self.api.pools.meet(named("UserPoolId").or(issuer.as_deref()), named("ClientId")).await?;
        let source = match operation.who {
            Who::Nobody | Who::AccessToken => http::caller_address(&self.request, &http.trusted_proxies),
            Who::Signed => ON_BEHALF,
        };
        let call = Call { api: self.api.clone(), source };
        (operation.run)(&call, input).await
    }

    /// The operation that is called. Errors: there is none of this name, or it is not built.
    fn target(&mut self) -> Result<&'static Operation, Fault> {
        let target = self.request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
        let name = target.and_then(|target| target.strip_prefix(TARGET)).unwrap_or_default();
        if let Some(operation) = operation::find(name) {
            self.operation = operation.name;
            return Ok(operation);
        }
        match model()?.operation(name) {
            None => Err(Fault::new("UnknownOperationException", "X-Amz-Target names no operation of this API.")),
            Some(name) => {
                self.operation = name;
                let message = format!("{name} is not available on this server.");
                Err(Fault::new("OperationNotEnabledException", message))
            }
        }
    }

    /// The access key that signed, where one has to; settled before the body is looked at.
    async fn signer(&self, operation: &Operation, body: &Bytes) -> Result<Option<AccessKey>, Fault> {
        match operation.who {
            // What the body holds says who calls; older SDKs and pycognito send an Authorization that means nothing.
            Who::Nobody | Who::AccessToken => Ok(None),
            Who::Signed => sigv4::signer(&self.api, &self.request, body).await.map(Some),
        }
    }

    /// The app client of the call, if there is one of this id: logs must not fill with what callers make up.
    fn named_client(&self, input: &Value) -> Option<String> {
        let id = input.get("ClientId")?.as_str()?;
        self.api.pools.of_client(id).is_ok().then(|| id.to_owned())
    }
}

fn permit(key: &AccessKey, operation: &str, pool: Option<&str>) -> Result<(), Fault> {
    if key.may(operation, pool) {
        return Ok(());
    }
    let message =
        format!("Access key {} may not do cognito-idp:{operation} to {}.", key.id, pool.unwrap_or("all pools"));
    Err(Fault::new("AccessDeniedException", message))
}

/// The pool that a signed call is about: named by itself or in an ARN; none for what is of all pools.
fn pool_of(input: &Value) -> Option<&str> {
    let arn = || input.get("ResourceArn")?.as_str()?.split_once(":userpool/").map(|(_, pool)| pool);
    input.get("UserPoolId").and_then(Value::as_str).or_else(arn)
}

/// The body as JSON; what is null is absent (§0.1), and nothing at all is an empty input.
fn parse(body: &Bytes) -> Result<Value, Fault> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let mut input = serde_json::from_slice(body).map_err(|_| Fault::unreadable("The body is not valid JSON."))?;
    drop_nulls(&mut input);
    Ok(input)
}
