//! What a new password must be, and passwords made up for others.

use serde::{Deserialize, Serialize};

use crate::crypto::Random;
use crate::error::Error;

/// 20,000 most common passwords (see NOTICE), those of 8 characters and more.
const COMMON: &str = include_str!("common-passwords.txt");
/// Cognito's limit as well.
const LENGTH_LIMIT: usize = 256;
/// Cognito's list of symbols (contract cognito (g)).
const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ";
/// Letters, digits and symbols that nobody confuses, that need no quoting in a shell and begin no option.
const CLEAR: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789+=_@";
const GENERATED_LENGTH: usize = 20;

/// The rules for new passwords of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "style", rename_all = "snake_case", deny_unknown_fields)]
pub enum PasswordPolicy {
    /// NIST SP 800-63B: length, a list of common passwords and the own name; no rules of composition.
    Nist {
        /// Least number of characters.
        min_length: u32,
    },
    /// Cognito's rules of composition, about the Latin letters A to Z, and nothing else.
    Cognito {
        /// Least number of characters.
        min_length: u32,
        /// At least one of A to Z.
        require_uppercase: bool,
        /// At least one of a to z.
        require_lowercase: bool,
        /// At least one of 0 to 9.
        require_numbers: bool,
        /// At least one symbol of Cognito's list.
        require_symbols: bool,
    },
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::Nist { min_length: 8 }
    }
}

impl PasswordPolicy {
    /// Refuses a password with the first rule it breaks. `own` are the user's names and addresses, compared without
    /// regard to case, an address also by its part before the `@`.
    pub fn check(&self, password: &str, own: &[&str]) -> Result<(), Error> {
        let length = password.chars().count();
        let long_enough = |min_length: u32| length >= usize::try_from(min_length).unwrap_or(usize::MAX);
        let has = |wanted: fn(char) -> bool| password.chars().any(wanted);
        let rules = match *self {
            Self::Nist { min_length } => vec![
                (long_enough(min_length), "Password not long enough"),
                (length <= LENGTH_LIMIT, "Password is too long"),
                (!is_common(password), "Password is too common"),
                (!is_own_name(password, own), "Password must not be your own name"),
            ],
            Self::Cognito { min_length, require_uppercase, require_lowercase, require_numbers, require_symbols } => {
                vec![
                    (password.trim() == password, "Password must not begin or end with white space"),
                    (long_enough(min_length), "Password not long enough"),
                    (length <= LENGTH_LIMIT, "Password is too long"),
                    (!require_uppercase || has(|c| c.is_ascii_uppercase()), "Password must have uppercase characters"),
                    (!require_lowercase || has(|c| c.is_ascii_lowercase()), "Password must have lowercase characters"),
                    (!require_numbers || has(|c| c.is_ascii_digit()), "Password must have numeric characters"),
                    (!require_symbols || has(|c| SYMBOLS.contains(c)), "Password must have symbol characters"),
                ]
            }
        };
        rules.iter().find(|(kept, _)| !kept).map_or(Ok(()), |(_, broken)| Err(Error::InvalidPassword((*broken).into())))
    }

    /// Whether the least length is one that people can keep: NIST's 8 to 64, Cognito's 6 to 99.
    pub(super) fn check_numbers(&self) -> Result<(), Error> {
        let (within, range) = match *self {
            Self::Nist { min_length } => ((8..=64).contains(&min_length), "must be 8 to 64"),
            Self::Cognito { min_length, .. } => ((6..=99).contains(&min_length), "must be 6 to 99"),
        };
        if within { Ok(()) } else { Err(Error::invalid("least password length", range)) }
    }

    /// A password that keeps the rules, of at least 20 characters (116 bits) that are not confused when read aloud
    /// or copied by hand.
    pub fn generate(&self, random: &Random) -> Result<String, Error> {
        let (Self::Nist { min_length } | Self::Cognito { min_length, .. }) = *self;
        let length = usize::try_from(min_length).unwrap_or(usize::MAX).clamp(GENERATED_LENGTH, LENGTH_LIMIT);
        // Two of three keep all rules of composition; only a policy that nothing keeps exhausts the tries.
        for _ in 0..100 {
            let password = random.text(CLEAR, length)?;
            if self.check(&password, &[]).is_ok() {
                return Ok(password);
            }
        }
        Err(Error::internal("no password keeps the pool's policy"))
    }
}

/// A walk through the list takes a tenth of a millisecond, beside a hash of fifteen.
fn is_common(password: &str) -> bool {
    let password = password.to_lowercase();
    COMMON.lines().any(|common| common == password)
}

/// The name itself, or the name with nothing but digits and signs around it (`alice`, `Alice2026!`).
fn is_own_name(password: &str, own: &[&str]) -> bool {
    let password = password.to_lowercase();
    own.iter()
        .map(|name| name.to_lowercase())
        .flat_map(|name| [name.split('@').next().unwrap_or_default().to_owned(), name])
        .any(|name| name == password || (name.contains(char::is_alphabetic) && is_dressed(&password, &name)))
}

fn is_dressed(password: &str, name: &str) -> bool {
    let around = password.split_once(name);
    around.is_some_and(|(before, after)| !before.contains(char::is_alphabetic) && !after.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIST: PasswordPolicy = PasswordPolicy::Nist { min_length: 8 };
    const COGNITO: PasswordPolicy = PasswordPolicy::Cognito {
        min_length: 8,
        require_uppercase: true,
        require_lowercase: true,
        require_numbers: true,
        require_symbols: true,
    };

    fn refusal(policy: PasswordPolicy, password: &str) -> Option<String> {
        match policy.check(password, &["Alice", "a.smith@example.com", "kevin86"]) {
            Ok(()) => None,
            Err(Error::InvalidPassword(text)) => Some(text.into_owned()),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn only_length_blocklist_and_own_name_decide() {
        // S18, F05
        for fine in ["quietlamp", "        x", "пароль-длинный", "🐈🐈🐈🐈🐈🐈🐈🐈", "correct horse battery staple"]
        {
            assert_eq!(refusal(NIST, fine), None, "{fine}");
        }
        assert_eq!(refusal(NIST, &"ab".repeat(128)), None);
        assert_eq!(refusal(NIST, &"ab".repeat(129)).unwrap(), "Password is too long");
        assert_eq!(refusal(NIST, "seven77").unwrap(), "Password not long enough");
        assert_eq!(refusal(NIST, "ééééééé").unwrap(), "Password not long enough", "characters count, not bytes");
        for common in ["password", "Password1", "QWERTYUIOP", "iloveyou", "12345678"] {
            assert_eq!(refusal(NIST, common).unwrap(), "Password is too common", "{common}");
        }
        for own in ["alice2026!", "A.SMITH@example.com", "...a.smith...", "kevin862026!"] {
            assert_eq!(refusal(NIST, own).unwrap(), "Password must not be your own name", "{own}");
        }
    }

    #[test]
    fn cognito_names_the_first_broken_rule() {
        for (password, rule) in [
            ("a", "Password not long enough"),
            ("aaaaaaaa", "Password must have uppercase characters"),
            ("AAAAAAAA", "Password must have lowercase characters"),
            ("aaaaAAAA", "Password must have numeric characters"),
            ("aaaaAAA1", "Password must have symbol characters"),
            ("aaaaAAA1§", "Password must have symbol characters"),
            (" aaaAA1!", "Password must not begin or end with white space"),
            ("ÄÄÄÄäää1!", "Password must have uppercase characters"),
        ] {
            assert_eq!(refusal(COGNITO, password).unwrap(), rule, "{password}");
        }
        for fine in ["Password1!", "aaaAAA 11", "aaaAAA1\"", "aaaAAA1=", "aaaAAA1\\"] {
            assert_eq!(refusal(COGNITO, fine), None, "{fine}");
        }
    }

    #[test]
    fn a_generated_password_keeps_the_policy_and_is_never_the_same() {
        let random = Random::default();
        let long = PasswordPolicy::Nist { min_length: 40 };
        for policy in [NIST, COGNITO, long] {
            let (one, other) = (policy.generate(&random).unwrap(), policy.generate(&random).unwrap());
            assert_eq!(refusal(policy, &one), None);
            assert!(one != other && one.len() >= 20 && !one.contains(['0', 'O', 'o', '1', 'l', 'I']));
        }
        assert!(PasswordPolicy::Nist { min_length: 300 }.generate(&random).is_err());
    }

    #[test]
    fn the_policy_is_written_with_its_style() {
        assert_eq!(serde_json::to_string(&PasswordPolicy::default()).unwrap(), r#"{"style":"nist","min_length":8}"#);
        let read: PasswordPolicy = serde_json::from_str(r#"{"style":"nist","min_length":12}"#).unwrap();
        assert_eq!(read, PasswordPolicy::Nist { min_length: 12 });
    }
}
