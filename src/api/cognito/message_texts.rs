//! The members of a user pool that are words of its messages: read, judged, and told again (contract cognito (h)).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::pool::message::{CODE, Messages, USERNAME, Words};

/// Members of CreateUserPool, UpdateUserPool and UserPoolType. The three older ones mean the template's.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct MessageTexts {
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verification_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verification_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_authentication_message: Option<String>,
    verification_message_template: VerificationMessageTemplate,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VerificationMessageTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_message_by_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_subject_by_link: Option<String>,
    default_email_option: EmailOption,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum EmailOption {
    #[default]
    ConfirmWithCode,
    ConfirmWithLink,
}

/// AdminCreateUserConfig.InviteMessageTemplate.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct InviteMessageTemplate {
    #[serde(rename = "SMSMessage", skip_serializing_if = "Option::is_none")]
    sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_subject: Option<String>,
}

impl MessageTexts {
    /// Refuses what is not built.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.verification_message_template.default_email_option == EmailOption::ConfirmWithLink {
            let member = "VerificationMessageTemplate.DefaultEmailOption CONFIRM_WITH_LINK";
            return Err(Fault::invalid(format!("{member} is not available on this server.")));
        }
        Ok(())
    }

    /// Writes them into a pool's; what the template does not say, the older members do.
    pub(super) fn apply(&self, messages: &mut Messages) {
        let template = self.verification_message_template.clone();
        messages.verification = Words {
            subject: template.email_subject.or_else(|| self.email_verification_subject.clone()),
            email: template.email_message.or_else(|| self.email_verification_message.clone()),
            sms: template.sms_message.or_else(|| self.sms_verification_message.clone()),
        };
        let (subject, email) = (template.email_subject_by_link, template.email_message_by_link);
        messages.verification_link = Words { subject, email, sms: None };
        messages.authentication.sms.clone_from(&self.sms_authentication_message);
    }

    /// A pool's.
    pub(super) fn of(messages: &Messages) -> Self {
        let Words { subject, email, sms } = messages.verification.clone();
        let link = messages.verification_link.clone();
        Self {
            sms_verification_message: sms.clone(),
            email_verification_message: email.clone(),
            email_verification_subject: subject.clone(),
            sms_authentication_message: messages.authentication.sms.clone(),
            verification_message_template: VerificationMessageTemplate {
                sms_message: sms,
                email_message: email,
                email_subject: subject,
                email_message_by_link: link.email,
                email_subject_by_link: link.subject,
                default_email_option: EmailOption::ConfirmWithCode,
            },
        }
    }
}

impl InviteMessageTemplate {
    /// An invitation without name or password would be of no use to whoever gets it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let whole = |text: &String| text.contains(CODE) && text.contains(USERNAME);
        if [&self.email_message, &self.sms_message].into_iter().flatten().all(whole) {
            return Ok(());
        }
        Err(Fault::invalid(format!("Invitation messages must contain {USERNAME} and {CODE}.")))
    }

    /// Writes it into a pool's messages.
    pub(super) fn apply(&self, messages: &mut Messages) {
        let Self { sms_message, email_message, email_subject } = self.clone();
        messages.invitation = Words { subject: email_subject, email: email_message, sms: sms_message };
    }

    /// A pool's, if it has one.
    pub(super) fn of(messages: &Messages) -> Option<Self> {
        let Words { subject, email, sms } = messages.invitation.clone();
        let any = subject.is_some() || email.is_some() || sms.is_some();
        any.then_some(Self { sms_message: sms, email_message: email, email_subject: subject })
    }
}
