//! Registering, confirming, and resetting a forgotten password: what anybody may ask for through a client.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, operations};
use super::secret::check_hash;
use super::user::{AttributeType, CodeDelivered, CodeDeliveryDetailsType, given, taken};
use crate::error::Error;
use crate::pool::{Client, Digits, ForHooks, Metadata, Pool, Registration, SignUpCode, Terms, UserStatus};

operations! {
    Nobody SignUp => sign_up;
    Nobody ConfirmSignUp => confirm_sign_up;
    Nobody ResendConfirmationCode => resend_confirmation_code;
    Nobody ForgotPassword => forgot_password;
    Nobody ConfirmForgotPassword => confirm_forgot_password;
}

/// Through which client somebody is named, and the proof that it is that client.
struct Through<'a> {
    client_id: &'a str,
    secret_hash: Option<&'a str>,
    username: &'a str,
}

impl<'a> Through<'a> {
    fn of(client_id: &'a str, secret_hash: Option<&'a str>, username: &'a str) -> Self {
        Self { client_id, secret_hash, username }
    }

    async fn client(&self, call: &Call) -> Result<(Arc<Pool>, Client), Fault> {
        let (pool, client) = call.client(self.client_id)?;
        check_hash(&pool, &client, self.secret_hash, self.username).await?;
        Ok((pool, client))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SignUpInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    password: Option<String>,
    #[serde(default)]
    user_attributes: Vec<AttributeType>,
    validation_data: Option<Vec<AttributeType>>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SignUpOutput {
    user_confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_delivery_details: Option<CodeDeliveryDetailsType>,
    user_sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

async fn sign_up(call: &Call, input: SignUpInput) -> Result<SignUpOutput, Fault> {
    let through = Through::of(&input.client_id, input.secret_hash.as_deref(), &input.username);
    let (pool, client) = through.client(call).await?;
    let attributes = given(input.user_attributes);
    let validation = input.validation_data.map(|data| given(data).into_iter().collect());
    let told = ForHooks { validation: validation.as_ref(), metadata: input.client_metadata.as_ref() };
    let draft = Registration { username: &input.username, password: input.password.as_deref(), attributes, told };
    let registered = pool.register_by_code(&client, draft, call.source).await.map_err(|error| {
        let exists = matches!(error, Error::UserExists);
        let fault = Fault::of_first_password(error);
        if exists { taken(&pool, fault, &input.username, "User already exists") } else { fault }
    })?;
    let session = pool.registration_session(&client, &registered.user).await?;
    Ok(SignUpOutput {
        session,
        user_confirmed: registered.user.status == UserStatus::Confirmed,
        code_delivery_details: registered.delivery.map(Into::into),
        user_sub: registered.user.sub.to_string(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfirmSignUpInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    #[serde(default)]
    force_alias_creation: bool,
    session: Option<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfirmSignUpOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

/// Clients get a Session also without that of the registration, which not all of them bring back.
async fn confirm_sign_up(call: &Call, input: ConfirmSignUpInput) -> Result<ConfirmSignUpOutput, Fault> {
    let through = Through::of(&input.client_id, input.secret_hash.as_deref(), &input.username);
    let (pool, client) = through.client(call).await?;
    if let Some(session) = &input.session {
        pool.check_registration(&client, &input.username, session).await?;
    }
    let answer = SignUpCode {
        username: &input.username,
        code: &input.confirmation_code,
        take_alias: input.force_alias_creation,
        metadata: input.client_metadata.as_ref(),
    };
    let confirmed = pool.confirm_by_code(&client, answer, call.source).await;
    let user = confirmed.map_err(Fault::of_named_user)?;
    Ok(ConfirmSignUpOutput { session: pool.confirmation_session(&client, &user).await? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    client_metadata: Option<Metadata>,
}

async fn resend_confirmation_code(call: &Call, input: NamedInput) -> Result<CodeDelivered, Fault> {
    let through = Through::of(&input.client_id, input.secret_hash.as_deref(), &input.username);
    let (pool, client) = through.client(call).await?;
    let sent = pool.resend_code(&client, &input.username, call.source, input.client_metadata.as_ref()).await;
    Ok(CodeDelivered { code_delivery_details: sent.map_err(Fault::of_named_user)?.into() })
}

async fn forgot_password(call: &Call, input: NamedInput) -> Result<CodeDelivered, Fault> {
    let through = Through::of(&input.client_id, input.secret_hash.as_deref(), &input.username);
    let (pool, client) = through.client(call).await?;
    let terms = Terms::from(&client).telling(input.client_metadata.as_ref());
    let sent = pool.forgot_password(terms, &input.username, Digits::Six, call.source).await;
    Ok(CodeDelivered { code_delivery_details: sent.map_err(Fault::of_named_user)?.into() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConfirmForgotPasswordInput {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: String,
    password: String,
    client_metadata: Option<Metadata>,
}

async fn confirm_forgot_password(call: &Call, input: ConfirmForgotPasswordInput) -> Result<Empty, Fault> {
    let through = Through::of(&input.client_id, input.secret_hash.as_deref(), &input.username);
    let (pool, client) = through.client(call).await?;
    let (code, password, metadata) = (&input.confirmation_code, &input.password, input.client_metadata.as_ref());
    let set = pool.confirm_forgot_password(&client, &input.username, code, password, call.source, metadata).await;
    set.map_err(Fault::of_named_user)?;
    Ok(Empty {})
}
