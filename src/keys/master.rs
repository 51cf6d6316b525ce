//! Master keys: they seal the secrets that rest in the store. The operator holds several at a time while one
//! follows another: the first seals, all open.

use std::fmt::{Debug, Formatter};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::crypto::{Random, RootSecret, decode, encode};
use crate::error::Error;

const KEY_BYTES: usize = 32;
const ID_LENGTH: usize = 16;
const FORMAT: &str = "v1";
const LENIENT: GeneralPurposeConfig = NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
const SPELLINGS: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&alphabet::STANDARD, LENIENT), GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT)];

/// Why a sealed text did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed by a master key that is not among those given.
    #[error("it was sealed by master key {key_id}, which is not among the master keys given")]
    UnknownKey {
        /// The id of that key; tells nothing about the key itself.
        key_id: String,
    },
    /// It is not what was sealed, or it was sealed for another place.
    #[error("it is damaged, or belongs elsewhere")]
    Damaged,
}

impl From<OpenError> for Error {
    fn from(fault: OpenError) -> Self {
        Self::internal(fault)
    }
}

struct MasterKey {
    id: String,
    // Kept as the secret, not as a cipher's state: the cipher's is not wiped when dropped.
    secret: RootSecret,
}

impl MasterKey {
    fn new(secret: RootSecret) -> Result<Self, Error> {
        let mut id = hex::encode(secret.mac_key("master-key-id", "")?.tag(&[]));
        id.truncate(ID_LENGTH);
        Ok(Self { id, secret })
    }
}

/// The master keys in force.
pub struct MasterKeys {
    current: MasterKey,
    former: Vec<MasterKey>,
}

impl Debug for MasterKeys {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKeys([redacted])")
    }
}

impl MasterKeys {
    /// Reads keys of 32 bytes (base64, base64url or hex) separated by white space. The fault says which one is
    /// wrong, never its value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (index, word) in text.split_whitespace().enumerate() {
            let key = read(word).map_err(|fault| format!("master key {} {fault}", index + 1))?;
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or("there is no master key")?;
        Ok(Self { current, former: keys.collect() })
    }

    /// The id of the first key, which seals; it tells nothing about the key itself.
    pub fn id(&self) -> &str {
        &self.current.id
    }

    /// Whether these are the same keys in the same order.
    pub fn same_as(&self, other: &Self) -> bool {
        self.all().map(|key| &key.id).eq(other.all().map(|key| &key.id))
    }

    /// A new key as text for a key file.
    pub fn generate(random: &Random) -> Result<String, Error> {
        let bytes = Zeroizing::new(random.bytes::<KEY_BYTES>()?);
        Ok(STANDARD.encode(bytes.as_slice()))
    }

    /// `v1.<key id>.<base64url>` of `plain`, bound to `context`: it opens only with the same context.
    pub fn seal(&self, random: &Random, context: &str, plain: &[u8]) -> Result<String, Error> {
        let key = self.current.secret.seal_key("master-seal", "")?;
        let sealed = key.seal(random, context.as_bytes(), plain)?;
        Ok(format!("{FORMAT}.{}.{}", self.current.id, encode(sealed)))
    }

    /// What was sealed for `context`.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, body) = split(sealed).ok_or(OpenError::Damaged)?;
        let key = self.find(id).ok_or_else(|| OpenError::UnknownKey { key_id: id.to_owned() })?;
        let bytes = decode(body).ok_or(OpenError::Damaged)?;
        let key = key.secret.seal_key("master-seal", "").map_err(|_| OpenError::Damaged)?;
        key.open(context.as_bytes(), &bytes).map(Zeroizing::new).ok_or(OpenError::Damaged)
    }

    /// Whether `sealed` was sealed by the first key.
    pub fn is_current(&self, sealed: &str) -> bool {
        split(sealed).is_some_and(|(id, _)| id == self.current.id)
    }

    /// Whether `sealed` was sealed by one of the others, and is to be sealed anew. What was sealed by a key that has not
    /// come here yet is newer than what is here, and stays as it is.
    pub fn is_due(&self, sealed: &str) -> bool {
        split(sealed).is_some_and(|(id, _)| self.former.iter().any(|key| key.id == id))
    }

    /// The same secret sealed by the first key; `None` when it is not due.
    pub fn reseal(&self, random: &Random, context: &str, sealed: &str) -> Result<Option<String>, Error> {
        if !self.is_due(sealed) {
            return Ok(None);
        }
        let plain = self.open(context, sealed)?;
        self.seal(random, context, &plain).map(Some)
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.former)
    }

    fn find(&self, id: &str) -> Option<&MasterKey> {
        self.all().find(|key| key.id == id)
    }
}

/// Key id and body of a sealed text. The id is held to its form, since it ends up in messages.
fn split(sealed: &str) -> Option<(&str, &str)> {
    let (id, body) = sealed.strip_prefix(FORMAT)?.strip_prefix('.')?.split_once('.')?;
    let regular = id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    regular.then_some((id, body))
}

fn read(word: &str) -> Result<MasterKey, String> {
    let bytes = Zeroizing::new(bytes_of(word).ok_or("is neither base64 nor hex")?);
    let bytes = <&[u8; KEY_BYTES]>::try_from(bytes.as_slice())
        .map_err(|_| format!("has {} bytes; it must have {KEY_BYTES}", bytes.len()))?;
    // A key file filled with zeros, or with one letter, is a placeholder and not a secret.
    if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
        return Err("is one byte repeated; make a random one".to_owned());
    }
    MasterKey::new(RootSecret::new(*bytes)).map_err(|fault| fault.to_string())
}

fn bytes_of(word: &str) -> Option<Vec<u8>> {
    // Hex first: 64 hex digits are base64 of something else as well.
    if word.len() == 2 * KEY_BYTES
        && let Ok(bytes) = hex::decode(word)
    {
        return Some(bytes);
    }
    SPELLINGS.iter().find_map(|spelling| spelling.decode(word).ok())
}

#[cfg(test)]
mod tests {
    use super::{MasterKeys, OpenError};
    use crate::crypto::Random;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_former_master_key_opens_but_no_longer_seals() {
        let random = Random::default();
        let old = MasterKeys::parse(OLD).unwrap();
        let sealed = old.seal(&random, "here", b"secret").unwrap();
        let both = MasterKeys::parse(&format!("{}\n{OLD}\n", MasterKeys::generate(&random).unwrap())).unwrap();
        assert_eq!(both.open("here", &sealed).unwrap().as_slice(), b"secret");
        assert!(old.is_current(&sealed) && !both.is_current(&sealed));
        let anew = both.reseal(&random, "here", &sealed).unwrap().unwrap();
        assert_eq!(both.reseal(&random, "here", &anew).unwrap(), None);
        assert_eq!(both.open("here", &anew).unwrap().as_slice(), b"secret");
        assert!(matches!(old.open("here", &anew), Err(OpenError::UnknownKey { .. })));
    }

    #[test]
    fn what_is_sealed_for_one_place_opens_nowhere_else() {
        let keys = MasterKeys::parse(OLD).unwrap();
        let sealed = keys.seal(&Random::default(), "signing-key|pool|a", b"secret").unwrap();
        assert_eq!(keys.open("signing-key|pool|b", &sealed), Err(OpenError::Damaged));
        for damaged in
            ["", "v1", "v1..", "v2.0011223344556677.AAAA", "v1.../etc/passwd.AAAA", &sealed[..sealed.len() - 2]]
        {
            assert_eq!(keys.open("signing-key|pool|a", damaged), Err(OpenError::Damaged), "{damaged}");
        }
    }

    #[test]
    fn a_key_reads_the_same_in_every_spelling() {
        let random = Random::default();
        let sealed = MasterKeys::parse(OLD).unwrap().seal(&random, "", b"x").unwrap();
        for spelling in [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F",
            "  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\r\n",
        ] {
            assert!(MasterKeys::parse(spelling).unwrap().is_current(&sealed), "{spelling}");
        }
        let url_safe = "-_________________________________________8";
        assert!(MasterKeys::parse(url_safe).is_ok());
    }

    // A05: an empty, short or placeholder key does not start.
    #[test]
    fn a_weak_master_key_is_refused_by_its_number_and_without_its_value() {
        for (text, fault) in [
            ("", "there is no master key"),
            (" \n", "there is no master key"),
            ("c2VjcmV0", "master key 1 has 6 bytes; it must have 32"),
            ("changeme!", "master key 1 is neither base64 nor hex"),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "master key 1 is one byte repeated; make a random one"),
        ] {
            assert_eq!(MasterKeys::parse(text).unwrap_err(), fault);
        }
        let second = MasterKeys::parse(&format!("{OLD} c2VjcmV0")).unwrap_err();
        assert_eq!(second, "master key 2 has 6 bytes; it must have 32");
    }

    // Q03
    #[test]
    fn the_debug_text_of_master_keys_is_redacted() {
        assert_eq!(format!("{:?}", MasterKeys::parse(OLD).unwrap()), "MasterKeys([redacted])");
    }
}
