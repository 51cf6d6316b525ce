//! The fields that the Astera API reads: of a body or a query string, their names in any case.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::refusal::Fault;
use crate::api::http::BodyFault;
use crate::error::Error;

/// Longest name, address or password in characters; their own rules are narrower.
const TEXT_LIMIT: usize = 256;
/// Longest token in characters; ours are shorter.
const TOKEN_LIMIT: usize = 4096;
/// Groups in one call at most.
const ROLES_LIMIT: usize = 100;

/// Fields by their names in lower case.
#[derive(Default)]
pub(super) struct Fields(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = given.next_entry::<String, Value>()? {
                    let name = name.to_lowercase();
                    // Who reads the first and who reads the last must not see two different calls.
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                    fields.insert(name, value);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

impl Fields {
    pub(super) fn from_query(query: &str) -> Result<Self, Fault> {
        let malformed =
            || Fault::Body(BodyFault::Malformed("The query string is not valid, or has a field twice.".into()));
        serde_urlencoded::from_str(query).map_err(|_| malformed())
    }

    /// A field that was given; null is as good as nothing.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&name.to_lowercase()).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn optional(&self, name: &'static str, limit: usize) -> Result<Option<&str>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| Error::invalid(name, "must be a string."))?;
        check_text(name, text, limit)?;
        Ok(Some(text))
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, Error> {
        self.optional(name, TEXT_LIMIT)?.ok_or_else(|| Error::invalid(name, "is required."))
    }

    /// A text that may be there. An empty one counts as none, as forms send it.
    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        if self.get(name).and_then(Value::as_str) == Some("") {
            return Ok(None);
        }
        self.optional(name, TEXT_LIMIT)
    }

    /// A token or code that must be there.
    pub(super) fn token(&self, name: &'static str) -> Result<&str, Error> {
        self.optional(name, TOKEN_LIMIT)?.ok_or_else(|| Error::invalid(name, "is required."))
    }

    /// A token that may be there.
    pub(super) fn optional_token(&self, name: &'static str) -> Result<Option<&str>, Error> {
        self.optional(name, TOKEN_LIMIT)
    }

    /// A flag in any of the spellings that its callers have; false when it is not there.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Error> {
        let known = match self.get(name) {
            None => Some(false),
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Some(false),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Some(true),
            Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Some(Value::Number(_) | Value::Array(_) | Value::Object(_) | Value::Null) => None,
        };
        known.ok_or_else(|| Error::invalid(name, "must be true or false."))
    }

    /// Names: an array of texts, or one text, which is all that a form can say.
    pub(super) fn names(&self, name: &'static str) -> Result<Vec<String>, Error> {
        let wrong = || Error::invalid(name, "must be an array of strings.");
        let names: Vec<&str> = match self.get(name) {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect::<Result<_, _>>()?
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => return Err(wrong()),
        };
        if names.len() > ROLES_LIMIT {
            return Err(Error::invalid(name, format!("must have at most {ROLES_LIMIT} items.")));
        }
        names.iter().try_for_each(|item| check_text(name, item, TEXT_LIMIT))?;
        Ok(names.into_iter().map(str::to_owned).collect())
    }
}

fn check_text(name: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    if text.contains('\0') {
        // No name, password or token has one; databases refuse it, and older hashes end at it (D10, D13).
        return Err(Error::invalid(name, "must not contain NUL."));
    }
    match text.chars().count() {
        0 => Err(Error::invalid(name, "must not be empty.")),
        length if length > limit => Err(Error::invalid(name, format!("must have at most {limit} characters."))),
        _ => Ok(()),
    }
}
