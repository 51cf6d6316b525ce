//! A user's address: proven by a mailed link, and changed to another one that is.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::link::{Link, LinkTo, Recipient};
use super::name::EmailAddress;
use super::{Client, NewUser, Pool};
use crate::error::Error;
use crate::outbound::mail::LinkMail;
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::Purpose;

/// What the link that proves an address is about. It dies with the password, so that it never confirms a registration
/// that has given way to another.
#[derive(Serialize, Deserialize)]
pub(super) struct Proof {
    email_key: String,
    state: String,
}

impl Proof {
    fn is_done(&self, user: &User) -> bool {
        user.status != UserStatus::Unconfirmed && user.email_verified && self.is_about(user)
    }

    fn is_about(&self, user: &User) -> bool {
        user.email_key.as_deref() == Some(self.email_key.as_str())
    }
}

/// What the link of a change of address is about.
#[derive(Serialize, Deserialize)]
struct NewAddress {
    email_key: String,
}

impl Pool {
    /// Makes a user and mails a link that proves his address. Where no mail can be sent there is no user either, so
    /// that the same call succeeds later.
    ///
    /// Errors: those of [`Pool::create_user`] and [`Pool::send_email_confirmation`].
    pub async fn create_user_to_confirm(&self, link: &LinkTo<'_>, draft: NewUser) -> Result<User, Error> {
        let user = self.create_user(draft).await?;
        match self.send_email_confirmation(link, &user).await {
            Ok(()) => Ok(user),
            Err(error) => {
                self.ports.directory.delete_user(self.id(), user.sub).await?;
                Err(error)
            }
        }
    }

    /// Mails a link that proves the user's present address.
    ///
    /// Errors: `InvalidParameter` when he has none, `Unavailable`.
    pub async fn send_email_confirmation(&self, link: &LinkTo<'_>, user: &User) -> Result<(), Error> {
        let address = user.email.as_deref().ok_or_else(|| Error::invalid("email", "is missing"))?;
        let token = self.put_proof(link, user).await?;
        let to = Recipient { address, username: &user.username, organization: "" };
        self.mail_link(link, LinkMail::VerifyEmail, &token, Some(to)).await
    }

    /// Keeps a link that proves the user's present address.
    pub(super) async fn put_proof(&self, link: &LinkTo<'_>, user: &User) -> Result<String, Error> {
        let email_key = user.email_key.clone().unwrap_or_default();
        let about = Proof { email_key, state: self.password_state(Some(user)) };
        self.put_link(link, Purpose::VerifyEmail, user.sub, &about).await
    }

    /// Proves the address of the user called `name` (his username, address or sub). Again with the same link succeeds
    /// as long as it lives, because mail scanners open links before their readers do.
    ///
    /// Errors: `LinkInvalid`, `Unavailable`.
    pub async fn confirm_email(&self, client: &Client, name: &str, token: &str) -> Result<User, Error> {
        let link: Link<Proof> = self.read_link(client, Purpose::VerifyEmail, token).await?;
        let user = self.ports.directory.user(self.id(), link.challenge.user).await?.ok_or(Error::LinkInvalid)?;
        if !self.called(&user, name) {
            return Err(Error::LinkInvalid);
        }
        match self.prove_address(user, &link.about).await {
            // Somebody else has proven the address first.
            Err(Error::UserExists | Error::UserNotFound) => Err(Error::LinkInvalid),
            outcome => outcome,
        }
    }

    /// Makes the address of a link the user's proven one, and himself confirmed.
    pub(super) async fn prove_address(&self, user: User, proof: &Proof) -> Result<User, Error> {
        if proof.is_done(&user) {
            return Ok(user);
        }
        let prove = |user: &mut User| {
            if proof.is_done(user) {
                return Ok(());
            }
            if !proof.is_about(user) || proof.state != self.password_state(Some(user)) {
                return Err(Error::LinkInvalid);
            }
            user.email_verified = true;
            if user.status == UserStatus::Unconfirmed {
                user.status = UserStatus::Confirmed;
            }
            Ok(())
        };
        self.change_address(user.sub, &proof.email_key, prove).await
    }

    /// Mails a link to the new address of a user. An address that is somebody's already is answered alike, and told so
    /// by mail.
    ///
    /// Errors: `InvalidParameter`, `TooManyRequests`, `Unavailable`; with existence shown also `UserExists`.
    pub async fn request_email_change(
        &self,
        link: &LinkTo<'_>,
        user: &User,
        new_email: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        let address = EmailAddress::parse(new_email)?;
        check_length(user, &address)?;
        self.count_mail(user.sub, source).await?;
        self.count_mail_to(&address.key).await?;
        let holder = self.find_login(&address.shown).await?.user;
        let holder = holder.filter(|holder| holder.sub != user.sub && !gives_way(holder, &address.key));
        if holder.is_some() && !self.settings.hide_user_existence {
            return Err(Error::UserExists);
        }
        let about = NewAddress { email_key: address.key };
        let token = self.put_link(link, Purpose::ChangeEmail, user.sub, &about).await?;
        let (kind, told) = match &holder {
            Some(holder) => (LinkMail::AlreadyRegistered, holder),
            None => (LinkMail::ChangeEmail, user),
        };
        let to = Recipient { address: &address.shown, username: &told.username, organization: "" };
        self.mail_link(link, kind, &token, Some(to)).await
    }

    /// Whether a link changes this user's address to `new_email`. The link stays alive.
    ///
    /// Errors: `LinkInvalid`, `Unavailable`.
    pub async fn check_email_change(
        &self,
        client: &Client,
        user: &User,
        new_email: &str,
        token: &str,
    ) -> Result<(), Error> {
        self.read_email_change(client, user, new_email, token).await.map(drop)
    }

    async fn read_email_change(
        &self,
        client: &Client,
        user: &User,
        new_email: &str,
        token: &str,
    ) -> Result<(Link<NewAddress>, EmailAddress), Error> {
        let link: Link<NewAddress> = self.read_link(client, Purpose::ChangeEmail, token).await?;
        let address = EmailAddress::parse(new_email).map_err(|_| Error::LinkInvalid)?;
        let right = link.challenge.user == user.sub && link.about.email_key == address.key;
        if right { Ok((link, address)) } else { Err(Error::LinkInvalid) }
    }

    /// Gives the user the address that a link proves, and tells the old one. Who is called by his old address is
    /// called by the new one from then on.
    ///
    /// Errors: `LinkInvalid`, `UserExists` when the address was taken meanwhile, `Unavailable`.
    pub async fn change_email(
        &self,
        client: &Client,
        user: &User,
        new_email: &str,
        token: &str,
    ) -> Result<User, Error> {
        let (link, address) = self.read_email_change(client, user, new_email, token).await?;
        self.consume_link(&link).await?;
        let changed = self.change_address(user.sub, &address.key, |user| take(user, &address)).await;
        let changed = self.or_put_back(&link.key, &link.challenge, changed).await?;
        self.tell_old_address(user, &changed).await;
        Ok(changed)
    }

    /// The address is changed already, so that a store that is down now does not undo the answer.
    pub(super) async fn tell_old_address(&self, before: &User, after: &User) {
        let Some(address) = before.verified_email().filter(|_| before.email_key != after.email_key) else { return };
        let to = Recipient { address, username: &before.username, organization: "" };
        if let Err(error) = self.mail_notice(LinkMail::EmailChanged, to).await {
            tracing::warn!(cause = crate::error::chain(&error), "an old address was not told that there is a new one");
        }
    }

    /// Changes a user so that `email_key` becomes a login of his. An unconfirmed registration of that address gives
    /// way: of the two, only he has proven that it is his.
    async fn change_address(
        &self,
        sub: Uuid,
        email_key: &str,
        apply: impl Fn(&mut User) -> Result<(), Error> + Send + Sync,
    ) -> Result<User, Error> {
        let changed = self.change_user(sub, &apply).await;
        if matches!(changed, Err(Error::UserExists))
            && self.ports.directory.delete_unconfirmed(self.id(), email_key).await?
        {
            return self.change_user(sub, apply).await;
        }
        changed
    }

    /// Whether `name` is the user's: his username, his address, proven or not, or his sub.
    fn called(&self, user: &User, name: &str) -> bool {
        let email = EmailAddress::parse(name).is_ok_and(|given| user.email_key.as_deref() == Some(given.key.as_str()));
        email || self.names(user, name)
    }
}

/// Whether this user only registered under the address, and proved nothing.
fn gives_way(holder: &User, email_key: &str) -> bool {
    holder.status == UserStatus::Unconfirmed
        && holder.enabled
        && holder.username_key == email_key
        && !holder.email_verified
}

/// A user of a foreign directory is named as there, whatever his address is.
fn is_called_by_address(user: &User) -> bool {
    !user.is_external() && user.email_key.as_deref() == Some(user.username_key.as_str())
}

/// An address that becomes a username must be short enough for one.
fn check_length(user: &User, address: &EmailAddress) -> Result<(), Error> {
    if is_called_by_address(user) { address.as_username().map(drop) } else { Ok(()) }
}

fn take(user: &mut User, address: &EmailAddress) -> Result<(), Error> {
    if is_called_by_address(user) {
        let username = address.as_username()?;
        user.username = username.shown;
        user.username_key = username.key;
    }
    user.email = Some(address.shown.clone());
    user.email_key = Some(address.key.clone());
    user.email_verified = true;
    Ok(())
}
