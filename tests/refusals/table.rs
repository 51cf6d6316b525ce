//! The table of refusals, and every refusal there is.

use std::time::Duration;

use cognate::error::{Error, HookFault, Kind, Rule};

pub const LOGIN: &str = "login";
pub const REFRESH: &str = "token-refresh";
pub const REVOKE: &str = "token-revoke";
pub const FORGOT: &str = "forgot-password";
pub const CONFIRM: &str = "forgot-password-confirm";
pub const CHANGE: &str = "change-password";
pub const NEW: &str = "new-password-required";

const NO_LOGIN: &str = "Incorrect username or password.";
const NO_REFRESH: &str = "Unauthorized.";
const NO_REVOKE: &str = "Unauthorized";
const WEAK: &str = "InvalidPasswordException: Password does not conform to policy: Password is too common";
const USED: &str = "PasswordHistoryPolicyViolationException: Password has previously been used";
const LATER: &str = "Service is temporarily unavailable, please try again.";
const OURS: &str = "Internal error, please try again later.";
const LOCKED: &str = "Attempt limit exceeded, please try after some time.";
const NOT_NOW: &str = "User password cannot be reset in the current state.";
const NO_ADDRESS: &str = "Cannot reset password for the user as there is no registered/verified email or phone_number";
const FACTOR: &str = "A second factor is required, which this API can not ask for.";
const MISMATCH: &str = "CodeMismatchException: Invalid verification code provided, please try again.";

/// Refusal, operation, status, message. Where existence is hidden `forgot-password` refuses nobody: its rows about
/// people are of a pool that shows who exists.
pub const TABLE: [(&str, &str, u16, &str); 66] = [
    ("invalid_parameter", LOGIN, 422, "password is required."),
    ("invalid_parameter", REFRESH, 422, "refresh_token is required."),
    ("invalid_parameter", REVOKE, 422, "refresh_token is required."),
    ("invalid_parameter", FORGOT, 422, "username is required."),
    ("invalid_parameter", CONFIRM, 422, "confirmation_code is required."),
    ("invalid_parameter", CHANGE, 422, "access_token is required."),
    ("invalid_parameter", NEW, 422, "session is required."),
    ("not_authorized", LOGIN, 401, NO_LOGIN),
    ("not_authorized", CHANGE, 401, NO_LOGIN),
    ("user_not_found", FORGOT, 401, "User not found."),
    ("user_not_confirmed", LOGIN, 401, NO_LOGIN),
    ("user_not_confirmed", REFRESH, 401, NO_REFRESH),
    ("user_not_confirmed", CHANGE, 401, NO_LOGIN),
    ("user_not_confirmed", NEW, 401, NO_REFRESH),
    ("user_disabled", LOGIN, 401, NO_LOGIN),
    ("user_disabled", REFRESH, 401, NO_REFRESH),
    ("user_disabled", FORGOT, 401, "User is disabled."),
    ("user_disabled", CHANGE, 401, NO_LOGIN),
    ("user_disabled", NEW, 401, NO_REFRESH),
    ("password_reset_required", LOGIN, 401, NO_LOGIN),
    ("password_reset_required", REFRESH, 401, NO_REFRESH),
    ("password_reset_required", CHANGE, 401, NO_LOGIN),
    ("password_reset_required", NEW, 401, NO_REFRESH),
    ("temporary_password_expired", LOGIN, 401, NO_LOGIN),
    ("invalid_password", CONFIRM, 401, WEAK),
    ("invalid_password", CHANGE, 401, NO_LOGIN),
    ("invalid_password", NEW, 401, WEAK),
    ("password_used", CONFIRM, 401, USED),
    ("password_used", CHANGE, 401, NO_LOGIN),
    ("password_used", NEW, 401, USED),
    ("no_verified_address", FORGOT, 401, NO_ADDRESS),
    ("reset_not_allowed", FORGOT, 401, NOT_NOW),
    ("code_mismatch", CONFIRM, 401, MISMATCH),
    ("code_expired", CONFIRM, 401, "ExpiredCodeException: Invalid code provided, please request a code again."),
    ("challenge_invalid", NEW, 401, NO_REFRESH),
    ("challenge_expired", NEW, 401, NO_REFRESH),
    ("challenge_used", NEW, 401, NO_REFRESH),
    ("factor_required", LOGIN, 401, FACTOR),
    ("factor_required", NEW, 401, FACTOR),
    ("token_invalid", REFRESH, 401, NO_REFRESH),
    ("token_invalid", REVOKE, 401, NO_REVOKE),
    ("token_invalid", CHANGE, 401, NO_LOGIN),
    ("token_expired", CHANGE, 401, NO_LOGIN),
    ("token_revoked", REFRESH, 401, NO_REFRESH),
    ("token_revoked", CHANGE, 401, NO_LOGIN),
    ("token_reused", REFRESH, 401, NO_REFRESH),
    ("limit_exceeded", REFRESH, 429, "Refresh tokens limit has been exceeded."),
    ("too_many_requests", LOGIN, 429, LOCKED),
    ("too_many_requests", FORGOT, 429, LOCKED),
    ("too_many_requests", CONFIRM, 429, LOCKED),
    ("too_many_requests", CHANGE, 429, LOCKED),
    ("conflict", CONFIRM, 503, LATER),
    ("conflict", CHANGE, 503, LATER),
    ("unavailable", LOGIN, 503, LATER),
    ("unavailable", REFRESH, 503, LATER),
    ("unavailable", REVOKE, 503, LATER),
    ("unavailable", FORGOT, 503, LATER),
    ("unavailable", CONFIRM, 503, LATER),
    ("unavailable", CHANGE, 503, LATER),
    ("unavailable", NEW, 503, LATER),
    ("internal", LOGIN, 500, OURS),
    ("internal", REFRESH, 500, OURS),
    ("internal", FORGOT, 500, OURS),
    ("internal", CONFIRM, 500, OURS),
    ("internal", CHANGE, 500, OURS),
    ("internal", NEW, 500, OURS),
];

/// Whether some operation of `/v1` can meet a refusal. A new one does not compile here before it has an answer, and
/// does not pass before it has its rows.
pub fn is_met(error: &Error) -> bool {
    match error {
        Error::InvalidParameter { .. }
        | Error::NotAuthorized
        | Error::UserNotFound
        | Error::UserNotConfirmed
        | Error::UserDisabled
        | Error::PasswordResetRequired
        | Error::TemporaryPasswordExpired
        | Error::InvalidPassword(_)
        | Error::PasswordUsed
        | Error::NoVerifiedAddress
        | Error::ResetNotAllowed
        | Error::CodeMismatch
        | Error::CodeExpired
        | Error::ChallengeInvalid
        | Error::ChallengeExpired
        | Error::ChallengeUsed
        | Error::FactorRequired
        | Error::TokenInvalid
        | Error::TokenExpired
        | Error::TokenRevoked
        | Error::TokenReused
        | Error::LimitExceeded
        | Error::TooManyRequests { .. }
        | Error::Conflict
        | Error::Unavailable { .. }
        | Error::Internal(_) => true,
        // Nothing is made here, every token has the one scope there is, and a path that is not known is no operation.
        Error::UserExists | Error::Exists(_) | Error::AccessDenied | Error::NotFound(_) => false,
        // Links, organizations, foreign directories and codes of second factors are of the other APIs; a new password is asked
        // for here.
        Error::NewPasswordRequired
        | Error::CodeUsed
        | Error::LinkInvalid
        | Error::InvitationForAnother
        | Error::AlreadyMember
        | Error::Rule(_)
        | Error::NotConfigured(_) => false,
        // Said in every dialect in tests/triggers.
        Error::Hook(_) => false,
    }
}

pub fn every_refusal() -> [Error; 40] {
    [
        Error::invalid("field", "reason"),
        Error::NotAuthorized,
        Error::UserNotFound,
        Error::UserExists,
        Error::UserNotConfirmed,
        Error::UserDisabled,
        Error::PasswordResetRequired,
        Error::TemporaryPasswordExpired,
        Error::NewPasswordRequired,
        Error::InvalidPassword("rule".into()),
        Error::PasswordUsed,
        Error::NoVerifiedAddress,
        Error::ResetNotAllowed,
        Error::CodeMismatch,
        Error::CodeUsed,
        Error::CodeExpired,
        Error::ChallengeInvalid,
        Error::ChallengeExpired,
        Error::ChallengeUsed,
        Error::FactorRequired,
        Error::LinkInvalid,
        Error::InvitationForAnother,
        Error::AlreadyMember,
        Error::TokenInvalid,
        Error::TokenExpired,
        Error::TokenRevoked,
        Error::TokenReused,
        Error::AccessDenied,
        Error::NotFound(Kind::Path),
        Error::Exists(Kind::Group),
        Error::Rule(Rule::NoSignUp),
        HookFault::Refused("PreSignUp", "no".to_owned()).into(),
        HookFault::Unreachable("PreSignUp", "cause".into()).into(),
        HookFault::Malformed("PreSignUp", "cause".into()).into(),
        Error::NotConfigured("thing"),
        Error::LimitExceeded,
        Error::TooManyRequests { retry_after: Duration::from_secs(1) },
        Error::Conflict,
        Error::unavailable("cause"),
        Error::internal("cause"),
    ]
}
