//! Documents: first writer wins, later ones name the version they read.

use cognate::error::Error;
use cognate::store::directory::Document;

use super::{POOL, Store, document};

pub async fn a_document_is_made_once_and_read_back(store: Store) {
    assert!(store.create_document(&document("one", "{\"a\":1}")).await.unwrap());
    assert!(!store.create_document(&document("one", "{\"a\":2}")).await.unwrap());
    let wanted = Document { version: 1, ..document("one", "{\"a\":1}") };
    assert_eq!(store.document("client", "one").await.unwrap(), Some(wanted));
    assert_eq!(store.document("pool", "one").await.unwrap(), None);
    assert!(store.create_document(&Document { kind: "pool".to_owned(), ..document("one", "{}") }).await.unwrap());
}

pub async fn documents_are_listed_under_their_parent_by_id(store: Store) {
    for id in ["b", "Z", "a"] {
        store.create_document(&document(id, "{}")).await.unwrap();
    }
    store.create_document(&Document { parent: String::new(), ..document("c", "{}") }).await.unwrap();
    let ids: Vec<_> = store.documents("client", POOL).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["Z", "a", "b"]);
    assert_eq!(store.documents("client", "").await.unwrap().len(), 1);
    assert!(store.documents("pool", POOL).await.unwrap().is_empty());
}

pub async fn an_update_names_the_version_it_read(store: Store) {
    store.create_document(&document("one", "1")).await.unwrap();
    let read = Document { version: 1, parent: "elsewhere".to_owned(), ..document("one", "2") };
    assert_eq!(store.update_document(&read).await.unwrap(), 2);
    let late = store.update_document(&Document { body: "3".to_owned(), ..read.clone() }).await;
    assert!(matches!(late, Err(Error::Conflict)), "{late:?}");
    assert_eq!(store.document("client", "one").await.unwrap(), Some(Document { version: 2, ..read }));
    let absent = store.update_document(&Document { version: 1, ..document("two", "1") }).await;
    assert!(matches!(absent, Err(Error::Conflict)), "{absent:?}");
}

pub async fn a_deleted_document_is_gone(store: Store) {
    store.create_document(&document("one", "1")).await.unwrap();
    assert!(store.delete_document("client", "one").await.unwrap());
    assert!(!store.delete_document("client", "one").await.unwrap());
    assert_eq!(store.document("client", "one").await.unwrap(), None);
    assert!(store.create_document(&document("one", "2")).await.unwrap());
}

pub async fn a_big_document_is_kept_whole(store: Store) {
    let body = "é".repeat(500_000);
    store.create_document(&document("one", &body)).await.unwrap();
    assert_eq!(store.document("client", "one").await.unwrap().unwrap().body, body);
}
