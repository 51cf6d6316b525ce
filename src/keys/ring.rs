//! A pool's key set, loaded: every key opened and parsed once, the JWKS ready to be sent, and the one place where
//! the signature of a token is checked.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::record::context;
use super::set::order;
use super::signer::Header;
use super::{KeyRecord, KeySetRecord, MasterKeys, OpenError, Signer};
use crate::clock::Timestamp;
use crate::crypto::{decode, encode, sha256};
use crate::error::Error;

/// No token of ours comes near; longer ones are refused before any work (A14).
const TOKEN_LIMIT: usize = 16 * 1024;

/// Why a key set could not be loaded. Nothing is made anew in its place: the operator has to decide.
#[derive(Debug, thiserror::Error)]
#[error("signing key {kid} of pool {pool} cannot be used: {cause}")]
pub struct LoadError {
    /// The pool's id.
    pub pool: String,
    /// The key's id.
    pub kid: String,
    /// What is wrong.
    pub cause: LoadFault,
}

impl LoadError {
    /// Whether another master key would help.
    pub fn wants_another_master_key(&self) -> bool {
        matches!(self.cause, LoadFault::Sealed(OpenError::UnknownKey { .. }))
    }
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    /// The private half does not open.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// It opened, but it is no key of the algorithm named.
    #[error("it is not a key of its algorithm")]
    Malformed,
    /// The private half does not belong to the public half or the kid beside it.
    #[error("its private and its public half do not belong together")]
    Mismatch,
}

/// The loaded keys of one pool.
#[derive(Debug)]
pub struct KeySet {
    version: i64,
    record: KeySetRecord,
    /// By the whole encoded header: a header in any other spelling, or with any other member, is no key's.
    signers: HashMap<String, Arc<Signer>>,
    jwks: String,
    etag: String,
}

impl KeySet {
    /// Opens every key. One that does not open is an error for the whole set.
    pub fn load(pool: &str, version: i64, record: KeySetRecord, master: &MasterKeys) -> Result<Self, LoadError> {
        Self::load_after(None, pool, version, record, master)
    }

    /// The same with a set that was loaded before: a key that is open already is not opened again. That is dear, and
    /// another replica may have sealed it anew by a master key that has not come here yet.
    pub fn load_after(
        known: Option<&Self>,
        pool: &str,
        version: i64,
        record: KeySetRecord,
        master: &MasterKeys,
    ) -> Result<Self, LoadError> {
        let mut signers = HashMap::with_capacity(record.keys.len());
        for key in &record.keys {
            let signer = match known.and_then(|known| known.opened(key)) {
                Some(signer) => signer.clone(),
                None => Arc::new(open(pool, key, master).map_err(|cause| LoadError {
                    pool: pool.to_owned(),
                    kid: key.kid.clone(),
                    cause,
                })?),
            };
            signers.insert(signer.header().to_owned(), signer);
        }
        let jwks = jwks(&record);
        let etag = format!("\"{}\"", encode(sha256(&jwks)));
        Ok(Self { version, record, signers, jwks, etag })
    }

    /// The version of the document it was loaded from.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// What it was loaded from.
    pub fn record(&self) -> &KeySetRecord {
        &self.record
    }

    /// The key that signs at `now`; `None` only when there is no key at all.
    pub fn signer(&self, now: Timestamp) -> Option<&Signer> {
        let active = self.record.active(now)?;
        self.signers.values().find(|signer| signer.kid() == active.kid).map(AsRef::as_ref)
    }

    fn opened(&self, key: &KeyRecord) -> Option<&Arc<Signer>> {
        self.signers.values().find(|signer| is_of(signer, key))
    }

    /// The JWK set as JSON, the latest key first. It depends on nothing but the record: all replicas send the same.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Strong `ETag` of [`Self::jwks`], quoted.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Whether a key of this id is in the set.
    pub fn knows(&self, kid: &str) -> bool {
        self.signers.values().any(|signer| signer.kid() == kid)
    }

    /// The kid that a token names, without trusting it; `None` unless the header is of the one form ours have.
    pub fn kid_of(token: &str) -> Option<String> {
        if token.len() > TOKEN_LIMIT {
            return None;
        }
        let (header, _) = token.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        // A kid of ours is a SHA-256 thumbprint; anything else is not worth a look into the store.
        (decode(&header.kid)?.len() == 32).then_some(header.kid)
    }

    /// The payload of a token with a good signature of a key in this set. What the payload claims (expiry, issuer,
    /// purpose) is the caller's to check.
    pub fn verify(&self, token: &str) -> Result<Vec<u8>, Error> {
        self.payload(token).ok_or(Error::TokenInvalid)
    }

    fn payload(&self, token: &str) -> Option<Vec<u8>> {
        if token.len() > TOKEN_LIMIT {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let signer = self.signers.get(header)?;
        // Only the canonical spelling of base64url decodes (A12). ES256 has by nature a second signature for each one
        // (n - s): a token is told from others by its jti, never by its text.
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        signer.verifies(message.as_bytes(), &signature).then_some(payload)
    }
}

fn open(pool: &str, key: &KeyRecord, master: &MasterKeys) -> Result<Signer, LoadFault> {
    let pkcs8 = master.open(&context(pool, &key.kid), &key.sealed)?;
    let signer = Signer::from_pkcs8(key.algorithm, &pkcs8).map_err(|_| LoadFault::Malformed)?;
    // The public half rests unsealed: whoever could write it must not get a key of his own published.
    if is_of(&signer, key) { Ok(signer) } else { Err(LoadFault::Mismatch) }
}

fn is_of(signer: &Signer, key: &KeyRecord) -> bool {
    signer.kid() == key.kid && *signer.public_jwk() == key.public
}

fn jwks(record: &KeySetRecord) -> String {
    let mut keys: Vec<&KeyRecord> = record.keys.iter().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(order(key)));
    let public: Vec<_> = keys.iter().map(|key| &key.public).collect();
    json!({ "keys": public }).to_string()
}
