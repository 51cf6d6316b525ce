//! Second factors as they are asked and answered: the code of an authenticator application ([`super::totp`]), how one is
//! set up, and the choice among several. Codes that are sent are in [`super::otp`].

use std::net::IpAddr;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::auth::Step;
use super::challenge::Asked;
use super::factor::{Factor, Factors, OwedFactor, SoftwareToken};
use super::otp::CodeStep;
use super::settings::MfaMode;
use super::totp::{Code, TotpSecret};
use super::{Pool, Terms};
use crate::crypto;
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::Purpose;

impl Pool {
    /// Asks for a second factor.
    pub(super) async fn ask_factor(&self, terms: Terms<'_>, user: &User, owed: OwedFactor) -> Result<Asked, Error> {
        match owed {
            OwedFactor::One(Factor::SoftwareToken) => {
                let name = Factors::read(user)?.software_token.and_then(|own| own.name);
                let about = name.map(|name| ("FRIENDLY_DEVICE_NAME", name));
                self.ask_about(Purpose::SoftwareToken, Factor::SoftwareToken.name(), terms, user, about).await
            }
            OwedFactor::One(Factor::Email) => self.ask_code_of(CodeStep::EMAIL_MFA, terms, user).await,
            OwedFactor::One(Factor::Sms) => self.ask_code_of(CodeStep::SMS_MFA, terms, user).await,
            OwedFactor::Choice(factors) => {
                let about = Some(("MFAS_CAN_CHOOSE", names(&factors)?));
                self.ask_about(Purpose::SelectMfa, "SELECT_MFA_TYPE", terms, user, about).await
            }
            OwedFactor::Setup(factors) => {
                let about = Some(("MFAS_CAN_SETUP", names(&factors)?));
                self.ask_about(Purpose::MfaSetup, "MFA_SETUP", terms, user, about).await
            }
        }
    }

    async fn ask_about(
        &self,
        purpose: Purpose,
        name: &'static str,
        terms: Terms<'_>,
        user: &User,
        about: Option<(&'static str, String)>,
    ) -> Result<Asked, Error> {
        let session = self.put_challenge(purpose, terms, user).await?;
        let parameters = about.into_iter().chain([("USER_ID_FOR_SRP", user.username.clone())]).collect();
        Ok(Asked { name, session, parameters })
    }

    /// Answers SELECT_MFA_TYPE; what is chosen is asked.
    ///
    /// Errors: `ChallengeInvalid` and its like, `Rule` for what is no choice of his (the challenge stays),
    /// `TooManyRequests`, the standings, `Unavailable`.
    pub async fn respond_select_mfa(
        &self,
        terms: Terms<'_>,
        username: &str,
        session: &str,
        answer: &str,
    ) -> Result<Step, Error> {
        let pending = self.pending(Purpose::SelectMfa, session, Some((terms.client, username))).await?;
        let owed = self.owed_factor(&pending.user)?;
        let chosen = Factor::parse(answer).filter(|chosen| match &owed {
            Some(OwedFactor::Choice(factors)) => factors.contains(chosen),
            Some(OwedFactor::One(one)) => one == chosen,
            Some(OwedFactor::Setup(_)) | None => false,
        });
        let chosen = chosen.ok_or(Rule::Form("The answer is none of the factors that can be chosen."))?;
        let asked = self.ask_factor(pending.terms(terms), &pending.user, OwedFactor::One(chosen)).await?;
        self.consume(&pending).await?;
        Ok(Step::Challenge(asked))
    }

    /// Answers SOFTWARE_TOKEN_MFA. Wrong codes are counted for the user, whatever challenge they answer.
    ///
    /// Errors: `ChallengeInvalid`, `CodeMismatch` and `CodeUsed` (the challenge stays), `TooManyRequests`, the
    /// standings, `Unavailable`.
    pub async fn respond_software_token<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        session: &str,
        code: &str,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let pending = self.pending(Purpose::SoftwareToken, session, Some((terms.client, username))).await?;
        let sub = pending.user.sub;
        let user = self.attempt(self.factor_account(sub), source, self.prove_software_token(sub, code)).await?;
        if !self.stands(&pending.challenge, &user) {
            return Err(Error::ChallengeInvalid);
        }
        self.consume(&pending).await?;
        let step = self.last_step(pending.terms(terms), &user).await;
        self.or_put_back(&pending.key, &pending.challenge, step).await
    }

    /// The step of the code is kept with the user before anything comes of it, so that of two equal answers one wins.
    async fn prove_software_token(&self, sub: Uuid, code: &str) -> Result<User, Error> {
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            let own = factors.software_token.as_mut().ok_or(Error::ChallengeInvalid)?;
            own.last_step = self.judge_code(sub, &own.secret, code, Some(own.last_step))?;
            factors.write(user)
        })
        .await
    }

    /// The step of a code that is right.
    fn judge_code(&self, sub: Uuid, sealed: &str, code: &str, last: Option<i64>) -> Result<i64, Error> {
        let secret = crypto::decode(sealed).and_then(|sealed| self.secrets.mfa.open(sub.as_bytes(), &sealed));
        let secret = secret.map(Zeroizing::new).map(|bytes| TotpSecret::from_bytes(&bytes));
        let secret = secret.ok_or_else(|| Error::internal("the secret of a second factor is not what was sealed"))?;
        match secret.check(code, self.now(), last) {
            Code::Right { step } => Ok(step),
            Code::Used => Err(Error::CodeUsed),
            Code::Wrong => Err(Error::CodeMismatch),
        }
    }

    /// What wrong answers to a user's second factors are counted under.
    pub(super) fn factor_account(&self, sub: Uuid) -> Uuid {
        self.absent_user(&format!("mfa|{sub}"))
    }

    /// Tells a user a new secret for his application. It counts once he has shown a code; until then the one before
    /// does.
    ///
    /// Errors: `NotConfigured` where the pool has no such factor, `UserNotFound`, `Unavailable`.
    pub async fn associate_software_token(&self, sub: Uuid) -> Result<Zeroizing<String>, Error> {
        self.has_software_tokens()?;
        let secret = TotpSecret::new(&self.ports.random)?;
        let sealed = crypto::encode(self.secrets.mfa.seal(&self.ports.random, sub.as_bytes(), secret.as_bytes())?);
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            factors.told = Some(sealed.clone());
            factors.write(user)
        })
        .await?;
        Ok(secret.text())
    }

    fn has_software_tokens(&self) -> Result<(), Error> {
        let has = self.settings.mfa.mode != MfaMode::Off && self.settings.mfa.software_token;
        if has { Ok(()) } else { Err(Error::NotConfigured("Software Token MFA")) }
    }

    /// The same for one who owes MFA_SETUP; answers also the handle of the next step. Errors as of
    /// [`Pool::associate_software_token`], and `ChallengeInvalid`.
    pub async fn associate_for_challenge(&self, session: &str) -> Result<(Zeroizing<String>, String), Error> {
        let pending = self.pending(Purpose::MfaSetup, session, None).await?;
        if !self.may_set_up(&pending.user, Factor::SoftwareToken)? {
            return Err(Error::NotConfigured("Software Token MFA"));
        }
        let secret = self.associate_software_token(pending.user.sub).await?;
        Ok((secret, self.follow_with(Purpose::MfaSetup, pending).await?))
    }

    /// Takes over the secret that a user was told last, once he shows a code of it.
    ///
    /// Errors: `NotConfigured` also when he was told none, `CodeMismatch`, `TooManyRequests`, `Unavailable`.
    pub async fn verify_software_token(
        &self,
        sub: Uuid,
        code: &str,
        name: Option<&str>,
        source: IpAddr,
    ) -> Result<(), Error> {
        self.has_software_tokens()?;
        let verify = self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            let secret = factors.told.take().ok_or(Error::NotConfigured("Software Token MFA"))?;
            let last_step = self.judge_code(sub, &secret, code, None)?;
            factors.software_token = Some(SoftwareToken { secret, last_step, name: name.map(str::to_owned) });
            factors.write(user)
        });
        self.attempt(self.factor_account(sub), source, verify).await.map(drop)
    }

    /// The same for one who owes MFA_SETUP; answers the handle that yields his tokens. Errors as of
    /// [`Pool::verify_software_token`], and `ChallengeInvalid`.
    pub async fn verify_for_challenge(
        &self,
        session: &str,
        code: &str,
        name: Option<&str>,
        source: IpAddr,
    ) -> Result<String, Error> {
        let pending = self.pending(Purpose::MfaSetup, session, None).await?;
        if !self.may_set_up(&pending.user, Factor::SoftwareToken)? {
            return Err(Error::ChallengeInvalid);
        }
        self.verify_software_token(pending.user.sub, code, name, source).await?;
        self.follow_with(Purpose::MfaReady, pending).await
    }

    /// Answers MFA_SETUP: with the handle of a factor that was just set up, or with the address that is to be one, which
    /// is proven by a code first.
    ///
    /// Errors: `ChallengeInvalid` and its like, `InvalidParameter` and `Rule` about the address, `TooManyRequests`, the
    /// standings, `Hook`, `Unavailable`.
    pub async fn respond_mfa_setup<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        session: &str,
        email: Option<&str>,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let by = Some((terms.client, username));
        if let (Some(email), Ok(_)) = (email, self.purpose_of(session, &[Purpose::MfaSetup])) {
            let pending = self.pending(Purpose::MfaSetup, session, by).await?;
            return self.set_email_up(terms, pending, email).await.map(Step::Challenge);
        }
        let pending = self.pending(Purpose::MfaReady, session, by).await?;
        self.consume(&pending).await?;
        let step = self.last_step(pending.terms(terms), &pending.user).await;
        self.or_put_back(&pending.key, &pending.challenge, step).await
    }
}

/// Names as JSON in a string, which clients parse.
fn names(factors: &[Factor]) -> Result<String, Error> {
    let names: Vec<&str> = factors.iter().map(|factor| factor.name()).collect();
    serde_json::to_string(&names).map_err(Error::internal)
}
