//! How the Amadis API says no: one shape, `{"status":"error","data":{"error":…}}`.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use crate::api::http::{self, BUSY, BodyFault, INTERNAL, Unread};
use crate::error::{self, Error, HookFault, Kind};

/// A refusal ready to be sent.
pub(super) struct Refusal {
    status: u16,
    message: Cow<'static, str>,
    extra: Option<(&'static str, String)>,
    close: bool,
    pub(super) label: &'static str,
    pub(super) cause: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    error: &'a str,
}

impl Refusal {
    fn new(status: u16, message: impl Into<Cow<'static, str>>, label: &'static str) -> Self {
        Self { status, message: message.into(), extra: None, close: false, label, cause: None }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Not Found", Error::NotFound(Kind::Path).label())
    }

    pub(super) fn of_preflight(message: &'static str) -> Self {
        Self::new(400, message, "invalid_parameter")
    }

    pub(super) fn wrong_method(allowed: Vec<&str>) -> Self {
        let allow = Some((header::ALLOW.as_str(), allowed.join(", ")));
        Self { extra: allow, ..Self::new(405, "Method Not Allowed", "wrong_method") }
    }

    /// Nobody says who calls (RFC 6750 §3.1: no error code then).
    pub(super) fn without_token() -> Self {
        let challenge = Some((header::WWW_AUTHENTICATE.as_str(), "Bearer".to_owned()));
        Self { extra: challenge, ..Self::new(401, "Authentication required.", Error::TokenInvalid.label()) }
    }

    /// The token is not that of a user who may have sessions.
    pub(super) fn of_caller(error: Error) -> Self {
        if let Error::Unavailable { .. } | Error::Internal(_) | Error::Conflict | Error::AccessDenied = error {
            return Self::of(error);
        }
        let challenge = Some((header::WWW_AUTHENTICATE.as_str(), r#"Bearer error="invalid_token""#.to_owned()));
        Self { extra: challenge, ..Self::new(401, error.to_string(), error.label()) }
    }

    /// A refused change of password: whether the address, the password or the user's standing is at fault is not told;
    /// `status` is the setting's.
    pub(super) fn of_change(error: Error, status: u32) -> Self {
        if let Error::NotAuthorized
        | Error::UserNotConfirmed
        | Error::UserDisabled
        | Error::PasswordResetRequired
        | Error::TemporaryPasswordExpired
        | Error::NewPasswordRequired
        | Error::FactorRequired = error
        {
            return Self::new(u16::try_from(status).unwrap_or(422), "Incorrect email or password.", error.label());
        }
        Self::of(error)
    }

    /// The words for `error`.
    pub(super) fn of(error: Error) -> Self {
        let label = error.label();
        match error {
            Error::InvalidParameter { .. }
            | Error::InvalidPassword(_)
            | Error::PasswordUsed
            | Error::UserExists
            | Error::ResetNotAllowed
            | Error::Rule(_) => Self::new(422, error.to_string(), label),
            Error::AccessDenied | Error::Hook(HookFault::Refused(..)) => Self::new(403, error.to_string(), label),
            Error::UserNotFound | Error::NotFound(_) => Self::new(404, error.to_string(), label),
            Error::TooManyRequests { .. } => Self::later(429, error.to_string(), &error),
            Error::Unavailable { .. } | Error::Hook(HookFault::Unreachable(..)) => {
                Self { cause: Some(error::chain(&error)), ..Self::later(503, BUSY, &error) }
            }
            Error::Conflict => Self::later(503, BUSY, &error),
            Error::Internal(_)
            | Error::Hook(HookFault::Malformed(..))
            | Error::NotAuthorized
            | Error::UserNotConfirmed
            | Error::UserDisabled
            | Error::PasswordResetRequired
            | Error::TemporaryPasswordExpired
            | Error::NewPasswordRequired
            | Error::FactorRequired
            | Error::Exists(_)
            | Error::NotConfigured(_)
            | Error::NoVerifiedAddress
            | Error::CodeMismatch
            | Error::CodeExpired
            | Error::CodeUsed
            | Error::ChallengeInvalid
            | Error::ChallengeExpired
            | Error::ChallengeUsed
            | Error::LinkInvalid
            | Error::InvitationForAnother
            | Error::AlreadyMember
            | Error::TokenInvalid
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::TokenReused
            | Error::LimitExceeded => Self { cause: Some(error::chain(&error)), ..Self::new(500, INTERNAL, label) },
        }
    }

    fn later(status: u16, message: impl Into<Cow<'static, str>>, error: &Error) -> Self {
        let seconds = http::retry_after(error.retry_after().unwrap_or_default()).to_str().unwrap_or("1").to_owned();
        Self { extra: Some((header::RETRY_AFTER.as_str(), seconds)), ..Self::new(status, message, error.label()) }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(extra) = self.extra {
            response.insert_header(extra);
        }
        if self.close {
            response.force_close();
        }
        response.json(Body { status: "error", data: Data { error: &self.message } })
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::of(error)
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(Unread { status, message, label }) => Self { close: true, ..Self::new(status, message, label) },
            Err(BodyFault::Malformed(reason)) => Self::new(422, reason, "invalid_parameter"),
            Err(_) => Self::new(
                422,
                "The content type must be application/x-www-form-urlencoded, application/json or multipart/form-data.",
                "invalid_parameter",
            ),
        }
    }
}
