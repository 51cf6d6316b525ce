//! What is kept of a password for SRP. It is as good as the password for guessing, so it rests sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::U3072;
use zeroize::Zeroizing;

use super::Identity;
use super::group::{self, BYTES, Element};
use crate::crypto::{self, MacKey, Random};
use crate::error::Error;

const SALT_BYTES: usize = 16;
/// Longest salt of a device; its client makes 16 bytes.
const LONGEST_SALT: usize = 64;

/// Salt and verifier of one password. Not `Debug`, so that it cannot be logged.
#[derive(Clone)]
pub struct Verifier {
    salt: Vec<u8>,
    v: Zeroizing<U3072>,
}

impl Verifier {
    /// Of a new password.
    pub fn new(random: &Random, owner: Identity<'_>, password: &str) -> Result<Self, Error> {
        Ok(Self::derive(&random.bytes::<SALT_BYTES>()?, owner, password))
    }

    /// x = H(PAD(salt) | H(pool | name | ":" | password)) and v = g^x.
    pub(super) fn derive(salt: &[u8], owner: Identity<'_>, password: &str) -> Self {
        let v = group::power_of_g(&x(salt, owner, password)).retrieve();
        Self { salt: group::minimal(salt).to_vec(), v: Zeroizing::new(v) }
    }

    /// A device's, which its client made: both are base64 of the number's bytes (`DeviceSecretVerifierConfig`).
    ///
    /// Errors: `InvalidParameter`.
    pub fn of_device(salt: &str, verifier: &str) -> Result<Self, Error> {
        let salt = decode(salt, LONGEST_SALT).ok_or_else(|| Error::invalid("Salt", "is not a salt in base64"))?;
        let v = decode(verifier, BYTES + 1).and_then(|bytes| group::read(&bytes));
        let v = v.ok_or_else(|| Error::invalid("PasswordVerifier", "is not a verifier in base64"))?;
        Ok(Self { salt: group::minimal(&salt).to_vec(), v: Zeroizing::new(v) })
    }

    /// Of a user who does not exist: the same at every call, so that nobody learns from the salt who does. It is
    /// made without a power, since unsealing a real one takes none either; no password fits it.
    pub fn simulated(key: &MacKey, pool_id: &str, name: &str) -> Self {
        let name = name.to_lowercase();
        let block = |part: u8| key.tag(&[b"srp", &[part], pool_id.as_bytes(), name.as_bytes()]);
        let salt = block(0).into_iter().take(SALT_BYTES).collect::<Vec<_>>();
        let v = Zeroizing::new((1..=12).flat_map(block).collect::<Vec<u8>>());
        let v = Element::new(&U3072::from_be_slice(&v)).retrieve();
        Self { salt: group::minimal(&salt).to_vec(), v: Zeroizing::new(v) }
    }

    /// `SALT` of the challenge.
    pub fn salt(&self) -> String {
        group::canonical_hex(&self.salt)
    }

    /// For sealing: the verifier's 384 bytes and then the salt.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.v.to_be_bytes().as_ref(), self.salt.as_slice()].concat())
    }

    /// What [`Verifier::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (v, salt) = bytes.split_at_checked(BYTES)?;
        Some(Self { salt: salt.to_vec(), v: Zeroizing::new(group::read(v)?) })
    }

    /// As a number to reckon with.
    pub(super) fn v(&self) -> Element {
        Element::new(&self.v)
    }
}

pub(super) fn x(salt: &[u8], owner: Identity<'_>, password: &str) -> Zeroizing<[u8; 32]> {
    let words = [owner.pool, owner.name, ":", password].map(str::as_bytes).concat();
    let inner = Zeroizing::new(crypto::sha256(Zeroizing::new(words).as_slice()));
    let outer = Zeroizing::new([group::pad(salt).as_slice(), inner.as_slice()].concat());
    Zeroizing::new(crypto::sha256(outer.as_slice()))
}

/// Base64 of 1 to `most` bytes.
fn decode(text: &str, most: usize) -> Option<Vec<u8>> {
    let short = text.len() <= most.div_ceil(3) * 4;
    let bytes = short.then(|| STANDARD.decode(text).ok()).flatten()?;
    (1..=most).contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::RootSecret;

    // K03: the same salt at every call, another one for every other name and pool.
    #[test]
    fn a_user_who_does_not_exist_has_one_verifier() {
        let key = RootSecret::new([7; 32]).mac_key("absent-user", "us-east-1_A").unwrap();
        let of = |pool: &str, name: &str| Verifier::simulated(&key, pool, name).to_bytes();
        assert_eq!(of("us-east-1_A", "Nobody@Example.com"), of("us-east-1_A", "nobody@example.com"));
        assert_ne!(of("us-east-1_A", "nobody"), of("us-east-1_B", "nobody"));
        assert_ne!(of("us-east-1_A", "nobody"), of("us-east-1_A", "nobody2"));
        let simulated = Verifier::simulated(&key, "us-east-1_A", "nobody");
        let real = Verifier::new(&Random::default(), Identity::user("us-east-1_A", "alice"), "secret").unwrap();
        assert_eq!(simulated.salt.len(), real.salt.len());
        assert!(Verifier::from_bytes(&simulated.to_bytes()).is_some());
    }

    #[test]
    fn the_salt_is_written_without_leading_zeros_and_rests_as_it_was() {
        let owner = Identity::user("us-east-1_A", "alice");
        let salt = [0, 0x0a, 0x47, 0xed, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let verifier = Verifier::derive(&salt, owner, "secret");
        assert_eq!(verifier.salt(), "a47ed000000000000000000000001");
        let bytes = verifier.to_bytes();
        let again = Verifier::from_bytes(&bytes).unwrap();
        assert_eq!((again.salt(), again.to_bytes()), (verifier.salt(), bytes.clone()));
        assert!(Verifier::from_bytes(&bytes[..BYTES - 1]).is_none());
        assert!(Verifier::from_bytes(&[0; BYTES + 16]).is_none());
    }

    #[test]
    fn a_device_brings_a_salt_and_a_verifier_in_the_group_and_nothing_else() {
        let of = |salt: &[u8], v: &[u8]| Verifier::of_device(&STANDARD.encode(salt), &STANDARD.encode(v));
        let modulus = group::MODULUS.as_ref().to_vec();
        let mut below = modulus.clone();
        *below.last_mut().unwrap() -= 1;
        assert!(of(&[0, 0xf0, 1], &[&[0], below.as_slice()].concat()).is_ok());
        assert_eq!(of(&[0, 0xf0, 1], &[5]).ok().unwrap().salt(), "f001");
        for v in [&[] as &[u8], &[0], &[0; 385], &modulus, &[0xff; 384], &[1; 385], &[1; 4000]] {
            let error = of(&[1], v).err().unwrap();
            assert_eq!(error.to_string(), "PasswordVerifier is not a verifier in base64");
        }
        for salt in [&[] as &[u8], &[1; 65]] {
            assert_eq!(of(salt, &[5]).err().unwrap().to_string(), "Salt is not a salt in base64");
        }
        assert!(Verifier::of_device("AQ==", "not base64!").is_err());
    }
}
