//! App clients: made, described, changed, deleted, listed, and their secrets (contract cognito (h)).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client_rules::ClientRules;
use super::client_shape::UserPoolClient;
use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use crate::error::{Error, Kind};
use crate::pool::{Client, PageOf};

operations! {
    Signed CreateUserPoolClient => create_user_pool_client;
    Signed DescribeUserPoolClient => describe_user_pool_client;
    Signed UpdateUserPoolClient => update_user_pool_client;
    Signed DeleteUserPoolClient => delete_user_pool_client;
    Signed ListUserPoolClients => list_user_pool_clients;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateUserPoolClientInput {
    user_pool_id: String,
    client_name: String,
    #[serde(default)]
    generate_secret: bool,
    client_secret: Option<String>,
    #[serde(flatten)]
    rules: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfUserPoolClient {
    user_pool_client: UserPoolClient,
}

async fn create_user_pool_client(call: &Call, input: CreateUserPoolClientInput) -> Result<OfUserPoolClient, Fault> {
    if input.generate_secret && input.client_secret.is_some() {
        return Err(Fault::invalid("Only one of generateSecret and clientSecret can be given."));
    }
    call.pool_settings(&input.user_pool_id).await?;
    let pool = call.pool(&input.user_pool_id)?;
    let now = call.now();
    let mut draft = Client::new(String::new(), input.user_pool_id, input.client_name, now);
    ClientRules::read(input.rules)?.apply(&mut draft, &pool.settings)?;
    draft.id = call.api.pools.new_client_id()?;
    draft.secrets = match input.client_secret {
        None if !input.generate_secret => Vec::new(),
        None => vec![pool.new_app_secret(&draft.id)?.0],
        Some(brought) => vec![pool.seal_app_secret(&draft.id, &brought)?],
    };
    let made = call.api.pools.keep_client(&pool, draft).await?;
    call.api.pools.reload().await?;
    call.described(made)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneClientInput {
    user_pool_id: String,
    client_id: String,
}

async fn describe_user_pool_client(call: &Call, input: OneClientInput) -> Result<OfUserPoolClient, Fault> {
    let client = call.stored_client(&input.user_pool_id, &input.client_id).await?;
    call.described(client)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateUserPoolClientInput {
    user_pool_id: String,
    client_id: String,
    client_name: Option<String>,
    #[serde(flatten)]
    rules: Map<String, Value>,
}

/// What is not named goes back to its default, as Cognito has it; secrets stay.
async fn update_user_pool_client(call: &Call, input: UpdateUserPoolClientInput) -> Result<OfUserPoolClient, Fault> {
    let rules = ClientRules::read(input.rules)?;
    let before = call.stored_client(&input.user_pool_id, &input.client_id).await?;
    let pool = call.pool(&input.user_pool_id)?;
    let mut after = Client::new(before.id.clone(), before.pool.clone(), before.name.clone(), before.created_at);
    rules.apply(&mut after, &pool.settings)?;
    after.updated_at = Some(call.now());
    after.secrets.clone_from(&before.secrets);
    after.check()?;
    call.api.pools.check_scopes(pool.id(), &after.oauth.scopes).await?;
    let change = |client: &mut Client| {
        let name = input.client_name.clone().unwrap_or_else(|| client.name.clone());
        let secrets = std::mem::take(&mut client.secrets);
        *client = Client { name, secrets, ..after.clone() };
    };
    let changed = call.api.pools.update_client(&pool, &input.client_id, change).await?;
    call.api.pools.reload().await?;
    call.described(changed)
}

async fn delete_user_pool_client(call: &Call, input: OneClientInput) -> Result<Empty, Fault> {
    call.stored_client(&input.user_pool_id, &input.client_id).await?;
    let pool = call.pool(&input.user_pool_id)?;
    call.api.pools.delete_client(&pool, &input.client_id).await?;
    call.api.pools.reload().await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolClientsInput {
    user_pool_id: String,
    max_results: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolClientsOutput {
    user_pool_clients: Vec<ClientDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientDescription {
    client_id: String,
    user_pool_id: String,
    client_name: String,
}

async fn list_user_pool_clients(
    call: &Call,
    input: ListUserPoolClientsInput,
) -> Result<ListUserPoolClientsOutput, Fault> {
    call.pool_settings(&input.user_pool_id).await?;
    let pools = &call.api.pools;
    let all = pools.clients_of(&input.user_pool_id).await?;
    let asked = PageOf { limit: input.max_results, token: input.next_token.as_deref() };
    let query = ["ListUserPoolClients", &input.user_pool_id];
    let page = pools.page(&query, all, |client| (client.created_at, client.id.clone()), asked)?;
    let describe = |client: Client| ClientDescription {
        client_id: client.id,
        user_pool_id: client.pool,
        client_name: client.name,
    };
    Ok(ListUserPoolClientsOutput {
        user_pool_clients: page.items.into_iter().map(describe).collect(),
        next_token: page.next,
    })
}

impl Call {
    /// A client of a pool as it is now, whoever wrote it.
    pub(super) async fn stored_client(&self, pool: &str, id: &str) -> Result<Client, Fault> {
        self.pool_settings(pool).await?;
        let found = self.api.pools.clients_of(pool).await?.into_iter().find(|client| client.id == id);
        found.ok_or_else(|| super::operation::missing(Error::NotFound(Kind::Client), Kind::Client, id))
    }

    fn described(&self, client: Client) -> Result<OfUserPoolClient, Fault> {
        let pool = self.pool(&client.pool)?;
        let secret = client.secrets.first().map(|kept| pool.open_app_secret(&client.id, kept)).transpose()?;
        Ok(OfUserPoolClient { user_pool_client: UserPoolClient::of(&client, secret.map(|secret| secret.to_string())) })
    }
}
