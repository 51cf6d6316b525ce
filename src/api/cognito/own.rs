//! What a user reads and changes of his own account with his access token.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use super::user::{AttributeType, CodeDelivered, CodeDeliveryDetailsType, MfaSettings, given, seen};
use crate::pool::{Metadata, Party};

operations! {
    AccessToken GetUser => get_user;
    AccessToken UpdateUserAttributes => update_user_attributes;
    AccessToken DeleteUserAttributes => delete_user_attributes;
    AccessToken GetUserAttributeVerificationCode => get_user_attribute_verification_code;
    AccessToken VerifyUserAttribute => verify_user_attribute;
    AccessToken ChangePassword => change_password;
    AccessToken DeleteUser => delete_user;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnInput {
    access_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetUserOutput {
    username: String,
    user_attributes: Vec<AttributeType>,
    #[serde(flatten)]
    mfa: MfaSettings,
}

async fn get_user(call: &Call, input: OwnInput) -> Result<GetUserOutput, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let user_attributes = seen(&pool, &caller.user, Party::Owner(pool.client_of(&caller)?));
    let mfa = MfaSettings::of(&caller.user)?;
    Ok(GetUserOutput { username: caller.user.username, user_attributes, mfa })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateUserAttributesInput {
    access_token: String,
    user_attributes: Vec<AttributeType>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateUserAttributesOutput {
    code_delivery_details_list: Vec<CodeDeliveryDetailsType>,
}

async fn update_user_attributes(
    call: &Call,
    input: UpdateUserAttributesInput,
) -> Result<UpdateUserAttributesOutput, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let (values, metadata) = (given(input.user_attributes), input.client_metadata.as_ref());
    let sent = pool.update_own_attributes(&caller, &values, call.source, metadata).await?;
    Ok(UpdateUserAttributesOutput { code_delivery_details_list: sent.into_iter().map(Into::into).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteUserAttributesInput {
    access_token: String,
    user_attribute_names: Vec<String>,
}

async fn delete_user_attributes(call: &Call, input: DeleteUserAttributesInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    pool.remove_own_attributes(&caller, &input.user_attribute_names).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeCodeInput {
    access_token: String,
    attribute_name: String,
    client_metadata: Option<Metadata>,
}

async fn get_user_attribute_verification_code(call: &Call, input: AttributeCodeInput) -> Result<CodeDelivered, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let metadata = input.client_metadata.as_ref();
    let sent = pool.send_contact_code(&caller, &input.attribute_name, call.source, metadata).await?;
    Ok(CodeDelivered { code_delivery_details: sent.into() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VerifyUserAttributeInput {
    access_token: String,
    attribute_name: String,
    code: String,
}

async fn verify_user_attribute(call: &Call, input: VerifyUserAttributeInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    pool.prove_contact(&caller, &input.attribute_name, &input.code, call.source).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangePasswordInput {
    access_token: String,
    previous_password: Option<String>,
    proposed_password: String,
}

async fn change_password(call: &Call, input: ChangePasswordInput) -> Result<Empty, Fault> {
    let (token, proposed) = (&input.access_token, &input.proposed_password);
    let pool = call.api.pools.of_access_token(token)?;
    match input.previous_password {
        Some(previous) => pool.change_password(token, &previous, proposed, call.source).await?,
        None => pool.choose_first_password(token, proposed).await?,
    }
    Ok(Empty {})
}

async fn delete_user(call: &Call, input: OwnInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    pool.delete_user(&caller.user.sub.to_string()).await?;
    Ok(Empty {})
}
