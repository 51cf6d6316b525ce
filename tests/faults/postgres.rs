//! R14: PostgreSQL absent at the start, frozen, killed, read-only, of a newer schema.

use std::time::{Duration, Instant};

use cognate::config::{DirectoryStore, Period};
use cognate::error::Error;
use cognate::store::directory::Directory;
use cognate::store::sql::{self, Sql};
use sqlx::{AssertSqlSafe, Connection as _};

use super::verbs::{all, assert_all_answered, assert_all_unavailable, assert_back_within_two_seconds, document, user};
use crate::servers::postgres::{Postgres, database};
use crate::store::sql::patient;

/// Long enough for a crowded machine, short enough to see that it holds.
const LIMIT: Duration = Duration::from_secs(1);

async fn open(url: &str) -> Sql {
    sql::open(url, &DirectoryStore { timeout: Period::seconds(1), ..DirectoryStore::default() }).await.unwrap()
}

async fn assert_unavailable_in_time(store: &Sql) {
    let start = Instant::now();
    assert_all_unavailable(&all(store).await);
    assert!(start.elapsed() < LIMIT + Duration::from_secs(2), "{:?}", start.elapsed());
}

async fn execute(url: &str, text: &str) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await.unwrap();
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_unavailable_in_time_and_goes_on_when_it_thaws() {
    let server = Postgres::start();
    let store = open(&server.database().await).await;
    assert_all_answered(&all(&store).await);
    server.freeze();
    assert_unavailable_in_time(&store).await;
    assert_unavailable_in_time(&store).await;
    server.thaw();
    assert_back_within_two_seconds(&store).await;
}

// R04, R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_hang_are_replaced() {
    let server = Postgres::start();
    let store = open(&server.database().await).await;
    assert_all_answered(&all(&store).await);
    server.freeze_connections();
    all(&store).await;
    assert_back_within_two_seconds(&store).await;
    server.thaw();
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_unavailable_in_time_and_goes_on_when_it_is_back() {
    let mut server = Postgres::start();
    let store = open(&server.database().await).await;
    let ada = store.create_user(&user("ada")).await.unwrap();
    server.kill();
    assert_unavailable_in_time(&store).await;
    server.restart();
    assert_back_within_two_seconds(&store).await;
    assert_eq!(store.user(&ada.pool, ada.sub).await.unwrap(), Some(ada));
}

// R01, R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_absent_at_the_start_is_waited_for() {
    let mut server = Postgres::start();
    let url = server.database().await;
    server.kill();
    let store = open(&url).await;
    assert_unavailable_in_time(&store).await;
    server.restart();
    assert_back_within_two_seconds(&store).await;
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_server_refuses_writes_as_unavailable_and_goes_on_reading() {
    let url = database().await;
    let store = open(&url).await;
    let ada = store.create_user(&user("ada")).await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    execute(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    // A new connection sees the new setting; so does a whole new replica, which then waits.
    execute(&url, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"))
        .await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(store.user(&ada.pool, ada.sub).await.unwrap(), Some(ada));
    for outcome in [Directory::ping(&store).await.map(drop), store.create_document(&document("one")).await.map(drop)] {
        assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
    }
    let replica = open(&url).await;
    assert_unavailable_in_time(&replica).await;
    execute(&url, &format!("BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = off; COMMIT"))
        .await;
    assert_back_within_two_seconds(&replica).await;
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_waits_for_a_lock_gives_up_in_time_and_keeps_nothing_locked() {
    let url = database().await;
    let store = open(&url).await;
    let mut rival = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut transaction = rival.begin().await.unwrap();
    sqlx::raw_sql("UPDATE counters SET value = value").execute(&mut *transaction).await.unwrap();
    let start = Instant::now();
    let outcome = store.create_user(&user("ada")).await;
    assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
    assert!(start.elapsed() < LIMIT + Duration::from_secs(2), "{:?}", start.elapsed());
    transaction.rollback().await.unwrap();
    assert_back_within_two_seconds(&store).await;
    store.create_user(&user("ada")).await.unwrap();
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_collide_are_repeated() {
    let url = database().await;
    let name = url.rsplit('/').next().unwrap();
    execute(&url, &format!("ALTER DATABASE {name} SET default_transaction_isolation = serializable")).await;
    let store = sql::open(&url, &patient()).await.unwrap();
    for round in 0..20 {
        let (ada, bob) = (user(&format!("ada{round}")), user(&format!("bob{round}")));
        let (ada, bob) = tokio::join!(store.create_user(&ada), store.create_user(&bob));
        ada.unwrap();
        bob.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_on_an_empty_database_all_come_up() {
    let url = database().await;
    let settings = patient();
    let stores = futures_util::future::join_all((0..6).map(|_| sql::open(&url, &settings))).await;
    for store in stores {
        assert_all_answered(&all(&store.unwrap()).await);
    }
}

/// What the next version's migration leaves behind: a step that is unknown here, and since when programs can work on it.
async fn upgraded(since: i64) -> String {
    let url = database().await;
    drop(open(&url).await);
    let text = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (999, 'future', true, '', 0);
         ALTER TABLE users ADD COLUMN future TEXT; CREATE TABLE future (id TEXT);
         UPDATE counters SET value = {since} WHERE name = 'compatible_since'"
    );
    execute(&url, &text).await;
    url
}

// R17, R34
#[tokio::test]
async fn a_newer_schema_that_took_something_away_refuses_to_start_with_one_line() {
    let line = sql::open(&upgraded(999).await, &patient()).await.err().unwrap();
    assert!(line.contains("newer Cognate"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

// R34
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_newer_schema_that_only_added_the_program_before_it_starts_and_works() {
    let url = upgraded(1).await;
    let store = sql::open(&url, &patient()).await.unwrap();
    assert_all_answered(&all(&store).await);
    let ada = store.create_user(&user("ada")).await.unwrap();
    assert_eq!(store.user(&ada.pool, ada.sub).await.unwrap(), Some(ada));
}

// R17
#[tokio::test]
async fn a_database_of_another_program_refuses_to_start_with_one_line() {
    for version in [1, 20_260_101] {
        let url = database().await;
        let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                     installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
                     execution_time BIGINT NOT NULL)";
        execute(
            &url,
            &format!("{table}; INSERT INTO _sqlx_migrations VALUES ({version}, 'theirs', now(), true, '', 0)"),
        )
        .await;
        let line = sql::open(&url, &patient()).await.err().unwrap();
        assert!(line.starts_with("directory.url: the ") && !line.contains('\n'), "{line}");
    }
}

// R34: its maker did not say, so nobody knows.
#[tokio::test]
async fn a_newer_schema_that_says_nothing_refuses_to_start() {
    let url = upgraded(1).await;
    execute(&url, "DELETE FROM counters WHERE name = 'compatible_since'").await;
    assert!(sql::open(&url, &patient()).await.err().unwrap().contains("newer Cognate"));
}

// R34: while one replica migrates, those that serve go on, also where the migration has to wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_waits_for_another_migration_hinders_nobody() {
    let url = database().await;
    let store = open(&url).await;
    let mut rival = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut transaction = rival.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let started = Instant::now();
    let late = open(&url).await;
    assert!(started.elapsed() < LIMIT + Duration::from_secs(4), "{:?}", started.elapsed());
    assert_all_unavailable(&all(&late).await);
    assert_all_answered(&all(&store).await);
    transaction.rollback().await.unwrap();
    assert_back_within_two_seconds(&late).await;
}

#[tokio::test]
async fn an_address_that_can_never_work_refuses_to_start_and_keeps_its_password() {
    for url in ["mysql://u:geheim@h/d", "postgres://u:geheim@h:port/d", "postgres://u:geheim@h/d?sslmode=geheim", ""] {
        let line = sql::open(url, &patient()).await.err().unwrap();
        assert!(!line.contains("u:geheim"), "{line}");
        assert!(line.starts_with("directory.url: "), "{line}");
    }
}
