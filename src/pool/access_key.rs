//! Access keys: whom AWS SDKs sign administrative calls as. Each may do some operations to some pools. A signature can
//! only be checked with its secret, so the Directory holds that sealed. Read at every signed call: a key that is
//! disabled is refused from the next call on.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Pools, document};
use crate::clock::Timestamp;
use crate::crypto;
use crate::error::{Error, Kind};

/// Marks our keys, as AKIA marks Amazon's.
const PREFIX: &str = "CGNA";
const ID_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET_ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// With the prefix as long as Amazon's.
const ID_LENGTH: usize = 16;
/// As long as Amazon's: 238 bits.
const SECRET_LENGTH: usize = 40;
/// Every pool, or every operation.
const ALL: &str = "*";

/// An access key without its secret, the document of kind `access_key`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// 20 capitals and digits.
    pub id: String,
    /// For people.
    pub name: String,
    /// Ids of the pools it is for; `*` is every pool, and what belongs to none.
    pub pools: Vec<String>,
    /// Names of operations, or their beginnings with a `*` behind.
    pub operations: Vec<String>,
    /// Off: refused like an unknown one.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    sealed: String,
}

impl AccessKey {
    /// Whether it may do this operation to this pool, or to no pool in particular.
    pub fn may(&self, operation: &str, pool: Option<&str>) -> bool {
        let covers = |rule: &String| match rule.strip_suffix(ALL) {
            Some(beginning) => operation.starts_with(beginning),
            None => rule == operation,
        };
        let reaches = |rule: &String| rule == ALL || pool == Some(rule.as_str());
        self.operations.iter().any(covers) && self.pools.iter().any(reaches)
    }
}

/// An access key to be made.
pub struct NewAccessKey {
    /// For people.
    pub name: String,
    /// Ids of pools, or `*`.
    pub pools: Vec<String>,
    /// Names of operations, or their beginnings with a `*` behind.
    pub operations: Vec<String>,
}

impl Pools {
    /// Makes an access key; answers it and its secret, which nobody shows again.
    ///
    /// Errors: `InvalidParameter`, `NotFound` (a pool), `Unavailable`.
    pub async fn create_access_key(&self, draft: NewAccessKey) -> Result<(AccessKey, Zeroizing<String>), Error> {
        self.check_access_key(&draft)?;
        let ports = self.ports();
        let id = format!("{PREFIX}{}", ports.random.text(ID_ALPHABET, ID_LENGTH)?);
        let secret = Zeroizing::new(ports.random.text(SECRET_ALPHABET, SECRET_LENGTH)?);
        let sealed = self.access_key_seal()?.seal(&ports.random, id.as_bytes(), secret.as_bytes())?;
        let NewAccessKey { name, pools, operations } = draft;
        let created_at = ports.clock.now();
        let key = AccessKey { id, name, pools, operations, enabled: true, created_at, sealed: crypto::encode(sealed) };
        if !document::create(&*ports.directory, document::ACCESS_KEY, &key.id, "", &key).await? {
            return Err(Error::internal("an access key of this id is there already"));
        }
        Ok((key, secret))
    }

    fn check_access_key(&self, draft: &NewAccessKey) -> Result<(), Error> {
        if draft.name.is_empty() || draft.name.chars().count() > 128 || draft.name.chars().any(char::is_control) {
            return Err(Error::invalid("name", "must be 1 to 128 characters"));
        }
        if draft.pools.is_empty() || draft.operations.is_empty() {
            return Err(Error::invalid("access key", "must have a pool and an operation"));
        }
        draft.pools.iter().filter(|pool| *pool != ALL).try_for_each(|pool| self.find(pool).map(drop))
    }

    /// Every access key, oldest first.
    pub async fn access_keys(&self) -> Result<Vec<AccessKey>, Error> {
        let found = self.ports().directory.documents(document::ACCESS_KEY, "").await?;
        let keys: Result<Vec<AccessKey>, Error> = found.iter().map(|one| Ok(document::parse(one)?.content)).collect();
        let mut keys = keys?;
        keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(keys)
    }

    /// Disables an access key for good: the next call that it signs is refused. Disabling it again succeeds.
    pub async fn disable_access_key(&self, id: &str) -> Result<AccessKey, Error> {
        let directory = &*self.ports().directory;
        document::change(directory, document::ACCESS_KEY, id, Kind::AccessKey, |key: &mut AccessKey| {
            key.enabled = false;
            Ok(())
        })
        .await
    }

    /// The access key of this id and its secret, to check a signature with; `None` when there is none, or it is
    /// disabled.
    pub async fn signing_key(&self, id: &str) -> Result<Option<(AccessKey, Zeroizing<String>)>, Error> {
        let found = document::read::<AccessKey>(&*self.ports().directory, document::ACCESS_KEY, id).await?;
        let Some(key) = found.map(|found| found.content).filter(|key| key.enabled) else { return Ok(None) };
        let sealed = crypto::decode(&key.sealed).unwrap_or_default();
        let secret = self.access_key_seal()?.open(key.id.as_bytes(), &sealed);
        let secret = secret.and_then(|secret| String::from_utf8(secret).ok());
        let secret = secret.ok_or_else(|| Error::internal(format!("the secret of access key {id} does not open")))?;
        Ok(Some((key, Zeroizing::new(secret))))
    }
}
