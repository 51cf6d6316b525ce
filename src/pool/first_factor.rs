//! Sign-in by choice (Cognito's USER_AUTH): which first factors a user is offered, and how each begins. Where it is
//! hidden who exists, everybody is offered what the pool allows, and what a user can not be asked for is asked all the
//! same and proves nothing.

use std::net::IpAddr;

use super::auth::{Login, Step};
use super::challenge::Asked;
use super::destination::Destination;
use super::otp::CodeStep;
use super::settings::{Contact, FirstProof};
use super::srp_sign_in::may_begin;
use super::user::check_standing;
use super::{Client, PasswordVerifier, Pool, Terms};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// Reads of a choice: wrong passwords are counted apart.
const ATTEMPTS: u32 = 100;

/// What a sign-in begins with, in the order in which it is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstFactor {
    /// The password by SRP.
    PasswordSrp,
    /// The password.
    Password,
    /// A mailed code.
    EmailOtp,
    /// A code by text message.
    SmsOtp,
}

impl FirstFactor {
    const ALL: [Self; 4] = [Self::PasswordSrp, Self::Password, Self::EmailOtp, Self::SmsOtp];

    /// Cognito's name of it and of its challenge.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PasswordSrp => "PASSWORD_SRP",
            Self::Password => "PASSWORD",
            Self::EmailOtp => "EMAIL_OTP",
            Self::SmsOtp => "SMS_OTP",
        }
    }

    /// Reads Cognito's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }

    const fn proof(self) -> FirstProof {
        match self {
            Self::PasswordSrp | Self::Password => FirstProof::Password,
            Self::EmailOtp => FirstProof::EmailOtp,
            Self::SmsOtp => FirstProof::SmsOtp,
        }
    }
}

/// A sign-in by choice, as it is begun or chosen.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    /// Who signs in.
    pub username: &'a str,
    /// What he prefers or chooses, in Cognito's word.
    pub factor: Option<&'a str>,
    /// The password, where it comes along.
    pub password: Option<&'a str>,
    /// `SRP_A`, where it comes along.
    pub srp_a: Option<&'a str>,
    /// The device that the client believes to be remembered.
    pub device: Option<&'a str>,
}

/// What a sign-in by choice leads to.
pub enum FirstStep {
    /// The exchange by SRP.
    Verifier(PasswordVerifier),
    /// Anything else.
    Step(Step),
}

impl Pool {
    /// Begins a sign-in by choice; answers also what the user may choose.
    ///
    /// Errors: those of [`Pool::prove_to`], [`Pool::initiate_srp`] and [`Pool::next_step`]; `UserNotConfirmed` also where
    /// people register themselves.
    pub async fn initiate_choice(
        &self,
        terms: Terms<'_>,
        choice: Choice<'_>,
        source: IpAddr,
    ) -> Result<(FirstStep, Vec<FirstFactor>), Error> {
        let login = self.find_login(choice.username).await?;
        let offered = self.offered(terms.client, &login)?;
        let preferred = choice.factor.and_then(FirstFactor::parse).filter(|factor| offered.contains(factor));
        let step = match preferred {
            Some(factor) => self.begin_with(terms, login, factor, choice, None, source).await?,
            None => {
                self.may_begin_unproven(terms.client, &login, source).await?;
                let asked = self.ask_first(terms.client, &login, "SELECT_CHALLENGE", source).await?;
                FirstStep::Step(Step::Challenge(asked))
            }
        };
        Ok((step, offered))
    }

    /// Answers SELECT_CHALLENGE, PASSWORD and PASSWORD_SRP. A wrong password leaves the challenge alive.
    ///
    /// Errors: as of [`Pool::initiate_choice`], `ChallengeInvalid` and its like, `Rule` for what is no choice.
    pub async fn respond_choice(
        &self,
        terms: Terms<'_>,
        session: &str,
        choice: Choice<'_>,
        source: IpAddr,
    ) -> Result<FirstStep, Error> {
        let (key, kept) = self.kept(Purpose::FirstFactor, session, Some(terms.client)).await?;
        let login = self.owner_of(&kept, choice.username).await?;
        let offered = self.offered(terms.client, &login)?;
        let chosen = choice.factor.and_then(FirstFactor::parse).filter(|factor| offered.contains(factor));
        let chosen = chosen.ok_or(Rule::Form("The answer is none of the challenges that can be chosen."))?;
        self.begin_with(terms, login, chosen, choice, Some(key), source).await
    }

    /// Whom a first factor's challenge is about, who must be the one that the client names.
    pub(super) async fn owner_of(&self, challenge: &Challenge, username: &str) -> Result<Login, Error> {
        let named = self.find_login(username).await?;
        match self.ports.directory.user(self.id(), challenge.user).await? {
            Some(user) if self.names(&user, username) => Ok(Login { account: user.sub, user: Some(user) }),
            None if named.account == challenge.user => Ok(named),
            Some(_) | None => Err(Error::ChallengeInvalid),
        }
    }

    async fn begin_with(
        &self,
        terms: Terms<'_>,
        login: Login,
        factor: FirstFactor,
        choice: Choice<'_>,
        chosen: Option<ChallengeKey>,
        source: IpAddr,
    ) -> Result<FirstStep, Error> {
        let Choice { username, password, srp_a, device, .. } = choice;
        let terms = terms.on(device);
        // What comes with the beginning is for the triggers before a proof.
        let after = if chosen.is_some() { terms } else { Terms { metadata: None, ..terms } };
        match (factor, password, srp_a) {
            (FirstFactor::Password, Some(password), _) => {
                let proven = self.prove_to(terms, username, password, source).await?;
                self.spend(chosen, source).await?;
                self.next_step(after, &proven).await.map(FirstStep::Step)
            }
            (FirstFactor::PasswordSrp, _, Some(srp_a)) => {
                let asked = self.initiate_srp(terms, username, srp_a, source).await?;
                self.spend(chosen, source).await?;
                Ok(FirstStep::Verifier(asked))
            }
            (FirstFactor::Password | FirstFactor::PasswordSrp, ..) => {
                self.may_attempt(login.account, source).await?;
                let asked = self.ask_first(terms.client, &login, factor.name(), source).await?;
                self.spend(chosen, source).await?;
                Ok(FirstStep::Step(Step::Challenge(asked)))
            }
            (FirstFactor::EmailOtp | FirstFactor::SmsOtp, ..) => {
                let asked = self.ask_first_code((terms, after), &login, factor, username, source).await?;
                self.spend(chosen, source).await?;
                Ok(FirstStep::Step(Step::Challenge(asked)))
            }
        }
    }

    async fn spend(&self, chosen: Option<ChallengeKey>, source: IpAddr) -> Result<(), Error> {
        let Some(key) = chosen else { return Ok(()) };
        self.consume_key(&key).await?;
        self.forgive_source(source).await
    }

    /// Sends the code of a first factor; to nobody whom it could not sign in. Where it seems to go says no more than a
    /// forgotten password does.
    async fn ask_first_code(
        &self,
        (terms, after): (Terms<'_>, Terms<'_>),
        login: &Login,
        factor: FirstFactor,
        username: &str,
        source: IpAddr,
    ) -> Result<Asked, Error> {
        self.may_begin_unproven(terms.client, login, source).await?;
        self.pre_authentication(terms, (login.account, login.user.as_ref()), username, source).await?;
        self.count_mail(login.account, source).await?;
        let step = if factor == FirstFactor::SmsOtp { CodeStep::SMS_OTP } else { CodeStep::EMAIL_OTP };
        let user = login.user.as_ref();
        let seen = self.seen_delivery(user, username, &[step.contact]);
        let to = user.and_then(|user| self.address_for(step, user).and_then(|_| Destination::of(user, step.contact)));
        let hidden = self.hides_existence(terms.client);
        let to = self.admit_asked(hidden, (login.account, step.contact), to).await?;
        self.ask_code(step, after, login.account, user.zip(to.as_ref()), seen).await
    }

    /// Keeps a choice, which proves nothing yet: it is counted for the source until it is made, so that nobody fills the
    /// store with such.
    async fn ask_first(
        &self,
        client: &Client,
        login: &Login,
        name: &'static str,
        source: IpAddr,
    ) -> Result<Asked, Error> {
        self.count_source(source).await?;
        let challenge = Challenge {
            client: client.id.clone(),
            user: login.account,
            user_version: 0,
            expires_at: self.now().plus(client.auth_session_life()),
            attempts_left: ATTEMPTS,
            answer: None,
            payload: None,
        };
        let session = self.put_anew(Purpose::FirstFactor, &challenge).await?;
        Ok(Asked { name, session, parameters: Vec::new() })
    }

    /// Whether something is asked of somebody who has proven nothing. Who only registered is told so where registering
    /// told it already.
    async fn may_begin_unproven(&self, client: &Client, login: &Login, source: IpAddr) -> Result<(), Error> {
        self.may_attempt(login.account, source).await?;
        let unconfirmed = login.user.as_ref().filter(|user| user.status == UserStatus::Unconfirmed);
        match unconfirmed {
            Some(user) if !self.hides_sign_up(client, user) => Err(Error::UserNotConfirmed),
            Some(_) | None => Ok(()),
        }
    }

    /// What is offered: where it is hidden who exists, the same to everybody.
    fn offered(&self, client: &Client, login: &Login) -> Result<Vec<FirstFactor>, Error> {
        if self.hides_existence(client) {
            return Ok(self.allowed().collect());
        }
        let user = login.user.as_ref().ok_or(Error::UserNotFound)?;
        may_begin(user)?;
        Ok(self.allowed().filter(|factor| self.has_first(user, *factor)).collect())
    }

    fn allowed(&self) -> impl Iterator<Item = FirstFactor> {
        let allowed = |factor: &FirstFactor| {
            let srp = *factor != FirstFactor::PasswordSrp || self.settings.srp;
            srp && self.settings.first_proofs.contains(&factor.proof())
        };
        FirstFactor::ALL.into_iter().filter(allowed)
    }

    fn has_first(&self, user: &User, factor: FirstFactor) -> bool {
        match factor {
            FirstFactor::PasswordSrp => user.srp.is_some(),
            FirstFactor::Password => user.password.is_some(),
            FirstFactor::EmailOtp | FirstFactor::SmsOtp => self.may_begin_with(user, factor.proof()),
        }
    }

    /// Whether a code signs this user in: not one who owes more than a first factor, since the code may go where the
    /// second would.
    pub(super) fn may_begin_with(&self, user: &User, proof: FirstProof) -> bool {
        let contact = if proof == FirstProof::SmsOtp { Contact::PhoneNumber } else { Contact::Email };
        self.settings.first_proofs.contains(&proof)
            && proof != FirstProof::Password
            && user.status == UserStatus::Confirmed
            && check_standing(user).is_ok()
            && self.reach(user, contact).is_some()
            && matches!(self.owed_factor(user), Ok(None))
    }

    /// Cognito's ConfiguredUserAuthFactors: what a user can begin a sign-in with.
    pub fn first_proofs_of(&self, user: &User) -> Vec<FirstProof> {
        let has = |proof: &FirstProof| match proof {
            FirstProof::Password => user.password.is_some(),
            FirstProof::EmailOtp | FirstProof::SmsOtp => self.may_begin_with(user, *proof),
        };
        self.settings.first_proofs.iter().copied().filter(has).collect()
    }
}
