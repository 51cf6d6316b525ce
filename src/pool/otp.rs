//! One-time codes in a sign-in: sent to a contact that the user has proven, as his second factor or as the first; and
//! to an address that is to become a second factor.

use std::net::IpAddr;

use uuid::Uuid;

use super::auth::{Proven, Step};
use super::challenge::{Asked, Carried, Pending};
use super::delivery::Delivery;
use super::destination::{Admitted, Destination};
use super::factor::{Factor, Factors, Preference};
use super::limit::Asker;
use super::message::{MessageKind, Secret, Via};
use super::name::EmailAddress;
use super::settings::{Contact, FirstProof};
use super::{Digits, Pool, Terms};
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Answer, Challenge, ChallengeKey, Purpose};

/// A step of a sign-in that a code is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CodeStep {
    name: &'static str,
    purpose: Purpose,
    pub(super) contact: Contact,
    digits: Digits,
}

impl CodeStep {
    /// The second factor by mail.
    pub(super) const EMAIL_MFA: Self =
        Self { name: "EMAIL_OTP", purpose: Purpose::EmailMfa, contact: Contact::Email, digits: Digits::Six };
    /// The second factor by text message.
    pub(super) const SMS_MFA: Self =
        Self { name: "SMS_MFA", purpose: Purpose::SmsMfa, contact: Contact::PhoneNumber, digits: Digits::Six };
    /// An address that is to be the second factor.
    const EMAIL_SETUP: Self = Self { purpose: Purpose::EmailSetup, ..Self::EMAIL_MFA };
    /// The first factor by mail.
    pub(super) const EMAIL_OTP: Self = Self { purpose: Purpose::EmailOtp, digits: Digits::Eight, ..Self::EMAIL_MFA };
    /// The first factor by text message.
    pub(super) const SMS_OTP: Self =
        Self { name: "SMS_OTP", purpose: Purpose::SmsOtp, digits: Digits::Eight, ..Self::SMS_MFA };

    const ALL: [Self; 5] = [Self::EMAIL_MFA, Self::SMS_MFA, Self::EMAIL_SETUP, Self::EMAIL_OTP, Self::SMS_OTP];

    /// What a sign-in begins with by it; none for second factors.
    fn first(self) -> Option<FirstProof> {
        match self {
            Self::EMAIL_OTP => Some(FirstProof::EmailOtp),
            Self::SMS_OTP => Some(FirstProof::SmsOtp),
            _ => None,
        }
    }
}

/// The answer to a challenge that a code was sent for.
#[derive(Clone, Copy)]
pub struct CodeAnswer<'a> {
    /// Cognito's name of the challenge: `EMAIL_OTP`, `SMS_MFA` or `SMS_OTP`.
    pub challenge: &'a str,
    /// Whom the client takes the user for.
    pub username: &'a str,
    /// The handle.
    pub session: &'a str,
    /// The code.
    pub code: &'a str,
}

impl Pool {
    /// Where a code reaches a user: only at what he has proven.
    pub(super) fn reach<'u>(&self, user: &'u User, contact: Contact) -> Option<&'u str> {
        match contact {
            Contact::Email => user.verified_email(),
            Contact::PhoneNumber => user.phone.as_deref().filter(|_| user.phone_verified && self.ports.texts),
        }
    }

    /// Sends a user the code of a second factor and asks for it.
    pub(super) async fn ask_code_of(&self, step: CodeStep, terms: Terms<'_>, user: &User) -> Result<Asked, Error> {
        let to = self.address_for(step, user).and_then(|_| Destination::of(user, step.contact));
        let to = to.ok_or(Error::ChallengeInvalid)?;
        self.count_factor_codes(user.sub).await?;
        let to = self.admit(to, Asker::SecondFactor).await?;
        self.ask_code(step, terms, user.sub, Some((user, &to)), Delivery::to(&to.shown)).await
    }

    /// Sends a code and asks for it; without a user everything happens but the sending.
    pub(super) async fn ask_code(
        &self,
        step: CodeStep,
        terms: Terms<'_>,
        account: Uuid,
        to: Option<(&User, &Admitted)>,
        seen: Delivery,
    ) -> Result<Asked, Error> {
        let code = self.ports.random.text(b"0123456789", step.digits as usize)?;
        let life = terms.client.auth_session_life();
        let challenge = Challenge {
            client: terms.client.id.clone(),
            user: account,
            user_version: 0,
            expires_at: self.now().plus(life),
            // An answer is counted when it is read, and when it is compared.
            attempts_left: self.ports.limits.code_attempts.saturating_mul(2),
            answer: Some(self.step_tag(step, account, to.map(|(_, to)| to.shown.as_str()), &code)),
            payload: to.map(|(user, to)| self.carried_by(step, terms, user, &to.shown)).transpose()?.flatten(),
        };
        let secret = Secret { kind: MessageKind::Authentication, text: &code, life };
        let via = Via { client: Some(&terms.client.id), metadata: terms.metadata };
        let mail = match to {
            Some((user, to)) => Some(self.secret_message(to, user, &secret, via).await?),
            None => None,
        };
        let session = self.put_anew(step.purpose, &challenge).await?;
        self.outbox.enqueue(mail.as_ref(), challenge.expires_at).await?;
        let about_user = (step == CodeStep::SMS_MFA).then_some(()).and(to);
        let medium = if seen.contact == Contact::Email { "EMAIL" } else { "SMS" };
        let mut parameters =
            vec![("CODE_DELIVERY_DELIVERY_MEDIUM", medium.to_owned()), ("CODE_DELIVERY_DESTINATION", seen.destination)];
        parameters.extend(about_user.map(|(user, _)| ("USER_ID_FOR_SRP", user.username.clone())));
        Ok(Asked { name: step.name, session, parameters })
    }

    /// What the challenge of a code carries on: also the address that is to be proven, which the user gets no sooner.
    fn carried_by(
        &self,
        step: CodeStep,
        terms: Terms<'_>,
        user: &User,
        address: &str,
    ) -> Result<Option<String>, Error> {
        let payload = self.challenge_of(step.purpose, terms, user, false).payload;
        if step != CodeStep::EMAIL_SETUP {
            return Ok(payload);
        }
        let sealed = self.seal_about(&self.code_key(step.purpose, user.sub), &address)?;
        Ok(Carried { address: Some(&sealed), ..Carried::read(payload.as_deref().unwrap_or_default()) }.write())
    }

    /// The address that a challenge is to make the user's; none where it does not.
    fn address_to_adopt(&self, step: CodeStep, pending: &Pending) -> Result<Option<Destination>, Error> {
        if step != CodeStep::EMAIL_SETUP {
            return Ok(None);
        }
        let sealed = pending.challenge.payload.as_deref().and_then(|payload| Carried::read(payload).address);
        let address: Option<String> = self.open_about(&self.code_key(step.purpose, pending.user.sub), sealed);
        Destination::parse(Contact::Email, &address.ok_or(Error::ChallengeInvalid)?).map(Some)
    }

    /// Answers a challenge that a code was sent for. A wrong code leaves it alive and counts, like a password's at the
    /// user where it is the first factor, and like any other second factor's where it is one.
    ///
    /// Errors: `ChallengeInvalid` and its like, `CodeMismatch`, `TooManyRequests`, the standings, `Unavailable`.
    pub async fn respond_code(&self, terms: Terms<'_>, answer: CodeAnswer<'_>, source: IpAddr) -> Result<Step, Error> {
        let steps = CodeStep::ALL.into_iter().filter(|step| step.name == answer.challenge);
        let made_for = |step: &CodeStep| self.purpose_of(answer.session, &[step.purpose]).is_ok();
        let step = steps.into_iter().find(made_for).ok_or(Error::ChallengeInvalid)?;
        match step.first() {
            Some(_) => self.respond_first(step, terms, answer, source).await,
            None => self.respond_second(step, terms, answer, source).await,
        }
    }

    async fn respond_second(
        &self,
        step: CodeStep,
        terms: Terms<'_>,
        answer: CodeAnswer<'_>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let CodeAnswer { username, session, code, .. } = answer;
        let pending = self.pending(step.purpose, session, Some((terms.client, username))).await?;
        let user = &pending.user;
        if step == CodeStep::EMAIL_SETUP && !self.may_set_up(user, Factor::Email)? {
            return Err(Error::ChallengeInvalid);
        }
        let adopted = self.address_to_adopt(step, &pending)?;
        let address = adopted.as_ref().map_or_else(|| self.address_for(step, user), |new| Some(&new.shown));
        let proof = self.judge_step(step, &pending.key, user.sub, address, code);
        let challenge = self.attempt(self.factor_account(user.sub), source, proof).await?;
        self.forgive_factor_codes(user.sub).await?;
        self.forgive_texts(step, user, Asker::SecondFactor).await?;
        let done = async {
            let user = match &adopted {
                Some(address) => &self.adopt_email(user, address).await?,
                None => user,
            };
            self.last_step(pending.terms(terms), user).await
        };
        self.or_put_back(&pending.key, &challenge, done.await).await
    }

    async fn respond_first(
        &self,
        step: CodeStep,
        terms: Terms<'_>,
        answer: CodeAnswer<'_>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let CodeAnswer { username, session, code, .. } = answer;
        let (key, kept) = self.kept(step.purpose, session, Some(terms.client)).await?;
        let user = self.owner_of(&kept, username).await?.user;
        let user = user.filter(|user| kept.payload.is_some() && self.stands(&kept, user));
        let address = user.as_ref().and_then(|user| self.address_for(step, user));
        let proof = self.judge_step(step, &key, kept.user, address, code);
        let challenge = self.attempt(kept.user, source, proof).await?;
        let user = user.ok_or(Error::CodeMismatch)?;
        self.forgive_mails_of(kept.user).await?;
        self.forgive_texts(step, &user, Asker::Anybody).await?;
        self.forgive_source(source).await?;
        let pending = Pending { key, challenge: kept, user: user.clone() };
        let done = self.next_step(pending.terms(terms), &Proven(user)).await;
        self.or_put_back(&pending.key, &challenge, done).await
    }

    async fn forgive_texts(&self, step: CodeStep, user: &User, asker: Asker) -> Result<(), Error> {
        match user.phone.as_deref().filter(|_| step.contact == Contact::PhoneNumber) {
            Some(number) => self.forgive_texts_to(number, asker).await,
            None => Ok(()),
        }
    }

    /// Counts, compares and consumes. What was kept for nobody is right for nobody.
    async fn judge_step(
        &self,
        step: CodeStep,
        key: &ChallengeKey,
        account: Uuid,
        address: Option<&str>,
        code: &str,
    ) -> Result<Challenge, Error> {
        let tag = self.step_tag(step, account, address, code);
        match self.ports.tokens.answer_challenge(key, &tag, self.now()).await? {
            Answer::Right(challenge) if address.is_some() => Ok(challenge),
            Answer::Right(_) | Answer::Wrong => Err(Error::CodeMismatch),
            Answer::Unknown => Err(Error::ChallengeUsed),
        }
    }

    /// Where the code of a step goes, if the user may take that step as he is now.
    pub(super) fn address_for<'u>(&self, step: CodeStep, user: &'u User) -> Option<&'u str> {
        let address = self.reach(user, step.contact);
        address.filter(|_| step.first().is_none_or(|first| self.may_begin_with(user, first)))
    }

    /// Covers what the code is for (P07) and where it went: it dies once that is the user's no more.
    fn step_tag(&self, step: CodeStep, account: Uuid, address: Option<&str>, code: &str) -> [u8; 32] {
        let (purpose, address) = (step.purpose.as_str().as_bytes(), address.unwrap_or_default().as_bytes());
        self.secrets.code.tag(&[purpose, account.as_bytes(), address, code.as_bytes()])
    }

    /// Asks a user who owes a factor for the code that goes to the address that is to be one; it becomes his with the
    /// code. One that he has already is not changed by who may not be he.
    pub(super) async fn set_email_up(&self, terms: Terms<'_>, pending: Pending, email: &str) -> Result<Asked, Error> {
        let user = &pending.user;
        if !self.may_set_up(user, Factor::Email)? {
            return Err(Rule::Form("The user pool has no second factor by email.").into());
        }
        let address = Destination::from(address_of(user, email)?);
        if !self.is_free(user, &address).await? {
            return Err(Rule::AliasTaken("email").into());
        }
        self.count_factor_codes(user.sub).await?;
        let to = self.admit_typed(address).await?;
        let (step, seen) = (CodeStep::EMAIL_SETUP, Delivery::to(&to.shown));
        let asked = self.ask_code(step, pending.terms(terms), user.sub, Some((user, &to)), seen).await?;
        self.consume(&pending).await?;
        Ok(asked)
    }

    async fn adopt_email(&self, user: &User, address: &Destination) -> Result<User, Error> {
        let adopt = |now: &mut User| {
            let other = now.email_key.as_ref().is_some_and(|key| *key != address.key);
            if other || self.proof_state(now) != self.proof_state(user) || !self.may_set_up(now, Factor::Email)? {
                return Err(Error::ChallengeInvalid);
            }
            address.become_proven(now);
            let mut factors = Factors::read(now)?;
            factors.prefer(Factor::Email, Preference { enabled: true, preferred: false });
            factors.write(now)
        };
        let adopted = self.change_user(user.sub, adopt).await;
        adopted
            .map_err(|error| if matches!(error, Error::UserExists) { Rule::AliasTaken("email").into() } else { error })
    }
}

/// The address that a user names, which must be his if he has one: then as he has it.
fn address_of(user: &User, email: &str) -> Result<EmailAddress, Error> {
    let named = EmailAddress::parse(email).map_err(|_| Rule::Form("Invalid email address format."))?;
    match (&user.email, &user.email_key) {
        (Some(own), Some(key)) if *key == named.key => Ok(EmailAddress { shown: own.clone(), key: named.key }),
        (_, Some(_)) => Err(Rule::Form("The user has another email address.").into()),
        (_, None) => Ok(named),
    }
}
