//! Devices that people sign in on: offered at a sign-in, confirmed by their user, remembered, forgotten (contract
//! cognito (c), device tracking). A device lives with its user; a session of one lives no longer than it.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::refresh_token::RefreshToken;
use super::srp::Verifier;
use super::{Caller, Device, NamedDevice, Page, PageOf, Pool, User};
use crate::crypto;
use crate::error::{Error, Kind};
use crate::store::tokens::Session;

/// Devices that a user has at most: one more, and that which was signed in on the longest ago is forgotten. So nobody
/// whose browser keeps nothing is kept from his next sign-in by the devices that he left behind.
pub const DEVICES_A_USER: u32 = 100;
const LIST: &str = "devices";

/// What a client makes a device of (Cognito's NewDeviceMetadata).
pub struct NewDevice {
    /// Names it.
    pub key: String,
    /// The other name that goes into its proofs.
    pub group: String,
}

/// A device's salt and verifier in base64, as its client made them.
pub struct DeviceSecret<'a> {
    /// `Salt`.
    pub salt: &'a str,
    /// `PasswordVerifier`.
    pub verifier: &'a str,
}

impl Pool {
    /// The key of a device. It names the region, as Cognito's keys do.
    pub fn device_key(&self, id: Uuid) -> String {
        format!("{}_{id}", self.device_region())
    }

    /// The device of a key in its one spelling.
    pub(super) fn device_id(&self, key: &str) -> Option<Uuid> {
        let id = key.strip_prefix(self.device_region())?.strip_prefix('_')?;
        Uuid::parse_str(id).ok().filter(|parsed| parsed.to_string() == id)
    }

    fn device_region(&self) -> &str {
        self.id().split_once('_').map_or("", |(region, _)| region)
    }

    /// The group key of a device: always the same, so that nobody has to keep it.
    pub(super) fn device_group(&self, id: Uuid) -> String {
        let tag = hex::encode(self.secrets.device.tag(&[b"group", id.as_bytes()]));
        format!("-{}", tag.get(..9).unwrap_or_default())
    }

    /// The one device that a session may become: nobody else is told its key, and no record of it is needed.
    fn offered_device(&self, session: Uuid) -> Uuid {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] =
            self.secrets.device.tag(&[b"offer", session.as_bytes()]);
        uuid::Builder::from_random_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]).into_uuid()
    }

    /// What a new session may become a device by, where the pool tells them apart.
    pub(super) fn offer_device(&self, session: Uuid) -> Option<NewDevice> {
        let id = self.offered_device(session);
        self.settings.devices.map(|_| NewDevice { key: self.device_key(id), group: self.device_group(id) })
    }

    /// Makes a device of what was offered to the caller's session; answers whether it is remembered only when its user
    /// says so. Again with the same secret succeeds, because an answer may be lost.
    ///
    /// Errors: `NotConfigured` where the pool tells no devices apart, `NotFound(Device)` for a key that was not offered
    /// to this session, `Exists(Device)`, `InvalidParameter` about the secret, `Unavailable`.
    pub async fn confirm_device(
        &self,
        caller: &Caller,
        key: &str,
        name: Option<&str>,
        secret: DeviceSecret<'_>,
    ) -> Result<bool, Error> {
        let rules = self.settings.devices.ok_or(Error::NotConfigured("Device tracking"))?;
        let id = self.offered_device(caller.session.id);
        if self.device_id(key) != Some(id) {
            return Err(Error::NotFound(Kind::Device));
        }
        let verifier = Verifier::of_device(secret.salt, secret.verifier)?;
        let sealed = self.secrets.device_verifier.seal(
            &self.ports.random,
            &self.device_context(caller.user.sub, id),
            &verifier.to_bytes(),
        )?;
        let now = self.now();
        let device = Device {
            pool: self.id().to_owned(),
            user: caller.user.sub,
            id,
            client: caller.claims.client_id.clone(),
            session: caller.session.id,
            name: name.map(str::to_owned),
            verifier: crypto::encode(sealed),
            remembered: !rules.only_remembered_on_prompt,
            created_at: now,
            updated_at: now,
            authenticated_at: now,
        };
        let ended_until = now.plus(self.longest_session());
        if !self.ports.directory.confirm_device(&device, DEVICES_A_USER, ended_until).await? {
            let present = self.device(caller.user.sub, key).await?;
            if self.device_verifier(&present)?.to_bytes() != verifier.to_bytes() {
                return Err(Error::Exists(Kind::Device));
            }
        }
        Ok(rules.only_remembered_on_prompt)
    }

    /// What a verifier is sealed for: it opens for this device of this user in this pool alone.
    fn device_context(&self, user: Uuid, device: Uuid) -> Vec<u8> {
        [self.id().as_bytes(), user.as_bytes().as_slice(), device.as_bytes()].concat()
    }

    /// The verifier of a device.
    pub(super) fn device_verifier(&self, device: &Device) -> Result<Verifier, Error> {
        let context = self.device_context(device.user, device.id);
        let sealed = crypto::decode(&device.verifier);
        let plain = sealed.and_then(|sealed| self.secrets.device_verifier.open(&context, &sealed)).map(Zeroizing::new);
        let verifier = plain.and_then(|plain| Verifier::from_bytes(&plain));
        verifier.ok_or_else(|| Error::internal("the verifier of a device is not what was sealed"))
    }

    /// A user's device. Errors: `NotFound(Device)`, `Unavailable`.
    pub async fn device(&self, user: Uuid, key: &str) -> Result<Device, Error> {
        let id = self.device_id(key).ok_or(Error::NotFound(Kind::Device))?;
        self.ports.directory.device(self.id(), user, id).await?.ok_or(Error::NotFound(Kind::Device))
    }

    /// A page of a user's devices. Errors: `InvalidParameter` when the token was not given for this list,
    /// `Unavailable`.
    pub async fn device_page(&self, user: Uuid, page: PageOf<'_>) -> Result<Page<Device>, Error> {
        let owner = user.to_string();
        let query = [LIST, owner.as_str()];
        let after = self.position(&query, page.token)?;
        let found = self.ports.directory.devices(self.id(), user, after, page.size_and_one()).await?;
        self.cut(found, page.size(), &query, |device| device.id)
    }

    /// Says whether a user's device is remembered. Errors: `NotFound(Device)`, `Unavailable`.
    pub async fn remember_device(&self, user: Uuid, key: &str, remembered: bool) -> Result<(), Error> {
        let id = self.device_id(key).ok_or(Error::NotFound(Kind::Device))?;
        let changed = self.ports.directory.remember_device(self.id(), user, id, remembered, self.now()).await?;
        if changed { Ok(()) } else { Err(Error::NotFound(Kind::Device)) }
    }

    /// Forgets a user's device: every session of it is dead at once and stays so.
    ///
    /// Errors: `NotFound(Device)`, `Unavailable`.
    pub async fn forget_device(&self, user: Uuid, key: &str) -> Result<(), Error> {
        let id = self.device_id(key).ok_or(Error::NotFound(Kind::Device))?;
        let ended_until = self.now().plus(self.longest_session());
        if !self.ports.directory.forget_device(self.id(), user, id, ended_until).await? {
            return Err(Error::NotFound(Kind::Device));
        }
        if let Err(error) = self.clear_device_sessions(user, id).await {
            tracing::warn!(cause = crate::error::chain(&error), "sessions of a forgotten device are not freed yet");
        }
        Ok(())
    }

    /// They are dead already, because the Directory has no such device; this only frees the room.
    async fn clear_device_sessions(&self, user: Uuid, device: Uuid) -> Result<(), Error> {
        let tokens = &self.ports.tokens;
        for session in tokens.sessions_of(self.id(), user, self.now()).await? {
            let of_device = session.device.unwrap_or_else(|| self.offered_device(session.id)) == device;
            if of_device && tokens.end_session(&session.key()).await? {
                metrics::counter!("cognate_sessions_ended_total", "cause" => "device_forgotten").increment(1);
            }
        }
        Ok(())
    }

    /// Refuses a session whose device was forgotten.
    pub(super) async fn device_lives(&self, session: &Session) -> Result<(), Error> {
        let Some(device) = session.device else { return Ok(()) };
        let found = self.ports.directory.device(self.id(), session.user, device).await?;
        found.map(drop).ok_or(Error::TokenRevoked)
    }

    /// The device of a refresh token's session: the one that it was opened on, or the one that it has become since.
    ///
    /// Errors: `TokenInvalid` when the caller names another, `TokenRevoked` when it was forgotten.
    pub(super) async fn device_of_session(
        &self,
        user: &User,
        token: &RefreshToken,
        named: Option<NamedDevice<'_>>,
    ) -> Result<Option<Uuid>, Error> {
        if token.device.is_none() && self.settings.devices.is_none() {
            return Ok(None);
        }
        let id = token.device.unwrap_or_else(|| self.offered_device(token.session));
        match (self.ports.directory.device(self.id(), user.sub, id).await?, token.device) {
            (Some(_), _) if named.and_then(|named| self.device_id(named.key)) == Some(id) => Ok(Some(id)),
            (Some(_), _) => Err(Error::TokenInvalid),
            (None, Some(_)) => Err(Error::TokenRevoked),
            // Never confirmed: had it been forgotten, the session would be over.
            (None, None) => Ok(None),
        }
    }
}
