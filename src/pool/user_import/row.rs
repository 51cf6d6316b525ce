//! One line of an import file as a user, by the rules of Cognito's import and of the pool. Reasons never hold a value.

use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

use super::super::attribute::{Life, NamedValues, Party};
use super::super::factor::{Factor, Factors, Preference};
use super::super::settings::{Contact, MfaMode};
use super::super::{Pool, hash};
use super::csv::{MFA_ENABLED, PASSWORD_HASH, USERNAME};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};

/// What the passwords of a file are hashed with (Cognito's PasswordHashingAlgorithm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HashAlgorithm {
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// `$scrypt$`.
    Scrypt,
    /// `$argon2id$`.
    Argon2id,
    /// `$pbkdf2-sha256$`, or Django's `pbkdf2_sha256$`.
    #[serde(rename = "PBKDF2_SHA256")]
    Pbkdf2Sha256,
}

impl HashAlgorithm {
    fn made(self, stored: &str) -> bool {
        let prefixes: &[&str] = match self {
            Self::Bcrypt => &["$2a$", "$2b$", "$2y$"],
            Self::Scrypt => &["$scrypt$"],
            Self::Argon2id => &["$argon2id$"],
            Self::Pbkdf2Sha256 => &["$pbkdf2-sha256$", "pbkdf2_sha256$"],
        };
        prefixes.iter().any(|prefix| stored.starts_with(prefix))
    }
}

impl Pool {
    /// The user of a line. Errors: why not, in a sentence.
    pub(super) fn user_of_row(
        &self,
        row: Vec<(String, String)>,
        hashes: Option<HashAlgorithm>,
    ) -> Result<User, String> {
        let (own, mut values): (Vec<_>, NamedValues) =
            row.into_iter().filter(|(_, value)| !value.is_empty()).partition(|(name, _)| name.starts_with("cognito:"));
        let own = |name: &str| own.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let username = own(USERNAME).ok_or("The row has no cognito:username.")?;
        drop_idle_flags(&mut values);
        self.check_mfa(own(MFA_ENABLED))?;
        self.check_verified(&values)?;
        turn_birthdate(&mut values)?;
        let mut user = self.named_user(username).map_err(words)?;
        let named = (user.email.clone(), user.phone.clone());
        self.write_attributes(&mut user, Party::Administrator, Life::New, &values).map_err(words)?;
        self.check_called(&user, &named).and_then(|()| self.check_required(&user)).map_err(words)?;
        if self.settings.mfa.mode == MfaMode::Optional
            && own(MFA_ENABLED).is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
        {
            self.want_texts(&mut user)?;
        }
        user.password = own(PASSWORD_HASH).map(|stored| checked(stored, hashes)).transpose()?;
        user.status = if user.password.is_some() { UserStatus::Confirmed } else { UserStatus::ResetRequired };
        Ok(user)
    }

    /// Cognito's flag is about codes by text message. A factor that he had must not be lost on the way.
    fn want_texts(&self, user: &mut User) -> Result<(), String> {
        if !(self.settings.mfa.sms && user.phone_verified) {
            return Err("cognito:mfa_enabled is true, but the user can not be sent codes by text message.".to_owned());
        }
        let mut factors = Factors::default();
        factors.prefer(Factor::Sms, Preference { enabled: true, preferred: false });
        factors.write(user).map_err(words)
    }

    fn check_mfa(&self, flag: Option<&str>) -> Result<(), String> {
        let enabled = match flag {
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err("cognito:mfa_enabled must be true or false.".to_owned()),
        };
        match (self.settings.mfa.mode, enabled) {
            (MfaMode::Off, true) => Err("cognito:mfa_enabled is true, but MFA is off in the user pool.".to_owned()),
            (MfaMode::On, false) => Err("cognito:mfa_enabled is false, but the user pool requires MFA.".to_owned()),
            (MfaMode::Off | MfaMode::On | MfaMode::Optional, _) => Ok(()),
        }
    }

    /// What a code of the pool goes to must be the user's for sure: he gets his password by it.
    fn check_verified(&self, values: &NamedValues) -> Result<(), String> {
        let is_true = |name| values.iter().any(|(own, value)| own == name && value.eq_ignore_ascii_case("true"));
        let verified = self.settings.auto_verify.iter().any(|contact| match contact {
            Contact::Email => is_true("email_verified"),
            Contact::PhoneNumber => is_true("phone_number_verified"),
        });
        if verified {
            return Ok(());
        }
        // As Cognito's own log has it.
        Err("The User Record does not set any of the auto verified attributes to true. (Example: email_verified to \
             true)."
            .to_owned())
    }
}

/// That an address is not proven which there is not says nothing.
fn drop_idle_flags(values: &mut NamedValues) {
    for (contact, flag) in [("email", "email_verified"), ("phone_number", "phone_number_verified")] {
        if !values.iter().any(|(name, _)| name == contact) {
            values.retain(|(name, value)| name != flag || !value.eq_ignore_ascii_case("false"));
        }
    }
}

/// The file has `mm/dd/yyyy`, the attribute `yyyy-mm-dd`.
fn turn_birthdate(values: &mut NamedValues) -> Result<(), String> {
    for (_, value) in values.iter_mut().filter(|(name, _)| name == "birthdate") {
        let date = Date::parse(value, format_description!("[month]/[day]/[year]"));
        let date = date.ok().filter(|_| value.len() == 10);
        let text = date.and_then(|date| date.format(format_description!("[year]-[month]-[day]")).ok());
        *value = text.ok_or("birthdate must be a date in the form mm/dd/yyyy.")?;
    }
    Ok(())
}

fn checked(stored: &str, algorithm: Option<HashAlgorithm>) -> Result<String, String> {
    if !algorithm.is_some_and(|algorithm| algorithm.made(stored)) {
        return Err("The password hash is not of the algorithm of the job.".to_owned());
    }
    hash::accepts(stored).map_err(|reason| format!("The password hash {reason}."))?;
    Ok(stored.to_owned())
}

/// A refusal for the log of a job.
pub(super) fn words(error: Error) -> String {
    error.to_string().trim_end().replace('\n', "; ")
}
