//! The demo's clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use yaopai_core::ports::Clock;
use yaopai_core::time::{Timestamp, millis};

use crate::clock::SystemClock;

/// The machine's clock, which the walk can move forward. All that runs in the demo goes by it.
#[derive(Default)]
pub struct DemoClock {
    real: SystemClock,
    ahead: AtomicI64,
}

impl DemoClock {
    /// So much later.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// How far it was moved, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.real.now().0 + self.ahead.load(Ordering::SeqCst))
    }

    fn shown(&self) -> Timestamp {
        Timestamp(self.real.shown().0 + self.ahead.load(Ordering::SeqCst))
    }
}
