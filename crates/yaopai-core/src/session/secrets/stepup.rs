//! A refresh with a code: the platform has vouched anew for the session's identity.

use yaopai_wire::token::SecretHash;

use super::kept::{Current, SteppedUp, Successor};
use super::{Candidate, Refreshed, RequestHash, Secrets, Standing};
use crate::time::Timestamp;

impl Secrets {
    /// A step-up, in one step. The candidate is the confirmed secret at once; every other one stops passing. For
    /// [`STEP_UP_KEPT`](super::STEP_UP_KEPT) the shown one gets the same answer to the same request, and that is all it gets.
    ///
    /// Only the confirmed secret can step up, or a successor, which this confirms. One in its grace can't: whoever holds the
    /// newer one would be logged out by a request that was merely slow. Never [`Refreshed::Theft`]: a code of the session's
    /// own account is no sign of a thief.
    pub fn step_up(
        &mut self,
        shown: &SecretHash,
        request: RequestHash,
        candidate: Candidate,
        now: Timestamp,
    ) -> Refreshed {
        if let Some(answer) = self.answered(shown, request, now) {
            return Refreshed::Answer(answer);
        }
        self.confirm(shown, now);
        let bound = match self.standing(shown, now) {
            Standing::Current { bound } => bound,
            Standing::Unknown => return Refreshed::Unknown,
            Standing::Successor { .. } | Standing::Grace { .. } | Standing::Retired => return Refreshed::Superseded,
        };
        if self.asked_often(shown, now) {
            return Refreshed::TooMany;
        }
        let next = Current { hash: candidate.hash, bound, requests: Vec::new() };
        let old = std::mem::replace(&mut self.current, next);
        for other in std::mem::take(&mut self.successors) {
            self.retire(other.hash, other.bound, now, Vec::new(), Vec::new());
        }
        self.retire(old.hash, old.bound, now, old.requests, Vec::new());
        for retired in self.retired.iter_mut().filter(|r| r.in_grace(now)) {
            retired.cut = true;
            retired.answers.clear();
        }
        let answer = Successor { hash: candidate.hash, bound, sealed: candidate.sealed };
        let handed_out = answer.answer();
        self.stepped_up = Some(SteppedUp { shown: *shown, request, answer, at: now.0 });
        Refreshed::Answer(handed_out)
    }
}

#[cfg(test)]
#[path = "stepup_tests.rs"]
mod tests;
