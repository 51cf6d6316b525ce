//! The bodies that `/v1` reads and the limits of their fields.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::error::Error;

const ANY_LENGTH: RangeInclusive<usize> = 1..=usize::MAX;

/// A field that must be there, with a length in characters.
fn text(field: &'static str, value: Option<String>, length: RangeInclusive<usize>) -> Result<String, Error> {
    let value = value.ok_or_else(|| Error::invalid(field, "is required."))?;
    if value.contains('\0') {
        // No name, password or token has one; databases refuse it, and older hashes end at it (D10, D13).
        return Err(Error::invalid(field, "must not contain NUL."));
    }
    let count = value.chars().count();
    if count == 0 {
        return Err(Error::invalid(field, "must not be empty."));
    }
    if count < *length.start() {
        return Err(Error::invalid(field, format!("must have at least {} characters.", length.start())));
    }
    if count > *length.end() {
        return Err(Error::invalid(field, format!("must have at most {} characters.", length.end())));
    }
    Ok(value)
}

macro_rules! body {
    ($(#[doc = $doc:literal])+ $name:ident { $($field:ident: $length:expr),+ } -> $out:ty) => {
        $(#[doc = $doc])+
        #[derive(Deserialize)]
        pub(super) struct $name { $($field: Option<String>),+ }

        impl $name {
            pub(super) fn check(self) -> Result<$out, Error> {
                $(let $field = text(stringify!($field), self.$field, $length)?;)+
                Ok(($($field),+))
            }
        }
    };
}

body! {
    /// POST /v1/login
    Login { username: 1..=255, password: 1..=255 } -> (String, String)
}
body! {
    /// POST /v1/token-refresh
    TokenRefresh { username: 1..=255, refresh_token: ANY_LENGTH } -> (String, String)
}
body! {
    /// POST /v1/token-revoke
    TokenRevoke { refresh_token: ANY_LENGTH } -> String
}
body! {
    /// POST /v1/forgot-password
    ForgotPassword { username: 1..=255 } -> String
}
body! {
    /// POST /v1/forgot-password-confirm
    ForgotPasswordConfirm { username: 1..=255, password: 1..=255, confirmation_code: 1..=2048 } -> (String, String, String)
}
body! {
    /// POST /v1/change-password
    ChangePassword { access_token: ANY_LENGTH, previous_password: 6..=256, proposed_password: 6..=256 } -> (String, String, String)
}
body! {
    /// POST /v1/new-password-required
    NewPasswordRequired { username: 1..=255, session: ANY_LENGTH, new_password: 6..=255 } -> (String, String, String)
}
