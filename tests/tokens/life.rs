//! The life of signing keys by the calendar: published, active, retired, gone; what is due, and what haste, a
//! longer token life or a slow clock change about it.

use std::time::Duration;

use cognate::clock::Timestamp;
use cognate::crypto::Random;
use cognate::keys::{Algorithm, Due, KeyRecord, KeySetRecord, KeyState, Schedule, Signer};

use super::workshop::master;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn schedule() -> Schedule {
    let hours = |count: u64| Duration::from_secs(count * 3600);
    Schedule { publish_ahead: hours(1), rotate_after: hours(10 * 24), token_life: hours(24) }
}

fn key(algorithm: Algorithm) -> KeyRecord {
    let pkcs8 = Signer::generate_pkcs8(algorithm).unwrap();
    KeyRecord::new("pool", algorithm, &pkcs8, &master(), &Random::default(), Timestamp(0)).unwrap()
}

/// Adds a key and answers its kid.
fn add(set: &mut KeySetRecord, now: i64) -> String {
    set.add(key(Algorithm::EdDSA), &schedule(), Timestamp(now));
    set.keys.last().unwrap().kid.clone()
}

fn states(set: &KeySetRecord, kids: &[&str], now: i64) -> Vec<Option<KeyState>> {
    kids.iter().map(|kid| set.state(kid, Timestamp(now))).collect()
}

fn due(set: &KeySetRecord, now: i64) -> Option<Due> {
    set.due(Algorithm::EdDSA, &schedule(), Timestamp(now))
}

#[test]
fn a_key_is_published_then_signs_then_stays_until_its_last_token_has_expired() {
    let mut set = KeySetRecord::default();
    let one = add(&mut set, 0);
    let two = add(&mut set, DAY);
    let at = |now| states(&set, &[&one, &two], now);
    assert_eq!(at(DAY), [Some(KeyState::Active), Some(KeyState::Published)]);
    assert_eq!(at(DAY + HOUR - 1), [Some(KeyState::Active), Some(KeyState::Published)]);
    assert_eq!(at(DAY + HOUR), [Some(KeyState::Retired), Some(KeyState::Active)]);
    // The last token was signed at DAY + HOUR and lives a day; an hour more for clocks that differ.
    assert!(!set.drop_expired(Timestamp(2 * DAY + 2 * HOUR - 1)));
    assert!(set.drop_expired(Timestamp(2 * DAY + 2 * HOUR)));
    assert_eq!(states(&set, &[&one, &two], 2 * DAY + 2 * HOUR), [None, Some(KeyState::Active)]);
}

#[test]
fn a_new_key_is_due_when_there_is_none_and_early_enough_to_be_published_before_the_old_one_is_too_old() {
    let mut set = KeySetRecord::default();
    assert_eq!(due(&set, 0), Some(Due::NewKey));
    add(&mut set, 0);
    assert_eq!(due(&set, 10 * DAY - HOUR - 1), None);
    assert_eq!(due(&set, 10 * DAY - HOUR), Some(Due::NewKey));
    add(&mut set, 10 * DAY - HOUR);
    assert_eq!(due(&set, 10 * DAY - HOUR), None);
    assert_eq!(due(&set, 11 * DAY + HOUR), Some(Due::Removal));
    assert!(set.drop_expired(Timestamp(11 * DAY + HOUR)));
    assert_eq!(due(&set, 11 * DAY + HOUR), None);
}

#[test]
fn a_pool_that_changes_its_algorithm_gets_one_new_key() {
    let mut set = KeySetRecord::default();
    add(&mut set, 0);
    let to_es256 = |set: &KeySetRecord| set.due(Algorithm::ES256, &schedule(), Timestamp(DAY));
    assert_eq!(to_es256(&set), Some(Due::NewKey));
    set.add(key(Algorithm::ES256), &schedule(), Timestamp(DAY));
    assert_eq!(to_es256(&set), None);
    assert_eq!(set.active(Timestamp(DAY)).unwrap().algorithm, Algorithm::EdDSA);
    assert_eq!(set.active(Timestamp(DAY + HOUR)).unwrap().algorithm, Algorithm::ES256);
}

#[test]
fn in_an_emergency_all_other_keys_are_gone_and_the_new_one_signs_at_once() {
    let mut set = KeySetRecord::default();
    let (one, two) = (add(&mut set, 0), add(&mut set, DAY));
    set.replace_all(key(Algorithm::EdDSA), Timestamp(DAY + 1));
    let new = set.keys[0].kid.clone();
    assert_eq!(states(&set, &[&one, &two, &new], DAY + 1), [None, None, Some(KeyState::Active)]);
}

#[test]
fn keys_added_in_haste_begin_in_the_order_they_came() {
    let mut set = KeySetRecord::default();
    let kids = [add(&mut set, 0), add(&mut set, 5), add(&mut set, 5)];
    let begins: Vec<_> = set.keys.iter().map(|key| key.active_from.0).collect();
    assert_eq!(begins, [0, HOUR + 5, HOUR + 6]);
    assert_eq!(set.active(Timestamp(HOUR + 6)).unwrap().kid, kids[2]);
}

#[test]
fn a_retired_key_stays_longer_when_tokens_come_to_live_longer() {
    let mut set = KeySetRecord::default();
    let (one, _) = (add(&mut set, 0), add(&mut set, DAY));
    let longer = Schedule { token_life: Duration::from_secs(3 * 24 * 3600), ..schedule() };
    assert_eq!(set.due(Algorithm::EdDSA, &longer, Timestamp(DAY)), Some(Due::Extension));
    assert!(set.extend(&longer) && !set.extend(&longer) && !set.extend(&schedule()));
    assert!(!set.drop_expired(Timestamp(3 * DAY)));
    assert_eq!(set.state(&one, Timestamp(3 * DAY)), Some(KeyState::Retired));
    assert!(set.drop_expired(Timestamp(4 * DAY + 2 * HOUR)));
}

// R18
#[test]
fn a_machine_whose_clock_is_behind_signs_with_the_first_key() {
    let mut set = KeySetRecord::default();
    let one = add(&mut set, DAY);
    assert_eq!(set.active(Timestamp(DAY - 5 * MINUTE)).unwrap().kid, one);
    assert_eq!(set.state(&one, Timestamp(DAY - 5 * MINUTE)), Some(KeyState::Active));
}

/// What is remembered after it was seen at `now` that tokens live `hours`: the longest life, in hours, and whether the
/// record was changed.
fn seen(set: &mut KeySetRecord, hours: u64, now: i64) -> (u64, bool) {
    let present = Schedule { token_life: Duration::from_secs(hours * 3600), ..schedule() };
    let (longest, changed) = set.remember(present, Timestamp(now));
    (longest.token_life.as_secs() / 3600, changed)
}

#[test]
fn a_life_that_was_shortened_is_remembered_until_its_last_token_has_expired() {
    let mut set = KeySetRecord::default();
    assert_eq!(seen(&mut set, 24, 0), (24, true));
    assert_eq!(seen(&mut set, 24, DAY), (24, false));
    assert_eq!(seen(&mut set, 168, 2 * DAY), (168, true));
    assert_eq!(seen(&mut set, 168, 3 * DAY), (168, false), "nothing is written while nothing changes");
    assert_eq!(seen(&mut set, 168, 9 * DAY), (168, true), "the day is forgotten");
    // Shortened twice: the last token of three days outlives those of seven.
    assert_eq!(seen(&mut set, 72, 10 * DAY), (168, true));
    assert_eq!(seen(&mut set, 24, 16 * DAY), (168, true));
    // Seven days after the tenth, and an hour for replicas that came later.
    assert_eq!(seen(&mut set, 24, 17 * DAY + HOUR - 1), (168, false));
    assert_eq!(seen(&mut set, 24, 17 * DAY + HOUR), (72, true));
    assert_eq!(seen(&mut set, 24, 19 * DAY + HOUR - 1), (72, false));
    assert_eq!(seen(&mut set, 24, 19 * DAY + HOUR), (24, true));
}

#[test]
fn two_processes_with_different_settings_do_not_write_by_turns() {
    let mut set = KeySetRecord::default();
    let mut writes = 0;
    for hour in 0..240 {
        for life in [168, 24] {
            let (longest, changed) = seen(&mut set, life, hour * HOUR);
            assert_eq!(longest, 168);
            writes += i32::from(changed);
        }
    }
    assert!(writes <= 24, "{writes} writes in ten days");
    assert_eq!(seen(&mut set, 24, (240 + 168 + 26) * HOUR), (24, true), "and it is forgotten when nobody gives it");
}

#[test]
fn a_life_that_is_given_again_ends_the_one_between() {
    let mut set = KeySetRecord::default();
    for (life, now, longest) in [(24, 0, 24), (168, 0, 168), (24, 0, 168), (24, 7 * DAY + HOUR - 1, 168)] {
        assert_eq!(seen(&mut set, life, now).0, longest, "{life} at {now}");
    }
    assert_eq!(seen(&mut set, 24, 7 * DAY + HOUR), (24, true));
}
