//! The end of a pool: everything in it goes, nothing of another.

use cognate::store::directory::{Document, Group, User};

use super::{POOL, Store, group, user};

const OTHER: &str = "eu-west-1_Conform02";

fn paper(kind: &str, id: &str, parent: &str) -> Document {
    Document { kind: kind.to_owned(), id: id.to_owned(), parent: parent.to_owned(), version: 0, body: "{}".to_owned() }
}

pub async fn users_of_a_pool_are_deleted_some_at_a_time(store: Store) {
    for name in ["ada", "bob", "cyd"] {
        store.create_user(&user(name)).await.unwrap();
    }
    let elsewhere = store.create_user(&User { pool: OTHER.to_owned(), ..user("ada") }).await.unwrap();
    assert_eq!(store.delete_users(POOL, 2).await.unwrap(), 2);
    assert_eq!(store.delete_users(POOL, 2).await.unwrap(), 1);
    assert_eq!(store.delete_users(POOL, 2).await.unwrap(), 0);
    assert_eq!(store.user_by_login(POOL, "ada", "").await.unwrap(), None);
    assert_eq!(store.user(OTHER, elsewhere.sub).await.unwrap(), Some(elsewhere));
}

pub async fn clients_of_a_pool_are_deleted_together(store: Store) {
    for (id, parent) in [("one", POOL), ("two", POOL), ("three", OTHER)] {
        store.create_document(&paper("client", id, parent)).await.unwrap();
    }
    store.create_document(&paper("keys", POOL, POOL)).await.unwrap();
    assert_eq!(store.delete_clients(POOL).await.unwrap(), 2);
    assert_eq!(store.delete_clients(POOL).await.unwrap(), 0);
    assert!(store.document("client", "three").await.unwrap().is_some());
    assert!(store.document("keys", POOL).await.unwrap().is_some());
}

pub async fn documents_are_deleted_some_at_a_time(store: Store) {
    for (id, parent) in [("1", "one"), ("2", "one"), ("3", "one"), ("4", "two")] {
        store.create_document(&paper("import_part", id, parent)).await.unwrap();
    }
    store.create_document(&paper("import_fault", "1", "one")).await.unwrap();
    assert_eq!(store.delete_documents("import_part", "one", 2).await.unwrap(), 2);
    assert_eq!(store.delete_documents("import_part", "one", 2).await.unwrap(), 1);
    assert_eq!(store.delete_documents("import_part", "one", 2).await.unwrap(), 0);
    assert!(store.document("import_part", "4").await.unwrap().is_some());
    assert!(store.document("import_fault", "1").await.unwrap().is_some());
}

pub async fn a_deleted_pool_leaves_nothing_that_names_it(store: Store) {
    for pool in [POOL, OTHER] {
        store.create_document(&paper("pool", pool, "")).await.unwrap();
        store.create_document(&paper("keys", pool, pool)).await.unwrap();
        store.create_group(&Group { pool: pool.to_owned(), ..group("staff", 1) }).await.unwrap();
    }
    assert!(store.delete_pool(POOL).await.unwrap());
    assert!(!store.delete_pool(POOL).await.unwrap());
    assert_eq!(store.document("pool", POOL).await.unwrap(), None);
    assert_eq!(store.document("keys", POOL).await.unwrap(), None);
    assert_eq!(store.groups(POOL).await.unwrap(), []);
    assert!(store.document("pool", OTHER).await.unwrap().is_some());
    assert_eq!(store.groups(OTHER).await.unwrap().len(), 1);
}
