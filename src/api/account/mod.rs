//! The account APIs under `/api/account`: pm415 and Astera on the same paths (contract seeds §5). Here is decided who
//! answers a call, by its path and the names of its fields alone; each answers in a file of its own.

mod astera;
pub(super) mod pm415;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, Bytes, Payload, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, Route as Handler, middleware};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::http::{self, BodyFault};
use super::{Api, Dialect, Route};
use crate::config::AccountApi;

/// A body as it was read: whole, or what is wrong with it.
type Body = Result<Bytes, BodyFault>;

/// Who answers on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Pm415(pm415::Operation),
    Astera(astera::Operation),
    /// Astera when the body has one of the fields `told_by`, else pm415. Sound because the original pm415 refuses
    /// every field that it does not know.
    Either {
        pm415: pm415::Operation,
        astera: astera::Operation,
        told_by: &'static [&'static str],
    },
}

const SHARED: [(Route, pm415::Operation, astera::Operation, &[&str]); 4] = [
    (Route::post("/api/account/login", "login"), pm415::Operation::Login, astera::Operation::Login, &["user"]),
    (
        Route::post("/api/account/register", "register"),
        pm415::Operation::Register,
        astera::Operation::Register,
        &["user"],
    ),
    (
        Route::post("/api/account/forgotpassword", "forgot-password"),
        pm415::Operation::ForgotPassword,
        astera::Operation::ForgotPassword,
        &["user"],
    ),
    (
        Route::post("/api/account/changepassword", "change-password"),
        pm415::Operation::ChangePassword,
        astera::Operation::ChangePassword,
        &["currentpassword", "oldpassword", "newpassword"],
    ),
];

/// Every path and its owner when `served` is what the settings say.
fn owners(served: AccountApi) -> Vec<(Route, Owner)> {
    let pm415 = [(Route::get("/api/account/verify", "verify"), Owner::Pm415(pm415::Operation::Verify))];
    let astera = astera::OPERATIONS.map(|(route, operation)| (route, Owner::Astera(operation)));
    let shared = SHARED.into_iter().map(move |(route, pm415, astera, told_by)| {
        let owner = match served {
            AccountApi::Pm415 => Owner::Pm415(pm415),
            AccountApi::Astera => Owner::Astera(astera),
            AccountApi::Auto | AccountApi::Off => Owner::Either { pm415, astera, told_by },
        };
        (route, owner)
    });
    match served {
        AccountApi::Auto => shared.chain(pm415).chain(astera).collect(),
        AccountApi::Pm415 => shared.chain(pm415).collect(),
        AccountApi::Astera => shared.chain(astera).collect(),
        AccountApi::Off => Vec::new(),
    }
}

/// The dialect.
pub struct Account {
    api: Arc<Api>,
}

impl Account {
    /// Speaks for the clients that the settings name.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }

    fn owners(&self) -> Vec<(Route, Owner)> {
        owners(self.api.config.compat.account)
    }
}

impl Dialect for Account {
    fn name(&self) -> &'static str {
        "account"
    }

    fn routes(&self) -> Vec<Route> {
        self.owners().into_iter().map(|(route, _)| route).collect()
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let mut scope = web::scope("/api/account").wrap(http::cors(&self.api.config.http)).wrap(middleware::from_fn(
            |request, next| http::preflight_in_words_of(pm415::refuse_preflight, request, next),
        ));
        for (route, owner) in self.owners() {
            let path = route.path.trim_start_matches("/api/account");
            scope = scope.route(path, self.handler(&route, owner));
        }
        app.service(scope.default_service(web::to(pm415::unknown)));
    }
}

impl Account {
    fn handler(&self, route: &Route, owner: Owner) -> Handler {
        let api = self.api.clone();
        let answer = move |request: HttpRequest, payload: Payload| answer(api.clone(), owner, request, payload);
        if route.method == "GET" { web::get().to(answer) } else { web::post().to(answer) }
    }
}

/// Hands a call over to its owner.
async fn answer(api: Arc<Api>, owner: Owner, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = if request.method() == Method::GET {
        Ok(Bytes::new())
    } else {
        http::read_body(&request, payload, &api.config.http).await
    };
    match owner {
        Owner::Pm415(operation) => pm415::answer(&api, operation, &request, body).await,
        Owner::Astera(operation) => astera::answer(&api, operation, &request, body).await,
        Owner::Either { astera, told_by, .. } if names_one_of(&request, &body, told_by) => {
            astera::answer(&api, astera, &request, body).await
        }
        Owner::Either { pm415, .. } => pm415::answer(&api, pm415, &request, body).await,
    }
}

/// The fields of a body, JSON or urlencoded; an empty one has none.
pub(super) async fn fields<T: DeserializeOwned + Default>(request: &HttpRequest, body: Bytes) -> Result<T, BodyFault> {
    if body.is_empty() {
        return Ok(T::default());
    }
    match request.content_type().to_ascii_lowercase().as_str() {
        "application/json" | "application/x-www-form-urlencoded" => http::parse_body(request, body).await,
        _ => Err(BodyFault::UnknownType),
    }
}

/// Whether the body has one of these fields, in any case. An empty or malformed body has none.
fn names_one_of(request: &HttpRequest, body: &Body, fields: &[&str]) -> bool {
    let Ok(body) = body else { return false };
    let names = match request.content_type().to_ascii_lowercase().as_str() {
        "application/json" => serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(body)
            .map(|fields| fields.into_keys().collect())
            .unwrap_or_default(),
        "application/x-www-form-urlencoded" => serde_urlencoded::from_bytes::<Vec<(String, String)>>(body)
            .map(|fields| fields.into_iter().map(|(name, _)| name).collect())
            .unwrap_or_default(),
        _ => Vec::new(),
    };
    names.iter().any(|name| fields.contains(&name.to_lowercase().as_str()))
}
