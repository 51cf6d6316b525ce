//! Fields of a body: whether they are there, and how long they may be.

use std::ops::RangeInclusive;

use crate::error::Error;

/// Only the body's limit counts.
pub const ANY_LENGTH: RangeInclusive<usize> = 1..=usize::MAX;

/// A field that must be there, with a length in characters.
pub fn text(field: &'static str, value: Option<String>, length: RangeInclusive<usize>) -> Result<String, Error> {
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

/// Declares a body: its fields, all of them texts that must be there, with their lengths.
macro_rules! body {
    ($(#[doc = $doc:literal])+ $name:ident { $($field:ident: $length:expr),+ } -> $out:ty) => {
        $(#[doc = $doc])+
        #[derive(serde::Deserialize)]
        pub(super) struct $name { $($field: Option<String>),+ }

        impl $name {
            pub(super) fn check(self) -> Result<$out, $crate::error::Error> {
                $(let $field = $crate::api::field::text(stringify!($field), self.$field, $length)?;)+
                Ok(($($field),+))
            }
        }
    };
}

pub(super) use body;
