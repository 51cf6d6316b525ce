//! A connection for each runtime that asks. Every worker of the service is a runtime of its own; when its calls and its
//! connection live on one thread, a call wakes no other thread, and calls that arrive together leave together.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use tokio::runtime::{Handle, Id};

use super::address;
use super::call::Call;
use super::connection::Connections;
use crate::config::{Durability, Tokens};
use crate::error::Error;

/// Connections of a runtime for what waits for a replica: Redis takes nothing more from a connection that waits.
const LANES: usize = 4;

/// The connections by runtime and lane; lane 0 is for what waits for nobody but Redis.
pub struct PerRuntime {
    settings: Tokens,
    made: ArcSwap<HashMap<(Id, usize), Arc<Connections>>>,
    turn: AtomicUsize,
}

impl PerRuntime {
    /// Reads the settings; fails on what can never work.
    pub fn new(settings: &Tokens) -> Result<Self, String> {
        address::target(settings)?;
        Ok(Self { settings: settings.clone(), made: ArcSwap::default(), turn: AtomicUsize::new(0) })
    }

    /// Those for `call` on the runtime that the caller is on.
    pub fn here(&self, call: &Call) -> Result<Arc<Connections>, Error> {
        let runtime = Handle::try_current().map_err(Error::internal)?;
        let lane = (runtime.id(), self.lane(call));
        match self.made.load().get(&lane) {
            Some(connections) => Ok(connections.clone()),
            None => self.make(lane, &runtime),
        }
    }

    fn lane(&self, call: &Call) -> usize {
        match self.settings.durability {
            Durability::Replicated if call.is_replicated() => 1 + self.turn.fetch_add(1, Ordering::Relaxed) % LANES,
            Durability::Replicated | Durability::Local => 0,
        }
    }

    fn make(&self, lane: (Id, usize), runtime: &Handle) -> Result<Arc<Connections>, Error> {
        // Certificates are read again: they may have changed since the start.
        let target = address::target(&self.settings).map_err(Error::unavailable)?;
        let fresh = Arc::new(Connections::new(target, &self.settings, runtime.clone()));
        self.made.rcu(|made| {
            let mut more = HashMap::clone(made);
            more.entry(lane).or_insert_with(|| fresh.clone());
            more
        });
        Ok(self.made.load().get(&lane).cloned().unwrap_or(fresh))
    }
}
