//! Secrets of app clients, and the proofs that a call speaks for one: a hash over who is called (Cognito's SECRET_HASH)
//! or the secret itself. They are kept sealed and not hashed, because the hash needs them in the clear. Proofs are held
//! against the secrets as the Directory has them, so that a new one counts and an old one is dead in every replica at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::client::{ID_ALPHABET, SealedSecret};
use super::refresh_token::RefreshToken;
use super::{Client, Pool, Pools, Terms, document};
use crate::clock::Timestamp;
use crate::crypto;
use crate::error::{Error, Kind, Rule};
use crate::store::directory::User;

/// 51 characters of 36 kinds are 263 bits.
const SECRET_LENGTH: usize = 51;
/// Enough to change one for another without a pause.
const MOST_SECRETS: usize = 2;

/// A client that a call was proven to speak for, as it is now. Only the pool makes one.
pub struct ProvenClient(Client);

impl ProvenClient {
    /// The client.
    pub fn get(&self) -> &Client {
        &self.0
    }
}

impl Pools {
    /// Gives a client another secret: the one that it brings, or one that is made up, which is answered then.
    ///
    /// Errors: `NotFound(Client)`, `Rule` (it has none to change, or too many), `Unavailable`.
    pub async fn add_app_secret(
        &self,
        pool: &Pool,
        client: &str,
        brought: Option<&str>,
    ) -> Result<(SealedSecret, Option<Zeroizing<String>>), Error> {
        let (kept, shown) = match brought {
            Some(text) => (pool.seal_app_secret(client, text)?, None),
            None => pool.new_app_secret(client).map(|(kept, text)| (kept, Some(text)))?,
        };
        let add = |secrets: &mut Vec<SealedSecret>| match secrets.len() {
            0 => Err(Rule::Form("A client that was made without a secret can not be given one.").into()),
            MOST_SECRETS.. => Err(Rule::TooManySecrets.into()),
            _ => {
                secrets.push(later_than(secrets, kept.clone()));
                Ok(())
            }
        };
        let secrets = self.change_secrets(pool, client, add).await?;
        Ok((secrets.into_iter().next_back().unwrap_or(kept), shown))
    }

    /// Takes one of a client's secrets away; the last one stays.
    ///
    /// Errors: `NotFound(Client)`, `NotFound(ClientSecret)`, `Rule`, `Unavailable`.
    pub async fn delete_app_secret(&self, pool: &Pool, client: &str, id: &str) -> Result<(), Error> {
        let delete = |secrets: &mut Vec<SealedSecret>| {
            let place = secrets.iter().position(|secret| secret.id == id).ok_or(Error::NotFound(Kind::ClientSecret))?;
            if secrets.len() == 1 {
                return Err(Rule::Form("The last secret of an app client can not be deleted.").into());
            }
            secrets.remove(place);
            Ok(())
        };
        self.change_secrets(pool, client, delete).await.map(drop)
    }

    async fn change_secrets(
        &self,
        pool: &Pool,
        client: &str,
        change: impl Fn(&mut Vec<SealedSecret>) -> Result<(), Error> + Send + Sync,
    ) -> Result<Vec<SealedSecret>, Error> {
        let apply = |client: &mut Client| {
            if client.pool != pool.id() {
                return Err(Error::NotFound(Kind::Client));
            }
            change(&mut client.secrets)
        };
        let directory = &*self.ports().directory;
        Ok(document::change(directory, document::CLIENT, client, Kind::Client, apply).await?.secrets)
    }
}

/// Two that were made in the same instant need names that differ.
fn later_than(others: &[SealedSecret], secret: SealedSecret) -> SealedSecret {
    let latest = others.iter().map(|other| other.created_at.0).max().unwrap_or_default();
    let created_at = Timestamp(secret.created_at.0.max(latest + 1));
    match secret.id.rsplit_once("--") {
        Some((client, _)) => SealedSecret { id: secret_id(client, created_at), created_at, ..secret },
        None => secret,
    }
}

/// `<client-id>--<epoch-create-time>`, as Cognito's model has it.
fn secret_id(client: &str, created_at: Timestamp) -> String {
    format!("{client}--{}", created_at.0)
}

impl Pool {
    /// Makes up a secret for a client: what is kept, and the secret.
    pub fn new_app_secret(&self, client: &str) -> Result<(SealedSecret, Zeroizing<String>), Error> {
        let text = Zeroizing::new(self.ports.random.text(ID_ALPHABET, SECRET_LENGTH)?);
        Ok((self.seal_app_secret(client, &text)?, text))
    }

    /// What is kept of a secret that its owner brought.
    pub fn seal_app_secret(&self, client: &str, text: &str) -> Result<SealedSecret, Error> {
        let sealed = self.secrets.app_secret.seal(&self.ports.random, client.as_bytes(), text.as_bytes())?;
        let created_at = self.now();
        Ok(SealedSecret { id: secret_id(client, created_at), sealed: crypto::encode(sealed), created_at })
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

    /// A client as it is now. One without a secret never gets one, so there is nothing to ask for.
    async fn present_client(&self, client: &Client) -> Result<Client, Error> {
        if client.secrets.is_empty() {
            return Ok(client.clone());
        }
        let found = document::read::<Client>(&*self.ports.directory, document::CLIENT, &client.id).await?;
        let found = found.map(|found| found.content).filter(|found| found.pool == self.id());
        found.ok_or(Error::NotFound(Kind::Client))
    }

    /// The client, if the secret, or its absence, is its.
    ///
    /// Errors: `NotFound(Client)` when it was deleted meanwhile, `Unavailable`.
    pub async fn prove_client(&self, client: &Client, secret: Option<&str>) -> Result<Option<ProvenClient>, Error> {
        let client = self.present_client(client).await?;
        let given = secret.map(crypto::sha256);
        let mut right = client.secrets.is_empty() && given.is_none();
        for secret in self.app_secrets(&client)? {
            // Digests, so that the time tells no length either.
            right |= given.is_some_and(|given| crypto::same(&crypto::sha256(secret.as_bytes()), &given));
        }
        Ok(right.then_some(ProvenClient(client)))
    }

    /// Whether a call about the user called `name` speaks for the client: `hash` is over that name or any other of his,
    /// which proves the secret all the same.
    pub async fn proves_client_of(&self, client: &Client, hash: Option<&str>, name: &str) -> Result<bool, Error> {
        if client.secrets.is_empty() || hash.is_none() {
            return Ok(client.secrets.is_empty() && hash.is_none());
        }
        let client = self.present_client(client).await?;
        if self.hash_fits(&client, hash, [name].into_iter())? {
            return Ok(true);
        }
        match self.find_user(name).await {
            Ok(user) => self.hash_fits(&client, hash, names_of(&user, &user.sub.to_string())),
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
        self.hash_fits(&self.present_client(client).await?, hash, names_of(&user, &user.sub.to_string()))
    }

    fn hash_fits<'a>(
        &self,
        client: &Client,
        hash: Option<&str>,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<bool, Error> {
        let given = hash.map(|hash| STANDARD.decode(hash).unwrap_or_default());
        let mut right = false;
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
