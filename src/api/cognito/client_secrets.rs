//! The secrets of an app client, of which two may be good at once, and the token that a client gets for itself by one
//! (contract cognito (h), (i)).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, epoch, operations};
use super::secret::check_secret;
use crate::pool::client::SealedSecret;
use crate::pool::{Metadata, PageOf};

operations! {
    Signed AddUserPoolClientSecret => add_user_pool_client_secret;
    Signed DeleteUserPoolClientSecret => delete_user_pool_client_secret;
    Signed ListUserPoolClientSecrets => list_user_pool_client_secrets;
    Nobody GetClientToken => get_client_token;
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientSecretDescriptorType {
    client_secret_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_value: Option<String>,
    client_secret_create_date: f64,
}

impl ClientSecretDescriptorType {
    fn of(kept: SealedSecret, value: Option<String>) -> Self {
        Self {
            client_secret_id: kept.id,
            client_secret_value: value,
            client_secret_create_date: epoch(kept.created_at),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddUserPoolClientSecretInput {
    user_pool_id: String,
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AddUserPoolClientSecretOutput {
    client_secret_descriptor: ClientSecretDescriptorType,
}

async fn add_user_pool_client_secret(
    call: &Call,
    input: AddUserPoolClientSecretInput,
) -> Result<AddUserPoolClientSecretOutput, Fault> {
    call.stored_client(&input.user_pool_id, &input.client_id).await?;
    let pool = call.pool(&input.user_pool_id)?;
    let brought = input.client_secret.as_deref();
    let (kept, shown) = call.api.pools.add_app_secret(&pool, &input.client_id, brought).await?;
    let value = shown.map(|text| text.to_string());
    Ok(AddUserPoolClientSecretOutput { client_secret_descriptor: ClientSecretDescriptorType::of(kept, value) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteUserPoolClientSecretInput {
    user_pool_id: String,
    client_id: String,
    client_secret_id: String,
}

async fn delete_user_pool_client_secret(call: &Call, input: DeleteUserPoolClientSecretInput) -> Result<Empty, Fault> {
    call.stored_client(&input.user_pool_id, &input.client_id).await?;
    let pool = call.pool(&input.user_pool_id)?;
    call.api.pools.delete_app_secret(&pool, &input.client_id, &input.client_secret_id).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolClientSecretsInput {
    user_pool_id: String,
    client_id: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolClientSecretsOutput {
    client_secrets: Vec<ClientSecretDescriptorType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn list_user_pool_client_secrets(
    call: &Call,
    input: ListUserPoolClientSecretsInput,
) -> Result<ListUserPoolClientSecretsOutput, Fault> {
    let client = call.stored_client(&input.user_pool_id, &input.client_id).await?;
    let asked = PageOf { limit: None, token: input.next_token.as_deref() };
    let query = ["ListUserPoolClientSecrets", &input.user_pool_id, &input.client_id];
    let order = |kept: &SealedSecret| (kept.created_at, kept.id.clone());
    let page = call.api.pools.page(&query, client.secrets, order, asked)?;
    let descriptor = |kept| ClientSecretDescriptorType::of(kept, None);
    Ok(ListUserPoolClientSecretsOutput {
        client_secrets: page.items.into_iter().map(descriptor).collect(),
        next_token: page.next,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetClientTokenInput {
    client_id: String,
    secret: String,
    #[serde(default)]
    scopes: Vec<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetClientTokenOutput {
    client_authentication_result: ClientAuthenticationResultType,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientAuthenticationResultType {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
}

async fn get_client_token(call: &Call, input: GetClientTokenInput) -> Result<GetClientTokenOutput, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    let proven = check_secret(&pool, &client, Some(&input.secret)).await?;
    let asked: Vec<&str> = input.scopes.iter().map(String::as_str).collect();
    let token = pool.client_token(&proven, &asked, input.client_metadata.as_ref()).await?;
    Ok(GetClientTokenOutput {
        client_authentication_result: ClientAuthenticationResultType {
            access_token: token.access_token,
            expires_in: token.expires_in,
            token_type: "Bearer",
        },
    })
}
