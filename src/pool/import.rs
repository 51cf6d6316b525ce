//! Taking over users of another system, with their password hashes where there are any.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::name::EmailAddress;
use super::{Pool, hash};
use crate::error::Error;
use crate::store::directory::{User, UserStatus};

const LONGEST_VALUE: usize = 2048;

/// One user of another system.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct ImportedUser {
    /// The name.
    pub username: String,
    /// Kept where given, so that tokens name the same subject as before.
    pub sub: Option<Uuid>,
    /// The address.
    pub email: Option<String>,
    /// Whether it is proven.
    pub email_verified: bool,
    /// E.164.
    pub phone: Option<String>,
    /// Whether it is proven.
    pub phone_verified: bool,
    /// bcrypt, scrypt, PBKDF2-SHA256 or Argon2; replaced by Argon2id at the first sign-in. Without one the user must
    /// reset his password by mail.
    pub password_hash: Option<String>,
    /// Groups to join; they must exist.
    pub groups: Vec<String>,
    /// Other attributes by name.
    pub attributes: BTreeMap<String, String>,
}

impl std::fmt::Debug for ImportedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names, addresses and hashes stay out of logs.
        f.write_str("ImportedUser([redacted])")
    }
}

impl Pool {
    /// Makes the user as he was elsewhere. Errors as of [`Pool::create_user`].
    pub async fn import_user(&self, draft: ImportedUser) -> Result<User, Error> {
        self.ports.directory.create_user(&self.imported(draft)?).await
    }

    /// Makes many users at once, which is faster, each as [`Pool::import_user`] does; one outcome a user in their order.
    /// An error of the whole means that none was made.
    pub async fn import_users(&self, drafts: Vec<ImportedUser>) -> Result<Vec<Result<User, Error>>, Error> {
        let (mut users, mut refusals) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        for draft in drafts {
            let user = self.imported(draft);
            refusals.push(user.map(|user| users.push(user)).err());
        }
        let mut made = self.ports.directory.create_users(&users).await?.into_iter();
        let outcome = |refusal: Option<Error>| match refusal {
            Some(refusal) => Err(refusal),
            None => made.next().unwrap_or_else(|| Err(Error::internal("a user of a batch has no outcome"))),
        };
        Ok(refusals.into_iter().map(outcome).collect())
    }

    fn imported(&self, draft: ImportedUser) -> Result<User, Error> {
        let username = self.username(&draft.username)?;
        let email = draft.email.as_deref().map(EmailAddress::parse).transpose()?;
        if let Some(stored) = &draft.password_hash {
            hash::accepts(stored).map_err(|reason| Error::invalid("password_hash", reason))?;
        }
        if let Some(phone) = &draft.phone {
            check_phone(phone)?;
        }
        check_attributes(&draft.attributes)?;
        if draft.groups.iter().any(|group| group.contains('\0')) {
            return Err(Error::invalid("groups", "must not contain NUL"));
        }
        let mut user = self.blank_user(username, email)?;
        user.sub = draft.sub.unwrap_or(user.sub);
        user.email_verified = user.email.is_some() && draft.email_verified;
        user.phone_verified = draft.phone.is_some() && draft.phone_verified;
        user.phone = draft.phone;
        user.status = if draft.password_hash.is_some() { UserStatus::Confirmed } else { UserStatus::ResetRequired };
        user.password = draft.password_hash;
        user.groups = draft.groups;
        user.attributes = draft.attributes;
        user.aliases = self.aliases_of(&user);
        Ok(user)
    }
}

pub(super) fn check_phone(phone: &str) -> Result<(), Error> {
    let digits = phone.strip_prefix('+').filter(|digits| (1..=15).contains(&digits.len()));
    let right = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if right { Ok(()) } else { Err(Error::invalid("phone_number", "must be + and 1 to 15 digits")) }
}

const STANDARD_ATTRIBUTES: [&str; 15] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "address",
    "updated_at",
];

/// Whether a user may have an attribute of this name besides address and number. Claims that Cognate itself sets can
/// not come from outside (K08).
pub fn is_attribute(name: &str) -> bool {
    let custom = name.strip_prefix("custom:").is_some_and(|rest| (1..=20).contains(&rest.len()));
    custom || STANDARD_ATTRIBUTES.contains(&name)
}

pub(super) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, value) in attributes {
        if !is_attribute(name) {
            return Err(Error::invalid(name.clone(), "is not an attribute (use custom:NAME for your own)"));
        }
        if value.len() > LONGEST_VALUE || value.contains('\0') {
            return Err(Error::invalid(name.clone(), "must be at most 2048 bytes without NUL"));
        }
    }
    Ok(())
}
