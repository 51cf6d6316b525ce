//! The clock of the machine, and what it makes of those of others. (R18)

use std::time::Duration;

use cognate::clock::{Clock as _, Comparison, SystemClock, Timestamp};

const DAYS: Duration = Duration::from_secs(400 * 24 * 3600);

#[test]
fn a_clock_that_agrees_with_anybody_is_right() {
    let clock = SystemClock::default();
    assert_eq!(clock.compare(&[]), Comparison::Right, "there is nobody to ask");
    let now = clock.now();
    assert_eq!(clock.compare(&[now.plus(Duration::from_secs(100))]), Comparison::Right, "clocks are never quite alike");
    assert_eq!(clock.compare(&[now.plus(DAYS), now]), Comparison::Right, "it is the other that is wrong");
    assert!(!clock.is_in_doubt());
}

#[test]
fn a_clock_that_never_agreed_is_wrong_and_one_that_did_goes_on() {
    for others in [|now: Timestamp| now.plus(DAYS), |now: Timestamp| now.minus(DAYS)] {
        let clock = SystemClock::default();
        let Comparison::Wrong(off) = clock.compare(&[others(clock.now())]) else { panic!("it is off by 400 days") };
        assert!(off.abs_diff(DAYS) < Duration::from_secs(60));
        assert_eq!(clock.compare(&[clock.now()]), Comparison::Right);
        let Comparison::Bridged(off) = clock.compare(&[others(clock.now())]) else { panic!("it agreed before") };
        assert!(off.abs_diff(DAYS) < Duration::from_secs(60));
        assert_eq!(clock.compare(&[clock.now()]), Comparison::Right);
    }
}
