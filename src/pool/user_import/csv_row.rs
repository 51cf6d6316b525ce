//! A user as a line of Cognito's import format: the way out.

use time::Date;
use time::macros::format_description;

use super::super::attribute::value_of;
use super::super::settings::MfaMode;
use super::super::{Pool, settings_of};
use super::csv::{MFA_ENABLED, USERNAME, join};
use crate::error::Error;
use crate::store::directory::User;

/// The line of a user under this header. Errors: `Internal` when his second factors can not be read.
pub fn cognito_row(pool: &Pool, user: &User, header: &[String]) -> Result<String, Error> {
    let (factors, _) = settings_of(user)?;
    let mfa = match pool.settings.mfa.mode {
        MfaMode::On => true,
        MfaMode::Optional => !factors.is_empty(),
        MfaMode::Off => false,
    };
    let values = header.iter().map(|name| match name.as_str() {
        USERNAME => pool.shown_name(user).to_owned(),
        MFA_ENABLED => mfa.to_string(),
        "birthdate" => value_of(user, name).map(turned).unwrap_or_default(),
        // Cognito wants the flags of every row.
        "email_verified" | "phone_number_verified" => value_of(user, name).unwrap_or_else(|| "false".to_owned()),
        name => value_of(user, name).unwrap_or_default(),
    });
    Ok(join(values.collect::<Vec<_>>().iter().map(String::as_str)))
}

/// The attribute has `yyyy-mm-dd`, the file `mm/dd/yyyy`; whatever else it is stays.
fn turned(value: String) -> String {
    let date = Date::parse(&value, format_description!("[year]-[month]-[day]")).ok();
    date.and_then(|date| date.format(format_description!("[month]/[day]/[year]")).ok()).unwrap_or(value)
}
