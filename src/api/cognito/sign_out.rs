//! Ending sessions: of a refresh token, of the caller, of somebody else.

use serde::Deserialize;

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use crate::pool::Terms;

operations! {
    Nobody RevokeToken => revoke_token;
    AccessToken GlobalSignOut => global_sign_out;
    Signed AdminUserGlobalSignOut => admin_user_global_sign_out;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeTokenInput {
    token: String,
    client_id: String,
}

async fn revoke_token(call: &Call, input: RevokeTokenInput) -> Result<Empty, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    pool.revoke(Terms::from(&client), &input.token).await.map_err(Fault::of_refresh)?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GlobalSignOutInput {
    access_token: String,
}

async fn global_sign_out(call: &Call, input: GlobalSignOutInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    pool.sign_out_user(&caller.user.sub.to_string()).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminUserGlobalSignOutInput {
    user_pool_id: String,
    username: String,
}

async fn admin_user_global_sign_out(call: &Call, input: AdminUserGlobalSignOutInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.sign_out_user(&input.username).await?;
    Ok(Empty {})
}
