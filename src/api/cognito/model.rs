//! What the input of each operation must be: Cognito's own description (`model.json`, made from botocore by
//! `tests/clients/cognito_model.py`), and the check of a body against it (contract cognito (a)).

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::violation::{Place, Violations};
use crate::error::Error;

static MODEL: LazyLock<Result<Model, String>> = LazyLock::new(|| {
    let mut model: Model = serde_json::from_str(include_str!("model.json")).map_err(|fault| fault.to_string())?;
    model.compiled = model.patterns.keys().map(|pattern| (pattern.clone(), OnceLock::new())).collect();
    Ok(model)
});

/// The description.
#[derive(Deserialize)]
pub(super) struct Model {
    operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
    /// A pattern of Java's, which shows in messages, and the same for Rust.
    patterns: HashMap<String, String>,
    #[serde(skip)]
    compiled: HashMap<String, OnceLock<Option<Regex>>>,
}

#[derive(Deserialize)]
struct Operation {
    input: String,
    signed: bool,
}

/// A type of Cognito's, with what its values must keep.
#[derive(Deserialize)]
struct Shape {
    #[serde(flatten)]
    kind: Kind,
    min: Option<i64>,
    max: Option<i64>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    values: Vec<String>,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Kind {
    Structure {
        members: BTreeMap<String, String>,
        #[serde(default)]
        required: Vec<String>,
        /// Any JSON.
        #[serde(default)]
        document: bool,
    },
    List {
        member: String,
    },
    Map {
        key: String,
        value: String,
    },
    String,
    Integer,
    Boolean,
    Blob,
}

impl Kind {
    fn is_scalar(&self) -> bool {
        matches!(self, Self::String | Self::Integer | Self::Boolean | Self::Blob)
    }
}

/// The description. Errors: `Internal` when it is broken, which a test rules out.
pub(super) fn model() -> Result<&'static Model, Error> {
    MODEL.as_ref().map_err(|fault| Error::internal(fault.clone()))
}

impl Model {
    /// The name of an operation that Cognito has.
    pub(super) fn operation(&'static self, name: &str) -> Option<&'static str> {
        self.operations.get_key_value(name).map(|(name, _)| name.as_str())
    }

    /// Every operation that Cognito has, and whether it is signed.
    pub(super) fn operations(&'static self) -> impl Iterator<Item = (&'static str, bool)> {
        self.operations.iter().map(|(name, operation)| (name.as_str(), operation.signed))
    }

    /// Checks the input of an operation. Errors: what is not of its type, before what breaks a constraint.
    pub(super) fn check(&self, operation: &str, input: &Value) -> Result<(), Fault> {
        let shape = self.operations.get(operation).map_or("", |operation| &operation.input);
        let mut found = Violations::default();
        self.walk(self.shape(shape)?, input, &Place::default(), &mut found)?;
        found.into_result()
    }

    fn shape(&self, name: &str) -> Result<&Shape, Fault> {
        self.shapes.get(name).ok_or_else(|| Error::internal(format!("the model has no shape {name}")).into())
    }

    /// The depth is the shapes', none of which is made of itself.
    fn walk(&self, shape: &Shape, value: &Value, at: &Place, found: &mut Violations) -> Result<(), Fault> {
        match (&shape.kind, value) {
            (Kind::Structure { document: true, .. }, _) => Ok(()),
            (Kind::Structure { members, required, .. }, Value::Object(fields)) => {
                for (name, member) in members {
                    let member = self.shape(member)?;
                    let at = at.member(name, member.sensitive);
                    match fields.get(name) {
                        Some(value) => self.walk(member, value, &at, found)?,
                        None if required.contains(name) => found.add(&at, &Value::Null, "Member must not be null"),
                        None => {}
                    }
                }
                Ok(())
            }
            (Kind::List { member }, Value::Array(items)) => {
                self.keeps(shape, value, at, found)?;
                self.walk_list(self.shape(member)?, items, value, at, found)
            }
            (Kind::Map { key, value: of }, Value::Object(entries)) => {
                self.keeps(shape, value, at, found)?;
                self.walk_map((self.shape(key)?, self.shape(of)?), entries, value, at, found)
            }
            _ => self.keeps(shape, value, at, found),
        }
    }

    fn walk_list(
        &self,
        member: &Shape,
        items: &[Value],
        list: &Value,
        at: &Place,
        found: &mut Violations,
    ) -> Result<(), Fault> {
        if !member.kind.is_scalar() {
            let mut numbered = items.iter().zip(1_usize..);
            return numbered.try_for_each(|(item, number)| self.walk(member, item, &at.item(number), found));
        }
        let at = at.guarded(member.sensitive);
        found.add_inner(&at, list, "Member must", &self.broken_by_any(member, items.iter())?);
        Ok(())
    }

    fn walk_map(
        &self,
        (key, of): (&Shape, &Shape),
        entries: &Map<String, Value>,
        map: &Value,
        at: &Place,
        found: &mut Violations,
    ) -> Result<(), Fault> {
        let at = at.guarded(key.sensitive || of.sensitive);
        let names: Vec<Value> = entries.keys().map(|name| Value::from(name.as_str())).collect();
        found.add_inner(&at, map, "Map keys must", &self.broken_by_any(key, names.iter())?);
        if of.kind.is_scalar() {
            found.add_inner(&at, map, "Map value must", &self.broken_by_any(of, entries.values())?);
            return Ok(());
        }
        entries.iter().try_for_each(|(name, value)| self.walk(of, value, &at.entry(name), found))
    }

    fn keeps(&self, shape: &Shape, value: &Value, at: &Place, found: &mut Violations) -> Result<(), Fault> {
        self.broken(shape, value)?.iter().for_each(|constraint| found.add(at, value, constraint));
        Ok(())
    }

    /// What of a shape any of these values breaks, each constraint once.
    fn broken_by_any<'a>(&self, shape: &Shape, values: impl Iterator<Item = &'a Value>) -> Result<Vec<String>, Fault> {
        let mut all: Vec<String> = Vec::new();
        for value in values {
            let broken = self.broken(shape, value)?;
            all.extend(broken.into_iter().filter(|constraint| !all.contains(constraint)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    /// What of its shape this value breaks by itself. Errors: it is of another type.
    fn broken(&self, shape: &Shape, value: &Value) -> Result<Vec<String>, Fault> {
        let least_and_most = |size: i64, what: &str| {
            let least = shape.min.filter(|least| size < *least);
            let most = shape.max.filter(|most| size > *most);
            let less = least.map(|least| format!("Member must have {what} greater than or equal to {least}"));
            let more = most.map(|most| format!("Member must have {what} less than or equal to {most}"));
            less.into_iter().chain(more).collect::<Vec<_>>()
        };
        let sized = |size: usize| least_and_most(i64::try_from(size).unwrap_or(i64::MAX), "length");
        match (&shape.kind, value) {
            (Kind::String, Value::String(text)) => {
                let mut broken = sized(text.chars().count());
                broken.extend(self.broken_pattern(shape, text));
                if !shape.values.is_empty() && !shape.values.contains(text) {
                    broken.push(format!("Member must satisfy enum value set: [{}]", shape.values.join(", ")));
                }
                Ok(broken)
            }
            (Kind::Blob, Value::String(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Ok(sized(bytes.len())),
                Err(_) => Err(Fault::unreadable("A blob must be base64.")),
            },
            (Kind::Integer, Value::Number(number)) => match number.as_i64().and_then(|n| i32::try_from(n).ok()) {
                Some(number) => Ok(least_and_most(number.into(), "value")),
                None => Err(Fault::unreadable("NUMBER_VALUE can not be converted to Integer")),
            },
            (Kind::Boolean, Value::Bool(_)) => Ok(Vec::new()),
            (Kind::List { .. }, Value::Array(items)) => Ok(sized(items.len())),
            (Kind::Map { .. }, Value::Object(entries)) => Ok(sized(entries.len())),
            (kind, value) => Err(Fault::unreadable(wrong_type(kind, value))),
        }
    }

    /// The whole text has to match. A pattern that does not compile matches nothing; a test compiles all.
    fn broken_pattern(&self, shape: &Shape, text: &str) -> Option<String> {
        let java = shape.pattern.as_ref()?;
        let rust = self.patterns.get(java)?;
        let compiled = self.compiled.get(java)?.get_or_init(|| Regex::new(&format!(r"\A(?:{rust})\z")).ok());
        let matches = compiled.as_ref().is_some_and(|pattern| pattern.is_match(text));
        (!matches).then(|| format!("Member must satisfy regular expression pattern: {java}"))
    }
}

fn wrong_type(wanted: &Kind, found: &Value) -> String {
    let wanted = match wanted {
        Kind::Structure { .. } => "a structure",
        Kind::List { .. } => "a list",
        Kind::Map { .. } => "a map",
        Kind::String => "a String",
        Kind::Integer => "Integer",
        Kind::Boolean => "Boolean",
        Kind::Blob => "a blob",
    };
    match found {
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => "Start of list found where not expected.".to_owned(),
        Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
        Value::Null => format!("NULL_VALUE can not be converted to {wanted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_there_and_every_pattern_compiles() {
        let model = model().unwrap();
        for shape in model.shapes.values() {
            let parts: Vec<&String> = match &shape.kind {
                Kind::Structure { members, .. } => members.values().collect(),
                Kind::List { member } => vec![member],
                Kind::Map { key, value } => vec![key, value],
                Kind::String | Kind::Integer | Kind::Boolean | Kind::Blob => Vec::new(),
            };
            assert!(parts.into_iter().all(|part| model.shapes.contains_key(part)));
            assert!(shape.pattern.iter().all(|pattern| model.patterns.contains_key(pattern)));
        }
        for rust in model.patterns.values() {
            assert!(Regex::new(&format!(r"\A(?:{rust})\z")).is_ok(), "{rust}");
        }
    }
}
