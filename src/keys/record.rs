//! A signing key as it rests in the store: its public half in the clear, its private half sealed.

use std::fmt::{Debug, Formatter};

use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MasterKeys, Signer};
use crate::clock::Timestamp;
use crate::crypto::Random;
use crate::error::Error;

/// One key of a [`super::KeySetRecord`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its id: the RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public half as it is published.
    pub public: Jwk,
    /// The private half (PKCS #8), sealed by a master key for this pool and kid.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When its successor begins to sign; none while there is no successor.
    pub retired_at: Option<Timestamp>,
    /// When its last token has expired, and it goes.
    pub expires_at: Option<Timestamp>,
}

impl Debug for KeyRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRecord")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .field("active_from", &self.active_from)
            .field("sealed", &"[redacted]")
            .finish_non_exhaustive()
    }
}

impl KeyRecord {
    /// A new key for `pool`, sealed; [`super::KeySetRecord::add`] decides when it begins to sign.
    pub fn new(
        pool: &str,
        algorithm: Algorithm,
        pkcs8: &[u8],
        master: &MasterKeys,
        random: &Random,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let signer = Signer::from_pkcs8(algorithm, pkcs8)?;
        let sealed = master.seal(random, &context(pool, signer.kid()), pkcs8)?;
        Ok(Self {
            kid: signer.kid().to_owned(),
            algorithm,
            public: signer.public_jwk().clone(),
            sealed,
            created_at: now,
            active_from: now,
            retired_at: None,
            expires_at: None,
        })
    }

    /// Seals the private half by the current master key; false when it is already.
    pub fn reseal(&mut self, pool: &str, master: &MasterKeys, random: &Random) -> Result<bool, Error> {
        let anew = master.reseal(random, &context(pool, &self.kid), &self.sealed)?;
        Ok(anew.map(|sealed| self.sealed = sealed).is_some())
    }
}

/// What a sealed signing key is bound to.
pub(super) fn context(pool: &str, kid: &str) -> String {
    format!("signing-key|{pool}|{kid}")
}
