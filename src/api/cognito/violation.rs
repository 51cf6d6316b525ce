//! What an input breaks, in the words of Cognito (contract cognito (a)): clients match on them.

use serde_json::Value;

use super::fault::Fault;

/// Violations named in one answer at most: what a body breaks can be thousands of times its length.
const MOST: usize = 16;
/// Characters of a value that are repeated in an answer at most.
const LONGEST_VALUE: usize = 256;

/// Where in an input a value stands, in Cognito's spelling: `userAttributes.1.member.name`.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    path: String,
    /// The value or what surrounds it is a secret, or could name a person.
    sensitive: bool,
}

impl Place {
    pub(super) fn member(&self, name: &str, sensitive: bool) -> Self {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        self.below(&name).guarded(sensitive)
    }

    pub(super) fn item(&self, number: usize) -> Self {
        self.below(&format!("{number}.member"))
    }

    pub(super) fn entry(&self, key: &str) -> Self {
        self.below(&format!("{}.member", shortened(key)))
    }

    pub(super) fn guarded(&self, sensitive: bool) -> Self {
        Self { path: self.path.clone(), sensitive: self.sensitive || sensitive }
    }

    fn below(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, sensitive: self.sensitive }
    }
}

/// Everything that one input breaks.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    pub(super) fn add(&mut self, at: &Place, value: &Value, constraint: &str) {
        if self.0.len() < MOST {
            let value = if at.sensitive {
                String::new()
            } else if value.is_null() {
                " null".to_owned()
            } else {
                format!(" '{}'", shortened(&shown(value)))
            };
            self.0.push(format!("Value{value} at '{}' failed to satisfy constraint: {constraint}", at.path));
        }
    }

    /// What the keys, the values or the members break of a list or a map, which is named as a whole.
    pub(super) fn add_inner(&mut self, at: &Place, value: &Value, who: &str, broken: &[String]) {
        if !broken.is_empty() {
            self.add(at, value, &format!("{who} satisfy constraint: [{}]", broken.join(", ")));
        }
    }

    pub(super) fn into_result(self) -> Result<(), Fault> {
        match self.0.as_slice() {
            [] => Ok(()),
            [one] => Err(Fault::invalid(format!("1 validation error detected: {one}"))),
            many => Err(Fault::invalid(format!("{} validation errors detected: {}", many.len(), many.join("; ")))),
        }
    }
}

/// A value as Java spells it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{key}={}", shown(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn shortened(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(LONGEST_VALUE).collect();
    if letters.next().is_none() { start } else { format!("{start}...") }
}
