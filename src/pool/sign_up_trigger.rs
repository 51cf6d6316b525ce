//! The triggers around the making of a user: PreSignUp, which may refuse him or vouch for him, and PostConfirmation.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Pool;
use super::trigger::{Metadata, Occasion, Trigger};
use crate::error::{Error, HookFault};
use crate::store::directory::{User, UserStatus};

/// What else PreSignUp is told about a user to be made.
#[derive(Clone, Copy, Default)]
pub struct ForHooks<'a> {
    /// Cognito's ValidationData.
    pub validation: Option<&'a Metadata>,
    /// Cognito's ClientMetadata.
    pub metadata: Option<&'a Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Vouched {
    auto_confirm_user: bool,
    auto_verify_email: bool,
    auto_verify_phone: bool,
}

impl Pool {
    /// Asks whether somebody may register himself as `user`, who becomes what the answer vouches for. Asked alike
    /// whether or not the name is taken, so that it tells nobody.
    ///
    /// Errors: `Hook`.
    pub(super) async fn pre_sign_up(&self, client: &str, user: &mut User, told: ForHooks<'_>) -> Result<(), Error> {
        let vouched = self.ask_sign_up("PreSignUp_SignUp", Some(client), user, told).await?;
        if (vouched.auto_verify_email && user.email.is_none()) || (vouched.auto_verify_phone && user.phone.is_none()) {
            let cause = "it verifies a contact that the user does not have".into();
            return Err(HookFault::Malformed(Trigger::PreSignUp.name(), cause).into());
        }
        user.email_verified |= vouched.auto_verify_email;
        user.phone_verified |= vouched.auto_verify_phone;
        if vouched.auto_confirm_user {
            user.status = UserStatus::Confirmed;
        }
        Ok(())
    }

    /// Asks whether an administrator may make `user`. As with Cognito, the answer can refuse and nothing else.
    ///
    /// Errors: `Hook`.
    pub(super) async fn pre_create_user(&self, user: &User, told: ForHooks<'_>) -> Result<(), Error> {
        self.ask_sign_up("PreSignUp_AdminCreateUser", None, user, told).await.map(drop)
    }

    async fn ask_sign_up(
        &self,
        source: &'static str,
        client: Option<&str>,
        user: &User,
        told: ForHooks<'_>,
    ) -> Result<Vouched, Error> {
        let ForHooks { validation, metadata } = told;
        let occasion = Occasion {
            source,
            client,
            username: &user.username,
            user: Some(user),
            request: json!({ "validationData": validation, "clientMetadata": metadata }),
            response: json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false }),
        };
        Ok(self.trigger(Trigger::PreSignUp, occasion).await?.unwrap_or_default())
    }

    /// Tells that a registration was confirmed. What was done stays done, whatever the answer.
    ///
    /// Errors: `Hook`.
    pub(super) async fn post_sign_up(
        &self,
        client: Option<&str>,
        user: &User,
        metadata: Option<&Metadata>,
    ) -> Result<(), Error> {
        self.post_confirmation("PostConfirmation_ConfirmSignUp", client, user, metadata).await
    }

    /// Tells that a forgotten password was replaced. Errors: `Hook`.
    pub(super) async fn post_reset(&self, client: &str, user: &User, metadata: Option<&Metadata>) -> Result<(), Error> {
        self.post_confirmation("PostConfirmation_ConfirmForgotPassword", Some(client), user, metadata).await
    }

    async fn post_confirmation(
        &self,
        source: &'static str,
        client: Option<&str>,
        user: &User,
        metadata: Option<&Metadata>,
    ) -> Result<(), Error> {
        let occasion = Occasion {
            source,
            client,
            username: &user.username,
            user: Some(user),
            request: json!({ "clientMetadata": metadata }),
            response: json!({}),
        };
        self.trigger::<Map<String, Value>>(Trigger::PostConfirmation, occasion).await.map(drop)
    }
}
