//! Resource servers: the APIs that a pool's tokens are for, and the scopes that they define. They are read from the
//! Directory whenever they decide something, so that one taken away is gone in every replica at once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Pools, document};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Rule};
use crate::store::directory::Directory;

/// Scopes that every pool has.
const STANDARD: [&str; 5] = ["openid", "email", "phone", "profile", super::token::SIGN_IN_SCOPE];

/// An API with scopes of its own, the document of kind `resource_server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The pool's id.
    pub pool: String,
    /// What its scopes begin with; unique in the pool.
    pub identifier: String,
    /// For people.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A scope of a resource server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Without a slash.
    pub name: String,
    /// For people.
    pub description: String,
}

impl ResourceServer {
    /// Whether no scope is there twice.
    fn check(&self) -> Result<(), Error> {
        let names: BTreeSet<&str> = self.scopes.iter().map(|scope| scope.name.as_str()).collect();
        if names.len() == self.scopes.len() {
            Ok(())
        } else {
            Err(Rule::Form("A resource server can not have the same scope twice.").into())
        }
    }

    /// Its scopes as tokens name them. The name has no slash, so that two servers never mean the same.
    fn full_scopes(&self) -> impl Iterator<Item = String> {
        self.scopes.iter().map(|scope| format!("{}/{}", self.identifier, scope.name))
    }
}

/// The scopes of all resource servers of a pool, as they are now.
pub(super) async fn custom_scopes(directory: &dyn Directory, pool: &str) -> Result<BTreeSet<String>, Error> {
    let servers = servers(directory, pool).await?;
    Ok(servers.iter().flat_map(ResourceServer::full_scopes).collect())
}

/// Whether a scope is one of a resource server, going by its form.
pub fn is_custom(scope: &str) -> bool {
    scope.contains('/')
}

async fn servers(directory: &dyn Directory, pool: &str) -> Result<Vec<ResourceServer>, Error> {
    let found = directory.documents(document::RESOURCE_SERVER, pool).await?;
    found.iter().map(|found| Ok(document::parse(found)?.content)).collect()
}

/// Identifiers are unique in their pool only.
fn id(pool: &str, identifier: &str) -> String {
    format!("{pool}/{identifier}")
}

impl Pools {
    /// Makes a resource server. Errors: `Exists(ResourceServer)`, `Rule`, `Unavailable`.
    pub async fn create_resource_server(&self, draft: ResourceServer) -> Result<ResourceServer, Error> {
        draft.check()?;
        let (directory, id) = (&*self.ports().directory, id(&draft.pool, &draft.identifier));
        if document::create(directory, document::RESOURCE_SERVER, &id, &draft.pool, &draft).await? {
            Ok(draft)
        } else {
            Err(Error::Exists(Kind::ResourceServer))
        }
    }

    /// A resource server as it is now. Errors: `NotFound(ResourceServer)`, `Unavailable`.
    pub async fn resource_server(&self, pool: &str, identifier: &str) -> Result<ResourceServer, Error> {
        let (directory, id) = (&*self.ports().directory, id(pool, identifier));
        let found = document::read(directory, document::RESOURCE_SERVER, &id).await?;
        found.map(|found| found.content).ok_or(Error::NotFound(Kind::ResourceServer))
    }

    /// Gives a resource server another name and other scopes. What it has no longer is granted no longer.
    ///
    /// Errors: `NotFound(ResourceServer)`, `Rule`, `Unavailable`.
    pub async fn update_resource_server(
        &self,
        pool: &str,
        identifier: &str,
        name: &str,
        scopes: &[Scope],
    ) -> Result<ResourceServer, Error> {
        let (directory, id) = (&*self.ports().directory, id(pool, identifier));
        let change = |server: &mut ResourceServer| {
            name.clone_into(&mut server.name);
            server.scopes = scopes.to_vec();
            server.check()
        };
        document::change(directory, document::RESOURCE_SERVER, &id, Kind::ResourceServer, change).await
    }

    /// Deletes a resource server. Errors: `NotFound(ResourceServer)`, `Unavailable`.
    pub async fn delete_resource_server(&self, pool: &str, identifier: &str) -> Result<(), Error> {
        let id = id(pool, identifier);
        let deleted = self.ports().directory.delete_document(document::RESOURCE_SERVER, &id).await?;
        if deleted { Ok(()) } else { Err(Error::NotFound(Kind::ResourceServer)) }
    }

    /// The resource servers of a pool as they are now.
    pub async fn resource_servers(&self, pool: &str) -> Result<Vec<ResourceServer>, Error> {
        servers(&*self.ports().directory, pool).await
    }

    /// Whether a pool has all of these scopes. Errors: `Rule` for the first that it has not, `Unavailable`.
    pub async fn check_scopes(&self, pool: &str, scopes: &BTreeSet<String>) -> Result<(), Error> {
        let standard = |scope: &str| STANDARD.contains(&scope);
        if scopes.iter().all(|scope| standard(scope)) {
            return Ok(());
        }
        let custom = custom_scopes(&*self.ports().directory, pool).await?;
        match scopes.iter().find(|scope| !standard(scope) && !custom.contains(*scope)) {
            Some(missing) => Err(Rule::NoScope(missing.clone()).into()),
            None => Ok(()),
        }
    }
}
