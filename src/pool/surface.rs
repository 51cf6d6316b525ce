//! Surfaces: the APIs that each speak for one app client, and how long the tokens live that they hand out.

use std::sync::Arc;
use std::time::Duration;

use super::bootstrap::BootstrapRecord;
use super::client::{ID_ALPHABET, ID_LENGTH};
use super::{Client, Pool, Pools, document};
use crate::config::{AccountApi, Config};
use crate::crypto::RootSecret;
use crate::error::Error;

/// An API that speaks for one app client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The native API.
    V1,
    /// The pm415 account API.
    Pm415,
    /// The Astera account API.
    Astera,
    /// The Amadis user API and the token endpoint.
    Amadis,
}

impl Surface {
    /// Every surface.
    pub const ALL: [Self; 4] = [Self::V1, Self::Pm415, Self::Astera, Self::Amadis];

    /// Its name: the section of its settings, and the name of the client made for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Pm415 => "pm415",
            Self::Astera => "astera",
            Self::Amadis => "amadis",
        }
    }

    /// The setting that names its client.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::V1 => "v1.client",
            Self::Pm415 => "pm415.client",
            Self::Astera => "astera.client",
            Self::Amadis => "amadis.client",
        }
    }
}

/// One of a thing for each surface.
#[derive(Debug, Clone)]
struct Each<T> {
    v1: T,
    pm415: T,
    astera: T,
    amadis: T,
}

impl<T> Each<T> {
    fn new(mut make: impl FnMut(Surface) -> T) -> Self {
        Self {
            v1: make(Surface::V1),
            pm415: make(Surface::Pm415),
            astera: make(Surface::Astera),
            amadis: make(Surface::Amadis),
        }
    }

    fn of(&self, surface: Surface) -> &T {
        match surface {
            Surface::V1 => &self.v1,
            Surface::Pm415 => &self.pm415,
            Surface::Astera => &self.astera,
            Surface::Amadis => &self.amadis,
        }
    }
}

/// What the settings say about one surface.
#[derive(Debug, Clone)]
struct Share {
    on: bool,
    client: Option<String>,
    /// Overrides the client's own.
    access_token: Option<Duration>,
    /// Overrides the client's own.
    refresh_token: Option<Duration>,
}

impl Share {
    fn apply(&self, client: Client) -> Client {
        let refresh_token_seconds = self.refresh_token.map_or(client.refresh_token_seconds, |life| life.as_secs());
        Client {
            access_token_seconds: self.access_token.map_or(client.access_token_seconds, |life| life.as_secs()),
            // No surface but the native one hands it out; it must not outlive its session all the same.
            id_token_seconds: client.id_token_seconds.min(refresh_token_seconds),
            refresh_token_seconds,
            ..client
        }
    }
}

/// What the settings say about the surfaces.
#[derive(Debug, Clone)]
pub struct Surfaces(Each<Share>);

impl From<&Config> for Surfaces {
    fn from(config: &Config) -> Self {
        let Config { v1, pm415, astera, amadis, compat, .. } = config;
        let account = |api| compat.account == AccountApi::Auto || compat.account == api;
        Self(Each {
            v1: Share { on: compat.v1, client: v1.client.clone(), access_token: None, refresh_token: None },
            pm415: Share {
                on: account(AccountApi::Pm415),
                client: pm415.client.clone(),
                access_token: Some(*pm415.access_token),
                refresh_token: None,
            },
            astera: Share {
                on: account(AccountApi::Astera),
                client: astera.client.clone(),
                access_token: Some(*astera.access_token),
                refresh_token: Some(*astera.refresh_token),
            },
            amadis: Share {
                on: compat.amadis,
                client: amadis.client.clone(),
                access_token: Some(*amadis.access_token),
                refresh_token: Some(*amadis.refresh_token),
            },
        })
    }
}

impl Surfaces {
    /// The surfaces that are served, each with the client that the settings name for it.
    pub fn served(&self) -> impl Iterator<Item = (Surface, Option<&str>)> {
        let shares = Surface::ALL.into_iter().map(|surface| (surface, self.0.of(surface)));
        shares.filter(|(_, share)| share.on).map(|(surface, share)| (surface, share.client.as_deref()))
    }

    fn shares_on(&self) -> impl Iterator<Item = &Share> {
        Surface::ALL.into_iter().map(|surface| self.0.of(surface)).filter(|share| share.on)
    }

    /// The longest life that a surface gives to an access token.
    pub(super) fn longest_access_token(&self) -> Duration {
        self.shares_on().filter_map(|share| share.access_token).max().unwrap_or_default()
    }

    /// The longest life that a surface gives to a session.
    pub(super) fn longest_session(&self) -> Duration {
        let lives = |share: &Share| [share.access_token, share.refresh_token];
        self.shares_on().flat_map(lives).flatten().max().unwrap_or_default()
    }
}

/// Ids of the clients that surfaces speak for where the settings name none.
#[derive(Debug, Clone)]
pub(super) struct OwnClients(Each<String>);

impl OwnClients {
    /// The native API has the client made at first start. The others came later: the root secret gives each an id that
    /// all replicas agree on without asking.
    fn new(root: &RootSecret, bootstrap: &BootstrapRecord) -> Result<Self, Error> {
        let key = root.mac_key("surface-client", &bootstrap.pool)?;
        let letter = |byte: &u8| ID_ALPHABET.get(usize::from(*byte) % ID_ALPHABET.len()).copied().map(char::from);
        let derived = |surface: Surface| {
            key.tag(&[surface.name().as_bytes()]).iter().filter_map(letter).take(ID_LENGTH).collect()
        };
        Ok(Self(Each { v1: bootstrap.client.clone(), ..Each::new(derived) }))
    }
}

impl Pools {
    /// Makes the clients that surfaces lack; whoever writes first wins.
    pub(super) async fn surface_clients(
        &self,
        root: &RootSecret,
        bootstrap: &BootstrapRecord,
    ) -> Result<OwnClients, Error> {
        let own = OwnClients::new(root, bootstrap)?;
        let (ports, pool) = (self.ports(), &bootstrap.pool);
        let there = ports.directory.documents(document::CLIENT, pool).await?;
        for surface in [Surface::Pm415, Surface::Astera, Surface::Amadis] {
            let (share, id) = (ports.surfaces.0.of(surface), own.0.of(surface));
            if share.on && share.client.is_none() && !there.iter().any(|found| found.id == *id) {
                let name = surface.name().to_owned();
                let client = share.apply(Client::new(id.clone(), pool.clone(), name, ports.clock.now()));
                document::create(&*ports.directory, document::CLIENT, id, pool, &client).await?;
            }
        }
        Ok(own)
    }

    /// The client that a surface speaks for, with the lives that the settings give its tokens, and the client's pool.
    ///
    /// Errors: `Unavailable` when the client is not there: the operator's fault, so nobody's token is refused for it.
    pub fn surface(&self, surface: Surface) -> Result<(Arc<Pool>, Client), Error> {
        let id = self.client_of(surface)?;
        let missing = |error| {
            if matches!(error, Error::NotFound(_)) {
                Error::unavailable(format!("no app client {id}: see {}", surface.setting()))
            } else {
                error
            }
        };
        let pool = self.of_client(&id).map_err(missing)?;
        let client = pool.client(&id).map_err(missing)?.clone();
        Ok((pool, self.ports().surfaces.0.of(surface).apply(client)))
    }

    /// The surface that speaks for this client, or for which it would be made again, with all its sessions, if it were
    /// deleted.
    pub fn surface_of(&self, client: &str) -> Result<Option<Surface>, Error> {
        let own = self.own_clients()?;
        let needs = |surface: &Surface| {
            let share = self.ports().surfaces.0.of(*surface);
            let made_again = share.client.is_none() || *surface != Surface::V1;
            (share.on && share.client.as_deref() == Some(client)) || (made_again && own.0.of(*surface) == client)
        };
        Ok(Surface::ALL.into_iter().find(needs))
    }

    fn client_of(&self, surface: Surface) -> Result<String, Error> {
        let named = self.ports().surfaces.0.of(surface).client.clone();
        named.map_or_else(|| Ok(self.own_clients()?.0.of(surface).clone()), Ok)
    }
}
