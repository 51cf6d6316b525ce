//! Former passwords: kept as each gives way, bounded in number, and gone with their user.

use std::collections::HashMap;

use cognate::error::Error;
use cognate::store::directory::User;

use super::{POOL, Store, all_at_once, user, uuid};

const OTHER: &str = "eu-west-1_Conform02";

fn with_password(name: &str, hash: &str) -> User {
    User { password: Some(hash.to_owned()), ..user(name) }
}

async fn former(store: &Store, owner: &User) -> Vec<String> {
    store.former_passwords(&owner.pool, &[owner.sub]).await.unwrap().remove(&owner.sub).unwrap_or_default()
}

pub async fn a_password_that_gives_way_joins_the_former_ones_newest_first(store: Store) {
    let mut ada = store.create_user(&with_password("ada", "0")).await.unwrap();
    let bob = store.create_user(&with_password("bob", "b")).await.unwrap();
    for number in 1..=4 {
        ada.password = Some(number.to_string());
        ada.version = store.replace_password(&ada, 3).await.unwrap();
    }
    let written = store.user(POOL, ada.sub).await.unwrap().unwrap();
    assert_eq!((written.password.as_deref(), written.version), (Some("4"), 5));
    assert_eq!(former(&store, &ada).await, ["3", "2", "1"]);
    let both = store.former_passwords(POOL, &[ada.sub, bob.sub, uuid()]).await.unwrap();
    assert_eq!(both, HashMap::from([(ada.sub, ["3", "2", "1"].map(str::to_owned).to_vec())]));
    assert_eq!(store.former_passwords(OTHER, &[ada.sub]).await.unwrap(), HashMap::new());
    assert_eq!(store.former_passwords(POOL, &[]).await.unwrap(), HashMap::new());
    // An ordinary change leaves them, and one that keeps fewer forgets.
    ada.version = store.update_user(&ada).await.unwrap();
    assert_eq!(former(&store, &ada).await, ["3", "2", "1"]);
    for (most, left) in [(1, vec!["4"]), (0, vec![])] {
        ada.version = store.replace_password(&ada, most).await.unwrap();
        assert_eq!(former(&store, &ada).await, left);
    }
}

pub async fn a_first_password_has_none_before_it(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let first = User { password: Some("1".to_owned()), ..ada };
    store.replace_password(&first, 3).await.unwrap();
    assert_eq!(former(&store, &first).await, Vec::<String>::new());
}

pub async fn a_replacement_of_a_version_that_is_gone_leaves_nothing(store: Store) {
    let ada = store.create_user(&with_password("ada", "1")).await.unwrap();
    let taken = store.create_user(&user("bob")).await.unwrap();
    store.update_user(&ada).await.unwrap();
    assert!(matches!(store.replace_password(&ada, 3).await, Err(Error::Conflict)));
    let now = store.user(POOL, ada.sub).await.unwrap().unwrap();
    let renamed = User { username_key: taken.username_key, password: Some("2".to_owned()), ..now };
    assert!(matches!(store.replace_password(&renamed, 3).await, Err(Error::UserExists)));
    assert!(matches!(store.replace_password(&user("nobody"), 3).await, Err(Error::Conflict)));
    assert_eq!(former(&store, &ada).await, Vec::<String>::new());
}

pub async fn users_come_with_former_passwords_and_take_them_along(store: Store) {
    let hashes = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let ada = User { former_passwords: hashes(["a2", "a1"]), ..with_password("ada", "a3") };
    let bob = User { former_passwords: hashes(["b2", "b1"]), ..with_password("bob", "b3") };
    let made = store.create_users(&[ada.clone(), with_password("cyd", "c1"), bob.clone()]).await.unwrap();
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(former(&store, &ada).await, ["a2", "a1"]);
    assert_eq!(former(&store, &bob).await, ["b2", "b1"]);
    assert!(store.delete_user(POOL, ada.sub).await.unwrap());
    store.create_user(&User { former_passwords: Vec::new(), ..ada.clone() }).await.unwrap();
    assert_eq!(former(&store, &ada).await, Vec::<String>::new());
    assert_eq!(store.trim_former_passwords(POOL, 0, 9).await.unwrap(), 1, "of bob alone");
}

pub async fn former_passwords_are_trimmed_some_users_at_a_time(store: Store) {
    let with = |name: &str, pool: &str, count: usize| User {
        pool: pool.to_owned(),
        former_passwords: (0..count).map(|number| number.to_string()).collect(),
        ..user(name)
    };
    let users = [with("ada", POOL, 5), with("bob", POOL, 4), with("cyd", POOL, 2), with("dan", OTHER, 5)];
    for each in &users {
        store.create_user(each).await.unwrap();
    }
    assert_eq!(store.trim_former_passwords(POOL, 2, 1).await.unwrap(), 1);
    assert_eq!(store.trim_former_passwords(POOL, 2, 1).await.unwrap(), 1);
    assert_eq!(store.trim_former_passwords(POOL, 2, 1).await.unwrap(), 0);
    for each in &users[..3] {
        assert_eq!(former(&store, each).await, ["0", "1"]);
    }
    assert_eq!(store.trim_former_passwords(POOL, 0, 9).await.unwrap(), 3);
    assert_eq!(former(&store, &users[0]).await, Vec::<String>::new());
    assert_eq!(former(&store, &users[3]).await.len(), 5, "he is of another pool");
}

pub async fn of_many_replacements_at_once_one_joins(store: Store) {
    let ada = store.create_user(&with_password("ada", "0")).await.unwrap();
    let outcomes = all_at_once(20, |number| {
        let (store, change) = (store.clone(), User { password: Some(number.to_string()), ..ada.clone() });
        async move { store.replace_password(&change, 9).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(2) | Err(Error::Conflict))), "{outcomes:?}");
    assert_eq!(former(&store, &ada).await, ["0"]);
}
