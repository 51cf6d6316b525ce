//! The Astera account API (contract seeds §3): its paths, and what every call of it has in common. What it can do is in
//! the files of its folder, by topic.

mod address;
mod password;
mod people;
mod refusal;
mod reply;
mod request;
mod sign_in;

use std::net::IpAddr;

use actix_web::http::Method;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use super::Body;
use crate::api::http::{self, Outcome};
use crate::api::{Api, Route};
use crate::pool::{Action, Caller, Client, Pool, Surface, Terms};
use refusal::{Fault, Refusal};
use reply::Reply;
use request::Fields;

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Register,
    RegisterAdUser,
    Login,
    LoginAdUser,
    ForgotPassword,
    VerifyResetToken,
    ResetPassword,
    RequestEmailChange,
    VerifyEmailChangeToken,
    ChangeEmail,
    ChangePassword,
    ConfirmEmail,
    Logout,
    CheckAccess,
}

/// The paths that are Astera's alone; the four that it shares are in [`super`].
pub(super) const OPERATIONS: [(Route, Operation); 13] = [
    (Route::post("/api/account/registeraduser", "register-ad-user"), Operation::RegisterAdUser),
    (Route::post("/api/account/loginaduser", "login-ad-user"), Operation::LoginAdUser),
    (Route::post("/api/account/verifyresettoken", "verify-reset-token"), Operation::VerifyResetToken),
    (Route::get("/api/account/verifyresettoken", "verify-reset-token"), Operation::VerifyResetToken),
    (Route::post("/api/account/resetpassword", "reset-password"), Operation::ResetPassword),
    (Route::post("/api/account/requestemailchange", "request-email-change"), Operation::RequestEmailChange),
    (
        Route::post("/api/account/verifyemailchangetoken", "verify-email-change-token"),
        Operation::VerifyEmailChangeToken,
    ),
    (Route::post("/api/account/changeemail", "change-email"), Operation::ChangeEmail),
    (Route::get("/api/account/confirmemail", "confirm-email"), Operation::ConfirmEmail),
    (Route::post("/api/account/confirmemail", "confirm-email"), Operation::ConfirmEmail),
    (Route::post("/api/account/logout", "logout"), Operation::Logout),
    (Route::get("/api/account/checkaccess", "check-access"), Operation::CheckAccess),
    (Route::post("/api/account/checkaccess", "check-access"), Operation::CheckAccess),
];

/// Answers a call. `body` is empty for GET, whose fields are in the query string.
pub(super) async fn answer(api: &Api, operation: Operation, request: &HttpRequest, body: Body) -> HttpResponse {
    let (client, outcome) = match api.pools.surface(Surface::Astera) {
        Err(error) => (None, Err(error.into())),
        Ok((pool, client)) => {
            let call = Call { api, pool: &pool, client: &client, request };
            (Some(client.id.clone()), call.answer(operation, body).await)
        }
    };
    let (response, label, cause) = match outcome {
        Ok(reply) => (reply.into_response(), "ok", None),
        Err(fault) => {
            let refusal = Refusal::of(operation, fault);
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
    async fn answer(&self, operation: Operation, body: Body) -> Result<Reply, Fault> {
        let body = body?;
        match operation {
            Operation::Register => self.register(body).await,
            Operation::RegisterAdUser => self.register_ad_user(body).await,
            Operation::Login => self.login(body).await,
            Operation::LoginAdUser => self.login_ad_user(body).await,
            Operation::ForgotPassword => self.forgot_password(body).await,
            Operation::VerifyResetToken => self.verify_reset_token(body).await,
            Operation::ResetPassword => self.reset_password(body).await,
            Operation::RequestEmailChange => self.request_email_change(body).await,
            Operation::VerifyEmailChangeToken => self.verify_email_change_token(body).await,
            Operation::ChangeEmail => self.change_email(body).await,
            Operation::ChangePassword => self.change_password(body).await,
            Operation::ConfirmEmail => self.confirm_email(body).await,
            Operation::Logout => self.logout(body).await,
            Operation::CheckAccess => self.check_access().await,
        }
    }

    /// The fields of the call: of the query string for GET, else of the body.
    async fn fields(&self, body: Bytes) -> Result<Fields, Fault> {
        if self.request.method() == Method::GET {
            return Fields::from_query(self.request.query_string());
        }
        Ok(super::fields(self.request, body).await?)
    }

    fn source(&self) -> IpAddr {
        http::caller_address(self.request, &self.api.config.http.trusted_proxies)
    }

    fn bearer(&self) -> Result<&str, Fault> {
        http::bearer(self.request).ok_or(Fault::NoToken)
    }

    /// Who calls.
    async fn caller(&self) -> Result<Caller, Fault> {
        Ok(self.pool.authenticate(self.bearer()?).await?)
    }

    /// Refuses everybody who may not make users; before the fields are looked at, so that they tell nothing.
    async fn needs_registrar(&self) -> Result<(), Fault> {
        let caller = self.caller().await?;
        Ok(self.pool.permit(&caller.user, Action::RegisterUsers).await?)
    }

    /// `refreshable`: rememberMe.
    fn terms(&self, refreshable: bool) -> Terms<'_> {
        Terms { refreshable, ..Terms::from(self.client) }
    }
}

/// `page` with these fields in its query string, the last one without its value: a token is appended to it. A page may
/// have its own query, also behind a `#`, as the routers of some browser applications want it.
fn page_with(page: &str, fields: &[(&str, &str)], last: &str) -> String {
    let joint = if page.contains('?') { '&' } else { '?' };
    let fields =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair(last, "").finish();
    format!("{page}{joint}{fields}")
}
