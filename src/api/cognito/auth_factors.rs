//! With what a user can sign in.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, operations};
use super::user::MfaSettings;
use crate::pool::settings::FirstProof;
use crate::pool::{Pool, User};

operations! {
    AccessToken GetUserAuthFactors => get_user_auth_factors;
    Signed AdminGetUserAuthFactors => admin_get_user_auth_factors;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetUserAuthFactorsInput {
    access_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminGetUserAuthFactorsInput {
    user_pool_id: String,
    username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserAuthFactors {
    username: String,
    #[serde(flatten)]
    mfa: MfaSettings,
    configured_user_auth_factors: Vec<FirstProof>,
}

impl UserAuthFactors {
    fn of(pool: &Pool, user: User) -> Result<Self, Fault> {
        let (mfa, configured_user_auth_factors) = (MfaSettings::of(&user)?, pool.first_proofs_of(&user));
        Ok(Self { username: user.username, mfa, configured_user_auth_factors })
    }
}

async fn get_user_auth_factors(call: &Call, input: GetUserAuthFactorsInput) -> Result<UserAuthFactors, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    UserAuthFactors::of(&pool, caller.user)
}

async fn admin_get_user_auth_factors(
    call: &Call,
    input: AdminGetUserAuthFactorsInput,
) -> Result<UserAuthFactors, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    UserAuthFactors::of(&pool, user)
}
