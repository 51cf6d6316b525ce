//! A record that lost writes, judged by what the Directory still knows (R05, R06, R13).

use cognate::store::tokens::{Floor, RefreshRule, Session, Verdict};

use super::{ROTATING, Store, at, opened};

/// The rule where the token of `generation` is known to have been presented first at `since`.
fn above(generation: u64, since: i64) -> RefreshRule {
    RefreshRule { floor: Floor { generation, since: at(since) }, ..ROTATING }
}

pub async fn a_record_below_the_floor_goes_on_from_the_floor(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 4).await;
    let expected = Session { generation: 8, rotated_at: at(90_000), refreshes: 1, ..session };
    let verdict = store.refresh(&key, 7, above(7, 50_000), at(90_000)).await.unwrap();
    assert_eq!(verdict, Verdict::Rotated(expected.clone()));
    assert_eq!(store.session(&key, at(90_000)).await.unwrap(), Some(expected.clone()));
    // Whole again: its own numbers count.
    let expected = Session { refreshes: 2, ..expected };
    assert_eq!(store.refresh(&key, 7, above(7, 50_000), at(100_000)).await.unwrap(), Verdict::Retry(expected.clone()));
    let expected = Session { refreshes: 3, recovered_at: 8, rotated_at: at(100_001), ..expected };
    assert_eq!(store.refresh(&key, 7, above(7, 50_000), at(100_001)).await.unwrap(), Verdict::Recovered(expected));
}

pub async fn without_rotation_a_record_is_raised_to_the_floor(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 4).await;
    let expected = Session { generation: 7, rotated_at: at(50_000), refreshes: 1, ..session };
    let rule = RefreshRule { rotate: false, ..above(7, 50_000) };
    assert_eq!(store.refresh(&key, 7, rule, at(90_000)).await.unwrap(), Verdict::Kept(expected));
}

pub async fn what_a_record_below_the_floor_takes_for_current_is_rotated_out(store: Store) {
    for presented in [3, 4, 5, 6] {
        let (session, key) = opened(&store, |session| session.generation = 4).await;
        assert_eq!(store.refresh(&key, presented, above(7, 50_000), at(60_000)).await.unwrap(), Verdict::Stale);
        assert_eq!(store.session(&key, at(60_000)).await.unwrap(), Some(session));
        assert_eq!(store.refresh(&key, presented, above(7, 50_000), at(60_001)).await.unwrap(), Verdict::Reuse);
        assert_eq!(store.session(&key, at(60_001)).await.unwrap(), None);
    }
}

pub async fn a_predecessor_whose_successor_was_presented_is_not_recovered(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 5).await;
    let expected = Session { refreshes: 1, ..session };
    assert_eq!(store.refresh(&key, 4, above(5, 0), at(10_000)).await.unwrap(), Verdict::Retry(expected));
    assert_eq!(store.refresh(&key, 4, above(5, 0), at(10_001)).await.unwrap(), Verdict::Reuse);
}

pub async fn a_floor_at_the_token_or_below_changes_nothing(store: Store) {
    let (session, key) = opened(&store, |session| session.generation = 5).await;
    let expected = Session { recovered_at: 5, rotated_at: at(20_000), refreshes: 1, ..session };
    assert_eq!(store.refresh(&key, 4, above(4, 0), at(20_000)).await.unwrap(), Verdict::Recovered(expected.clone()));
    let expected = Session { generation: 6, rotated_at: at(40_000), refreshes: 2, ..expected };
    assert_eq!(store.refresh(&key, 5, above(4, 0), at(40_000)).await.unwrap(), Verdict::Rotated(expected.clone()));
    let expected = Session { generation: 7, rotated_at: at(60_000), refreshes: 3, ..expected };
    assert_eq!(store.refresh(&key, 6, above(6, 0), at(60_000)).await.unwrap(), Verdict::Rotated(expected));
    assert_eq!(store.refresh(&key, 4, above(6, 0), at(70_000)).await.unwrap(), Verdict::Stale);
    assert_eq!(store.refresh(&key, 4, above(6, 0), at(70_001)).await.unwrap(), Verdict::Reuse);
}

pub async fn a_token_newer_than_record_and_floor_is_dead(store: Store) {
    let (_, key) = opened(&store, |session| session.generation = 4).await;
    assert_eq!(store.refresh(&key, 6, above(5, 0), at(1)).await.unwrap(), Verdict::Dead);
    assert_eq!(store.refresh(&key, 5, above(5, 0), at(1)).await.unwrap(), Verdict::Unknown);
}

pub async fn a_limit_or_an_expiry_holds_below_the_floor_too(store: Store) {
    let (session, key) = opened(&store, |session| session.refreshes = 3).await;
    let limited = RefreshRule { limit: 3, ..above(7, 0) };
    assert_eq!(store.refresh(&key, 7, limited, at(1)).await.unwrap(), Verdict::Exhausted);
    assert_eq!(store.session(&key, at(1)).await.unwrap(), Some(session));
    assert_eq!(store.refresh(&key, 7, above(7, 0), at(3_600_000)).await.unwrap(), Verdict::Dead);
}
