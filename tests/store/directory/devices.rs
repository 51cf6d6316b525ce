//! Devices of users: made once, found with their user, bounded in number, and gone with him.

use cognate::error::Error;
use cognate::store::device::Device;
use cognate::store::directory::User;
use uuid::Uuid;

use super::{POOL, Store, all_at_once, at, user, uuid};

const OTHER: &str = "eu-west-1_Conform02";

/// A device of a user, confirmed in a session of its own.
fn device(owner: &User, number: u128) -> Device {
    Device {
        pool: owner.pool.clone(),
        user: owner.sub,
        id: Uuid::from_u128(number),
        client: "1h57kf5cpq17m0eml12EXAMPLE".to_owned(),
        session: uuid(),
        name: Some("Ada's Köfferchen".to_owned()),
        verifier: "sealed".to_owned(),
        remembered: false,
        created_at: at(1),
        updated_at: at(2),
        authenticated_at: at(3),
    }
}

async fn ids(store: &Store, owner: &User) -> Vec<u128> {
    let devices = store.devices(&owner.pool, owner.sub, None, 1_000).await.unwrap();
    devices.iter().map(|device| device.id.as_u128()).collect()
}

async fn is_over(store: &Store, owner: &User, session: Uuid) -> bool {
    store.session_owner(&owner.pool, owner.sub, session).await.unwrap().unwrap().session_ended
}

pub async fn a_device_is_made_once_and_read_back(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let first = Device { remembered: true, ..device(&ada, 1) };
    assert!(store.confirm_device(&first, 9, at(9_000)).await.unwrap());
    let twin = Device { name: None, client: "another".to_owned(), ..first.clone() };
    assert!(!store.confirm_device(&twin, 9, at(9_000)).await.unwrap());
    assert_eq!(store.device(POOL, ada.sub, first.id).await.unwrap(), Some(first));
    let nameless = Device { name: None, ..device(&ada, 2) };
    assert!(store.confirm_device(&nameless, 9, at(9_000)).await.unwrap());
    assert_eq!(store.device(POOL, ada.sub, nameless.id).await.unwrap(), Some(nameless));
    let nobodys = Device { user: uuid(), ..device(&ada, 3) };
    let refused = store.confirm_device(&nobodys, 9, at(9_000)).await;
    assert!(matches!(refused, Err(Error::UserNotFound)), "{refused:?}");
}

pub async fn a_device_is_found_with_its_user_in_his_own_pool_only(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let bob = store.create_user(&user("bob")).await.unwrap();
    let of_ada = device(&ada, 1);
    store.confirm_device(&of_ada, 9, at(9_000)).await.unwrap();
    for (pool, owner) in [(OTHER, ada.sub), (POOL, bob.sub), (POOL, uuid())] {
        assert_eq!(store.device(pool, owner, of_ada.id).await.unwrap(), None);
        assert_eq!(store.devices(pool, owner, None, 9).await.unwrap(), []);
        assert!(!store.remember_device(pool, owner, of_ada.id, true, at(5)).await.unwrap());
        assert!(!store.use_device(pool, owner, of_ada.id, at(5)).await.unwrap());
        assert!(!store.forget_device(pool, owner, of_ada.id, at(9_000)).await.unwrap());
    }
    assert!(!is_over(&store, &ada, of_ada.session).await);
    // Each user has his own of the same id.
    let of_bob = Device { name: None, ..device(&bob, 1) };
    assert!(store.confirm_device(&of_bob, 9, at(9_000)).await.unwrap());
    assert_eq!(store.device(POOL, ada.sub, of_ada.id).await.unwrap(), Some(of_ada));
}

pub async fn pages_of_devices_follow_the_id(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    for number in [3, 1, 5, 2, 4] {
        store.confirm_device(&device(&ada, number), 9, at(9_000)).await.unwrap();
    }
    let page = async |after: Option<u128>, limit| -> Vec<u128> {
        let found = store.devices(POOL, ada.sub, after.map(Uuid::from_u128), limit).await.unwrap();
        found.iter().map(|device| device.id.as_u128()).collect()
    };
    assert_eq!(page(None, 2).await, [1, 2]);
    assert_eq!(page(Some(2), 2).await, [3, 4]);
    assert_eq!(page(Some(4), 2).await, [5]);
    assert_eq!(page(Some(5), 2).await, Vec::<u128>::new());
}

pub async fn a_device_is_remembered_and_used_where_there_is_one(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let first = device(&ada, 1);
    store.confirm_device(&first, 9, at(9_000)).await.unwrap();
    assert!(store.remember_device(POOL, ada.sub, first.id, true, at(20)).await.unwrap());
    assert!(store.use_device(POOL, ada.sub, first.id, at(30)).await.unwrap());
    let changed = Device { remembered: true, updated_at: at(20), authenticated_at: at(30), ..first };
    assert_eq!(store.device(POOL, ada.sub, changed.id).await.unwrap(), Some(changed.clone()));
    assert!(store.remember_device(POOL, ada.sub, changed.id, false, at(40)).await.unwrap());
    assert!(!store.device(POOL, ada.sub, changed.id).await.unwrap().unwrap().remembered);
}

pub async fn a_forgotten_device_is_gone_with_the_session_it_was_offered_to(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let (first, second) = (device(&ada, 1), device(&ada, 2));
    for each in [&first, &second] {
        store.confirm_device(each, 9, at(9_000)).await.unwrap();
    }
    assert!(store.forget_device(POOL, ada.sub, first.id, at(9_000)).await.unwrap());
    assert!(!store.forget_device(POOL, ada.sub, first.id, at(9_000)).await.unwrap());
    assert!(!store.use_device(POOL, ada.sub, first.id, at(50)).await.unwrap());
    assert_eq!(ids(&store, &ada).await, [2]);
    assert!(is_over(&store, &ada, first.session).await);
    assert!(!is_over(&store, &ada, second.session).await);
    assert_eq!(store.purge(at(9_000)).await.unwrap(), 1);
}

pub async fn of_more_devices_than_there_may_be_the_one_used_longest_ago_gives_way(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let mut sessions = Vec::new();
    for (number, used) in [(1, 10), (2, 30), (3, 20)] {
        let made = Device { authenticated_at: at(used), ..device(&ada, number) };
        sessions.push(made.session);
        store.confirm_device(&made, 3, at(9_000)).await.unwrap();
    }
    store.use_device(POOL, ada.sub, Uuid::from_u128(1), at(40)).await.unwrap();
    // The newest stays, whatever the clocks say.
    let newest = Device { authenticated_at: at(0), ..device(&ada, 4) };
    assert!(store.confirm_device(&newest, 3, at(9_000)).await.unwrap());
    assert_eq!(ids(&store, &ada).await, [1, 2, 4]);
    assert!(is_over(&store, &ada, sessions[2]).await);
    assert!(!is_over(&store, &ada, sessions[0]).await && !is_over(&store, &ada, sessions[1]).await);
    // A bound that became smaller is kept from then on.
    assert!(store.confirm_device(&Device { authenticated_at: at(50), ..device(&ada, 5) }, 1, at(9_000)).await.unwrap());
    assert_eq!(ids(&store, &ada).await, [5]);
}

pub async fn a_deleted_user_takes_his_devices_with_him(store: Store) {
    let [ada, bob] = ["ada", "bob"].map(user);
    for owner in [&ada, &bob] {
        store.create_user(owner).await.unwrap();
        store.confirm_device(&device(owner, 1), 9, at(9_000)).await.unwrap();
    }
    assert!(store.delete_user(POOL, ada.sub).await.unwrap());
    assert_eq!(store.delete_users(POOL, 9).await.unwrap(), 1);
    for owner in [&ada, &bob] {
        assert_eq!(store.devices(POOL, owner.sub, None, 9).await.unwrap(), []);
        // Whoever comes after him with the same sub has none.
        store.create_user(owner).await.unwrap();
        assert_eq!(store.device(POOL, owner.sub, Uuid::from_u128(1)).await.unwrap(), None);
    }
}

pub async fn devices_confirmed_at_once_keep_to_the_bound(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let outcomes = all_at_once(20, |number| {
        let (store, device) = (store.clone(), device(&ada, number as u128));
        async move { store.confirm_device(&device, 5, at(9_000)).await }
    })
    .await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(true))), "{outcomes:?}");
    assert_eq!(ids(&store, &ada).await.len(), 5);
}

pub async fn one_of_many_confirms_a_device(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let outcomes = all_at_once(20, |_| {
        let (store, device) = (store.clone(), device(&ada, 1));
        async move { store.confirm_device(&device, 5, at(9_000)).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Ok(true))).count(), 1);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}
