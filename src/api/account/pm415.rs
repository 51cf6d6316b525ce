//! The pm415 account API (contract seeds §2): its wire shapes and its words for a refusal.

use actix_web::{HttpRequest, HttpResponse};

use super::Body;
use crate::api::Api;

/// What the API can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Login,
    ForgotPassword,
    Register,
    Verify,
    ChangePassword,
}

/// Answers a call.
pub(super) async fn answer(api: &Api, operation: Operation, request: &HttpRequest, body: Body) -> HttpResponse {
    let _ = (api, operation, request, body);
    unknown().await
}

/// A path or method that nobody knows.
pub(super) async fn unknown() -> HttpResponse {
    HttpResponse::NotFound().finish()
}
