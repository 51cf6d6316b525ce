//! The token endpoint `POST /oauth/token` (RFC 6749 §3.2; contract seeds §4): the grants that need no browser. Its
//! clients are registered users with their `user_id` and `user_secret`, who may use every grant, and app clients, which
//! may refresh their own tokens and, with a secret, have tokens of their own (contract cognito (i), M2M).

mod refusal;
mod request;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, middleware};
use serde::Serialize;

use super::http::{self, Outcome};
use super::{Api, Dialect, Route};
use crate::error::{Error, Kind};
use crate::pool::{Client, ClientToken, Pool, ProvenClient, Surface, Terms, Tokens};
use refusal::Refusal;
use request::{Claim, Grant, Parameters};

const TOKEN: Route = Route::post("/oauth/token", "token");

/// The dialect.
pub struct OAuth {
    api: Arc<Api>,
}

/// RFC 6749 §5.1.
#[derive(Serialize)]
struct TokenBody {
    token_type: &'static str,
    expires_in: u64,
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Told where it may be another than was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl From<Tokens> for TokenBody {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, refresh_token, expires_in, .. } = tokens;
        Self { token_type: "Bearer", expires_in, access_token, refresh_token, scope: None }
    }
}

impl From<ClientToken> for TokenBody {
    fn from(token: ClientToken) -> Self {
        let ClientToken { access_token, expires_in, scope } = token;
        Self { token_type: "Bearer", expires_in, access_token, refresh_token: None, scope: Some(scope) }
    }
}

impl OAuth {
    /// Serves the pool of the Amadis API, and the app clients of every pool.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }
}

impl Dialect for OAuth {
    fn name(&self) -> &'static str {
        "oauth"
    }

    fn routes(&self) -> Vec<Route> {
        vec![TOKEN]
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let api = self.api.clone();
        let handler = move |request: HttpRequest, payload: Payload| answer(api.clone(), request, payload);
        let token = web::resource("").route(web::post().to(handler)).default_service(web::to(wrong_method));
        let scope = web::scope(TOKEN.path)
            .wrap(http::cors(&self.api.config.http))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)));
        app.service(scope.service(token));
    }
}

fn refuse_preflight(message: &'static str) -> HttpResponse {
    Refusal::invalid_request(message).into_response()
}

async fn wrong_method() -> HttpResponse {
    Refusal::wrong_method().into_response()
}

async fn answer(api: Arc<Api>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let call = Call { api: &api, request: &request };
    match call.answer(payload).await {
        Ok((client, body)) => http::mark(success(&body), Outcome { label: "ok", cause: None, client: Some(client) }),
        Err(refusal) => {
            let outcome = Outcome { label: refusal.label, cause: refusal.cause.clone(), client: None };
            http::mark(refusal.into_response(), outcome)
        }
    }
}

fn success(body: &TokenBody) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(body)
}

/// One call.
struct Call<'a> {
    api: &'a Api,
    request: &'a HttpRequest,
}

impl Call<'_> {
    /// The app client that the tokens are for, and the tokens. What is wrong with the request itself is said before
    /// anybody is authenticated: it costs nothing to find out.
    async fn answer(&self, payload: Payload) -> Result<(String, TokenBody), Refusal> {
        let body = http::read_body(self.request, payload, &self.api.config.http).await?;
        if !self.request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::invalid_request("The content type must be application/x-www-form-urlencoded."));
        }
        let parameters = Parameters::parse(&body)?;
        let grant = Grant::read(&parameters)?;
        let scopes = request::scopes(&parameters);
        request::check_scopes(&scopes, &grant)?;
        let claim = Claim::read(self.request, &parameters)?;
        // Another replica may have made it a moment ago.
        self.api.pools.meet(None, Some(&claim.id)).await.map_err(Refusal::of)?;
        match (self.app_client(&claim.id), &claim.secret) {
            (Err(Error::NotFound(_)), Some(secret)) => {
                request::check_scopes_of_user(&scopes)?;
                let (client, tokens) = self.for_credential(&claim, secret, &grant).await?;
                Ok((client, tokens.into()))
            }
            (found, _) => {
                let found = found.map_err(|error| Refusal::of_client(error, claim.by_header))?;
                self.for_app_client(&claim, found, &grant, &scopes).await
            }
        }
    }

    /// A registered user as the client. His id is bound into refresh tokens, so that they are worth nothing to others.
    async fn for_credential(&self, claim: &Claim, secret: &str, grant: &Grant) -> Result<(String, Tokens), Refusal> {
        if !self.api.config.compat.amadis {
            return Err(Refusal::invalid_client(claim.by_header));
        }
        let (pool, client) = self.api.pools.surface(Surface::Amadis).map_err(Refusal::of)?;
        let proven = pool.authenticate_credential(&claim.id, secret, self.source()).await;
        let credential = proven.map_err(|error| Refusal::of_client(error, claim.by_header))?;
        let id = pool.public_id(credential.user()).to_string();
        let terms = Terms { bound_to: &id, ..Terms::from(&client) };
        let tokens = match grant {
            Grant::Password { username, password } => self.sign_in(&pool, terms, username, password).await,
            Grant::ClientCredentials => pool.tokens_at_once(Terms { refreshable: false, ..terms }, &credential).await,
            Grant::RefreshToken(token) => pool.refresh(terms, None, token, 0).await,
        };
        Ok((client.id.clone(), tokens.map_err(|error| Refusal::of_grant(error, grant))?))
    }

    async fn sign_in(&self, pool: &Pool, terms: Terms<'_>, username: &str, password: &str) -> Result<Tokens, Error> {
        let user = pool.prove(terms, username, password, self.source()).await?;
        pool.tokens_at_once(terms, &user).await
    }

    /// An app client. One without a secret is public (RFC 6749 §2.1): whoever holds its refresh token may use it.
    async fn for_app_client(
        &self,
        claim: &Claim,
        (pool, client, limit): (Arc<Pool>, Client, u32),
        grant: &Grant,
        scopes: &[&str],
    ) -> Result<(String, TokenBody), Refusal> {
        let proven = self.prove(&pool, &client, claim).await?;
        let body = match grant {
            Grant::RefreshToken(token) => {
                pool.refresh(Terms::from(&client), None, token, limit).await.map(TokenBody::from)
            }
            Grant::ClientCredentials => pool.client_token(&proven, scopes, None).await.map(TokenBody::from),
            Grant::Password { .. } => return Err(Refusal::unauthorized_client()),
        };
        Ok((client.id.clone(), body.map_err(|error| Refusal::of_grant(error, grant))?))
    }

    async fn prove(&self, pool: &Pool, client: &Client, claim: &Claim) -> Result<ProvenClient, Refusal> {
        let proven = pool.prove_client(client, claim.secret.as_deref()).await;
        let proven = proven.and_then(|proven| proven.ok_or(Error::NotFound(Kind::Client)));
        proven.map_err(|error| Refusal::of_client(error, claim.by_header))
    }

    /// The app client with this id: with the lifetimes of the API that speaks for it, where one does, and the limit
    /// that `/v1` sets to its refresh tokens.
    fn app_client(&self, id: &str) -> Result<(Arc<Pool>, Client, u32), Error> {
        let pools = &self.api.pools;
        let mut served = self.api.ports.surfaces.served().map(|(surface, _)| surface);
        let speaks = |surface: &Surface| pools.surface(*surface).is_ok_and(|(_, client)| client.id == id);
        let Some(surface) = served.find(speaks) else {
            let pool = pools.of_client(id)?;
            let client = pool.client(id)?.clone();
            return Ok((pool, client, 0));
        };
        let limit = if surface == Surface::V1 { self.api.config.v1.max_access_tokens } else { 0 };
        pools.surface(surface).map(|(pool, client)| (pool, client, limit))
    }

    fn source(&self) -> IpAddr {
        http::caller_address(self.request, &self.api.config.http.trusted_proxies)
    }
}
