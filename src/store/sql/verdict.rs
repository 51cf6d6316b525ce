//! What presenting a refresh token comes to, as a pure function of the record: the order is that of [`Verdict`].

use crate::clock::Timestamp;
use crate::store::tokens::{RefreshRule, Session, Verdict};

/// The verdict, and what it does to the record.
pub(super) enum Step {
    /// The record becomes the one in the verdict.
    Write(Verdict),
    /// The record goes.
    Delete(Verdict),
    /// Nothing changes.
    Leave(Verdict),
}

/// Judges `presented` against the record.
pub(super) fn judge(mut session: Session, presented: u64, rule: RefreshRule, now: Timestamp) -> Step {
    let floor = rule.floor;
    let lost = session.generation < floor.generation;
    if lost {
        session.generation = floor.generation;
        session.rotated_at = session.rotated_at.max(floor.since);
    }
    let inside = now <= session.rotated_at.plus(rule.grace);
    let behind = session.generation.checked_sub(presented);
    match behind {
        _ if session.expires_at <= now => Step::Delete(Verdict::Dead),
        // The token is newer than the record: the store lost writes.
        None => Step::Delete(Verdict::Dead),
        Some(0) if rule.rotate => give(session, rule, |mut next| {
            next.generation += 1;
            next.rotated_at = now;
            Verdict::Rotated(next)
        }),
        Some(0) => give(session, rule, Verdict::Kept),
        Some(1) if inside && !lost => give(session, rule, Verdict::Retry),
        Some(1) if !inside && presented >= floor.generation && !recovered_in_a_row(&session) => {
            give(session, rule, |mut next| {
                next.recovered_at = next.generation;
                next.rotated_at = now;
                Verdict::Recovered(next)
            })
        }
        Some(_) if inside => Step::Leave(Verdict::Stale),
        Some(_) => Step::Delete(Verdict::Reuse),
    }
}

/// A thief and the owner, each always one behind, must not ride along for ever.
fn recovered_in_a_row(session: &Session) -> bool {
    session.recovered_at != 0 && session.recovered_at >= session.generation.saturating_sub(1)
}

/// Yields tokens unless the limit is reached.
fn give(mut session: Session, rule: RefreshRule, verdict: impl FnOnce(Session) -> Verdict) -> Step {
    if rule.limit > 0 && session.refreshes >= rule.limit {
        return Step::Leave(Verdict::Exhausted);
    }
    session.refreshes = session.refreshes.saturating_add(1);
    Step::Write(verdict(session))
}
