//! The signing keys of a pool in the Directory: one document a pool, so that a rotation is one write and all
//! replicas sign and verify with one set.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::document::{self, Versioned};
use super::{Client, Pool, PoolSettings, Pools, Ports};
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::keys::{Algorithm, Due, KeyRecord, KeySet, KeySetRecord, KeyState, Schedule, Signer};
use crate::store::directory::Document;

/// Times a write is tried again when another replica was faster.
const TRIES: u32 = 8;
/// Retired keys stay at least as long as a token of a client with the usual lives.
const USUAL_TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// A token with an unknown key makes a replica read the keys again, but not more often than this.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(1);

/// A key as `cognate keys list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// The pool's id.
    pub pool: String,
    /// Key id: the RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when (or from when on) it signs.
    pub active_from: Timestamp,
    /// When it leaves the JWKS, once that is known.
    pub expires_at: Option<Timestamp>,
}

impl Pools {
    /// The key set of a pool, after doing what is due: making the first or the next key, dropping expired ones,
    /// sealing anew under a new master key. `known` is answered again when the Directory holds nothing newer, because
    /// opening and parsing private keys is the dear part.
    pub(super) async fn keys_of(
        &self,
        settings: &PoolSettings,
        clients: &HashMap<String, Client>,
        known: Option<Arc<KeySet>>,
    ) -> Result<Arc<KeySet>, Error> {
        let present = self.schedule(clients.values());
        for _ in 0..TRIES {
            let Versioned { version, content: mut record } = self.read_keys(&settings.id).await?;
            let resealed = self.reseal(&settings.id, &mut record)?;
            let now = self.ports().clock.now();
            let (schedule, noted) = record.remember(present, now);
            let touched = resealed || noted;
            let changed = match record.due(settings.algorithm, &schedule, now) {
                None => touched,
                Some(Due::Removal) => record.drop_expired(now) || touched,
                Some(Due::Extension) => record.extend(&schedule) || touched,
                Some(Due::NewKey) => {
                    let made = self.make_key(&settings.id, settings.algorithm).await?;
                    record.add(made, &schedule, now);
                    true
                }
            };
            if !changed {
                let current = known.as_ref().filter(|known| known.version() == version).cloned();
                return current.map_or_else(|| self.load_keys(&settings.id, version, record, known.as_deref()), Ok);
            }
            match self.write_keys(&settings.id, version, &record).await {
                Ok(version) => {
                    if resealed {
                        let master_key = self.ports().master.keys();
                        tracing::info!(what = settings.id, master_key = master_key.id(), "sealed anew");
                    }
                    return self.load_keys(&settings.id, version, record, known.as_deref());
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    fn schedule<'a>(&self, clients: impl Iterator<Item = &'a Client>) -> Schedule {
        let of_clients = clients.map(|client| client.access_token_seconds.max(client.id_token_seconds)).max();
        let longest = Duration::from_secs(of_clients.unwrap_or(0)).max(self.ports().surfaces.longest_access_token());
        let settings = &self.ports().keys;
        Schedule {
            // A replica publishes a new key only when it has read it, and somebody may fetch just before that and
            // keep the answer for the whole max-age. Two readings: one may take its time.
            publish_ahead: *settings.publish_ahead + *settings.reload * 2,
            rotate_after: *settings.rotate_after,
            // A day is what any client may come to by itself; more than that is remembered in the record.
            token_life: longest.max(USUAL_TOKEN_LIFE),
        }
    }

    async fn read_keys(&self, pool: &str) -> Result<Versioned<KeySetRecord>, Error> {
        let found = document::read(&*self.ports().directory, document::KEYS, pool).await?;
        Ok(found.unwrap_or(Versioned { version: 0, content: KeySetRecord::default() }))
    }

    async fn write_keys(&self, pool: &str, version: i64, record: &KeySetRecord) -> Result<i64, Error> {
        let document = Document {
            kind: document::KEYS.to_owned(),
            id: pool.to_owned(),
            parent: pool.to_owned(),
            version,
            body: document::write(record)?,
        };
        let directory = &self.ports().directory;
        if version > 0 {
            return directory.update_document(&document).await;
        }
        if directory.create_document(&document).await? { Ok(1) } else { Err(Error::Conflict) }
    }

    fn load_keys(
        &self,
        pool: &str,
        version: i64,
        record: KeySetRecord,
        known: Option<&KeySet>,
    ) -> Result<Arc<KeySet>, Error> {
        let loaded = KeySet::load_after(known, pool, version, record, &self.ports().master.keys());
        loaded.map(Arc::new).map_err(|fault| Error::internal(fault.to_string()))
    }

    fn reseal(&self, pool: &str, record: &mut KeySetRecord) -> Result<bool, Error> {
        let mut changed = false;
        for key in &mut record.keys {
            let done = key.reseal(pool, &self.ports().master.keys(), &self.ports().random);
            changed |= done.map_err(|fault| Error::internal(fault.to_string()))?;
        }
        Ok(changed)
    }

    async fn make_key(&self, pool: &str, algorithm: Algorithm) -> Result<KeyRecord, Error> {
        let made = tokio::task::spawn_blocking(move || Signer::generate_pkcs8(algorithm));
        let pkcs8 = made.await.map_err(Error::internal)??;
        let Ports { master, random, clock, .. } = &**self.ports();
        KeyRecord::new(pool, algorithm, &pkcs8, &master.keys(), random, clock.now())
    }

    /// Makes a new signing key for a pool: published now and used after `keys.publish_ahead`, or, in an emergency,
    /// used at once while all others are dropped and every token they signed is refused.
    pub async fn rotate_keys(&self, pool: &Pool, emergency: bool) -> Result<KeyRow, Error> {
        let present = self.schedule(pool.clients.values());
        let made = self.make_key(pool.id(), pool.settings.algorithm).await?;
        let kid = made.kid.clone();
        for _ in 0..TRIES {
            let Versioned { version, content: mut record } = self.read_keys(pool.id()).await?;
            let now = self.ports().clock.now();
            let (schedule, _) = record.remember(present, now);
            if emergency {
                record.replace_all(made.clone(), now);
            } else {
                record.add(made.clone(), &schedule, now);
            }
            match self.write_keys(pool.id(), version, &record).await {
                Ok(_) => {
                    let row = rows(pool.id(), &record, now).into_iter().find(|row| row.kid == kid);
                    return row.ok_or(Error::NotFound(Kind::Key));
                }
                Err(Error::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }
}

impl Pool {
    /// The JWKS as JSON, and its ETag.
    pub fn jwks(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    /// Its signing keys with their states.
    pub fn keys(&self) -> Vec<KeyRow> {
        rows(self.id(), self.keys.load().record(), self.now())
    }

    /// How long a JWKS may be cached: as long as a key is published before it signs.
    pub fn jwks_max_age(&self) -> Duration {
        *self.ports.keys.publish_ahead
    }

    /// The key set that knows the key of `token`: after an emergency rotation another replica may have signed with
    /// a key this one has not read yet, and refusing it would be a false 401.
    pub(super) async fn keys_for(&self, token: &str) -> Result<Arc<KeySet>, Error> {
        let keys = self.keys.load_full();
        let Some(kid) = KeySet::kid_of(token) else { return Err(Error::TokenInvalid) };
        let now = self.now();
        let read_at = self.keys_read_at.load_full();
        if keys.knows(&kid) || read_at.plus(UNKNOWN_KEY_PAUSE) > now {
            return Ok(keys);
        }
        self.keys_read_at.store(Arc::new(now));
        // A reading that failed tells nobody that the key does not exist.
        self.newest_keys().await.inspect_err(|_| self.keys_read_at.store(read_at))
    }

    /// Reads the keys again if the Directory has others: a key that was dropped in an emergency signs nothing more, and
    /// nothing that it signed is good, from the next call on.
    pub(super) async fn follow_keys(&self, version: i64) -> Result<(), Error> {
        if version > self.keys.load().version() {
            self.newest_keys().await?;
        }
        Ok(())
    }

    /// The keys as the Directory has them now. Opening private keys is dear, so of many callers one does it.
    pub(super) async fn newest_keys(&self) -> Result<Arc<KeySet>, Error> {
        let found = document::read(&*self.ports.directory, document::KEYS, self.id()).await?;
        let Some(Versioned { version, content }) = found else { return Ok(self.keys.load_full()) };
        if version == self.keys.load().version() {
            return Ok(self.keys.load_full());
        }
        let _turn = self.keys_turn.lock().await;
        if version == self.keys.load().version() {
            return Ok(self.keys.load_full());
        }
        let fresh = Arc::new(self.load_newest(version, content).await?);
        self.keys.store(fresh.clone());
        Ok(fresh)
    }

    /// A key that a master key sealed which has not come here yet is no fault of the caller, and none that lasts.
    async fn load_newest(&self, version: i64, record: KeySetRecord) -> Result<KeySet, Error> {
        let load =
            |record| KeySet::load_after(Some(&self.keys.load()), self.id(), version, record, &self.ports.master.keys());
        let loaded = match load(record.clone()) {
            Err(fault) if fault.wants_another_master_key() => {
                self.ports.follow_master_keys().await.map_err(Error::unavailable)?;
                load(record)
            }
            loaded => loaded,
        };
        loaded.map_err(|fault| {
            if fault.wants_another_master_key() { Error::unavailable(fault) } else { Error::internal(fault) }
        })
    }
}

fn rows(pool: &str, record: &KeySetRecord, now: Timestamp) -> Vec<KeyRow> {
    let row = |key: &KeyRecord| KeyRow {
        pool: pool.to_owned(),
        kid: key.kid.clone(),
        algorithm: key.algorithm,
        state: record.state(&key.kid, now).unwrap_or(KeyState::Retired).to_string(),
        created_at: key.created_at,
        active_from: key.active_from,
        expires_at: key.expires_at,
    };
    record.keys.iter().map(row).collect()
}
