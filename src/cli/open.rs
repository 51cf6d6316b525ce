//! The stores that a command works on: the same that a running service uses, opened from the same settings.

use std::sync::Arc;

use super::failure::Failure;
use crate::config::{Config, Log};
use crate::error::{Error, Kind, chain};
use crate::pool::{Client, Pool, Pools, Ports, Surface};
use crate::server::{self, Assembled};
use crate::telemetry::{self, Logging};

/// What commands work on.
pub(super) struct Opened {
    pub(super) config: Config,
    pub(super) ports: Arc<Ports>,
    pub(super) pools: Arc<Pools>,
    _logging: Logging,
}

impl Opened {
    /// Opens the stores and reads the pools; at the very first time makes the first pool, but no administrator, whose
    /// password `serve` shows.
    pub(super) async fn new(config: Config) -> Result<Self, Failure> {
        let logging = quiet_logging(&config)?;
        let Assembled { ports, pools } = server::assemble(&config).await?;
        pools.reload().await.map_err(|error| unreadable(&config, error))?;
        Ok(Self { config, ports, pools, _logging: logging })
    }

    /// The pool of this id, or the first one.
    pub(super) fn pool(&self, id: Option<&str>) -> Result<Arc<Pool>, Failure> {
        Ok(match id {
            Some(id) => self.pools.find(id)?,
            None => self.pools.first()?,
        })
    }

    /// The client in whose name mails of a pool are sent: `/v1`'s if it is of this pool.
    pub(super) fn client_of<'a>(&self, pool: &'a Pool) -> Result<&'a Client, Failure> {
        let usual = self.pools.surface(Surface::V1).ok().and_then(|(_, client)| pool.client(&client.id).ok());
        let any = || pool.clients().first().copied();
        usual.or_else(any).ok_or_else(|| Error::NotFound(Kind::Client).into())
    }
}

/// Results go to standard output; of the log only what an operator has to know, to standard error.
pub(super) fn quiet_logging(config: &Config) -> Result<Logging, Failure> {
    Ok(telemetry::start_logging(&Log { level: "warn".to_owned(), ..config.log.clone() })?)
}

fn unreadable(config: &Config, error: Error) -> Failure {
    if matches!(error, Error::Internal(_)) {
        return Failure::Said(format!(
            "the data in {} does not open: {}. `cognate check` tells more",
            config.data.display(),
            chain(&error)
        ));
    }
    error.into()
}
