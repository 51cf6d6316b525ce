//! Users and their attributes as the Cognito API spells them, and what is said about where a code went.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::epoch;
use crate::pool::settings::Contact;
use crate::pool::{Delivery, NamedValues, Party, Pool, User, settings_of};

/// An attribute.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeType {
    pub(super) name: String,
    /// Without one the attribute is taken away.
    #[serde(default)]
    pub(super) value: String,
}

/// What was given of attributes.
pub(super) fn given(attributes: Vec<AttributeType>) -> NamedValues {
    attributes.into_iter().map(|attribute| (attribute.name, attribute.value)).collect()
}

/// What a party may see of a user's attributes.
pub(super) fn seen(pool: &Pool, user: &User, party: Party<'_>) -> Vec<AttributeType> {
    let attributes = pool.attributes_for(user, party);
    attributes.into_iter().map(|(name, value)| AttributeType { name, value }).collect()
}

/// The second factors that a user wants; nothing is said of one without.
#[derive(Serialize)]
pub(super) struct MfaSettings {
    #[serde(rename = "UserMFASettingList", skip_serializing_if = "Vec::is_empty")]
    list: Vec<&'static str>,
    #[serde(rename = "PreferredMfaSetting", skip_serializing_if = "Option::is_none")]
    preferred: Option<&'static str>,
}

impl MfaSettings {
    pub(super) fn of(user: &User) -> Result<Self, Fault> {
        let (list, preferred) = settings_of(user)?;
        Ok(Self { list, preferred })
    }
}

/// A user, as he is listed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserType {
    username: String,
    attributes: Vec<AttributeType>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
}

impl UserType {
    pub(super) fn new(pool: &Pool, user: &User) -> Self {
        Self {
            username: user.username.clone(),
            attributes: seen(pool, user, Party::Administrator),
            user_create_date: epoch(user.created_at),
            user_last_modified_date: epoch(user.updated_at),
            enabled: user.enabled,
            user_status: user.status.as_str(),
        }
    }

    /// With these attributes only.
    pub(super) fn only(mut self, names: Option<&[String]>) -> Self {
        self.attributes.retain(|attribute| names.is_none_or(|names| names.contains(&attribute.name)));
        self
    }
}

/// Where a code went.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeDeliveryDetailsType {
    destination: String,
    delivery_medium: &'static str,
    attribute_name: &'static str,
}

impl From<Delivery> for CodeDeliveryDetailsType {
    fn from(delivery: Delivery) -> Self {
        let delivery_medium = match delivery.contact {
            Contact::Email => "EMAIL",
            Contact::PhoneNumber => "SMS",
        };
        Self { destination: delivery.destination, delivery_medium, attribute_name: delivery.contact.as_str() }
    }
}

/// The output of operations that mail one code.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CodeDelivered {
    pub(super) code_delivery_details: CodeDeliveryDetailsType,
}

/// What is said when a new user's name is taken: where users are called by a contact, which one.
pub(super) fn taken(pool: &Pool, fault: Fault, username: &str, otherwise: &'static str) -> Fault {
    match pool.named_contact(username) {
        Some(contact) => fault.saying(format!("An account with the given {} already exists.", contact.as_str())),
        None => fault.saying(otherwise),
    }
}
