//! The life of a pool's signing keys: published before it signs, active, retired but still published until its last
//! token has expired, removed. Pure: the record and the instant decide.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Algorithm, KeyRecord, TokenLife};
use crate::clock::Timestamp;

/// The body of the document of kind `keys`: all keys of a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySetRecord {
    /// The keys, in the order they were added.
    pub keys: Vec<KeyRecord>,
    /// The lives of tokens that may be about.
    #[serde(default)]
    pub lives: Vec<TokenLife>,
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// In the JWKS, does not sign yet.
    Published,
    /// Signs.
    Active,
    /// Signs no more; its tokens still verify.
    Retired,
}

impl Display for KeyState {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retired => "retired",
        })
    }
}

/// When keys follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time a key is published before it signs: at least the max-age of the JWKS.
    pub publish_ahead: Duration,
    /// Age at which a key is followed by a new one.
    pub rotate_after: Duration,
    /// The longest life of an access or id token in the pool.
    pub token_life: Duration,
}

/// What has to be done about a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A new key must be made and added.
    NewKey,
    /// A retired key must stay longer, because tokens now live longer: [`KeySetRecord::extend`].
    Extension,
    /// Keys whose last token has expired must go: [`KeySetRecord::drop_expired`].
    Removal,
}

impl KeySetRecord {
    /// Where the key stands at `now`; `None` for a key that is not in the set.
    pub fn state(&self, kid: &str, now: Timestamp) -> Option<KeyState> {
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        Some(if self.active(now).is_some_and(|active| active.kid == kid) {
            KeyState::Active
        } else if key.active_from > now {
            KeyState::Published
        } else {
            KeyState::Retired
        })
    }

    /// The key that signs at `now`: the latest whose time has come. A machine whose clock is behind the one that
    /// made the first key signs with that key rather than not at all.
    pub fn active(&self, now: Timestamp) -> Option<&KeyRecord> {
        let begun = self.keys.iter().filter(|key| key.active_from <= now);
        begun.max_by_key(|key| order(key)).or_else(|| self.keys.iter().min_by_key(|key| order(key)))
    }

    /// The first thing that has to be done at `now`.
    pub fn due(&self, algorithm: Algorithm, schedule: &Schedule, now: Timestamp) -> Option<Due> {
        let lead = schedule.rotate_after.saturating_sub(schedule.publish_ahead);
        let newest_will_do =
            self.newest().is_some_and(|key| key.algorithm == algorithm && key.active_from.plus(lead) > now);
        if !newest_will_do {
            Some(Due::NewKey)
        } else if self.keys.iter().any(|key| outlived(key, schedule).is_some()) {
            Some(Due::Extension)
        } else {
            self.keys.iter().any(|key| expired(key, now)).then_some(Due::Removal)
        }
    }

    /// Adds a key. The very first signs at once, since nobody can have cached the JWKS before it; a later one when
    /// every cache has seen it. Its predecessor then retires.
    pub fn add(&mut self, mut key: KeyRecord, schedule: &Schedule, now: Timestamp) {
        key.active_from = now;
        if let Some(predecessor) = self.newest_mut() {
            // After the predecessor even if publish_ahead was lowered meanwhile: keys begin in the order they came.
            let after = predecessor.active_from.plus(Duration::from_millis(1));
            key.active_from = now.plus(schedule.publish_ahead).max(after);
            predecessor.retired_at = Some(key.active_from);
            predecessor.expires_at = Some(last_use(key.active_from, schedule));
        }
        self.keys.push(key);
    }

    /// Emergency: `key` signs at once and all others are gone, so every token they signed is refused.
    pub fn replace_all(&mut self, mut key: KeyRecord, now: Timestamp) {
        key.active_from = now;
        self.keys = vec![key];
    }

    /// Keeps retired keys as long as the schedule now asks (never shorter: their tokens are out already). False
    /// when nothing changed.
    pub fn extend(&mut self, schedule: &Schedule) -> bool {
        let mut changed = false;
        for key in &mut self.keys {
            if let Some(needed) = outlived(key, schedule) {
                key.expires_at = Some(needed);
                changed = true;
            }
        }
        changed
    }

    /// Removes the keys whose last token has expired; false when there was none.
    pub fn drop_expired(&mut self, now: Timestamp) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| !expired(key, now));
        self.keys.len() < before
    }

    fn newest(&self) -> Option<&KeyRecord> {
        self.keys.iter().max_by_key(|key| order(key))
    }

    fn newest_mut(&mut self) -> Option<&mut KeyRecord> {
        self.keys.iter_mut().max_by_key(|key| (key.active_from, key.kid.clone()))
    }
}

/// Keys ordered by when they begin; the kid settles ties, so that all replicas agree.
pub(super) fn order(key: &KeyRecord) -> (Timestamp, &str) {
    (key.active_from, &key.kid)
}

/// When a key retired at `retired_at` has no living token left; the margin covers clocks that differ.
fn last_use(retired_at: Timestamp, schedule: &Schedule) -> Timestamp {
    retired_at.plus(schedule.token_life).plus(schedule.publish_ahead)
}

/// The later expiry that a retired key needs, if tokens now live longer than when it retired.
fn outlived(key: &KeyRecord, schedule: &Schedule) -> Option<Timestamp> {
    let needed = last_use(key.retired_at?, schedule);
    (Some(needed) > key.expires_at).then_some(needed)
}

fn expired(key: &KeyRecord, now: Timestamp) -> bool {
    key.expires_at.is_some_and(|at| at <= now)
}
