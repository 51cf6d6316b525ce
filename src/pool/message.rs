//! What users are written: in the pool's own words where it has some, else as the operator's templates have it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::custom_trigger::nonsense;
use super::destination::Admitted;
use super::settings::Contact;
use super::trigger::{Occasion, Trigger};
use super::{Metadata, Pool};
use crate::error::Error;
use crate::outbound::mail::{Mail, OwnText};
use crate::store::directory::User;

/// Where a pool's own words have the code or the temporary password.
pub const CODE: &str = "{####}";
/// Where they have the user's name.
pub const USERNAME: &str = "{username}";

/// What Cognito's model allows a pool, and so its trigger.
const LONGEST_MESSAGE: usize = 20_000;
const LONGEST_SUBJECT: usize = 140;
const LONGEST_TEXT: usize = 140;

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
    /// He signs in.
    Authentication,
}

impl MessageKind {
    /// What its event is called.
    const fn source(self) -> &'static str {
        match self {
            Self::SignUp => "CustomMessage_SignUp",
            Self::ResendCode => "CustomMessage_ResendCode",
            Self::ForgotPassword => "CustomMessage_ForgotPassword",
            Self::UpdateUserAttribute => "CustomMessage_UpdateUserAttribute",
            Self::VerifyUserAttribute => "CustomMessage_VerifyUserAttribute",
            Self::AdminCreateUser => "CustomMessage_AdminCreateUser",
            Self::Authentication => "CustomMessage_Authentication",
        }
    }

    /// Whether these words tell all that they have to.
    fn is_told_by(self, words: &str) -> bool {
        words.contains(CODE) && (self != Self::AdminCreateUser || words.contains(USERNAME))
    }
}

/// Through what a message came about, for the trigger that words it.
#[derive(Clone, Copy, Default)]
pub(super) struct Via<'a> {
    /// The app client; none where an administrator calls.
    pub(super) client: Option<&'a str>,
    /// Cognito's ClientMetadata.
    pub(super) metadata: Option<&'a Metadata>,
}

/// What the CustomMessage trigger says.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Custom {
    email_message: Option<String>,
    email_subject: Option<String>,
    sms_message: Option<String>,
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
            MessageKind::Authentication => &self.authentication,
        }
    }
}

impl Pool {
    /// The mail or the text message that tells a user a secret. Errors: `Hook`, `Internal`.
    pub(super) async fn secret_message(
        &self,
        to: &Admitted,
        user: &User,
        secret: &Secret<'_>,
        via: Via<'_>,
    ) -> Result<Mail, Error> {
        match to.contact {
            Contact::Email => self.secret_mail(&to.shown, user, secret, via).await,
            Contact::PhoneNumber => self.secret_text(&to.shown, user, secret, via).await,
        }
    }

    async fn secret_mail(&self, to: &str, user: &User, secret: &Secret<'_>, via: Via<'_>) -> Result<Mail, Error> {
        let Secret { kind, text, life } = *secret;
        let (templates, name) = (&self.ports.templates, self.shown_name(user));
        let usual = match kind {
            MessageKind::ForgotPassword => templates.reset_code(to, name, text, life),
            MessageKind::AdminCreateUser => templates.temporary_password(to, name, text, life),
            MessageKind::Authentication => templates.sign_in_code(to, name, text, life),
            MessageKind::SignUp
            | MessageKind::ResendCode
            | MessageKind::UpdateUserAttribute
            | MessageKind::VerifyUserAttribute => templates.verify_code(to, name, text, life),
        }?;
        let Words { subject, email, .. } = self.settings.messages.on(kind);
        let custom = self.custom_message(user, kind, via).await?;
        let own = OwnText {
            subject: custom.email_subject.as_deref().or(subject.as_deref()),
            message: custom.email_message.as_deref().or(email.as_deref()),
        };
        Ok(usual.in_words(own, &[(CODE, text), (USERNAME, name)]))
    }

    async fn secret_text(&self, number: &str, user: &User, secret: &Secret<'_>, via: Via<'_>) -> Result<Mail, Error> {
        let Secret { kind, text, life } = *secret;
        let (templates, name) = (&self.ports.templates, self.shown_name(user));
        let usual = match kind {
            MessageKind::AdminCreateUser => templates.text_password(number, name, text, life),
            MessageKind::SignUp
            | MessageKind::ResendCode
            | MessageKind::ForgotPassword
            | MessageKind::UpdateUserAttribute
            | MessageKind::VerifyUserAttribute
            | MessageKind::Authentication => templates.text_code(number, text, life),
        }?;
        let custom = self.custom_message(user, kind, via).await?;
        let own = custom.sms_message.as_deref().or(self.settings.messages.on(kind).sms.as_deref());
        Ok(usual.in_plain_words(own, &[(CODE, text), (USERNAME, name)]))
    }

    /// The words of the pool's trigger, which never hears the secret itself.
    async fn custom_message(&self, user: &User, kind: MessageKind, via: Via<'_>) -> Result<Custom, Error> {
        let username = (kind == MessageKind::AdminCreateUser).then_some(USERNAME);
        let request = json!({
            "codeParameter": CODE, "linkParameter": null, "usernameParameter": username, "clientMetadata": via.metadata
        });
        let response = json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null });
        let occasion = Occasion {
            source: kind.source(),
            client: via.client,
            username: &user.username,
            user: Some(user),
            request,
            response,
        };
        let custom: Custom = self.trigger(Trigger::CustomMessage, occasion).await?.unwrap_or_default();
        let fits = |text: &Option<String>, longest| text.as_ref().is_none_or(|text| text.chars().count() <= longest);
        let told = |text: &Option<String>| text.as_deref().is_none_or(|words| kind.is_told_by(words));
        let mail = fits(&custom.email_message, LONGEST_MESSAGE) && fits(&custom.email_subject, LONGEST_SUBJECT);
        let told = told(&custom.email_message) && told(&custom.sms_message);
        if told && mail && fits(&custom.sms_message, LONGEST_TEXT) {
            return Ok(custom);
        }
        Err(nonsense(Trigger::CustomMessage, "its words do not tell what they have to, or are too long"))
    }
}
