//! What is kept of a password: the one place that makes it and the one that writes it into a user.

use zeroize::Zeroizing;

use super::Pool;
use super::srp::{Identity, Verifier};
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;

/// What is kept of a password.
#[derive(Clone)]
pub(super) struct KeptPassword {
    hash: String,
    srp: Option<SealedVerifier>,
}

/// A verifier and the username that it is bound to.
#[derive(Clone)]
struct SealedVerifier {
    username: String,
    sealed: String,
}

impl Pool {
    /// What will be kept of a password of the user called `username`. Errors: `Unavailable` when no turn to hash came
    /// in time.
    pub(super) async fn keep_password(&self, username: &str, password: &str) -> Result<KeptPassword, Error> {
        self.keep_password_with(username, password, self.ports.random.bytes::<16>()?).await
    }

    /// The same with this salt.
    pub(super) async fn keep_password_with(
        &self,
        username: &str,
        password: &str,
        salt: [u8; 16],
    ) -> Result<KeptPassword, Error> {
        let hash = self.ports.hasher.hash_with(password, salt).await?;
        let srp = if self.settings.srp { Some(self.new_verifier(username, password).await?) } else { None };
        Ok(KeptPassword { hash, srp })
    }

    async fn new_verifier(&self, username: &str, password: &str) -> Result<SealedVerifier, Error> {
        let (pool, name, password) = (self.id().to_owned(), username.to_owned(), Zeroizing::new(password.to_owned()));
        let random = self.ports.random.clone();
        let work = move || Verifier::new(&random, Identity::user(&pool, &name), &password);
        let verifier = self.ports.hasher.compute(work).await??;
        let sealed = self.secrets.srp.seal(&self.ports.random, username.as_bytes(), &verifier.to_bytes())?;
        Ok(SealedVerifier { username: username.to_owned(), sealed: crypto::encode(sealed) })
    }

    /// The verifier of a user's password, where there is one.
    pub(super) fn verifier_of(&self, user: &User) -> Result<Option<Verifier>, Error> {
        let Some(sealed) = &user.srp else { return Ok(None) };
        let plain = crypto::decode(sealed).and_then(|sealed| self.secrets.srp.open(user.username.as_bytes(), &sealed));
        let verifier = plain.map(Zeroizing::new).and_then(|plain| Verifier::from_bytes(&plain));
        verifier.map(Some).ok_or_else(|| Error::internal("an SRP verifier is not what was sealed"))
    }
}

impl KeptPassword {
    /// Whether this, salt and all, is what is kept of the user's password.
    pub(super) fn is_of(&self, user: &User) -> bool {
        crypto::same(self.hash.as_bytes(), user.password.as_deref().unwrap_or_default().as_bytes())
    }
}

impl User {
    /// Replaces the password. A verifier for another name than his would never be proven right.
    pub(super) fn keep(&mut self, kept: &KeptPassword) {
        self.password = Some(kept.hash.clone());
        let own = kept.srp.as_ref().filter(|verifier| verifier.username == self.username);
        self.srp = own.map(|verifier| verifier.sealed.clone());
    }
}
