//! Users who live in a foreign directory: registered here, proven there at every sign-in, with a profile and groups
//! that come from there. No password of theirs is ever kept.

use std::collections::BTreeSet;
use std::net::IpAddr;

use uuid::Uuid;

use super::auth::Proven;
use super::name::EmailAddress;
use super::{Pool, Terms};
use crate::error::Error;
use crate::outbound::ldap::{Account, Ldap, Person, Proof};
use crate::store::directory::{User, UserStatus};

/// A user of the foreign directory to be registered.
pub struct NewExternalUser {
    /// `DOMAIN\name`.
    pub name: String,
    /// The address; verified from the start, because an administrator vouches for it.
    pub email: Option<String>,
    /// Groups to join. Those that follow a group of the directory are set right at the first sign-in.
    pub groups: Vec<String>,
}

/// Who signs in from the foreign directory.
struct ExternalLogin {
    /// What attempts are counted under.
    subject: Uuid,
    /// The user and his name there; none for a name that means no such user.
    known: Option<(User, Account)>,
}

impl User {
    /// Whether his password is the business of a foreign directory.
    pub(super) fn is_external(&self) -> bool {
        self.status == UserStatus::ExternalProvider
    }
}

impl Pool {
    fn ldap(&self) -> Result<&Ldap, Error> {
        self.ports.ldap.as_ref().ok_or(Error::NotConfigured("Active Directory"))
    }

    /// Makes a user who signs in from the foreign directory. Whether it has somebody of this name can be asked only
    /// where an account searches there (ldap.bind_dn).
    ///
    /// Errors: `NotConfigured`, `InvalidParameter`, `UserNotFound`, `UserExists`, `NotFound(Group)`, `Unavailable`.
    pub async fn register_external_user(&self, draft: NewExternalUser) -> Result<User, Error> {
        let ldap = self.ldap()?;
        let account = ldap.account(&draft.name).ok_or(Error::UserNotFound)?;
        let username = self.username(&account.username)?;
        let email = draft.email.as_deref().map(EmailAddress::parse).transpose()?;
        if !ldap.knows(&account).await? {
            return Err(Error::UserNotFound);
        }
        let mut user = self.blank_user(username, email)?;
        user.status = UserStatus::ExternalProvider;
        user.groups = draft.groups;
        self.write_new_user(&user).await
    }

    /// Proves a password by a bind in the foreign directory, then takes over who the person is and his groups. A name
    /// that means no user of that kind costs the same, and can lock nobody out there.
    ///
    /// Errors: `NotConfigured`, `NotAuthorized` (unknown, wrong, or not allowed there), `PasswordResetRequired` (right,
    /// but to be changed there first), `TooManyRequests`, `Hook`, `Unavailable` (the directory did not judge; not counted).
    pub async fn prove_external<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        name: &str,
        password: &str,
        source: IpAddr,
    ) -> Result<Proven, Error> {
        let ldap = self.ldap()?;
        let login = self.find_external(ldap, name).await?;
        let user = login.known.as_ref().map(|(user, _)| user);
        self.pre_authentication(terms.into(), (login.subject, user), name, source).await?;
        let proven = self.attempt(login.subject, source, self.prove_there(ldap, login.known, password)).await?;
        proven.map(Proven).ok_or(Error::PasswordResetRequired)
    }

    async fn find_external(&self, ldap: &Ldap, typed: &str) -> Result<ExternalLogin, Error> {
        // A name that the directory cannot have may still be a verified address of ours.
        let name = ldap.account(typed).map_or_else(|| typed.to_owned(), |account| account.username);
        let login = self.find_login(&name).await?;
        let user = login.user.filter(User::is_external);
        let known = user.and_then(|user| ldap.account(&user.username).map(|account| (user, account)));
        Ok(ExternalLogin { subject: login.account, known })
    }

    /// `None` when the password is right but must be changed there first.
    async fn prove_there(
        &self,
        ldap: &Ldap,
        known: Option<(User, Account)>,
        password: &str,
    ) -> Result<Option<User>, Error> {
        let (user, account) = known.unzip();
        match (ldap.prove(account.as_ref(), password).await?, user) {
            (Proof::Right(person), Some(user)) => self.adopt(ldap, &user, &person).await.map(Some),
            (Proof::MustChange, Some(_)) => Ok(None),
            (Proof::Wrong | Proof::Right(_) | Proof::MustChange, _) => Err(Error::NotAuthorized),
        }
    }

    /// Takes over what the directory says of a person whose password was just proven there.
    async fn adopt(&self, ldap: &Ldap, user: &User, person: &Person) -> Result<User, Error> {
        match &user.external_id {
            Some(id) if *id == person.id => {}
            // A name is given to somebody else when its owner has left; the account here is not his.
            Some(_) => {
                tracing::warn!(user = %user.sub, "the directory has another person under the name of this user");
                return Err(Error::NotAuthorized);
            }
            None => self.link(user.sub, person).await?,
        }
        self.follow_groups(ldap, user, person).await?;
        self.ports.directory.user(self.id(), user.sub).await?.ok_or(Error::NotAuthorized)
    }

    /// At the first sign-in: who he is there, and his profile. The directory vouches for his address, unless somebody
    /// else here has proven that it is his.
    async fn link(&self, sub: Uuid, person: &Person) -> Result<(), Error> {
        match self.change_user(sub, |user| fill(user, person, true)).await {
            Err(Error::UserExists) => self.change_user(sub, |user| fill(user, person, false)).await.map(drop),
            linked => linked.map(drop),
        }
    }

    /// Makes his mapped groups those of the directory, and leaves the others alone.
    async fn follow_groups(&self, ldap: &Ldap, user: &User, person: &Person) -> Result<(), Error> {
        let is: BTreeSet<&str> = user.groups.iter().map(String::as_str).collect();
        let ought: BTreeSet<&str> = person.groups.iter().map(String::as_str).collect();
        for group in ldap.mapped_groups().filter(|group| is.contains(group) && !ought.contains(group)) {
            self.ports.directory.remove_from_group(self.id(), group, user.sub).await?;
        }
        for group in ought.difference(&is) {
            self.create_group_if_absent(group).await?;
            self.ports.directory.add_to_group(self.id(), group, user.sub).await?;
        }
        Ok(())
    }
}

/// Fills in what is not there yet.
fn fill(user: &mut User, person: &Person, vouched: bool) -> Result<(), Error> {
    if user.external_id.as_ref().is_some_and(|id| *id != person.id) {
        return Err(Error::NotAuthorized);
    }
    user.external_id = Some(person.id.clone());
    for (attribute, value) in
        [("given_name", &person.given_name), ("family_name", &person.family_name), ("name", &person.name)]
    {
        if let Some(value) = value {
            user.attributes.entry(attribute.to_owned()).or_insert_with(|| value.clone());
        }
    }
    if user.email.is_none()
        && let Some(email) = person.email.as_deref().and_then(|email| EmailAddress::parse(email).ok())
    {
        (user.email, user.email_key, user.email_verified) = (Some(email.shown), Some(email.key), vouched);
    }
    Ok(())
}
