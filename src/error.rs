//! Every refusal there is, named once in domain words. A dialect says each in its own (exhaustive matches),
//! so a new variant makes the compiler ask every dialect for its words.

mod hook;
mod kind;
mod rule;

use std::borrow::Cow;
use std::error::Error as _;
use std::time::Duration;

pub use hook::HookFault;
pub use kind::Kind;
pub use rule::Rule;

/// What lies behind a refusal that is ours to mend: logged once at the edge, never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Long enough for a reconnect, or for whoever was faster.
const SOON: Duration = Duration::from_secs(1);
/// A refresh token that has yielded all its tokens yields no more; only a new sign-in helps.
const LIMIT_PAUSE: Duration = Duration::from_secs(3600);

/// A refusal. The text of every variant is safe to show to the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is missing, empty, too long or of the wrong form.
    #[error("{field} {reason}")]
    InvalidParameter {
        /// The field as the caller spelled it.
        field: Cow<'static, str>,
        /// What is wrong with it, as the rest of a sentence; never the value itself.
        reason: Cow<'static, str>,
    },
    /// Unknown user or wrong password: deliberately not told apart.
    #[error("Incorrect username or password.")]
    NotAuthorized,
    /// The user does not exist (said only where existence is not hidden).
    #[error("User does not exist.")]
    UserNotFound,
    /// The username or verified address is taken.
    #[error("User already exists")]
    UserExists,
    /// The user has not confirmed the sign-up.
    #[error("User is not confirmed.")]
    UserNotConfirmed,
    /// The user is disabled.
    #[error("User is disabled.")]
    UserDisabled,
    /// An administrator asked for a reset before the next sign-in.
    #[error("Password reset required for the user")]
    PasswordResetRequired,
    /// The temporary password was not used in time.
    #[error("Temporary password has expired and must be reset by an administrator.")]
    TemporaryPasswordExpired,
    /// The present password is temporary, and the API that was called has no words to ask for another.
    #[error("A new password must be chosen first.")]
    NewPasswordRequired,
    /// The user owes a second factor, and the API that was called has no words to ask for it.
    #[error("A second factor is required, which this API can not ask for.")]
    FactorRequired,
    /// The new password breaks the pool's policy; the text names the first broken rule.
    #[error("Password does not conform to policy: {0}")]
    InvalidPassword(Cow<'static, str>),
    /// The new password is one of the last that the user had.
    #[error("Password has previously been used")]
    PasswordUsed,
    /// No reset is possible: the user has no verified address.
    #[error("Cannot reset password for the user as there is no registered/verified email or phone_number")]
    NoVerifiedAddress,
    /// The user's standing does not allow a reset.
    #[error("User password cannot be reset in the current state.")]
    ResetNotAllowed,
    /// The code is wrong, or nobody asked for one.
    #[error("Invalid verification code provided, please try again.")]
    CodeMismatch,
    /// The code was right, and has been used before.
    #[error("Your software token has already been used once.")]
    CodeUsed,
    /// The code has expired.
    #[error("Invalid code provided, please request a code again.")]
    CodeExpired,
    /// The challenge is unknown, of another step, or overtaken by what happened since.
    #[error("Invalid session for the user.")]
    ChallengeInvalid,
    /// The challenge is ours, and out of time.
    #[error("Invalid session for the user, session is expired.")]
    ChallengeExpired,
    /// The challenge is ours, and was answered.
    #[error("Invalid session for the user, session can only be used once.")]
    ChallengeUsed,
    /// A mailed link is unknown, used, out of time, or overtaken by what happened since.
    #[error("The link is invalid or has expired.")]
    LinkInvalid,
    /// The invitation is for another address.
    #[error("The invitation is for another address.")]
    InvitationForAnother,
    /// The user belongs to the organization already.
    #[error("The user is a member already.")]
    AlreadyMember,
    /// Not a token of ours for this purpose.
    #[error("The token is invalid.")]
    TokenInvalid,
    /// The token's time has passed.
    #[error("The token has expired.")]
    TokenExpired,
    /// The token's session was ended.
    #[error("The token has been revoked.")]
    TokenRevoked,
    /// A rotated-out refresh token came back: its session is ended.
    #[error("The refresh token was used again; its session is ended.")]
    TokenReused,
    /// The caller is known but may not do this.
    #[error("Access denied.")]
    AccessDenied,
    /// A thing does not exist.
    #[error("{0} does not exist.")]
    NotFound(Kind),
    /// A thing exists already.
    #[error("{0} already exists.")]
    Exists(Kind),
    /// The pool's own rules.
    #[error(transparent)]
    Rule(#[from] Rule),
    /// The hook of a trigger stands in the way.
    #[error(transparent)]
    Hook(#[from] HookFault),
    /// Something that this deployment is not set up for.
    #[error("{0} is not configured")]
    NotConfigured(&'static str),
    /// A refresh token has yielded as many tokens as its client allows.
    #[error("Refresh tokens limit has been exceeded.")]
    LimitExceeded,
    /// Too many attempts.
    #[error("Attempt limit exceeded, please try after some time.")]
    TooManyRequests {
        /// When the next attempt is worth making.
        retry_after: Duration,
    },
    /// Somebody changed the same thing at the same time.
    #[error("The resource was changed at the same time; read it again and retry.")]
    Conflict,
    /// A dependency is down or slow, or there is no room; the same call may succeed later.
    #[error("Service is temporarily unavailable, please try again.")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// What failed.
        cause: Cause,
    },
    /// A fault of ours.
    #[error("Internal error, please try again later.")]
    Internal(Cause),
}

impl Error {
    /// A fault of ours with its cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// A dependency that did not answer.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable { retry_after: SOON, cause: cause.into() }
    }

    /// When the same call is worth making again; none where only another call helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after } | Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::Conflict | Self::Hook(HookFault::Unreachable(..)) => Some(SOON),
            Self::LimitExceeded => Some(LIMIT_PAUSE),
            Self::InvalidParameter { .. }
            | Self::NotAuthorized
            | Self::UserNotFound
            | Self::UserExists
            | Self::UserNotConfirmed
            | Self::UserDisabled
            | Self::PasswordResetRequired
            | Self::TemporaryPasswordExpired
            | Self::NewPasswordRequired
            | Self::FactorRequired
            | Self::InvalidPassword(_)
            | Self::PasswordUsed
            | Self::NoVerifiedAddress
            | Self::ResetNotAllowed
            | Self::CodeMismatch
            | Self::CodeUsed
            | Self::CodeExpired
            | Self::ChallengeInvalid
            | Self::ChallengeExpired
            | Self::ChallengeUsed
            | Self::LinkInvalid
            | Self::InvitationForAnother
            | Self::AlreadyMember
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::TokenRevoked
            | Self::TokenReused
            | Self::AccessDenied
            | Self::NotFound(_)
            | Self::Exists(_)
            | Self::Rule(_)
            | Self::Hook(HookFault::Refused(..) | HookFault::Malformed(..))
            | Self::NotConfigured(_)
            | Self::Internal(_) => None,
        }
    }

    /// Its name in metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::InvalidParameter { .. } => "invalid_parameter",
            Self::NotAuthorized => "not_authorized",
            Self::UserNotFound => "user_not_found",
            Self::UserExists => "user_exists",
            Self::UserNotConfirmed => "user_not_confirmed",
            Self::UserDisabled => "user_disabled",
            Self::PasswordResetRequired => "password_reset_required",
            Self::TemporaryPasswordExpired => "temporary_password_expired",
            Self::NewPasswordRequired => "new_password_required",
            Self::FactorRequired => "factor_required",
            Self::InvalidPassword(_) => "invalid_password",
            Self::PasswordUsed => "password_used",
            Self::NoVerifiedAddress => "no_verified_address",
            Self::ResetNotAllowed => "reset_not_allowed",
            Self::CodeMismatch => "code_mismatch",
            Self::CodeUsed => "code_used",
            Self::CodeExpired => "code_expired",
            Self::ChallengeInvalid => "challenge_invalid",
            Self::ChallengeExpired => "challenge_expired",
            Self::ChallengeUsed => "challenge_used",
            Self::LinkInvalid => "link_invalid",
            Self::InvitationForAnother => "invitation_for_another",
            Self::AlreadyMember => "already_member",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::TokenReused => "token_reused",
            Self::AccessDenied => "access_denied",
            Self::NotFound(_) => "not_found",
            Self::Exists(_) => "exists",
            Self::Rule(_) => "rule",
            Self::Hook(fault) => fault.label(),
            Self::NotConfigured(_) => "not_configured",
            Self::LimitExceeded => "limit_exceeded",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Conflict => "conflict",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether nothing was decided, so that what a call used up on its way must be good again.
    pub const fn is_undecided(&self) -> bool {
        let by_hook = matches!(self, Self::Hook(HookFault::Unreachable(..) | HookFault::Malformed(..)));
        by_hook || matches!(self, Self::Unavailable { .. } | Self::Conflict)
    }

    /// What of it is for the log alone.
    pub fn cause(&self) -> Option<String> {
        let by_hook = matches!(self, Self::Hook(HookFault::Unreachable(..) | HookFault::Malformed(..)));
        (by_hook || matches!(self, Self::Unavailable { .. } | Self::Internal(_))).then(|| chain(self))
    }

    /// A field that is not as it must be.
    pub fn invalid(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidParameter { field: field.into(), reason: reason.into() }
    }
}

/// The cause behind a refusal, for the log; the refusal's own words where there is none.
pub fn chain(error: &Error) -> String {
    let (mut text, mut next) = if let Error::Unavailable { cause, .. } | Error::Internal(cause) = error {
        (cause.to_string(), cause.source())
    } else {
        (error.to_string(), error.source())
    };
    while let Some(deeper) = next {
        text = format!("{text}: {deeper}");
        next = deeper.source();
    }
    text
}
