//! The bodies that pm415 reads, judged as the original's validation library judges them: the fields in their order,
//! the first fault named by its label, and only then a field that nobody knows (contract seeds §2).

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::refusal::Refusal;
use crate::pool::name::EmailAddress;

const EMAIL: &str = "Email";
const PASSWORD: &str = "Password";
const CONFIRMATION: &str = "Confirmation";
const TERMS: &str = "Terms of Service";
/// A token has no label.
const TOKEN: &str = "token";

/// The fields of a body in their order.
#[derive(Default)]
pub(in crate::api) struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some((name, value)) = source.next_entry::<String, Value>()? {
            match fields.iter_mut().find(|(known, _)| *known == name) {
                // What is given twice is a list, as in the original's forms; no field takes one (D14).
                Some((_, first)) => *first = Value::Array(vec![first.take(), value]),
                None => fields.push((name, value)),
            }
        }
        Ok(Fields(fields))
    }
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// A text that may be absent but not empty.
    fn optional(&mut self, name: &str, label: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(fault(label, "is not allowed to be empty")),
            // No name, password or token has one; databases refuse it, and older hashes end at it (D10, D13).
            Some(Value::String(text)) if text.contains('\0') => Err(fault(label, "must not contain NUL")),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(fault(label, "must be a string"))
            }
        }
    }

    fn text(&mut self, name: &str, label: &str) -> Result<String, Refusal> {
        self.optional(name, label)?.ok_or_else(|| fault(label, "is required"))
    }

    fn email(&mut self) -> Result<String, Refusal> {
        let text = self.text("email", EMAIL)?;
        EmailAddress::parse(&text).map(|email| email.shown).map_err(|_| fault(EMAIL, "must be a valid email"))
    }

    /// A new password of at least `least` characters.
    fn password(&mut self, least: u32) -> Result<String, Refusal> {
        let text = self.text("password", PASSWORD)?;
        if text.chars().count() < usize::try_from(least).unwrap_or(usize::MAX) {
            return Err(fault(PASSWORD, &format!("length must be at least {least} characters long")));
        }
        Ok(text)
    }

    fn confirmation(&mut self, password: &str) -> Result<(), Refusal> {
        if self.text("confirmation", CONFIRMATION)? == password {
            Ok(())
        } else {
            Err(fault(CONFIRMATION, "must match password"))
        }
    }

    /// A truth, or what a form has for one; none when it is absent.
    fn truth(&mut self, name: &str, label: &str) -> Result<Option<bool>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                Err(fault(label, "must be a boolean"))
            }
        }
    }

    /// `Y` is what the documentation says; `true` is what the web client sends.
    fn terms(&mut self) -> Result<(), Refusal> {
        let name = "tosAccepted";
        if let Some((_, value)) = self.0.iter_mut().find(|(known, value)| known == name && *value == "Y") {
            *value = Value::Bool(true);
        }
        match self.truth(name, TERMS)? {
            Some(true) => Ok(()),
            Some(false) => Err(fault(TERMS, "must be accepted")),
            None => Err(fault(TERMS, "is required")),
        }
    }

    /// Every field was taken.
    fn no_more(self) -> Result<(), Refusal> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(fault(name, "is not allowed")))
    }
}

fn fault(label: &str, reason: &str) -> Refusal {
    Refusal::input(format!("\"{label}\" {reason}"))
}

/// POST /api/account/login
pub(super) struct Login {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) invitation: Option<String>,
}

impl Login {
    pub(super) fn check(mut fields: Fields) -> Result<Self, Refusal> {
        let email = fields.text("email", EMAIL)?;
        let password = fields.text("password", PASSWORD)?;
        let invitation = fields.optional("token", TOKEN)?;
        fields.no_more()?;
        Ok(Self { email, password, invitation })
    }
}

/// POST /api/account/forgotpassword
pub(super) struct ForgotPassword {
    pub(super) email: String,
}

impl ForgotPassword {
    pub(super) fn check(mut fields: Fields) -> Result<Self, Refusal> {
        let email = fields.email()?;
        fields.no_more()?;
        Ok(Self { email })
    }
}

/// POST /api/account/register
pub(super) struct Register {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) joins: Joins,
}

/// What somebody registers into.
pub(super) enum Joins {
    /// An organization of his own, by its name.
    Organization(String),
    /// The one that an invitation names, by its token.
    Invitation(String),
}

impl Register {
    pub(super) fn check(mut fields: Fields, least: u32) -> Result<Self, Refusal> {
        let email = fields.email()?;
        let password = fields.password(least)?;
        let first_name = fields.text("firstName", "First Name")?;
        let last_name = fields.text("lastName", "Last Name")?;
        fields.confirmation(&password)?;
        fields.terms()?;
        let organization = fields.optional("organization", "Organization")?;
        let token = fields.optional("token", TOKEN)?;
        fields.no_more()?;
        let joins = match (token, organization) {
            (Some(token), _) => Joins::Invitation(token),
            (None, Some(name)) => Joins::Organization(name),
            (None, None) => return Err(fault("Organization", "is required")),
        };
        Ok(Self { email, password, first_name, last_name, joins })
    }
}

/// POST /api/account/changepassword
pub(super) struct ChangePassword {
    pub(super) token: String,
    pub(super) password: String,
}

impl ChangePassword {
    pub(super) fn check(mut fields: Fields, least: u32) -> Result<Self, Refusal> {
        let token = fields.text("token", TOKEN)?;
        let password = fields.password(least)?;
        fields.confirmation(&password)?;
        fields.no_more()?;
        Ok(Self { token, password })
    }
}

/// POST /api/org/{id}/invitelink
pub(in crate::api) struct Invite {
    pub(in crate::api) email: String,
    pub(in crate::api) send: bool,
}

impl Invite {
    pub(in crate::api) fn check(mut fields: Fields) -> Result<Self, Refusal> {
        let email = fields.email()?;
        let send = fields.truth("send", "send")?.unwrap_or(false);
        fields.no_more()?;
        Ok(Self { email, send })
    }
}
