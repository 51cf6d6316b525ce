//! The native API `/v1` (contract seeds §1): its paths, its wire shapes and its words for a refusal.

mod refusal;
mod request;

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware};
use serde::Serialize;

use super::http::{self, BodyFault, Outcome};
use super::{Api, Dialect, Route};
use crate::error::{Error, Kind};
use crate::pool::{Client, Digits, NewPassword, Pool, Step, Surface, Terms, Tokens};
use refusal::Refusal;
use request::{
    ChangePassword, ForgotPassword, ForgotPasswordConfirm, Login, NewPasswordRequired, TokenRefresh, TokenRevoke,
};

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Login,
    TokenRefresh,
    TokenRevoke,
    ForgotPassword,
    ForgotPasswordConfirm,
    ChangePassword,
    NewPasswordRequired,
}

const OPERATIONS: [(Route, Operation); 7] = {
    const fn post(path: &'static str, operation: &'static str) -> Route {
        Route { method: "POST", path, operation }
    }
    [
        (post("/v1/login", "login"), Operation::Login),
        (post("/v1/token-refresh", "token-refresh"), Operation::TokenRefresh),
        (post("/v1/token-revoke", "token-revoke"), Operation::TokenRevoke),
        (post("/v1/forgot-password", "forgot-password"), Operation::ForgotPassword),
        (post("/v1/forgot-password-confirm", "forgot-password-confirm"), Operation::ForgotPasswordConfirm),
        (post("/v1/change-password", "change-password"), Operation::ChangePassword),
        (post("/v1/new-password-required", "new-password-required"), Operation::NewPasswordRequired),
    ]
};
const STATUS: Route = Route { method: "GET", path: "/v1/status", operation: "status" };

/// The dialect.
pub struct V1 {
    api: Arc<Api>,
}

/// A successful answer.
enum Reply {
    Json(String),
    Empty,
}

#[derive(Serialize)]
struct ChallengeBody<'a> {
    challenge_name: &'a str,
    session: &'a str,
}

#[derive(Serialize)]
struct TokensBody<'a> {
    id_token: &'a str,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    expires_in: u64,
}

impl V1 {
    /// Speaks for the client that the settings name.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }
}

impl Dialect for V1 {
    fn name(&self) -> &'static str {
        "v1"
    }

    fn routes(&self) -> Vec<Route> {
        OPERATIONS.iter().map(|(route, _)| *route).chain([STATUS]).collect()
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let mut scope = web::scope("/v1")
            .wrap(http::cors(&self.api.config.http))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)));
        for (route, operation) in OPERATIONS {
            let api = self.api.clone();
            let handler =
                move |request: HttpRequest, payload: Payload| answer(api.clone(), operation, request, payload);
            let path = route.path.trim_start_matches("/v1");
            scope = scope.service(web::resource(path).route(web::post().to(handler)).default_service(web::to(unknown)));
        }
        let status = web::resource("/status").route(web::get().to(status)).default_service(web::to(unknown));
        app.service(scope.service(status).default_service(web::to(unknown)));
    }
}

fn refuse_preflight(message: &'static str) -> HttpResponse {
    HttpResponse::BadRequest().json(http::ErrorBody { status: 400, message })
}

/// 200 without a body.
async fn status() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// A path with a slash too many leads to the path without; everything else, also a wrong method, is not found.
async fn unknown(request: HttpRequest) -> HttpResponse {
    match request.path().strip_suffix('/') {
        Some(path) if path.starts_with("/v1/") && request.method() != Method::OPTIONS => {
            HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, path)).finish()
        }
        _ => Refusal::not_found().into_response(),
    }
}

async fn answer(api: Arc<Api>, operation: Operation, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (client, outcome) = match api.pools.surface(Surface::V1) {
        Err(error) => (None, Err(Refusal::of(operation, error))),
        Ok((pool, client)) => {
            let call = Call { api: &api, pool: &pool, client: &client, request: &request };
            (Some(client.id.clone()), call.answer(operation, payload).await)
        }
    };
    let (response, label, cause) = match outcome {
        Ok(reply) => (reply.into_response(), "ok", None),
        Err(refusal) => {
            let (label, cause) = (refusal.label, refusal.cause.clone());
            (refusal.into_response(), label, cause)
        }
    };
    http::mark(response, Outcome { label, cause, client })
}

/// One call and whom it speaks for.
struct Call<'a> {
    api: &'a Api,
    pool: &'a Pool,
    client: &'a Client,
    request: &'a HttpRequest,
}

impl Call<'_> {
    async fn answer(&self, operation: Operation, payload: Payload) -> Result<Reply, Refusal> {
        let body = http::read_body(self.request, payload, &self.api.config.http).await?;
        let done = match operation {
            Operation::Login => self.login(self.parse(body).await?).await,
            Operation::TokenRefresh => self.token_refresh(self.parse(body).await?).await,
            Operation::TokenRevoke => self.token_revoke(self.parse(body).await?).await,
            Operation::ForgotPassword => self.forgot_password(self.parse(body).await?).await,
            Operation::ForgotPasswordConfirm => self.forgot_password_confirm(self.parse(body).await?).await,
            Operation::ChangePassword => self.change_password(self.parse(body).await?).await,
            Operation::NewPasswordRequired => self.new_password_required(self.parse(body).await?).await,
        };
        done.map_err(|error| Refusal::of(operation, error))
    }

    async fn parse<T: serde::de::DeserializeOwned>(&self, body: web::Bytes) -> Result<T, BodyFault> {
        http::parse_body(self.request, body).await
    }

    fn source(&self) -> std::net::IpAddr {
        http::caller_address(self.request, &self.api.config.http.trusted_proxies)
    }

    async fn login(&self, body: Login) -> Result<Reply, Error> {
        let (username, password) = body.check()?;
        step(&self.pool.initiate_auth(self.client, &username, &password, self.source()).await?)
    }

    async fn token_refresh(&self, body: TokenRefresh) -> Result<Reply, Error> {
        let (username, token) = body.check()?;
        let limit = self.api.config.v1.max_access_tokens;
        tokens(&self.pool.refresh(Terms::from(self.client), Some(&username), &token, limit).await?)
    }

    async fn token_revoke(&self, body: TokenRevoke) -> Result<Reply, Error> {
        self.pool.revoke(Terms::from(self.client), &body.check()?).await?;
        Ok(Reply::Empty)
    }

    async fn forgot_password(&self, body: ForgotPassword) -> Result<Reply, Error> {
        self.pool.forgot_password(self.client, &body.check()?, Digits::Eight, self.source()).await?;
        Ok(Reply::Empty)
    }

    async fn forgot_password_confirm(&self, body: ForgotPasswordConfirm) -> Result<Reply, Error> {
        let (username, password, code) = body.check()?;
        self.pool.confirm_forgot_password(self.client, &username, &code, &password, self.source(), None).await?;
        Ok(Reply::Empty)
    }

    async fn change_password(&self, body: ChangePassword) -> Result<Reply, Error> {
        let (token, previous, proposed) = body.check()?;
        self.pool.change_password(&token, &previous, &proposed, self.source()).await?;
        Ok(Reply::Empty)
    }

    async fn new_password_required(&self, body: NewPasswordRequired) -> Result<Reply, Error> {
        let (username, session, password) = body.check()?;
        step(&self.pool.respond_new_password(self.client, &username, &session, password.as_str()).await?)
    }
}

fn step(step: &Step) -> Result<Reply, Error> {
    match step {
        Step::Tokens(issued) => tokens(issued),
        Step::Challenge(asked) if asked.name == NewPassword::CHALLENGE => {
            json(&ChallengeBody { challenge_name: asked.name, session: &asked.session })
        }
        Step::Challenge(_) | Step::Custom(_) => Err(Error::FactorRequired),
    }
}

fn tokens(issued: &Tokens) -> Result<Reply, Error> {
    json(&TokensBody {
        id_token: &issued.id_token,
        access_token: &issued.access_token,
        refresh_token: issued.refresh_token.as_deref(),
        expires_in: issued.expires_in,
    })
}

fn json(body: &impl Serialize) -> Result<Reply, Error> {
    serde_json::to_string(body).map(Reply::Json).map_err(Error::internal)
}

impl Reply {
    fn into_response(self) -> HttpResponse {
        match self {
            Self::Empty => HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
            Self::Json(body) => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .content_type("application/json; charset=utf-8")
                .body(body),
        }
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(unread) => Self::closing(unread),
            Err(BodyFault::Malformed(reason)) => Self::input(reason),
            Err(_) => Self::input(
                "The content type must be application/json, application/x-www-form-urlencoded or multipart/form-data.",
            ),
        }
    }
}

/// What the dialect calls a path it does not know, in domain words.
impl Refusal {
    fn not_found() -> Self {
        Self::of(Operation::Login, Error::NotFound(Kind::Path))
    }
}
