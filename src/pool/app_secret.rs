//! Secrets of app clients, and the proofs that a call speaks for one: a hash over who is called (Cognito's SECRET_HASH)
//! or the secret itself. They are kept sealed and not hashed, because the hash needs them in the clear.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::client::{ID_ALPHABET, SealedSecret};
use super::refresh_token::RefreshToken;
use super::{Client, Pool, Terms};
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;

/// 51 characters of 36 kinds are 263 bits.
const SECRET_LENGTH: usize = 51;
const SECRET_ID_LENGTH: usize = 16;

impl Pool {
    /// Makes up a secret for a client: what is kept, and the secret.
    pub fn new_app_secret(&self, client: &str) -> Result<(SealedSecret, Zeroizing<String>), Error> {
        let text = Zeroizing::new(self.ports.random.text(ID_ALPHABET, SECRET_LENGTH)?);
        Ok((self.seal_app_secret(client, &text)?, text))
    }

    /// What is kept of a secret that its owner brought.
    pub fn seal_app_secret(&self, client: &str, text: &str) -> Result<SealedSecret, Error> {
        let sealed = self.secrets.app_secret.seal(&self.ports.random, client.as_bytes(), text.as_bytes())?;
        let id = self.ports.random.text(ID_ALPHABET, SECRET_ID_LENGTH)?;
        Ok(SealedSecret { id, sealed: crypto::encode(sealed), created_at: self.now() })
    }

    /// A secret of a client in the clear.
    pub fn open_app_secret(&self, client: &str, kept: &SealedSecret) -> Result<Zeroizing<String>, Error> {
        let sealed = crypto::decode(&kept.sealed);
        let plain = sealed.and_then(|sealed| self.secrets.app_secret.open(client.as_bytes(), &sealed));
        let text = plain.and_then(|plain| String::from_utf8(plain).ok());
        text.map(Zeroizing::new).ok_or_else(|| Error::internal("a client secret is not what was sealed"))
    }

    fn app_secrets(&self, client: &Client) -> Result<Vec<Zeroizing<String>>, Error> {
        client.secrets.iter().map(|kept| self.open_app_secret(&client.id, kept)).collect()
    }

    /// Whether the secret, or its absence, is the client's.
    pub fn proves_client(&self, client: &Client, secret: Option<&str>) -> Result<bool, Error> {
        let given = secret.map(crypto::sha256);
        let mut right = client.secrets.is_empty() && given.is_none();
        for secret in self.app_secrets(client)? {
            // Digests, so that the time tells no length either.
            right |= given.is_some_and(|given| crypto::same(&crypto::sha256(secret.as_bytes()), &given));
        }
        Ok(right)
    }

    /// Whether a call about the user called `name` speaks for the client: `hash` is over that name or any other of his,
    /// which proves the secret all the same.
    pub async fn proves_client_of(&self, client: &Client, hash: Option<&str>, name: &str) -> Result<bool, Error> {
        if self.hash_fits(client, hash, [name].into_iter())? {
            return Ok(true);
        }
        if client.secrets.is_empty() || hash.is_none() {
            return Ok(false);
        }
        match self.find_user(name).await {
            Ok(user) => self.hash_fits(client, hash, names_of(&user, &user.sub.to_string())),
            Err(Error::UserNotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The same about the owner of a refresh token, which names nobody.
    pub async fn proves_client_of_token(
        &self,
        client: &Client,
        hash: Option<&str>,
        token: &str,
    ) -> Result<bool, Error> {
        if client.secrets.is_empty() || hash.is_none() {
            return Ok(client.secrets.is_empty() && hash.is_none());
        }
        let token =
            RefreshToken::decode(&self.secrets.refresh, Terms::from(client), token).ok_or(Error::TokenInvalid)?;
        let user = self.ports.directory.user(self.id(), token.user).await?.ok_or(Error::TokenInvalid)?;
        self.hash_fits(client, hash, names_of(&user, &user.sub.to_string()))
    }

    /// A client without a secret takes no hash.
    fn hash_fits<'a>(
        &self,
        client: &Client,
        hash: Option<&str>,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<bool, Error> {
        let given = hash.map(|hash| STANDARD.decode(hash).unwrap_or_default());
        let mut right = client.secrets.is_empty() && given.is_none();
        for secret in self.app_secrets(client)? {
            for name in names.clone() {
                let wanted = crypto::hmac_sha256(secret.as_bytes(), &[name.as_bytes(), client.id.as_bytes()]);
                right |= given.as_ref().is_some_and(|given| crypto::same(&wanted, given));
            }
        }
        Ok(right)
    }
}

fn names_of<'a>(user: &'a User, sub: &'a str) -> impl Iterator<Item = &'a str> + Clone {
    let preferred = user.attributes.get("preferred_username").map(String::as_str);
    [Some(user.username.as_str()), Some(sub), user.email.as_deref(), user.phone.as_deref(), preferred]
        .into_iter()
        .flatten()
}
