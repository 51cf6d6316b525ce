//! Signing in: proving a password, and [`Pool::next_step`], the one place that decides what is still owed before
//! tokens, whatever way the user came.

use std::net::IpAddr;

use uuid::Uuid;

use super::alias::NameKeys;
use super::client::AuthFlow;
use super::factor::OwedFactor;
use super::hash::PasswordCheck;
use super::migration::Guess;
use super::user::check_standing;
use super::{Asked, Client, CustomChallenge, Device, Pool, Terms, Tokens};
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::store::directory::{User, UserStatus};

/// A user who has just proven who he is: by password, client secret or the foreign directory. Only the pool makes one.
#[derive(Debug)]
pub struct Proven(pub(super) User);

impl Proven {
    /// The user as he was when he proved it.
    pub fn user(&self) -> &User {
        &self.0
    }
}

/// What a successful proof leads to.
pub enum Step {
    /// Nothing more is owed.
    Tokens(Tokens),
    /// Something is.
    Challenge(Asked),
    /// The pool's own triggers ask something.
    Custom(CustomChallenge),
}

/// What stands between a user and his tokens.
enum Owed {
    /// A new password.
    Password,
    /// A second factor.
    Factor(OwedFactor),
}

/// Whom a name that somebody typed means. A name that means nobody gets a sub of its own, always the same, so that
/// throttles and codes treat it like any other.
pub(super) struct Login {
    pub(super) account: Uuid,
    pub(super) user: Option<User>,
}

impl Pool {
    /// Proves a username (or verified email) and password, and says what comes next, where there are words for a new
    /// password and none for a second factor.
    ///
    /// Errors: `NotAuthorized` (unknown or wrong, not told apart), `TooManyRequests`, `FactorRequired`, `Hook`, the
    /// standings of
    /// `next_step`, `Unavailable`.
    pub async fn initiate_auth(
        &self,
        client: &Client,
        username: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let user = self.prove(client, username, password, source).await?;
        match self.owed(user.user())? {
            Some(Owed::Factor(_)) => Err(Error::FactorRequired),
            Some(Owed::Password) | None => self.next_step(Terms::from(client), &user).await,
        }
    }

    /// Proves a username (or verified email) and password to sign in with, on terms that say who asks. Whether the user
    /// may have tokens is not said yet: [`Pool::next_step`] does.
    ///
    /// Errors: `NotAuthorized` (unknown, wrong or, where existence is hidden, unconfirmed; not told apart),
    /// `TooManyRequests`, `Hook`, `Unavailable`.
    pub async fn prove<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<Proven, Error> {
        self.ports.hasher.room()?;
        let (Login { account, user }, guess) = self.begin(terms.into(), username, password, source).await?;
        self.attempt_guess(guess, account, source, self.prove_own(user, password)).await.map(Proven)
    }

    /// The same for what is no sign-in, so that no trigger is asked.
    pub(super) async fn prove_aside(&self, username: &str, password: &str, source: IpAddr) -> Result<Proven, Error> {
        self.ports.hasher.room()?;
        let login = self.find_login(username).await?;
        self.attempt(login.account, source, self.prove_own(login.user, password)).await.map(Proven)
    }

    /// Whom a name means that a password comes with, once the triggers before the password were asked.
    async fn begin(
        &self,
        terms: Terms<'_>,
        name: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<(Login, Guess), Error> {
        let login = self.find_login(name).await?;
        let (login, guess) = self.migrate_by_password(terms, login, name, password, source).await?;
        let user = login.user.as_ref();
        match guess {
            Guess::Open => self.pre_authentication(terms, (login.account, user), name, source).await?,
            Guess::Counted => self.pre_authentication_counted(terms, user, name, source).await?,
        }
        Ok((login, guess))
    }

    /// The same as `client` has it: who does not exist is said where the client does not hide it. Errors as of
    /// [`Pool::prove`], and `UserNotFound`.
    pub async fn prove_to<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<Proven, Error> {
        let terms = terms.into();
        let client = terms.client;
        self.ports.hasher.room()?;
        let (Login { account, user }, guess) = self.begin(terms, username, password, source).await?;
        let exists = user.is_some();
        let proof = async {
            let user = self.prove_password(user, password).await?;
            if self.hides_sign_up(client, &user) { Err(Error::NotAuthorized) } else { Ok(user) }
        };
        match self.attempt_guess(guess, account, source, proof).await {
            Err(Error::NotAuthorized) if !exists && !self.hides_existence(client) => Err(Error::UserNotFound),
            proven => proven.map(Proven),
        }
    }

    /// Whether calls of this client answer alike for users and for nobody.
    pub(super) fn hides_existence(&self, client: &Client) -> bool {
        client.hide_user_existence.unwrap_or(self.settings.hide_user_existence)
    }

    /// Whether even who registered this user must not learn that he did: see [`Pool::prove_own`]. Where people register
    /// themselves over Cognito's SignUp, that tells who exists, and their clients go by `UserNotConfirmed`.
    pub(super) fn hides_sign_up(&self, client: &Client, user: &User) -> bool {
        user.status == UserStatus::Unconfirmed && self.hides_existence(client) && !self.settings.self_sign_up
    }

    /// Whether a client may use a way to sign in; SRP needs a pool that keeps verifiers.
    pub fn allows(&self, client: &Client, flow: AuthFlow) -> bool {
        client.allows(flow) && (flow != AuthFlow::AllowUserSrpAuth || self.settings.srp)
    }

    /// Whoever registers an address knows the password he gave. A refusal of its own, or one that does not count as a
    /// wrong password, would tell him that the address was free (D01).
    async fn prove_own(&self, user: Option<User>, password: &str) -> Result<User, Error> {
        let user = self.prove_password(user, password).await?;
        let hidden = self.settings.hide_user_existence && user.status == UserStatus::Unconfirmed;
        if hidden { Err(Error::NotAuthorized) } else { Ok(user) }
    }

    /// Whom a login name means.
    pub(super) async fn find_login(&self, name: &str) -> Result<Login, Error> {
        let NameKeys { username, alias } = self.name_keys(name);
        let nobody = username.is_none() && alias.is_none();
        // Also for what is no name of any user, so that it costs the same.
        let (by_name, by_alias) = (username.as_deref().unwrap_or_default(), alias.as_deref().unwrap_or_default());
        let user = self.ports.directory.user_by_login(self.id(), by_name, by_alias).await?.filter(|_| !nobody);
        // A registration that proved nothing goes on with the counts of the free name, else their fresh start would tell
        // that it was free (D01).
        let known = user.as_ref().filter(|user| user.status != UserStatus::Unconfirmed);
        // A user is one in all spellings that find him, and so is nobody.
        let spelled = if self.settings.usernames.has_email() { &alias } else { &username };
        let account = known.map_or_else(|| self.absent_user(spelled.as_deref().unwrap_or(name)), |user| user.sub);
        Ok(Login { account, user })
    }

    /// The sub that a name without a user is treated under.
    pub(super) fn absent_user(&self, name: &str) -> Uuid {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = self.secrets.absent.tag(&[name.as_bytes()]);
        uuid::Builder::from_random_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]).into_uuid()
    }

    /// Checks a password at the same cost whether or not there is a user, and renews an outdated hash; so does one that
    /// lacks the pool's SRP verifier.
    pub(super) async fn prove_password(&self, user: Option<User>, password: &str) -> Result<User, Error> {
        let stored = user.as_ref().and_then(|user| user.password.as_deref());
        match (self.ports.hasher.verify(password, stored).await?, user) {
            (PasswordCheck::Right, Some(user)) if user.srp.is_some() || !self.settings.srp => Ok(user),
            (PasswordCheck::Right | PasswordCheck::RightButOutdated, Some(user)) => {
                self.renew_hash(user, password).await
            }
            (PasswordCheck::Wrong, _) | (_, None) => Err(Error::NotAuthorized),
        }
    }

    async fn renew_hash(&self, mut user: User, password: &str) -> Result<User, Error> {
        if self.ports.hasher.room().is_err() {
            // Others wait for their first hash; his next sign-in renews it.
            return Ok(user);
        }
        user.keep(&self.keep_password(&user.username, password).await?);
        user.updated_at = self.now();
        match self.ports.directory.update_user(&user).await {
            Ok(version) => Ok(User { version, ..user }),
            Err(Error::Conflict) => self.prove_again(user.sub, password).await,
            Err(error) => Err(error),
        }
    }

    /// Somebody changed the user while his hash was renewed. If it was his password, the one that was right a moment
    /// ago must not open a session of the new one's epoch.
    async fn prove_again(&self, sub: Uuid, password: &str) -> Result<User, Error> {
        let user = self.ports.directory.user(self.id(), sub).await?.ok_or(Error::NotAuthorized)?;
        match self.ports.hasher.verify(password, user.password.as_deref()).await? {
            PasswordCheck::Right | PasswordCheck::RightButOutdated => Ok(user),
            PasswordCheck::Wrong => Err(Error::NotAuthorized),
        }
    }

    /// What a user who has proven himself still owes: a standing that allows sign-in, then a new password where the
    /// present one is temporary, then a second factor where the pool or he wants one, then nothing.
    ///
    /// On a device that he confirmed, that proves itself last; a remembered one may stand for the second factor.
    ///
    /// Errors: `UserDisabled`, `UserNotConfirmed`, `PasswordResetRequired`, `TemporaryPasswordExpired`,
    /// `NotFound(Device)` for one that is none of his, `Hook`, `Unavailable`.
    pub async fn next_step(&self, terms: Terms<'_>, user: &Proven) -> Result<Step, Error> {
        let Proven(user) = user;
        let owed = self.owed(user)?;
        let device = self.known_device(terms, user).await?;
        match owed {
            Some(Owed::Password) => Ok(Step::Challenge(self.ask_new_password(terms, user).await?)),
            Some(Owed::Factor(owed)) => match device.filter(|device| self.stands_for_factor(device, &owed)) {
                Some(device) => Ok(Step::Challenge(self.ask_device(terms, user, &device, true).await?)),
                None => Ok(Step::Challenge(self.ask_factor(terms, user, owed).await?)),
            },
            None => self.device_or_tokens(terms, user, device).await,
        }
    }

    /// The same where there are no words for what is owed: nothing is asked then.
    ///
    /// Errors: as of [`Pool::next_step`], `NewPasswordRequired`, `FactorRequired`.
    pub async fn tokens_at_once(&self, terms: Terms<'_>, user: &Proven) -> Result<Tokens, Error> {
        self.owes_nothing(user.user())?;
        self.open_session(terms, user.user()).await
    }

    /// Refuses a user who owes something. Errors: as of [`Pool::tokens_at_once`].
    pub(super) fn owes_nothing(&self, user: &User) -> Result<(), Error> {
        match self.owed(user)? {
            Some(Owed::Password) => Err(Error::NewPasswordRequired),
            Some(Owed::Factor(_)) => Err(Error::FactorRequired),
            None => Ok(()),
        }
    }

    /// The same for one who has just proven a second factor: he owes no other.
    pub(super) async fn last_step(&self, terms: Terms<'_>, user: &User) -> Result<Step, Error> {
        match self.owed(user)? {
            // Given a temporary password meanwhile: he has to begin again with it.
            Some(Owed::Password) => Err(Error::ChallengeInvalid),
            Some(Owed::Factor(_)) | None => {
                let device = self.known_device(terms, user).await?;
                self.device_or_tokens(terms, user, device).await
            }
        }
    }

    async fn device_or_tokens(&self, terms: Terms<'_>, user: &User, device: Option<Device>) -> Result<Step, Error> {
        match device {
            Some(device) => Ok(Step::Challenge(self.ask_device(terms, user, &device, false).await?)),
            None => Ok(Step::Tokens(self.open_session(terms, user).await?)),
        }
    }

    /// The same for one whom the pool's own triggers let in: second factors are theirs to ask for.
    pub(super) async fn step_by_triggers(&self, terms: Terms<'_>, user: &User) -> Result<Step, Error> {
        if let Some(Owed::Password) = self.owed(user)? {
            return Ok(Step::Challenge(self.ask_new_password(terms, user).await?));
        }
        let device = match self.known_device(terms, user).await {
            // His challenge is used up, so that the client could not try again without it; it is offered another.
            Err(Error::NotFound(Kind::Device)) => None,
            found => found?,
        };
        self.device_or_tokens(terms, user, device).await
    }

    fn owed(&self, user: &User) -> Result<Option<Owed>, Error> {
        check_standing(user)?;
        if owes_password(user, self.now())? {
            return Ok(Some(Owed::Password));
        }
        Ok(self.owed_factor(user)?.map(Owed::Factor))
    }
}

/// Whether the user's password is a temporary one, which he must replace; too late to do so is a refusal.
pub(super) fn owes_password(user: &User, now: Timestamp) -> Result<bool, Error> {
    let owes = user.status == UserStatus::ForceChangePassword;
    if owes && user.temporary_until.is_some_and(|until| until <= now) {
        return Err(Error::TemporaryPasswordExpired);
    }
    Ok(owes)
}
