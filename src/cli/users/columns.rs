//! What the columns of an import file mean, and one line of it as a user. Reasons name the column, never a value.

use std::collections::BTreeSet;

use csv::ByteRecord;
use uuid::Uuid;

use crate::pool::{ImportedUser, is_attribute};

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Username,
    Sub,
    Email,
    EmailVerified,
    Phone,
    PhoneVerified,
    PasswordHash,
    Groups,
    /// Of Cognito's own template; only "no" can be kept.
    MfaEnabled,
    Attribute(String),
}

/// The columns of a file, in its order.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// Reads the header line; everything wrong with it comes in one message.
    pub(super) fn read(header: &ByteRecord) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let unknown: Vec<_> =
            names.iter().filter(|name| column(name).is_none()).map(|name| format!("`{name}`")).collect();
        if !unknown.is_empty() {
            return Err(format!(
                "line 1: unknown column {}; there are username (or cognito:username), sub, email, email_verified, \
                 phone_number, phone_number_verified, password_hash, groups, Cognito's standard attributes and custom:NAME",
                unknown.join(", ")
            ));
        }
        let columns: Vec<Column> = names.iter().filter_map(|name| column(name)).collect();
        if columns.iter().collect::<BTreeSet<_>>().len() < columns.len() {
            return Err("line 1: a column is there twice".to_owned());
        }
        if !columns.contains(&Column::Username) {
            return Err("line 1: there is no column username (or cognito:username)".to_owned());
        }
        Ok(Self(columns))
    }

    /// One line as a user.
    pub(super) fn user(&self, record: &ByteRecord) -> Result<ImportedUser, String> {
        if record.len() != self.0.len() {
            return Err(format!("has {} values, but there are {} columns", record.len(), self.0.len()));
        }
        let mut user = ImportedUser::default();
        for (column, value) in self.0.iter().zip(record) {
            let value = std::str::from_utf8(value).map_err(|_| "is not UTF-8")?;
            if !value.is_empty() {
                put(&mut user, column, value)?;
            }
        }
        Ok(user)
    }
}

fn column(name: &str) -> Option<Column> {
    Some(match name {
        "username" | "cognito:username" => Column::Username,
        "sub" => Column::Sub,
        "email" => Column::Email,
        "email_verified" => Column::EmailVerified,
        "phone_number" => Column::Phone,
        "phone_number_verified" => Column::PhoneVerified,
        "password_hash" => Column::PasswordHash,
        "groups" => Column::Groups,
        "cognito:mfa_enabled" => Column::MfaEnabled,
        name if is_attribute(name) => Column::Attribute(name.to_owned()),
        _ => return None,
    })
}

fn put(user: &mut ImportedUser, column: &Column, value: &str) -> Result<(), String> {
    match column {
        Column::Username => value.clone_into(&mut user.username),
        Column::Sub => user.sub = Some(Uuid::parse_str(value).map_err(|_| "sub is not a UUID")?),
        Column::Email => user.email = Some(value.to_owned()),
        Column::EmailVerified => user.email_verified = flag("email_verified", value)?,
        Column::Phone => user.phone = Some(value.to_owned()),
        Column::PhoneVerified => user.phone_verified = flag("phone_number_verified", value)?,
        Column::PasswordHash => user.password_hash = Some(value.to_owned()),
        Column::Groups => user.groups = groups(value),
        Column::MfaEnabled if flag("cognito:mfa_enabled", value)? => {
            return Err("cognito:mfa_enabled is true, but a second factor can not be taken over".to_owned());
        }
        Column::MfaEnabled => {}
        Column::Attribute(name) => drop(user.attributes.insert(name.clone(), value.to_owned())),
    }
    Ok(())
}

fn flag(column: &str, value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{column} must be true or false")),
    }
}

fn groups(value: &str) -> Vec<String> {
    let mut groups: Vec<String> = value.split(';').map(|name| name.trim().to_owned()).collect();
    groups.retain(|name| !name.is_empty());
    groups.sort();
    groups.dedup();
    groups
}
