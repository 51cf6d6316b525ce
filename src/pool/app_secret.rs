//! TEMPORARY until the auth branch is merged.
use super::Pool;
use super::client::{ID_ALPHABET, SealedSecret};
use crate::crypto;
use crate::error::Error;
use zeroize::Zeroizing;
impl Pool {
    /// x
    pub fn new_app_secret(&self, client: &str) -> Result<(SealedSecret, Zeroizing<String>), Error> {
        let text = Zeroizing::new(self.ports.random.text(ID_ALPHABET, 51)?);
        Ok((self.seal_app_secret(client, &text)?, text))
    }
    /// x
    pub fn seal_app_secret(&self, client: &str, text: &str) -> Result<SealedSecret, Error> {
        let sealed = self.secrets.app_secret.seal(&self.ports.random, client.as_bytes(), text.as_bytes())?;
        let id = self.ports.random.text(ID_ALPHABET, 16)?;
        Ok(SealedSecret { id, sealed: crypto::encode(sealed), created_at: self.now() })
    }
    /// x
    pub fn open_app_secret(&self, client: &str, kept: &SealedSecret) -> Result<Zeroizing<String>, Error> {
        let sealed = crypto::decode(&kept.sealed);
        let plain = sealed.and_then(|sealed| self.secrets.app_secret.open(client.as_bytes(), &sealed));
        let text = plain.and_then(|plain| String::from_utf8(plain).ok());
        text.map(Zeroizing::new).ok_or_else(|| Error::internal("a client secret is not what was sealed"))
    }
}
