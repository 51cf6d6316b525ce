//! What comes of a trigger whose hook gives no answer.

use super::Cause;

/// What a hook came to instead of an answer; each names its trigger.
#[derive(Debug, thiserror::Error)]
pub enum HookFault {
    /// It says no, in its own words.
    #[error("{0} failed with error {1}.")]
    Refused(&'static str, String),
    /// Nobody answered.
    #[error("{0} could not be called.")]
    Unreachable(&'static str, #[source] Cause),
    /// It answered something else than its trigger's response.
    #[error("Unrecognizable lambda output")]
    Malformed(&'static str, #[source] Cause),
}

impl HookFault {
    /// Its name in metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Refused(..) => "hook_refused",
            Self::Unreachable(..) => "hook_unreachable",
            Self::Malformed(..) => "hook_malformed",
        }
    }
}
