//! The one place of this crate that reads the machine's clock and entropy.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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

/// How long something really took, whatever the simulator's clock: servers that are pushed to are real.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods)]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    #[allow(clippy::disallowed_methods)]
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
