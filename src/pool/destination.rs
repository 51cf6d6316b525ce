//! Where a message goes: a contact with its value, and whether one more message may go there.

use uuid::Uuid;

use super::Pool;
use super::delivery::NO_SMS;
use super::import::check_phone;
use super::limit::Asker;
use super::name::EmailAddress;
use super::settings::Contact;
use crate::error::Error;
use crate::store::directory::User;

/// An address or a number. Not `Debug`, so that it can not be logged.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) contact: Contact,
    /// As it was given; messages go here.
    pub(super) shown: String,
    /// As it is compared.
    pub(super) key: String,
}

impl From<EmailAddress> for Destination {
    fn from(address: EmailAddress) -> Self {
        Self { contact: Contact::Email, shown: address.shown, key: address.key }
    }
}

impl Destination {
    /// Errors: `InvalidParameter`.
    pub(super) fn parse(contact: Contact, text: &str) -> Result<Self, Error> {
        match contact {
            Contact::Email => EmailAddress::parse(text).map(Self::from),
            Contact::PhoneNumber => {
                check_phone(text)?;
                Ok(Self { contact, shown: text.to_owned(), key: text.to_owned() })
            }
        }
    }

    /// A user's, proven or not.
    pub(super) fn of(user: &User, contact: Contact) -> Option<Self> {
        let (shown, key) = match contact {
            Contact::Email => (user.email.clone()?, user.email_key.clone()?),
            Contact::PhoneNumber => (user.phone.clone()?, user.phone.clone()?),
        };
        Some(Self { contact, shown, key })
    }

    pub(super) fn is_of(&self, user: &User) -> bool {
        key_of(user, self.contact) == Some(&self.key)
    }

    /// Makes it the user's, proven.
    pub(super) fn become_proven(&self, user: &mut User) {
        match self.contact {
            Contact::Email => {
                (user.email, user.email_key) = (Some(self.shown.clone()), Some(self.key.clone()));
                user.email_verified = true;
            }
            Contact::PhoneNumber => {
                user.phone = Some(self.shown.clone());
                user.phone_verified = true;
            }
        }
    }
}

/// A user's contact, as it is compared.
pub(super) fn key_of(user: &User, contact: Contact) -> Option<&str> {
    match contact {
        Contact::Email => user.email_key.as_deref(),
        Contact::PhoneNumber => user.phone.as_deref(),
    }
}

/// A destination that one more message may go to. Nothing is worded for any other, so that every text message was
/// counted for its number.
pub(super) struct Admitted(Destination);

impl std::ops::Deref for Admitted {
    type Target = Destination;

    fn deref(&self) -> &Destination {
        &self.0
    }
}

impl Pool {
    /// Lets one more message go to `to`. Mails to a user are counted by whoever asks for them.
    ///
    /// Errors: `Rule` where no text messages are sent, `TooManyRequests`, `Unavailable`.
    pub(super) async fn admit(&self, to: Destination, asker: Asker) -> Result<Admitted, Error> {
        if to.contact == Contact::PhoneNumber {
            if !self.ports.texts {
                return Err(NO_SMS.into());
            }
            self.count_text_to(&to.key, asker).await?;
        }
        Ok(Admitted(to))
    }

    /// The same where somebody just typed it, so that mails to it are counted, too.
    pub(super) async fn admit_typed(&self, to: Destination) -> Result<Admitted, Error> {
        if to.contact == Contact::Email {
            self.count_mail_to(&to.key).await?;
        }
        self.admit(to, Asker::Anybody).await
    }

    /// The same for what anybody may ask for by a name. Where it is hidden who exists, a text message too many is not
    /// sent instead of refused, which would tell whose number it is; and for nobody one is counted all the same.
    pub(super) async fn admit_asked(
        &self,
        hidden: bool,
        (account, contact): (Uuid, Contact),
        to: Option<Destination>,
    ) -> Result<Option<Admitted>, Error> {
        let admitted = match to {
            Some(to) => self.admit(to, Asker::Anybody).await.map(Some),
            None if contact == Contact::PhoneNumber => {
                self.count_text_to(&account.to_string(), Asker::Anybody).await.map(|()| None)
            }
            None => Ok(None),
        };
        if hidden && matches!(admitted, Err(Error::TooManyRequests { .. })) { Ok(None) } else { admitted }
    }
}
