//! A connection for each runtime that asks. Every worker of the service is a runtime of its own; when its calls and its
//! connection live on one thread, a call wakes no other thread, and calls that arrive together leave together.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::runtime::{Handle, Id};

use super::address;
use super::connection::Connections;
use crate::config::Tokens;
use crate::error::Error;

/// The connections by runtime.
pub struct PerRuntime {
    settings: Tokens,
    made: ArcSwap<HashMap<Id, Arc<Connections>>>,
}

impl PerRuntime {
    /// Reads the settings; fails on what can never work.
    pub fn new(settings: &Tokens) -> Result<Self, String> {
        address::target(settings)?;
        Ok(Self { settings: settings.clone(), made: ArcSwap::default() })
    }

    /// Those of the runtime that the caller is on.
    pub fn here(&self) -> Result<Arc<Connections>, Error> {
        let runtime = Handle::try_current().map_err(Error::internal)?;
        match self.made.load().get(&runtime.id()) {
            Some(connections) => Ok(connections.clone()),
            None => self.make(&runtime),
        }
    }

    fn make(&self, runtime: &Handle) -> Result<Arc<Connections>, Error> {
        // Certificates are read again: they may have changed since the start.
        let target = address::target(&self.settings).map_err(Error::unavailable)?;
        let fresh = Arc::new(Connections::new(target, &self.settings, runtime.clone()));
        self.made.rcu(|made| {
            let mut more = HashMap::clone(made);
            more.entry(runtime.id()).or_insert_with(|| fresh.clone());
            more
        });
        Ok(self.made.load().get(&runtime.id()).cloned().unwrap_or(fresh))
    }
}
