//! The SQL stores under test, each fresh.

use std::time::Duration;

use cognate::config::{DirectoryStore, Period};
use cognate::store::sql::{self, Sql};
use cognate::store::tokens::{Throttle, TokenStore};
use tempfile::TempDir;

use crate::servers::postgres;

/// Settings with a limit that a crowded machine does not reach.
pub fn patient() -> DirectoryStore {
    DirectoryStore { timeout: Period::seconds(20), ..DirectoryStore::default() }
}

/// A store on a file of its own.
pub async fn sqlite() -> (Sql, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("cognate.db").display());
    (sql::open(&url, &patient()).await.unwrap(), folder)
}

/// A store on a database of its own.
pub async fn postgres() -> (Sql, ()) {
    (sql::open(&postgres::database().await, &patient()).await.unwrap(), ())
}

/// One test for each database.
macro_rules! on_both {
    ($test:ident) => {
        mod $test {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (store, _alive) = super::sqlite().await;
                super::$test(store).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (store, _alive) = super::postgres().await;
                super::$test(store).await;
            }
        }
    };
}

on_both!(purging_deletes_what_has_expired_and_nothing_else);
async fn purging_deletes_what_has_expired_and_nothing_else(store: Sql) {
    let at = super::tokens::at;
    let shared: super::tokens::Store = std::sync::Arc::new(store.clone());
    let (_, old) = super::tokens::opened(&shared, |session| session.expires_at = at(1_000)).await;
    let (new, key) = super::tokens::opened(&shared, |session| session.expires_at = at(1_001)).await;
    let throttle = Throttle { free: 5, lock: Duration::from_millis(1), lock_max: Duration::from_millis(1_000) };
    store.count_attempt("old", &throttle, at(0)).await.unwrap();
    store.count_attempt("new", &throttle, at(1)).await.unwrap();
    assert_eq!(TokenStore::purge(&store, at(1_000)).await.unwrap(), 2);
    assert_eq!(TokenStore::purge(&store, at(1_000)).await.unwrap(), 0);
    assert_eq!(store.session(&old, at(0)).await.unwrap(), None);
    assert_eq!(store.session(&key, at(0)).await.unwrap(), Some(new));
    assert_eq!(TokenStore::purge(&store, at(1_001)).await.unwrap(), 2);
}

on_both!(purging_deletes_more_than_one_statement_takes_away);
async fn purging_deletes_more_than_one_statement_takes_away(store: Sql) {
    let at = super::tokens::at;
    let shared: super::tokens::Store = std::sync::Arc::new(store.clone());
    let opened = |_| super::tokens::opened(&shared, |session| session.expires_at = at(1_000));
    futures_util::future::join_all((0..1_001).map(opened)).await;
    let (alive, key) = super::tokens::opened(&shared, |session| session.expires_at = at(1_001)).await;
    assert_eq!(TokenStore::purge(&store, at(1_000)).await.unwrap(), 1_001);
    assert_eq!(store.session(&key, at(0)).await.unwrap(), Some(alive));
}

mod tokens {
    use std::sync::Arc;

    use super::Sql;
    use crate::store::tokens::{Store, tokens_suite};

    /// The same as a token store.
    pub fn shared<A>((store, alive): (Sql, A)) -> (Store, A) {
        (Arc::new(store), alive)
    }

    tokens_suite!(sqlite, crate::store::sql::tokens::shared(crate::store::sql::sqlite().await));
    tokens_suite!(postgres, crate::store::sql::tokens::shared(crate::store::sql::postgres().await));
}
