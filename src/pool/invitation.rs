//! Invitations into an organization: a link for one address, good for one joining.

use super::auth::Proven;
use super::link::{Invited, Link, LinkTo, Recipient};
use super::name::EmailAddress;
use super::{Action, Client, Pool};
use crate::error::Error;
use crate::outbound::mail::LinkMail;
use crate::store::directory::User;
use crate::store::organization::{Organization, Role};
use crate::store::tokens::Purpose;

/// What a link invites to.
pub struct Invitation {
    /// The invited address, as addresses are compared.
    pub email: String,
    /// Where to.
    pub organization: Organization,
}

impl Pool {
    /// Invites an address into an organization, and mails the link if `mail`; answers its token.
    ///
    /// Errors: `AccessDenied`, `NotFound(Organization)`, `InvalidParameter`, `TooManyRequests`, `Unavailable`; with
    /// existence shown also `AlreadyMember`.
    pub async fn invite(
        &self,
        link: &LinkTo<'_>,
        caller: &User,
        organization: i64,
        email: &str,
        mail: bool,
    ) -> Result<String, Error> {
        self.permit(caller, Action::Invite { organization }).await?;
        let organization = self.organization(organization).await?;
        let address = EmailAddress::parse(email)?;
        self.count_invitation(caller.sub, &address).await?;
        if !self.settings.hide_user_existence {
            self.check_no_member(&organization, &address).await?;
        }
        let about = Invited { email_key: address.key, organization: organization.id };
        let token = self.put_link(link, Purpose::Invitation, caller.sub, &about).await?;
        if mail {
            let to =
                Recipient { address: &address.shown, username: &caller.username, organization: &organization.name };
            self.mail_link(link, LinkMail::Invitation, &token, Some(to)).await?;
        }
        Ok(token)
    }

    async fn check_no_member(&self, organization: &Organization, address: &EmailAddress) -> Result<(), Error> {
        let Some(user) = self.find_login(&address.shown).await?.user else { return Ok(()) };
        let memberships = self.memberships(&user).await?;
        let member = memberships.iter().any(|held| held.organization.id == organization.id);
        if member { Err(Error::AlreadyMember) } else { Ok(()) }
    }

    /// What a token invites to; it stays good.
    ///
    /// Errors: `LinkInvalid`, `NotFound(Organization)` when it is gone, `Unavailable`.
    pub async fn invitation(&self, client: &Client, token: &str) -> Result<Invitation, Error> {
        let link: Link<Invited> = self.read_link(client, Purpose::Invitation, token).await?;
        Ok(Invitation { organization: self.organization(link.about.organization).await?, email: link.about.email_key })
    }

    /// Joins the user to the organization as [`Role::Pending`] and uses the token up. Who may not have tokens yet joins
    /// nothing.
    ///
    /// Errors: `LinkInvalid`, `InvitationForAnother` (no verified address of his was invited), `AlreadyMember`,
    /// `NotFound(Organization)`, the standings of [`Pool::next_step`], `NewPasswordRequired`, `FactorRequired`,
    /// `Unavailable`.
    pub async fn accept_invitation(&self, client: &Client, user: &Proven, token: &str) -> Result<(), Error> {
        let user = user.user();
        self.owes_nothing(user)?;
        let link: Link<Invited> = self.read_link(client, Purpose::Invitation, token).await?;
        if !user.email_verified || user.email_key.as_deref() != Some(link.about.email_key.as_str()) {
            return Err(Error::InvitationForAnother);
        }
        // Used up also by who is a member already: it must not bring him back when he was taken out.
        self.consume_link(&link).await?;
        let directory = &self.ports.directory;
        let joined = directory.join_organization(self.id(), link.about.organization, user.sub, Role::Pending).await;
        self.or_put_back(&link.key, &link.challenge, joined).await
    }
}
