//! The one home of real time and real randomness; everything else takes them as parameters.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use yaopai_core::ports::{Clock, Entropy};
use yaopai_core::time::{Timestamp, millis};

/// The machine's wall clock, which never goes back while the process runs and never stands still: when the machine's is set
/// back, time goes on by the monotonic clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    /// The largest difference seen between the two clocks, in milliseconds.
    ahead: AtomicI64,
}

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn default() -> Self {
        Self { start: Instant::now(), ahead: AtomicI64::new(0) }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let run = millis(self.start.elapsed());
        let ahead = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis) - run;
        let before = self.ahead.load(Ordering::Relaxed);
        // Written only when the machine's clock was set forward (or the two differ by a millisecond of rounding).
        if ahead > before {
            self.ahead.fetch_max(ahead, Ordering::Relaxed);
        }
        Timestamp(run + ahead.max(before))
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
