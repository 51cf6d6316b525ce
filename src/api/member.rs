//! What pm415's web client needs around its account API (contract seeds §2): who am I, invitations into an
//! organization, and API keys. An access token or an API key opens it.

use std::sync::Arc;

use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, middleware};
use serde::Serialize;

use super::account::pm415::{
    Asked, Belonging, Invite, Page, Person, Refusal, Reply, finish, refuse_preflight, unknown,
};
use super::{Api, Dialect, Route, account, http};
use crate::error::{Error, Kind};
use crate::pool::{Client, LinkTo, Pool, Surface, User};

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Myself,
    NewApiKey,
    ApiKey,
    Invite,
    Invitation,
}

const MYSELF: Route = Route::get("/api/user", "user");
const NEW_API_KEY: Route = Route::post("/api/user/apikey", "new-api-key");
const API_KEY: Route = Route::get("/api/user/apikey", "api-key");
const INVITE: Route = Route::post("/api/org/{id}/invitelink", "invite");
const INVITATION: Route = Route::get("/api/org/invite", "invitation");

/// The dialect.
pub struct Member {
    api: Arc<Api>,
}

#[derive(Serialize)]
struct MyselfBody<'a> {
    success: bool,
    user: Person<'a>,
    organization: Option<Belonging<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewApiKeyBody<'a> {
    success: bool,
    api_key: &'a str,
}

#[derive(Serialize)]
struct ApiKeyBody {
    success: bool,
    apikey: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InviteBody<'a> {
    success: bool,
    confirm_url: &'a str,
}

#[derive(Serialize)]
struct InvitationBody<'a> {
    success: bool,
    email: &'a str,
    organization: &'a str,
}

impl Member {
    /// Speaks for the client that the settings name.
    pub fn new(api: Arc<Api>) -> Self {
        Self { api }
    }

    fn handler(&self, route: &Route, operation: Operation) -> actix_web::Route {
        let api = self.api.clone();
        let answer = move |request: HttpRequest, payload: Payload| answer(api.clone(), operation, request, payload);
        if route.method == "GET" { web::get().to(answer) } else { web::post().to(answer) }
    }
}

impl Dialect for Member {
    fn name(&self) -> &'static str {
        "member"
    }

    fn routes(&self) -> Vec<Route> {
        vec![MYSELF, NEW_API_KEY, API_KEY, INVITE, INVITATION]
    }

    fn mount(&self, app: &mut ServiceConfig) {
        let user = web::resource(MYSELF.path)
            .wrap(http::cors(&self.api.config.http))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)))
            .route(self.handler(&MYSELF, Operation::Myself))
            .default_service(web::to(unknown));
        let api_key = web::resource(API_KEY.path)
            .wrap(http::cors(&self.api.config.http))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)))
            .route(self.handler(&API_KEY, Operation::ApiKey))
            .route(self.handler(&NEW_API_KEY, Operation::NewApiKey))
            .default_service(web::to(unknown));
        let organization = web::scope("/api/org")
            .wrap(http::cors(&self.api.config.http))
            .wrap(middleware::from_fn(|request, next| http::preflight_in_words_of(refuse_preflight, request, next)))
            .route("/invite", self.handler(&INVITATION, Operation::Invitation))
            .route("/{id}/invitelink", self.handler(&INVITE, Operation::Invite))
            .default_service(web::to(unknown));
        app.service(user).service(api_key).service(organization);
    }
}

async fn answer(api: Arc<Api>, operation: Operation, request: HttpRequest, payload: Payload) -> HttpResponse {
    let (pool, client) = match api.pools.surface(Surface::Pm415) {
        Ok(found) => found,
        Err(error) => return Refusal::of(Asked::Other, error).into_response(None),
    };
    let call = Call { api: &api, pool: &pool, client: &client, request: &request };
    finish(call.answer(operation, payload).await, client.id.clone())
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
        let refused = |error| Refusal::of(Asked::Other, error);
        match operation {
            Operation::Invite => self.invite(payload).await,
            Operation::Invitation => self.invitation().await.map_err(refused),
            Operation::Myself => self.myself().await.map_err(refused),
            Operation::NewApiKey => self.new_api_key().await.map_err(refused),
            Operation::ApiKey => self.api_key().await.map_err(refused),
        }
    }

    async fn caller(&self) -> Result<User, Error> {
        self.pool.authenticate_bearer(http::bearer(self.request).ok_or(Error::TokenInvalid)?).await
    }

    async fn myself(&self) -> Result<Reply, Error> {
        let user = self.caller().await?;
        let memberships = self.pool.memberships(&user).await?;
        Reply::of(&MyselfBody {
            success: true,
            user: Person::with_roles(self.pool, &user, &memberships),
            organization: memberships.first().map(Belonging::plain),
        })
    }

    async fn new_api_key(&self) -> Result<Reply, Error> {
        let api_key = self.pool.create_api_key(&self.caller().await?).await?;
        Reply::of(&NewApiKeyBody { success: true, api_key: &api_key })
    }

    async fn api_key(&self) -> Result<Reply, Error> {
        let apikey = self.pool.api_key(&self.caller().await?);
        Reply::of(&ApiKeyBody { success: true, apikey })
    }

    /// Whoever may not call learns nothing about his body.
    async fn invite(&self, payload: Payload) -> Result<Reply, Refusal> {
        let caller = self.caller().await.map_err(|error| Refusal::of(Asked::Other, error))?;
        let body = http::read_body(self.request, payload, &self.api.config.http).await?;
        let body = Invite::check(account::fields(self.request, body).await?)?;
        let refused = |error| Refusal::of(Asked::Invite { email: &body.email }, error);
        let organization = self.organization().map_err(refused)?;
        let page = Page::Invite.address(self.api);
        let link = LinkTo { client: self.client, page: Some(&page), life: *self.api.config.pm415.link };
        let token = self.pool.invite(&link, &caller, organization, &body.email, body.send).await.map_err(refused)?;
        Reply::of(&InviteBody { success: true, confirm_url: &format!("{page}{token}") }).map_err(refused)
    }

    /// The organization that the path names.
    fn organization(&self) -> Result<i64, Error> {
        self.request.match_info().query("id").parse().map_err(|_| Error::NotFound(Kind::Organization))
    }

    async fn invitation(&self) -> Result<Reply, Error> {
        let token = http::query_field(self.request, "token").unwrap_or_default();
        let invitation = self.pool.invitation(self.client, &token).await?;
        let organization = &invitation.organization.name;
        Reply::of(&InvitationBody { success: true, email: &invitation.email, organization })
    }
}
