//! The time that a client puts into its proof.

use std::time::Duration;

use time::PrimitiveDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::clock::{Timestamp, millis};

/// How far a client's clock may be off.
const SLACK: Duration = Duration::from_secs(300);
const FORM: StaticFormatDescription = format_description!(
    "[weekday repr:short] [month repr:short] [day padding:none] [hour]:[minute]:[second] UTC [year]"
);

/// Whether `text` (`Sun Feb 1 00:00:07 UTC 2026`) is now, give or take five minutes.
pub(super) fn is_timely(text: &str, now: Timestamp) -> bool {
    let Ok(time) = PrimitiveDateTime::parse(text, FORM) else { return false };
    let then = time.assume_utc().unix_timestamp().saturating_mul(1000);
    then.abs_diff(now.0) <= millis(SLACK).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    // K02: a proof of long ago, or of a time to come, proves nothing.
    #[test]
    fn a_timestamp_is_good_for_five_minutes_either_way() {
        let now = Timestamp(1_769_904_007_000);
        for text in ["Sun Feb 1 00:00:07 UTC 2026", "Sun Feb 01 00:00:07 UTC 2026", "Sun Feb 1 00:05:07 UTC 2026"] {
            assert!(is_timely(text, now), "{text}");
        }
        assert!(is_timely("Sat Jan 31 23:55:07 UTC 2026", now));
        for text in [
            "Sat Jan 31 23:55:06 UTC 2026",
            "Sun Feb 1 00:05:08 UTC 2026",
            "Sun Feb 1 00:00:07 UTC 2025",
            "Sun Feb 1 00:00:07 CET 2026",
            "Sun Feb 1 00:00:07 2026",
            "So Feb 1 00:00:07 UTC 2026",
            "2026-02-01T00:00:07Z",
            "",
            "Sun Feb 1 00:00:07 UTC 2026 ",
            "Sun Feb 31 00:00:07 UTC 2026",
            "Sun Feb 1 24:00:07 UTC 999999999",
        ] {
            assert!(!is_timely(text, now), "{text}");
        }
        assert!(!is_timely("Sun Feb 1 00:00:07 UTC 2026", Timestamp(i64::MIN)));
    }
}
