//! The signature algorithms a pool can choose from, and what each is called by the libraries.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as JoseAlgorithm, DecodingKey};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A signature algorithm. There is no symmetric one and no "none": what cannot be named cannot be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSA-2048, PKCS #1 v1.5, SHA-256: what every Cognito client expects.
    #[default]
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::RS256, Self::ES256, Self::EdDSA];

    /// Its name in a JWS header (RFC 7518 §3.1, RFC 8037 §3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// How signatures are checked.
    pub(super) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::ES256 => &ECDSA_P256_SHA256_FIXED,
            Self::EdDSA => &ED25519,
        }
    }

    /// The JWK of a public key as aws-lc-rs spells it: PKCS #1 DER, an uncompressed point, or 32 raw bytes.
    pub(super) fn jwk(self, public: &[u8]) -> Result<Jwk, jsonwebtoken::errors::Error> {
        let (key, name) = match self {
            Self::RS256 => (DecodingKey::from_rsa_der(public), JoseAlgorithm::RS256),
            Self::ES256 => (DecodingKey::from_ec_der(public), JoseAlgorithm::ES256),
            Self::EdDSA => (DecodingKey::from_ed_der(public), JoseAlgorithm::EdDSA),
        };
        Jwk::from_decoding_key(&key, Some(name))
    }
}

impl Display for Algorithm {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| Error::invalid("algorithm", "must be RS256, ES256 or EdDSA"))
    }
}
