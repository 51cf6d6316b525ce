//! Attributes of a user by their names, as Cognito has them: who may write and read which, and what writing does to a
//! proven address (contract cognito (g), Attributes). The native API has its own, in [`super::import`].

use super::name::EmailAddress;
use super::schema::{Attribute, is_standard};
use super::{Client, Pool, import};
use crate::error::{Error, Rule};
use crate::store::directory::User;

/// Names and values, as they were given.
pub type NamedValues = Vec<(String, String)>;

/// Who writes or reads attributes.
#[derive(Clone, Copy)]
pub enum Party<'a> {
    /// An administrator.
    Administrator,
    /// The user himself, through a client.
    Owner(&'a Client),
}

/// Whose attributes are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// A user's who is about to be made.
    New,
    /// A user's who is there.
    Present,
}

impl Client {
    /// Whether users may see this attribute through it: where nothing is said, the standard ones.
    pub fn reads(&self, name: &str) -> bool {
        let named = self.read_attributes.as_ref().map_or_else(|| is_standard(name), |names| names.contains(name));
        name == "sub" || (named && !is_for_developers(name))
    }

    /// Whether users may set this attribute through it. What is proven is never theirs to say (K08).
    pub fn writes(&self, name: &str) -> bool {
        let own = matches!(name, "sub" | "email_verified" | "phone_number_verified");
        let named = self.write_attributes.as_ref().map_or_else(|| is_standard(name), |names| names.contains(name));
        named && !own && !is_for_developers(name)
    }
}

fn is_for_developers(name: &str) -> bool {
    name.starts_with("dev:")
}

impl Pool {
    /// Gives a user attributes; an empty value takes one away. A changed address is no longer proven, unless an
    /// administrator says so in the same breath.
    ///
    /// Errors: `Rule` (not his to write, not in the schema, not to be changed), `InvalidParameter`.
    pub(super) fn write_attributes(
        &self,
        user: &mut User,
        party: Party<'_>,
        life: Life,
        values: &[(String, String)],
    ) -> Result<(), Error> {
        self.check_party(party, values)?;
        self.check_values(life, values)?;
        for (name, value) in values.iter().filter(|(name, _)| !is_flag(name)) {
            set(user, name, value)?;
        }
        // What is proven is about the addresses as they are now.
        for (name, value) in values.iter().filter(|(name, _)| is_flag(name)) {
            set_flag(user, name, value)?;
        }
        if life == Life::Present { self.check_not_emptied(user, values) } else { Ok(()) }
    }

    /// Takes attributes away. Errors: `Rule`.
    pub(super) fn delete_attributes(&self, user: &mut User, party: Party<'_>, names: &[String]) -> Result<(), Error> {
        let known = |name: &String| self.settings.schema.find(name).is_some() || user.attributes.contains_key(name);
        let unknown: String = names
            .iter()
            .filter(|name| !known(name))
            .map(|name| format!("user.{name}: Attribute does not exist in the schema.\n"))
            .collect();
        if !unknown.is_empty() {
            return Err(Rule::UnknownAttributes(unknown).into());
        }
        let empty: NamedValues = names.iter().map(|name| (name.clone(), String::new())).collect();
        self.write_attributes(user, party, Life::Present, &empty)
    }

    /// Whether a new user has every attribute that the schema requires. Errors: `Rule`.
    pub(super) fn check_required(&self, user: &User) -> Result<(), Error> {
        no_missing(self.settings.schema.required().filter(|name| value_of(user, name).is_none()))
    }

    fn check_not_emptied(&self, user: &User, values: &[(String, String)]) -> Result<(), Error> {
        let written = |name: &&str| values.iter().any(|(written, _)| written == name);
        no_missing(self.settings.schema.required().filter(written).filter(|name| value_of(user, name).is_none()))
    }

    fn check_party(&self, party: Party<'_>, values: &[(String, String)]) -> Result<(), Error> {
        let Party::Owner(client) = party else { return Ok(()) };
        // What is in no schema is told apart below, so that nothing about others' attributes is told here.
        let known = |name: &str| self.settings.schema.find(name).is_some();
        let forbidden = values.iter().any(|(name, _)| known(name) && !client.writes(name));
        if forbidden { Err(Rule::ForbiddenAttribute.into()) } else { Ok(()) }
    }

    fn check_values(&self, life: Life, values: &[(String, String)]) -> Result<(), Error> {
        let mut faults = String::new();
        for (name, value) in values {
            let Some(attribute) = self.settings.schema.find(name) else {
                faults.push_str(&format!("{name}: Attribute does not exist in the schema.\n"));
                continue;
            };
            let fixed = name == "sub" || (life == Life::Present && !attribute.mutable);
            if fixed {
                return Err(Rule::ImmutableAttribute(name.clone()).into());
            }
            if let Some(fault) = fault_of(&attribute, value)? {
                faults.push_str(&fault);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Rule::Schema(faults).into()) }
    }

    /// What a user's attributes are for this party: the sub first, the others as the schema has them; flags in words.
    pub fn attributes_for(&self, user: &User, party: Party<'_>) -> NamedValues {
        let schema = self.settings.schema.attributes();
        let known: Vec<String> = schema.into_iter().map(|attribute| attribute.name).collect();
        // The native API needs no schema for attributes of one's own.
        let others: Vec<String> = user.attributes.keys().filter(|name| !known.contains(name)).cloned().collect();
        let may_read = |name: &String| match party {
            Party::Administrator => true,
            Party::Owner(client) => client.reads(name),
        };
        let all = known.into_iter().chain(others).filter(may_read);
        all.filter_map(|name| value_of(user, &name).map(|value| (name, value))).collect()
    }
}

fn is_flag(name: &str) -> bool {
    matches!(name, "email_verified" | "phone_number_verified")
}

fn no_missing<'a>(missing: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let lines: String = missing.map(|name| format!("{name}: The attribute is required\n")).collect();
    if lines.is_empty() { Ok(()) } else { Err(Rule::Schema(lines).into()) }
}

/// A line about a value that the schema does not allow. Addresses are refused in words of their own.
fn fault_of(attribute: &Attribute, value: &str) -> Result<Option<String>, Error> {
    match (attribute.name.as_str(), attribute.check(value)) {
        (_, Ok(())) => Ok(None),
        ("email", Err(_)) => Err(Rule::Form("Invalid email address format.").into()),
        ("phone_number", Err(_)) => Err(Rule::Form("Invalid phone number format.").into()),
        (name, Err(Error::InvalidParameter { reason, .. })) => Ok(Some(format!("{name}: {reason}\n"))),
        (_, Err(error)) => Err(error),
    }
}

fn set(user: &mut User, name: &str, value: &str) -> Result<(), Error> {
    match name {
        "email" => set_email(user, value),
        "phone_number" => set_phone(user, value),
        _ if value.is_empty() => {
            user.attributes.remove(name);
            Ok(())
        }
        _ => {
            user.attributes.insert(name.to_owned(), value.to_owned());
            Ok(())
        }
    }
}

fn set_email(user: &mut User, value: &str) -> Result<(), Error> {
    let email = if value.is_empty() { None } else { Some(EmailAddress::parse(value)?) };
    let (shown, key) = email.map(|email| (email.shown, email.key)).unzip();
    user.email_verified &= key.is_some() && user.email_key == key;
    (user.email, user.email_key) = (shown, key);
    Ok(())
}

fn set_phone(user: &mut User, value: &str) -> Result<(), Error> {
    let phone = if value.is_empty() { None } else { Some(value.to_owned()) };
    if let Some(phone) = &phone {
        import::check_phone(phone)?;
    }
    user.phone_verified &= phone.is_some() && user.phone == phone;
    user.phone = phone;
    Ok(())
}

fn set_flag(user: &mut User, name: &str, value: &str) -> Result<(), Error> {
    let proven = value.eq_ignore_ascii_case("true");
    if name == "email_verified" {
        if user.email.is_none() && !value.is_empty() {
            return Err(Rule::Form("Email is required to verify/un-verify an email").into());
        }
        user.email_verified = proven;
    } else {
        if user.phone.is_none() && !value.is_empty() {
            return Err(Rule::Form("Phone Number is required to verify/un-verify a phone number").into());
        }
        user.phone_verified = proven;
    }
    Ok(())
}

/// What a user has under this name.
pub(super) fn value_of(user: &User, name: &str) -> Option<String> {
    match name {
        "sub" => Some(user.sub.to_string()),
        "email" => user.email.clone(),
        "email_verified" => user.email.as_ref().map(|_| user.email_verified.to_string()),
        "phone_number" => user.phone.clone(),
        "phone_number_verified" => user.phone.as_ref().map(|_| user.phone_verified.to_string()),
        _ => user.attributes.get(name).cloned(),
    }
}
