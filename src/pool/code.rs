//! Codes that are sent: made, kept, compared. What each is good for is in the file of its noun.

use std::time::Duration;

use uuid::Uuid;

use super::Pool;
use super::destination::Admitted;
use super::message::{MessageKind, Secret, Via};
use super::settings::Contact;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::directory::User;
use crate::store::tokens::{Answer, Challenge, ChallengeKey, Purpose};

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a code is. Eight digits are 26 bits; with five attempts a code, a guess succeeds once in twenty million
/// (S21). Cognito's clients ask for six.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// Cognito's.
    Six = 6,
    /// Ours.
    Eight = 8,
}

/// What a code is good for.
#[derive(Clone, Copy)]
pub(super) struct CodeFor {
    pub(super) purpose: Purpose,
    pub(super) digits: Digits,
    pub(super) life: Duration,
    pub(super) kind: MessageKind,
}

impl CodeFor {
    /// The confirmation of a registration.
    pub(super) const SIGN_UP: Self =
        Self { purpose: Purpose::SignUpCode, digits: Digits::Six, life: DAY, kind: MessageKind::SignUp };
    /// The same, asked for again.
    pub(super) const SIGN_UP_AGAIN: Self = Self { kind: MessageKind::ResendCode, ..Self::SIGN_UP };

    /// The proof of a user's contact.
    pub(super) const fn proof_of(contact: Contact) -> Self {
        let purpose = match contact {
            Contact::Email => Purpose::AddressCode,
            Contact::PhoneNumber => Purpose::NumberCode,
        };
        Self { purpose, kind: MessageKind::VerifyUserAttribute, ..Self::SIGN_UP }
    }

    /// The proof of a contact that he just gave himself.
    pub(super) const fn proof_of_new(contact: Contact) -> Self {
        Self { kind: MessageKind::UpdateUserAttribute, ..Self::proof_of(contact) }
    }

    /// A code on its way.
    pub(super) const fn secret(self, text: &str) -> Secret<'_> {
        Secret { kind: self.kind, text, life: self.life }
    }
}

/// A code to be kept.
pub(super) struct NewCode<'a> {
    /// Whose.
    pub(super) account: Uuid,
    /// The user's as it is now.
    pub(super) version: i64,
    /// The contact that it dies with, as it is compared.
    pub(super) bound_to: &'a str,
    /// The code.
    pub(super) text: &'a str,
    /// What it proves besides.
    pub(super) payload: Option<String>,
}

impl Pool {
    /// Keeps a new code for `account` in place of the one before and sends it to a user's contact; without a user
    /// everything happens but the sending.
    pub(super) async fn send_code(
        &self,
        about: CodeFor,
        via: Via<'_>,
        account: Uuid,
        to: Option<(&User, &Admitted)>,
    ) -> Result<(), Error> {
        let code = self.new_code(about)?;
        let message = match to {
            Some((user, to)) => Some(self.secret_message(to, user, &about.secret(&code), via).await?),
            None => None,
        };
        let (version, bound_to) = to.map_or((0, ""), |(user, to)| (user.version, to.key.as_str()));
        let new = NewCode { account, version, bound_to, text: &code, payload: None };
        let expires_at = self.put_code(about, via, new).await?;
        self.outbox.enqueue(message.as_ref(), expires_at).await
    }

    pub(super) fn new_code(&self, about: CodeFor) -> Result<String, Error> {
        self.ports.random.text(b"0123456789", about.digits as usize)
    }

    /// Keeps a code in place of the one before; answers until when it is good.
    pub(super) async fn put_code(&self, about: CodeFor, via: Via<'_>, new: NewCode<'_>) -> Result<Timestamp, Error> {
        let NewCode { account, version, bound_to, text, payload } = new;
        let expires_at = self.now().plus(about.life);
        let challenge = Challenge {
            client: via.client.unwrap_or_default().to_owned(),
            user: account,
            user_version: version,
            expires_at,
            attempts_left: self.ports.limits.code_attempts,
            answer: Some(self.code_tag(about.purpose, account, bound_to, text)),
            payload,
        };
        self.ports.tokens.put_challenge(&self.code_key(about.purpose, account), &challenge).await?;
        Ok(expires_at)
    }

    /// Counts and compares the answer to a code, which is used up if it is right. `bound_to` is the contact that it must
    /// have gone to, as it is compared.
    pub(super) async fn answer_code(
        &self,
        purpose: Purpose,
        account: Uuid,
        bound_to: &str,
        code: &str,
    ) -> Result<Answer, Error> {
        let (key, tag) = (self.code_key(purpose, account), self.code_tag(purpose, account, bound_to, code));
        self.ports.tokens.answer_challenge(&key, &tag, self.now()).await
    }

    pub(super) fn code_key(&self, purpose: Purpose, account: Uuid) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose, subject: account.to_string() }
    }

    /// Covers what the code is for (P07), and the contact that it went to: it dies once that is the user's no more. An
    /// address is never taken for a number.
    fn code_tag(&self, purpose: Purpose, account: Uuid, bound_to: &str, code: &str) -> [u8; 32] {
        let purpose = purpose.as_str();
        self.secrets.code.tag(&[purpose.as_bytes(), account.as_bytes(), bound_to.as_bytes(), code.as_bytes()])
    }
}
