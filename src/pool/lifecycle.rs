//! Pools that are made and taken away while the deployment runs, and how a replica hears of those that another made.

use super::bootstrap::POOL_ALPHABET;
use super::document;
use super::{PoolSettings, Pools, user_import};
use crate::error::{Error, Kind, Rule};

const ID_SUFFIX: usize = 9;
/// Few enough that the statement ends in time.
const USERS_AT_ONCE: u32 = 500;
const PROTECTED: &str = "cannot be deleted because deletion protection is activated. Deletion protection must be \
                         inactivated first.";

impl Pools {
    pub(super) fn new_pool_id(&self) -> Result<String, Error> {
        let suffix = self.ports().random.text(POOL_ALPHABET, ID_SUFFIX)?;
        Ok(format!("{}_{suffix}", self.ports().region))
    }

    /// Whether text messages are sent where a pool wants some that it did not want `before`. Errors: `Rule`.
    pub fn check_texts(&self, before: Option<&PoolSettings>, after: &PoolSettings) -> Result<(), Error> {
        let had: Vec<_> = before.into_iter().flat_map(PoolSettings::wants_of_texts).collect();
        match after.wants_of_texts().find(|words| !had.contains(words)) {
            Some(words) if !self.ports().texts => Err(Rule::Form(words).into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes a pool from `draft`, whose id is given here. It serves at once.
    ///
    /// Errors: `InvalidParameter`, `Rule`, `Unavailable`.
    pub async fn create_pool(&self, draft: PoolSettings) -> Result<PoolSettings, Error> {
        let pool = PoolSettings { id: self.new_pool_id()?, ..draft };
        self.check_texts(None, &pool)?;
        pool.check()?;
        self.check_triggers(&pool.triggers)?;
        if !document::create(&*self.ports().directory, document::POOL, &pool.id, "", &pool).await? {
            return Err(Error::Exists(Kind::Pool));
        }
        self.reload().await?;
        Ok(pool)
    }

    /// Deletes a pool with everything in it. Its tokens are refused here at once, in other replicas within `keys.reload`.
    ///
    /// Errors: `NotFound(Pool)`, `InvalidParameter` for a protected pool and for the one that the deployment was born
    /// with, `Unavailable`.
    pub async fn delete_pool(&self, id: &str) -> Result<(), Error> {
        if self.first()?.id() == id {
            return Err(Error::invalid(
                "The user pool",
                "is the one that this deployment was born with; it can not be deleted.",
            ));
        }
        if self.pool_settings(id).await?.deletion_protection {
            return Err(Error::invalid("The user pool", PROTECTED));
        }
        // Without clients nobody signs in any more; whoever is stopped half-way goes on by calling again.
        let directory = &self.ports().directory;
        directory.delete_clients(id).await?;
        while directory.delete_users(id, USERS_AT_ONCE).await? > 0 {}
        user_import::forget_jobs(&**directory, id).await?;
        directory.delete_pool(id).await?;
        self.reload().await
    }

    /// The settings of a pool as they are now, also those that another replica wrote.
    pub async fn pool_settings(&self, id: &str) -> Result<PoolSettings, Error> {
        let found = document::read(&*self.ports().directory, document::POOL, id).await?;
        found.map(|found| found.content).ok_or(Error::NotFound(Kind::Pool))
    }

    /// The settings of all pools as they are now.
    pub async fn all_settings(&self) -> Result<Vec<PoolSettings>, Error> {
        let found = self.ports().directory.documents(document::POOL, "").await?;
        found.iter().map(|found| Ok(document::parse(found)?.content)).collect()
    }

    /// Reads the Directory if it has a pool or an app client of this id that is not known here: another replica may have
    /// made it a moment ago, and saying that it does not exist would be wrong.
    pub async fn meet(&self, pool: Option<&str>, client: Option<&str>) -> Result<(), Error> {
        let unknown_pool = pool.filter(|id| matches!(self.find(id), Err(Error::NotFound(_))));
        let unknown_client = client.filter(|id| matches!(self.of_client(id), Err(Error::NotFound(_))));
        for (kind, id) in [(document::POOL, unknown_pool), (document::CLIENT, unknown_client)] {
            if let Some(id) = id
                && self.ports().directory.document(kind, id).await?.is_some()
            {
                return self.reload().await;
            }
        }
        Ok(())
    }
}
