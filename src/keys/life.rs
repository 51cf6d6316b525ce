//! How long the tokens that are about may live: a client can be shortened, its tokens that are out can not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{KeySetRecord, Schedule};
use crate::clock::Timestamp;

/// A process that still gives a life puts off its end by this much at once: two processes with different settings
/// then write the record once a day, not by turns.
const PUT_OFF: Duration = Duration::from_secs(24 * 3600);

/// A life that the longest-lived access or id tokens of a pool have, or had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLife {
    /// That life.
    pub seconds: u64,
    /// When the last token of that life has expired; none as long as no other life is given to new ones.
    pub until: Option<Timestamp>,
}

impl KeySetRecord {
    /// Notes the life that tokens have at present, and answers the schedule with the longest that any still may have.
    /// True when the record was changed.
    pub fn remember(&mut self, present: Schedule, now: Timestamp) -> (Schedule, bool) {
        let before = self.lives.clone();
        // Other replicas go on giving a life until they have read the change; publish_ahead covers that.
        let gone_at = |seconds| now.plus(Duration::from_secs(seconds)).plus(present.publish_ahead);
        let life = present.token_life.as_secs();
        self.lives.retain(|known| known.until.is_none_or(|until| until > now));
        if !self.lives.iter().any(|known| known.seconds == life) {
            self.lives.push(TokenLife { seconds: life, until: None });
        }
        for known in &mut self.lives {
            match known.until {
                None if known.seconds != life => known.until = Some(gone_at(known.seconds)),
                Some(until) if known.seconds == life && until < gone_at(life) => {
                    known.until = Some(gone_at(life).plus(PUT_OFF));
                }
                None | Some(_) => {}
            }
        }
        let longest = self.lives.iter().map(|known| known.seconds).max().unwrap_or(life);
        (Schedule { token_life: Duration::from_secs(longest), ..present }, self.lives != before)
    }
}
