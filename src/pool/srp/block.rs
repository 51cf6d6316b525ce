//! `SECRET_BLOCK`: the server's side of an exchange, sealed and in the client's hands between the two calls. That it
//! is used once is the caller's to see to, by its id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::challenge::{ServerChallenge, SrpA};
use super::group::{self, BYTES};
use crate::clock::Timestamp;
use crate::crypto::{Random, SealKey};
use crate::error::Error;

/// Longest text worth looking at; ours have 1,160 characters.
const LONGEST: usize = 1_200;

/// Where a block is good: it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The pool's id.
    pub pool: &'a str,
    /// The app client's id.
    pub client: &'a str,
    /// The key of the device that proves itself, if it is not the user.
    pub device: Option<&'a str>,
}

impl Place<'_> {
    fn context(&self) -> Vec<u8> {
        // No id and no device key has this byte in it.
        ["srp-block", self.pool, self.client, self.device.unwrap_or_default()].join("\0").into_bytes()
    }
}

/// What a block holds.
pub struct SecretBlock {
    /// Its own name, for remembering that it was used.
    pub id: Uuid,
    /// Whose sign-in it is.
    pub user: Uuid,
    /// When it is too late for an answer.
    pub expires_at: Timestamp,
    /// The exchange.
    pub challenge: ServerChallenge,
}

impl SecretBlock {
    /// A block of its own for `challenge`.
    pub fn new(random: &Random, user: Uuid, expires_at: Timestamp, challenge: ServerChallenge) -> Result<Self, Error> {
        Ok(Self { id: random.uuid()?, user, expires_at, challenge })
    }

    /// The text for the client.
    pub fn seal(&self, key: &SealKey, random: &Random, place: Place<'_>) -> Result<String, Error> {
        let ServerChallenge { a, b, public } = &self.challenge;
        let plain = Zeroizing::new(
            [
                self.id.as_bytes().as_slice(),
                self.user.as_bytes(),
                &self.expires_at.0.to_be_bytes(),
                b.as_slice(),
                a.0.to_be_bytes().as_ref(),
                public.to_be_bytes().as_ref(),
            ]
            .concat(),
        );
        key.seal(random, &place.context(), &plain).map(|sealed| STANDARD.encode(sealed))
    }

    /// What was sealed for `place` and is not too late; `None` for anything else.
    pub fn open(key: &SealKey, place: Place<'_>, text: &str, now: Timestamp) -> Option<Self> {
        let sealed = (text.len() <= LONGEST).then(|| STANDARD.decode(text).ok()).flatten()?;
        let plain = Zeroizing::new(key.open(&place.context(), &sealed)?);
        Self::read(&plain).filter(|block| now < block.expires_at)
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (id, rest) = plain.split_first_chunk()?;
        let (user, rest) = rest.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let (b, rest) = rest.split_first_chunk()?;
        let (a, public) = rest.split_at_checked(BYTES)?;
        let b = Zeroizing::new(*b);
        let challenge = ServerChallenge { a: SrpA(group::read(a)?), b, public: group::read(public)? };
        let expires_at = Timestamp(i64::from_be_bytes(*expires_at));
        Some(Self { id: Uuid::from_bytes(*id), user: Uuid::from_bytes(*user), expires_at, challenge })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::RootSecret;
    use crate::pool::srp::{Identity, Verifier};

    const HERE: Place<'_> = Place { pool: "us-east-1_A", client: "web", device: None };
    const DUE: Timestamp = Timestamp(1_790_000_000_000);

    fn key() -> SealKey {
        RootSecret::new([7; 32]).seal_key("srp-block", HERE.pool).unwrap()
    }

    fn block() -> SecretBlock {
        let random = Random::default();
        let verifier = Verifier::new(&random, Identity::user(HERE.pool, "alice"), "secret").unwrap();
        let challenge = ServerChallenge::new(&random, SrpA::parse("2").unwrap(), &verifier).unwrap();
        SecretBlock::new(&random, Uuid::from_u128(5), DUE, challenge).unwrap()
    }

    #[test]
    fn a_block_opens_as_it_was_sealed() {
        let block = block();
        let text = block.seal(&key(), &Random::default(), HERE).unwrap();
        assert_eq!(text.len(), 1_160);
        let opened = SecretBlock::open(&key(), HERE, &text, Timestamp(DUE.0 - 1)).unwrap();
        assert_eq!((opened.id, opened.user, opened.expires_at), (block.id, Uuid::from_u128(5), DUE));
        assert_eq!(opened.challenge.b, block.challenge.b);
        assert_eq!((opened.challenge.a, opened.challenge.srp_b()), (block.challenge.a, block.challenge.srp_b()));
    }

    // K02: another's block, one that is late, and one that was touched open nowhere.
    #[test]
    fn a_block_opens_nowhere_else_and_not_later() {
        let text = block().seal(&key(), &Random::default(), HERE).unwrap();
        let now = Timestamp(0);
        assert!(SecretBlock::open(&key(), HERE, &text, DUE).is_none());
        for place in [
            Place { pool: "us-east-1_B", ..HERE },
            Place { client: "ios", ..HERE },
            Place { device: Some("us-east-1_7"), ..HERE },
        ] {
            assert!(SecretBlock::open(&key(), place, &text, now).is_none(), "{place:?}");
        }
        let other = RootSecret::new([8; 32]).seal_key("srp-block", HERE.pool).unwrap();
        assert!(SecretBlock::open(&other, HERE, &text, now).is_none());
        let changed = if text.starts_with('A') { 'B' } else { 'A' };
        let spoilt = [format!("{changed}{}", &text[1..]), text[4..].to_owned(), text.repeat(2), String::new()];
        for text in spoilt {
            assert!(SecretBlock::open(&key(), HERE, &text, now).is_none());
        }
    }
}
