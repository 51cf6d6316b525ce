//! Resetting a forgotten password by a code: who may, and at which of his contacts.

use std::net::IpAddr;

use uuid::Uuid;

use super::auth::Login;
use super::code::{CodeFor, Digits};
use super::delivery::{Delivery, NO_SMS};
use super::destination::Destination;
use super::kept_password::KeptPassword;
use super::message::{MessageKind, Via};
use super::next_password::NextPassword;
use super::settings::Contact;
use super::{Client, Metadata, Pool, Terms};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::{Answer, Challenge, Purpose};

pub(super) enum NoReset {
    NoUser,
    Disabled,
    Standing,
    NoAddress,
}

/// What is asked for when a password is lost.
pub(super) struct Reset {
    /// Whose; without a user where none may reset his.
    pub(super) login: Login,
    /// Where the message goes.
    pub(super) to: Option<Destination>,
    /// Where it seems to go.
    seen: Delivery,
}

impl Pool {
    /// Sends a reset code; answers where it went. Says nothing about whether the user exists, unless client or pool
    /// say otherwise; a name without a user costs the same steps, and seems to have a contact.
    ///
    /// Errors: `TooManyRequests`, `Rule` where only administrators reset or only text messages could, `Hook`,
    /// `Unavailable`; with existence shown also `UserNotFound`, `NoVerifiedAddress` and the standings.
    pub async fn forgot_password<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        digits: Digits,
        source: IpAddr,
    ) -> Result<Delivery, Error> {
        let terms = terms.into();
        let ways = self.ways_to_reset();
        if ways.is_empty() {
            return Err(NO_SMS.into());
        }
        let Reset { login, to, seen } = self.ask_reset(terms, username, &ways, source).await?;
        let hidden = self.hides_existence(terms.client);
        let to = self.admit_asked(hidden, (login.account, seen.contact), to).await?;
        let via = Via { client: Some(&terms.client.id), metadata: terms.metadata };
        let to = login.user.as_ref().zip(to.as_ref());
        self.send_code(self.reset_code(digits), via, login.account, to).await?;
        Ok(seen)
    }

    pub(super) fn reset_code(&self, digits: Digits) -> CodeFor {
        let (life, kind) = (self.settings.reset_code_life(), MessageKind::ForgotPassword);
        CodeFor { purpose: Purpose::ResetPassword, digits, life, kind }
    }

    /// Whom a message about a lost password goes to, by code or by link, and where; nobody who may not reset his password.
    /// Errors as of [`Pool::forgot_password`].
    pub(super) async fn ask_reset(
        &self,
        terms: Terms<'_>,
        name: &str,
        ways: &[Contact],
        source: IpAddr,
    ) -> Result<Reset, Error> {
        let login = self.find_login(name).await?;
        if self.settings.resets_by_administrator() {
            self.count_source(source).await?;
            let tells = login.user.is_none() && !self.hides_existence(terms.client);
            return Err(if tells { Error::UserNotFound } else { Rule::ResetByAdministrator.into() });
        }
        self.count_mail(login.account, source).await?;
        let Login { account, user } = self.migrate(terms, login, name).await?;
        let seen = self.seen_delivery(user.as_ref(), name, ways);
        match self.may_reset(user.as_ref(), ways) {
            Err(why) if !self.hides_existence(terms.client) => Err(refusal(&why)),
            Err(_) => Ok(Reset { login: Login { account, user: None }, to: None, seen }),
            Ok(to) => Ok(Reset { login: Login { account, user }, seen: Delivery::to(&to.shown), to: Some(to) }),
        }
    }

    /// Sets a new password against a code. The policy is judged first, so that a weak password does not burn the code; the
    /// password is hashed before the code is compared, so that a wrong one costs the same.
    ///
    /// Errors: `InvalidPassword`, `PasswordUsed` (the code stays), `CodeMismatch`, `CodeExpired` (only with existence
    /// shown), `TooManyRequests`, `Hook` (the password is set all the same), `Unavailable`.
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
        // A code that went where none would go now is worth nothing.
        let to = self.may_reset(login.user.as_ref(), &self.ways_to_reset()).ok();
        let bound_to = to.as_ref().map_or("", |to| &to.key);
        match self.answer_code(Purpose::ResetPassword, login.account, bound_to, code).await? {
            Answer::Right(challenge) => {
                let (user, to) = login.user.zip(to).ok_or(Error::CodeMismatch)?;
                let user = self.set_by_code((&user, &to), (new_password, kept), &challenge, source).await?;
                self.post_reset(&client.id, &user, metadata).await
            }
            Answer::Unknown if !self.hides_existence(client) && login.user.is_some() => Err(Error::CodeExpired),
            Answer::Wrong | Answer::Unknown => Err(Error::CodeMismatch),
        }
    }

    async fn set_by_code(
        &self,
        (user, by): (&User, &Destination),
        (password, kept): (&str, KeptPassword),
        challenge: &Challenge,
        source: IpAddr,
    ) -> Result<User, Error> {
        let key = self.code_key(Purpose::ResetPassword, user.sub);
        let ways = self.ways_to_reset();
        let still = |user: &User| match self.may_reset(Some(user), &ways) {
            Ok(to) if to == *by => Ok(()),
            Ok(_) | Err(_) => Err(Error::CodeMismatch),
        };
        let set = async {
            still(user)?;
            let next = self.next_password_kept(user, password, kept).await?;
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

    /// The contacts that reset passwords here, in the order in which they are tried; none where only text messages could.
    pub(super) fn ways_to_reset(&self) -> Vec<Contact> {
        let ways = self.settings.recovery_contacts().into_iter();
        ways.filter(|contact| *contact == Contact::Email || self.ports.texts).collect()
    }

    /// Where the code that resets this user's password goes; else why he may not have one.
    pub(super) fn may_reset(&self, user: Option<&User>, ways: &[Contact]) -> Result<Destination, NoReset> {
        let user = user.ok_or(NoReset::NoUser)?;
        match user.status {
            _ if !user.enabled => Err(NoReset::Disabled),
            UserStatus::Unconfirmed | UserStatus::ForceChangePassword | UserStatus::ExternalProvider => {
                Err(NoReset::Standing)
            }
            UserStatus::Confirmed | UserStatus::ResetRequired => self.reset_at(user, ways).ok_or(NoReset::NoAddress),
        }
    }

    /// The first of these contacts that he has proven and that is no second factor of his: who has that alone would have
    /// both.
    pub(super) fn reset_at(&self, user: &User, ways: &[Contact]) -> Option<Destination> {
        let open = |contact: &Contact| self.reach(user, *contact).is_some() && !self.owes_code_at(user, *contact);
        ways.iter().copied().find(open).and_then(|contact| Destination::of(user, contact))
    }
}

fn refusal(why: &NoReset) -> Error {
    match why {
        NoReset::NoUser => Error::UserNotFound,
        NoReset::Disabled => Error::UserDisabled,
        NoReset::Standing => Error::ResetNotAllowed,
        NoReset::NoAddress => Error::NoVerifiedAddress,
    }
}
