//! What a user signs in with: the name, or the address once it is proven, and never two owners of one.

use cognate::error::Error;
use cognate::store::directory::User;
use uuid::Uuid;

use super::{POOL, Store, user, with_address};

async fn login(store: &Store, text: &str) -> Option<Uuid> {
    store.user_by_login(POOL, &text.to_lowercase(), &text.to_lowercase()).await.unwrap().map(|user| user.sub)
}

async fn is_taken(store: &Store, user: &User) {
    let outcome = store.create_user(user).await;
    assert!(matches!(outcome, Err(Error::UserExists)), "{outcome:?}");
}

pub async fn a_user_is_found_by_name(store: Store) {
    let ada = store.create_user(&user("Ada")).await.unwrap();
    assert_eq!(login(&store, "ada").await, Some(ada.sub));
    assert_eq!(login(&store, "ad").await, None);
}

pub async fn a_user_is_found_by_verified_address_only(store: Store) {
    let ada = store.create_user(&with_address("ada", "Ada@example.org", true)).await.unwrap();
    store.create_user(&with_address("bob", "bob@example.org", false)).await.unwrap();
    assert_eq!(login(&store, "ADA@example.org").await, Some(ada.sub));
    assert_eq!(login(&store, "bob@example.org").await, None);
}

pub async fn a_name_wins_over_an_address(store: Store) {
    // In a pool whose names know upper and lower case, a name and an address may differ in case alone.
    let named = User { username_key: "Ada@Example.org".to_owned(), ..user("Ada@Example.org") };
    let named = store.create_user(&named).await.unwrap();
    let reached = store.create_user(&with_address("bob", "ada@example.org", true)).await.unwrap();
    let by_name = store.user_by_login(POOL, "Ada@Example.org", "ada@example.org").await.unwrap().unwrap();
    assert_eq!(by_name.sub, named.sub);
    let by_address = store.user_by_login(POOL, "ADA@example.org", "ada@example.org").await.unwrap().unwrap();
    assert_eq!(by_address.sub, reached.sub);
}

pub async fn a_name_is_taken_once_in_a_pool(store: Store) {
    store.create_user(&user("ada")).await.unwrap();
    is_taken(&store, &user("ADA")).await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    let renamed = store.update_user(&User { username_key: "ada".to_owned(), ..bob }).await;
    assert!(matches!(renamed, Err(Error::UserExists)), "{renamed:?}");
}

pub async fn a_verified_address_is_taken_once_in_a_pool(store: Store) {
    let ada = store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    is_taken(&store, &with_address("bob", "ADA@example.org", true)).await;
    assert_eq!(login(&store, "ada@example.org").await, Some(ada.sub));
}

pub async fn an_unverified_address_may_be_shared_until_one_proves_it(store: Store) {
    let ada = store.create_user(&with_address("ada", "both@example.org", false)).await.unwrap();
    let bob = store.create_user(&with_address("bob", "both@example.org", false)).await.unwrap();
    store.update_user(&User { email_verified: true, ..bob.clone() }).await.unwrap();
    let late = store.update_user(&User { email_verified: true, ..ada.clone() }).await;
    assert!(matches!(late, Err(Error::UserExists)), "{late:?}");
    assert_eq!(login(&store, "both@example.org").await, Some(bob.sub));
    // The refused write changed nothing.
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada));
}

pub async fn a_name_equal_to_a_verified_address_of_another_is_refused(store: Store) {
    let ada = store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    is_taken(&store, &user("ada@example.org")).await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    let renamed = store.update_user(&User { username_key: "ada@example.org".to_owned(), ..bob }).await;
    assert!(matches!(renamed, Err(Error::UserExists)), "{renamed:?}");
    assert_eq!(login(&store, "ada@example.org").await, Some(ada.sub));
}

pub async fn a_verified_address_equal_to_the_name_of_another_is_refused(store: Store) {
    let named = store.create_user(&user("ada@example.org")).await.unwrap();
    is_taken(&store, &with_address("bob", "ada@example.org", true)).await;
    let eve = store.create_user(&with_address("eve", "ada@example.org", false)).await.unwrap();
    let proven = store.update_user(&User { email_verified: true, ..eve }).await;
    assert!(matches!(proven, Err(Error::UserExists)), "{proven:?}");
    assert_eq!(login(&store, "ada@example.org").await, Some(named.sub));
}

pub async fn a_name_equal_to_the_own_address_is_one_login(store: Store) {
    let ada = store.create_user(&with_address("ada@example.org", "ada@example.org", true)).await.unwrap();
    assert_eq!(login(&store, "ada@example.org").await, Some(ada.sub));
    let moved = User { username: "ada".to_owned(), username_key: "ada".to_owned(), ..ada.clone() };
    store.update_user(&moved).await.unwrap();
    assert_eq!(login(&store, "ada@example.org").await, Some(ada.sub));
    assert_eq!(login(&store, "ada").await, Some(ada.sub));
}

/// Somebody whose pool says which aliases there are.
fn with_aliases(name: &str, aliases: &[&str]) -> User {
    let aliases = Some(aliases.iter().map(|alias| (*alias).to_owned()).collect());
    User { aliases, ..with_address(name, &format!("{name}@example.org"), true) }
}

pub async fn a_user_is_found_by_the_aliases_that_are_kept_with_him_and_by_no_other(store: Store) {
    let ada = store.create_user(&with_aliases("ada", &["+15550100", "countess"])).await.unwrap();
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada.clone()));
    for (name, found) in
        [("ada", Some(ada.sub)), ("+15550100", Some(ada.sub)), ("countess", Some(ada.sub)), ("ada@example.org", None)]
    {
        assert_eq!(login(&store, name).await, found, "{name}");
    }
    let moved = User { aliases: Some(vec!["lovelace".to_owned()]), ..ada.clone() };
    store.update_user(&moved).await.unwrap();
    assert_eq!(login(&store, "countess").await, None);
    assert_eq!(login(&store, "lovelace").await, Some(ada.sub));
}

// K09
pub async fn an_alias_has_one_owner_in_a_pool(store: Store) {
    let ada = store.create_user(&with_aliases("ada", &["countess"])).await.unwrap();
    is_taken(&store, &with_aliases("bob", &["countess"])).await;
    is_taken(&store, &user("countess")).await;
    is_taken(&store, &with_aliases("eve", &["ada"])).await;
    assert_eq!(login(&store, "countess").await, Some(ada.sub));
}

pub async fn a_changed_name_frees_the_old_one(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    store.update_user(&User { username_key: "lovelace".to_owned(), ..ada.clone() }).await.unwrap();
    assert_eq!(login(&store, "ada").await, None);
    assert_eq!(login(&store, "lovelace").await, Some(ada.sub));
    store.create_user(&user("ada")).await.unwrap();
}

pub async fn an_address_no_longer_verified_is_free(store: Store) {
    let ada = store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    store.update_user(&User { email_verified: false, ..ada }).await.unwrap();
    assert_eq!(login(&store, "ada@example.org").await, None);
    store.create_user(&with_address("bob", "ada@example.org", true)).await.unwrap();
}

pub async fn a_refused_creation_leaves_nothing_behind(store: Store) {
    store.create_user(&with_address("ada", "ada@example.org", true)).await.unwrap();
    let refused = with_address("bob", "ada@example.org", true);
    is_taken(&store, &refused).await;
    assert_eq!(store.user(POOL, refused.sub).await.unwrap(), None);
    assert_eq!(login(&store, "bob").await, None);
    store.create_user(&user("bob")).await.unwrap();
}
