//! What every store of nonces decides alike: by which clock, what it can know, and for how long. Pure. `redis/first_use.lua` says the
//! same once more, because it is decided where the nonces are; `tests/nonces.rs` compares them.
//!
//! A store may lose its memory: by a restart, by a failover to a replica that lags, by somebody's hand. What was accepted before is
//! unknown then, and it was signed at most [`AHEAD`] after the store's clock of that time. So whatever isn't later than that is refused
//! from there on (docs/decisions/0067).

use yaopai_core::ports::{SKEW_MAX, Used};
use yaopai_core::time::Timestamp;

/// How old (milliseconds) a signature may be by the store's clock: a minute, as everywhere, and a node's clock may be off.
pub(crate) const PAST: i64 = 60_000 + SKEW_MAX;

/// How far ahead (milliseconds) one may be. Not widened by what a clock may be off: for so long a store that has lost its memory must
/// refuse everything, and half a minute without any signed request would be a high price for a node's wrong clock.
pub(crate) const AHEAD: i64 = 5_000;

/// How far (milliseconds) the clock runs before its mark is written again.
pub(crate) const STEP: i64 = 1_000;

/// What a store knows of its own past. Milliseconds by its own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Whose memory it is: changes whenever some of it may be gone.
    pub reign: String,
    /// When it began to remember.
    pub first: i64,
    /// The clock was here, or less than [`STEP`] further.
    pub high: i64,
}

/// A memory at a use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub memory: Memory,
    /// The clock: never less than it was.
    pub now: i64,
    /// The memory has to be written.
    pub is_new: bool,
}

impl Memory {
    /// What is remembered at a use. `shown`: what the clock shows, wherever it is set to. `seen`: the highest `now` that was ever
    /// answered to whoever asks. In one memory that is less than a step past `high`, because a step is written before it is
    /// answered: who has seen more has seen what is gone.
    pub fn at(kept: Option<Self>, reign: &str, shown: i64, seen: i64) -> Standing {
        let high = kept.as_ref().map(|kept| kept.high);
        let now = shown.max(seen).max(high.unwrap_or(0));
        match kept {
            Some(kept) if kept.reign == reign && seen < kept.high + STEP => {
                let is_new = now >= kept.high + STEP;
                let high = if is_new { now } else { kept.high };
                Standing { memory: Self { high, ..kept }, now, is_new }
            }
            // The old one's clock may have been a step past its mark.
            _ => {
                let now = now.max(high.map_or(0, |high| high + STEP));
                Standing { memory: Self { reign: reign.to_owned(), first: now, high: now }, now, is_new: true }
            }
        }
    }
}

impl Standing {
    /// What can be said of a signature without looking whether its nonce is there. `created` in seconds.
    pub fn refusal(&self, created: i64) -> Option<Used> {
        let created = created.saturating_mul(1000);
        let shut = self.memory.first + AHEAD;
        if created < self.now - PAST || created > self.now + AHEAD {
            return Some(Used::Unknown(None));
        }
        (created <= shut).then(|| Used::Unknown(Some(opens(shut))))
    }
}

/// The first whole second past `shut`: `created` has no smaller part.
pub(crate) fn opens(shut: i64) -> Timestamp {
    Timestamp((shut.div_euclid(1000) + 1) * 1000)
}

/// From when on (milliseconds) a nonce may be forgotten: nothing signed at `created` (seconds) is accepted any more.
pub(crate) fn forgettable(created: i64) -> i64 {
    created.saturating_mul(1000).saturating_add(PAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: i64 = 1_800_000_000_000;

    fn memory() -> Memory {
        Memory { reign: "a".into(), first: T, high: T }
    }

    #[test]
    fn a_memory_stays_until_some_of_it_may_be_gone() {
        let goes_on = Memory::at(Some(memory()), "a", T + 999, T + 999);
        assert_eq!(goes_on, Standing { memory: memory(), now: T + 999, is_new: false });
        let marked = Memory::at(Some(memory()), "a", T + 1000, T + 999);
        assert_eq!(marked.memory, Memory { high: T + 1000, ..memory() });
        assert!(marked.is_new);
        // Another reign; somebody who has seen more; none at all.
        for (kept, reign, seen) in [(Some(memory()), "b", 0), (Some(memory()), "a", T + 1000), (None, "a", 0)] {
            let anew = Memory::at(kept, reign, T + 1500, seen);
            assert_eq!(anew.memory, Memory { reign: reign.into(), first: T + 1500, high: T + 1500 });
            assert!(anew.is_new);
        }
    }

    #[test]
    fn the_clock_never_goes_back() {
        assert_eq!(Memory::at(Some(memory()), "a", T - 9_000, 0).now, T);
        assert_eq!(Memory::at(Some(memory()), "a", T - 9_000, T + 500).now, T + 500);
        let anew = Memory::at(Some(memory()), "b", T - 9_000, 0);
        assert_eq!((anew.now, anew.memory.first), (T + 1000, T + 1000), "the old one's mark may be a step behind");
        assert_eq!(Memory::at(None, "b", T - 9_000, T + 500).memory.first, T + 500);
    }

    #[test]
    fn the_window_and_the_opening() {
        let at = |now: i64| Standing { memory: memory(), now, is_new: false };
        let s = T / 1000;
        assert_eq!(at(T).refusal(s + 6), Some(Used::Unknown(None)));
        assert_eq!(at(T).refusal(s + 5), Some(Used::Unknown(Some(Timestamp(T + 6000)))));
        assert_eq!(at(T + 1000).refusal(s + 6), None, "what is said to be the first that passes does");
        assert_eq!(at(T + 96_000).refusal(s + 6), None);
        assert_eq!(at(T + 96_001).refusal(s + 6), Some(Used::Unknown(None)));
        assert_eq!(opens(T + 5001), Timestamp(T + 6000));
        for created in [i64::MIN, i64::MAX] {
            assert_eq!(at(T).refusal(created), Some(Used::Unknown(None)));
            forgettable(created);
        }
    }

    /// Whatever was accepted before the memory was lost is refused after it.
    #[test]
    fn nothing_that_was_accepted_is_later_than_the_opening() {
        for lost_at in [T + 20_000, T + 20_999] {
            let before = Memory::at(Some(Memory { high: T + 20_000, ..memory() }), "a", lost_at, 0);
            let latest = (before.now + AHEAD) / 1000;
            assert_eq!(before.refusal(latest), None);
            // The clock was set back meanwhile; the mark, or who has asked, knows better.
            for (kept, seen) in [(Some(before.memory.clone()), 0), (None, before.now)] {
                let after = Memory::at(kept, "b", T - 60_000, seen);
                for later in 0..100 {
                    assert!(Standing { now: after.now + later * 1000, ..after.clone() }.refusal(latest).is_some());
                }
            }
        }
    }
}
