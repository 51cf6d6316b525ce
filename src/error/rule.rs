//! What the rules of a user pool say no to.

/// What the rules of a user pool say no to, where only the Cognito API asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// An attribute that whoever asks may not write.
    #[error("A client attempted to write unauthorized attribute")]
    ForbiddenAttribute,
    /// An attribute that can not be changed once the user is there.
    #[error("user.{0}: Attribute cannot be updated.\n")]
    ImmutableAttribute(String),
    /// Attributes that the pool's schema does not allow, a line each.
    #[error("Attributes did not conform to the schema: {0}")]
    Schema(String),
    /// Attributes to be taken away that there are not, a line each.
    #[error("Invalid user attributes: {0}")]
    UnknownAttributes(String),
    /// A name or a value of the wrong form; never the value itself.
    #[error("{0}")]
    Form(&'static str),
    /// Nobody may register himself.
    #[error("SignUp is not permitted for this user pool")]
    NoSignUp,
    /// An account that is past its confirmation, or can have none.
    #[error("User cannot be confirmed. Current status is {0}")]
    NotToConfirm(&'static str),
    /// A code is asked for that confirms what is confirmed.
    #[error("User is already confirmed.")]
    AlreadyConfirmed,
    /// Another user has this alias.
    #[error("An account with the {0} already exists.")]
    AliasTaken(&'static str),
    /// An invitation is to be repeated that was accepted.
    #[error("Resend not possible. {0} status is not FORCE_CHANGE_PASSWORD.")]
    NotToInvite(String),
    /// There is no way to reach the user.
    #[error("{0}")]
    Undeliverable(&'static str),
    /// Something else has to be so first.
    #[error("{0}")]
    NotYet(&'static str),
    /// Users are being imported by the rules as they are.
    #[error("The user pool can not be changed while one of its import jobs runs.")]
    ImportRuns,
    /// There are as many as there may be.
    #[error("{0}")]
    Full(&'static str),
    /// Only an administrator resets passwords.
    #[error("Contact administrator to reset password.")]
    ResetByAdministrator,
    /// The pool has no challenges of its own.
    #[error("Custom auth lambda trigger is not configured for the user pool.")]
    NoCustomAuth,
    /// OAuth flows of a client that do not go together.
    #[error("{0}")]
    OAuthFlows(&'static str),
    /// A client is to have a scope that there is not.
    #[error("Invalid scope requested: {0}")]
    NoScope(String),
    /// A client asks for a scope that it can not have.
    #[error("{0}")]
    ScopeNotGranted(String),
    /// A client asks for tokens in a way that it may not.
    #[error("Auth flow not enabled for this client")]
    FlowNotEnabled,
    /// A client has as many secrets as it may.
    #[error("An app client can have at most 2 secrets.")]
    TooManySecrets,
}
