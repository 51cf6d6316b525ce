//! Resetting a forgotten password by a mailed code.

use std::net::IpAddr;

use uuid::Uuid;

use super::auth::Login;
use super::kept_password::KeptPassword;
use super::{Client, Pool};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::{Answer, Challenge, ChallengeKey, Purpose};

/// Eight digits are 26 bits; with five attempts a code, a guess succeeds once in twenty million (S21).
const CODE_LENGTH: usize = 8;

impl Pool {
    /// Mails a reset code. Says nothing about whether the user exists, unless the pool says otherwise; a name without
    /// a user costs the same steps.
    ///
    /// Errors: `TooManyRequests`, `Unavailable`; with existence shown also `UserNotFound`, `NoVerifiedAddress` and
    /// the standings.
    pub async fn forgot_password(&self, client: &Client, username: &str, source: IpAddr) -> Result<(), Error> {
        let login = self.ask_reset(username, source).await?;
        self.send_reset_code(client, login.account, login.user.as_ref()).await
    }

    /// Whom a mail about a lost password goes to, by code or by link; nobody who may not reset his password. Errors
    /// as of [`Pool::forgot_password`].
    pub(super) async fn ask_reset(&self, name: &str, source: IpAddr) -> Result<Login, Error> {
        let Login { account, user } = self.find_login(name).await?;
        self.count_mail(account, source).await?;
        match may_reset(user.as_ref()) {
            Err(why) if !self.settings.hide_user_existence => Err(refusal(&why)),
            Err(_) => Ok(Login { account, user: None }),
            Ok(_) => Ok(Login { account, user }),
        }
    }

    /// Keeps a new code for `account` and mails it to `user`; without a user everything happens but the mail.
    pub(super) async fn send_reset_code(
        &self,
        client: &Client,
        account: Uuid,
        user: Option<&User>,
    ) -> Result<(), Error> {
        let code = self.ports.random.text(b"0123456789", CODE_LENGTH)?;
        let expires_at = self.now().plus(self.settings.reset_code_life());
        let challenge = Challenge {
            client: client.id.clone(),
            user: account,
            user_version: user.map_or(0, |user| user.version),
            expires_at,
            attempts_left: self.ports.limits.code_attempts,
            answer: Some(self.code_tag(account, user, &code)),
            payload: None,
        };
        self.ports.tokens.put_challenge(&self.reset_key(account), &challenge).await?;
        let life = self.settings.reset_code_life();
        let mail = match user.and_then(|user| Some((user, user.email.as_deref()?))) {
            Some((user, email)) => Some(self.ports.templates.reset_code(email, &user.username, &code, life)?),
            None => None,
        };
        self.outbox.enqueue(mail.as_ref(), expires_at).await
    }

    /// Sets a new password against a mailed code. The policy is judged first, so that a weak password does not burn
    /// the code; the password is hashed before the code is compared, so that a wrong one costs the same.
    ///
    /// Errors: `InvalidPassword`, `CodeMismatch`, `CodeExpired` (only with existence shown), `TooManyRequests`,
    /// `Unavailable`.
    pub async fn confirm_forgot_password(
        &self,
        username: &str,
        code: &str,
        new_password: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        self.settings.password_policy.check(new_password, &[username])?;
        let login = self.find_login(username).await?;
        self.count_source(source).await?;
        let kept = self.keep_password(new_password).await?;
        let key = self.reset_key(login.account);
        let tag = self.code_tag(login.account, login.user.as_ref(), code);
        match self.ports.tokens.answer_challenge(&key, &tag, self.now()).await? {
            Answer::Right(challenge) => self.set_by_code(login, &kept, &key, &challenge, source).await,
            Answer::Unknown if !self.settings.hide_user_existence && login.user.is_some() => Err(Error::CodeExpired),
            Answer::Wrong | Answer::Unknown => Err(Error::CodeMismatch),
        }
    }

    async fn set_by_code(
        &self,
        login: Login,
        kept: &KeptPassword,
        key: &ChallengeKey,
        challenge: &Challenge,
        source: IpAddr,
    ) -> Result<(), Error> {
        let user = login.user.ok_or(Error::CodeMismatch)?;
        let still = |user: &User| may_reset(Some(user)).map(drop).map_err(|_| Error::CodeMismatch);
        let set = self.set_proven(user.sub, kept, still).await;
        self.or_put_back(key, challenge, set).await?;
        self.forgive_source(source).await
    }

    /// Sets a password after a proof of possession, by code or by link. `still` says whether the proof holds for the
    /// user as he is now: he may have been disabled or given a temporary password since the mail.
    pub(super) async fn set_proven(
        &self,
        user: Uuid,
        kept: &KeptPassword,
        still: impl Fn(&User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        let ends = self.settings.end_sessions_on_password_change;
        let set = |user: &mut User| {
            still(user)?;
            user.keep(kept);
            user.status = UserStatus::Confirmed;
            user.temporary_until = None;
            if ends {
                user.end_all_sessions(None);
            }
            Ok(())
        };
        let user = self.change_user(user, set).await?;
        if ends {
            self.clear_sessions(user.sub, None, "password_reset").await;
        }
        Ok(user)
    }

    fn reset_key(&self, account: Uuid) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose: Purpose::ResetPassword, subject: account.to_string() }
    }

    /// Covers the address that the code was mailed to: it dies once that is the user's no more.
    fn code_tag(&self, account: Uuid, user: Option<&User>, code: &str) -> [u8; 32] {
        let purpose = Purpose::ResetPassword.as_str();
        let address = user.and_then(|user| user.email_key.as_deref()).unwrap_or_default();
        self.secrets.code.tag(&[purpose.as_bytes(), account.as_bytes(), address.as_bytes(), code.as_bytes()])
    }
}

/// Whether this user may reset his password by mail; else why not.
pub(super) fn may_reset(user: Option<&User>) -> Result<&User, NoReset> {
    let user = user.ok_or(NoReset::NoUser)?;
    match user.status {
        _ if !user.enabled => Err(NoReset::Disabled),
        UserStatus::Unconfirmed | UserStatus::ForceChangePassword | UserStatus::ExternalProvider => {
            Err(NoReset::Standing)
        }
        UserStatus::Confirmed | UserStatus::ResetRequired if user.email.is_some() && user.email_verified => Ok(user),
        UserStatus::Confirmed | UserStatus::ResetRequired => Err(NoReset::NoAddress),
    }
}

pub(super) enum NoReset {
    NoUser,
    Disabled,
    Standing,
    NoAddress,
}

fn refusal(why: &NoReset) -> Error {
    match why {
        NoReset::NoUser => Error::UserNotFound,
        NoReset::Disabled => Error::UserDisabled,
        NoReset::Standing => Error::ResetNotAllowed,
        NoReset::NoAddress => Error::NoVerifiedAddress,
    }
}
