//! The connections: at most so many at once, and those that are spare are used again.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::Connection;
use super::server::Server;
use super::verdict::Verdict;
use crate::config::{self, Secret};
use crate::error::Cause;

/// Firewalls forget quiet connections without a word after some minutes.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The connections to one server.
pub(super) struct Spares(Arc<Shared>);

struct Shared {
    server: Server,
    service: Option<(String, Secret)>,
    places: Arc<Semaphore>,
    resting: Mutex<Vec<(Connection, Instant)>>,
    connect_timeout: Duration,
    patience: Duration,
}

impl Spares {
    /// No connection yet.
    pub(super) fn new(server: Server, service: Option<(String, Secret)>, settings: &config::Ldap) -> Self {
        Self(Arc::new(Shared {
            server,
            service,
            places: Arc::new(Semaphore::new(usize::try_from(settings.connections).unwrap_or(usize::MAX))),
            resting: Mutex::default(),
            connect_timeout: *settings.connect_timeout,
            patience: settings.connect_timeout.saturating_add(*settings.timeout),
        }))
    }

    /// The longest time for getting a connection and all that is asked on it.
    pub(super) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// A connection to use alone, bound as the account that searches, or as nobody where there is none.
    pub(super) async fn take(&self) -> Result<Lease, Cause> {
        let taken = tokio::time::timeout(self.0.connect_timeout, self.0.clone().take()).await;
        taken.map_err(|_| "no connection to the directory within ldap.connect_timeout")?
    }

    /// Closes the spare ones: where one broke, the others have broken as well.
    pub(super) fn clear(&self) {
        drop(std::mem::take(&mut *self.0.resting()));
    }
}

impl Shared {
    async fn take(self: Arc<Self>) -> Result<Lease, Cause> {
        let place = self.places.clone().acquire_owned().await?;
        // Whoever it was bound as before, it is bound anew here; and one that broke meanwhile is found out.
        if let Some(mut connection) = self.rested()
            && self.bind_service(&mut connection).await.is_ok()
        {
            return Ok(Lease { connection, shared: self, _place: place });
        }
        let mut connection = self.server.connect().await?;
        self.bind_service(&mut connection).await?;
        Ok(Lease { connection, shared: self, _place: place })
    }

    async fn bind_service(&self, connection: &mut Connection) -> Result<(), Cause> {
        let Some((dn, password)) = &self.service else { return Ok(()) };
        match connection.bind(dn, password.expose()).await? {
            Verdict::Right => Ok(()),
            Verdict::Wrong | Verdict::MustChange => Err("the directory refuses ldap.bind_dn or its password".into()),
        }
    }

    fn rested(&self) -> Option<Connection> {
        let mut resting = self.resting();
        resting.retain_mut(|(connection, since)| connection.is_open() && since.elapsed() < LONGEST_REST);
        resting.pop().map(|(connection, _)| connection)
    }

    fn resting(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. Dropped, it is closed: only what ended well is kept.
pub(super) struct Lease {
    connection: Connection,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    /// Gives the connection back to be used again.
    pub(super) fn keep(self) {
        let Self { connection, shared, _place } = self;
        shared.resting().push((connection, Instant::now()));
    }

    /// Binds the account that searches again, after the bind of a person.
    pub(super) async fn bind_service(&mut self) -> Result<(), Cause> {
        self.shared.bind_service(&mut self.connection).await
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
