//! Signing up: a user registers himself into an organization, and confirms by a mailed link that the address is his.

use std::net::IpAddr;

use super::link::{Invited, Link, LinkTo, Recipient};
use super::name::{EmailAddress, OrganizationName, person_name};
use super::sign_up_trigger::ForHooks;
use super::user::own_names;
use super::{Client, Pool};
use crate::error::Error;
use crate::outbound::mail::LinkMail;
use crate::store::directory::{User, UserStatus};
use crate::store::organization::{Joining, Role};
use crate::store::tokens::Purpose;

/// A registration. The user is called by his address.
pub struct SignUp<'a> {
    /// The address.
    pub email: &'a str,
    /// The password; it must fit the policy.
    pub password: &'a str,
    /// The given name.
    pub given_name: &'a str,
    /// The family name.
    pub family_name: &'a str,
    /// What he joins.
    pub joins: Joins<'a>,
}

/// What a registration joins.
#[derive(Clone, Copy)]
pub enum Joins<'a> {
    /// A new organization of this name, as its administrator.
    NewOrganization(&'a str),
    /// The organization that the link of this token invites to, pending.
    Invitation(&'a str),
}

impl Pool {
    /// Registers an unconfirmed user and mails the link that confirms him; answers his public id. An unconfirmed
    /// registration of the same address gives way, because it may be somebody else's. Unless the pool shows who
    /// exists, an address that is a user's is answered alike, at the same cost, and its owner is told by mail.
    ///
    /// Errors: `InvalidParameter`, `InvalidPassword`, `TooManyRequests`, `LinkInvalid`, `InvitationForAnother`,
    /// `NotFound(Organization)`, `Exists(Organization)`, `Hook`, `Unavailable`; with existence shown also `UserExists`.
    pub async fn sign_up(&self, link: &LinkTo<'_>, draft: SignUp<'_>, source: IpAddr) -> Result<i64, Error> {
        let address = EmailAddress::parse(draft.email)?;
        let mut user = self.unconfirmed(&address, &draft)?;
        self.settings.password_policy.check(draft.password, &own_names(&user))?;
        self.count_source(source).await?;
        self.count_mail_to(&address.key).await?;
        self.pre_sign_up(&link.client.id, &mut user, ForHooks::default()).await?;
        let holder = self.find_login(&address.shown).await?.user;
        if holder.as_ref().is_some_and(|holder| holder.status != UserStatus::Unconfirmed) {
            self.may_hide()?;
        }
        let (joining, invitation) = self.joining(link.client, &draft.joins, &address).await?;
        user.keep(&self.keep_password(&user.username, draft.password).await?);
        let Some(invitation) = invitation else { return self.register(link, &user, &joining, holder).await };
        self.consume_link(&invitation).await?;
        let registered = self.register(link, &user, &joining, holder).await;
        self.or_put_back(&invitation.key, &invitation.challenge, registered).await
    }

    fn unconfirmed(&self, address: &EmailAddress, draft: &SignUp<'_>) -> Result<User, Error> {
        let mut user = self.blank_user(address.as_username()?, Some(address.clone()))?;
        user.email_verified = false;
        user.status = UserStatus::Unconfirmed;
        for (name, value) in [("given_name", draft.given_name), ("family_name", draft.family_name)] {
            user.attributes.insert(name.to_owned(), person_name(name, value)?);
        }
        Ok(user)
    }

    fn may_hide(&self) -> Result<(), Error> {
        if self.settings.hide_user_existence { Ok(()) } else { Err(Error::UserExists) }
    }

    async fn joining(
        &self,
        client: &Client,
        joins: &Joins<'_>,
        address: &EmailAddress,
    ) -> Result<(Joining, Option<Link<Invited>>), Error> {
        match *joins {
            Joins::NewOrganization(name) => {
                let OrganizationName { shown, key } = OrganizationName::parse(name)?;
                Ok((Joining::New { name: shown, name_key: key }, None))
            }
            Joins::Invitation(token) => {
                let link: Link<Invited> = self.read_link(client, Purpose::Invitation, token).await?;
                if link.about.email_key != address.key {
                    return Err(Error::InvitationForAnother);
                }
                Ok((Joining::Existing { organization: link.about.organization, role: Role::Pending }, Some(link)))
            }
        }
    }

    async fn register(
        &self,
        link: &LinkTo<'_>,
        user: &User,
        joining: &Joining,
        holder: Option<User>,
    ) -> Result<i64, Error> {
        match self.ports.directory.register_user(user, joining).await {
            Ok(user) => {
                if !user.email_verified {
                    self.send_email_confirmation(link, &user).await?;
                }
                if user.status == UserStatus::Confirmed {
                    self.post_sign_up(Some(&link.client.id), &user, None).await?;
                }
                Ok(self.public_id(&user))
            }
            Err(Error::UserExists) => {
                self.may_hide()?;
                self.seem_to_join(link, user, joining).await?;
                self.seem_to_register(link, user, holder).await
            }
            Err(error) => Err(error),
        }
    }

    /// One write for the one that a registration is, so that both take as long (D02). A name that a registration would
    /// have taken is taken: else a second registration, of another address, would tell from it whether the first
    /// address was free (D01).
    async fn seem_to_join(&self, link: &LinkTo<'_>, user: &User, joining: &Joining) -> Result<(), Error> {
        match joining {
            Joining::New { name, name_key } => self.ports.directory.reserve_organization(user, name, name_key).await,
            Joining::Existing { .. } => self.outbox.enqueue(None, self.now().plus(link.life)).await,
        }
    }

    /// What else a registration writes, for nobody: a link that nobody gets, a mail.
    async fn seem_to_register(&self, link: &LinkTo<'_>, user: &User, holder: Option<User>) -> Result<i64, Error> {
        let token = self.put_proof(link, user).await?;
        let username = holder.as_ref().map_or(user.username.as_str(), |holder| &holder.username);
        let to = user.email.as_deref().map(|address| Recipient { address, username, organization: "" });
        self.mail_link(link, LinkMail::AlreadyRegistered, &token, to).await?;
        Ok(holder.map_or_else(|| self.absent_public_id(&user.username), |holder| self.public_id(&holder)))
    }

    /// Confirms a registration. Again with the same link succeeds as long as it lives, because mail scanners open
    /// links before their readers do.
    ///
    /// Errors: `LinkInvalid`, `UserNotFound` when the registration is gone, `Hook`, `Unavailable`.
    pub async fn confirm_sign_up(&self, client: &Client, token: &str) -> Result<User, Error> {
        let link: Link<_> = self.read_link(client, Purpose::VerifyEmail, token).await?;
        let user = self.ports.directory.user(self.id(), link.challenge.user).await?.ok_or(Error::UserNotFound)?;
        let unconfirmed = user.status == UserStatus::Unconfirmed;
        let user = self.prove_address(user, &link.about).await?;
        if unconfirmed {
            self.post_sign_up(Some(&client.id), &user, None).await?;
        }
        Ok(user)
    }
}
