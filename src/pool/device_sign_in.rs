//! The last step of a sign-in on a device that is known: it proves itself by SRP, as a password does, and never alone.
//! What went before (the password, and a second factor where one was owed) is a challenge of the token store; the
//! device's proof consumes it. Some clients bring its handle, some that of the challenge before, and some none (contract
//! cognito (c) and (m) 3): each way leads to the one challenge.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::auth::Step;
use super::challenge::{Carried, Pending};
use super::factor::OwedFactor;
use super::srp::SrpA;
use super::srp_sign_in::{Exchange, Prover};
use super::{Asked, Client, Device, Pool, SrpProof, Terms, TokenEvent};
use crate::crypto;
use crate::error::{Error, Kind};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// How long a client that brings no handle may take to go on.
const WITHOUT_SESSION: Duration = Duration::from_secs(60);
/// Reads of a way.
const ATTEMPTS: u32 = 20;

/// The device that a client says it runs on.
#[derive(Debug, Clone, Copy)]
pub struct NamedDevice<'a> {
    pub(super) key: &'a str,
    /// Where the challenge was whose answer names it; none where a sign-in begins.
    pub(super) answered: Option<&'a ChallengeKey>,
}

impl<'a> From<&'a str> for NamedDevice<'a> {
    fn from(key: &'a str) -> Self {
        Self { key, answered: None }
    }
}

/// DEVICE_PASSWORD_VERIFIER as it is asked.
pub struct DeviceVerifier {
    /// The server's number.
    pub srp_b: String,
    /// The salt of the verifier.
    pub salt: String,
    /// What the answer must bring back.
    pub secret_block: String,
    /// The device's key.
    pub device_key: String,
    /// The user's name.
    pub username: String,
}

impl Pool {
    /// The device that a sign-in names. Errors: `NotFound(Device)` for one that this user did not confirm through this
    /// client, `Unavailable`.
    pub(super) async fn known_device(&self, terms: Terms<'_>, user: &User) -> Result<Option<Device>, Error> {
        let Some(named) = terms.device else { return Ok(None) };
        self.find_device(terms.client, user, named.key).await?.map(Some).ok_or(Error::NotFound(Kind::Device))
    }

    /// The device of this key that a user confirmed through this client.
    pub(super) async fn find_device(&self, client: &Client, user: &User, key: &str) -> Result<Option<Device>, Error> {
        let id = self.settings.devices.and_then(|_| self.device_id(key));
        let Some(id) = id else { return Ok(None) };
        let found = self.ports.directory.device(self.id(), user.sub, id).await?;
        Ok(found.filter(|device| device.client == client.id))
    }

    /// Whether a device spares its user a second factor. One that he has yet to set up is never spared.
    pub(super) fn stands_for_factor(&self, device: &Device, owed: &OwedFactor) -> bool {
        self.spares_factors(device) && !matches!(owed, OwedFactor::Setup(_))
    }

    fn spares_factors(&self, device: &Device) -> bool {
        device.remembered && self.settings.devices.is_some_and(|rules| rules.challenge_required_on_new)
    }

    /// Asks a device to prove itself, once its user has. `for_factor`: in place of a second factor.
    pub(super) async fn ask_device(
        &self,
        terms: Terms<'_>,
        user: &User,
        device: &Device,
        for_factor: bool,
    ) -> Result<Asked, Error> {
        let owed = self.challenge_of(Purpose::Device, terms, user, for_factor);
        let session = self.put_anew(Purpose::Device, &owed).await?;
        let subject = self.handle_key(Purpose::Device, &session).subject;
        let way = Challenge { attempts_left: ATTEMPTS, payload: Some(subject), ..owed };
        if let Some(answered) = terms.device.and_then(|named| named.answered) {
            // What a client sends that keeps the handle of the step before.
            self.ports.tokens.put_challenge(&self.way_key(answered.subject.clone()), &way).await?;
        }
        let expires_at = way.expires_at.min(self.now().plus(WITHOUT_SESSION));
        let key = self.way_without_session(terms.client, user.sub, device.id);
        self.ports.tokens.put_challenge(&key, &Challenge { expires_at, ..way }).await?;
        Ok(Asked { name: "DEVICE_SRP_AUTH", session, parameters: Vec::new() })
    }

    fn way_key(&self, subject: String) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose: Purpose::DeviceWay, subject }
    }

    fn way_without_session(&self, client: &Client, user: Uuid, device: Uuid) -> ChallengeKey {
        let parts: [&[u8]; 4] = [b"device", client.id.as_bytes(), user.as_bytes(), device.as_bytes()];
        self.way_key(crypto::encode(self.secrets.handle.tag(&parts)))
    }

    /// Answers DEVICE_SRP_AUTH: begins the exchange, which the device ends by [`Pool::respond_device`].
    ///
    /// Errors: `ChallengeInvalid` unless the password was proven just before, on this device and through this client,
    /// `NotFound(Device)`, `InvalidParameter` about `srp_a`, `TooManyRequests`, the standings, `Unavailable`.
    pub async fn begin_device(
        &self,
        client: &Client,
        username: &str,
        session: Option<&str>,
        key: &str,
        srp_a: &str,
        source: IpAddr,
    ) -> Result<DeviceVerifier, Error> {
        let a = SrpA::parse(srp_a)?;
        self.ports.hasher.room()?;
        let pending = self.device_owed(client, username, session, key).await?;
        let user = &pending.user;
        let device = self.find_device(client, user, key).await?.ok_or(Error::NotFound(Kind::Device))?;
        self.may_attempt(self.device_account(&device), source).await?;
        let verifier = self.device_verifier(&device)?;
        let salt = verifier.salt();
        let payload = Some(pending.key.subject.clone());
        let exchange = Exchange { client, device: Some(key), account: user.sub, user: user.sub, payload };
        let (srp_b, secret_block) = self.begin_exchange(exchange, a, verifier).await?;
        Ok(DeviceVerifier { srp_b, salt, secret_block, device_key: key.to_owned(), username: user.username.clone() })
    }

    /// The challenge that a device has to answer, by whichever way the client knows.
    async fn device_owed(
        &self,
        client: &Client,
        username: &str,
        session: Option<&str>,
        key: &str,
    ) -> Result<Pending, Error> {
        let by = Some((client, username));
        let pending = match session {
            Some(session) => match self.pending(Purpose::Device, session, by).await {
                Err(Error::ChallengeInvalid) => {
                    let subject = self.handle_key(Purpose::Device, session).subject;
                    self.pending_by_way(self.way_key(subject), by).await?
                }
                pending => pending?,
            },
            None => {
                let login = self.find_login(username).await?;
                let sub = login.user.map_or(login.account, |user| user.sub);
                let device = self.device_id(key).ok_or(Error::ChallengeInvalid)?;
                self.pending_by_way(self.way_without_session(client, sub, device), by).await?
            }
        };
        let named = pending.terms(client).device.map(|device| device.key);
        if named == Some(key) { Ok(pending) } else { Err(Error::ChallengeInvalid) }
    }

    async fn pending_by_way(&self, way: ChallengeKey, by: Option<(&Client, &str)>) -> Result<Pending, Error> {
        let way = self.ports.tokens.attempt_challenge(&way, self.now()).await?;
        let subject = way.and_then(|way| way.payload).ok_or(Error::ChallengeInvalid)?;
        self.pending_at(self.device_place(subject), by).await
    }

    fn device_place(&self, subject: String) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose: Purpose::Device, subject }
    }

    /// Answers DEVICE_PASSWORD_VERIFIER. The block is used up by the first proof, right or wrong; a right one opens the
    /// session, if what the user has proven still stands.
    ///
    /// Errors: `ChallengeInvalid`, `NotFound(Device)`, `NotAuthorized`, `TooManyRequests`, the standings, `Hook`,
    /// `Unavailable`.
    pub async fn respond_device<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        key: &str,
        proof: SrpProof<'_>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let terms = Terms { event: TokenEvent::AuthenticateDevice, ..terms.into() };
        let client = terms.client;
        let (block, kept) = self.take_block(client, Some(key), &proof).await?;
        let place = self.device_place(kept.payload.ok_or(Error::ChallengeInvalid)?);
        let pending = self.pending_at(place, Some((client, proof.username))).await?;
        let device = self.find_device(client, &pending.user, key).await?.ok_or(Error::NotFound(Kind::Device))?;
        let instead = pending.challenge.payload.as_deref().is_some_and(|payload| Carried::read(payload).for_factor);
        if instead && !self.spares_factors(&device) {
            // It no longer stands for the factor that it was asked for.
            return Err(Error::ChallengeInvalid);
        }
        let verifier = self.device_verifier(&device)?;
        let prover = Prover::Device { group: self.device_group(device.id), key: key.to_owned() };
        let proven = async {
            let right = self.is_proven(prover, verifier, block.challenge, &proof).await?;
            if right { Ok(()) } else { Err(Error::NotAuthorized) }
        };
        self.attempt(self.device_account(&device), source, proven).await?;
        self.consume(&pending).await?;
        if !self.ports.directory.use_device(self.id(), device.user, device.id, self.now()).await? {
            return Err(Error::NotFound(Kind::Device));
        }
        let opened = self.open_session_on(terms, &pending.user, Some(device.id)).await;
        let (tokens, _) = self.or_put_back(&pending.key, &pending.challenge, opened).await?;
        Ok(Step::Tokens(tokens))
    }

    /// Wrong proofs are counted for the device.
    fn device_account(&self, device: &Device) -> Uuid {
        self.absent_user(&format!("device|{}|{}", device.user, device.id))
    }
}
