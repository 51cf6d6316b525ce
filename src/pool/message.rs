//! What users are written: in the pool's own words where it has some, else as the operator's templates have it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Pool;
use crate::error::Error;
use crate::outbound::mail::{Mail, OwnText};
use crate::store::directory::User;

/// Where a pool's own words have the code or the temporary password.
pub const CODE: &str = "{####}";
/// Where they have the user's name.
pub const USERNAME: &str = "{username}";

/// A pool's own words, by what they tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Messages {
    /// A code that proves a contact or resets a password.
    pub verification: Words,
    /// The same by a link that the server makes. Kept and answered: only codes are sent.
    pub verification_link: Words,
    /// A temporary password.
    pub invitation: Words,
    /// A code that signs in.
    pub authentication: Words,
}

/// One message in the pool's words; what is absent is not the pool's to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Words {
    /// Subject of the mail.
    pub subject: Option<String>,
    /// The mail, in HTML.
    pub email: Option<String>,
    /// The text message.
    pub sms: Option<String>,
}

/// On what occasion somebody is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    /// He registered.
    SignUp,
    /// He asked for the code again.
    ResendCode,
    /// He, or an administrator, resets his password.
    ForgotPassword,
    /// He changed his contact.
    UpdateUserAttribute,
    /// He proves his contact.
    VerifyUserAttribute,
    /// He was invited.
    AdminCreateUser,
}

/// A secret on its way to a user.
pub(super) struct Secret<'a> {
    /// Why it is sent.
    pub(super) kind: MessageKind,
    /// The code or the temporary password.
    pub(super) text: &'a str,
    /// How long it works.
    pub(super) life: Duration,
}

impl Messages {
    const fn on(&self, kind: MessageKind) -> &Words {
        match kind {
            MessageKind::SignUp
            | MessageKind::ResendCode
            | MessageKind::ForgotPassword
            | MessageKind::UpdateUserAttribute
            | MessageKind::VerifyUserAttribute => &self.verification,
            MessageKind::AdminCreateUser => &self.invitation,
        }
    }
}

impl Pool {
    /// The mail that tells a user a secret.
    pub(super) fn secret_mail(&self, to: &str, user: &User, secret: &Secret<'_>) -> Result<Mail, Error> {
        let Secret { kind, text, life } = *secret;
        let (templates, name) = (&self.ports.templates, self.shown_name(user));
        let usual = match kind {
            MessageKind::ForgotPassword => templates.reset_code(to, name, text, life),
            MessageKind::AdminCreateUser => templates.temporary_password(to, name, text, life),
            MessageKind::SignUp
            | MessageKind::ResendCode
            | MessageKind::UpdateUserAttribute
            | MessageKind::VerifyUserAttribute => templates.verify_code(to, name, text, life),
        }?;
        let Words { subject, email, .. } = self.settings.messages.on(kind);
        let own = OwnText { subject: subject.as_deref(), message: email.as_deref() };
        Ok(usual.in_words(own, &[(CODE, text), (USERNAME, name)]))
    }
}
