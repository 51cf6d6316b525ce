//! What the token tests share: key sets with real keys, and tokens made by hand.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use cognate::clock::Timestamp;
use cognate::crypto::{Random, encode};
use cognate::keys::{Algorithm, KeyRecord, KeySet, KeySetRecord, MasterKeys, Signer};
use futures_util::FutureExt as _;
use serde::Serialize;
use zeroize::Zeroizing;

pub const POOL: &str = "us-east-1_Ab3dEf6hI";
pub const NOW: Timestamp = Timestamp(1_790_000_000_000);
// The tildes make a '-' in base64url, and the length leaves unused bits: second spellings need both.
pub const CLAIMS: &str =
    r#"{"sub":"2f1c7a52-0f3e-4f3c-9a77-1d9a5f4f9f10","token_use":"access","exp":1790003600,"jti":"~~~~~"}"#;

/// One key of each algorithm, made once: RSA takes its time.
pub static BENCHES: LazyLock<[Bench; 3]> =
    LazyLock::new(|| [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA].map(Bench::new));

/// A pool with one key, its private half in the tester's hands, and a genuine token.
pub struct Bench {
    pub algorithm: Algorithm,
    pub pkcs8: Zeroizing<Vec<u8>>,
    pub set: KeySet,
    pub kid: String,
    pub genuine: String,
}

impl Bench {
    fn new(algorithm: Algorithm) -> Self {
        let pkcs8 = Signer::generate_pkcs8(algorithm).unwrap();
        let (master, random) = (master(), Random::default());
        let record = KeyRecord::new(POOL, algorithm, &pkcs8, &master, &random, NOW).unwrap();
        let kid = record.kid.clone();
        let set =
            KeySet::load(POOL, 1, KeySetRecord { keys: vec![record], ..KeySetRecord::default() }, &master).unwrap();
        let claims: serde_json::Value = serde_json::from_str(CLAIMS).unwrap();
        let genuine = sign(set.signer(NOW).unwrap(), &claims);
        Self { algorithm, pkcs8, set, kid, genuine }
    }

    /// Header, payload and signature of the genuine token.
    pub fn parts(&self) -> [&str; 3] {
        let parts: Vec<_> = self.genuine.split('.').collect();
        parts.try_into().unwrap()
    }

    /// A token with any header text, signed by the genuine key: only the header is wrong.
    pub fn signed(&self, header: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(CLAIMS));
        format!("{message}.{}", encode(raw(self.algorithm, &self.pkcs8, message.as_bytes())))
    }

    /// The members of the genuine header, as text to build others from.
    pub fn members(&self) -> String {
        format!(r#""kid":"{}","alg":"{}""#, self.kid, self.algorithm)
    }

    pub fn refuses(&self, what: &str, token: &str) {
        let verdict = self.set.verify(token);
        let shown: String = token.chars().take(200).collect();
        assert!(
            matches!(verdict, Err(cognate::error::Error::TokenInvalid)),
            "{}: {what} was not refused: {shown}",
            self.algorithm
        );
    }
}

pub fn master() -> MasterKeys {
    MasterKeys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap()
}

pub fn sign(signer: &Signer, claims: &impl Serialize) -> String {
    signer.sign(claims).now_or_never().unwrap().unwrap()
}

/// The bare signature of a key in PKCS #8.
pub fn raw(algorithm: Algorithm, pkcs8: &[u8], message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::RS256 => {
            let key = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        }
        Algorithm::ES256 => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap();
            key.sign(&random, message).unwrap().as_ref().to_vec()
        }
        Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(pkcs8).unwrap().sign(message).as_ref().to_vec(),
    }
}
