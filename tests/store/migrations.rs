//! A database that an earlier version made, opened by this one, and that version going on beside it.

use cognate::store::directory::{Directory, User};
use cognate::store::organization::{Joining, Role};
use cognate::store::sql;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, SqlSafeStr as _};
use uuid::Uuid;

use super::sql::patient;
use crate::servers::postgres;

const FIRST: &str = include_str!("../../src/store/sql/migrations/0001_start.sql");

/// What the first version writes for a user.
const ADA: &str = "
    INSERT INTO users (id, pool, sub, username, username_key, email, email_key, email_verified, phone, phone_verified,
        attributes, status, enabled, password, temporary_until, session_epoch, spared_session, created_at, updated_at,
        version)
    VALUES (7, 'p', '6f2c1de4-93a1-4c58-8d9e-0b7a5a3c1f20', 'Ada', 'ada', 'ada@example.org', 'ada@example.org', 1,
        NULL, 0, '{\"name\":\"Ada\"}', 'CONFIRMED', 1, 'hash', NULL, 3, NULL, 10, 20, 4);
    INSERT INTO logins (pool, login, user_id) VALUES ('p', 'ada', 7), ('p', 'ada@example.org', 7);
    UPDATE counters SET value = 7 WHERE name = 'user';";
const BOB: &str = "
    INSERT INTO users (id, pool, sub, username, username_key, email, email_key, email_verified, phone, phone_verified,
        attributes, status, enabled, password, temporary_until, session_epoch, spared_session, created_at, updated_at,
        version)
    VALUES (9, 'p', '0d9c2b1a-7e6f-4a5b-9c8d-1e2f3a4b5c6d', 'Bob', 'bob', NULL, NULL, 0,
        NULL, 0, '{}', 'CONFIRMED', 1, NULL, NULL, 0, NULL, 10, 20, 1);
    INSERT INTO logins (pool, login, user_id) VALUES ('p', 'bob', 9);
    UPDATE counters SET value = 9 WHERE name = 'user';
    INSERT INTO challenges (pool, purpose, subject, client, user_sub, user_version, expires_at, attempts_left, answer)
    VALUES ('p', 'reset_password', 's', 'c', '0d9c2b1a-7e6f-4a5b-9c8d-1e2f3a4b5c6d', 1, 9000000000000, 5, NULL);";

async fn execute(url: &str, text: &'static str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn make_with_the_first_version(url: &str) {
    sqlx::any::install_default_drivers();
    let first = Migration::new(1, "start".into(), MigrationType::Simple, FIRST.into_sql_str(), false);
    let mut connection = AnyConnection::connect(url).await.unwrap();
    Migrator::with_migrations(vec![first]).run_direct(None, &mut connection, false).await.unwrap();
    connection.close().await.unwrap();
    execute(url, ADA).await;
}

async fn goes_on_with_the_data_of_the_first_version(made: &str, opened: &str) {
    make_with_the_first_version(made).await;
    let store = sql::open(opened, &patient()).await.unwrap();
    let ada = store.user_by_login("p", "ada", "").await.unwrap().unwrap();
    assert_eq!((ada.id, ada.version, ada.attributes["name"].as_str()), (7, 4, "Ada"));
    assert_eq!((ada.external_id.as_ref(), ada.client_secret.as_ref(), ada.api_key.as_ref()), (None, None, None));
    let ada = User { api_key: Some("nonce".to_owned()), ..ada };
    assert_eq!(store.update_user(&ada).await.unwrap(), 5);
    assert_eq!(store.memberships("p", ada.sub).await.unwrap(), []);

    let eve = User { sub: Uuid::from_u128(1), username_key: "eve".to_owned(), email_verified: false, ..ada };
    let acme = Joining::New { name: "Acme".to_owned(), name_key: "acme".to_owned() };
    assert_eq!(store.register_user(&eve, &acme).await.unwrap().id, 8);
    assert_eq!(store.memberships("p", eve.sub).await.unwrap()[0].role, Role::Admin);

    // A copy of the version before that is not replaced yet goes on writing.
    execute(made, BOB).await;
    assert_eq!(store.user_by_id("p", 9).await.unwrap().unwrap().api_key, None);
    drop(store);
    let again = sql::open(opened, &patient()).await.unwrap();
    assert_eq!(again.users("p", 0, 10).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_the_first_version_opens_and_keeps_its_users() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db").display().to_string();
    goes_on_with_the_data_of_the_first_version(&format!("sqlite://{path}?mode=rwc"), &format!("sqlite:{path}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_the_first_version_opens_and_keeps_its_users() {
    let url = postgres::database().await;
    goes_on_with_the_data_of_the_first_version(&url, &url).await;
}
