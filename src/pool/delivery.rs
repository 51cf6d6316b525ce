//! Where a code goes, as it may be told to whoever asked for it: masked, and made up for a name that means nobody.

use super::Pool;
use super::import::check_phone;
use super::name::EmailAddress;
use super::settings::Contact;
use crate::error::{Error, Rule};
use crate::store::directory::User;

/// What only a text message could do, where none is sent for it.
pub(super) const NO_SMS: Rule = Rule::Undeliverable("This server can not send SMS messages.");

/// Where a code was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What it proves.
    pub contact: Contact,
    /// Masked: `a***@e***`.
    pub destination: String,
}

impl Delivery {
    /// To an address, or to a number.
    pub(super) fn to(address: &str) -> Self {
        if address.starts_with('+') && !address.contains('@') {
            return Self { contact: Contact::PhoneNumber, destination: masked_number(address) };
        }
        Self { contact: Contact::Email, destination: masked(address) }
    }
}

impl Contact {
    /// Its attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// The attribute that says whether it is proven.
    pub(super) const fn flag(self) -> &'static str {
        match self {
            Self::Email => "email_verified",
            Self::PhoneNumber => "phone_number_verified",
        }
    }
}

impl Pool {
    /// What is told about a code: where the first of these contacts is that the user has proven, alike whether or not one is
    /// sent, so that it tells neither who may have one nor who has which second factor.
    pub(super) fn seen_delivery(&self, user: Option<&User>, name: &str, contacts: &[Contact]) -> Delivery {
        let own = user.and_then(|user| contacts.iter().find_map(|contact| self.reach(user, *contact)));
        own.map_or_else(|| self.seeming_delivery(name, contacts), Delivery::to)
    }

    /// The same about one that goes nowhere, always alike for one name, however it is spelled: at the contact that the name
    /// is, else at the first of these that the users of the pool prove.
    pub(super) fn seeming_delivery(&self, name: &str, contacts: &[Contact]) -> Delivery {
        let named = self.named_contact(name).filter(|contact| contacts.contains(contact));
        let proven = || contacts.iter().find(|contact| self.settings.auto_verify.contains(contact)).copied();
        match named.or_else(proven) {
            Some(Contact::PhoneNumber) => self.seeming_number(name),
            Some(Contact::Email) => self.seeming_address(name),
            None if contacts == [Contact::PhoneNumber] => self.seeming_number(name),
            None => self.seeming_address(name),
        }
    }

    fn seeming_address(&self, name: &str) -> Delivery {
        if let Ok(address) = EmailAddress::parse(name) {
            return Delivery::to(&address.shown);
        }
        let name = self.spelled(name);
        let [local, domain, ..] = self.secrets.absent.tag(&[b"delivery", name.as_bytes()]);
        let letter = |byte: u8| char::from(b'a' + byte % 26);
        Delivery { contact: Contact::Email, destination: format!("{}***@{}***", letter(local), letter(domain)) }
    }

    fn seeming_number(&self, name: &str) -> Delivery {
        if check_phone(name).is_ok() {
            return Delivery::to(name);
        }
        let name = self.spelled(name);
        let [a, b, c, d, ..] = self.secrets.absent.tag(&[b"number", name.as_bytes()]).map(|byte| byte % 10);
        Delivery { contact: Contact::PhoneNumber, destination: format!("+*******{a}{b}{c}{d}") }
    }

    fn spelled(&self, name: &str) -> String {
        self.username(name).map_or_else(|_| name.to_owned(), |name| name.key)
    }

    /// What a registration proves, by text message before mail where both are possible; nothing where the pool wants no
    /// proof of what was given.
    ///
    /// Errors: `Rule` when only a text message could.
    pub(super) fn to_prove(&self, gave: impl Fn(Contact) -> bool) -> Result<Option<Contact>, Error> {
        let asked = |contact: Contact| self.settings.auto_verify.contains(&contact) && gave(contact);
        match (asked(Contact::PhoneNumber), asked(Contact::Email)) {
            (true, _) if self.ports.texts => Ok(Some(Contact::PhoneNumber)),
            (_, true) => Ok(Some(Contact::Email)),
            (true, false) => Err(NO_SMS.into()),
            (false, false) => Ok(None),
        }
    }
}

/// Whether a user has this contact.
pub(super) fn has(user: &User, contact: Contact) -> bool {
    match contact {
        Contact::Email => user.email.is_some(),
        Contact::PhoneNumber => user.phone.is_some(),
    }
}

/// In small letters: how an address was typed would tell whether it is kept in another spelling.
fn masked(address: &str) -> String {
    let first = |part: &str| part.chars().next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    format!("{}***@{}***", first(local), first(domain))
}

/// All but the last four digits.
fn masked_number(number: &str) -> String {
    let digits = number.trim_start_matches('+');
    let hidden = digits.len().saturating_sub(4);
    let shown = digits.get(hidden..).unwrap_or_default();
    format!("+{}{shown}", "*".repeat(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_its_first_letters_are_told() {
        assert_eq!(masked("test@test.example"), "t***@t***");
        assert_eq!(masked("A@b.c"), "a***@b***");
        assert_eq!(masked_number("+12065559934"), "+*******9934");
        assert_eq!(masked_number("+123"), "+123");
    }
}
