//! What a user signs in with besides his username, as the pool has it, and how a name that somebody typed is read.

use super::name::{EmailAddress, Username};
use super::settings::{Alias, Contact, Usernames};
use super::{Pool, import};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};

/// The keys that a typed name is looked up under.
pub(super) struct NameKeys {
    /// As a username; none if no user can have it.
    pub(super) username: Option<String>,
    /// As an alias; none if no user can have it.
    pub(super) alias: Option<String>,
}

impl Pool {
    /// A username as this pool compares it. Errors: `InvalidParameter`.
    pub(super) fn username(&self, text: &str) -> Result<Username, Error> {
        let name = Username::parse(text)?;
        Ok(if self.settings.case_sensitive { Username { key: name.shown.clone(), ..name } } else { name })
    }

    /// What a user knows himself by: nobody types a sub.
    pub(super) fn shown_name<'u>(&self, user: &'u User) -> &'u str {
        match self.settings.usernames {
            Usernames::Chosen { .. } => &user.username,
            Usernames::Contact { .. } => user.email.as_deref().or(user.phone.as_deref()).unwrap_or(&user.username),
        }
    }

    /// A new user under the name that he or an administrator chose: by the pool's rules his username, or the contact
    /// that he signs in with.
    ///
    /// Errors: `Rule` for a name of another form, `InvalidParameter`.
    pub(super) fn named_user(&self, text: &str) -> Result<User, Error> {
        match &self.settings.usernames {
            Usernames::Chosen { aliases } => {
                refuse_alias_forms(aliases, text)?;
                self.blank_user(self.username(text)?, None)
            }
            Usernames::Contact { contacts } => {
                let mut user = self.blank_user(Username { shown: String::new(), key: String::new() }, None)?;
                user.username = user.sub.to_string();
                user.username_key.clone_from(&user.username);
                call_by_contact(&mut user, contacts, text)?;
                Ok(user)
            }
        }
    }

    /// Which contact a typed name is, where users are called by theirs.
    pub fn named_contact(&self, text: &str) -> Option<Contact> {
        let Usernames::Contact { contacts } = &self.settings.usernames else { return None };
        let is = |contact: Contact| contacts.contains(&contact);
        if is(Contact::Email) && EmailAddress::parse(text).is_ok() {
            return Some(Contact::Email);
        }
        (is(Contact::PhoneNumber) && import::check_phone(text).is_ok()).then_some(Contact::PhoneNumber)
    }

    /// How a typed name is looked up.
    pub(super) fn name_keys(&self, text: &str) -> NameKeys {
        let username = self.username(text).map(|name| name.key).ok();
        let email = EmailAddress::parse(text).map(|email| email.key).ok();
        // Numbers and preferred usernames are written and compared like usernames.
        NameKeys { alias: email.or_else(|| username.clone()), username }
    }

    /// The aliases to keep with a user; `None` where the pool has the usual rule.
    pub(super) fn aliases_of(&self, user: &User) -> Option<Vec<String>> {
        let usernames = &self.settings.usernames;
        if *usernames == Usernames::default() {
            return None;
        }
        let email = || user.email_key.clone();
        let phone = || user.phone.clone();
        let found = match usernames {
            Usernames::Chosen { aliases } => aliases
                .iter()
                .filter_map(|alias| match alias {
                    Alias::Email => email().filter(|_| user.email_verified),
                    Alias::PhoneNumber => phone().filter(|_| user.phone_verified),
                    // Whoever has yet to confirm his registration keeps nobody from the name.
                    Alias::PreferredUsername => {
                        self.preferred_username(user).filter(|_| user.status != UserStatus::Unconfirmed)
                    }
                })
                .collect(),
            Usernames::Contact { contacts } => contacts
                .iter()
                .filter_map(|contact| match contact {
                    Contact::Email => email(),
                    Contact::PhoneNumber => phone(),
                })
                .collect(),
        };
        Some(found)
    }

    fn preferred_username(&self, user: &User) -> Option<String> {
        let name = user.attributes.get("preferred_username")?;
        self.username(name).map(|name| name.key).ok()
    }

    /// Whether `name` is the user's: his username, one of his aliases, or his sub.
    pub(super) fn names(&self, user: &User, name: &str) -> bool {
        let NameKeys { username, alias } = self.name_keys(name);
        let verified = user.email_key.as_ref().filter(|_| user.email_verified && user.aliases.is_none());
        let is_alias = |key: &String| verified == Some(key) || user.aliases.iter().flatten().any(|alias| alias == key);
        username.is_some_and(|key| key == user.username_key)
            || alias.is_some_and(|key| is_alias(&key))
            || name == user.sub.to_string()
    }
}

/// A username in the form of an alias could be another's alias tomorrow (K09).
pub(super) fn refuse_alias_forms(aliases: &[Alias], text: &str) -> Result<(), Error> {
    let refused = |rule| Err(Rule::Form(rule).into());
    if aliases.contains(&Alias::Email) && EmailAddress::parse(text).is_ok() {
        return refused("Username cannot be of email format, since user pool is configured for email alias.");
    }
    if aliases.contains(&Alias::PhoneNumber) && import::check_phone(text).is_ok() {
        return refused(
            "Username cannot be of phone number format, since user pool is configured for phone_number alias.",
        );
    }
    Ok(())
}

fn call_by_contact(user: &mut User, contacts: &[Contact], text: &str) -> Result<(), Error> {
    let is = |contact: Contact| contacts.contains(&contact);
    if is(Contact::Email)
        && let Ok(email) = EmailAddress::parse(text)
    {
        (user.email, user.email_key) = (Some(email.shown), Some(email.key));
        return Ok(());
    }
    if is(Contact::PhoneNumber) && import::check_phone(text).is_ok() {
        user.phone = Some(text.to_owned());
        return Ok(());
    }
    Err(Rule::Form(match contacts {
        [Contact::Email] => "Username should be an email.",
        [Contact::PhoneNumber] => "Username should be a phone number.",
        _ => "Username should be either an email or a phone number.",
    })
    .into())
}
