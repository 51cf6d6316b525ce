//! Users: made, read, changed, deleted, paged.

use cognate::error::Error;
use cognate::store::directory::{User, UserStatus};

use super::{POOL, Store, at, group, user, uuid, with_address};

/// A user with a value in every field.
fn full() -> User {
    User {
        username: "Ada Łovelace".to_owned(),
        phone: Some("+15550100".to_owned()),
        phone_verified: true,
        attributes: [("name".to_owned(), "Ada \"L\"".to_owned()), ("custom:x".to_owned(), String::new())].into(),
        status: UserStatus::ForceChangePassword,
        enabled: false,
        password: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
        temporary_until: Some(at(1)),
        session_epoch: i64::MAX,
        spared_session: Some(uuid()),
        external_id: Some("0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned()),
        client_secret: Some("a MAC".to_owned()),
        api_key: Some("a nonce".to_owned()),
        created_at: at(2),
        updated_at: at(3),
        ..with_address("ada", "Ada@Example.org", true)
    }
}

pub async fn a_new_user_is_read_back_whole(store: Store) {
    let wanted = full();
    let made = store.create_user(&wanted).await.unwrap();
    assert_eq!(made.version, 1);
    assert_eq!(made, User { id: made.id, version: 1, ..wanted });
    assert_eq!(store.user(POOL, made.sub).await.unwrap(), Some(made));
}

pub async fn ids_grow_and_are_never_given_twice(store: Store) {
    let first = store.create_user(&user("ada")).await.unwrap();
    let second = store.create_user(&user("bob")).await.unwrap();
    assert!(second.id > first.id);
    store.delete_user(POOL, second.sub).await.unwrap();
    let third = store.create_user(&user("eve")).await.unwrap();
    assert!(third.id > second.id);
}

pub async fn a_user_is_found_in_his_own_pool_only(store: Store) {
    let ada = store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    let other = "eu-west-1_Another01";
    assert_eq!(store.user(other, ada.sub).await.unwrap(), None);
    assert_eq!(store.user_by_login(other, "ada", "ada@example.org").await.unwrap(), None);
    assert!(!store.delete_user(other, ada.sub).await.unwrap());
    let twin = User { pool: other.to_owned(), ..with_address("ada", "ada@example.org", true) };
    store.create_user(&twin).await.unwrap();
}

pub async fn a_user_is_found_by_id_in_his_own_pool_only(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let ada = store.create_user(&User { groups: vec!["staff".to_owned()], ..full() }).await.unwrap();
    assert_eq!(store.user_by_id(POOL, ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.user_by_id("eu-west-1_Another01", ada.id).await.unwrap(), None);
    for absent in [0, -1, ada.id + 1, i64::MAX] {
        assert_eq!(store.user_by_id(POOL, absent).await.unwrap(), None);
    }
}

pub async fn an_update_writes_all_fields_and_raises_the_version(store: Store) {
    let made = store.create_user(&user("bob")).await.unwrap();
    let wanted = User { id: made.id, sub: made.sub, version: 1, created_at: made.created_at, ..full() };
    assert_eq!(store.update_user(&wanted).await.unwrap(), 2);
    assert_eq!(store.user(POOL, made.sub).await.unwrap(), Some(User { version: 2, ..wanted }));
}

pub async fn an_update_of_a_version_that_is_gone_is_a_conflict(store: Store) {
    let made = store.create_user(&user("ada")).await.unwrap();
    store.update_user(&User { enabled: false, ..made.clone() }).await.unwrap();
    let late = store.update_user(&User { enabled: true, ..made.clone() }).await;
    assert!(matches!(late, Err(Error::Conflict)), "{late:?}");
    assert!(!store.user(POOL, made.sub).await.unwrap().unwrap().enabled);
    let absent = store.update_user(&User { version: 1, ..user("eve") }).await;
    assert!(matches!(absent, Err(Error::Conflict)), "{absent:?}");
}

pub async fn an_update_changes_neither_groups_nor_birthday(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let made = store.create_user(&User { groups: vec!["staff".to_owned()], ..user("ada") }).await.unwrap();
    let changed = User { id: 99, groups: Vec::new(), created_at: at(9), updated_at: at(9), ..made.clone() };
    store.update_user(&changed).await.unwrap();
    let read = store.user(POOL, made.sub).await.unwrap().unwrap();
    assert_eq!((read.id, read.created_at, read.updated_at), (made.id, at(0), at(9)));
    assert_eq!(read.groups, ["staff"]);
}

pub async fn a_deleted_user_is_gone_with_logins_and_memberships(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let ada = User { groups: vec!["staff".to_owned()], ..with_address("ada", "ada@example.org", true) };
    let made = store.create_user(&ada).await.unwrap();
    assert!(store.delete_user(POOL, made.sub).await.unwrap());
    assert!(!store.delete_user(POOL, made.sub).await.unwrap());
    assert_eq!(store.user(POOL, made.sub).await.unwrap(), None);
    assert_eq!(store.user_by_login(POOL, "ada", "ada@example.org").await.unwrap(), None);
    let again = store.create_user(&User { groups: Vec::new(), ..ada }).await.unwrap();
    assert!(again.groups.is_empty());
}

pub async fn pages_follow_the_id_and_keep_to_the_pool(store: Store) {
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(store.create_user(&user(&format!("user{number}"))).await.unwrap().id);
    }
    let stranger = User { pool: "eu-west-1_Another01".to_owned(), ..user("eve") };
    store.create_user(&stranger).await.unwrap();
    let page = async |after, limit| -> Vec<i64> {
        store.users(POOL, after, limit).await.unwrap().iter().map(|user| user.id).collect()
    };
    assert_eq!(page(0, 2).await, ids[..2]);
    assert_eq!(page(ids[1], 2).await, ids[2..4]);
    assert_eq!(page(ids[3], 2).await, ids[4..]);
    assert_eq!(page(ids[4], 2).await, Vec::<i64>::new());
    assert_eq!(page(0, 0).await, Vec::<i64>::new());
}

pub async fn a_sub_is_given_once_in_a_pool(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let twin = store.create_user(&User { sub: ada.sub, ..user("bob") }).await;
    assert!(matches!(twin, Err(Error::UserExists)), "{twin:?}");
    assert_eq!(store.user(POOL, ada.sub).await.unwrap().unwrap().username, "ada");
}

// D11: text is data.
pub async fn text_is_kept_as_it_is(store: Store) {
    for name in ["'; DROP TABLE users; --", "%", "_", "a\\'b", "🦀 ﬁ ß", "$1", "a\r\nb"] {
        let made = store.create_user(&user(name)).await.unwrap();
        let found = store.user_by_login(POOL, &name.to_lowercase(), "").await.unwrap();
        assert_eq!(found, Some(made), "{name}");
    }
}

pub async fn more_users_than_one_statement_makes_are_all_made_and_answered_whole(store: Store) {
    for (name, precedence) in [("second", 2), ("first", 1)] {
        store.create_group(&group(name, precedence)).await.unwrap();
    }
    let mut wanted: Vec<User> = (0..121).map(|number| user(&format!("user{number:03}"))).collect();
    wanted[7] = User { groups: vec!["second".to_owned(), "first".to_owned()], ..wanted[7].clone() };
    wanted[70] = user("user069");
    let made = store.create_users(&wanted).await.unwrap();
    assert!(matches!(made[70], Err(Error::UserExists)));
    let made: Vec<User> = made.into_iter().flatten().collect();
    assert_eq!(made[7].groups, ["first", "second"]);
    assert_eq!(store.users(POOL, 0, 200).await.unwrap(), made);
    assert_eq!(made.len(), 120);
}

pub async fn users_made_together_are_each_made_or_refused_for_themselves(store: Store) {
    store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    let wanted = [
        user("bob"),
        user("ada"),
        with_address("eve", "ada@example.org", true),
        User { groups: vec!["nobody".to_owned()], ..user("mallory") },
        user("bob"),
        user("carol"),
    ];
    let made = store.create_users(&wanted).await.unwrap();
    let words: Vec<_> = made.iter().map(|made| made.as_ref().map_or_else(Error::label, |_| "made")).collect();
    assert_eq!(words, ["made", "user_exists", "user_exists", "not_found", "user_exists", "made"]);
    assert_eq!(made[5].as_ref().unwrap().sub, wanted[5].sub);
    let names: Vec<_> = store.users(POOL, 0, 10).await.unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(names, ["ada", "bob", "carol"], "what was refused left nothing behind");
    store.create_user(&user("mallory")).await.unwrap();
    assert!(store.create_users(&[]).await.unwrap().is_empty());
}
