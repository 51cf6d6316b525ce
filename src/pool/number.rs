//! The proof of a user's own number by a code that is sent to it.

use std::net::IpAddr;

use super::code::DAY;
use super::delivery::{Delivery, NO_SMS};
use super::message::{MessageKind, Secret, Via};
use super::{Caller, Metadata, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Answer, Challenge, Purpose};

const DIGITS: usize = 6;

impl Pool {
    /// Sends a code that proves the caller's number.
    ///
    /// Errors: `Rule` where no messages are sent or he has no number, `TooManyRequests`, `Hook`,
    /// `Unavailable`.
    pub(super) async fn send_number_code(
        &self,
        caller: &Caller,
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<Delivery, Error> {
        if !self.ports.texts {
            return Err(NO_SMS.into());
        }
        let user = &caller.user;
        let number = user.phone.as_deref().ok_or(Rule::Form("The user has no phone number."))?;
        self.count_mail(user.sub, source).await?;
        self.count_text_to(number).await?;
        let code = self.ports.random.text(b"0123456789", DIGITS)?;
        let secret = Secret { kind: MessageKind::VerifyUserAttribute, text: &code, life: DAY };
        let via = Via { client: Some(&caller.claims.client_id), metadata };
        let text = self.secret_text(number, user, &secret, via).await?;
        let challenge = Challenge {
            client: caller.claims.client_id.clone(),
            user: user.sub,
            user_version: user.version,
            expires_at: self.now().plus(DAY),
            attempts_left: self.ports.limits.code_attempts,
            answer: Some(self.number_tag(user, &code)),
            payload: None,
        };
        self.ports.tokens.put_challenge(&self.code_key(Purpose::NumberCode, user.sub), &challenge).await?;
        self.outbox.enqueue(Some(&text), challenge.expires_at).await?;
        Ok(Delivery::to(number))
    }

    /// Proves the caller's number by a code.
    ///
    /// Errors: `CodeMismatch`, `CodeExpired`, `Rule` when it is another user's alias, `TooManyRequests`, `Unavailable`.
    pub(super) async fn prove_number(&self, caller: &Caller, code: &str, source: IpAddr) -> Result<(), Error> {
        let user = &caller.user;
        self.count_source(source).await?;
        let key = self.code_key(Purpose::NumberCode, user.sub);
        let answer = self.ports.tokens.answer_challenge(&key, &self.number_tag(user, code), self.now()).await?;
        let challenge = match answer {
            Answer::Right(challenge) => challenge,
            Answer::Wrong => return Err(Error::CodeMismatch),
            Answer::Unknown => return Err(Error::CodeExpired),
        };
        let prove = |now: &mut User| {
            if now.phone != user.phone || now.phone.is_none() {
                return Err(Error::CodeExpired);
            }
            now.phone_verified = true;
            Ok(())
        };
        let proven = self.change_user(user.sub, prove).await;
        match self.or_put_back(&key, &challenge, proven).await {
            Err(Error::UserExists) => Err(Rule::AliasTaken("phone_number").into()),
            Err(error) => Err(error),
            Ok(_) => self.forgive_source(source).await,
        }
    }

    /// Covers what the code is for (P07) and the number that it went to.
    fn number_tag(&self, user: &User, code: &str) -> [u8; 32] {
        let (purpose, number) = (Purpose::NumberCode.as_str(), user.phone.as_deref().unwrap_or_default());
        self.secrets.code.tag(&[purpose.as_bytes(), user.sub.as_bytes(), number.as_bytes(), code.as_bytes()])
    }
}
