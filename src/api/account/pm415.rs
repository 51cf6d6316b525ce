//! The pm415 account API (contract seeds §2): signing in and up by an address, with organizations and invitations.

mod person;
mod refusal;
mod request;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Body;
use crate::api::Api;
use crate::api::http::{self, JSON, Outcome};
use crate::error::{Error, Kind};
use crate::pool::name::EmailAddress;
use crate::pool::password::PasswordPolicy;
use crate::pool::{Client, Joins, LinkTo, Pool, Proven, SignUp, Surface, Terms};
use request::{ChangePassword, ForgotPassword, Login, Register};

pub(in crate::api) use person::{Belonging, Person, json};
pub(in crate::api) use refusal::{Asked, Refusal};
pub(in crate::api) use request::Invite;

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Login,
    ForgotPassword,
    Register,
    Verify,
    ChangePassword,
}

/// Pages of the site that mailed links lead to.
#[derive(Debug, Clone, Copy)]
pub(in crate::api) enum Page {
    Verify,
    ResetPassword,
    Invite,
}

impl Page {
    /// Its address, to which a token is appended.
    pub(in crate::api) fn address(self, api: &Api) -> String {
        let site = api.config.pm415.site.as_ref().map_or_else(|| api.config.public_url(), ToString::to_string);
        let page = match self {
            Self::Verify => "verify",
            Self::ResetPassword => "reset-password",
            Self::Invite => "invite",
        };
        format!("{}/account/{page}/?token=", site.trim_end_matches('/'))
    }
}

/// A 200: its body, and its name in logs and metrics.
pub(in crate::api) struct Reply {
    body: String,
    label: &'static str,
}

impl Reply {
    /// A success.
    pub(in crate::api) fn of(body: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { body: json(body)?, label: "ok" })
    }

    fn into_response(self, client: Option<String>) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CACHE_CONTROL, "no-store")).content_type(JSON);
        http::mark(response.body(self.body), Outcome { label: self.label, cause: None, client })
    }
}

#[derive(Serialize)]
struct SignedIn<'a> {
    token: &'a str,
    success: bool,
    user: Person<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    message: &'a str,
    success: bool,
    user_id: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done<'a> {
    user_id: i64,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct NotVerified<'a> {
    success: bool,
    message: &'a str,
}

/// Answers a call.
pub(super) async fn answer(api: &Api, operation: Operation, request: &HttpRequest, body: Body) -> HttpResponse {
    let (pool, client) = match api.pools.surface(Surface::Pm415) {
        Ok(found) => found,
        Err(error) => return Refusal::of(Asked::Other, error).into_response(None),
    };
    let call = Call { api, pool: &pool, client: &client, request };
    finish(call.answer(operation, body).await, client.id.clone())
}

/// The answer to a call that spoke for a client.
pub(in crate::api) fn finish(outcome: Result<Reply, Refusal>, client: String) -> HttpResponse {
    match outcome {
        Ok(reply) => reply.into_response(Some(client)),
        Err(refusal) => refusal.into_response(Some(client)),
    }
}

/// A page that may not call.
pub(in crate::api) fn refuse_preflight(message: &'static str) -> HttpResponse {
    Refusal::input(message).into_response(None)
}

/// A path or method that nobody knows.
pub(in crate::api) async fn unknown() -> HttpResponse {
    Refusal::of(Asked::Other, Error::NotFound(Kind::Path)).into_response(None)
}

/// One call and whom it speaks for.
struct Call<'a> {
    api: &'a Api,
    pool: &'a Arc<Pool>,
    client: &'a Client,
    request: &'a HttpRequest,
}

impl Call<'_> {
    async fn answer(&self, operation: Operation, body: Body) -> Result<Reply, Refusal> {
        let fields = super::fields(self.request, body?).await?;
        match operation {
            Operation::Login => self.login(&Login::check(fields)?).await,
            Operation::ForgotPassword => self.forgot_password(&ForgotPassword::check(fields)?).await,
            Operation::Register => self.register(&Register::check(fields, self.least_length())?).await,
            Operation::Verify => self.verify().await,
            Operation::ChangePassword => {
                self.change_password(&ChangePassword::check(fields, self.least_length())?).await
            }
        }
    }

    fn source(&self) -> IpAddr {
        http::caller_address(self.request, &self.api.config.http.trusted_proxies)
    }

    /// The original takes four characters; here the pool's policy says how many.
    fn least_length(&self) -> u32 {
        let (PasswordPolicy::Nist { min_length } | PasswordPolicy::Cognito { min_length, .. }) =
            self.pool.settings.password_policy;
        min_length
    }

    fn link<'l>(&'l self, page: &'l str) -> LinkTo<'l> {
        LinkTo { client: self.client, page: Some(page), life: *self.api.config.pm415.link }
    }

    async fn login(&self, body: &Login) -> Result<Reply, Refusal> {
        let refused = |error| Refusal::of(Asked::Login { email: &body.email }, error);
        self.sign_in(body).await.map_err(refused)
    }

    /// An invitation is looked at first and accepted last, so that whoever is refused on the way can still use it.
    async fn sign_in(&self, body: &Login) -> Result<Reply, Error> {
        if let Some(token) = &body.invitation {
            self.check_invitation(token, &body.email).await?;
        }
        let proven = self.prove(&body.email, &body.password).await?;
        // No refresh follows this token, so its session ends with it.
        let terms = Terms { refreshable: false, ..Terms::from(self.client) };
        let tokens = self.pool.tokens_at_once(terms, &proven).await?;
        if let Some(token) = &body.invitation {
            self.pool.accept_invitation(self.client, &proven, token).await?;
        }
        let memberships = self.pool.memberships(proven.user()).await?;
        let user = Person::signed_in(self.pool, proven.user(), &memberships);
        Reply::of(&SignedIn { token: &tokens.access_token, success: true, user })
    }

    async fn check_invitation(&self, token: &str, email: &str) -> Result<(), Error> {
        let invitation = self.pool.invitation(self.client, token).await?;
        let key = |text: &str| EmailAddress::parse(text).map(|email| email.key).ok();
        if key(email).is_some() && key(email) == key(&invitation.email) {
            Ok(())
        } else {
            Err(Error::InvitationForAnother)
        }
    }

    /// Says who does not exist only where the pool says so.
    async fn prove(&self, email: &str, password: &str) -> Result<Proven, Error> {
        let proof = self.pool.prove(self.client, email, password, self.source()).await;
        if matches!(proof, Err(Error::NotAuthorized)) && !self.pool.settings.hide_user_existence {
            self.pool.find_user(email).await?;
        }
        proof
    }

    async fn forgot_password(&self, body: &ForgotPassword) -> Result<Reply, Refusal> {
        let email = body.email.as_str();
        let refused = |error| Refusal::of(Asked::ForgotPassword { email }, error);
        let page = Page::ResetPassword.address(self.api);
        let sent = self.pool.forgot_password_link(&self.link(&page), email, self.source()).await;
        let user_id = sent.map_err(refused)?;
        let message = format!("A message was sent to the {email}");
        Reply::of(&Sent { message: &message, success: true, user_id }).map_err(refused)
    }

    async fn register(&self, body: &Register) -> Result<Reply, Refusal> {
        let (joins, organization) = match &body.joins {
            request::Joins::Organization(name) => (Joins::NewOrganization(name), name.as_str()),
            request::Joins::Invitation(token) => (Joins::Invitation(token), ""),
        };
        let refused = |error| Refusal::of(Asked::Register { email: &body.email, organization }, error);
        let draft = SignUp {
            email: &body.email,
            password: &body.password,
            given_name: &body.first_name,
            family_name: &body.last_name,
            joins,
        };
        let page = Page::Verify.address(self.api);
        let user_id = self.pool.sign_up(&self.link(&page), draft, self.source()).await.map_err(refused)?;
        Reply::of(&Done { user_id, success: true, message: None }).map_err(refused)
    }

    /// What a mail's link calls, and before its reader perhaps a scanner of his mails: again and again the same
    /// answer (P13). A bad token is no error here but a 200 that says so.
    async fn verify(&self) -> Result<Reply, Refusal> {
        let token = http::query_field(self.request, "token").unwrap_or_default();
        let refused = |error| Refusal::of(Asked::Verify, error);
        let message = match self.pool.confirm_sign_up(self.client, &token).await {
            Ok(user) => {
                let message = Some("User registration is completed, lets go login");
                let user_id = self.pool.public_id(&user);
                return Reply::of(&Done { user_id, success: true, message }).map_err(refused);
            }
            Err(error @ Error::LinkInvalid) => ("Token is invalid or expired.", error.label()),
            Err(error @ Error::UserNotFound) => ("User not found", error.label()),
            Err(error) => return Err(refused(error)),
        };
        let (message, label) = message;
        let body = json(&NotVerified { success: false, message }).map_err(refused)?;
        Ok(Reply { body, label })
    }

    async fn change_password(&self, body: &ChangePassword) -> Result<Reply, Refusal> {
        let refused = |error| Refusal::of(Asked::ChangePassword, error);
        let reset = self.pool.reset_password_link(self.client, None, &body.token, &body.password, self.source()).await;
        let user_id = self.pool.public_id(&reset.map_err(refused)?);
        Reply::of(&Done { user_id, success: true, message: Some("New password saved") }).map_err(refused)
    }
}
