//! How pm415 says no: one shape, `{"statusCode":…,"error":…,"message":…,"success":false}`, and its own words for each
//! operation.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use crate::api::http::{self, BUSY, BodyFault, INTERNAL, JSON, Outcome, Unread};
use crate::error::{self, Error, HookFault, Kind};

/// What was asked, with those of the caller's own words that an answer repeats.
#[derive(Clone, Copy)]
pub(in crate::api) enum Asked<'a> {
    /// POST /api/account/login
    Login { email: &'a str },
    /// POST /api/account/forgotpassword
    ForgotPassword { email: &'a str },
    /// POST /api/account/register
    Register { email: &'a str, organization: &'a str },
    /// GET /api/account/verify
    Verify,
    /// POST /api/account/changepassword
    ChangePassword,
    /// POST /api/org/{id}/invitelink
    Invite { email: &'a str },
    /// Everything else of a member, and what comes before the operation.
    Other,
}

/// A refusal ready to be sent.
pub(in crate::api) struct Refusal {
    status: u16,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
    close: bool,
    label: &'static str,
    cause: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    status_code: u16,
    error: &'a str,
    message: &'a str,
    success: bool,
}

impl Refusal {
    fn new(status: u16, message: impl Into<Cow<'static, str>>, label: &'static str) -> Self {
        Self { status, message: message.into(), retry_after: None, close: false, label, cause: None }
    }

    /// Anything wrong with the input.
    pub(in crate::api) fn input(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, message, "invalid_parameter")
    }

    /// The words of what was asked for `error`.
    pub(in crate::api) fn of(asked: Asked<'_>, error: Error) -> Self {
        let (status, message) = words(asked, &error);
        let label = error.label();
        let retry_after = error.retry_after();
        let cause = error.cause().or_else(|| (status == 500).then(|| error::chain(&error)));
        Self { retry_after, cause, ..Self::new(status, message, label) }
    }

    /// The answer, marked with its outcome.
    pub(in crate::api) fn into_response(self, client: Option<String>) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store")).content_type(JSON);
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, http::retry_after(wait)));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if self.close {
            response.force_close();
        }
        let error = status.canonical_reason().unwrap_or_default();
        let body = ErrorBody { status_code: status.as_u16(), error, message: &self.message, success: false };
        http::mark(response.json(body), Outcome { label: self.label, cause: self.cause, client })
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(Unread { status, message, label }) => Self { close: true, ..Self::new(status, message, label) },
            Err(BodyFault::Malformed(reason)) => Self::input(reason),
            Err(_) => Self::input("The content type must be application/json or application/x-www-form-urlencoded."),
        }
    }
}

const INACTIVE: &str = "User not confirmed or inactive";
const NOT_SIGNED_IN: &str = "Authentication required";

/// Status and text (contract seeds §2).
fn words(asked: Asked<'_>, error: &Error) -> (u16, Cow<'static, str>) {
    match error {
        Error::InvalidParameter { field, reason } => (400, format!("\"{}\" {reason}", label(field)).into()),
        Error::InvalidPassword(rule) => {
            (400, format!("\"Password\" {}", rule.strip_prefix("Password ").unwrap_or(rule)).into())
        }
        Error::PasswordUsed => (400, "\"Password\" has previously been used".into()),
        Error::NotAuthorized => (401, not_authorized(asked).into()),
        Error::UserNotFound => user_not_found(asked),
        Error::UserExists => (409, format!("User with email {} already exists", email(asked)).into()),
        Error::UserNotConfirmed | Error::UserDisabled => (403, INACTIVE.into()),
        Error::PasswordResetRequired
        | Error::TemporaryPasswordExpired
        | Error::NewPasswordRequired
        | Error::FactorRequired
        | Error::NoVerifiedAddress
        | Error::ResetNotAllowed
        | Error::Hook(HookFault::Refused(..)) => (403, error.to_string().into()),
        Error::LinkInvalid => (422, link_invalid(asked).into()),
        Error::InvitationForAnother => (422, for_another(asked).into()),
        Error::AlreadyMember => (409, already_member(asked)),
        Error::AccessDenied => (403, "Admin privileges required".into()),
        Error::NotFound(Kind::Organization) => (404, no_organization(asked).into()),
        Error::NotFound(_) => (404, "Not Found".into()),
        Error::Exists(Kind::Organization) => {
            (409, format!("Organization {} already exists.", organization(asked)).into())
        }
        Error::Rule(_) => (400, error.to_string().into()),
        Error::NotConfigured(_) => (501, error.to_string().into()),
        Error::LimitExceeded | Error::TooManyRequests { .. } => (429, error.to_string().into()),
        Error::Conflict | Error::Unavailable { .. } | Error::Hook(HookFault::Unreachable(..)) => (503, BUSY.into()),
        Error::Internal(_) | Error::Exists(_) | Error::Hook(HookFault::Malformed(..)) => (500, INTERNAL.into()),
        Error::TokenInvalid
        | Error::TokenExpired
        | Error::TokenRevoked
        | Error::TokenReused
        | Error::CodeMismatch
        | Error::CodeExpired
        | Error::CodeUsed
        | Error::ChallengeInvalid
        | Error::ChallengeExpired
        | Error::ChallengeUsed => (401, NOT_SIGNED_IN.into()),
    }
}

fn not_authorized(asked: Asked<'_>) -> &'static str {
    if matches!(asked, Asked::Login { .. }) { "Unable to login user" } else { NOT_SIGNED_IN }
}

fn user_not_found(asked: Asked<'_>) -> (u16, Cow<'static, str>) {
    match asked {
        Asked::Login { email } | Asked::ForgotPassword { email } | Asked::Invite { email } => {
            (404, format!("User with email {email} not found.").into())
        }
        Asked::ChangePassword => (422, "Token invalid".into()),
        Asked::Register { .. } | Asked::Verify | Asked::Other => (404, "User not found".into()),
    }
}

fn link_invalid(asked: Asked<'_>) -> &'static str {
    match asked {
        Asked::ChangePassword => "Token invalid",
        Asked::Verify => "Token is invalid or expired.",
        Asked::Login { .. }
        | Asked::ForgotPassword { .. }
        | Asked::Register { .. }
        | Asked::Invite { .. }
        | Asked::Other => "Invitation token invalid or expired",
    }
}

fn for_another(asked: Asked<'_>) -> &'static str {
    if matches!(asked, Asked::Register { .. }) { "Email is incorrect" } else { "Invitation email mismatch" }
}

fn already_member(asked: Asked<'_>) -> Cow<'static, str> {
    match asked {
        Asked::Invite { email } => format!("User with email {email} already belongs to this organization").into(),
        Asked::Login { .. }
        | Asked::ForgotPassword { .. }
        | Asked::Register { .. }
        | Asked::Verify
        | Asked::ChangePassword
        | Asked::Other => "Invitation already accepted".into(),
    }
}

fn no_organization(asked: Asked<'_>) -> &'static str {
    if matches!(asked, Asked::Login { .. }) { "Invitation organization incorrect" } else { "Organization not found" }
}

fn email(asked: Asked<'_>) -> &str {
    match asked {
        Asked::Login { email }
        | Asked::ForgotPassword { email }
        | Asked::Register { email, .. }
        | Asked::Invite { email } => email,
        Asked::Verify | Asked::ChangePassword | Asked::Other => "",
    }
}

fn organization(asked: Asked<'_>) -> &str {
    if let Asked::Register { organization, .. } = asked { organization } else { "" }
}

/// What pm415 calls a field of the pool's.
fn label(field: &str) -> &str {
    match field {
        "email" | "username" => "Email",
        "password" => "Password",
        "given_name" => "First Name",
        "family_name" => "Last Name",
        "organization" => "Organization",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no story meets, or meets only in other words.
    #[test]
    fn what_is_rare_is_said_in_the_same_shape() {
        let after = Duration::from_secs(7);
        for (error, status, message, wait) in [
            (Error::Conflict, 503, BUSY, Some(Duration::from_secs(1))),
            (Error::Unavailable { retry_after: after, cause: "gone".into() }, 503, BUSY, Some(after)),
            (
                Error::TooManyRequests { retry_after: after },
                429,
                "Attempt limit exceeded, please try after some time.",
                Some(after),
            ),
            (Error::LimitExceeded, 429, "Refresh tokens limit has been exceeded.", Some(Duration::from_secs(3600))),
            (Error::internal("a secret"), 500, INTERNAL, None),
            (Error::Exists(Kind::Client), 500, INTERNAL, None),
            (Error::NotConfigured("Active Directory"), 501, "Active Directory is not configured", None),
            (Error::NotFound(Kind::Path), 404, "Not Found", None),
            (Error::PasswordResetRequired, 403, "Password reset required for the user", None),
            (Error::TokenReused, 401, NOT_SIGNED_IN, None),
            (Error::invalid("given_name", "is too long"), 400, "\"First Name\" is too long", None),
        ] {
            let refusal = Refusal::of(Asked::Other, error);
            assert_eq!((refusal.status, &*refusal.message, refusal.retry_after), (status, message, wait));
            assert_eq!(refusal.cause.is_some(), status == 500 || refusal.label == "unavailable");
        }
    }
}
