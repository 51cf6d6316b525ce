//! The exchange itself: what the client begins with, what the server answers, and the proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_bigint::U3072;
use zeroize::Zeroizing;

use super::group::{self, BYTES, Element, K};
use super::timestamp::is_timely;
use super::{Identity, Verifier};
use crate::clock::Timestamp;
use crate::crypto::{self, Random};
use crate::error::Error;

/// Hexadecimal digits of an `SRP_A` at most: those of N, and a sign byte that some clients put before them.
const LONGEST_A: usize = 2 * BYTES + 2;
const INFO: &[u8] = b"Caldera Derived Key";

/// The client's public number: above 0 and below N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SrpA(pub(super) U3072);

impl SrpA {
    /// Reads `SRP_A`: hexadecimal digits of any number and case. A multiple of N would make the secret known to
    /// everybody (CVE-2009-4810), so whatever is not a number of the group is refused before anything is reckoned.
    ///
    /// Errors: `InvalidParameter`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = (text.len() <= LONGEST_A).then(|| group::read_hex(text)).flatten();
        let number = bytes.and_then(|bytes| group::read(&bytes));
        number.map(Self).ok_or_else(|| Error::invalid("SRP_A", "must be a number between 0 and N in hexadecimal"))
    }
}

/// What the client answers: everything of it that the proof covers, and the proof.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Whose verifier it is.
    pub owner: Identity<'a>,
    /// `PASSWORD_CLAIM_SECRET_BLOCK`.
    pub secret_block: &'a str,
    /// `TIMESTAMP`.
    pub timestamp: &'a str,
    /// `PASSWORD_CLAIM_SIGNATURE`.
    pub signature: &'a str,
}

/// One exchange: the client's number, the server's secret one, and the one that the server tells.
pub struct ServerChallenge {
    pub(super) a: SrpA,
    pub(super) b: Zeroizing<[u8; 32]>,
    pub(super) public: U3072,
}

impl ServerChallenge {
    /// A new exchange: b is random, B = k·v + g^b. One power of g: about half a millisecond.
    pub fn new(random: &Random, a: SrpA, verifier: &Verifier) -> Result<Self, Error> {
        loop {
            let b = Zeroizing::new(random.bytes()?);
            if let Some(challenge) = Self::with(b, a, verifier) {
                return Ok(challenge);
            }
        }
    }

    /// `None` for a B of 0, which clients refuse.
    pub(super) fn with(b: Zeroizing<[u8; 32]>, a: SrpA, verifier: &Verifier) -> Option<Self> {
        let public = K.mul(&verifier.v()).add(&group::power_of_g(&b)).retrieve();
        (!public.is_zero_vartime()).then_some(Self { a, b, public })
    }

    /// `SRP_B` of the challenge.
    pub fn srp_b(&self) -> String {
        group::canonical_hex(self.public.to_be_bytes().as_ref())
    }

    /// Whether `claim` proves, now, that its sender knows the password behind `verifier`. Two powers: some three
    /// milliseconds of a core, so it belongs on a thread that may block.
    pub fn is_proven_by(&self, verifier: &Verifier, claim: &Claim<'_>, now: Timestamp) -> bool {
        let Ok(signature) = STANDARD.decode(claim.signature) else { return false };
        let wanted = self.signature(verifier, claim);
        is_timely(claim.timestamp, now) && wanted.is_some_and(|wanted| crypto::same(&wanted, &signature))
    }

    /// The signature that the holder of the password makes; `None` where there can be none.
    fn signature(&self, verifier: &Verifier, claim: &Claim<'_>) -> Option<[u8; 32]> {
        let block = STANDARD.decode(claim.secret_block).ok()?;
        let u = self.u();
        let secret = self.shared_secret(&u, verifier)?;
        let key = derived_key(&u, &secret);
        let Identity { pool, name } = claim.owner;
        Some(crypto::hmac_sha256(&*key, &[pool.as_bytes(), name.as_bytes(), &block, claim.timestamp.as_bytes()]))
    }

    /// u = H(PAD(A) | PAD(B)).
    pub(super) fn u(&self) -> [u8; 32] {
        let [a, b] = [self.a.0, self.public].map(|number| group::pad(number.to_be_bytes().as_ref()));
        crypto::sha256([a.as_slice(), b.as_slice()].concat())
    }

    /// S = (A · v^u)^b; `None` for a u of 0, which would leave the verifier out of it (RFC 5054 §2.5.4).
    pub(super) fn shared_secret(&self, u: &[u8; 32], verifier: &Verifier) -> Option<Zeroizing<U3072>> {
        let base = Element::new(&self.a.0).mul(&group::power(&verifier.v(), u));
        (*u != [0; 32]).then(|| Zeroizing::new(group::power(&base, &self.b).retrieve()))
    }
}

/// HKDF-SHA256 (RFC 5869) of the secret, of which 16 bytes are used.
pub(super) fn derived_key(u: &[u8; 32], secret: &U3072) -> Zeroizing<[u8; 16]> {
    let pseudorandom = pseudorandom_key(u, secret);
    let mut key = Zeroizing::new([0; 16]);
    let output = Zeroizing::new(crypto::hmac_sha256(&*pseudorandom, &[INFO, &[1]]));
    key.iter_mut().zip(output.iter()).for_each(|(key, byte)| *key = *byte);
    key
}

pub(super) fn pseudorandom_key(u: &[u8; 32], secret: &U3072) -> Zeroizing<[u8; 32]> {
    let secret = Zeroizing::new(secret.to_be_bytes());
    Zeroizing::new(crypto::hmac_sha256(&group::pad(u), &[&group::pad((*secret).as_ref())]))
}
