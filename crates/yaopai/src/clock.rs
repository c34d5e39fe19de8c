//! The one home of real time and real randomness; everything else takes them as parameters.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use yaopai_core::ports::{Clock, Entropy};
use yaopai_core::time::{Timestamp, millis};

/// The machine's wall clock, which never goes back while the process runs.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        let latest = self.latest.load(Ordering::Relaxed);
        if now > latest {
            // A plain store: two threads may write within a millisecond of each other, and either is right.
            self.latest.store(now, Ordering::Relaxed);
            return Timestamp(now);
        }
        Timestamp(latest)
    }
}

/// The operating system's randomness.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        // Without randomness nothing here is safe: stopping is the only right answer.
        getrandom::fill(buffer).expect("the operating system has randomness");
    }
}
