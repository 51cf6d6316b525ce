//! Randomness, digests, message authentication and sealing: thin, typed names over ring, so that no other
//! file names a primitive. Signatures are in [`crate::keys`].

mod passphrase;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{aead, digest, hkdf, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::Error;
pub use passphrase::PassphraseRule;

/// The operating system's random source, handed to whoever needs it.
#[derive(Debug, Clone)]
pub struct Random(SystemRandom);

impl Default for Random {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Random {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).map_err(|_| Error::internal("the operating system gave no randomness"))?;
        Ok(bytes)
    }

    /// A random UUID (RFC 9562 §5.4).
    pub fn uuid(&self) -> Result<uuid::Uuid, Error> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid())
    }

    /// `length` characters drawn evenly from `alphabet` (at most 256 ASCII characters).
    pub fn text(&self, alphabet: &[u8], length: usize) -> Result<String, Error> {
        let span = alphabet.len().clamp(1, 256);
        // Bytes past the last whole multiple would make the first characters likelier.
        let usable = 256 - 256 % span;
        let mut text = String::with_capacity(length);
        while text.len() < length {
            let [byte] = self.bytes::<1>()?;
            let index = usize::from(byte);
            if index < usable
                && let Some(character) = alphabet.get(index % span)
            {
                text.push(char::from(*character));
            }
        }
        Ok(text)
    }
}

/// Base64url without padding (RFC 7515 §2).
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The one canonical spelling of base64url without padding; anything else is `None`.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// SHA-256.
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes.as_ref()).as_ref());
    out
}

/// HMAC-SHA256 (RFC 2104) of `parts` one after the other, for protocols that say so; tags of our own are a [`MacKey`]'s.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// HMAC-SHA1 (RFC 2104), for codes of authenticator apps and nothing else.
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref());
    out
}

/// Equality whose time does not depend on where two values differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// A 256-bit secret that yields one key per purpose and is wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RootSecret([u8; 32]);

impl std::fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootSecret([redacted])")
    }
}

impl RootSecret {
    /// Takes the secret's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for sealing.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869) with `purpose` and `scope` as info: keys of two purposes or pools never meet.
    fn derive(&self, purpose: &str, scope: &str) -> Result<[u8; 32], Error> {
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, b"cognate").extract(&self.0);
        let mut key = [0; 32];
        pseudorandom
            .expand(&[b"v1|", purpose.as_bytes(), b"|", scope.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .map_err(|_| Error::internal("key derivation failed"))?;
        Ok(key)
    }

    /// The message-authentication key of one purpose in one scope (a pool id, or empty).
    pub fn mac_key(&self, purpose: &str, scope: &str) -> Result<MacKey, Error> {
        Ok(MacKey(hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose, scope)?)))
    }

    /// The sealing key of one purpose in one scope.
    pub fn seal_key(&self, purpose: &str, scope: &str) -> Result<SealKey, Error> {
        SealKey::new(&self.derive(purpose, scope)?)
    }
}

/// An HMAC-SHA256 key of one purpose.
#[derive(Debug, Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// The tag over `parts`; each part is preceded by its length, so that no two lists of parts collide.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

/// An AES-256-GCM key of one purpose.
pub struct SealKey(aead::LessSafeKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey([redacted])")
    }
}

impl SealKey {
    /// Takes the key's bytes.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, Error> {
        aead::UnboundKey::new(&aead::AES_256_GCM, bytes)
            .map(|key| Self(aead::LessSafeKey::new(key)))
            .map_err(|_| Error::internal("a sealing key was refused"))
    }

    /// `nonce || ciphertext || tag` of `plain`, bound to `context`.
    pub fn seal(&self, random: &Random, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random.bytes::<{ aead::NONCE_LEN }>()?;
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(context), &mut sealed)
            .map_err(|_| Error::internal("sealing failed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The plain bytes; `None` when the key, the context or the bytes are not those that were sealed.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(aead::NONCE_LEN)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        // Opened in place and handed out whole: no second copy of the secret stays behind in freed memory.
        let mut buffer = rest.to_vec();
        let length = self.0.open_in_place(nonce, aead::Aad::from(context), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}
