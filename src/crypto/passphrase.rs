//! A key from words that a person chose: Argon2id, at a price that makes guessing dear.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Random, SealKey, decode, encode};
use crate::error::Error;

const SALT_BYTES: usize = 16;
/// Most memory that a file may ask for: 1 GiB.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
/// Most memory times passes: a few seconds.
const MOST_WORK_KIB: u64 = 4 * 1024 * 1024;

/// How a key is made of a passphrase; no secret, and stands in front of what the key seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassphraseRule {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    salt: String,
}

impl PassphraseRule {
    /// The second choice of RFC 9106 §4, 64 MiB and three passes, with a new salt.
    pub fn new(random: &Random) -> Result<Self, Error> {
        let salt = encode(random.bytes::<SALT_BYTES>()?);
        Ok(Self { memory_kib: 64 * 1024, iterations: 3, parallelism: 4, salt })
    }

    /// The key. Errors: `InvalidParameter` for a rule that nobody here would make.
    pub fn key(&self, passphrase: &str) -> Result<SealKey, Error> {
        let wrong = || Error::invalid("the rule of the passphrase", "is not one that is followed here");
        let work = u64::from(self.memory_kib) * u64::from(self.iterations);
        let salt = decode(&self.salt).filter(|salt| salt.len() == SALT_BYTES);
        let salt = salt.filter(|_| self.memory_kib <= MOST_MEMORY_KIB && work <= MOST_WORK_KIB).ok_or_else(wrong)?;
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, None).map_err(|_| wrong())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, key.as_mut_slice())
            .map_err(|fault| Error::internal(format!("Argon2: {fault}")))?;
        SealKey::new(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_its_passphrase_and_salt_and_of_no_other() {
        let random = Random::default();
        let rule = PassphraseRule { memory_kib: 64, ..PassphraseRule::new(&random).unwrap() };
        let sealed = rule.key("correct horse").unwrap().seal(&random, b"x", b"secret").unwrap();
        assert_eq!(rule.key("correct horse").unwrap().open(b"x", &sealed).unwrap(), b"secret");
        assert!(rule.key("correct horsf").unwrap().open(b"x", &sealed).is_none());
        let other = PassphraseRule { salt: encode([7; 16]), ..rule.clone() };
        assert!(other.key("correct horse").unwrap().open(b"x", &sealed).is_none());
    }

    #[test]
    fn a_rule_that_would_take_the_machine_down_is_refused() {
        let rule = PassphraseRule::new(&Random::default()).unwrap();
        let dear = [
            PassphraseRule { memory_kib: u32::MAX, ..rule.clone() },
            PassphraseRule { iterations: u32::MAX, ..rule.clone() },
            PassphraseRule { iterations: 0, ..rule.clone() },
            PassphraseRule { salt: String::new(), ..rule.clone() },
        ];
        for rule in dear {
            assert!(rule.key("x").is_err(), "{rule:?}");
        }
    }
}
