//! Users as an administrator makes, invites and changes them (contract cognito (g), AdminCreateUser).

use super::attribute::{Life, NamedValues, Party, value_of};
use super::code::CodeFor;
use super::delivery::NO_SMS;
use super::destination::{Admitted, Destination};
use super::limit::Asker;
use super::message::Via;
use super::settings::Contact;
use super::sign_up_trigger::ForHooks;
use super::user::own_names;
use super::{Digits, Metadata, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};

/// A user whom an administrator makes.
pub struct Invited<'a> {
    /// The name, or the contact where users are called by theirs.
    pub username: &'a str,
    /// The attributes.
    pub attributes: NamedValues,
    /// The temporary password; one is made up where there is none.
    pub temporary_password: Option<&'a str>,
    /// How he is told his password.
    pub telling: Telling,
    /// Whether an alias that another user has becomes his.
    pub take_alias: bool,
    /// For the triggers.
    pub told: ForHooks<'a>,
}

/// How a user is told his temporary password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// Not at all.
    Not,
    /// By text message, else by mail: what he has.
    Usually,
    /// By each of these that he has.
    By(Vec<Contact>),
}

impl Pool {
    /// Makes a user with a temporary password; where users may do without and none is given, one without. Where the
    /// message can not be kept there is no user either.
    ///
    /// Errors: `Rule`, `InvalidParameter`, `InvalidPassword`, `UserExists`, `Hook`, `Unavailable`.
    pub async fn invite_user(&self, draft: Invited<'_>) -> Result<User, Error> {
        let mut user = self.named_user(draft.username)?;
        let named = (user.email.clone(), user.phone.clone());
        self.write_attributes(&mut user, Party::Administrator, Life::New, &draft.attributes)?;
        self.check_called(&user, &named)?;
        let told = self.told_at(&user, &draft.telling)?;
        if draft.temporary_password.is_none() && self.settings.passwordless() {
            self.pre_create_user(&user, draft.told).await?;
            user.aliases = self.aliases_of(&user);
            return self.create_or_take(&user, draft.take_alias).await;
        }
        let password = self.temporary_password(draft.temporary_password, &user)?;
        user.status = UserStatus::ForceChangePassword;
        self.pre_create_user(&user, draft.told).await?;
        let told = self.admit_all(told).await?;
        user.keep(&self.keep_password(&user.username, &password).await?);
        user.temporary_until = Some(self.now().plus(self.settings.temporary_password_life()));
        user.aliases = self.aliases_of(&user);
        let user = self.create_or_take(&user, draft.take_alias).await?;
        match self.tell_password(&told, &user, &password, draft.told.metadata).await {
            Ok(()) => Ok(user),
            Err(error) => {
                self.ports.directory.delete_user(self.id(), user.sub).await?;
                Err(error)
            }
        }
    }

    fn temporary_password(&self, given: Option<&str>, user: &User) -> Result<String, Error> {
        match given {
            Some(password) => {
                self.settings.password_policy.check(password, &own_names(user))?;
                Ok(password.to_owned())
            }
            None => self.settings.password_policy.generate(&self.ports.random),
        }
    }

    /// Where a user is told his password. Errors: `Rule` when only a text message could, and none is sent.
    fn told_at(&self, user: &User, telling: &Telling) -> Result<Vec<Destination>, Error> {
        let both = [Contact::PhoneNumber, Contact::Email];
        let sent = |contact: &Contact| *contact == Contact::Email || self.ports.texts;
        let at = |contact: Contact| Destination::of(user, contact);
        match telling {
            Telling::Not => Ok(Vec::new()),
            Telling::Usually => Ok(both.into_iter().filter(sent).find_map(at).into_iter().collect()),
            Telling::By(contacts) if !contacts.iter().any(sent) => Err(NO_SMS.into()),
            Telling::By(contacts) => {
                Ok(both.into_iter().filter(sent).filter(|contact| contacts.contains(contact)).filter_map(at).collect())
            }
        }
    }

    async fn admit_all(&self, told: Vec<Destination>) -> Result<Vec<Admitted>, Error> {
        let mut admitted = Vec::new();
        for to in told {
            admitted.push(self.admit(to, Asker::Administrator).await?);
        }
        Ok(admitted)
    }

    async fn tell_password(
        &self,
        told: &[Admitted],
        user: &User,
        password: &str,
        metadata: Option<&Metadata>,
    ) -> Result<(), Error> {
        for to in told {
            self.send_password(to, user, password, metadata).await?;
        }
        Ok(())
    }

    /// Keeps a new user; of two who claim an alias, the first has it unless the second may take it.
    pub(super) async fn create_or_take(&self, user: &User, take_alias: bool) -> Result<User, Error> {
        let directory = &self.ports.directory;
        match directory.create_user(user).await {
            Err(Error::UserExists) => {}
            outcome => return outcome,
        }
        if directory.user_by_login(self.id(), &user.username_key, "").await?.is_some() {
            return Err(Error::UserExists);
        }
        let proven = [(Contact::Email, user.email_verified), (Contact::PhoneNumber, user.phone_verified)];
        let proven = proven.into_iter().filter(|(_, proven)| *proven && take_alias);
        let aliases: Vec<_> = proven.filter_map(|(contact, _)| Destination::of(user, contact)).collect();
        if !aliases.is_empty() {
            for alias in &aliases {
                self.free_alias(alias).await?;
            }
            return directory.create_user(user).await.map_err(|error| taken(error, user));
        }
        Err(self.taken_by_contact(user))
    }

    /// Where users are called by a contact, whoever has it is that user.
    fn taken_by_contact(&self, user: &User) -> Error {
        if user.username == user.sub.to_string() { Error::UserExists } else { taken(Error::UserExists, user) }
    }

    /// Gives a user who never signed in another temporary password and sends it to him.
    ///
    /// Errors: `UserNotFound`, `Rule`, `InvalidPassword`, `Hook`, `Unavailable`.
    pub async fn invite_again(
        &self,
        name: &str,
        password: Option<&str>,
        telling: &Telling,
        metadata: Option<&Metadata>,
    ) -> Result<User, Error> {
        let user = self.find_user(name).await?;
        if user.status != UserStatus::ForceChangePassword {
            return Err(Rule::NotToInvite(user.username).into());
        }
        let told = self.told_at(&user, telling)?;
        if told.is_empty() {
            let texted = *telling == Telling::By(vec![Contact::PhoneNumber]);
            let none = if texted { "The user has no phone number." } else { "The user has no email address." };
            return Err(Rule::Undeliverable(none).into());
        }
        let password = self.temporary_password(password, &user)?;
        let told = self.admit_all(told).await?;
        let user = self.give_password(&user, &password, true).await?;
        self.tell_password(&told, &user, &password, metadata).await?;
        Ok(user)
    }

    /// Changes a user's attributes on an administrator's word; a new contact that he does not vouch for waits for its
    /// proof where the pool wants it so. Errors: `UserNotFound`, `Rule`, `InvalidParameter`, `TooManyRequests`, `Hook`,
    /// `Unavailable`.
    pub async fn update_attributes(&self, name: &str, values: &[(String, String)]) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        self.write_attributes(&mut user.clone(), Party::Administrator, Life::Present, values)?;
        let change = self.change_of(&user, Party::Administrator, values)?;
        let asked = self.admit_all(change.later.clone()).await?;
        let user = self.write_change(&user, Party::Administrator, &change).await?;
        for to in &asked {
            self.ask_for_contact(CodeFor::proof_of_new(to.contact), Via::default(), &user, to).await?;
        }
        Ok(())
    }

    /// Takes attributes from a user on an administrator's word. Errors: `UserNotFound`, `Rule`, `Unavailable`.
    pub async fn remove_attributes(&self, name: &str, names: &[String]) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        let delete = |user: &mut User| self.delete_attributes(user, Party::Administrator, names);
        self.change_user(user.sub, delete).await.map(drop)
    }

    pub(super) async fn write_as(
        &self,
        user: &User,
        party: Party<'_>,
        values: &[(String, String)],
    ) -> Result<User, Error> {
        let write = |user: &mut User| self.write_attributes(user, party, Life::Present, values);
        let changed = self.change_user(user.sub, write).await;
        changed.map_err(|error| match (&error, values.iter().find_map(|(name, value)| alias(user, name, value))) {
            (Error::UserExists, Some(alias)) => Rule::AliasTaken(alias).into(),
            _ => error,
        })
    }

    /// Makes a user reset his password by a code of six digits.
    ///
    /// Errors: `UserNotFound`, `UserDisabled`, `ResetNotAllowed`, `NoVerifiedAddress`, `Hook`, `Unavailable`.
    pub async fn reset_by_administrator(&self, name: &str, metadata: Option<&Metadata>) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        if !user.enabled {
            return Err(Error::UserDisabled);
        }
        if !matches!(user.status, UserStatus::Confirmed | UserStatus::ResetRequired) {
            return Err(Error::ResetNotAllowed);
        }
        self.require_reset(user, Via { client: None, metadata }, Digits::Six).await
    }
}

fn taken(error: Error, user: &User) -> Error {
    let alias = match (user.email_verified, user.phone_verified) {
        (true, _) => "given email",
        (false, true) => "given phone_number",
        (false, false) => "given preferred_username",
    };
    if matches!(error, Error::UserExists) { Rule::AliasTaken(alias).into() } else { error }
}

/// The alias that writing this attribute claims, if it changes it.
fn alias(user: &User, name: &str, value: &str) -> Option<&'static str> {
    let changes = value_of(user, name).as_deref() != Some(value);
    match name {
        "email" | "email_verified" => changes.then_some("given email"),
        "phone_number" | "phone_number_verified" => changes.then_some("given phone_number"),
        "preferred_username" => changes.then_some("given preferred_username"),
        _ => None,
    }
}
