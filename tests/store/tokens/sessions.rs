//! Opening, finding, listing and ending sessions.

use cognate::store::tokens::{Session, Verdict};

use super::{ROTATING, Store, at, opened, session, uuid};

pub async fn a_new_session_is_found_whole(store: Store) {
    let (session, key) = opened(&store, |session| {
        session.epoch = 7;
        session.generation = 41;
        session.rotated_at = at(1_234);
        session.recovered_at = 39;
        session.refreshes = 45;
    })
    .await;
    assert_eq!(store.session(&key, at(1)).await.unwrap(), Some(session));
}

pub async fn a_session_of_a_device_is_found_whole_also_after_a_refresh(store: Store) {
    let (session, key) = opened(&store, |session| session.device = Some(uuid())).await;
    assert_eq!(store.session(&key, at(1)).await.unwrap(), Some(session.clone()));
    assert_eq!(store.sessions_of(&key.pool, key.user, at(1)).await.unwrap(), vec![session.clone()]);
    let verdict = store.refresh(&key, 0, ROTATING, at(5)).await.unwrap();
    let expected = Session { generation: 1, rotated_at: at(5), refreshes: 1, ..session };
    assert_eq!(verdict, Verdict::Rotated(expected.clone()));
    assert_eq!(store.session(&key, at(6)).await.unwrap(), Some(expected));
}

pub async fn a_session_nobody_opened_is_not_found(store: Store) {
    let key = session().key();
    assert_eq!(store.session(&key, at(0)).await.unwrap(), None);
    assert!(!store.end_session(&key).await.unwrap());
    assert_eq!(store.end_sessions_of(&key.pool, key.user, None).await.unwrap(), 0);
    assert_eq!(store.sessions_of(&key.pool, key.user, at(0)).await.unwrap(), Vec::<Session>::new());
}

pub async fn a_session_is_gone_at_its_expiry(store: Store) {
    let (session, key) = opened(&store, |session| session.expires_at = at(60_000)).await;
    assert_eq!(store.session(&key, at(59_999)).await.unwrap(), Some(session));
    assert_eq!(store.session(&key, at(60_000)).await.unwrap(), None);
}

pub async fn an_ended_session_is_gone_for_ever(store: Store) {
    let (_, key) = opened(&store, |_| ()).await;
    assert!(store.end_session(&key).await.unwrap());
    assert_eq!(store.session(&key, at(0)).await.unwrap(), None);
    assert!(!store.end_session(&key).await.unwrap());
}

pub async fn ending_all_sessions_of_a_user_spares_the_named_one(store: Store) {
    let (spared, key) = opened(&store, |_| ()).await;
    let (_, second) = opened(&store, |session| session.user = spared.user).await;
    let (_, third) = opened(&store, |session| session.user = spared.user).await;
    assert_eq!(store.end_sessions_of(&key.pool, key.user, Some(key.id)).await.unwrap(), 2);
    assert_eq!(store.session(&second, at(0)).await.unwrap(), None);
    assert_eq!(store.session(&third, at(0)).await.unwrap(), None);
    assert_eq!(store.session(&key, at(0)).await.unwrap(), Some(spared));
    assert_eq!(store.end_sessions_of(&key.pool, key.user, Some(key.id)).await.unwrap(), 0);
}

pub async fn ending_all_sessions_of_a_user_ends_each_and_touches_no_other_user(store: Store) {
    let (first, key) = opened(&store, |_| ()).await;
    opened(&store, |session| session.user = first.user).await;
    let (other, other_key) = opened(&store, |_| ()).await;
    // A session to spare that is not among them spares nothing.
    assert_eq!(store.end_sessions_of(&key.pool, key.user, Some(uuid())).await.unwrap(), 2);
    assert_eq!(store.sessions_of(&key.pool, key.user, at(0)).await.unwrap(), Vec::<Session>::new());
    assert_eq!(store.session(&other_key, at(0)).await.unwrap(), Some(other));
}

pub async fn sessions_are_listed_latest_sign_in_first_and_only_while_alive(store: Store) {
    let (middle, key) = opened(&store, |session| session.auth_time = at(2_000)).await;
    let of_user = |auth_time, expires_at| {
        move |session: &mut Session| {
            session.user = key.user;
            session.auth_time = at(auth_time);
            session.expires_at = at(expires_at);
        }
    };
    let (last, _) = opened(&store, of_user(3_000, 3_600_000)).await;
    let (first, _) = opened(&store, of_user(1_000, 3_600_000)).await;
    let (short, _) = opened(&store, of_user(4_000, 60_000)).await;
    let pool = "eu-west-1_Conform01";
    let all = store.sessions_of(pool, key.user, at(59_999)).await.unwrap();
    assert_eq!(all, [short, last.clone(), middle.clone(), first.clone()]);
    assert_eq!(store.sessions_of(pool, key.user, at(60_000)).await.unwrap(), [last, middle, first]);
}

pub async fn the_same_user_in_another_pool_is_another_user(store: Store) {
    let (here, key) = opened(&store, |_| ()).await;
    let (there, other) = opened(&store, |session| {
        session.pool = "eu-west-1_Conform02".to_owned();
        session.user = here.user;
        session.id = here.id;
        session.client = "another".to_owned();
    })
    .await;
    assert_eq!(store.end_sessions_of(&key.pool, key.user, None).await.unwrap(), 1);
    assert_eq!(store.session(&other, at(0)).await.unwrap(), Some(there));
}

pub async fn a_user_may_have_hundreds_of_sessions(store: Store) {
    let (first, key) = opened(&store, |_| ()).await;
    for age in 1..300 {
        opened(&store, |session| {
            session.user = first.user;
            session.auth_time = at(age);
        })
        .await;
    }
    let listed = store.sessions_of(&key.pool, key.user, at(1_000)).await.unwrap();
    assert_eq!(listed.len(), 300);
    assert_eq!(listed[0].auth_time, at(299));
    assert_eq!(store.end_sessions_of(&key.pool, key.user, Some(key.id)).await.unwrap(), 299);
    assert_eq!(store.sessions_of(&key.pool, key.user, at(1_000)).await.unwrap(), [first]);
}
