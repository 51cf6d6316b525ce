//! Keys: master keys seal what rests in the store, signing keys make tokens, and a root secret yields the keys of
//! every other purpose. Pure: documents are read and written by the pool.

mod algorithm;
mod keyholder;
mod life;
mod master;
mod record;
mod ring;
mod set;
mod signer;

use zeroize::Zeroizing;

use crate::crypto::{Random, RootSecret};
use crate::error::Error;

pub use self::algorithm::Algorithm;
pub use self::keyholder::Keyholder;
pub use self::life::TokenLife;
pub use self::master::{MasterKeys, OpenError};
pub use self::record::KeyRecord;
pub use self::ring::{KeySet, LoadError, LoadFault};
pub use self::set::{Due, KeySetRecord, KeyState, Schedule};
pub use self::signer::Signer;

/// What a sealed root secret is bound to.
const ROOT_CONTEXT: &str = "root-secret";

/// Seals the root secret, the origin of every purpose key: when the master key changes, only its wrapping does.
pub fn seal_root(master: &MasterKeys, random: &Random, root: &RootSecret) -> Result<String, Error> {
    master.seal(random, ROOT_CONTEXT, root.expose())
}

/// Opens the root secret that [`seal_root`] sealed.
pub fn open_root(master: &MasterKeys, sealed: &str) -> Result<RootSecret, OpenError> {
    let plain = master.open(ROOT_CONTEXT, sealed)?;
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(plain.as_slice()).map_err(|_| OpenError::Damaged)?);
    Ok(RootSecret::new(*bytes))
}

/// The root secret sealed anew by the current master key; `None` when it is already.
pub fn reseal_root(master: &MasterKeys, random: &Random, sealed: &str) -> Result<Option<String>, Error> {
    master.reseal(random, ROOT_CONTEXT, sealed)
}
