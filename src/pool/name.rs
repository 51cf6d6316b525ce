//! Names and addresses, made canonical once at the edge: a value of these types is already safe to compare, to show and
//! to write into a mail header.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

use crate::error::Error;

const NAME_LIMIT: usize = 128;
/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const EMAIL_LIMIT: usize = 254;

/// A username, as it is shown and as it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Username {
    /// In Unicode's NFC.
    pub shown: String,
    /// The same in lower case; two names are one user exactly when these are equal, code point by code point.
    pub key: String,
}

/// An email address, as it was given and as it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    /// As it was given; mail goes here.
    pub shown: String,
    /// The same in lower case.
    pub key: String,
}

macro_rules! hidden_in_logs {
    ($($name:ident),+) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    )+ };
}
hidden_in_logs!(Username, EmailAddress);

impl Username {
    /// Takes 1 to 128 letters, marks, digits, symbols and punctuation of any script, with single spaces inside.
    /// Everything that is invisible, or that normalisation would turn into another character (the Kelvin sign into
    /// `K`), is refused and never folded: a look-alike must not become somebody else's name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let shown = visible("username", text)?;
        Ok(Self { key: folded(&shown), shown })
    }
}

/// An organization's name, as it is shown and as it is compared; the rules are those of usernames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationName {
    /// In Unicode's NFC.
    pub shown: String,
    /// The same in lower case.
    pub key: String,
}

impl OrganizationName {
    /// As [`Username::parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let shown = visible("organization", text)?;
        Ok(Self { key: folded(&shown), shown })
    }
}

/// A person's given or family name in Unicode's NFC, without the space around it: 1 to 128 characters, none that
/// controls. It is only ever shown, so joiners and look-alikes, which some names need, may stay.
pub fn person_name(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    check_size(field, text)?;
    if text.chars().any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        return Err(Error::invalid(field, "must not contain control characters"));
    }
    normal(field, text)
}

fn visible(field: &'static str, text: &str) -> Result<String, Error> {
    check_size(field, text)?;
    if text.chars().any(|character| !allowed(character)) {
        return Err(Error::invalid(field, "must not contain invisible or control characters"));
    }
    if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
        return Err(Error::invalid(field, "must not begin or end with a space or contain two in a row"));
    }
    normal(field, text)
}

/// Normalisation may change the length, but never fourfold: no work on a name that cannot fit.
fn check_size(field: &'static str, text: &str) -> Result<(), Error> {
    if text.chars().count() > 4 * NAME_LIMIT { Err(too_long(field)) } else { Ok(()) }
}

fn normal(field: &'static str, text: &str) -> Result<String, Error> {
    let shown: String = text.nfc().collect();
    match shown.chars().count() {
        0 => Err(Error::invalid(field, "must not be empty")),
        1..=NAME_LIMIT => Ok(shown),
        _ => Err(too_long(field)),
    }
}

pub(super) fn folded(shown: &str) -> String {
    shown.to_lowercase().nfc().collect()
}

fn too_long(field: &'static str) -> Error {
    Error::invalid(field, "must have at most 128 characters")
}

fn allowed(character: char) -> bool {
    let visible = match character.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => !blank(character),
        GeneralCategoryGroup::Separator => character == ' ',
        GeneralCategoryGroup::Other => false,
    };
    visible && !becomes_another(character)
}

/// Letters and marks that Unicode lists as Default_Ignorable_Code_Point: they show nothing.
fn blank(character: char) -> bool {
    matches!(character,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether NFC replaces this character by one other character.
fn becomes_another(character: char) -> bool {
    let mut normal = std::iter::once(character).nfc();
    normal.next() != Some(character) && normal.next().is_none()
}

impl EmailAddress {
    /// Takes a bare ASCII address of at most 254 characters; no display name, no quoted local part, no line breaks.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > EMAIL_LIMIT {
            return Err(Error::invalid("email", "must have at most 254 characters"));
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b',');
        if !text.bytes().all(plain) || text.parse::<lettre::Address>().is_err() {
            return Err(Error::invalid("email", "must be an email address in ASCII"));
        }
        Ok(Self { shown: text.to_owned(), key: text.to_ascii_lowercase() })
    }

    /// The username of somebody who is called by his address; the longest addresses are too long for that.
    pub fn as_username(&self) -> Result<Username, Error> {
        Username::parse(&self.shown).map_err(|_| too_long("email"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        Username::parse(text).ok().map(|name| name.key)
    }

    #[test]
    fn a_name_is_shown_as_given_and_compared_in_lower_case() {
        let name = Username::parse("Alice.Müller+1@corp").unwrap();
        assert_eq!((name.shown.as_str(), name.key.as_str()), ("Alice.Müller+1@corp", "alice.müller+1@corp"));
        assert_eq!(key("e\u{301}va"), key("\u{c9}VA"), "composed and decomposed are one name");
        assert_eq!(key("ΟΔΟΣ"), key("οδος"));
        assert!(key("Mary Ann").is_some() && key("你好").is_some() && key("नमस्ते").is_some());
    }

    #[test]
    fn no_look_alike_is_another_name() {
        // D12
        let kevin = key("kevin").unwrap();
        for look_alike in [
            "\u{ff4b}evin",
            "\u{212a}evin",
            "kev\u{131}n",
            "KEV\u{130}N",
            "k\u{435}vin",
            "ke\u{200b}vin",
            "kevin\u{200d}",
            "\u{feff}kevin",
            "kevin ",
            " kevin",
            "kevin\u{a0}",
            "kevin\0",
            "kevin\n",
            "\u{202e}kevin",
            "kevin\u{ad}",
            "kevin\u{fe0f}",
            "kev\u{34f}in",
            "kevin\u{3164}",
            "kevin\u{e0041}",
            "kevin\u{2028}",
            "ｋｅｖｉｎ",
        ] {
            assert_ne!(key(look_alike), Some(kevin.clone()), "{look_alike:?}");
        }
        for refused in
            ["\u{212a}evin", "\u{212b}", "\u{2126}", "a\u{e000}", "a\u{378}", "a\u{ffff}", "a\tb", "a  b", "", " "]
        {
            assert_eq!(key(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_name_has_at_most_128_characters_after_normalisation() {
        assert!(key(&"x".repeat(128)).is_some());
        assert!(key(&"e\u{301}".repeat(128)).is_some());
        assert!(key(&"x".repeat(129)).is_none());
        assert!(key(&"e\u{301}".repeat(100_000)).is_none());
    }

    #[test]
    fn an_address_is_ascii_and_one_line() {
        // E08
        let address = EmailAddress::parse("Ann.O'Neil+x@Example.COM").unwrap();
        assert_eq!(
            (address.shown.as_str(), address.key.as_str()),
            ("Ann.O'Neil+x@Example.COM", "ann.o'neil+x@example.com")
        );
        for refused in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@example.com\r\nBcc: eve@example.com",
            "ann@example.com\n",
            "\"ann\"@example.com",
            "Ann <ann@example.com>",
            "ann@example.com,eve@example.com",
            "änn@example.com",
            "ann@ex\u{212a}ample.com",
            "a nn@example.com",
            "ann@b@example.com",
        ] {
            assert!(EmailAddress::parse(refused).is_err(), "{refused:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@{}.example", "a".repeat(64), "b".repeat(200))).is_err());
    }
}
