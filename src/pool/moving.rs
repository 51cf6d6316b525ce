//! Users on their way from one deployment to another: with everything that lets them sign in there as before, unsealed
//! from the keys of the one and sealed anew under those of the other. What is bound to a deployment stays behind:
//! sessions, devices, app clients, resource servers, API keys, OAuth client secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::name::EmailAddress;
use super::{Pool, PoolSettings, Pools, document};
use crate::clock::Timestamp;
use crate::crypto::{self, SealKey};
use crate::error::{Error, Kind};
use crate::store::directory::{Group, User, UserStatus};

/// Where the sealed secrets of second factors are in the JSON of a user.
const FACTOR_SECRETS: [&str; 1] = ["/software_token/secret"];
/// A secret that was told and not shown is worth nothing elsewhere.
const TOLD: &str = "told";

/// A user with everything that moves. Not `Debug`, so that it can not be logged.
#[derive(Serialize, Deserialize)]
pub struct MovedUser {
    sub: Uuid,
    username: String,
    email: Option<String>,
    email_verified: bool,
    phone: Option<String>,
    phone_verified: bool,
    attributes: BTreeMap<String, String>,
    status: UserStatus,
    enabled: bool,
    password: Option<String>,
    #[serde(default)]
    former_passwords: Vec<String>,
    /// Salt and verifier in the clear, and the pool that they are bound to.
    srp: Option<(String, String)>,
    /// Second factors, their secrets in the clear.
    mfa: Option<Value>,
    temporary_until: Option<Timestamp>,
    external_id: Option<String>,
    groups: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What became of a user who came.
pub enum Moving {
    /// He is here now.
    Made,
    /// He was here already, by his sub, and stays as he was.
    Present,
    /// He can not come.
    Refused {
        /// His sub.
        sub: Uuid,
        /// Why not.
        reason: Error,
    },
}

impl Pools {
    /// Makes a pool as it was elsewhere, with its id; false when there is one of this id, which stays as it is.
    ///
    /// Errors: `InvalidParameter`, `Unavailable`.
    pub async fn adopt_pool(&self, settings: &PoolSettings) -> Result<bool, Error> {
        settings.check()?;
        self.check_triggers(&settings.triggers)?;
        let made = document::create(&*self.ports().directory, document::POOL, &settings.id, "", settings).await?;
        self.reload().await?;
        Ok(made)
    }
}

impl Pool {
    /// All groups. Errors: `Unavailable`.
    pub async fn groups_to_move(&self) -> Result<Vec<Group>, Error> {
        self.ports.directory.groups(self.id()).await
    }

    /// Makes a group as it was elsewhere; false when there is one of this name, which stays as it is.
    pub async fn adopt_group(&self, group: Group) -> Result<bool, Error> {
        match self.ports.directory.create_group(&Group { pool: self.id().to_owned(), ..group }).await {
            Ok(()) => Ok(true),
            Err(Error::Exists(Kind::Group)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Users as they move. Errors: `Internal` when something sealed does not open, `Unavailable`.
    pub async fn pack(&self, users: &[User]) -> Result<Vec<MovedUser>, Error> {
        let subs: Vec<Uuid> = users.iter().map(|user| user.sub).collect();
        let mut former = self.ports.directory.former_passwords(self.id(), &subs).await?;
        users.iter().map(|user| self.packed(user, former.remove(&user.sub).unwrap_or_default())).collect()
    }

    fn packed(&self, user: &User, former_passwords: Vec<String>) -> Result<MovedUser, Error> {
        let verifier = self.verifier_of(user)?;
        let srp = verifier.map(|verifier| (self.id().to_owned(), crypto::encode(&*verifier.to_bytes())));
        let mfa = user.mfa.as_deref().map(|factors| self.open_factors(user.sub, factors)).transpose()?;
        Ok(MovedUser {
            sub: user.sub,
            username: user.username.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            phone: user.phone.clone(),
            phone_verified: user.phone_verified,
            attributes: user.attributes.clone(),
            status: user.status,
            enabled: user.enabled,
            password: user.password.clone(),
            former_passwords,
            srp,
            mfa,
            temporary_until: user.temporary_until,
            external_id: user.external_id.clone(),
            groups: user.groups.clone(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        })
    }

    fn open_factors(&self, sub: Uuid, factors: &str) -> Result<Value, Error> {
        let mut factors: Value = serde_json::from_str(factors).map_err(Error::internal)?;
        if let Some(members) = factors.as_object_mut() {
            members.remove(TOLD);
        }
        each_secret(&mut factors, |sealed| {
            let plain = self.secrets.mfa.open(sub.as_bytes(), sealed).map(Zeroizing::new);
            plain.map(crypto::encode).ok_or_else(|| Error::internal("a second factor is not what was sealed"))
        })?;
        Ok(factors)
    }

    fn seal_factors(&self, sub: Uuid, mut factors: Value) -> Result<String, Error> {
        each_secret(&mut factors, |plain| self.sealed(&self.secrets.mfa, sub.as_bytes(), plain))?;
        serde_json::to_string(&factors).map_err(Error::internal)
    }

    fn sealed(&self, key: &SealKey, context: &[u8], plain: &[u8]) -> Result<String, Error> {
        key.seal(&self.ports.random, context, plain).map(crypto::encode)
    }

    /// Makes users who come from elsewhere, all in one transaction; one outcome a user in their order. An error of the
    /// whole means that none was made.
    pub async fn unpack(&self, moved: &[MovedUser]) -> Result<Vec<Moving>, Error> {
        let (mut users, mut outcomes) = (Vec::with_capacity(moved.len()), Vec::with_capacity(moved.len()));
        for moved in moved {
            let sub = moved.sub;
            outcomes.push(self.unpacked(moved).map(|user| users.push(user)).map_err(|reason| (sub, reason)));
        }
        let mut made = self.ports.directory.create_users(&users).await?.into_iter().zip(&users);
        let mut all = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            all.push(match outcome {
                Err((sub, reason)) => Moving::Refused { sub, reason },
                Ok(()) => {
                    let (outcome, user) = made.next().ok_or_else(|| Error::internal("a user has no outcome"))?;
                    self.came(user.sub, outcome).await?
                }
            });
        }
        Ok(all)
    }

    async fn came(&self, sub: Uuid, outcome: Result<User, Error>) -> Result<Moving, Error> {
        let present = match outcome {
            Ok(_) => return Ok(Moving::Made),
            Err(Error::UserExists) => self.ports.directory.user(self.id(), sub).await?.is_some(),
            Err(error @ Error::Unavailable { .. }) => return Err(error),
            Err(reason) => return Ok(Moving::Refused { sub, reason }),
        };
        Ok(if present { Moving::Present } else { Moving::Refused { sub, reason: Error::UserExists } })
    }

    fn unpacked(&self, moved: &MovedUser) -> Result<User, Error> {
        let username = self.username(&moved.username)?;
        let email = moved.email.as_deref().map(EmailAddress::parse).transpose()?;
        let mut user = self.blank_user(username, email)?;
        for stored in moved.password.iter().chain(&moved.former_passwords) {
            super::hash::accepts(stored).map_err(|reason| Error::invalid("password", reason))?;
        }
        user.srp = match &moved.srp {
            // The verifier is bound to the pool's name; elsewhere his next sign-in with the password makes another.
            Some((pool, verifier)) if pool == self.id() => {
                let plain = crypto::decode(verifier).map(Zeroizing::new);
                let plain = plain.ok_or_else(|| Error::invalid("srp", "is not base64url"))?;
                Some(self.sealed(&self.secrets.srp, user.username.as_bytes(), &plain)?)
            }
            Some(_) | None => None,
        };
        user.mfa = moved.mfa.clone().map(|factors| self.seal_factors(moved.sub, factors)).transpose()?;
        user.sub = moved.sub;
        (user.email_verified, user.phone_verified) = (moved.email_verified, moved.phone_verified);
        user.phone.clone_from(&moved.phone);
        user.attributes.clone_from(&moved.attributes);
        user.groups.clone_from(&moved.groups);
        (user.status, user.enabled, user.temporary_until) = (moved.status, moved.enabled, moved.temporary_until);
        user.password.clone_from(&moved.password);
        let former = usize::try_from(self.settings.former_passwords()).unwrap_or(usize::MAX);
        user.former_passwords = moved.former_passwords.iter().take(former).cloned().collect();
        user.external_id.clone_from(&moved.external_id);
        (user.created_at, user.updated_at) = (moved.created_at, moved.updated_at);
        user.aliases = self.aliases_of(&user);
        Ok(user)
    }
}

/// Puts something else in the place of each secret, which is base64url both ways.
fn each_secret(factors: &mut Value, change: impl Fn(&[u8]) -> Result<String, Error>) -> Result<(), Error> {
    for place in FACTOR_SECRETS {
        let Some(secret) = factors.pointer_mut(place) else { continue };
        let bytes = secret.as_str().and_then(crypto::decode).map(Zeroizing::new);
        let bytes = bytes.ok_or_else(|| Error::internal("a second factor has no secret"))?;
        *secret = Value::String(change(&bytes)?);
    }
    Ok(())
}
