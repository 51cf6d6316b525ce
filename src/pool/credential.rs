//! OAuth client credentials of a user: his public id and a secret that is shown once. Guesses at the secret are counted
//! apart from guesses at the password: whoever has the one must not wipe out his wrong guesses at the other with it.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::Pool;
use super::auth::Proven;
use super::user::check_standing;
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;

/// A client secret that was just made.
pub struct ClientSecret {
    /// What the user is shown, once: 32 random bytes in base64.
    pub text: String,
    /// What is kept of it.
    pub(super) tag: String,
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientSecret([redacted])")
    }
}

impl Pool {
    /// Makes a client secret, for a user who is about to be made.
    pub fn new_client_secret(&self) -> Result<ClientSecret, Error> {
        let text = STANDARD.encode(self.ports.random.bytes::<32>()?);
        Ok(ClientSecret { tag: self.secret_tag(&text), text })
    }

    /// Gives a user a new client secret; the one before is worth nothing from now on. Tokens that it yielded live out
    /// their short life, or end with [`Pool::sign_out_user`].
    ///
    /// Errors: `UserNotFound`, `Unavailable`.
    pub async fn replace_client_secret(&self, name: &str) -> Result<ClientSecret, Error> {
        let secret = self.new_client_secret()?;
        let sub = self.find_user(name).await?.sub;
        self.change_user(sub, |user| {
            user.client_secret = Some(secret.tag.clone());
            Ok(())
        })
        .await?;
        Ok(secret)
    }

    /// Proves a client id (the public id in decimal) and secret.
    ///
    /// Errors: `NotAuthorized` (unknown or wrong, not told apart), `TooManyRequests`, `UserDisabled` and its like,
    /// `Unavailable`.
    pub async fn authenticate_credential(
        &self,
        client_id: &str,
        client_secret: &str,
        source: IpAddr,
    ) -> Result<Proven, Error> {
        let user = self.user_by_public_id(client_id).await?;
        let proof = async { self.prove_secret(user, client_secret) };
        let user = self.attempt(self.credential_account(client_id), source, proof).await?;
        check_standing(&user)?;
        Ok(Proven(user))
    }

    /// What guesses at a client's secret are counted under, whether or not there is such a client.
    fn credential_account(&self, client_id: &str) -> Uuid {
        self.absent_user(&format!("credential|{client_id}"))
    }

    /// The same steps whether or not there is a user, and whether or not he has a secret.
    fn prove_secret(&self, user: Option<User>, secret: &str) -> Result<User, Error> {
        let kept = user.as_ref().and_then(|user| user.client_secret.as_deref());
        // No text has the empty tag.
        let right = crypto::same(self.secret_tag(secret).as_bytes(), kept.unwrap_or_default().as_bytes());
        user.filter(|_| right).ok_or(Error::NotAuthorized)
    }

    fn secret_tag(&self, text: &str) -> String {
        crypto::encode(self.secrets.client_secret.tag(&[text.as_bytes()]))
    }
}
