//! A connection for each runtime that asks. Every worker of the service is a runtime of its own; when its calls and its
//! connection live on one thread, a call wakes no other thread, and calls that arrive together leave together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::Value;
use tokio::runtime::{Handle, Id};

use super::address::{self, Target};
use super::call::Call;
use super::cluster::Cluster;
use super::connection::{Connection, within};
use super::once_per::OncePer;
use crate::config::{Durability, Tokens};
use crate::error::Error;

/// Connections of a runtime for what waits for a replica: Redis takes nothing more from a connection that waits.
const LANES: usize = 4;

/// What a lane is connected to.
enum Lane {
    Server(Arc<Connection>),
    Cluster(Arc<Cluster>),
}

/// The connections by runtime and lane; lane 0 is for what waits for nobody but Redis.
pub struct PerRuntime {
    settings: Tokens,
    lanes: OncePer<(Id, usize), Lane>,
    turn: AtomicUsize,
}

impl PerRuntime {
    /// Reads the settings; fails on what can never work.
    pub fn new(settings: &Tokens) -> Result<Self, String> {
        address::target(settings)?;
        Ok(Self { settings: settings.clone(), lanes: OncePer::default(), turn: AtomicUsize::new(0) })
    }

    /// Takes one step, whole, within the deadline, over a connection of the runtime that the caller is on.
    pub async fn run(&self, call: Call) -> Result<Value, Error> {
        let runtime = Handle::try_current().map_err(Error::internal)?;
        let lane = self.lanes.get((runtime.id(), self.turn(&call)), || self.connect(runtime.clone()))?;
        within(&self.settings, async {
            match &*lane {
                Lane::Server(connection) => connection.send(&call).await,
                Lane::Cluster(cluster) => cluster.send(&call).await,
            }
        })
        .await
    }

    fn turn(&self, call: &Call) -> usize {
        match self.settings.durability {
            Durability::Replicated if call.is_replicated() => 1 + self.turn.fetch_add(1, Ordering::Relaxed) % LANES,
            Durability::Replicated | Durability::Local => 0,
        }
    }

    fn connect(&self, runtime: Handle) -> Result<Lane, Error> {
        // Certificates are read again: they may have changed since the start.
        Ok(match address::target(&self.settings).map_err(Error::unavailable)? {
            Target::Server(server) => Lane::Server(Arc::new(Connection::new(server, &self.settings, runtime))),
            Target::Cluster(nodes) => Lane::Cluster(Arc::new(Cluster::new(*nodes, &self.settings, runtime))),
        })
    }
}
