//! How `/v1` says no: one shape, `{"status":…,"message":…}`, and its own words for each operation.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};

use super::Operation;
use crate::api::http::{self, BUSY, INTERNAL, Unread};
use crate::error::{self, Error, HookFault};

/// A refusal ready to be sent.
pub(super) struct Refusal {
    status: u16,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    close: bool,
    pub(super) label: &'static str,
    pub(super) cause: Option<String>,
}

impl Refusal {
    fn new(status: u16, message: impl Into<Cow<'static, str>>, label: &'static str) -> Self {
        Self { status, message: message.into(), retry_after: None, close: false, label, cause: None }
    }

    /// A body whose rest is not read, so that the connection can not go on.
    pub(super) fn closing(Unread { status, message, label }: Unread) -> Self {
        Self { close: true, ..Self::new(status, message, label) }
    }

    /// Anything wrong with the input.
    pub(super) fn input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(422, message, "invalid_parameter")
    }

    /// The words of `operation` for `error`.
    pub(super) fn of(operation: Operation, error: Error) -> Self {
        let label = error.label();
        match error {
            Error::InvalidParameter { .. } => Self::input(error.to_string()),
            Error::NotFound(_) => Self::new(404, "Not Found", label),
            Error::LimitExceeded | Error::TooManyRequests { .. } => {
                Self { retry_after: error.retry_after(), ..Self::new(429, error.to_string(), label) }
            }
            Error::Unavailable { .. } => Self {
                retry_after: error.retry_after(),
                cause: Some(error::chain(&error)),
                ..Self::new(503, BUSY, label)
            },
            Error::Hook(HookFault::Refused(..)) => Self::new(403, error.to_string(), label),
            Error::Hook(HookFault::Unreachable(..)) => {
                Self { retry_after: error.retry_after(), cause: error.cause(), ..Self::new(503, BUSY, label) }
            }
            Error::Conflict => Self { retry_after: error.retry_after(), ..Self::new(503, BUSY, label) },
            Error::Internal(_) | Error::Exists(_) | Error::Hook(HookFault::Malformed(..)) => {
                Self { cause: Some(error::chain(&error)), ..Self::new(500, INTERNAL, label) }
            }
            Error::NotAuthorized
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
            | Error::TokenInvalid
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::TokenReused
            | Error::AccessDenied
            | Error::Rule(_)
            | Error::NotConfigured(_) => Self::new(401, unauthorized(operation, &error), label),
        }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, http::retry_after(wait)));
        }
        if self.close {
            response.force_close();
        }
        response.json(http::ErrorBody { status: self.status, message: &self.message })
    }
}

/// The text of a 401: each operation of the original has one of its own, whatever the reason (contract seeds §1).
fn unauthorized(operation: Operation, error: &Error) -> Cow<'static, str> {
    match operation {
        Operation::Login | Operation::NewPasswordRequired if matches!(error, Error::FactorRequired) => {
            error.to_string().into()
        }
        Operation::Login | Operation::ChangePassword => "Incorrect username or password.".into(),
        Operation::TokenRefresh => "Unauthorized.".into(),
        Operation::TokenRevoke => "Unauthorized".into(),
        Operation::ForgotPassword if matches!(error, Error::UserNotFound) => "User not found.".into(),
        Operation::ForgotPassword => error.to_string().into(),
        Operation::ForgotPasswordConfirm => format!("{}: {error}", exception(error)).into(),
        Operation::NewPasswordRequired if matches!(error, Error::InvalidPassword(_) | Error::PasswordUsed) => {
            format!("{}: {error}", exception(error)).into()
        }
        Operation::NewPasswordRequired => "Unauthorized.".into(),
    }
}

/// Cognito's name of a refusal that confirming a reset or a first password can meet.
fn exception(error: &Error) -> &'static str {
    match error {
        Error::CodeMismatch => "CodeMismatchException",
        Error::CodeExpired | Error::CodeUsed => "ExpiredCodeException",
        Error::InvalidPassword(_) => "InvalidPasswordException",
        Error::PasswordUsed => "PasswordHistoryPolicyViolationException",
        Error::UserNotFound => "UserNotFoundException",
        Error::UserNotConfirmed => "UserNotConfirmedException",
        Error::PasswordResetRequired => "PasswordResetRequiredException",
        Error::NotAuthorized
        | Error::InvalidParameter { .. }
        | Error::UserExists
        | Error::UserDisabled
        | Error::TemporaryPasswordExpired
        | Error::NewPasswordRequired
        | Error::FactorRequired
        | Error::NoVerifiedAddress
        | Error::ResetNotAllowed
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
        | Error::AccessDenied
        | Error::NotFound(_)
        | Error::Exists(_)
        | Error::Rule(_)
        | Error::Hook(_)
        | Error::NotConfigured(_)
        | Error::LimitExceeded
        | Error::TooManyRequests { .. }
        | Error::Conflict
        | Error::Unavailable { .. }
        | Error::Internal(_) => "NotAuthorizedException",
    }
}
