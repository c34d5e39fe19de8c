//! What goes wrong in the simulation, and the mistakes that it must find.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

/// A mistake that the node makes. Each stands for a sentence of docs/decisions/0039-what-a-node-of-many-believes.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    Nothing,
    /// The cursor goes to the newest transaction seen, as with a serial number.
    CursorAtTheEnd,
    /// A promoted standby is not noticed.
    TimelineUnread,
    /// The lease counts from when a poll was answered.
    LeaseFromTheAnswer,
    /// Rows that were deleted are not missed.
    ClearedUnread,
    /// What was read is put into the table whatever changed meanwhile.
    FillUnasked,
    /// What was read is acted on however long ago the reading began.
    LateReadBelieved,
}

pub struct Dice(pub ChaCha8Rng);

impl Dice {
    pub fn below(&mut self, n: i64) -> i64 {
        let n = u64::try_from(n).unwrap();
        i64::try_from(self.0.next_u64() % n).unwrap()
    }

    pub fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }

    /// How long a message is on its way, in milliseconds; `None`: it never arrives.
    pub fn journey(&mut self) -> Option<i64> {
        match self.below(40) {
            0 => None,
            1 => Some(self.below(25_000)),
            2..6 => Some(self.below(1500)),
            _ => Some(1 + self.below(20)),
        }
    }
}
