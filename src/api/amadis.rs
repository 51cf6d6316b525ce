//! The Amadis user API `/api/user/v1` (contract seeds §4): its paths, its wire shapes and its words for a refusal.

mod refusal;
mod request;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::http::{self, Outcome};
use super::{Api, Dialect, Route};
use crate::error::Error;
use crate::pool::name::EmailAddress;
use crate::pool::{Action, Caller, NewUser, Pool, Surface};
use refusal::Refusal;
use request::{ChangePassword, Register, ResetPassword};

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Register,
    ChangePassword,
    ResetPassword,
}

const SCOPE: &str = "/api/user/v1";
const PATHS: [&str; 3] = ["/register", "/changepassword", "/resetpassword"];
const OPERATIONS: [(Route, Operation); 4] = [
    (Route::post("/api/user/v1/register", "register"), Operation::Register),
    (Route::patch("/api/user/v1/changepassword", "change-password"), Operation::ChangePassword),
    (Route::patch("/api/user/v1/resetpassword", "reset-password"), Operation::ResetPassword),
    // Older pages of the API have it so.
    (Route::post("/api/user/v1/resetpassword", "reset-password"), Operation::ResetPassword),
];

/// The dialect.
pub struct Amadis {
    api: Arc<Api>,
}

/// A successful answer.
#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
}

#[derive(Serialize)]
struct Registered {
    id: i64,
    user_id: String,
    user_secret: String,
}

#[derive(Serialize)]
struct Reset {
    email: String,
    password: String,
}

impl Amadis {
    /// Speaks for the client that the settings name.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }
}

impl Dialect for Amadis {
    fn name(&self) -> &'static str {
        "amadis"
    }

    fn routes(&self) -> Vec<Route> {
        OPERATIONS.iter().map(|(route, _)| *route).collect()
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let mut scope = web::scope(SCOPE)
            .wrap(http::cors(&self.api.config.http).allowed_methods(["PATCH"]))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)));
        for path in PATHS {
            let mut resource = web::resource(path).default_service(web::to(wrong_method));
            for (route, operation) in of_path(path) {
                let api = self.api.clone();
                let handler =
                    move |request: HttpRequest, payload: Payload| answer(api.clone(), operation, request, payload);
                let method = if route.method == "PATCH" { web::patch() } else { web::post() };
                resource = resource.route(method.to(handler));
            }
            scope = scope.service(resource);
        }
        app.service(scope.default_service(web::to(unknown)));
    }
}

/// The operations of a path.
fn of_path(path: &str) -> impl Iterator<Item = (Route, Operation)> {
    OPERATIONS.into_iter().filter(move |(route, _)| route.path.strip_prefix(SCOPE) == Some(path))
}

async fn unknown() -> HttpResponse {
    Refusal::not_found().into_response()
}

fn refuse_preflight(message: &'static str) -> HttpResponse {
    Refusal::of_preflight(message).into_response()
}

async fn wrong_method(request: HttpRequest) -> HttpResponse {
    let path = request.path().strip_prefix(SCOPE).unwrap_or_default();
    Refusal::wrong_method(of_path(path).map(|(route, _)| route.method).collect()).into_response()
}

async fn answer(api: Arc<Api>, operation: Operation, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (client, outcome) = match api.pools.surface(Surface::Amadis) {
        Err(error) => (None, Err(Refusal::of(error))),
        Ok((pool, client)) => {
            let call = Call { api: &api, pool: &pool, request: &request };
            (Some(client.id), call.answer(operation, payload).await)
        }
    };
    let (response, label, cause) = match outcome {
        Ok(response) => (response, "ok", None),
        Err(refusal) => {
            let (label, cause) = (refusal.label, refusal.cause.clone());
            (refusal.into_response(), label, cause)
        }
    };
    http::mark(response, Outcome { label, cause, client })
}

/// One call and the pool it is about.
struct Call<'a> {
    api: &'a Api,
    pool: &'a Pool,
    request: &'a HttpRequest,
}

impl Call<'_> {
    async fn answer(&self, operation: Operation, payload: Payload) -> Result<HttpResponse, Refusal> {
        let body = http::read_body(self.request, payload, &self.api.config.http).await?;
        match operation {
            Operation::Register => self.register(body).await,
            Operation::ChangePassword => self.change_password(body).await,
            Operation::ResetPassword => self.reset_password(body).await,
        }
    }

    async fn register(&self, body: web::Bytes) -> Result<HttpResponse, Refusal> {
        self.pool.permit(&self.caller().await?.user, Action::RegisterUsers).await?;
        let (name, email, password) = self.parse::<Register>(body).await?.check()?;
        EmailAddress::parse(&email)?;
        let secret = self.pool.new_client_secret()?;
        let draft = NewUser {
            attributes: [("name".to_owned(), name)].into(),
            email: Some(email.clone()),
            ..NewUser::new(&email, &password)
        };
        let user = self.pool.create_user(draft.with_secret(&secret)).await?;
        let id = self.pool.public_id(&user);
        let data = Registered { id, user_id: id.to_string(), user_secret: secret.text };
        Ok(success(HttpResponse::Created(), Some(data)))
    }

    async fn change_password(&self, body: web::Bytes) -> Result<HttpResponse, Refusal> {
        let optional = !self.api.config.amadis.change_needs_token;
        let anonymous = optional && !self.request.headers().contains_key(header::AUTHORIZATION);
        let caller = if anonymous { None } else { Some(self.caller().await?) };
        let (email, previous, proposed) = self.parse::<ChangePassword>(body).await?.check()?;
        EmailAddress::parse(&email)?;
        if let Some(caller) = &caller {
            let of = self.sub_of(&email).await?;
            self.pool.permit(&caller.user, Action::ChangePassword { of }).await?;
        }
        let changed = self.pool.replace_password(&email, &previous, &proposed, self.source(), caller.as_ref()).await;
        changed.map_err(|error| Refusal::of_change(error, self.api.config.amadis.wrong_password_status))?;
        Ok(success::<()>(HttpResponse::Ok(), None))
    }

    async fn reset_password(&self, body: web::Bytes) -> Result<HttpResponse, Refusal> {
        self.pool.permit(&self.caller().await?.user, Action::ResetPasswords).await?;
        let email = self.parse::<ResetPassword>(body).await?.check()?;
        EmailAddress::parse(&email)?;
        let (user, password) = self.pool.generate_password(&email).await?;
        Ok(success(HttpResponse::Ok(), Some(Reset { email: user.email.unwrap_or(email), password })))
    }

    /// Whoever calls with an access token.
    async fn caller(&self) -> Result<Caller, Refusal> {
        let token = http::bearer(self.request).ok_or_else(Refusal::without_token)?;
        self.pool.authenticate(token).await.map_err(Refusal::of_caller)
    }

    /// Whose password is to change; a sub that nobody has for an address that nobody has, so that the answer to who
    /// may not change it does not tell.
    async fn sub_of(&self, email: &str) -> Result<Uuid, Error> {
        match self.pool.find_user(email).await {
            Ok(user) => Ok(user.sub),
            Err(Error::UserNotFound) => Ok(Uuid::nil()),
            Err(error) => Err(error),
        }
    }

    async fn parse<T: DeserializeOwned>(&self, body: web::Bytes) -> Result<T, Refusal> {
        Ok(http::parse_body(self.request, body).await?)
    }

    fn source(&self) -> IpAddr {
        http::caller_address(self.request, &self.api.config.http.trusted_proxies)
    }
}

fn success<T: Serialize>(mut response: actix_web::HttpResponseBuilder, data: Option<T>) -> HttpResponse {
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(Success { status: "success", data })
}
