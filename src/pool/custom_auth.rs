//! Signing in by challenges of the pool's own (contract cognito (c), CUSTOM_AUTH): its triggers ask and judge, and say
//! when somebody has proven who he is. What he owes besides, [`Pool::step_by_triggers`] says: his standing and a new
//! password as ever, a second factor only where nothing but the password was asked.

use std::collections::BTreeMap;
use std::net::IpAddr;

use uuid::Uuid;

use super::auth::{Login, Step};
use super::custom_course::Course;
use super::custom_trigger::{Actor, Answered, CUSTOM_CHALLENGE, Next, PASSWORD_VERIFIER, SRP_A, nonsense};
use super::srp_sign_in::may_begin;
use super::trigger::Trigger;
use super::{PasswordVerifier, Pool, Terms};
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, Purpose};

/// A sign-in by the pool's own challenges, as it is begun.
#[derive(Clone, Copy)]
pub struct CustomSignIn<'a> {
    /// Who signs in.
    pub username: &'a str,
    /// `SRP_A`, where the password comes first.
    pub srp_a: Option<&'a str>,
    /// Whether an administrator's program begins it. Such a one is believed to know whom it acts for, so the triggers
    /// may let him in without a challenge.
    pub by_administrator: bool,
}

/// What it begins with.
pub enum CustomStep {
    /// The password.
    Password(PasswordVerifier),
    /// Anything else.
    Step(Step),
}

/// The answer to CUSTOM_CHALLENGE.
#[derive(Clone, Copy)]
pub struct CustomAnswer<'a> {
    /// Whom the client takes the user for.
    pub username: &'a str,
    /// The handle.
    pub session: &'a str,
    /// The answer.
    pub answer: &'a str,
}

/// CUSTOM_CHALLENGE as it is asked.
pub struct CustomChallenge {
    /// The handle.
    pub session: String,
    /// What the client is told.
    pub parameters: BTreeMap<String, String>,
}

impl Pool {
    /// Begins a sign-in by the pool's own challenges.
    ///
    /// Errors: `Rule` where the pool has none, `NotAuthorized`, `Hook`, `TooManyRequests`, those of
    /// [`Pool::initiate_srp`], `Unavailable`; with existence shown also `UserNotFound` and some standings.
    pub async fn initiate_custom(
        &self,
        terms: Terms<'_>,
        begin: CustomSignIn<'_>,
        source: IpAddr,
    ) -> Result<CustomStep, Error> {
        if !self.has_trigger(Trigger::DefineAuthChallenge) {
            return Err(Rule::NoCustomAuth.into());
        }
        // What comes with the beginning is for the triggers before a proof.
        let actor = self.actor(Terms { metadata: None, ..terms }, begin.username).await?;
        self.may_attempt(self.custom_account(actor.account), source).await?;
        self.pre_authentication(terms, (actor.account, actor.user.as_ref()), begin.username, source).await?;
        match begin.srp_a {
            Some(srp_a) => self.begin_with_password(&actor, srp_a, begin.username, source).await,
            None => self.begin_custom(&actor, begin.by_administrator, source).await.map(CustomStep::Step),
        }
    }

    /// Who is meant. One of a foreign directory proves himself there.
    async fn actor<'a>(&self, terms: Terms<'a>, username: &str) -> Result<Actor<'a>, Error> {
        let client = terms.client;
        let Login { account, user } = self.find_login(username).await?;
        let user = user.filter(|user| !user.is_external() && !self.hides_sign_up(client, user));
        if !self.hides_existence(client) {
            may_begin(user.as_ref().ok_or(Error::UserNotFound)?)?;
        }
        let login = Login { account: user.as_ref().map_or(account, |user| user.sub), user };
        let absent = || self.absent_name(&login, username);
        let name = login.user.as_ref().map_or_else(absent, |user| user.username.clone());
        Ok(Actor { terms, account: login.account, name, user: login.user })
    }

    async fn begin_with_password(
        &self,
        actor: &Actor<'_>,
        srp_a: &str,
        username: &str,
        source: IpAddr,
    ) -> Result<CustomStep, Error> {
        match self.define_challenge(actor, &[Answered::new(SRP_A, true, None)]).await? {
            Next::Password => {
                let asked = self.initiate_srp_then(actor.terms.client, username, srp_a, Some(CUSTOM_CHALLENGE), source);
                asked.await.map(CustomStep::Password)
            }
            Next::Tokens | Next::Custom => {
                Err(nonsense(Trigger::DefineAuthChallenge, "the password was to be proven first"))
            }
        }
    }

    async fn begin_custom(&self, actor: &Actor<'_>, by_administrator: bool, source: IpAddr) -> Result<Step, Error> {
        if !by_administrator {
            self.count_source(source).await?;
        }
        let course = self.course(actor, Vec::new(), !by_administrator);
        match self.define_challenge(actor, &course.answered).await? {
            Next::Custom => self.pose(actor, course).await,
            Next::Tokens if by_administrator => self.finish_custom(actor, &course, source).await,
            Next::Tokens | Next::Password => Err(nonsense(Trigger::DefineAuthChallenge, "nothing has been proven yet")),
        }
    }

    /// Goes on with one who began with his password and has proven it. Errors as of [`Pool::respond_custom`].
    pub(super) async fn go_on_by_triggers(&self, terms: Terms<'_>, user: User, source: IpAddr) -> Result<Step, Error> {
        let actor = Actor { terms, account: user.sub, name: user.username.clone(), user: Some(user) };
        let answered = [SRP_A, PASSWORD_VERIFIER].map(|name| Answered::new(name, true, None));
        let course = self.course(&actor, answered.to_vec(), false);
        let next = self.define_challenge(&actor, &course.answered).await?;
        self.follow_custom(&actor, course, next, source).await
    }

    /// Answers CUSTOM_CHALLENGE. The challenge is used up by the first answer, right or wrong, before it is judged, so
    /// that many at once are no more guesses than one; what comes after a wrong one, the triggers say.
    ///
    /// Errors: `ChallengeInvalid`, `NotAuthorized`, `Hook`, `Rule`, `TooManyRequests`, the standings, `Unavailable`.
    pub async fn respond_custom(
        &self,
        terms: Terms<'_>,
        answer: CustomAnswer<'_>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let (key, challenge) = self.kept(Purpose::CustomChallenge, answer.session, Some(terms.client)).await?;
        let mut course = self.open_course(terms.client, &challenge)?;
        let actor = self.actor_again(terms, &challenge, &course, &answer).await?;
        let account = self.custom_account(actor.account);
        self.count_part(account, source).await?;
        self.consume_key(&key).await?;
        let right = self.verify_challenge(&actor, &course.private, answer.answer).await?;
        course.answered.push(Answered::new(CUSTOM_CHALLENGE, right, course.metadata.take()));
        let next = self.define_challenge(&actor, &course.answered).await?;
        if right {
            self.forgive_part(account, source).await?;
        }
        self.follow_custom(&actor, course, next, source).await
    }

    /// Who answers: the one who was asked, as he is now, if nothing happened that voids what he has done so far (S23).
    async fn actor_again<'a>(
        &self,
        terms: Terms<'a>,
        challenge: &Challenge,
        course: &Course,
        answer: &CustomAnswer<'a>,
    ) -> Result<Actor<'a>, Error> {
        let account = challenge.user;
        let found = self.ports.directory.user(self.id(), account).await?;
        let user = found.filter(|_| course.proof.is_some());
        let same = user.as_ref().map(|user| self.proof_state(user)) == course.proof;
        let named = match &user {
            Some(user) => self.names(user, answer.username),
            None => answer.username == course.name || self.find_login(answer.username).await?.account == account,
        };
        if !(same && named) {
            return Err(Error::ChallengeInvalid);
        }
        Ok(Actor { terms, account, name: course.name.clone(), user })
    }

    async fn follow_custom(
        &self,
        actor: &Actor<'_>,
        course: Course,
        next: Next,
        source: IpAddr,
    ) -> Result<Step, Error> {
        match next {
            Next::Custom => self.pose(actor, course).await,
            Next::Tokens if course.answered.iter().any(Answered::proves) => {
                self.finish_custom(actor, &course, source).await
            }
            Next::Tokens => Err(nonsense(Trigger::DefineAuthChallenge, "nothing has been proven yet")),
            Next::Password => Err(nonsense(Trigger::DefineAuthChallenge, "the password comes first or not at all")),
        }
    }

    /// Wrong answers are counted apart: a right password does not clear them, nor they a wrong one.
    pub(super) fn custom_account(&self, account: Uuid) -> Uuid {
        self.absent_user(&format!("custom|{account}"))
    }
}
