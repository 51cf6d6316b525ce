//! The newest refresh token of a session that was ever presented (R06, R13).

use cognate::store::tokens::Floor;

use super::{POOL, Store, all_at_once, at, user, uuid};

fn floor(generation: u64, since: i64) -> Floor {
    Floor { generation, since: at(since) }
}

pub async fn a_floor_rises_and_never_falls(store: Store) {
    let session = uuid();
    for (raised, expected) in [
        (floor(3, 10), floor(3, 10)),
        (floor(3, 20), floor(3, 10)),
        (floor(5, 30), floor(5, 30)),
        (floor(4, 40), floor(5, 30)),
        (floor(5, 0), floor(5, 30)),
    ] {
        assert_eq!(store.raise_floor(session, raised, at(10_000)).await.unwrap(), expected);
    }
}

pub async fn a_floor_is_told_with_the_owner_of_its_session(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let (rotating, other) = (uuid(), uuid());
    store.raise_floor(rotating, floor(7, 10), at(10_000)).await.unwrap();
    assert_eq!(store.session_owner(POOL, ada.sub, rotating).await.unwrap().unwrap().floor, floor(7, 10));
    assert_eq!(store.session_owner(POOL, ada.sub, other).await.unwrap().unwrap().floor, Floor::NONE);
}

pub async fn a_floor_is_forgotten_at_its_latest_expiry(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let session = uuid();
    for (generation, expires) in [(1, 2_000), (2, 3_000), (3, 1_000)] {
        store.raise_floor(session, floor(generation, 0), at(expires)).await.unwrap();
    }
    assert_eq!(store.purge(at(2_999)).await.unwrap(), 0);
    assert_eq!(store.session_owner(POOL, ada.sub, session).await.unwrap().unwrap().floor, floor(3, 0));
    assert_eq!(store.purge(at(3_000)).await.unwrap(), 1);
    assert_eq!(store.session_owner(POOL, ada.sub, session).await.unwrap().unwrap().floor, Floor::NONE);
}

pub async fn of_many_floors_raised_at_once_the_highest_stands(store: Store) {
    let session = uuid();
    let raised = all_at_once(20, |number| {
        let (store, wanted) = (store.clone(), floor(u64::try_from(number).unwrap() + 1, 0));
        async move { (wanted, store.raise_floor(session, wanted, at(10_000)).await.unwrap()) }
    })
    .await;
    assert!(raised.iter().all(|(wanted, stands)| stands.generation >= wanted.generation), "{raised:?}");
    assert_eq!(store.raise_floor(session, floor(1, 0), at(10_000)).await.unwrap(), floor(20, 0));
}
