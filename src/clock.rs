//! Time as the program sees it: one port, so that a test can move it and nothing else reads the system clock.

mod system;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use system::SystemClock;

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds since the Unix epoch, rounded down: the NumericDate of RFC 7519 §2.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `duration` later; saturates instead of wrapping.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The instant `duration` earlier; saturates instead of wrapping.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long it is from `now` until this instant; zero when it has passed.
    pub fn until(self, now: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(now.0)).unwrap_or(0))
    }

    /// How far apart the two are, whichever comes first.
    pub fn apart(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

/// `duration` in milliseconds as the stores count them; saturates.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What comparing a clock with those of others came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It agrees with one of them, or there is none.
    Right,
    /// It is this far off, and goes on from the moment when it agreed.
    Bridged(Duration),
    /// It is this far off and never agreed: nothing may be judged by it.
    Wrong(Duration),
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Hears what other clocks say at this moment.
    fn compare(&self, _others: &[Timestamp]) -> Comparison {
        Comparison::Right
    }

    /// Whether it should be compared soon.
    fn is_in_doubt(&self) -> bool {
        false
    }
}
