//! What every store of tries decides alike (docs/decisions/0072). Pure. `redis/tries.lua` says the same once more, because it is decided
//! where the counts are; `tests/nonces.rs` compares them.
//!
//! Names are kept in turns as long as a window: one that comes in a turn is looked for in that and in the one before, and is gone after
//! it. So there is no more than two turns' worth of names, each turn takes so many new ones and no more, and nobody's count is forgotten
//! for another's.

use yaopai_core::ports::{SLOTS, Took, Tries};

/// How many names of a kind a turn takes: of the usual window 750 a second, and some hundred bytes each.
pub(crate) const NAMES_MAX: usize = 500_000;
/// What is asked for where there is no room: nobody knows better.
pub(crate) const WAIT_FULL: u32 = 60;

const TURN: i64 = SLOTS as i64;

/// What one has tried: slots with how often, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts(Vec<(i64, u32)>);

impl Counts {
    /// As [`Counts::text`] writes it. What is no count of ours is none.
    pub fn parse(text: &str) -> Self {
        let pair = |pair: &str| pair.split_once(':').and_then(|(slot, n)| Some((slot.parse().ok()?, n.parse().ok()?)));
        Self(text.split(' ').filter_map(pair).collect())
    }

    /// `slot:count` pairs.
    pub fn text(&self) -> String {
        self.0.iter().map(|(slot, n)| format!("{slot}:{n}")).collect::<Vec<_>>().join(" ")
    }

    /// Seconds to wait, if there are as many as may be.
    fn wait(&self, max: u32, At { now, slot, .. }: At, slot_ms: i64) -> Option<u32> {
        let live = || self.0.iter().filter(|(at, _)| *at > slot - TURN);
        let sum: u64 = live().map(|(_, n)| u64::from(*n)).sum();
        if sum < u64::from(max) {
            return None;
        }
        let oldest = live().map(|(at, _)| *at).min().unwrap_or(slot);
        let ms = (oldest + TURN).saturating_mul(slot_ms) - now;
        Some(u32::try_from(ms.max(1).unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX))
    }

    fn add(&mut self, slot: i64) {
        self.0.retain(|(at, _)| *at > slot - TURN);
        match self.0.iter_mut().find(|(at, _)| *at == slot) {
            Some((_, n)) => *n = n.saturating_add(1),
            None => self.0.push((slot, 1)),
        }
    }

    /// One of that slot came to nothing. False: none is known.
    pub fn less(&mut self, slot: i64) -> bool {
        let Some((_, n)) = self.0.iter_mut().find(|(at, n)| *at == slot && *n > 0) else { return false };
        *n -= 1;
        true
    }
}

/// Where the store's clock is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    now: i64,
    pub slot: i64,
    pub turn: i64,
}

impl At {
    /// At this time (milliseconds) with slots so long.
    pub fn new(now: i64, slot_ms: i64) -> Self {
        let slot = now.div_euclid(slot_ms.max(1));
        Self { now, slot, turn: slot.div_euclid(TURN) }
    }
}

/// What is known of one name, and of the turn that it would be kept in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub counts: Counts,
    /// It is kept in this turn already.
    pub here: bool,
    /// How many names this turn has of the kind.
    pub names: usize,
}

/// Counts them, or says how long to wait. What has to be kept is changed in `known`, which holds one for each count, in their order.
pub(crate) fn take(tries: &Tries, at: At, known: &mut [Known]) -> (Took, Vec<usize>) {
    let mut counted = Vec::with_capacity(known.len());
    for (n, (count, known)) in tries.counts.iter().zip(&*known).enumerate() {
        if let Some(wait) = known.counts.wait(count.max, at, tries.slot_ms) {
            return (Took::Refused(wait), Vec::new());
        }
        if known.here || known.names < NAMES_MAX {
            counted.push(n);
        } else if !count.spills {
            return (Took::Refused(WAIT_FULL), Vec::new());
        }
    }
    for n in &counted {
        known[*n].counts.add(at.slot);
    }
    (Took::Counted(at.slot), counted)
}

/// When a turn's names are of no use any more; milliseconds.
pub(crate) fn over(turn: i64, slot_ms: i64) -> i64 {
    (turn + 2).saturating_mul(TURN).saturating_mul(slot_ms)
}

#[cfg(test)]
mod tests {
    use yaopai_core::ports::Count;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut counts = Counts::default();
        for slot in [5, 5, 7, 16] {
            counts.add(slot);
        }
        assert_eq!(counts.text(), "7:1 16:1", "5 is out of the window by then");
        assert_eq!(Counts::parse(&counts.text()), counts);
        assert_eq!(Counts::parse("junk 1:x 3:4"), Counts(vec![(3, 4)]));
        assert!(counts.less(16) && !counts.less(16) && !counts.less(15));
    }

    #[test]
    fn a_full_turn_takes_nobody_new_and_forgets_nobody() {
        let tries = |spills| Tries { counts: vec![Count { kind: 0, name: [0; 16], max: 2, spills }], slot_ms: 1000 };
        let at = At::new(50_000, 1000);
        let full = Known { names: NAMES_MAX, ..Known::default() };
        assert_eq!(take(&tries(false), at, &mut [full.clone()]), (Took::Refused(WAIT_FULL), vec![]));
        assert_eq!(take(&tries(true), at, &mut [full.clone()]), (Took::Counted(50), vec![]), "uncounted");
        assert_eq!(take(&tries(false), at, &mut [Known { here: true, ..full.clone() }]), (Took::Counted(50), vec![0]));
        // Whose count is in the turn before is refused by it all the same.
        let spent = Known { counts: Counts(vec![(45, 2)]), ..full };
        assert_eq!(take(&tries(true), at, &mut [spent]), (Took::Refused(6), vec![]));
    }
}
