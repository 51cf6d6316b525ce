//! The Astera account API (contract seeds §3): its paths, its wire shapes and its words for a refusal.

use actix_web::{HttpRequest, HttpResponse};

use super::Body;
use crate::api::{Api, Route};

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
    let _ = (api, operation, request, body);
    HttpResponse::NotFound().finish()
}
