//! What a presented refresh token is judged by, and what it comes to.

use std::time::Duration;

use super::tokens::Session;
use crate::clock::Timestamp;

/// What the Directory knows of a session's refresh tokens, however much a token store apart from it has forgotten: the
/// newest one that was ever presented. All before it are rotated out, and their successors have reached the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// Its generation.
    pub generation: u64,
    /// When it was first presented.
    pub since: Timestamp,
}

impl Floor {
    /// Nothing is known: the token store is not apart, or no successor was ever presented.
    pub const NONE: Self = Self { generation: 0, since: Timestamp(0) };
}

/// How a client's refresh tokens behave, and below what they are rotated out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRule {
    /// Whether presenting the current token makes a successor current.
    pub rotate: bool,
    /// How long the immediate predecessor yields the same successor again.
    pub grace: Duration,
    /// Refreshes in all; 0 means no limit.
    pub limit: u32,
    /// What the Directory knows.
    pub floor: Floor,
}

/// What presenting a refresh token comes to. A record whose generation is below the floor's has lost writes: the floor's
/// is taken for current, and the later of `rotated_at` and the floor's `since` for `rotated_at`. Judged in this order:
///
/// 1. no record: `Unknown`; `expires_at <= now`, or presented > current (writes were lost, and the Directory does not
///    know better): `Dead`, and the record is deleted.
/// 2. presented == current: `Rotated` when the rule rotates, else `Kept`.
/// 3. presented == current - 1, within `grace` of `rotated_at`, and the record has lost nothing: `Retry`; later
///    `Recovered`, if it is not below the floor, unless `recovered_at` is not 0 and `recovered_at >= current - 1` (a
///    second recovery in a row).
/// 4. otherwise, within `grace` of `rotated_at` `Stale`, later `Reuse`. `Reuse` deletes the record.
///
/// `Rotated`, `Retry`, `Recovered` and `Kept` yield tokens: if `limit > 0 && refreshes >= limit` the answer is
/// `Exhausted` instead and nothing changes; otherwise `refreshes` grows by one. `Rotated` adds one to `generation`
/// and sets `rotated_at = now`; `Recovered` sets `recovered_at = generation` and `rotated_at = now`; `Retry` and
/// `Kept` change nothing else. The session in a verdict is the record after the step: its `generation` is the one
/// to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The token was current; its successor is now.
    Rotated(Session),
    /// The token was current and stays so (rotation is off).
    Kept(Session),
    /// The immediate predecessor inside the window: the same successor again.
    Retry(Session),
    /// The immediate predecessor beyond the window, and its successor was never presented: an answer was lost.
    Recovered(Session),
    /// Two or more behind inside the window: refused, nothing is killed.
    Stale,
    /// A rotated-out token came back: the session is ended.
    Reuse,
    /// The refresh limit is reached.
    Exhausted,
    /// Ended by time or by loss of data.
    Dead,
    /// No such session: never opened, ended, or lost.
    Unknown,
}
