//! Users as an administrator makes, reads, changes and deletes them.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, epoch, operations};
use super::user::{AttributeType, MfaSettings, UserType, given, seen, taken};
use crate::error::Error;
use crate::pool::settings::Contact;
use crate::pool::{ForHooks, Invited, Metadata, Party, Telling};

operations! {
    Signed AdminCreateUser => admin_create_user;
    Signed AdminGetUser => admin_get_user;
    Signed AdminDeleteUser => admin_delete_user;
    Signed AdminUpdateUserAttributes => admin_update_user_attributes;
    Signed AdminDeleteUserAttributes => admin_delete_user_attributes;
    Signed AdminSetUserPassword => admin_set_user_password;
    Signed AdminResetUserPassword => admin_reset_user_password;
    Signed AdminConfirmSignUp => admin_confirm_sign_up;
    Signed AdminEnableUser => admin_enable_user;
    Signed AdminDisableUser => admin_disable_user;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminCreateUserInput {
    user_pool_id: String,
    username: String,
    #[serde(default)]
    user_attributes: Vec<AttributeType>,
    temporary_password: Option<String>,
    message_action: Option<String>,
    desired_delivery_mediums: Option<Vec<String>>,
    #[serde(default)]
    force_alias_creation: bool,
    validation_data: Option<Vec<AttributeType>>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AdminCreateUserOutput {
    user: UserType,
}

async fn admin_create_user(call: &Call, input: AdminCreateUserInput) -> Result<AdminCreateUserOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let action = input.message_action.as_deref();
    let telling = match input.desired_delivery_mediums {
        _ if action == Some("SUPPRESS") => Telling::Not,
        Some(mediums) if !mediums.is_empty() => Telling::By(mediums.iter().filter_map(|name| medium(name)).collect()),
        Some(_) | None => Telling::Usually,
    };
    let password = input.temporary_password.as_deref();
    let made = if action == Some("RESEND") {
        pool.invite_again(&input.username, password, &telling, input.client_metadata.as_ref()).await
    } else {
        let validation = input.validation_data.map(|data| given(data).into_iter().collect());
        let draft = Invited {
            username: &input.username,
            attributes: given(input.user_attributes),
            temporary_password: password,
            telling,
            take_alias: input.force_alias_creation,
            told: ForHooks { validation: validation.as_ref(), metadata: input.client_metadata.as_ref() },
        };
        pool.invite_user(draft).await
    };
    let user = made.map_err(|error| {
        let exists = matches!(error, Error::UserExists);
        let fault = Fault::of_first_password(error);
        if exists { taken(&pool, fault, &input.username, "User account already exists") } else { fault }
    })?;
    Ok(AdminCreateUserOutput { user: UserType::new(&pool, &user) })
}

fn medium(name: &str) -> Option<Contact> {
    match name {
        "EMAIL" => Some(Contact::Email),
        "SMS" => Some(Contact::PhoneNumber),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserInput {
    user_pool_id: String,
    username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AdminGetUserOutput {
    username: String,
    user_attributes: Vec<AttributeType>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
    #[serde(flatten)]
    mfa: MfaSettings,
}

async fn admin_get_user(call: &Call, input: UserInput) -> Result<AdminGetUserOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    Ok(AdminGetUserOutput {
        user_attributes: seen(&pool, &user, Party::Administrator),
        user_create_date: epoch(user.created_at),
        user_last_modified_date: epoch(user.updated_at),
        enabled: user.enabled,
        user_status: user.status.as_str(),
        mfa: MfaSettings::of(&user)?,
        username: user.username,
    })
}

async fn admin_delete_user(call: &Call, input: UserInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.delete_user(&input.username).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminUpdateUserAttributesInput {
    user_pool_id: String,
    username: String,
    user_attributes: Vec<AttributeType>,
}

async fn admin_update_user_attributes(call: &Call, input: AdminUpdateUserAttributesInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    pool.update_attributes(&input.username, &given(input.user_attributes)).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminDeleteUserAttributesInput {
    user_pool_id: String,
    username: String,
    user_attribute_names: Vec<String>,
}

async fn admin_delete_user_attributes(call: &Call, input: AdminDeleteUserAttributesInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    pool.remove_attributes(&input.username, &input.user_attribute_names).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminSetUserPasswordInput {
    user_pool_id: String,
    username: String,
    password: String,
    #[serde(default)]
    permanent: bool,
}

async fn admin_set_user_password(call: &Call, input: AdminSetUserPasswordInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let set = pool.set_password(&input.username, &input.password, !input.permanent).await;
    set.map_err(Fault::of_first_password)?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldUserInput {
    client_metadata: Option<Metadata>,
    #[serde(flatten)]
    whose: UserInput,
}

async fn admin_reset_user_password(call: &Call, input: ToldUserInput) -> Result<Empty, Fault> {
    let ToldUserInput { client_metadata, whose } = input;
    let pool = call.pool(&whose.user_pool_id)?;
    pool.reset_by_administrator(&whose.username, client_metadata.as_ref()).await.map_err(|error| {
        let disabled = matches!(error, Error::UserDisabled);
        let fault = Fault::from(error);
        // Without the full stop that it has elsewhere.
        if disabled { fault.saying("User is disabled") } else { fault }
    })?;
    Ok(Empty {})
}

async fn admin_confirm_sign_up(call: &Call, input: ToldUserInput) -> Result<Empty, Fault> {
    let ToldUserInput { client_metadata, whose } = input;
    let pool = call.pool(&whose.user_pool_id)?;
    pool.confirm_by_administrator(&whose.username, client_metadata.as_ref()).await?;
    Ok(Empty {})
}

async fn admin_enable_user(call: &Call, input: UserInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.enable_user(&input.username).await?;
    Ok(Empty {})
}

async fn admin_disable_user(call: &Call, input: UserInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.disable_user(&input.username).await?;
    Ok(Empty {})
}
