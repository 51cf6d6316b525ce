//! Looking into what is sealed without changing anything: what `cognate check` asks before a service starts.

use super::PoolSettings;
use super::bootstrap::RootRecord;
use super::document;
use super::document::Versioned;
use crate::error::Error;
use crate::keys::{self, KeySet, KeySetRecord, MasterKeys};
use crate::store::directory::Directory;

/// What the Directory holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// Ids of the pools.
    pub pools: Vec<String>,
    /// Ids of all app clients.
    pub clients: Vec<String>,
    /// How many signing keys opened.
    pub keys: usize,
    /// How many secrets are sealed under another master key than the first.
    pub older: usize,
}

/// Opens everything that is sealed with `master` and closes it again; `None` when nothing was made yet. Other than
/// starting the service this seals nothing anew, so a new master key can be tried while others do not have it.
pub async fn inspect(directory: &dyn Directory, master: &MasterKeys) -> Result<Option<Inventory>, Error> {
    let Some(root) = document::read::<RootRecord>(directory, document::ROOT, document::ROOT).await? else {
        return Ok(None);
    };
    keys::open_root(master, &root.content.sealed)?;
    let mut found = Inventory::default();
    found.older += usize::from(!master.is_current(&root.content.sealed));
    for pool in directory.documents(document::POOL, "").await? {
        let pool = document::parse::<PoolSettings>(&pool)?.content.id;
        if let Some(Versioned { version, content }) = read_keys(directory, &pool).await? {
            found.keys += content.keys.len();
            found.older += content.keys.iter().filter(|key| !master.is_current(&key.sealed)).count();
            KeySet::load(&pool, version, content, master).map_err(|fault| Error::internal(fault.to_string()))?;
        }
        let clients = directory.documents(document::CLIENT, &pool).await?;
        found.clients.extend(clients.into_iter().map(|client| client.id));
        found.pools.push(pool);
    }
    Ok(Some(found))
}

async fn read_keys(directory: &dyn Directory, pool: &str) -> Result<Option<Versioned<KeySetRecord>>, Error> {
    document::read(directory, document::KEYS, pool).await
}
