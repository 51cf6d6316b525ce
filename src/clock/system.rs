//! The clock of the machine, which somebody may set wrong while sessions live by it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;

use super::{Clock, Comparison, Timestamp, millis};

/// As far apart clocks may be. Nobody sets a clock by more who does not mean another day or zone.
const TOLERANCE: Duration = Duration::from_secs(120);

/// The clock of the machine. Once it agreed with the stores' clocks, a jump does not move it: time then goes on from
/// that moment, so that no session expires by a mistake and none lives again. If the stores agree with where it jumped
/// to, it follows. Without another clock there is nobody to ask, and it follows at once.
#[derive(Debug, Default)]
pub struct SystemClock {
    agreed: ArcSwapOption<Agreed>,
}

/// When the clocks agreed last, and the same moment on the clock that nobody sets.
#[derive(Debug)]
struct Agreed {
    at: Timestamp,
    steady: Instant,
}

impl Agreed {
    fn now(&self) -> Timestamp {
        self.at.plus(self.steady.elapsed())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let read = read();
        match self.agreed.load().as_deref().map(Agreed::now) {
            Some(steady) if steady.apart(read) > TOLERANCE => steady,
            Some(_) | None => read,
        }
    }

    fn compare(&self, others: &[Timestamp]) -> Comparison {
        let read = read();
        let Some(off) = others.iter().map(|other| other.apart(read)).min() else { return Comparison::Right };
        if off <= TOLERANCE {
            self.agreed.store(Some(Agreed { at: read, steady: Instant::now() }.into()));
            return Comparison::Right;
        }
        if self.agreed.load().is_some() { Comparison::Bridged(off) } else { Comparison::Wrong(off) }
    }

    fn is_in_doubt(&self) -> bool {
        self.agreed.load().as_deref().is_some_and(|agreed| agreed.now().apart(read()) > TOLERANCE)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn read() -> Timestamp {
    Timestamp(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
}
