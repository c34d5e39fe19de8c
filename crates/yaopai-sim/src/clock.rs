//! Time as a parameter: the simulator never reads the clock by itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What the simulator asks for the time. Any `Fn() -> u64` is one, so that a test can lend the simulator the clock of the
/// server under test.
pub trait SimClock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Moves the clock forward, if it is one that can be moved. Answers whether it did.
    fn advance(&self, _by: Duration) -> bool {
        false
    }
}

impl<F: Fn() -> u64 + Send + Sync + 'static> SimClock for F {
    fn now_ms(&self) -> u64 {
        self()
    }
}

/// A clock that stands still until it is told to move. Clones share the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// 2026-01-01T00:00:00Z in milliseconds: where a manual clock starts unless told otherwise.
    pub const START_MS: u64 = 1_767_225_600_000;

    /// A clock that shows `start_ms` (milliseconds since the Unix epoch).
    pub fn new(start_ms: u64) -> Self {
        Self(Arc::new(AtomicU64::new(start_ms)))
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new(Self::START_MS)
    }
}

impl SimClock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn advance(&self, by: Duration) -> bool {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        // Saturating: a huge step from the control API must not wrap round to the past.
        let moved = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(by)));
        moved.is_ok()
    }
}
