//! The one place of this crate that reads the machine's clock and entropy.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::SimClock;

/// The machine's own wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SimClock for SystemClock {
    // This is the real clock's home in this crate; everything else takes a `SimClock`.
    #[allow(clippy::disallowed_methods)]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Fresh bytes of the machine, for what must not be guessable when nobody configured it: the control token, and a seed.
// This is the real entropy's home in this crate; everything else draws from a seeded `Dice`.
#[allow(clippy::disallowed_methods)]
pub(crate) fn entropy<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
