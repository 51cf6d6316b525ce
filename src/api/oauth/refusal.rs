//! How the token endpoint says no (RFC 6749 §5.2): `{"error":…,"error_description":…}`. Two cases that the RFC has no
//! code for borrow one: too many attempts are 429 `slow_down` (RFC 8628 §3.5), a fault of ours is 500 `server_error` or
//! 503 `temporarily_unavailable` (RFC 6749 §4.1.2.1).

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::request::Grant;
use crate::api::http::{self, BUSY, BodyFault, INTERNAL, Unread};
use crate::error::{self, Error, HookFault, Rule};

/// A refusal ready to be sent.
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    description: Cow<'static, str>,
    header: Option<Header>,
    close: bool,
    pub(super) label: &'static str,
    pub(super) cause: Option<String>,
}

/// What some refusals say besides.
enum Header {
    Allow(&'static str),
    Authenticate(&'static str),
    RetryAfter(Duration),
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl Refusal {
    fn new(status: u16, code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, description: description.into(), header: None, close: false, label: code, cause: None }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// The client is unknown, or its secret is wrong. With the header it is a 401 that names the scheme (§5.2).
    pub(super) fn invalid_client(by_header: bool) -> Self {
        let refusal = Self::new(400, "invalid_client", "Client authentication failed.");
        if !by_header {
            return refusal;
        }
        Self { status: 401, header: Some(Header::Authenticate(r#"Basic realm="oauth""#)), ..refusal }
    }

    pub(super) fn unauthorized_client() -> Self {
        Self::new(400, "unauthorized_client", "The client may not use this grant type.")
    }

    pub(super) fn unsupported_grant_type() -> Self {
        Self::new(400, "unsupported_grant_type", "The grant type is not supported.")
    }

    pub(super) fn invalid_scope() -> Self {
        Self::new(400, "invalid_scope", "The scope is unknown.")
    }

    pub(super) fn wrong_method() -> Self {
        let refusal = Self::new(405, "invalid_request", "The method must be POST.");
        Self { header: Some(Header::Allow("POST")), label: "wrong_method", ..refusal }
    }

    /// What the authentication of the client met.
    pub(super) fn of_client(error: Error, by_header: bool) -> Self {
        let label = error.label();
        match Self::ours(error) {
            Ok(refusal) => refusal,
            Err(_) => Self { label, ..Self::invalid_client(by_header) },
        }
    }

    /// What the grant met: what is wrong with it is not told, but for what its holder can mend.
    pub(super) fn of_grant(error: Error, grant: &Grant) -> Self {
        let label = error.label();
        if matches!(error, Error::Rule(Rule::FlowNotEnabled)) {
            return Self { label, ..Self::unauthorized_client() };
        }
        if matches!(error, Error::Rule(Rule::ScopeNotGranted(_))) {
            return Self { label, ..Self::invalid_scope() };
        }
        let error = match Self::ours(error) {
            Ok(refusal) => return refusal,
            Err(error) => error,
        };
        let description = match grant {
            _ if matches!(error, Error::NewPasswordRequired | Error::FactorRequired | Error::LimitExceeded) => {
                error.to_string().into()
            }
            Grant::Password { .. } => "Incorrect username or password.".into(),
            Grant::ClientCredentials => "The user may not sign in.".into(),
            Grant::RefreshToken(_) => Cow::from("The refresh token is invalid, expired or revoked."),
        };
        Self { label, ..Self::new(400, "invalid_grant", description) }
    }

    /// What no caller has part in.
    pub(super) fn of(error: Error) -> Self {
        Self::ours(error).unwrap_or_else(|error| {
            let cause = Some(error::chain(&error));
            Self { cause, label: error.label(), ..Self::new(500, "server_error", INTERNAL) }
        })
    }

    /// The words for what is not the caller's fault, or comes too often; the error itself where it is.
    fn ours(error: Error) -> Result<Self, Error> {
        let (label, header) = (error.label(), error.retry_after().map(Header::RetryAfter));
        let later = |status, code, description: Cow<'static, str>| Self {
            header,
            label,
            ..Self::new(status, code, description)
        };
        let cause = Some(error::chain(&error));
        match error {
            Error::TooManyRequests { .. } => Ok(later(429, "slow_down", error.to_string().into())),
            Error::Unavailable { .. } => Ok(Self { cause, ..later(503, "temporarily_unavailable", BUSY.into()) }),
            Error::Hook(HookFault::Unreachable(..)) => {
                Ok(Self { cause, ..later(503, "temporarily_unavailable", BUSY.into()) })
            }
            // No `invalid_grant`, which says that the refresh token is of no use any more.
            Error::Hook(HookFault::Refused(..)) => {
                Ok(Self { label, ..Self::new(400, "access_denied", error.to_string()) })
            }
            Error::Conflict => Ok(later(503, "temporarily_unavailable", BUSY.into())),
            Error::Hook(HookFault::Malformed(..))
            | Error::Internal(_)
            | Error::NotConfigured(_)
            | Error::Exists(_)
            | Error::Rule(_) => Ok(Self { cause, label, ..Self::new(500, "server_error", INTERNAL) }),
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
            | Error::TokenInvalid
            | Error::TokenExpired
            | Error::TokenRevoked
            | Error::TokenReused
            | Error::AccessDenied
            | Error::NotFound(_)
            | Error::LimitExceeded => Err(error),
        }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
        match self.header {
            Some(Header::Allow(method)) => response.insert_header((header::ALLOW, method)),
            Some(Header::Authenticate(scheme)) => response.insert_header((header::WWW_AUTHENTICATE, scheme)),
            Some(Header::RetryAfter(wait)) => response.insert_header((header::RETRY_AFTER, http::retry_after(wait))),
            None => &mut response,
        };
        if self.close {
            response.force_close();
        }
        response.json(Body { error: self.code, error_description: &self.description })
    }
}

impl From<BodyFault> for Refusal {
    fn from(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(Unread { status, message, label }) => {
                Self { close: true, label, ..Self::new(status, "invalid_request", message) }
            }
            Err(BodyFault::Malformed(reason)) => Self::invalid_request(reason),
            Err(_) => Self::invalid_request("The content encoding is not supported."),
        }
    }
}
