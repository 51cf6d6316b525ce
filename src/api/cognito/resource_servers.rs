//! Resource servers and their scopes (contract cognito (i)).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use crate::error::{Error, Kind};
use crate::pool::{PageOf, ResourceServer, Scope};

operations! {
    Signed CreateResourceServer => create_resource_server;
    Signed DescribeResourceServer => describe_resource_server;
    Signed UpdateResourceServer => update_resource_server;
    Signed DeleteResourceServer => delete_resource_server;
    Signed ListResourceServers => list_resource_servers;
}

/// Servers on a page where nothing is said, and at most.
const PAGE: u32 = 50;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceServerScopeType {
    scope_name: String,
    scope_description: String,
}

impl From<ResourceServerScopeType> for Scope {
    fn from(scope: ResourceServerScopeType) -> Self {
        Self { name: scope.scope_name, description: scope.scope_description }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceServerType {
    user_pool_id: String,
    identifier: String,
    name: String,
    scopes: Vec<ResourceServerScopeType>,
}

impl From<ResourceServer> for ResourceServerType {
    fn from(server: ResourceServer) -> Self {
        let scope =
            |scope: Scope| ResourceServerScopeType { scope_name: scope.name, scope_description: scope.description };
        Self {
            user_pool_id: server.pool,
            identifier: server.identifier,
            name: server.name,
            scopes: server.scopes.into_iter().map(scope).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfResourceServer {
    resource_server: ResourceServerType,
}

impl From<ResourceServer> for OfResourceServer {
    fn from(server: ResourceServer) -> Self {
        Self { resource_server: server.into() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WholeResourceServerInput {
    user_pool_id: String,
    identifier: String,
    name: String,
    #[serde(default)]
    scopes: Vec<ResourceServerScopeType>,
}

async fn create_resource_server(call: &Call, input: WholeResourceServerInput) -> Result<OfResourceServer, Fault> {
    let WholeResourceServerInput { user_pool_id, identifier, name, scopes } = input;
    call.pool_settings(&user_pool_id).await?;
    let draft = ResourceServer {
        pool: user_pool_id.clone(),
        identifier: identifier.clone(),
        name,
        scopes: scopes.into_iter().map(Scope::from).collect(),
        created_at: call.now(),
    };
    let made = call.api.pools.create_resource_server(draft).await.map_err(|error| {
        let exists = matches!(error, Error::Exists(Kind::ResourceServer));
        let words = exists.then(|| format!("{identifier} already exists in user pool {user_pool_id}."));
        Fault::from(error).saying_if(words)
    })?;
    Ok(made.into())
}

async fn update_resource_server(call: &Call, input: WholeResourceServerInput) -> Result<OfResourceServer, Fault> {
    let WholeResourceServerInput { user_pool_id, identifier, name, scopes } = input;
    call.pool_settings(&user_pool_id).await?;
    let scopes: Vec<Scope> = scopes.into_iter().map(Scope::from).collect();
    let changed = call.api.pools.update_resource_server(&user_pool_id, &identifier, &name, &scopes).await;
    Ok(changed.map_err(|error| missing(error, &identifier))?.into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneResourceServerInput {
    user_pool_id: String,
    identifier: String,
}

async fn describe_resource_server(call: &Call, input: OneResourceServerInput) -> Result<OfResourceServer, Fault> {
    call.pool_settings(&input.user_pool_id).await?;
    let found = call.api.pools.resource_server(&input.user_pool_id, &input.identifier).await;
    Ok(found.map_err(|error| missing(error, &input.identifier))?.into())
}

async fn delete_resource_server(call: &Call, input: OneResourceServerInput) -> Result<Empty, Fault> {
    call.pool_settings(&input.user_pool_id).await?;
    let deleted = call.api.pools.delete_resource_server(&input.user_pool_id, &input.identifier).await;
    deleted.map_err(|error| missing(error, &input.identifier))?;
    Ok(Empty {})
}

fn missing(error: Error, identifier: &str) -> Fault {
    let missing = matches!(error, Error::NotFound(Kind::ResourceServer));
    let words = missing.then(|| format!("Resource server {identifier} does not exist."));
    Fault::from(error).saying_if(words)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListResourceServersInput {
    user_pool_id: String,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListResourceServersOutput {
    resource_servers: Vec<ResourceServerType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn list_resource_servers(
    call: &Call,
    input: ListResourceServersInput,
) -> Result<ListResourceServersOutput, Fault> {
    call.pool_settings(&input.user_pool_id).await?;
    let pools = &call.api.pools;
    let all = pools.resource_servers(&input.user_pool_id).await?;
    let asked = PageOf { limit: input.max_results.or(Some(PAGE)), token: input.next_token.as_deref() };
    let query = ["ListResourceServers", &input.user_pool_id];
    let page = pools.page(&query, all, |server| (server.created_at, server.identifier.clone()), asked)?;
    Ok(ListResourceServersOutput {
        resource_servers: page.items.into_iter().map(Into::into).collect(),
        next_token: page.next,
    })
}
