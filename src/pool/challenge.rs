//! Challenges: who owes one, how it is asked, and how its answer is checked.

use super::auth::{Proven, Step};
use super::hash::PasswordCheck;
use super::user::{check_standing, own_names};
use super::{Client, Pool, Terms};
use crate::crypto;
use crate::error::Error;
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// The handle is 256 random bits, so wrong answers are mistakes and not guesses: a user may try many passwords
/// against the policy before he has to sign in again.
const NEW_PASSWORD_ATTEMPTS: u32 = 100;

/// A challenge as a dialect passes it on.
pub struct Asked {
    /// Cognito's name of it.
    pub name: &'static str,
    /// The handle that the answer must bring back.
    pub session: String,
}

impl Pool {
    /// Asks for a new password in place of a temporary one.
    pub(super) async fn ask_new_password(&self, client: &Client, user: &User) -> Result<Asked, Error> {
        let session = crypto::encode(self.ports.random.bytes::<32>()?);
        let challenge = Challenge {
            client: client.id.clone(),
            user: user.sub,
            user_version: user.version,
            expires_at: self.now().plus(client.auth_session_life()),
            attempts_left: NEW_PASSWORD_ATTEMPTS,
            answer: None,
            payload: None,
        };
        self.ports.tokens.put_challenge(&self.new_password_key(&session), &challenge).await?;
        Ok(Asked { name: "NEW_PASSWORD_REQUIRED", session })
    }

    fn new_password_key(&self, session: &str) -> ChallengeKey {
        ChallengeKey {
            pool: self.id().to_owned(),
            purpose: Purpose::NewPassword,
            // A dump of the store must not hold handles that work.
            subject: crypto::encode(self.secrets.handle.tag(&[session.as_bytes()])),
        }
    }

    /// Answers NEW_PASSWORD_REQUIRED. The password is set before the challenge is consumed: if the store fails in
    /// between, the same call succeeds later; and consuming has one winner, so tokens are given once.
    ///
    /// Errors: `ChallengeInvalid`, `InvalidPassword` (the challenge stays), the standings, `Unavailable`.
    pub async fn respond_new_password(
        &self,
        client: &Client,
        username: &str,
        session: &str,
        new_password: &str,
    ) -> Result<Step, Error> {
        let key = self.new_password_key(session);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.filter(|found| found.client == client.id).ok_or(Error::ChallengeInvalid)?;
        let user = self.find_login(username).await?.user.filter(|user| user.sub == challenge.user);
        let user = user.ok_or(Error::ChallengeInvalid)?;
        check_standing(&user)?;
        self.settings.password_policy.check(new_password, &own_names(&user))?;
        let user = if user.version == challenge.user_version {
            self.replace_temporary_password(user, new_password).await?
        } else {
            self.already_replaced(user, new_password).await?
        };
        if !self.ports.tokens.consume_challenge(&key, self.now()).await? {
            return Err(Error::ChallengeInvalid);
        }
        self.next_step(Terms::from(client), &Proven(user)).await
    }

    async fn replace_temporary_password(&self, mut user: User, new_password: &str) -> Result<User, Error> {
        user.keep(&self.keep_password(new_password).await?);
        user.status = UserStatus::Confirmed;
        user.temporary_until = None;
        user.updated_at = self.now();
        match self.ports.directory.update_user(&user).await {
            Ok(version) => Ok(User { version, ..user }),
            Err(Error::Conflict) => {
                let user = self.ports.directory.user(self.id(), user.sub).await?.ok_or(Error::ChallengeInvalid)?;
                self.already_replaced(user, new_password).await
            }
            Err(error) => Err(error),
        }
    }

    /// The same answer again, after one whose reply was lost: right only if it set this very password.
    async fn already_replaced(&self, user: User, new_password: &str) -> Result<User, Error> {
        let set = self.ports.hasher.verify(new_password, user.password.as_deref()).await?;
        let same = match set {
            PasswordCheck::Right | PasswordCheck::RightButOutdated => true,
            PasswordCheck::Wrong => false,
        };
        if same && user.status == UserStatus::Confirmed { Ok(user) } else { Err(Error::ChallengeInvalid) }
    }
}
