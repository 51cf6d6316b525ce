//! What a new deployment is born with: the root secret, one pool, one client, and an administrator with a
//! temporary password. First writer wins, so that replicas starting together agree.

use serde::{Deserialize, Serialize};

use super::document;
use super::{ADMIN_GROUP, Client, NewUser, PoolSettings, Pools, Ports};
use crate::crypto::RootSecret;
use crate::error::{Error, Kind};
use crate::keys;

/// Name of the first administrator.
pub const ADMIN: &str = "admin";

const POOL_ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The document of kind `bootstrap`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BootstrapRecord {
    pub(super) pool: String,
    pub(super) client: String,
    /// Whether the administrator was made; one who was deleted is not made again.
    pub(super) admin_made: bool,
}

/// The document of kind `root`.
#[derive(Serialize, Deserialize)]
pub(super) struct RootRecord {
    pub(super) sealed: String,
}

/// The first administrator's way in, to be shown once.
pub struct FirstAdmin {
    /// [`ADMIN`].
    pub username: &'static str,
    /// Works once, for seven days.
    pub temporary_password: String,
}

impl Pools {
    /// The root secret, made at the first time. A master key that does not open it is refused: making a new one
    /// would log everybody out.
    pub(super) async fn open_root(&self) -> Result<RootSecret, Error> {
        let ports = self.ports();
        if let Some(found) = document::read::<RootRecord>(&*ports.directory, document::ROOT, document::ROOT).await? {
            return self.unseal_root(&found.content.sealed);
        }
        let root = RootSecret::new(ports.random.bytes()?);
        let record = RootRecord { sealed: keys::seal_root(&ports.master.keys(), &ports.random, &root)? };
        if document::create(&*ports.directory, document::ROOT, document::ROOT, "", &record).await? {
            return Ok(root);
        }
        let found = document::read::<RootRecord>(&*ports.directory, document::ROOT, document::ROOT).await?;
        let found = found.ok_or_else(|| Error::internal("the root secret vanished"))?;
        self.unseal_root(&found.content.sealed)
    }

    fn unseal_root(&self, sealed: &str) -> Result<RootSecret, Error> {
        keys::open_root(&self.ports().master.keys(), sealed).map_err(|fault| Error::internal(fault.to_string()))
    }

    /// Seals the root secret anew if the first master key is another by now.
    pub(super) async fn reseal_root(&self, root: &RootSecret) -> Result<(), Error> {
        let Ports { directory, master, random, .. } = &**self.ports();
        let master = master.keys();
        let found = document::read::<RootRecord>(&**directory, document::ROOT, document::ROOT).await?;
        if found.is_none_or(|found| !master.is_due(&found.content.sealed)) {
            return Ok(());
        }
        let sealed = keys::seal_root(&master, random, root)?;
        let apply = |record: &mut RootRecord| {
            record.sealed.clone_from(&sealed);
            Ok(())
        };
        document::change(&**directory, document::ROOT, document::ROOT, Kind::Key, apply).await?;
        tracing::info!(what = "root secret", master_key = master.id(), "sealed anew");
        Ok(())
    }

    /// The first pool and client, made at the first time.
    pub(super) async fn bootstrap(&self) -> Result<BootstrapRecord, Error> {
        let ports = self.ports();
        let directory = &*ports.directory;
        let found = document::read::<BootstrapRecord>(directory, document::BOOTSTRAP, document::BOOTSTRAP).await?;
        let record = match found {
            Some(found) => found.content,
            None => {
                let suffix = ports.random.text(POOL_ALPHABET, 9)?;
                let draft = BootstrapRecord {
                    pool: format!("{}_{suffix}", ports.bootstrap.region),
                    client: self.new_client_id()?,
                    admin_made: false,
                };
                document::create(directory, document::BOOTSTRAP, document::BOOTSTRAP, "", &draft).await?;
                let kept = document::read(directory, document::BOOTSTRAP, document::BOOTSTRAP).await?;
                kept.ok_or_else(|| Error::internal("the bootstrap record vanished"))?.content
            }
        };
        if directory.document(document::POOL, &record.pool).await?.is_none() {
            let now = ports.clock.now();
            let pool = PoolSettings::new(record.pool.clone(), ports.bootstrap.pool_name.clone(), now);
            let client = Client::new(record.client.clone(), record.pool.clone(), "default".to_owned(), now);
            document::create(directory, document::CLIENT, &client.id, &pool.id, &client).await?;
            document::create(directory, document::POOL, &pool.id, "", &pool).await?;
        }
        Ok(record)
    }

    /// Makes the first administrator if this deployment never had one.
    pub async fn first_admin(&self) -> Result<Option<FirstAdmin>, Error> {
        let directory = &*self.ports().directory;
        let record = document::read::<BootstrapRecord>(directory, document::BOOTSTRAP, document::BOOTSTRAP).await?;
        if record.is_none_or(|record| record.content.admin_made) {
            return Ok(None);
        }
        let pool = self.first()?;
        let temporary_password = pool.settings.password_policy.generate(&self.ports().random)?;
        let draft = NewUser { temporary: true, ..NewUser::new(ADMIN, &temporary_password) };
        pool.create_group_if_absent(ADMIN_GROUP).await?;
        let made = match pool.create_user(NewUser { groups: vec![ADMIN_GROUP.to_owned()], ..draft }).await {
            Ok(_) => Some(FirstAdmin { username: ADMIN, temporary_password }),
            Err(Error::UserExists) => None,
            Err(error) => return Err(error),
        };
        document::change(
            directory,
            document::BOOTSTRAP,
            document::BOOTSTRAP,
            Kind::Pool,
            |kept: &mut BootstrapRecord| {
                kept.admin_made = true;
                Ok(())
            },
        )
        .await?;
        Ok(made)
    }
}
