//! Refresh tokens: what they yield, and how they are taken back (contract cognito (f)).

use serde::{Deserialize, Serialize};

use super::auth::AuthenticationResult;
use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use super::secret::check_secret;
use crate::error::Error;
use crate::pool::{Metadata, Pool, Terms};

operations! {
    Nobody GetTokensFromRefreshToken => get_tokens_from_refresh_token;
    Nobody RevokeToken => revoke_token;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetTokensFromRefreshTokenInput {
    refresh_token: String,
    client_id: String,
    client_secret: Option<String>,
    device_key: Option<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetTokensFromRefreshTokenOutput {
    authentication_result: AuthenticationResult,
}

async fn get_tokens_from_refresh_token(
    call: &Call,
    input: GetTokensFromRefreshTokenInput,
) -> Result<GetTokensFromRefreshTokenOutput, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    check_secret(&pool, &client, input.client_secret.as_deref()).await?;
    let terms = Terms::from(&client).on(input.device_key.as_deref()).telling(input.client_metadata.as_ref());
    let tokens = pool.refresh(terms, None, &input.refresh_token, 0).await.map_err(Fault::of_refresh)?;
    Ok(GetTokensFromRefreshTokenOutput { authentication_result: tokens.into() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeTokenInput {
    token: String,
    client_id: String,
    client_secret: Option<String>,
}

async fn revoke_token(call: &Call, input: RevokeTokenInput) -> Result<Empty, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    check_secret(&pool, &client, input.client_secret.as_deref()).await?;
    if !client.revocation {
        return Err(Fault::new("UnsupportedOperationException", "Token revocation is not enabled for this client"));
    }
    match pool.revoke(Terms::from(&client), &input.token).await {
        Ok(()) => Ok(Empty {}),
        Err(Error::TokenInvalid) => not_revoked(&pool, &input.token),
        Err(error) => Err(error.into()),
    }
}

/// What nobody knows is as good as revoked.
fn not_revoked(pool: &Pool, token: &str) -> Result<Empty, Fault> {
    if pool.is_refresh_token(token) {
        Err(Fault::new("UnauthorizedException", "The token was issued to another client"))
    } else if Pool::is_jwt(token) {
        Err(Fault::new("UnsupportedTokenTypeException", "Only refresh tokens can be revoked"))
    } else {
        Ok(Empty {})
    }
}
