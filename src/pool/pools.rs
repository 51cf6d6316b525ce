//! [`Pools`]: every pool of this deployment as last read from the Directory, found by id or by client.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::bootstrap::BootstrapRecord;
use super::document;
use super::surface::OwnClients;
use super::{Client, Outbox, Pool, PoolSettings, Ports, Secrets};
use crate::crypto::{RootSecret, SealKey};
use crate::error::{Error, Kind};
use crate::keys::KeySet;
use crate::outbound::mail::Mailer;

/// Users whose former passwords are trimmed by one call.
const TRIMMED_AT_ONCE: u32 = 500;

/// The pools, read again every `keys.reload`. When the Directory is down the last reading stays in force, so that
/// verification, JWKS and discovery go on.
pub struct Pools {
    ports: Arc<Ports>,
    mailer: Arc<Mailer>,
    loaded: ArcSwapOption<Loaded>,
    /// How many readings were asked for.
    asked: AtomicU64,
    /// The last of them that one has answered.
    answered: tokio::sync::Mutex<u64>,
}

struct Loaded {
    root: RootSecret,
    outbox: Arc<Outbox>,
    bootstrap: BootstrapRecord,
    own_clients: Arc<OwnClients>,
    pools: HashMap<String, Arc<Pool>>,
    pool_of_client: HashMap<String, String>,
}

impl Pools {
    /// Nothing is read yet.
    pub fn new(ports: Arc<Ports>, mailer: Arc<Mailer>) -> Self {
        let (asked, answered) = (AtomicU64::new(0), tokio::sync::Mutex::new(0));
        Self { ports, mailer, loaded: ArcSwapOption::empty(), asked, answered }
    }

    pub(super) fn ports(&self) -> &Arc<Ports> {
        &self.ports
    }

    fn loaded(&self) -> Result<Arc<Loaded>, Error> {
        self.loaded.load_full().ok_or_else(|| Error::unavailable("the directory was not read yet"))
    }

    pub(super) fn root(&self) -> Result<RootSecret, Error> {
        Ok(self.loaded()?.root.clone())
    }

    /// Whether the Directory was read at least once.
    pub fn is_loaded(&self) -> bool {
        self.loaded.load().is_some()
    }

    /// Reads the Directory: at the first time makes what a new deployment needs (root secret, pool, clients), then
    /// sees that every pool has the signing keys that are due.
    pub async fn reload(&self) -> Result<(), Error> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // One at a time: a slow reading from before a write must not take the place of the one after it.
        let mut answered = self.answered.lock().await;
        if *answered >= mine {
            // One that began since has read what this one would.
            return Ok(());
        }
        let asked = self.asked.load(Ordering::SeqCst);
        self.read().await?;
        *answered = asked;
        Ok(())
    }

    async fn read(&self) -> Result<(), Error> {
        let known = self.loaded.load_full();
        let (root, outbox, bootstrap, own_clients) = match &known {
            Some(known) => {
                (known.root.clone(), known.outbox.clone(), known.bootstrap.clone(), known.own_clients.clone())
            }
            None => {
                self.ports.compare_clocks().await?;
                let root = self.open_root().await?;
                let outbox = Arc::new(self.open_outbox(&root)?);
                let bootstrap = self.bootstrap().await?;
                let own_clients = Arc::new(self.surface_clients(&root, &bootstrap).await?);
                (root, outbox, bootstrap, own_clients)
            }
        };
        self.reseal_root(&root).await?;
        let mut pools = HashMap::new();
        let mut pool_of_client = HashMap::new();
        for found in self.ports.directory.documents(document::POOL, "").await? {
            let known = known.as_ref().and_then(|known| known.pools.get(&found.id)).map(|pool| pool.keys.load_full());
            let pool = self.load_pool(document::parse(&found)?.content, known, &root, &outbox).await?;
            pool_of_client.extend(pool.clients.keys().map(|client| (client.clone(), pool.id().to_owned())));
            pools.insert(pool.id().to_owned(), Arc::new(pool));
        }
        self.loaded.store(Some(Arc::new(Loaded { root, outbox, bootstrap, own_clients, pools, pool_of_client })));
        Ok(())
    }

    fn open_outbox(&self, root: &RootSecret) -> Result<Outbox, Error> {
        Ok(Outbox::new(
            self.ports.directory.clone(),
            self.mailer.clone(),
            root.seal_key("outbox", "")?,
            self.ports.clock.clone(),
            self.ports.random.clone(),
        ))
    }

    async fn load_pool(
        &self,
        settings: PoolSettings,
        known: Option<Arc<KeySet>>,
        root: &RootSecret,
        outbox: &Arc<Outbox>,
    ) -> Result<Pool, Error> {
        let mut clients = HashMap::new();
        for found in self.ports.directory.documents(document::CLIENT, &settings.id).await? {
            let client: Client = document::parse(&found)?.content;
            clients.insert(client.id.clone(), client);
        }
        let keys = self.keys_of(&settings, &clients, known).await?;
        Ok(Pool {
            secrets: Secrets::derive(root, &settings.id)?,
            settings,
            clients,
            keys: ArcSwap::new(keys),
            keys_read_at: ArcSwap::from_pointee(self.ports.clock.now()),
            keys_turn: tokio::sync::Mutex::new(()),
            outbox: outbox.clone(),
            ports: self.ports.clone(),
        })
    }

    /// All pools, by id.
    pub fn all(&self) -> Result<Vec<Arc<Pool>>, Error> {
        let mut pools: Vec<_> = self.loaded()?.pools.values().cloned().collect();
        pools.sort_by(|one, other| one.id().cmp(other.id()));
        Ok(pools)
    }

    /// A pool by its id.
    pub fn find(&self, id: &str) -> Result<Arc<Pool>, Error> {
        self.loaded()?.pools.get(id).cloned().ok_or(Error::NotFound(Kind::Pool))
    }

    /// The pool of a client.
    pub fn of_client(&self, client: &str) -> Result<Arc<Pool>, Error> {
        let loaded = self.loaded()?;
        let pool = loaded.pool_of_client.get(client).and_then(|id| loaded.pools.get(id));
        pool.cloned().ok_or(Error::NotFound(Kind::Client))
    }

    /// The pool made at first start.
    pub fn first(&self) -> Result<Arc<Pool>, Error> {
        self.find(&self.loaded()?.bootstrap.pool)
    }

    pub(super) fn own_clients(&self) -> Result<Arc<OwnClients>, Error> {
        Ok(self.loaded()?.own_clients.clone())
    }

    /// What seals the secrets of access keys.
    pub(super) fn access_key_seal(&self) -> Result<SealKey, Error> {
        self.loaded()?.root.seal_key("access-key", "")
    }

    /// The outbox, for the worker that empties it.
    pub fn outbox(&self) -> Result<Arc<Outbox>, Error> {
        Ok(self.loaded()?.outbox.clone())
    }

    /// Changes the settings of a pool. Former passwords that count no more are forgotten.
    pub async fn update_pool(
        &self,
        id: &str,
        change: impl Fn(&mut PoolSettings) + Send + Sync,
    ) -> Result<PoolSettings, Error> {
        let directory = &*self.ports.directory;
        let change = |settings: &mut PoolSettings| {
            change(settings);
            settings.check()
        };
        let changed = document::change(directory, document::POOL, id, Kind::Pool, change).await?;
        while directory.trim_former_passwords(id, changed.former_passwords(), TRIMMED_AT_ONCE).await? > 0 {}
        Ok(changed)
    }
}
