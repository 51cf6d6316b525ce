//! From settings to pools: what the service and every command of the CLI start with.

use std::sync::Arc;

use super::master;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::crypto::Random;
use crate::error::chain;
use crate::outbound::hook::Hooks;
use crate::outbound::ldap::Ldap;
use crate::outbound::mail::{Mailer, Templates};
use crate::outbound::sms::Texter;
use crate::pool::{Hasher, Pools, Ports, Surfaces, Turns};
use crate::store::{self, Stores};

/// The ports and the pools on top of them.
pub struct Assembled {
    /// The ports.
    pub ports: Arc<Ports>,
    /// The pools; not read yet.
    pub pools: Arc<Pools>,
}

/// Opens everything that the settings name, on the machine's clock.
pub async fn assemble(config: &Config) -> Result<Assembled, String> {
    let stores = store::open(config).await?;
    assemble_on(config, stores, Arc::new(SystemClock::default())).await
}

/// The same on given stores and a given clock.
pub async fn assemble_on(config: &Config, stores: Stores, clock: Arc<dyn Clock>) -> Result<Assembled, String> {
    let random = Random::default();
    let master = master::load(config, &*stores.directory, &random).await?;
    let mailer = Mailer::open(&config.mail, &config.data)?.texting(Texter::open(config, clock.clone())?);
    let ports = Arc::new(Ports {
        directory: stores.directory,
        tokens: stores.tokens,
        clock,
        random,
        hasher: Hasher::new(&config.password).map_err(|error| chain(&error))?,
        master,
        templates: Templates::load(&config.mail)?,
        ldap: Ldap::open(&config.ldap)?,
        hooks: Hooks::new(&config.hooks)?,
        texts: config.sms.url.is_some(),
        turns: Turns::default(),
        limits: config.limits.clone(),
        keys: config.keys.clone(),
        bootstrap: config.bootstrap.clone(),
        surfaces: Surfaces::from(config),
        public_url: config.public_url(),
        region: config.cognito_region().to_owned(),
        issuer_style: config.cognito.issuer_style,
    });
    Ok(Assembled { pools: Arc::new(Pools::new(ports.clone(), Arc::new(mailer))), ports })
}
