//! What every `TokenStore` must do. A backend takes part with one line: `tokens_suite!(name, open)`, where `open`
//! is an expression (it may await; paths start at `crate`) yielding the store and whatever must live as long as it.

use std::sync::Arc;
use std::time::Duration;

use cognate::clock::Timestamp;
use cognate::crypto::Random;
use cognate::store::tokens::{Floor, RefreshRule, Session, SessionKey, TokenStore};
use uuid::Uuid;

pub mod attempts;
pub mod challenges;
pub mod floor;
pub mod races;
pub mod refresh;
pub mod sessions;

/// One test of each kind for one backend.
macro_rules! tokens_suite {
    ($backend:ident, $open:expr) => {
        mod $backend {
            $crate::store::tokens::tokens_suite! { @tests $open;
                sessions::a_new_session_is_found_whole,
                sessions::a_session_of_a_device_is_found_whole_also_after_a_refresh,
                sessions::a_session_nobody_opened_is_not_found,
                sessions::a_session_is_gone_at_its_expiry,
                sessions::an_ended_session_is_gone_for_ever,
                sessions::ending_all_sessions_of_a_user_spares_the_named_one,
                sessions::ending_all_sessions_of_a_user_ends_each_and_touches_no_other_user,
                sessions::sessions_are_listed_latest_sign_in_first_and_only_while_alive,
                sessions::the_same_user_in_another_pool_is_another_user,
                sessions::a_user_may_have_hundreds_of_sessions,
                refresh::presenting_the_current_token_makes_its_successor_current,
                refresh::without_rotation_the_current_token_stays,
                refresh::a_session_nobody_opened_is_unknown,
                refresh::at_its_expiry_a_session_is_dead_then_unknown,
                refresh::a_token_newer_than_the_record_is_dead_and_ends_the_session,
                refresh::expiry_is_judged_before_reuse,
                refresh::the_predecessor_within_the_grace_yields_the_same_successor_again,
                refresh::the_predecessor_beyond_the_grace_is_recovered_once,
                refresh::a_second_recovery_in_a_row_is_reuse,
                refresh::a_recovery_after_a_rotation_in_between_is_allowed,
                refresh::the_first_token_may_be_recovered,
                refresh::two_behind_is_stale_within_the_grace_and_reuse_after,
                refresh::three_rotations_at_once_then_the_first_token_is_stale_and_later_reuse,
                refresh::without_grace_the_predecessor_is_retried_in_the_same_millisecond_only,
                refresh::the_predecessor_is_judged_the_same_when_rotation_was_turned_off,
                refresh::the_limit_counts_every_yield_and_changes_nothing_when_reached,
                refresh::an_exhausted_session_still_ends_on_reuse,
                refresh::a_clock_that_jumps_back_kills_nothing,
                floor::a_record_below_the_floor_goes_on_from_the_floor,
                floor::without_rotation_a_record_is_raised_to_the_floor,
                floor::what_a_record_below_the_floor_takes_for_current_is_rotated_out,
                floor::a_predecessor_whose_successor_was_presented_is_not_recovered,
                floor::a_floor_at_the_token_or_below_changes_nothing,
                floor::a_token_newer_than_record_and_floor_is_dead,
                floor::a_limit_or_an_expiry_holds_below_the_floor_too,
                challenges::a_challenge_is_answered_once,
                challenges::a_wrong_answer_leaves_the_challenge_alive_until_the_last,
                challenges::the_last_attempt_may_be_right,
                challenges::a_new_challenge_replaces_the_old_one,
                challenges::a_challenge_is_gone_at_its_expiry,
                challenges::purposes_never_mix,
                challenges::pools_and_subjects_never_mix,
                challenges::an_attempt_is_counted_and_shows_the_challenge,
                challenges::the_last_attempt_can_still_be_consumed,
                challenges::attempts_and_answers_share_one_count,
                challenges::a_challenge_without_stored_answer_is_never_right,
                challenges::a_payload_is_kept_and_comes_with_every_answer,
                challenges::the_payload_of_an_old_challenge_does_not_shine_through_a_new_one,
                challenges::every_purpose_is_its_own,
                challenges::consuming_takes_it_away_exactly_once,
                challenges::an_expired_challenge_cannot_be_consumed,
                attempts::free_attempts_pass_and_the_last_of_them_locks,
                attempts::an_attempt_that_began_earlier_and_is_counted_later_passes,
                attempts::a_lock_ends_at_its_instant_and_the_next_is_twice_as_long,
                attempts::no_lock_is_longer_than_the_longest,
                attempts::what_is_refused_in_a_lock_is_not_counted,
                attempts::the_count_starts_again_after_the_longest_lock,
                attempts::a_throttle_may_lock_with_the_first_attempt,
                attempts::cleared_attempts_are_forgotten,
                attempts::a_forgiven_attempt_was_never_made,
                attempts::forgiving_an_attempt_ends_the_lock_it_began,
                attempts::forgiving_where_nothing_was_counted_changes_nothing,
                attempts::subjects_are_any_text_and_never_mix,
                races::twenty_at_once_with_one_token_make_one_rotation_and_one_successor,
                races::twenty_at_once_with_one_token_that_the_record_lost_get_one_successor,
                races::a_revoke_racing_refreshes_leaves_nothing_alive,
                races::ending_everything_racing_refreshes_leaves_nothing_alive,
                races::ten_right_answers_at_once_have_one_winner,
                races::ten_consumers_at_once_have_one_winner,
                races::wrong_answers_at_once_never_exceed_the_limit,
                races::sixty_attempts_at_once_pass_only_the_free_ones,
                races::two_sessions_of_a_user_do_not_touch_each_other,
            }
        }
    };
    (@tests $open:expr; $($group:ident :: $name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _alive) = $open;
                $crate::store::tokens::$group::$name(store).await;
            }
        )+
    };
}
pub(crate) use tokens_suite;

/// The store under test.
pub type Store = Arc<dyn TokenStore>;

/// The instant `millis` after an arbitrary fixed one: tests move the time by literal steps.
pub const fn at(millis: i64) -> Timestamp {
    Timestamp(1_800_000_000_000 + millis)
}

/// A random UUID: tests share servers, so each has its own users.
pub fn uuid() -> Uuid {
    Random::default().uuid().unwrap()
}

/// A rotating client with ten seconds of grace and no limit.
pub const ROTATING: RefreshRule =
    RefreshRule { rotate: true, grace: Duration::from_secs(10), limit: 0, floor: Floor::NONE };

/// A session of a new user born at `at(0)` that lives for an hour.
pub fn session() -> Session {
    Session {
        pool: "eu-west-1_Conform01".to_owned(),
        user: uuid(),
        id: uuid(),
        client: "1h57kf5cpq17m0eml12EXAMPLE".to_owned(),
        device: None,
        auth_time: at(0),
        expires_at: at(3_600_000),
        epoch: 3,
        generation: 0,
        rotated_at: at(0),
        recovered_at: 0,
        refreshes: 0,
    }
}

/// A session opened in `store` as it would be after some refreshes.
pub async fn opened(store: &Store, change: impl FnOnce(&mut Session)) -> (Session, SessionKey) {
    let mut session = session();
    change(&mut session);
    store.open_session(&session).await.unwrap();
    let key = session.key();
    (session, key)
}
