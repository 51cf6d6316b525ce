//! OAuth client credentials of a user: his public id and a secret that is shown once. Guessing the secret counts like
//! guessing the password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Pool;
use crate::crypto;
use crate::error::Error;

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

    fn secret_tag(&self, text: &str) -> String {
        crypto::encode(self.secrets.client_secret.tag(&[text.as_bytes()]))
    }
}
