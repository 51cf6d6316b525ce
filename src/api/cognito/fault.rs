//! How the Cognito API says no: a typed exception, in the body and in headers (contract cognito (a) and (k)).

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::JSON;
use crate::api::http::{self, BUSY, BodyFault, INTERNAL, Outcome};
use crate::error::{Error, HookFault, Kind, Rule};
use crate::pool::NewPassword;

const NOT_AUTHORIZED: &str = "NotAuthorizedException";
const INVALID_PARAMETER: &str = "InvalidParameterException";
/// The model has it for almost every operation, so that SDKs have a class for it.
const OURS: &str = "InternalErrorException";
/// Longest text in a header; the body has it whole.
const LONGEST_HEADER: usize = 512;

/// A Cognito exception, ready to be sent.
#[derive(Debug)]
pub(super) struct Fault {
    name: &'static str,
    message: Cow<'static, str>,
    status: StatusCode,
    retry_after: Option<Duration>,
    close: bool,
    label: &'static str,
    cause: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "__type")]
    name: &'a str,
    message: &'a str,
}

impl Fault {
    /// A refusal that only this protocol knows; its name is its label in logs and metrics.
    pub(super) fn new(name: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let (message, status) = (message.into(), StatusCode::BAD_REQUEST);
        Self { name, message, status, retry_after: None, close: false, label: name, cause: None }
    }

    /// A parameter that is not as it must be.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_PARAMETER, message)
    }

    /// A body that can not be read as what its operation takes.
    pub(super) fn unreadable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("SerializationException", message)
    }

    /// What an operation says that takes a refresh token: the words for a bad one name its kind.
    pub(super) fn of_refresh(error: Error) -> Self {
        let fault = Self::from(error);
        match fault.label {
            "token_invalid" => fault.saying("Invalid Refresh Token"),
            "token_expired" => fault.saying("Refresh Token has expired"),
            "token_revoked" => fault.saying("Refresh Token has been revoked"),
            _ => fault,
        }
    }

    /// What an operation says that proves a password or a code: too many wrong ones count like a wrong one, so that no
    /// SDK tries again by itself.
    pub(super) fn of_proof(error: Error) -> Self {
        let locked = matches!(error, Error::TooManyRequests { .. });
        let fault = Self::from(error);
        if locked { Self { name: NOT_AUTHORIZED, ..fault.saying("Password attempts exceeded") } } else { fault }
    }

    /// What an operation says that writes attributes for a client.
    pub(super) fn of_attributes(error: Error) -> Self {
        let provided =
            matches!(&error, Error::InvalidParameter { field, .. } if *field == NewPassword::ALREADY_PROVIDED);
        let denied = matches!(error, Error::AccessDenied);
        let fault = Self::from(error);
        match (denied, provided) {
            (true, _) => fault.saying("A client attempted to write unauthorized attribute"),
            (false, true) => Self { name: NOT_AUTHORIZED, ..fault },
            (false, false) => fault,
        }
    }

    /// What an operation says that sets a password not chosen in place of another.
    pub(super) fn of_first_password(error: Error) -> Self {
        let broken = if let Error::InvalidPassword(rule) = &error { Some(rule) } else { None };
        let words = broken.map(|rule| format!("Password did not conform with policy: {rule}"));
        Self::from(error).saying_if(words)
    }

    /// What an operation says about a user whom a client names.
    pub(super) fn of_named_user(error: Error) -> Self {
        let missing = matches!(error, Error::UserNotFound);
        Self::from(error).saying_if(missing.then_some("Username/client id combination not found."))
    }

    pub(super) fn saying_if(self, message: Option<impl Into<Cow<'static, str>>>) -> Self {
        match message {
            Some(message) => self.saying(message),
            None => self,
        }
    }

    /// The same refusal in other words.
    pub(super) fn saying(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// What it and its answer are called in logs and metrics.
    pub(super) fn outcome(&self, client: Option<String>) -> Outcome {
        Outcome { label: self.label, cause: self.cause.clone(), client }
    }

    /// The answer: the SDKs read the type from the header, from the body, or from both.
    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response.insert_header(("x-amzn-ErrorType", format!("{}:", self.name)));
        response.insert_header(("x-amzn-ErrorMessage", in_header(&self.message)));
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, http::retry_after(wait)));
        }
        if self.close {
            response.force_close();
        }
        let body = Body { name: self.name, message: &self.message };
        response.content_type(JSON).body(serde_json::to_string(&body).unwrap_or_default())
    }
}

/// A text as a header may have it, which is ASCII on one line.
fn in_header(text: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    text.chars().take(LONGEST_HEADER).map(plain).collect()
}

impl From<Error> for Fault {
    /// The words of the catalogue (contract cognito (k)) for what every operation can meet.
    fn from(error: Error) -> Self {
        let fault = match &error {
            Error::Unavailable { .. } | Error::Conflict => {
                // A 5xx is what SDKs try again and never sign anybody out for (§0.9, §0.10).
                Self { status: StatusCode::SERVICE_UNAVAILABLE, ..Self::new(OURS, BUSY) }
            }
            Error::Internal(_) => Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::new(OURS, INTERNAL) },
            Error::TokenInvalid => Self::new(NOT_AUTHORIZED, "Invalid Access Token"),
            Error::TokenExpired => Self::new(NOT_AUTHORIZED, "Access Token has expired"),
            Error::TokenRevoked => Self::new(NOT_AUTHORIZED, "Access Token has been revoked"),
            Error::AccessDenied => Self::new(NOT_AUTHORIZED, "Access Token does not have required scopes"),
            Error::NotFound(Kind::Group) => Self::new(name_of(&error), "Group not found."),
            Error::Exists(Kind::Group) => Self::new(name_of(&error), "A group with the name already exists."),
            Error::Rule(rule) => Self::new(name_of_rule(rule), rule.to_string()),
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
            | Error::TokenReused
            | Error::NotFound(_)
            | Error::Exists(_)
            | Error::Hook(_)
            | Error::NotConfigured(_)
            | Error::LimitExceeded
            | Error::TooManyRequests { .. } => Self::new(name_of(&error), error.to_string()),
        };
        Self { label: error.label(), retry_after: error.retry_after(), cause: error.cause(), ..fault }
    }
}

/// Cognito's name of a refusal whose own words are Cognito's too.
fn name_of(error: &Error) -> &'static str {
    match error {
        Error::UserNotFound => "UserNotFoundException",
        Error::UserExists => "UsernameExistsException",
        Error::UserNotConfirmed => "UserNotConfirmedException",
        Error::PasswordResetRequired => "PasswordResetRequiredException",
        Error::InvalidPassword(_) => "InvalidPasswordException",
        Error::PasswordUsed => "PasswordHistoryPolicyViolationException",
        Error::CodeMismatch => "CodeMismatchException",
        Error::CodeExpired | Error::CodeUsed => "ExpiredCodeException",
        Error::TokenReused => "RefreshTokenReuseException",
        Error::NotFound(_) => "ResourceNotFoundException",
        Error::Exists(Kind::Group) => "GroupExistsException",
        Error::Hook(HookFault::Refused(..)) => "UserLambdaValidationException",
        Error::Hook(HookFault::Unreachable(..)) => "UnexpectedLambdaException",
        Error::Hook(HookFault::Malformed(..)) => "InvalidLambdaResponseException",
        Error::Exists(Kind::Device) => "DeviceKeyExistsException",
        Error::NotConfigured(_) => "OperationNotEnabledException",
        Error::LimitExceeded | Error::TooManyRequests { .. } => "LimitExceededException",
        Error::InvalidParameter { .. }
        | Error::NoVerifiedAddress
        | Error::InvitationForAnother
        | Error::AlreadyMember
        | Error::Exists(_) => INVALID_PARAMETER,
        Error::NotAuthorized
        | Error::UserDisabled
        | Error::TemporaryPasswordExpired
        | Error::NewPasswordRequired
        | Error::FactorRequired
        | Error::ResetNotAllowed
        | Error::ChallengeInvalid
        | Error::ChallengeExpired
        | Error::ChallengeUsed
        | Error::LinkInvalid
        | Error::TokenInvalid
        | Error::TokenExpired
        | Error::TokenRevoked
        | Error::AccessDenied => NOT_AUTHORIZED,
        Error::Rule(rule) => name_of_rule(rule),
        Error::Conflict | Error::Unavailable { .. } | Error::Internal(_) => OURS,
    }
}

fn name_of_rule(rule: &Rule) -> &'static str {
    match rule {
        Rule::ForbiddenAttribute | Rule::NoSignUp | Rule::NotToConfirm(_) | Rule::ResetByAdministrator => {
            NOT_AUTHORIZED
        }
        Rule::ImmutableAttribute(_)
        | Rule::Schema(_)
        | Rule::UnknownAttributes(_)
        | Rule::Form(_)
        | Rule::ScopeNotGranted(_)
        | Rule::FlowNotEnabled
        | Rule::AlreadyConfirmed
        | Rule::NoCustomAuth => INVALID_PARAMETER,
        Rule::AliasTaken(_) => "AliasExistsException",
        Rule::OAuthFlows(_) => "InvalidOAuthFlowException",
        Rule::NoScope(_) => "ScopeDoesNotExistException",
        Rule::TooManySecrets => "LimitExceededException",
        Rule::NotToInvite(_) => "UnsupportedUserStateException",
        Rule::Undeliverable(_) => "CodeDeliveryFailureException",
        Rule::NotYet(_) => "PreconditionNotMetException",
        Rule::ImportRuns => "UserImportInProgressException",
        Rule::Full(_) => "LimitExceededException",
    }
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Self {
        match fault.unread() {
            Ok(unread) => {
                let status = StatusCode::from_u16(unread.status).unwrap_or(StatusCode::BAD_REQUEST);
                Self { status, close: true, label: unread.label, ..Self::unreadable(unread.message) }
            }
            Err(_) => Self::unreadable("The body must not be encoded."),
        }
    }
}
