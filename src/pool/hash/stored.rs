//! Stored password hashes: every spelling that can be imported, what each may cost, and the comparison.

use argon2::{Algorithm, Argon2, Version};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use password_hash::phc::{Output, ParamsString, PasswordHash, Salt};

use super::memory::Memory;
use crate::crypto::{self, Random};
use crate::error::Error;

/// The hash of `password` in PHC format.
pub(super) fn make(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8; 16],
    memory: &mut Memory,
) -> Result<String, Error> {
    let mut digest = [0; argon2::Params::DEFAULT_OUTPUT_LEN];
    memory.hash(argon2, password, salt, &mut digest)?;
    fn written(fault: impl std::fmt::Display) -> Error {
        Error::internal(format!("Argon2: {fault}"))
    }
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(written)?,
        salt: Some(Salt::new(salt).map_err(written)?),
        hash: Some(Output::new(&digest).map_err(written)?),
    };
    Ok(hash.to_string())
}

/// Longest text that is looked at.
const TEXT_LIMIT: usize = 512;
/// Most memory that one hash may take: 256 MiB.
const MEMORY_LIMIT_KIB: u64 = 256 * 1024;
/// Most memory times passes, about half a second of one core.
const WORK_LIMIT_KIB: u64 = 1024 * 1024;
/// About a second of one core.
const BCRYPT_COST_LIMIT: u32 = 14;
/// About half a second of one core.
const PBKDF2_LIMIT: u32 = 3_000_000;
/// Shorter digests could be matched by trying passwords of no relation to the user's.
const DIGEST_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// bcrypt sees no byte after this one.
const BCRYPT_BYTES: usize = 72;

/// Standard base64 with or without padding: PHC and passlib leave it off, Django writes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A stored hash, read and within bounds.
pub(super) enum Stored {
    Argon2 { algorithm: Algorithm, version: Version, params: argon2::Params, salt: Vec<u8>, digest: Vec<u8> },
    Bcrypt(String),
    Scrypt { params: scrypt::Params, salt: Vec<u8>, digest: Vec<u8> },
    Pbkdf2 { rounds: u32, salt: Vec<u8>, digest: Vec<u8> },
}

impl Stored {
    /// A hash of current cost that no password matches: its digest is drawn, not computed.
    pub fn ghost(params: &argon2::Params, random: &Random) -> Result<Self, Error> {
        Ok(Self::Argon2 {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params: params.clone(),
            salt: random.bytes::<16>()?.to_vec(),
            digest: random.bytes::<{ argon2::Params::DEFAULT_OUTPUT_LEN }>()?.to_vec(),
        })
    }

    /// Reads a hash; the text of a refusal never repeats it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_LIMIT {
            return Err(format!("is longer than {TEXT_LIMIT} bytes"));
        }
        let fields: Vec<&str> = text.split('$').collect();
        match fields.as_slice() {
            ["", "argon2id" | "argon2i" | "argon2d", ..] => argon2_hash(text),
            ["", "2a" | "2b" | "2y", ..] => bcrypt_hash(text),
            ["", "scrypt", ..] => scrypt_hash(text),
            ["", "pbkdf2-sha256", rounds, salt, digest] => pbkdf2_hash(rounds, base64(salt)?, digest),
            // Django's salt is the text itself.
            ["pbkdf2_sha256", rounds, salt, digest] => pbkdf2_hash(rounds, salt.as_bytes().to_vec(), digest),
            _ => Err("is not Argon2, bcrypt ($2a, $2b, $2y), scrypt or PBKDF2-SHA256".to_owned()),
        }
    }

    /// Whether a hash made now would look the same but for the salt.
    pub fn is_current(&self, current: &argon2::Params) -> bool {
        let Self::Argon2 { algorithm: Algorithm::Argon2id, version: Version::V0x13, params, salt, digest } = self
        else {
            return false;
        };
        let cost = |params: &argon2::Params| (params.m_cost(), params.t_cost(), params.p_cost());
        cost(params) == cost(current) && salt.len() >= 16 && digest.len() >= argon2::Params::DEFAULT_OUTPUT_LEN
    }

    /// Whether `password` is the one, compared whole; blocks a core for the hash's cost.
    pub fn matches(&self, password: &[u8], memory: &mut Memory) -> Result<bool, Error> {
        Ok(match self {
            Self::Argon2 { algorithm, version, params, salt, digest } => {
                let mut computed = vec![0; digest.len()];
                let argon2 = Argon2::new(*algorithm, *version, params.clone());
                memory.hash(&argon2, password, salt, &mut computed)?;
                crypto::same(&computed, digest)
            }
            Self::Bcrypt(text) => {
                let seen = password.get(..BCRYPT_BYTES).unwrap_or(password);
                // The work is done also when the answer is known, so that the time does not tell.
                bcrypt::verify(seen, text).map_err(Error::internal)? && seen.len() == password.len() && whole(password)
            }
            Self::Scrypt { params, salt, digest } => {
                let mut computed = vec![0; digest.len()];
                scrypt::scrypt(password, salt, params, &mut computed).map_err(Error::internal)?;
                crypto::same(&computed, digest) && whole(password)
            }
            Self::Pbkdf2 { rounds, salt, digest } => {
                let mut computed = vec![0; digest.len()];
                pbkdf2::pbkdf2_hmac::<pbkdf2::sha2::Sha256>(password, salt, *rounds, &mut computed);
                crypto::same(&computed, digest) && whole(password)
            }
        })
    }
}

/// HMAC fills its key with NUL and bcrypt repeats it after one, so `secret` and `secret\0` hash alike there
/// (CVE-2025-22228 is of this family). A password with a NUL byte therefore never matches such a hash.
fn whole(password: &[u8]) -> bool {
    !password.contains(&0)
}

fn argon2_hash(text: &str) -> Result<Stored, String> {
    let hash = PasswordHash::new(text).map_err(|fault| format!("is not in PHC format: {fault}"))?;
    let params = argon2::Params::try_from(&hash).map_err(|fault| format!("has bad parameters: {fault}"))?;
    if !params.keyid().is_empty() {
        return Err("needs a secret key (keyid)".to_owned());
    }
    bounded(u64::from(params.m_cost()), u64::from(params.t_cost()))?;
    let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from);
    Ok(Stored::Argon2 {
        algorithm: Algorithm::new(hash.algorithm.as_str()).map_err(|fault| fault.to_string())?,
        version: version.map_err(|fault| format!("has an unknown version: {fault}"))?,
        params,
        salt: hash.salt.ok_or("has no salt")?.to_vec(),
        digest: digest(hash.hash.ok_or("has no digest")?.as_bytes().to_vec())?,
    })
}

fn bcrypt_hash(text: &str) -> Result<Stored, String> {
    let parts: bcrypt::HashParts = text.parse().map_err(|fault: bcrypt::BcryptError| fault.to_string())?;
    if !(4..=BCRYPT_COST_LIMIT).contains(&parts.get_cost()) {
        return Err(format!("has a cost outside 4 to {BCRYPT_COST_LIMIT}"));
    }
    Ok(Stored::Bcrypt(text.to_owned()))
}

fn scrypt_hash(text: &str) -> Result<Stored, String> {
    let hash = PasswordHash::new(text).map_err(|fault| format!("is not in PHC format: {fault}"))?;
    let param = |name: &str| hash.params.get_decimal(name).ok_or(format!("lacks the parameter {name}"));
    let (log_n, r, p) = (param("ln")?, param("r")?, param("p")?);
    if !(1..=24).contains(&log_n) || p > 64 {
        return Err("has ln outside 1 to 24 or p above 64".to_owned());
    }
    // Checked before the crate sees them: it multiplies r and p in 32 bits.
    bounded((u64::from(r) << log_n).div_ceil(8), u64::from(p))?;
    Ok(Stored::Scrypt {
        params: scrypt::Params::new(u8::try_from(log_n).unwrap_or(u8::MAX), r, p).map_err(|fault| fault.to_string())?,
        salt: hash.salt.ok_or("has no salt")?.to_vec(),
        digest: digest(hash.hash.ok_or("has no digest")?.as_bytes().to_vec())?,
    })
}

/// `rounds` is passlib's and Django's `29000`, or PHC's `i=29000` with or without further parameters.
fn pbkdf2_hash(rounds: &str, salt: Vec<u8>, encoded: &str) -> Result<Stored, String> {
    let count = rounds.split(',').find_map(|parameter| parameter.strip_prefix("i=")).unwrap_or(rounds);
    let rounds: u32 = count.parse().map_err(|_| "has no number of iterations")?;
    if !(1..=PBKDF2_LIMIT).contains(&rounds) {
        return Err(format!("has iterations outside 1 to {PBKDF2_LIMIT}"));
    }
    Ok(Stored::Pbkdf2 { rounds, salt, digest: digest(base64(encoded)?)? })
}

/// passlib writes `.` for `+`.
fn base64(text: &str) -> Result<Vec<u8>, String> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| "has a salt or digest that is not base64".to_owned())
}

fn digest(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if DIGEST_BYTES.contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(format!(
            "has a digest of {} bytes; {} to {} can be checked",
            bytes.len(),
            DIGEST_BYTES.start(),
            DIGEST_BYTES.end()
        ))
    }
}

/// A hostile import must not take the process down when its user signs in.
fn bounded(memory_kib: u64, passes: u64) -> Result<(), String> {
    if memory_kib > MEMORY_LIMIT_KIB || memory_kib.saturating_mul(passes) > WORK_LIMIT_KIB {
        return Err(format!(
            "is too expensive: at most {} MiB and {} MiB times passes",
            MEMORY_LIMIT_KIB / 1024,
            WORK_LIMIT_KIB / 1024
        ));
    }
    Ok(())
}
