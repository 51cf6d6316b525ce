//! The throttle: what passes, what locks, for how long, and what is forgotten.

use std::time::Duration;

use cognate::store::tokens::{Attempt, Throttle};

use super::{Store, at, uuid};

/// Three free attempts, then locks of 1, 2, 4 and 8 s, at most 10 s.
pub const THROTTLE: Throttle = Throttle { free: 3, lock: Duration::from_secs(1), lock_max: Duration::from_secs(10) };

async fn attempt(store: &Store, subject: &str, now: i64) -> Attempt {
    store.count_attempt(subject, &THROTTLE, at(now)).await.unwrap()
}

/// Three attempts at `at(0)`: the subject is locked until `at(1_000)`.
async fn locked(store: &Store) -> String {
    let subject = uuid().to_string();
    for _ in 0..3 {
        assert_eq!(attempt(store, &subject, 0).await, Attempt::Allowed);
    }
    subject
}

pub async fn free_attempts_pass_and_the_last_of_them_locks(store: Store) {
    let subject = locked(&store).await;
    assert_eq!(attempt(&store, &subject, 0).await, Attempt::Locked(at(1_000)));
}

pub async fn an_attempt_that_began_earlier_and_is_counted_later_passes(store: Store) {
    let subject = uuid().to_string();
    assert_eq!(attempt(&store, &subject, 5).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 0).await, Attempt::Allowed);
    store.forgive_attempt(&subject, &THROTTLE, at(9)).await.unwrap();
    store.forgive_attempt(&subject, &THROTTLE, at(9)).await.unwrap();
    assert_eq!(attempt(&store, &subject, 4).await, Attempt::Allowed);
}

// D20
pub async fn a_lock_ends_at_its_instant_and_the_next_is_twice_as_long(store: Store) {
    let subject = locked(&store).await;
    assert_eq!(attempt(&store, &subject, 999).await, Attempt::Locked(at(1_000)));
    assert_eq!(attempt(&store, &subject, 1_000).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 1_000).await, Attempt::Locked(at(3_000)));
    assert_eq!(attempt(&store, &subject, 3_500).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 3_500).await, Attempt::Locked(at(7_500)));
    assert_eq!(attempt(&store, &subject, 7_500).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 7_500).await, Attempt::Locked(at(15_500)));
}

pub async fn no_lock_is_longer_than_the_longest(store: Store) {
    let subject = locked(&store).await;
    for now in [1_000, 3_000, 7_000, 15_000] {
        assert_eq!(attempt(&store, &subject, now).await, Attempt::Allowed);
    }
    assert_eq!(attempt(&store, &subject, 15_001).await, Attempt::Locked(at(25_000)));
}

pub async fn what_is_refused_in_a_lock_is_not_counted(store: Store) {
    let subject = locked(&store).await;
    for _ in 0..20 {
        assert_eq!(attempt(&store, &subject, 500).await, Attempt::Locked(at(1_000)));
    }
    assert_eq!(attempt(&store, &subject, 1_000).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 1_001).await, Attempt::Locked(at(3_000)));
}

pub async fn the_count_starts_again_after_the_longest_lock(store: Store) {
    let subject = locked(&store).await;
    assert_eq!(attempt(&store, &subject, 9_999).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 9_999).await, Attempt::Locked(at(11_999)));
    for _ in 0..3 {
        assert_eq!(attempt(&store, &subject, 19_999).await, Attempt::Allowed);
    }
    assert_eq!(attempt(&store, &subject, 19_999).await, Attempt::Locked(at(20_999)));
}

pub async fn a_throttle_may_lock_with_the_first_attempt(store: Store) {
    let subject = uuid().to_string();
    let strict = Throttle { free: 1, ..THROTTLE };
    assert_eq!(store.count_attempt(&subject, &strict, at(0)).await.unwrap(), Attempt::Allowed);
    assert_eq!(store.count_attempt(&subject, &strict, at(0)).await.unwrap(), Attempt::Locked(at(1_000)));
}

pub async fn cleared_attempts_are_forgotten(store: Store) {
    let subject = locked(&store).await;
    store.clear_attempts(&subject).await.unwrap();
    for _ in 0..3 {
        assert_eq!(attempt(&store, &subject, 0).await, Attempt::Allowed);
    }
    assert_eq!(attempt(&store, &subject, 0).await, Attempt::Locked(at(1_000)));
    store.clear_attempts(&uuid().to_string()).await.unwrap();
}

pub async fn a_forgiven_attempt_was_never_made(store: Store) {
    let subject = uuid().to_string();
    for _ in 0..10 {
        assert_eq!(attempt(&store, &subject, 0).await, Attempt::Allowed);
        store.forgive_attempt(&subject, &THROTTLE, at(0)).await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(attempt(&store, &subject, 0).await, Attempt::Allowed);
    }
    assert_eq!(attempt(&store, &subject, 0).await, Attempt::Locked(at(1_000)));
}

pub async fn forgiving_an_attempt_ends_the_lock_it_began(store: Store) {
    let subject = locked(&store).await;
    assert_eq!(attempt(&store, &subject, 1_000).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 1_000).await, Attempt::Locked(at(3_000)));
    store.forgive_attempt(&subject, &THROTTLE, at(1_100)).await.unwrap();
    // The fourth attempt again, so the second lock again.
    assert_eq!(attempt(&store, &subject, 1_200).await, Attempt::Allowed);
    assert_eq!(attempt(&store, &subject, 1_200).await, Attempt::Locked(at(3_200)));
}

pub async fn forgiving_where_nothing_was_counted_changes_nothing(store: Store) {
    let subject = uuid().to_string();
    store.forgive_attempt(&subject, &THROTTLE, at(0)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(attempt(&store, &subject, 0).await, Attempt::Allowed);
    }
    assert_eq!(attempt(&store, &subject, 0).await, Attempt::Locked(at(1_000)));
}

pub async fn subjects_are_any_text_and_never_mix(store: Store) {
    let stem = uuid().to_string();
    let subjects = [stem.clone(), format!("{stem}:"), format!("{stem}}}{{ü\r\n\0"), stem.repeat(1_000)];
    for subject in &subjects {
        for _ in 0..3 {
            assert_eq!(attempt(&store, subject, 0).await, Attempt::Allowed);
        }
        assert_eq!(attempt(&store, subject, 0).await, Attempt::Locked(at(1_000)));
    }
}
