//! A signed request is accepted at most once (RFC 9421, section 7.2.2): which nonces were seen, in memory, bounded, and read
//! and written in one atomic step without a lock.
//!
//! Only what was verified comes here. Then `created` must lie in a window about now, and the session's nonce must be new.
//!
//! **Generations.** A nonce is remembered in the generation of its `created`, never of its arrival: the same request always
//! has the same home, and whoever is first at its slot there has it accepted. A generation that lies before the window is
//! removed as a whole; nothing in it could be accepted again.
//!
//! **What is remembered** is 64 bits of a keyed hash. A new nonce is refused by mistake with a chance of n / 2⁶⁴ when n are
//! remembered: one request in 10¹² with ten million. The client then signs anew, with another nonce. The other mistake does not
//! exist: what was accepted is refused as long as its window is open.
//!
//! **The same nonce under another `created`** is another request, which only the holder of the key can have made. It is refused
//! too as long as the other is remembered, which is until its own window has passed, and maybe a minute longer.

use std::sync::atomic::{Ordering, fence};

use crate::ids::SessionId;
use crate::ports::Entropy;
use crate::time::Timestamp;

mod fingerprint;
mod gate;
mod generation;
mod generations;
mod saved;
mod shape;

use fingerprint::HashKey;
use gate::Gate;
use generations::Generations;
pub use saved::{NotSaved, Saved};

/// How old a signature may be, in whole seconds: `created` ≥ now − 60 s. Long enough for a slow network and a phone's clock
/// that was set by hand, short enough that every nonce of that time can be remembered (RFC 9421, sections 2.3 and 3.2.1, leave the number
/// to the application).
pub const MAX_AGE: i64 = 60;
/// How far ahead of ours the client's clock may be, in whole seconds: `created` ≤ now + 5 s.
pub const MAX_AHEAD: i64 = 5;
/// How many seconds of `created` share a generation: as many as the window has, so that it never touches more than two.
pub const GENERATION: i64 = MAX_AHEAD + MAX_AGE + 1;

/// Why a signed request is not accepted. None of them ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFresh {
    /// `created` is outside the window, or in a time of which it isn't known any more what was accepted.
    #[error("the signature is too old or too far ahead")]
    Stale,
    /// The session's nonce was seen.
    #[error("the nonce was seen before")]
    Replayed,
    /// There is no room to remember it. Nothing that is remembered makes room.
    #[error("too many nonces")]
    Full,
}

/// The nonces of this node.
pub struct Replays {
    key: HashKey,
    gate: Gate,
    generations: Generations,
}

impl Replays {
    /// Remembers at most `bound` nonces at a time in [`Self::bytes_max`] bytes, allocated as they come. Each of the two generations that
    /// a window touches has half of it; more than three quarters of that are filled before the first [`NotFresh::Full`], if it is 4,096 or
    /// more. So `bound` = 176 × requests a second leaves room for all.
    pub fn new(bound: usize, entropy: &dyn Entropy) -> Self {
        Self {
            key: HashKey::new(entropy),
            gate: Gate::new(Timestamp::default(), i64::MIN),
            generations: Generations::new(bound),
        }
    }

    /// Accepts a verified request, once. `session` and `nonce` are its own, `created` is in seconds since the Unix epoch. An
    /// earlier `now` than that of an earlier call counts as that one.
    ///
    /// Of any number of parallel calls with the same arguments at most one is `Ok`, and exactly one if they are fresh and
    /// there is room. Nothing here waits or locks, and only a new generation or a new part of one allocates.
    ///
    /// # Errors
    /// [`NotFresh`]. After `Stale` and `Replayed` the nonce may be used up.
    pub fn accept(&self, session: SessionId, nonce: &str, created: i64, now: Timestamp) -> Result<(), NotFresh> {
        self.gate.advance(now);
        if !self.gate.lets_in(created) {
            return Err(NotFresh::Stale);
        }
        self.settle(session, nonce, created)
    }

    /// The rest of [`Self::accept`].
    ///
    /// A thread may stand still at any point of it while all others go on, for minutes. What can happen meanwhile, and why nothing
    /// is accepted twice:
    ///
    /// * *Its generation is removed, after it got hold of it.* Then it claims in the removed one. Who accepted the same request
    ///   before has claimed there too, in the same slot, so it is refused.
    /// * *Its generation is removed, before it got hold of it.* Then it makes an empty one of the same number, and its claim succeeds. But a
    ///   generation is removed only after the mark has left it behind, so the gate, asked once more **after** the claim, says
    ///   that it is stale. Everybody else who sees the new generation is told the same.
    /// * *The room is saved* before its claim is there to be read: then the gate was closed before, and says so after the claim.
    /// * *The time is shut off* by [`Self::not_before`]: the same.
    ///
    /// The last three need an order between "claim, then read the gate" here and "write the gate, then read or remove" there.
    /// Neither a release nor an acquire orders a write before a later read of something else; a sequentially consistent fence
    /// on both sides does. So does it for two that claim the same nonce in neighbouring generations and then look into the
    /// other's: at least one sees the other. Maybe both do, and both are refused.
    fn settle(&self, session: SessionId, nonce: &str, created: i64) -> Result<(), NotFresh> {
        let fingerprint = self.key.fingerprint(session, nonce);
        let number = created.div_euclid(GENERATION);
        let guard = self.generations.guard();
        self.generations.get_or_new(number, &self.gate, &guard).claim(fingerprint)?;
        fence(Ordering::SeqCst);
        let seen = |number| self.generations.get(number, &guard).is_some_and(|other| other.holds(fingerprint));
        if seen(number - 1) || seen(number + 1) {
            return Err(NotFresh::Replayed);
        }
        if self.gate.lets_in(created) { Ok(()) } else { Err(NotFresh::Stale) }
    }

    /// Removes what can't matter any more. To be called now and then, so that an idle server gives its memory back.
    pub fn sweep(&self, now: Timestamp) {
        self.gate.advance(now);
        self.generations.prune(&self.gate, &self.generations.guard());
    }

    /// Refuses every `created` ≤ `at` + 5 s from here on: after a crash at the latest at `at` nothing is known of what was
    /// accepted before, and it may have been signed so far ahead.
    pub fn not_before(&self, at: Timestamp) {
        self.gate.shut_before(at);
    }

    /// When a request signed then is no more refused for what [`Self::not_before`] shut; `None` if nothing was shut.
    pub fn opens_at(&self) -> Option<Timestamp> {
        let shut_until = self.gate.shut_until();
        (shut_until > i64::MIN).then(|| Timestamp(shut_until.saturating_add(1).saturating_mul(1000)))
    }

    /// The latest `now` so far; 0 before the first call.
    pub fn high_water(&self) -> Timestamp {
        self.gate.mark()
    }

    /// What is allocated, in bytes: slots and the tables of them.
    pub fn bytes(&self) -> usize {
        self.generations.bytes()
    }

    /// The most that [`Self::bytes`] ever is: 8 bytes a nonce, and some 12 more for a thousand of them for the tables. Not counted is
    /// a chunk that is made and thrown away because another thread was quicker: 32 KB a thread, for an instant.
    pub fn bytes_max(bound: usize) -> usize {
        Generations::bytes_max(bound)
    }

    /// Closes the room, for a graceful stop, and gives what must be known after it. From here on every request is stale: one that
    /// was accepted afterwards would be accepted again.
    pub fn save(&self) -> Saved {
        self.gate.close();
        // Between closing and reading: see `settle`.
        fence(Ordering::SeqCst);
        let high_water = self.gate.mark();
        Saved {
            key: self.key.clone(),
            high_water,
            shut_until: self.gate.shut_until(),
            generations: self.generations.read(high_water),
        }
    }

    /// A room in which everything is refused that was refused in the saved one. `bound` is as in [`Self::new`]; if what was saved does
    /// not fit, the generation that doesn't is refused as a whole.
    pub fn restore(bound: usize, saved: &Saved) -> Self {
        let room = Self {
            key: saved.key.clone(),
            gate: Gate::new(saved.high_water, saved.shut_until),
            generations: Generations::new(bound),
        };
        let guard = room.generations.guard();
        for (number, fingerprints) in &saved.generations {
            let generation = room.generations.get_or_new(*number, &room.gate, &guard);
            if fingerprints.iter().any(|fingerprint| generation.claim(*fingerprint) == Err(NotFresh::Full)) {
                room.gate.shut(number.saturating_mul(GENERATION).saturating_add(GENERATION - 1));
            }
        }
        drop(guard);
        room
    }
}

/// Nothing of what it holds.
impl std::fmt::Debug for Replays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replays").field("high_water", &self.high_water()).field("bytes", &self.bytes()).finish()
    }
}

#[cfg(test)]
mod tests;
