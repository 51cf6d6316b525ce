//! Devices as their user and an administrator see them (contract cognito (c), device tracking).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, epoch, operations};
use super::user::AttributeType;
use crate::error::Error;
use crate::pool::{Device, DeviceSecret, Page, PageOf, Pool};

operations! {
    AccessToken ConfirmDevice => confirm_device;
    AccessToken GetDevice => get_device;
    AccessToken ForgetDevice => forget_device;
    AccessToken ListDevices => list_devices;
    AccessToken UpdateDeviceStatus => update_device_status;
    Signed AdminGetDevice => admin_get_device;
    Signed AdminForgetDevice => admin_forget_device;
    Signed AdminListDevices => admin_list_devices;
    Signed AdminUpdateDeviceStatus => admin_update_device_status;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfirmDeviceInput {
    access_token: String,
    device_key: String,
    #[serde(default)]
    device_secret_verifier_config: DeviceSecretVerifierConfig,
    device_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeviceSecretVerifierConfig {
    password_verifier: Option<String>,
    salt: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfirmDeviceOutput {
    user_confirmation_necessary: bool,
}

async fn confirm_device(call: &Call, input: ConfirmDeviceInput) -> Result<ConfirmDeviceOutput, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let secret = &input.device_secret_verifier_config;
    let secret = DeviceSecret {
        salt: needed(secret.salt.as_deref(), "Salt")?,
        verifier: needed(secret.password_verifier.as_deref(), "PasswordVerifier")?,
    };
    let name = input.device_name.as_deref();
    let user_confirmation_necessary = pool.confirm_device(&caller, &input.device_key, name, secret).await?;
    Ok(ConfirmDeviceOutput { user_confirmation_necessary })
}

fn needed<T>(member: Option<T>, name: &str) -> Result<T, Fault> {
    member.ok_or_else(|| Fault::invalid(format!("Missing required parameter {name}")))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceType {
    device_key: String,
    device_attributes: Vec<AttributeType>,
    device_create_date: f64,
    device_last_modified_date: f64,
    device_last_authenticated_date: f64,
}

impl DeviceType {
    fn of(pool: &Pool, device: Device) -> Self {
        let remembered = if device.remembered { "remembered" } else { "not_remembered" };
        let attributes = [
            Some(("device_status", "valid".to_owned())),
            device.name.map(|name| ("device_name", name)),
            Some(("dev:device_remembered_status", remembered.to_owned())),
        ];
        let attribute = |(name, value): (&str, String)| AttributeType { name: name.to_owned(), value };
        Self {
            device_key: pool.device_key(device.id),
            device_attributes: attributes.into_iter().flatten().map(attribute).collect(),
            device_create_date: epoch(device.created_at),
            device_last_modified_date: epoch(device.updated_at),
            device_last_authenticated_date: epoch(device.authenticated_at),
        }
    }
}

/// The token is optional in the model, and nothing else says whose device it is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnDeviceInput {
    access_token: Option<String>,
    device_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminDeviceInput {
    user_pool_id: String,
    username: String,
    device_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeviceOutput {
    device: DeviceType,
}

async fn get_device(call: &Call, input: OwnDeviceInput) -> Result<DeviceOutput, Fault> {
    let (pool, caller) = call.caller(&needed(input.access_token, "AccessToken")?).await?;
    let device = pool.device(caller.user.sub, &input.device_key).await?;
    Ok(DeviceOutput { device: DeviceType::of(&pool, device) })
}

async fn admin_get_device(call: &Call, input: AdminDeviceInput) -> Result<DeviceOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await.map_err(of_owner)?;
    let device = pool.device(user.sub, &input.device_key).await?;
    Ok(DeviceOutput { device: DeviceType::of(&pool, device) })
}

/// The model has no UserNotFoundException for these.
fn of_owner(error: Error) -> Fault {
    let missing = matches!(error, Error::UserNotFound);
    if missing { Fault::new("ResourceNotFoundException", error.to_string()) } else { error.into() }
}

async fn forget_device(call: &Call, input: OwnDeviceInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&needed(input.access_token, "AccessToken")?).await?;
    pool.forget_device(caller.user.sub, &input.device_key).await?;
    Ok(Empty {})
}

async fn admin_forget_device(call: &Call, input: AdminDeviceInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    pool.forget_device(user.sub, &input.device_key).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListDevicesInput {
    access_token: String,
    limit: Option<u32>,
    pagination_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminListDevicesInput {
    user_pool_id: String,
    username: String,
    limit: Option<u32>,
    pagination_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DevicesOutput {
    devices: Vec<DeviceType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

impl DevicesOutput {
    fn of(pool: &Pool, page: Page<Device>) -> Self {
        let devices = page.items.into_iter().map(|device| DeviceType::of(pool, device)).collect();
        Self { devices, pagination_token: page.next }
    }
}

async fn list_devices(call: &Call, input: ListDevicesInput) -> Result<DevicesOutput, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let page = PageOf { limit: input.limit, token: input.pagination_token.as_deref() };
    Ok(DevicesOutput::of(&pool, pool.device_page(caller.user.sub, page).await?))
}

async fn admin_list_devices(call: &Call, input: AdminListDevicesInput) -> Result<DevicesOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await.map_err(of_owner)?;
    let page = PageOf { limit: input.limit, token: input.pagination_token.as_deref() };
    Ok(DevicesOutput::of(&pool, pool.device_page(user.sub, page).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateDeviceStatusInput {
    access_token: String,
    device_key: String,
    device_remembered_status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminUpdateDeviceStatusInput {
    #[serde(flatten)]
    device: AdminDeviceInput,
    device_remembered_status: Option<Status>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Remembered,
    NotRemembered,
}

impl Status {
    fn is_remembered(given: Option<Self>) -> Result<bool, Fault> {
        needed(given, "DeviceRememberedStatus").map(|status| status == Self::Remembered)
    }
}

async fn update_device_status(call: &Call, input: UpdateDeviceStatusInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let remembered = Status::is_remembered(input.device_remembered_status)?;
    pool.remember_device(caller.user.sub, &input.device_key, remembered).await?;
    Ok(Empty {})
}

async fn admin_update_device_status(call: &Call, input: AdminUpdateDeviceStatusInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.device.user_pool_id)?;
    let remembered = Status::is_remembered(input.device_remembered_status)?;
    let user = pool.find_user(&input.device.username).await?;
    pool.remember_device(user.sub, &input.device.device_key, remembered).await?;
    Ok(Empty {})
}
