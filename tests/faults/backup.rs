//! Backup beside a running server, and putting it back (R17, R36).

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use cognate::store::directory::{Directory, User};
use cognate::store::organization::Joining;
use cognate::store::sql::backup::{backup, restore};
use cognate::store::sql::{self, Sql};
use cognate::store::tokens::TokenStore;

use super::verbs::{NOW, POOL, document, mail, session, user};
use crate::store::sql::patient;

async fn open(path: &Path) -> Sql {
    sql::open(&format!("sqlite:{}", path.display()), &patient()).await.unwrap()
}

/// Restores as soon as the store that was just dropped has let go of its file.
async fn restore_when_free(from: &Path, db: &Path) {
    for _ in 0..100 {
        match restore(from, db, true).await {
            Err(line) if line.contains("server") => tokio::time::sleep(Duration::from_millis(20)).await,
            outcome => return outcome.unwrap(),
        }
    }
    panic!("the file stayed in use");
}

// R36
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_others_write_is_whole_and_restores_to_that_state() {
    let folder = tempfile::tempdir().unwrap();
    let (db, copy) = (folder.path().join("cognate.db"), folder.path().join("copy.db"));
    let store = open(&db).await;
    let ada = user("ada");
    let acme = Joining::New { name: "Acme".to_owned(), name_key: "acme".to_owned() };
    let ada = store.register_user(&User { api_key: Some("nonce".to_owned()), ..ada }, &acme).await.unwrap();
    let memberships = store.memberships(POOL, ada.sub).await.unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 0..300 {
                store.create_document(&document(&format!("{number:03}"))).await.unwrap();
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    backup(&db, &copy).await.unwrap();
    writing.await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    store.delete_user(POOL, ada.sub).await.unwrap();
    store.delete_organization(POOL, memberships[0].organization.id).await.unwrap();
    drop(store);

    restore_when_free(&copy, &db).await;
    assert_eq!(std::fs::metadata(&db).unwrap().permissions().mode() & 0o777, 0o600);
    let store = open(&db).await;
    assert_eq!(memberships.len(), 1);
    assert_eq!(store.memberships(POOL, ada.sub).await.unwrap(), memberships);
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada));
    let ids: Vec<_> = store.documents("client", POOL).await.unwrap().into_iter().map(|one| one.id).collect();
    let wanted: Vec<_> = (0..ids.len()).map(|number| format!("{number:03}")).collect();
    assert_eq!(ids, wanted);
}

// R13: a session that was ended after the backup must not come back with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_store_revives_no_session_and_sends_no_old_mail() {
    let folder = tempfile::tempdir().unwrap();
    let (db, copy) = (folder.path().join("cognate.db"), folder.path().join("copy.db"));
    let store = open(&db).await;
    let one = session();
    store.open_session(&one).await.unwrap();
    store.enqueue_mail(&mail(10)).await.unwrap();
    backup(&db, &copy).await.unwrap();
    assert!(TokenStore::end_session(&store, &one.key()).await.unwrap());
    drop(store);
    restore_when_free(&copy, &db).await;
    let store = open(&db).await;
    assert_eq!(store.session(&one.key(), NOW).await.unwrap(), None);
    assert_eq!(store.claim_mail(NOW, NOW).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_never_overwrites_and_needs_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let (db, copy) = (folder.path().join("cognate.db"), folder.path().join("copy.db"));
    assert!(backup(&db, &copy).await.is_err());
    assert!(!copy.exists());
    let _store = open(&db).await;
    std::fs::write(&copy, "mine").unwrap();
    assert!(backup(&db, &copy).await.is_err());
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_refuses_a_held_an_existing_and_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let (db, copy) = (folder.path().join("cognate.db"), folder.path().join("copy.db"));
    let store = open(&db).await;
    let ada = store.create_user(&user("ada")).await.unwrap();
    backup(&db, &copy).await.unwrap();
    let refused = |outcome: Result<(), String>, word: &str| {
        let line = outcome.unwrap_err();
        assert!(line.contains(word) && !line.contains('\n'), "{line}");
    };
    refused(restore(&copy, &db, false).await, "there is a database");
    refused(restore(&copy, &db, true).await, "a server is using the database");
    refused(restore(&db, &folder.path().join("other.db"), false).await, "backup");

    let fresh = folder.path().join("fresh.db");
    let mut bytes = std::fs::read(&copy).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..2048].fill(0xEE);
    }
    let damaged = folder.path().join("damaged.db");
    std::fs::write(&damaged, &bytes).unwrap();
    refused(restore(&damaged, &fresh, false).await, "damaged");
    std::fs::write(&damaged, "").unwrap();
    refused(restore(&damaged, &fresh, false).await, "not a Cognate database");
    refused(restore(&folder.path().join("absent.db"), &fresh, false).await, "absent.db");
    assert!(!fresh.exists() && !folder.path().join("fresh.db.restoring").exists());
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada));

    restore(&copy, &fresh, false).await.unwrap();
    assert_eq!(open(&fresh).await.users(POOL, 0, 10).await.unwrap().len(), 1);
}
