//! Mailed codes: made, kept, compared; and resetting a forgotten password by one.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::auth::Login;
use super::delivery::Delivery;
use super::kept_password::KeptPassword;
use super::message::{MessageKind, Secret, Via};
use super::next_password::NextPassword;
use super::{Client, Metadata, Pool, Terms};
use crate::clock::Timestamp;
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};
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
    /// The proof of a user's address.
    pub(super) const ADDRESS: Self =
        Self { purpose: Purpose::AddressCode, kind: MessageKind::VerifyUserAttribute, ..Self::SIGN_UP };
    /// The proof of an address that he just gave himself.
    pub(super) const NEW_ADDRESS: Self = Self { kind: MessageKind::UpdateUserAttribute, ..Self::ADDRESS };

    /// A code on its way.
    pub(super) const fn secret(self, text: &str) -> Secret<'_> {
        Secret { kind: self.kind, text, life: self.life }
    }
}

impl Pool {
    /// Mails a reset code; answers where it went. Says nothing about whether the user exists, unless client or pool
    /// say otherwise; a name without a user costs the same steps, and seems to have an address.
    ///
    /// Errors: `TooManyRequests`, `Rule` where only administrators reset, `Hook`, `Unavailable`; with existence shown
    /// also `UserNotFound`, `NoVerifiedAddress` and the standings.
    pub async fn forgot_password<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        digits: Digits,
        source: IpAddr,
    ) -> Result<Delivery, Error> {
        let terms = terms.into();
        if self.settings.resets_by_administrator() {
            return Err(Rule::ResetByAdministrator.into());
        }
        let login = self.ask_reset(terms, username, source).await?;
        let via = Via { client: Some(&terms.client.id), metadata: terms.metadata };
        self.send_code(self.reset_code(digits), via, login.account, login.user.as_ref()).await?;
        let address = login.user.as_ref().and_then(User::verified_email);
        Ok(address.map_or_else(|| self.seeming_delivery(username), Delivery::to))
    }

    pub(super) fn reset_code(&self, digits: Digits) -> CodeFor {
        let (life, kind) = (self.settings.reset_code_life(), MessageKind::ForgotPassword);
        CodeFor { purpose: Purpose::ResetPassword, digits, life, kind }
    }

    /// Whom a mail about a lost password goes to, by code or by link; nobody who may not reset his password. Errors
    /// as of [`Pool::forgot_password`].
    pub(super) async fn ask_reset(&self, terms: Terms<'_>, name: &str, source: IpAddr) -> Result<Login, Error> {
        let login = self.find_login(name).await?;
        self.count_mail(login.account, source).await?;
        let Login { account, user } = self.migrate(terms, login, name, None, source).await?;
        match self.may_reset(user.as_ref()) {
            Err(why) if !self.hides_existence(terms.client) => Err(refusal(&why)),
            Err(_) => Ok(Login { account, user: None }),
            Ok(_) => Ok(Login { account, user }),
        }
    }

    /// Keeps a new code for `account` in place of the one before and mails it to `user`; without a user everything
    /// happens but the mail.
    pub(super) async fn send_code(
        &self,
        about: CodeFor,
        via: Via<'_>,
        account: Uuid,
        user: Option<&User>,
    ) -> Result<(), Error> {
        let code = self.new_code(about)?;
        let mail = match user.and_then(|user| Some((user, user.email.as_deref()?))) {
            Some((user, email)) => Some(self.secret_mail(email, user, &about.secret(&code), via).await?),
            None => None,
        };
        let expires_at = self.put_code(about, via, account, user, (&code, None)).await?;
        self.outbox.enqueue(mail.as_ref(), expires_at).await
    }

    pub(super) fn new_code(&self, about: CodeFor) -> Result<String, Error> {
        self.ports.random.text(b"0123456789", about.digits as usize)
    }

    /// Keeps a code for `account` in place of the one before, with what it proves besides; answers until when it is
    /// good.
    pub(super) async fn put_code(
        &self,
        about: CodeFor,
        via: Via<'_>,
        account: Uuid,
        user: Option<&User>,
        (code, payload): (&str, Option<String>),
    ) -> Result<Timestamp, Error> {
        let expires_at = self.now().plus(about.life);
        let challenge = Challenge {
            client: via.client.unwrap_or_default().to_owned(),
            user: account,
            user_version: user.map_or(0, |user| user.version),
            expires_at,
            attempts_left: self.ports.limits.code_attempts,
            answer: Some(self.code_tag(about.purpose, account, user, code)),
            payload,
        };
        self.ports.tokens.put_challenge(&self.code_key(about.purpose, account), &challenge).await?;
        Ok(expires_at)
    }

    /// Counts and compares the answer to a code, which is used up if it is right.
    pub(super) async fn answer_code(
        &self,
        purpose: Purpose,
        account: Uuid,
        user: Option<&User>,
        code: &str,
    ) -> Result<Answer, Error> {
        let (key, tag) = (self.code_key(purpose, account), self.code_tag(purpose, account, user, code));
        self.ports.tokens.answer_challenge(&key, &tag, self.now()).await
    }

    /// Sets a new password against a mailed code. The policy is judged first, so that a weak password does not burn
    /// the code; the password is hashed before the code is compared, so that a wrong one costs the same.
    ///
    /// Errors: `InvalidPassword`, `PasswordUsed` (the code stays), `CodeMismatch`, `CodeExpired` (only with existence shown), `TooManyRequests`, `Hook`
    /// (the password is set all the same), `Unavailable`.
    pub async fn confirm_forgot_password(
        &self,
        client: &Client,
        username: &str,
        code: &str,
        new_password: &str,
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<(), Error> {
        self.settings.password_policy.check(new_password, &[username])?;
        let login = self.find_login(username).await?;
        self.count_source(source).await?;
        let called = login.user.as_ref().map_or(username, |user| &user.username);
        let kept = self.keep_password(called, new_password).await?;
        match self.answer_code(Purpose::ResetPassword, login.account, login.user.as_ref(), code).await? {
            Answer::Right(challenge) => {
                let user = self.set_by_code(login, (new_password, kept), &challenge, source).await?;
                self.post_reset(&client.id, &user, metadata).await
            }
            Answer::Unknown if !self.hides_existence(client) && login.user.is_some() => Err(Error::CodeExpired),
            Answer::Wrong | Answer::Unknown => Err(Error::CodeMismatch),
        }
    }

    async fn set_by_code(
        &self,
        login: Login,
        (password, kept): (&str, KeptPassword),
        challenge: &Challenge,
        source: IpAddr,
    ) -> Result<User, Error> {
        let key = self.code_key(Purpose::ResetPassword, login.account);
        let user = login.user.ok_or(Error::CodeMismatch)?;
        let still = |user: &User| self.may_reset(Some(user)).map(drop).map_err(|_| Error::CodeMismatch);
        let set = async {
            still(&user)?;
            let next = self.next_password_kept(&user, password, kept).await?;
            self.set_proven(user.sub, &next, still).await
        };
        let user = self.or_put_back(&key, challenge, set.await).await?;
        self.forgive_source(source).await?;
        Ok(user)
    }

    /// Sets a password after a proof of possession, by code or by link. `still` says whether the proof holds for the
    /// user as he is now: he may have been disabled or given a temporary password since the mail.
    pub(super) async fn set_proven(
        &self,
        user: Uuid,
        next: &NextPassword,
        still: impl Fn(&User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        let ends = self.settings.end_sessions_on_password_change;
        let set = |user: &mut User| {
            still(user)?;
            user.status = UserStatus::Confirmed;
            user.temporary_until = None;
            if ends {
                user.end_all_sessions(None);
            }
            Ok(())
        };
        let user = self.change_user_and_password(user, next, set).await?;
        if ends {
            self.clear_sessions(user.sub, None, "password_reset").await;
        }
        Ok(user)
    }

    pub(super) fn code_key(&self, purpose: Purpose, account: Uuid) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose, subject: account.to_string() }
    }

    /// Covers what the code is for (P07), and the address that it was mailed to: it dies once that is the user's no more.
    fn code_tag(&self, purpose: Purpose, account: Uuid, user: Option<&User>, code: &str) -> [u8; 32] {
        let purpose = purpose.as_str();
        let address = user.and_then(|user| user.email_key.as_deref()).unwrap_or_default();
        self.secrets.code.tag(&[purpose.as_bytes(), account.as_bytes(), address.as_bytes(), code.as_bytes()])
    }
}

impl Pool {
    /// Whether this user may reset his password by mail; else why not. Whose second factor is the mailbox may not: who
    /// has that alone would have both.
    pub(super) fn may_reset<'u>(&self, user: Option<&'u User>) -> Result<&'u User, NoReset> {
        let user = user.ok_or(NoReset::NoUser)?;
        match user.status {
            _ if !user.enabled => Err(NoReset::Disabled),
            UserStatus::Unconfirmed | UserStatus::ForceChangePassword | UserStatus::ExternalProvider => {
                Err(NoReset::Standing)
            }
            UserStatus::Confirmed | UserStatus::ResetRequired
                if user.verified_email().is_some() && !self.owes_mailed_code(user) =>
            {
                Ok(user)
            }
            UserStatus::Confirmed | UserStatus::ResetRequired => Err(NoReset::NoAddress),
        }
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
