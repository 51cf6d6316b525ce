//! Every verdict on a presented refresh token and its boundaries, in the order the port judges them.
//! "Within the grace" includes its last millisecond.

use std::time::Duration;

use cognate::store::tokens::{RefreshRule, Session, Verdict};

use super::{ROTATING, Store, at, opened, session};

const FIXED: RefreshRule = RefreshRule { rotate: false, ..ROTATING };

pub async fn presenting_the_current_token_makes_its_successor_current(store: Store) {
    let (session, key) = opened(&store, |_| ()).await;
    let expected = Session { generation: 1, rotated_at: at(5_000), refreshes: 1, ..session };
    let verdict = store.refresh(&key, 0, ROTATING, at(5_000)).await.unwrap();
    assert_eq!(verdict, Verdict::Rotated(expected.clone()));
    assert_eq!(store.session(&key, at(5_000)).await.unwrap(), Some(expected.clone()));
    let expected = Session { generation: 2, rotated_at: at(900_000), refreshes: 2, ..expected };
    assert_eq!(store.refresh(&key, 1, ROTATING, at(900_000)).await.unwrap(), Verdict::Rotated(expected));
}

pub async fn without_rotation_the_current_token_stays(store: Store) {
    let (session, key) = opened(&store, |_| ()).await;
    for refreshes in 1..=3 {
        let expected = Session { refreshes, ..session.clone() };
        assert_eq!(store.refresh(&key, 0, FIXED, at(60_000)).await.unwrap(), Verdict::Kept(expected));
    }
}

pub async fn a_session_nobody_opened_is_unknown(store: Store) {
    let key = session().key();
    assert_eq!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Unknown);
    // Asking leaves no trace.
    assert_eq!(store.session(&key, at(0)).await.unwrap(), None);
}

pub async fn at_its_expiry_a_session_is_dead_then_unknown(store: Store) {
    let (_, key) = opened(&store, |session| session.expires_at = at(60_000)).await;
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(59_999)).await.unwrap(), Verdict::Rotated(_)));
    assert_eq!(store.refresh(&key, 1, ROTATING, at(60_000)).await.unwrap(), Verdict::Dead);
    assert_eq!(store.refresh(&key, 1, ROTATING, at(59_999)).await.unwrap(), Verdict::Unknown);
}

// R13: a store that lost writes must not hand out the same generation twice; here nobody vouches for the token.
pub async fn a_token_newer_than_the_record_is_dead_and_ends_the_session(store: Store) {
    for rule in [ROTATING, FIXED] {
        let (_, key) = opened(&store, |session| session.generation = 4).await;
        assert_eq!(store.refresh(&key, 5, rule, at(1)).await.unwrap(), Verdict::Dead);
        assert_eq!(store.session(&key, at(1)).await.unwrap(), None);
        assert_eq!(store.refresh(&key, 4, rule, at(1)).await.unwrap(), Verdict::Unknown);
    }
}

pub async fn expiry_is_judged_before_reuse(store: Store) {
    let (_, key) = opened(&store, |session| {
        session.generation = 9;
        session.expires_at = at(60_000);
    })
    .await;
    assert_eq!(store.refresh(&key, 2, ROTATING, at(60_000)).await.unwrap(), Verdict::Dead);
}

pub async fn the_predecessor_within_the_grace_yields_the_same_successor_again(store: Store) {
    let (session, key) = opened(&store, |session| {
        session.generation = 5;
        session.rotated_at = at(1_000);
        session.refreshes = 5;
    })
    .await;
    for (refreshes, now) in [(6, at(1_000)), (7, at(6_000)), (8, at(11_000))] {
        let expected = Session { refreshes, ..session.clone() };
        assert_eq!(store.refresh(&key, 4, ROTATING, now).await.unwrap(), Verdict::Retry(expected));
    }
}

pub async fn the_predecessor_beyond_the_grace_is_recovered_once(store: Store) {
    let (session, key) = opened(&store, |session| {
        session.generation = 5;
        session.rotated_at = at(1_000);
    })
    .await;
    let expected = Session { recovered_at: 5, rotated_at: at(11_001), refreshes: 1, ..session };
    assert_eq!(store.refresh(&key, 4, ROTATING, at(11_001)).await.unwrap(), Verdict::Recovered(expected.clone()));
    // Handing it out again opened a new window.
    let expected = Session { refreshes: 2, ..expected };
    assert_eq!(store.refresh(&key, 4, ROTATING, at(21_000)).await.unwrap(), Verdict::Retry(expected.clone()));
    // Its owner goes on from there.
    let expected = Session { generation: 6, rotated_at: at(30_000), refreshes: 3, ..expected };
    assert_eq!(store.refresh(&key, 5, ROTATING, at(30_000)).await.unwrap(), Verdict::Rotated(expected));
}

// A thief and the owner could otherwise ride along for ever, each always one behind.
pub async fn a_second_recovery_in_a_row_is_reuse(store: Store) {
    let (_, key) = opened(&store, |session| session.generation = 5).await;
    assert!(matches!(store.refresh(&key, 4, ROTATING, at(20_000)).await.unwrap(), Verdict::Recovered(_)));
    assert!(matches!(store.refresh(&key, 5, ROTATING, at(40_000)).await.unwrap(), Verdict::Rotated(_)));
    // Current is 6, recovered at 5: recovering 5 now would be the second in a row.
    assert_eq!(store.refresh(&key, 5, ROTATING, at(60_000)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.refresh(&key, 6, ROTATING, at(60_000)).await.unwrap(), Verdict::Unknown);

    // The same token twice beyond the window is a second recovery too.
    let (_, key) = opened(&store, |session| session.generation = 5).await;
    assert!(matches!(store.refresh(&key, 4, ROTATING, at(20_000)).await.unwrap(), Verdict::Recovered(_)));
    assert_eq!(store.refresh(&key, 4, ROTATING, at(40_000)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.session(&key, at(40_000)).await.unwrap(), None);
}

pub async fn a_recovery_after_a_rotation_in_between_is_allowed(store: Store) {
    let (session, key) = opened(&store, |session| {
        session.generation = 7;
        session.recovered_at = 5;
    })
    .await;
    let expected = Session { recovered_at: 7, rotated_at: at(20_000), refreshes: 1, ..session };
    assert_eq!(store.refresh(&key, 6, ROTATING, at(20_000)).await.unwrap(), Verdict::Recovered(expected));
}

pub async fn the_first_token_may_be_recovered(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 1).await;
    let expected = Session { recovered_at: 1, rotated_at: at(20_000), refreshes: 1, ..session };
    assert_eq!(store.refresh(&key, 0, ROTATING, at(20_000)).await.unwrap(), Verdict::Recovered(expected));
}

// C05
pub async fn two_behind_is_stale_within_the_grace_and_reuse_after(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 5).await;
    assert_eq!(store.refresh(&key, 3, ROTATING, at(10_000)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.session(&key, at(10_000)).await.unwrap(), Some(session));
    assert_eq!(store.refresh(&key, 3, ROTATING, at(10_001)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.session(&key, at(10_001)).await.unwrap(), None);
    assert_eq!(store.refresh(&key, 5, ROTATING, at(10_001)).await.unwrap(), Verdict::Unknown);
}

// C06: the order comes from the generation, never from the time.
pub async fn three_rotations_at_once_then_the_first_token_is_stale_and_later_reuse(store: Store) {
    let (_, key) = opened(&store, |_| ()).await;
    for generation in 0..3 {
        let verdict = store.refresh(&key, generation, ROTATING, at(0)).await.unwrap();
        assert!(matches!(verdict, Verdict::Rotated(session) if session.generation == generation + 1));
    }
    assert_eq!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 0, ROTATING, at(10_001)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.refresh(&key, 3, ROTATING, at(10_001)).await.unwrap(), Verdict::Unknown);
}

pub async fn without_grace_the_predecessor_is_retried_in_the_same_millisecond_only(store: Store) {
    let rule = RefreshRule { grace: Duration::ZERO, ..ROTATING };
    let (_, key) = opened(&store, |session| session.generation = 5).await;
    assert!(matches!(store.refresh(&key, 4, rule, at(0)).await.unwrap(), Verdict::Retry(_)));
    assert_eq!(store.refresh(&key, 3, rule, at(0)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 3, rule, at(1)).await.unwrap(), Verdict::Reuse);
    let (_, key) = opened(&store, |session| session.generation = 5).await;
    assert!(matches!(store.refresh(&key, 4, rule, at(1)).await.unwrap(), Verdict::Recovered(_)));
}

pub async fn the_predecessor_is_judged_the_same_when_rotation_was_turned_off(store: Store) {
    let (_, key) = opened(&store, |session| session.generation = 5).await;
    assert!(matches!(store.refresh(&key, 4, FIXED, at(1)).await.unwrap(), Verdict::Retry(_)));
    assert!(matches!(store.refresh(&key, 4, FIXED, at(20_000)).await.unwrap(), Verdict::Recovered(_)));
    assert!(matches!(store.refresh(&key, 5, FIXED, at(20_000)).await.unwrap(), Verdict::Kept(_)));
    assert_eq!(store.refresh(&key, 3, FIXED, at(40_000)).await.unwrap(), Verdict::Reuse);
}

pub async fn the_limit_counts_every_yield_and_changes_nothing_when_reached(store: Store) {
    let limited = RefreshRule { limit: 3, ..ROTATING };
    let (_, key) = opened(&store, |_| ()).await;
    assert!(matches!(store.refresh(&key, 0, limited, at(0)).await.unwrap(), Verdict::Rotated(_)));
    assert!(matches!(store.refresh(&key, 0, limited, at(1)).await.unwrap(), Verdict::Retry(_)));
    assert!(matches!(store.refresh(&key, 0, limited, at(20_000)).await.unwrap(), Verdict::Recovered(_)));
    let before = store.session(&key, at(20_000)).await.unwrap();
    assert!(matches!(&before, Some(session) if session.refreshes == 3 && session.generation == 1));
    for (presented, now) in [(1, at(20_000)), (0, at(20_001))] {
        assert_eq!(store.refresh(&key, presented, limited, now).await.unwrap(), Verdict::Exhausted);
    }
    assert_eq!(
        store.refresh(&key, 1, RefreshRule { rotate: false, ..limited }, at(0)).await.unwrap(),
        Verdict::Exhausted
    );
    assert_eq!(store.session(&key, at(20_000)).await.unwrap(), before);
    // A higher limit lets it go on.
    let raised = RefreshRule { limit: 4, ..ROTATING };
    assert!(matches!(store.refresh(&key, 1, raised, at(20_000)).await.unwrap(), Verdict::Rotated(_)));
}

pub async fn an_exhausted_session_still_ends_on_reuse(store: Store) {
    let limited = RefreshRule { limit: 3, ..ROTATING };
    let (_, key) = opened(&store, |session| {
        session.generation = 3;
        session.refreshes = 3;
    })
    .await;
    assert_eq!(store.refresh(&key, 0, limited, at(0)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 0, limited, at(20_000)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.refresh(&key, 3, limited, at(20_000)).await.unwrap(), Verdict::Unknown);
}

pub async fn a_clock_that_jumps_back_kills_nothing(store: Store) {
    let (_, key) = opened(&store, |session| {
        session.generation = 5;
        session.rotated_at = at(300_000);
    })
    .await;
    assert_eq!(store.refresh(&key, 3, ROTATING, at(0)).await.unwrap(), Verdict::Stale);
    assert!(matches!(store.refresh(&key, 4, ROTATING, at(0)).await.unwrap(), Verdict::Retry(_)));
    assert!(matches!(store.refresh(&key, 5, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}
