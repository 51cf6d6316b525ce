//! How the Astera API says no: `application/problem+json` (RFC 9457) with the text twice, as `detail` and as the
//! `message` that its clients show.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::Operation;
use crate::api::http::{self, BUSY, BodyFault, INTERNAL, Unread};
use crate::error::{self, Error, HookFault, Kind};

/// Why a call does not succeed.
pub(super) enum Fault {
    /// The body is not what it should be.
    Body(BodyFault),
    /// The call needs a token and has none.
    NoToken,
    /// The pool refuses.
    Pool(Error),
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        Self::Body(fault)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Pool(error)
    }
}

/// A refusal ready to be sent.
pub(super) struct Refusal {
    status: StatusCode,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    challenge: &'static str,
    close: bool,
    pub(super) label: &'static str,
    pub(super) cause: Option<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    message: &'a str,
}

/// What a 401 asks for (RFC 6750 §3).
const TOKEN: &str = "Bearer";
const ANOTHER_TOKEN: &str = r#"Bearer error="invalid_token""#;

impl Refusal {
    fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>, label: &'static str) -> Self {
        let detail = detail.into();
        Self { status, detail, retry_after: None, challenge: TOKEN, close: false, label, cause: None }
    }

    /// The words of `operation` for `fault`.
    pub(super) fn of(operation: Operation, fault: Fault) -> Self {
        match fault {
            Fault::Body(fault) => Self::of_body(fault),
            Fault::NoToken => Self::new(StatusCode::UNAUTHORIZED, "A bearer token is required.", "token_missing"),
            Fault::Pool(error) => Self::of_error(operation, error),
        }
    }

    fn of_body(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(Unread { status, message, label }) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                Self { close: true, ..Self::new(status, message, label) }
            }
            Err(BodyFault::Malformed(reason)) => Self::new(StatusCode::BAD_REQUEST, reason, "invalid_parameter"),
            Err(_) => Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, UNKNOWN_TYPE, "invalid_parameter"),
        }
    }

    fn of_error(operation: Operation, error: Error) -> Self {
        let label = error.label();
        let retry_after = error.retry_after();
        let plain = Self { retry_after, ..Self::new(status(operation, &error), error.to_string(), label) };
        match error {
            Error::NotAuthorized if operation == Operation::ChangePassword => {
                Self { detail: "The current password is wrong.".into(), ..plain }
            }
            Error::TokenInvalid | Error::TokenExpired | Error::TokenRevoked | Error::TokenReused => {
                Self { challenge: ANOTHER_TOKEN, ..plain }
            }
            Error::Conflict => Self { detail: BUSY.into(), ..plain },
            Error::Unavailable { .. } => Self { cause: Some(error::chain(&error)), ..plain },
            Error::Hook(HookFault::Unreachable(..)) => Self { detail: BUSY.into(), cause: error.cause(), ..plain },
            Error::Internal(_) | Error::Hook(HookFault::Malformed(..)) => {
                Self { detail: INTERNAL.into(), cause: Some(error::chain(&error)), ..plain }
            }
            Error::InvalidParameter { .. }
            | Error::NotAuthorized
            | Error::UserNotFound
            | Error::UserExists
            | Error::UserNotConfirmed
            | Error::UserDisabled
            | Error::PasswordResetRequired
            | Error::TemporaryPasswordExpired
            | Error::NewPasswordRequired
            | Error::FactorRequired
            | Error::InvalidPassword(_)
            | Error::PasswordUsed
            | Error::NoVerifiedAddress
            | Error::ResetNotAllowed
            | Error::CodeMismatch
            | Error::CodeExpired
            | Error::CodeUsed
            | Error::ChallengeInvalid
            | Error::ChallengeExpired
            | Error::ChallengeUsed
            | Error::LinkInvalid
            | Error::InvitationForAnother
            | Error::AlreadyMember
            | Error::AccessDenied
            | Error::NotFound(_)
            | Error::Exists(_)
            | Error::LimitExceeded
            | Error::TooManyRequests { .. }
            | Error::Rule(_)
            | Error::Hook(HookFault::Refused(..))
            | Error::NotConfigured(_) => plain,
        }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, http::retry_after(wait)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, self.challenge));
        }
        if self.close {
            response.force_close();
        }
        let problem = Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.detail,
            message: &self.detail,
        };
        response.insert_header((header::CONTENT_TYPE, "application/problem+json")).json(problem)
    }
}

const UNKNOWN_TYPE: &str = "The content type must be application/json or application/x-www-form-urlencoded.";

fn status(operation: Operation, error: &Error) -> StatusCode {
    match error {
        // The caller has shown who he is by his token.
        Error::NotAuthorized if operation == Operation::ChangePassword => StatusCode::FORBIDDEN,
        Error::NotAuthorized | Error::TokenInvalid | Error::TokenExpired | Error::TokenRevoked | Error::TokenReused => {
            StatusCode::UNAUTHORIZED
        }
        Error::AccessDenied
        | Error::UserNotConfirmed
        | Error::UserDisabled
        | Error::PasswordResetRequired
        | Error::TemporaryPasswordExpired
        | Error::NewPasswordRequired
        | Error::FactorRequired
        | Error::Hook(HookFault::Refused(..)) => StatusCode::FORBIDDEN,
        Error::InvalidParameter { .. }
        | Error::UserNotFound
        | Error::InvalidPassword(_)
        | Error::PasswordUsed
        | Error::NoVerifiedAddress
        | Error::ResetNotAllowed
        | Error::CodeMismatch
        | Error::CodeExpired
        | Error::CodeUsed
        | Error::ChallengeInvalid
        | Error::ChallengeExpired
        | Error::ChallengeUsed
        | Error::LinkInvalid
        | Error::InvitationForAnother
        | Error::Rule(_)
        | Error::NotFound(
            Kind::Pool
            | Kind::Client
            | Kind::Group
            | Kind::Organization
            | Kind::Key
            | Kind::AccessKey
            | Kind::Device
            | Kind::ResourceServer
            | Kind::ClientSecret
            | Kind::Session
            | Kind::ImportJob,
        ) => StatusCode::BAD_REQUEST,
        Error::NotFound(Kind::Path) => StatusCode::NOT_FOUND,
        Error::UserExists | Error::AlreadyMember | Error::Exists(_) => StatusCode::CONFLICT,
        Error::LimitExceeded | Error::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::NotConfigured(_) => StatusCode::NOT_IMPLEMENTED,
        Error::Conflict | Error::Unavailable { .. } | Error::Hook(HookFault::Unreachable(..)) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Internal(_) | Error::Hook(HookFault::Malformed(..)) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
