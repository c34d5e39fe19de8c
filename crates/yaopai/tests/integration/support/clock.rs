//! A clock that stands still until the test moves it. Server, simulator and back end look at the same one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use yaopai_core::ports::Clock;
use yaopai_core::time::{Timestamp, millis};

#[derive(Clone)]
pub struct TestClock {
    now: Arc<AtomicI64>,
    /// How far what the machine shows is behind, in milliseconds.
    behind: Arc<AtomicI64>,
}

impl TestClock {
    /// Starts at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self { now: Arc::new(AtomicI64::new(1_767_225_600_000)), behind: Arc::default() }
    }

    pub fn advance(&self, by: Duration) {
        self.now.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Somebody sets the machine's clock back while the server is down.
    pub fn set_back(&self, by: Duration) {
        self.now.fetch_sub(millis(by), Ordering::SeqCst);
    }

    /// The same while it runs: its own time goes on.
    pub fn set_back_under_way(&self, by: Duration) {
        self.behind.fetch_add(millis(by), Ordering::SeqCst);
    }

    pub fn now_ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    pub fn set_forward_under_way(&self, by: Duration) {
        self.behind.fetch_sub(millis(by), Ordering::SeqCst);
    }

    pub fn shown_ms(&self) -> i64 {
        self.now_ms() - self.behind.load(Ordering::SeqCst)
    }

    /// The same clock as the simulator wants it.
    pub fn for_simulator(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let clock = self.clone();
        move || u64::try_from(clock.now_ms()).unwrap()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms())
    }

    fn shown(&self) -> Timestamp {
        Timestamp(self.shown_ms())
    }
}
