//! One connection to the directory: binding and searching on it.

use ldap3::{LdapConnAsync, Scope, SearchEntry, SearchOptions};
use tokio::task::JoinHandle;

use super::person::Person;
use super::verdict::{self, Verdict};
use crate::error::Cause;

/// A connection inside TLS. Whoever it is bound as, is what the last bind said.
pub(super) struct Connection {
    ldap: ldap3::Ldap,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // An answer that comes late is for nobody; the driver would log it, and it is about a person.
        self.driver.abort();
    }
}

impl Connection {
    /// Lets the connection run.
    pub(super) fn new(driver: LdapConnAsync, ldap: ldap3::Ldap) -> Self {
        // How it ends is what the next call on it meets.
        let driver = tokio::spawn(async { drop(driver.drive().await) });
        Self { ldap, driver }
    }

    /// Whether the other side has not closed it yet.
    pub(super) fn is_open(&mut self) -> bool {
        !self.ldap.is_closed()
    }

    /// A simple bind. The connection is bound as this name afterwards, or as nobody.
    pub(super) async fn bind(&mut self, name: &str, password: &str) -> Result<Verdict, Cause> {
        verdict::of_bind(&self.ldap.simple_bind(name, password).await?)
    }

    /// The one person that the filter finds.
    pub(super) async fn find(&mut self, base: &str, filter: &str) -> Result<Option<Person>, Cause> {
        let options = SearchOptions::new().sizelimit(2);
        let search = self.ldap.with_search_options(options);
        let found = search.search(base, Scope::Subtree, filter, Person::ATTRIBUTES).await?;
        if !verdict::is_complete(&found.1)? {
            return Err("ldap.user_filter finds more than one person".into());
        }
        let mut found = found.0.into_iter().map(SearchEntry::construct);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(entry), None) => Person::read(entry).map(Some),
            (Some(_), Some(_)) => Err("ldap.user_filter finds more than one person".into()),
        }
    }

    /// The `cn`s of everything under `base` that the filter finds; nothing when there is no such place.
    pub(super) async fn names(&mut self, base: &str, scope: Scope, filter: &str) -> Result<Vec<String>, Cause> {
        let found = self.ldap.search(base, scope, filter, ["cn"]).await?;
        if verdict::is_absent(&found.1) {
            return Ok(Vec::new());
        }
        if !verdict::is_complete(&found.1)? {
            return Err("the directory gives not all of a person's groups".into());
        }
        let entries = found.0.into_iter().map(SearchEntry::construct);
        Ok(entries.flat_map(|entry| entry.attrs.into_values().flatten()).collect())
    }
}
