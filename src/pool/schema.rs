//! Which attributes the users of a pool may have and what their values may be: OIDC's standard ones as the pool has
//! them, and its own (contract cognito (h), Schema). How names and addresses are compared is in [`super::name`].

use serde::{Deserialize, Serialize};

use super::name::EmailAddress;
use crate::error::Error;

/// Bytes of a value.
const LONGEST_VALUE: usize = 2048;
/// Custom attributes of a pool.
const MOST_CUSTOM: usize = 50;

/// What an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// Text; limits are about its characters.
    String,
    /// A whole number; limits are about its value.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant (RFC 3339).
    DateTime,
}

/// An attribute that users of a pool may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// As users carry it: `email`, `custom:team`, `dev:custom:team`.
    pub name: String,
    /// What its values are.
    pub data_type: DataType,
    /// Whether it can be written after the user was made.
    pub mutable: bool,
    /// Whether every user must have it.
    pub required: bool,
    /// Least length or value.
    pub min: Option<i64>,
    /// Greatest length or value.
    pub max: Option<i64>,
}

/// Name, type and limits of the standard attributes, in Cognito's order.
const STANDARD: [(&str, DataType, Option<i64>, Option<i64>); 20] = [
    ("sub", DataType::String, Some(1), Some(2048)),
    ("name", DataType::String, Some(0), Some(2048)),
    ("given_name", DataType::String, Some(0), Some(2048)),
    ("family_name", DataType::String, Some(0), Some(2048)),
    ("middle_name", DataType::String, Some(0), Some(2048)),
    ("nickname", DataType::String, Some(0), Some(2048)),
    ("preferred_username", DataType::String, Some(0), Some(2048)),
    ("profile", DataType::String, Some(0), Some(2048)),
    ("picture", DataType::String, Some(0), Some(2048)),
    ("website", DataType::String, Some(0), Some(2048)),
    ("email", DataType::String, Some(0), Some(2048)),
    ("email_verified", DataType::Boolean, None, None),
    ("gender", DataType::String, Some(0), Some(2048)),
    ("birthdate", DataType::String, Some(10), Some(10)),
    ("zoneinfo", DataType::String, Some(0), Some(2048)),
    ("locale", DataType::String, Some(0), Some(2048)),
    ("phone_number", DataType::String, Some(0), Some(2048)),
    ("phone_number_verified", DataType::Boolean, None, None),
    ("address", DataType::String, Some(0), Some(2048)),
    ("updated_at", DataType::Number, Some(0), None),
];

/// The attributes of a pool: what it says otherwise about standard ones, then its custom ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(Vec<Attribute>);

impl Schema {
    /// Every attribute there is: the standard ones, then the custom ones as they were added.
    pub fn attributes(&self) -> Vec<Attribute> {
        let standard = STANDARD.iter().map(|(name, ..)| self.own(name).cloned().unwrap_or_else(|| usual(name)));
        standard.chain(self.0.iter().filter(|attribute| !is_standard(&attribute.name)).cloned()).collect()
    }

    /// The attribute of this name.
    pub fn find(&self, name: &str) -> Option<Attribute> {
        self.own(name).cloned().or_else(|| is_standard(name).then(|| usual(name)))
    }

    fn own(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// The names that every user must have a value for.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|attribute| attribute.required && attribute.name != "sub").map(|found| found.name.as_str())
    }

    /// Adds a custom attribute, or says otherwise about a standard one. Errors: `InvalidParameter` in Cognito's words.
    pub fn add(&mut self, attribute: Attribute) -> Result<(), Error> {
        let name = &attribute.name;
        if self.own(name).is_some() {
            return Err(Error::invalid(name.clone(), format!("Existing attribute already has name {name}.")));
        }
        if !is_standard(name) && self.0.iter().filter(|own| !is_standard(&own.name)).count() >= MOST_CUSTOM {
            return Err(Error::invalid(name.clone(), "Too many custom attributes: there may be 50."));
        }
        self.0.push(attribute);
        Ok(())
    }
}

/// Whether the name is one of OIDC's.
pub fn is_standard(name: &str) -> bool {
    STANDARD.iter().any(|(standard, ..)| *standard == name)
}

/// A standard attribute as pools have it that say nothing about it.
fn usual(name: &str) -> Attribute {
    let found = STANDARD.iter().find(|(standard, ..)| *standard == name);
    let (data_type, min, max) = found.map_or((DataType::String, None, None), |(_, kind, min, max)| (*kind, *min, *max));
    let sub = name == "sub";
    Attribute { name: name.to_owned(), data_type, mutable: !sub, required: sub, min, max }
}

impl Attribute {
    /// Whether `value` is one that this attribute may have. Errors: `InvalidParameter`, never with the value in it.
    pub fn check(&self, value: &str) -> Result<(), Error> {
        let refused = |reason: String| Err(Error::invalid(self.name.clone(), reason));
        if value.len() > LONGEST_VALUE || value.contains('\0') {
            return refused("must be at most 2048 bytes without NUL".to_owned());
        }
        match self.name.as_str() {
            // An empty value takes the attribute away.
            "email" if !value.is_empty() => EmailAddress::parse(value).map(drop),
            "phone_number" if !value.is_empty() => super::import::check_phone(value),
            _ => self.fits(value).map_or(Ok(()), refused),
        }
    }

    fn fits(&self, value: &str) -> Option<String> {
        let within = |size: i64| self.min.is_none_or(|min| size >= min) && self.max.is_none_or(|max| size <= max);
        let kept = match self.data_type {
            DataType::String => value.is_empty() || within(value.chars().count().try_into().unwrap_or(i64::MAX)),
            DataType::Number => value.is_empty() || value.parse().is_ok_and(within),
            DataType::Boolean => matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | ""),
            DataType::DateTime => value.is_empty() || is_instant(value),
        };
        (!kept).then(|| format!("must be {}", self.form()))
    }

    fn form(&self) -> String {
        let (min, max) = (self.min.map(|min| min.to_string()), self.max.map(|max| max.to_string()));
        let range = match (min, max) {
            (Some(min), Some(max)) => format!(" of {min} to {max}"),
            (Some(min), None) => format!(" of {min} or more"),
            (None, Some(max)) => format!(" of at most {max}"),
            (None, None) => String::new(),
        };
        match self.data_type {
            DataType::String => format!("a text{range} characters"),
            DataType::Number => format!("a whole number{range}"),
            DataType::Boolean => "true or false".to_owned(),
            DataType::DateTime => "a date and time (RFC 3339)".to_owned(),
        }
    }
}

fn is_instant(value: &str) -> bool {
    time::OffsetDateTime::parse(value, &time::format_description::well_known::Rfc3339).is_ok()
}
