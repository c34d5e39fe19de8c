//! The secrets of one session: how a refresh recovers a lost answer and tells theft, in one step.
//!
//! ```text
//! refresh with C, request r1 ─► successor S1 ┐   first request with S1 confirms it:
//! refresh with C, request r2 ─► successor S2 ┤   S1 becomes current; C and S2 are retired.
//! C passes until then                        ┘   They pass 30 s more, then are superseded.
//! ```
//!
//! * The same request gets the same successor, so a lost answer is only asked for again.
//! * A retired secret that refreshes after its 30 s under a new request is theft: an honest client that asks anew holds the
//!   newer secret, because confirming it needed the newer secret.
//! * A step-up replaces the secret at once and without grace: the platform has vouched anew, and who merely holds a copy is
//!   to gain nothing by it (`stepup.rs`).
//! * Each secret says whether it may act as the user. A bind hands out a new secret that may; the old one, which somebody
//!   may have copied before, never rises by it.

mod kept;
mod keyed;
mod stepup;

use std::time::Duration;

use kept::{Asked, Current, Older, Retired, SteppedUp, Successor};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yaopai_wire::token::SecretHash;

use crate::time::Timestamp;

/// How long a retired secret passes.
pub const GRACE: Duration = Duration::from_secs(30);
/// How long the secret that a step-up replaced may repeat that very request, and do nothing else.
pub const STEP_UP_KEPT: Duration = Duration::from_secs(60);
/// How many successors there may be at a time of each rank (may act as the user, or not); after that, the last again. Apart
/// by rank, because none may be taken back to make room: its holder may have stored it as the only token it has.
const SUCCESSORS_MAX: usize = 4;
/// How many requests a secret remembers. Beyond it a refresh is refused (429), because a request that was not remembered
/// could later be taken for theft.
const REQUESTS_MAX: usize = 32;
/// How many retired secrets are kept whole; of older ones only what tells theft from a request that is very late.
const RETIRED_MAX: usize = 8;
/// How many secrets may be in their grace at a time. Beyond it a refresh is refused (429), because none may leave its grace
/// early: its holder would be taken for a thief.
const GRACES_MAX: usize = 64;
/// How many of the older ones: three weeks of refreshing every 20 minutes, longer than any session should live.
const OLDER_MAX: usize = 1536;
/// How many request tags the older ones keep in all, so that who asks often with every secret can't blow up the row. The
/// oldest lose theirs first. An honest client asks about once with each: more than a week of refreshing every 20 minutes.
const OLDER_TAGS_MAX: usize = 768;

/// A hash of a client's `request_id`, apart by kind of call: a refresh's id says nothing to a bind.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHash(#[serde(with = "hex::serde")] pub [u8; 16]);

impl RequestHash {
    /// `kind` names the call.
    pub fn new(kind: &str, request_id: &str) -> Self {
        let full = Sha256::new().chain_update(kind).chain_update([0]).chain_update(request_id).finalize();
        let mut half = [0u8; 16];
        half.copy_from_slice(&full[..16]);
        Self(half)
    }
}

impl std::fmt::Debug for RequestHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestHash(…)")
    }
}

/// A new secret that the caller minted, to be used if the rule wants one.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its hash.
    pub hash: SecretHash,
    /// The secret sealed, to be handed out again to the same request.
    pub sealed: Vec<u8>,
}

/// What is handed out: a sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The secret sealed.
    pub sealed: Vec<u8>,
    /// Its hash, part of the seal's additional data.
    pub hash: SecretHash,
    /// May it act as the user?
    pub bound: bool,
}

/// What a shown secret is to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The confirmed one.
    Current {
        /// May act as the user.
        bound: bool,
    },
    /// Handed out, not used yet: its first use confirms it.
    Successor {
        /// May act as the user.
        bound: bool,
    },
    /// Retired, and passes for some seconds more.
    Grace {
        /// May act as the user.
        bound: bool,
    },
    /// Retired for good.
    Retired,
    /// Never one of this session's.
    Unknown,
}

/// How a refresh ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// Here is the secret: new, or the one that this request was given before.
    Answer(Answer),
    /// Retired, and nothing is known against it: the holder has a newer one.
    Superseded,
    /// A retired secret under a new request: the session must end.
    Theft,
    /// Too many different requests with one secret.
    TooMany,
    /// Never one of this session's: nothing changes.
    Unknown,
}

/// All secrets of one session that still mean something. A store keeps it as JSON; hashes only, and sealed answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Secrets {
    current: Current,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    successors: Vec<Successor>,
    /// Newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retired: Vec<Retired>,
    /// Newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    older: Vec<Older>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stepped_up: Option<SteppedUp>,
    /// The back end raised them in place, and the client has not read that yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    risen: bool,
}

impl Secrets {
    /// A login's first secret. It needs no confirming: there is no older one to fall back to.
    pub fn new(first: SecretHash, bound: bool) -> Self {
        Self {
            current: Current { hash: first, bound, requests: Vec::new() },
            successors: Vec::new(),
            retired: Vec::new(),
            older: Vec::new(),
            stepped_up: None,
            risen: false,
        }
    }

    /// The confirmed secret's hash.
    pub fn current(&self) -> SecretHash {
        self.current.hash
    }

    /// May the confirmed secret act as the user?
    pub fn current_bound(&self) -> bool {
        self.current.bound
    }

    /// What a shown secret is to this session.
    pub fn standing(&self, shown: &SecretHash, now: Timestamp) -> Standing {
        if self.current.hash.matches(shown) {
            return Standing::Current { bound: self.current.bound };
        }
        if let Some(s) = self.successors.iter().find(|s| s.hash.matches(shown)) {
            return Standing::Successor { bound: s.bound };
        }
        if let Some(r) = self.retired.iter().find(|r| r.hash.matches(shown)) {
            return if r.in_grace(now) { Standing::Grace { bound: r.bound } } else { Standing::Retired };
        }
        if self.older.iter().any(|o| o.is(shown)) { Standing::Retired } else { Standing::Unknown }
    }

    /// Until when a retired secret passes, or passed. `None` for any other, and for one that retired long ago.
    pub fn grace_ends(&self, shown: &SecretHash) -> Option<Timestamp> {
        self.retired.iter().find(|r| r.hash.matches(shown)).map(|r| Timestamp(r.at) + GRACE)
    }

    /// The first use of a successor: it becomes current, the others and the old one are retired. True if anything changed.
    pub fn confirm(&mut self, shown: &SecretHash, now: Timestamp) -> bool {
        let Some(at) = self.successors.iter().position(|s| s.hash.matches(shown)) else { return false };
        self.trim(now);
        let chosen = self.successors.remove(at);
        let others = std::mem::take(&mut self.successors);
        let next = Current { hash: chosen.hash, bound: chosen.bound, requests: Vec::new() };
        let old = std::mem::replace(&mut self.current, next);
        for other in &others {
            self.retire(other.hash, other.bound, now, Vec::new(), Vec::new());
        }
        let mut answers = others;
        answers.push(chosen);
        self.retire(old.hash, old.bound, now, old.requests, answers);
        true
    }

    /// The secret that this request was given before, if it still may be handed out.
    pub fn answered(&self, shown: &SecretHash, request: RequestHash, now: Timestamp) -> Option<Answer> {
        if let Some(s) =
            self.stepped_up.as_ref().filter(|s| s.kept(now) && s.request == request && s.shown.matches(shown))
        {
            return Some(s.answer.answer());
        }
        let (requests, answers) = if self.current.hash.matches(shown) {
            (&self.current.requests, &self.successors)
        } else {
            let r = self.retired.iter().find(|r| r.hash.matches(shown) && r.in_grace(now))?;
            (&r.requests, &r.answers)
        };
        let asked = requests.iter().find(|a| a.request == request)?;
        answers.iter().find(|s| s.hash == asked.answer).map(Successor::answer)
    }

    /// A refresh with a secret, in one step. The first use of a successor confirms it here too.
    pub fn refresh(
        &mut self,
        shown: &SecretHash,
        request: RequestHash,
        candidate: Candidate,
        now: Timestamp,
    ) -> Refreshed {
        self.confirm(shown, now);
        if let Some(answer) = self.answered(shown, request, now) {
            return Refreshed::Answer(answer);
        }
        let bound = match self.standing(shown, now) {
            Standing::Current { bound } | Standing::Grace { bound } | Standing::Successor { bound } => bound,
            Standing::Retired => {
                // One whose grace was cut off may still be on its way.
                let known = self.retired.iter().any(|r| r.hash.matches(shown) && (r.recent(now) || r.asked(request)))
                    || self.older.iter().any(|o| o.is(shown) && o.asked(request));
                return if known { Refreshed::Superseded } else { Refreshed::Theft };
            }
            Standing::Unknown => return Refreshed::Unknown,
        };
        if self.asked_often(shown, now) {
            return Refreshed::TooMany;
        }
        // Of the holder's own rank: an unbound secret never yields one that may act as the user.
        let successor = self.succeed(candidate, bound);
        self.remember(shown, request, successor)
    }

    /// A bind's new secret, which may act as the user.
    pub fn rise(
        &mut self,
        shown: &SecretHash,
        request: RequestHash,
        candidate: Candidate,
        now: Timestamp,
    ) -> Refreshed {
        self.confirm(shown, now);
        if let Some(answer) = self.answered(shown, request, now) {
            return Refreshed::Answer(answer);
        }
        match self.standing(shown, now) {
            Standing::Retired => return Refreshed::Superseded,
            Standing::Unknown => return Refreshed::Unknown,
            _ if self.asked_often(shown, now) => return Refreshed::TooMany,
            _ => {}
        }
        let successor = self.succeed(candidate, true);
        self.remember(shown, request, successor)
    }

    /// The session goes to another user: no secret that it has had so far, copied or not, acts as that one.
    pub fn leave_user(&mut self) {
        self.risen = false;
        self.current.bound = false;
        self.successors.iter_mut().for_each(|s| s.bound = false);
        for r in &mut self.retired {
            r.bound = false;
            r.answers.iter_mut().for_each(|s| s.bound = false);
        }
        self.stepped_up.iter_mut().for_each(|s| s.answer.bound = false);
    }

    /// The back end bound the session by itself: every secret rises in place.
    pub fn rise_in_place(&mut self) {
        self.risen = true;
        self.current.bound = true;
        self.successors.iter_mut().for_each(|s| s.bound = true);
        for r in &mut self.retired {
            r.bound = true;
            r.answers.iter_mut().for_each(|s| s.bound = true);
        }
        self.stepped_up.iter_mut().for_each(|s| s.answer.bound = true);
    }

    /// Did they rise in place without the client's having read it?
    pub fn risen(&self) -> bool {
        self.risen
    }

    /// The client has read it. True if anything changed.
    pub fn read(&mut self) -> bool {
        std::mem::take(&mut self.risen)
    }

    /// Notes the request beside the secret it came with, so that its duplicate gets the same answer and is never theft.
    fn remember(&mut self, shown: &SecretHash, request: RequestHash, answer: Option<Answer>) -> Refreshed {
        let Some(answer) = answer else { return Refreshed::Unknown };
        let asked = Asked { request, answer: answer.hash };
        let requests = if self.current.hash.matches(shown) {
            &mut self.current.requests
        } else if let Some(r) = self.retired.iter_mut().find(|r| r.hash.matches(shown)) {
            if let Some(successor) = self.successors.iter().find(|s| s.hash == answer.hash) {
                r.answers.push(successor.clone());
            }
            &mut r.requests
        } else {
            return Refreshed::Unknown;
        };
        requests.push(asked);
        Refreshed::Answer(answer)
    }

    /// Has this secret been asked with as many different requests as it remembers, or the session rotated too fast?
    fn asked_often(&self, shown: &SecretHash, now: Timestamp) -> bool {
        if self.retired.iter().filter(|r| r.recent(now)).count() >= GRACES_MAX {
            return true;
        }
        let requests = if self.current.hash.matches(shown) {
            Some(&self.current.requests)
        } else {
            self.retired.iter().find(|r| r.hash.matches(shown)).map(|r| &r.requests)
        };
        requests.is_some_and(|r| r.len() >= REQUESTS_MAX)
    }

    /// A new successor of this rank; the last one again where there are enough.
    fn succeed(&mut self, candidate: Candidate, bound: bool) -> Option<Answer> {
        if self.successors.iter().filter(|s| s.bound == bound).count() < SUCCESSORS_MAX {
            self.successors.push(Successor { hash: candidate.hash, bound, sealed: candidate.sealed });
        }
        self.successors.iter().rev().find(|s| s.bound == bound).map(Successor::answer)
    }

    fn retire(&mut self, hash: SecretHash, bound: bool, at: Timestamp, requests: Vec<Asked>, answers: Vec<Successor>) {
        self.retired.insert(0, Retired { hash, bound, at: at.0, cut: false, requests, answers });
        while self.retired.len() > RETIRED_MAX
            && let Some(last) = self.retired.pop_if(|last| !last.recent(at))
        {
            self.older.insert(0, Older::of(&last));
        }
        self.older.truncate(OLDER_MAX);
        let mut left = OLDER_TAGS_MAX;
        for older in &mut self.older {
            older.requests.truncate(left);
            left -= older.requests.len();
        }
    }

    /// Drops the sealed answers whose grace is over: a sealed secret is kept no longer than it can be handed out.
    fn trim(&mut self, now: Timestamp) {
        for r in &mut self.retired {
            if !r.in_grace(now) {
                r.answers.clear();
            }
        }
        self.stepped_up.take_if(|s| !s.kept(now));
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
