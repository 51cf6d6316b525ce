//! NEW_PASSWORD_REQUIRED: a new password in place of a temporary one, and the attributes that a user of the pool must
//! have and this one lacks.

use std::collections::BTreeMap;

use super::auth::{Proven, Step};
use super::challenge::{Asked, Pending};
use super::hash::PasswordCheck;
use super::name::EmailAddress;
use super::user::own_names;
use super::{Client, Pool, Terms, TokenEvent};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::Purpose;

/// What answers NEW_PASSWORD_REQUIRED.
pub struct NewPassword<'a> {
    /// The password.
    pub password: &'a str,
    /// Attributes that the user had no value for.
    pub attributes: BTreeMap<String, String>,
}

impl<'a> From<&'a str> for NewPassword<'a> {
    fn from(password: &'a str) -> Self {
        Self { password, attributes: BTreeMap::new() }
    }
}

impl NewPassword<'_> {
    /// Cognito's name of the challenge.
    pub const CHALLENGE: &'static str = "NEW_PASSWORD_REQUIRED";
    /// What the refusal of an attribute that the user has already begins with: Cognito calls it not authorized.
    pub const ALREADY_PROVIDED: &'static str = "Cannot modify an already provided";
}

impl Pool {
    /// Asks for a new password in place of a temporary one.
    pub(super) async fn ask_new_password(&self, terms: Terms<'_>, user: &User) -> Result<Asked, Error> {
        let session = self.put_challenge(Purpose::NewPassword, terms, user).await?;
        let missing: Vec<&str> = self.missing_attributes(user).collect();
        let required: Vec<String> = missing.iter().map(|name| format!("userAttributes.{name}")).collect();
        let mut has: BTreeMap<&str, String> = attributes_of(user);
        has.extend(missing.into_iter().map(|name| (name, String::new())));
        let parameters = vec![
            ("USER_ID_FOR_SRP", user.username.clone()),
            ("requiredAttributes", serde_json::to_string(&required).map_err(Error::internal)?),
            ("userAttributes", serde_json::to_string(&has).map_err(Error::internal)?),
        ];
        Ok(Asked { name: NewPassword::CHALLENGE, session, parameters })
    }

    /// Names of the attributes that the pool requires and the user lacks.
    fn missing_attributes<'a>(&'a self, user: &User) -> impl Iterator<Item = &'a str> {
        let has = attributes_of(user).into_keys().map(str::to_owned).collect::<Vec<_>>();
        self.settings.schema.required().filter(move |name| !has.iter().any(|known| known == name))
    }

    /// Answers NEW_PASSWORD_REQUIRED. The password is set before the challenge is consumed: if the store fails in
    /// between, the same call succeeds later; and consuming has one winner, so tokens are given once.
    ///
    /// Errors: `ChallengeInvalid`, `InvalidPassword`, `PasswordUsed`, `InvalidParameter` and `AccessDenied` about
    /// attributes (the challenge stays), the standings, `Unavailable`.
    pub async fn respond_new_password<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        session: &str,
        answer: impl Into<NewPassword<'_>>,
    ) -> Result<Step, Error> {
        let (terms, answer) = (Terms { event: TokenEvent::NewPasswordChallenge, ..terms.into() }, answer.into());
        let client = terms.client;
        let pending = self.pending(Purpose::NewPassword, session, Some((client, username))).await?;
        let user = self.set_new_password(client, &pending, &answer).await?;
        self.consume(&pending).await?;
        let step = self.next_step(pending.terms(terms), &Proven(user)).await;
        self.or_put_back(&pending.key, &pending.challenge, step).await
    }

    async fn set_new_password(
        &self,
        client: &Client,
        pending: &Pending,
        answer: &NewPassword<'_>,
    ) -> Result<User, Error> {
        let mut user = pending.user.clone();
        self.settings.password_policy.check(answer.password, &own_names(&user))?;
        if user.version != pending.challenge.user_version {
            return self.already_replaced(user, answer.password).await;
        }
        for (name, value) in &answer.attributes {
            self.complete(client, &mut user, name, value)?;
        }
        if let Some(name) = self.missing_attributes(&user).next() {
            return Err(Error::invalid("Invalid attributes given,", format!("{name} is missing")));
        }
        self.replace_temporary_password(user, answer.password).await
    }

    /// Gives a user a value that he lacks. One that he has, and that clients send along, may be repeated and not changed.
    fn complete(&self, client: &Client, user: &mut User, name: &str, value: &str) -> Result<(), Error> {
        let attribute = self.settings.schema.find(name);
        let attribute = attribute.ok_or_else(|| Error::invalid(name.to_owned(), "is no attribute of the pool"))?;
        match attributes_of(user).get(name) {
            Some(present) if present == value => return Ok(()),
            Some(_) => return Err(Error::invalid(NewPassword::ALREADY_PROVIDED, name.to_owned())),
            None => {}
        }
        let own = ["sub", "email_verified", "phone_number_verified"].contains(&name);
        if own || client.write_attributes.as_ref().is_some_and(|names| !names.contains(name)) {
            return Err(Error::AccessDenied);
        }
        attribute.check(value)?;
        write(user, name, value)
    }

    async fn replace_temporary_password(&self, mut user: User, new_password: &str) -> Result<User, Error> {
        self.next_password(&user, new_password).await?.put_into(&mut user)?;
        user.status = UserStatus::Confirmed;
        user.temporary_until = None;
        user.aliases = self.aliases_of(&user);
        user.updated_at = self.now();
        match self.write_user(&user, Some(self.settings.former_passwords())).await {
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

/// What a user has, by Cognito's names and as it spells values.
fn attributes_of(user: &User) -> BTreeMap<&str, String> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    all.extend(
        user.attributes
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.clone())),
    );
    if let Some(email) = &user.email {
        all.extend([("email", email.clone()), ("email_verified", user.email_verified.to_string())]);
    }
    if let Some(phone) = &user.phone {
        all.extend([("phone_number", phone.clone()), ("phone_number_verified", user.phone_verified.to_string())]);
    }
    all
}

/// An address that the user names himself is not proven by that.
fn write(user: &mut User, name: &str, value: &str) -> Result<(), Error> {
    match name {
        "email" => {
            let address = EmailAddress::parse(value)?;
            (user.email, user.email_key, user.email_verified) = (Some(address.shown), Some(address.key), false);
        }
        "phone_number" => (user.phone, user.phone_verified) = (Some(value.to_owned()), false),
        _ => drop(user.attributes.insert(name.to_owned(), value.to_owned())),
    }
    Ok(())
}
