//! Who holds the master keys while the process runs, and knows the file where others may come to be.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use super::MasterKeys;

/// The master keys in force. Whoever seals or opens takes them from here each time.
#[derive(Debug)]
pub struct Keyholder {
    keys: ArcSwap<MasterKeys>,
    file: Option<PathBuf>,
}

impl Keyholder {
    /// Holds `keys`, which were read from `file`; without a file they stay for good.
    pub fn new(keys: MasterKeys, file: Option<PathBuf>) -> Self {
        Self { keys: ArcSwap::from_pointee(keys), file }
    }

    /// The keys in force.
    pub fn keys(&self) -> Arc<MasterKeys> {
        self.keys.load_full()
    }

    /// The keys that the file holds now, if they are not those in force. Compared by content: a mounted secret changes
    /// by the swap of a link, and its time says nothing.
    pub fn others(&self) -> Result<Option<MasterKeys>, String> {
        let Some(file) = &self.file else { return Ok(None) };
        let broken = |fault: &dyn Display| {
            format!("{}: {fault}; it must hold keys of 32 bytes in base64, the first seals, all open", file.display())
        };
        let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|fault| broken(&fault))?);
        let keys = MasterKeys::parse(&text).map_err(|fault| broken(&fault))?;
        Ok((!keys.same_as(&self.keys.load())).then_some(keys))
    }

    /// Puts `keys` in the place of those in force.
    pub fn replace(&self, keys: MasterKeys) {
        self.keys.store(Arc::new(keys));
    }
}
