//! API keys: a long-lived way in for programs, one a user, accepted where an access token is. The key is derived and
//! never stored: the Directory holds a random part that is useless without the pool's secret. It ends with the user's
//! sessions: a password that is changed or reset shuts out whoever made it.

use uuid::Uuid;

use super::Pool;
use super::user::check_standing;
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;

/// 16 bytes that name the user and 16 of a MAC, in hex as the pm415 API has it (contract seeds §2).
const LENGTH: usize = 64;

impl Pool {
    /// Gives the user a new API key; the one before is dead at once. Errors: `UserNotFound`, `Unavailable`.
    pub async fn create_api_key(&self, user: &User) -> Result<String, Error> {
        let nonce = crypto::encode(self.ports.random.bytes::<16>()?);
        self.change_user(user.sub, |user| {
            user.api_key = Some(nonce.clone());
            Ok(())
        })
        .await?;
        Ok(self.key_text(user.sub, &nonce))
    }

    /// The user's API key, if he has one.
    pub fn api_key(&self, user: &User) -> Option<String> {
        user.api_key.as_deref().map(|nonce| self.key_text(user.sub, nonce))
    }

    /// Takes a user's API key and OAuth client secret away.
    pub async fn revoke_keys(&self, name: &str) -> Result<(), Error> {
        let sub = self.find_user(name).await?.sub;
        let apply = |user: &mut User| {
            user.api_key = None;
            user.client_secret = None;
            Ok(())
        };
        self.change_user(sub, apply).await.map(drop)
    }

    /// Who calls with this access token or API key.
    ///
    /// Errors: those of [`Pool::authenticate`]; an API key is never `TokenExpired`.
    pub async fn authenticate_bearer(&self, token: &str) -> Result<User, Error> {
        let Some(sub) = named_by(token) else { return Ok(self.authenticate(token).await?.user) };
        let user = self.ports.directory.user(self.id(), sub).await?.ok_or(Error::TokenInvalid)?;
        let right = self.api_key(&user).is_some_and(|key| crypto::same(key.as_bytes(), token.as_bytes()));
        if !right {
            return Err(Error::TokenInvalid);
        }
        check_standing(&user)?;
        Ok(user)
    }

    fn key_text(&self, sub: Uuid, nonce: &str) -> String {
        let tag = self.secrets.api_key.tag(&[sub.as_bytes(), nonce.as_bytes()]);
        let mut key = hex::encode([sub.as_bytes().as_slice(), &tag].concat());
        key.truncate(LENGTH);
        key
    }
}

/// Whom a text of the form of an API key names; `None` for every other text.
fn named_by(token: &str) -> Option<Uuid> {
    let bytes = hex::decode(token).ok().filter(|bytes| bytes.len() == LENGTH / 2)?;
    Uuid::from_slice(bytes.get(..16)?).ok()
}
