//! What a user signs in with besides his username, as the pool has it, and how a name that somebody typed is read.

use super::Pool;
use super::name::{EmailAddress, Username};
use super::settings::{Alias, Contact, Usernames};
use crate::error::Error;
use crate::store::directory::User;

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
                    Alias::PreferredUsername => self.preferred_username(user),
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
