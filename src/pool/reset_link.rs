//! Resetting a forgotten password by a mailed link.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::link::{Link, LinkTo, Recipient};
use super::user::own_names;
use super::{Client, Pool};
use crate::error::Error;
use crate::outbound::mail::LinkMail;
use crate::store::directory::User;
use crate::store::tokens::Purpose;

/// What the link of a reset is about: the password that it replaces, and the address that it was mailed to.
#[derive(Serialize, Deserialize)]
struct Replaced {
    state: String,
    email_key: Option<String>,
}

impl Pool {
    /// Mails a link that resets the password; answers an id of the name. Unless the pool shows who exists, it is one
    /// made of the name alone, and nothing else tells either: a name without a user costs the same steps.
    ///
    /// Errors: `TooManyRequests`, `Hook`, `Unavailable`; with existence shown also `UserNotFound`, `NoVerifiedAddress`
    /// and the standings.
    pub async fn forgot_password_link(&self, link: &LinkTo<'_>, name: &str, source: IpAddr) -> Result<i64, Error> {
        let login = self.ask_reset(link.client.into(), name, source).await?;
        let user = login.user.as_ref();
        let email_key = user.and_then(|user| user.email_key.clone());
        let about = Replaced { state: self.password_state(user), email_key };
        let token = self.put_link(link, Purpose::ResetLink, login.account, &about).await?;
        let to = user.and_then(|user| {
            Some(Recipient { address: user.verified_email()?, username: &user.username, organization: "" })
        });
        self.mail_link(link, LinkMail::ResetLink, &token, to).await?;
        let shown = user.filter(|_| !self.settings.hide_user_existence);
        Ok(shown.map_or_else(|| self.absent_public_id(name), |user| self.public_id(user)))
    }

    /// Whose password a link resets; `name` is whom the caller takes him for, where the dialect carries one. The link
    /// stays alive.
    ///
    /// Errors: `LinkInvalid`, `Unavailable`.
    pub async fn check_reset_link(&self, client: &Client, name: Option<&str>, token: &str) -> Result<User, Error> {
        Ok(self.read_reset_link(client, name, token).await?.1)
    }

    /// Sets a new password against a link. The password is judged and hashed first, so that neither one that may not be
    /// nor a full queue burns the link.
    ///
    /// Errors: `LinkInvalid`, `InvalidPassword`, `PasswordUsed`, `TooManyRequests`, `Hook` (the password is set all the same),
    /// `Unavailable`.
    pub async fn reset_password_link(
        &self,
        client: &Client,
        name: Option<&str>,
        token: &str,
        new_password: &str,
        source: IpAddr,
    ) -> Result<User, Error> {
        self.count_source(source).await?;
        let (link, user) = self.read_reset_link(client, name, token).await?;
        self.forgive_source(source).await?;
        self.settings.password_policy.check(new_password, &own_names(&user))?;
        let next = self.next_password(&user, new_password).await?;
        self.consume_link(&link).await?;
        let set = self.set_proven(user.sub, &next, |user| self.still_resets(user, &link.about)).await;
        let user = self.or_put_back(&link.key, &link.challenge, set).await?;
        self.post_reset(&client.id, &user, None).await?;
        Ok(user)
    }

    async fn read_reset_link(
        &self,
        client: &Client,
        name: Option<&str>,
        token: &str,
    ) -> Result<(Link<Replaced>, User), Error> {
        let link: Link<Replaced> = self.read_link(client, Purpose::ResetLink, token).await?;
        let user = self.ports.directory.user(self.id(), link.challenge.user).await?.ok_or(Error::LinkInvalid)?;
        self.still_resets(&user, &link.about)?;
        if !name.is_none_or(|name| self.names(&user, name)) {
            return Err(Error::LinkInvalid);
        }
        Ok((link, user))
    }

    /// A link dies with the password that it was to replace, once it lies in a mailbox that is the user's no more, and
    /// while he may not reset one.
    fn still_resets(&self, user: &User, about: &Replaced) -> Result<(), Error> {
        let same = about.state == self.password_state(Some(user)) && about.email_key == user.email_key;
        if same && self.may_reset(Some(user)).is_ok() { Ok(()) } else { Err(Error::LinkInvalid) }
    }
}
