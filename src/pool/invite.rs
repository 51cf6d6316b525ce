//! Telling a user his temporary password by mail or text message, so that no administrator has to see or pass it on.

use super::destination::{Admitted, Destination};
use super::limit::Asker;
use super::message::{MessageKind, Secret, Via};
use super::settings::Contact;
use super::{Metadata, Pool};
use crate::error::Error;
use crate::store::directory::User;

impl User {
    /// The address that secrets may go to: only one that is proven.
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}

impl Pool {
    /// Mails a temporary password that was just set to its user. The mail waits in the outbox until the service sends
    /// it, no longer than the password works.
    ///
    /// Errors: `NoVerifiedAddress`, `Hook`, `Unavailable`.
    pub async fn mail_temporary_password(&self, user: &User, password: &str) -> Result<(), Error> {
        user.verified_email().ok_or(Error::NoVerifiedAddress)?;
        let to = Destination::of(user, Contact::Email).ok_or(Error::NoVerifiedAddress)?;
        let to = self.admit(to, Asker::Administrator).await?;
        self.send_password(&to, user, password, None).await
    }

    /// The same to a contact that an administrator gave, proven or not: he vouches for it.
    pub(super) async fn send_password(
        &self,
        to: &Admitted,
        user: &User,
        password: &str,
        metadata: Option<&Metadata>,
    ) -> Result<(), Error> {
        let life = self.settings.temporary_password_life();
        let secret = Secret { kind: MessageKind::AdminCreateUser, text: password, life };
        let message = self.secret_message(to, user, &secret, Via { client: None, metadata }).await?;
        self.outbox.enqueue(Some(&message), self.now().plus(life)).await
    }
}
