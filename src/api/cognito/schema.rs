//! SchemaAttributeType: an attribute of a pool as Cognito writes it, both ways (contract cognito (h), Schema).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::pool::schema::{Attribute, DataType, Schema, is_standard};

/// Longest value, and so the greatest length that can be asked for.
const LONGEST: i64 = 2048;

/// An attribute on the wire. A custom one comes without its prefix and is described with it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SchemaAttribute {
    name: Option<String>,
    attribute_data_type: Option<DataType>,
    developer_only_attribute: Option<bool>,
    mutable: Option<bool>,
    required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_attribute_constraints: Option<NumberConstraints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_attribute_constraints: Option<StringConstraints>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NumberConstraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    min_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_value: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StringConstraints {
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<String>,
}

/// The schema of a new pool.
pub(super) fn schema_of(attributes: Vec<SchemaAttribute>) -> Result<Schema, Fault> {
    let mut schema = Schema::default();
    for attribute in attributes {
        let standard = attribute.name.as_deref().is_some_and(is_standard);
        let attribute = if standard { attribute.standard(&schema)? } else { attribute.custom()? };
        schema.add(attribute)?;
    }
    Ok(schema)
}

/// Refuses a custom attribute of a name that there is already.
pub(super) fn refuse_twin(schema: &Schema, attribute: &Attribute) -> Result<(), Fault> {
    let name = &attribute.name;
    match schema.find(name) {
        Some(_) => Err(Fault::invalid(format!("{name}: Existing attribute already has name {name}."))),
        None => Ok(()),
    }
}

impl SchemaAttribute {
    /// Describes an attribute.
    pub(super) fn of(attribute: &Attribute) -> Self {
        let text = |limit: Option<i64>| limit.map(|limit| limit.to_string());
        let (min, max) = (text(attribute.min), text(attribute.max));
        let number = || NumberConstraints { min_value: min.clone(), max_value: max.clone() };
        let string = || StringConstraints { min_length: min.clone(), max_length: max.clone() };
        Self {
            name: Some(attribute.name.clone()),
            attribute_data_type: Some(attribute.data_type),
            developer_only_attribute: Some(attribute.name.starts_with("dev:")),
            mutable: Some(attribute.mutable),
            required: Some(attribute.required),
            number_attribute_constraints: (attribute.data_type == DataType::Number).then(number),
            string_attribute_constraints: (attribute.data_type == DataType::String).then(string),
        }
    }

    /// What the pool says otherwise about a standard attribute.
    fn standard(self, schema: &Schema) -> Result<Attribute, Fault> {
        let name = self.name.clone().unwrap_or_default();
        let usual = schema.find(&name).ok_or_else(|| Fault::invalid(format!("{name} is not an attribute.")))?;
        let other_type = self.attribute_data_type.is_some_and(|kind| kind != usual.data_type);
        if other_type || self.developer_only_attribute == Some(true) {
            return Err(Fault::invalid(format!(
                "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute {name}"
            )));
        }
        let (min, max) = self.limits(&name, usual.data_type)?;
        Ok(Attribute {
            mutable: self.mutable.unwrap_or(usual.mutable),
            required: self.required.unwrap_or(usual.required),
            min: min.or(usual.min),
            max: max.or(usual.max),
            ..usual
        })
    }

    /// A custom attribute as users will carry it.
    pub(super) fn custom(self) -> Result<Attribute, Fault> {
        let name = self.name.clone().unwrap_or_default();
        if self.required == Some(true) {
            return Err(Fault::invalid("Required custom attributes are not supported currently."));
        }
        let data_type = self.attribute_data_type.ok_or_else(|| {
            Fault::invalid("Invalid AttributeDataType input, consider using the provided AttributeDataType enum.")
        })?;
        let (min, max) = self.limits(&name, data_type)?;
        let prefix = if self.developer_only_attribute == Some(true) { "dev:custom:" } else { "custom:" };
        Ok(Attribute {
            name: format!("{prefix}{name}"),
            data_type,
            mutable: self.mutable.unwrap_or(true),
            required: false,
            min,
            max,
        })
    }

    /// The limits that fit the type; those of another type are dropped, as Cognito does.
    fn limits(&self, name: &str, data_type: DataType) -> Result<(Option<i64>, Option<i64>), Fault> {
        match data_type {
            DataType::String => self.lengths(name),
            DataType::Number => self.values(name),
            DataType::Boolean | DataType::DateTime => Ok((None, None)),
        }
    }

    fn lengths(&self, name: &str) -> Result<(Option<i64>, Option<i64>), Fault> {
        let given = self.string_attribute_constraints.clone().unwrap_or_default();
        let whole = |text: Option<String>| {
            number(text, || format!("Invalid StringAttributeConstraints for schema attribute {name}"))
        };
        let (min, max) = (whole(given.min_length)?, whole(given.max_length)?);
        if min.max(max).is_some_and(|length| length > LONGEST) {
            return Err(Fault::invalid(format!(
                "user.{name}: String attributes cannot have a length of more than 2048"
            )));
        }
        if min.into_iter().chain(max).any(|length| length < 0) {
            return Err(Fault::invalid(format!("Invalid StringAttributeConstraints for schema attribute {name}")));
        }
        ordered(min, max, || format!("user.{name}: Max length cannot be less than min length."))
    }

    fn values(&self, name: &str) -> Result<(Option<i64>, Option<i64>), Fault> {
        let given = self.number_attribute_constraints.clone().unwrap_or_default();
        let whole = |text: Option<String>| {
            number(text, || format!("Invalid NumberAttributeConstraints for schema attribute {name}"))
        };
        let (min, max) = (whole(given.min_value)?, whole(given.max_value)?);
        ordered(min, max, || format!("user.{name}: Max value cannot be less than min value."))
    }
}

fn number(text: Option<String>, fault: impl FnOnce() -> String) -> Result<Option<i64>, Fault> {
    text.map(|text| text.parse().map_err(|_| ())).transpose().map_err(|()| Fault::invalid(fault()))
}

fn ordered(
    min: Option<i64>,
    max: Option<i64>,
    fault: impl FnOnce() -> String,
) -> Result<(Option<i64>, Option<i64>), Fault> {
    if min.zip(max).is_some_and(|(min, max)| max < min) { Err(Fault::invalid(fault())) } else { Ok((min, max)) }
}
