//! Why a command did not succeed: one line for people, with what to do next.

use crate::error::{Error, Kind, chain};

/// Why a command ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// A line for standard error.
    Said(String),
    /// Whoever read the output has gone (`cognate users list | head`): nothing is wrong.
    ReaderGone,
}

impl From<String> for Failure {
    fn from(line: String) -> Self {
        Self::Said(line)
    }
}

impl From<&str> for Failure {
    fn from(line: &str) -> Self {
        Self::Said(line.to_owned())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let said = chain(&error);
        Self::Said(match advice(&error) {
            Some(advice) => format!("{} {advice}", sentence(&said)),
            None => said,
        })
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn advice(error: &Error) -> Option<&'static str> {
    if let Error::NotFound(kind) = error {
        return match kind {
            Kind::Pool => Some("`cognate pools list` shows those there are."),
            Kind::Client => Some("`cognate clients list` shows those there are."),
            Kind::Group => Some("`cognate groups list` shows those there are; `cognate groups create` makes one."),
            Kind::Organization => Some("`cognate organizations list` shows those there are."),
            Kind::AccessKey => Some("`cognate access-keys list` shows those there are."),
            Kind::ImportJob => Some("`cognate users jobs` shows those there are."),
            Kind::Key | Kind::Device | Kind::Path | Kind::ResourceServer | Kind::ClientSecret | Kind::Session => None,
        };
    }
    if matches!(error, Error::Unavailable { .. }) {
        return Some("Try again; `cognate check` tells which part does not answer.");
    }
    if matches!(error, Error::UserNotFound) {
        return Some("`cognate users list` shows those there are.");
    }
    matches!(error, Error::NoVerifiedAddress)
        .then_some("Give the user a new password with `cognate users set-password`.")
}
