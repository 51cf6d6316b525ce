//! A signing key, parsed once: what costs time is done when it is loaded, not when a token is made.

use std::fmt::{Debug, Formatter};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Algorithm;
use crate::crypto::encode;
use crate::error::Error;

/// The header of every token, in the order Cognito writes it: these two members and nothing else (contract
/// cognito (e)), so that no `jwk`, `jku`, `x5u`, `crit` or `typ` ever has a meaning.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) kid: String,
    pub(super) alg: Algorithm,
}

enum KeyPair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Signs tokens with one key, and checks the signatures of that key.
pub struct Signer {
    algorithm: Algorithm,
    kid: String,
    jwk: Jwk,
    /// Base64url of the header, the same for every token of the key.
    header: String,
    private: KeyPair,
    public: ParsedPublicKey,
}

impl Debug for Signer {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({} {}, [redacted])", self.algorithm, self.kid)
    }
}

impl Signer {
    /// PKCS #8 of a new key pair. RSA takes up to half a second of a core: not for a request's thread.
    pub fn generate_pkcs8(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, Error> {
        let random = SystemRandom::new();
        let bytes = match algorithm {
            Algorithm::RS256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|key| AsDer::<Pkcs8V1Der<'_>>::as_der(&key))
                .map(|der| der.as_ref().to_vec()),
            Algorithm::ES256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map(|document| document.as_ref().to_vec()),
            Algorithm::EdDSA => Ed25519KeyPair::generate_pkcs8(&random).map(|document| document.as_ref().to_vec()),
        };
        bytes.map(Zeroizing::new).map_err(|_| Error::internal("a signing key could not be made"))
    }

    /// The signer of a key pair in PKCS #8. Its `kid` is the key's thumbprint (RFC 7638), so that a kid never means
    /// two keys.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Error> {
        let private = KeyPair::parse(algorithm, pkcs8)?;
        let public = private.public();
        let mut jwk = algorithm.jwk(public).map_err(Error::internal)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let header = Header { kid: kid.clone(), alg: algorithm };
        let header = encode(serde_json::to_vec(&header).map_err(Error::internal)?);
        let public = ParsedPublicKey::new(algorithm.verification(), public).map_err(Error::internal)?;
        Ok(Self { algorithm, kid, jwk, header, private, public })
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half as it is published: `alg`, `kid`, `kty`, `use` and the members of its type.
    pub fn public_jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Compact JWS of `claims`. Signs on the caller's thread (handing it to another one gained nothing); async so
    /// that a key module can stand behind it.
    pub async fn sign<C: Serialize>(&self, claims: &C) -> Result<String, Error> {
        let payload = serde_json::to_vec(claims).map_err(Error::internal)?;
        let mut token = format!("{}.{}", self.header, encode(payload));
        let signature = self.private.sign(token.as_bytes())?;
        token.push('.');
        token.push_str(&signature);
        Ok(token)
    }

    /// The first part of every token of this key.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

impl KeyPair {
    fn parse(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Error> {
        match algorithm {
            Algorithm::RS256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rsa),
            Algorithm::ES256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::Ecdsa),
            Algorithm::EdDSA => Ed25519KeyPair::from_pkcs8(pkcs8).map(Self::Ed25519),
        }
        .map_err(|_| Error::internal(format!("not an {algorithm} key in PKCS #8")))
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.public_key().as_ref(),
            Self::Ecdsa(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        }
    }

    /// Base64url of the signature over `message`.
    fn sign(&self, message: &[u8]) -> Result<String, Error> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| encode(signature))
            }
            Self::Ecdsa(key) => key.sign(&random, message).map(encode),
            Self::Ed25519(key) => key.try_sign(message).map(encode),
        }
        .map_err(|_| Error::internal("signing failed"))
    }
}
