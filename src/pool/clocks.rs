//! Whether this machine's clock is right, by those of the stores: with a wrong one a replica would end everybody's
//! sessions, and forget too early what must not work again.

use std::time::Duration;

use super::Ports;
use crate::clock::Comparison;
use crate::error::Error;

impl Ports {
    /// Compares the clock with those of the stores that answer. How far it is off when time goes on without it;
    /// `Unavailable` when it was never right.
    pub async fn compare_clocks(&self) -> Result<Option<Duration>, Error> {
        let (directory, tokens) = tokio::join!(self.directory.ping(), self.tokens.ping());
        let told: Vec<_> = [directory, tokens].into_iter().flatten().flatten().collect();
        match self.clock.compare(&told) {
            Comparison::Right => Ok(None),
            Comparison::Bridged(off) => Ok(Some(off)),
            Comparison::Wrong(off) => {
                let text = format!("the clock of this machine and those of the stores differ by {} s", off.as_secs());
                Err(Error::unavailable(text))
            }
        }
    }
}
