//! Two time lines. Wall time says when something happened; uptime says how long a session was idle, because time in which
//! the server itself was down is not idle time.

use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// Milliseconds since the Unix epoch minus all the time in which the server was down. It stands still while the server is
/// off, so a session's idle time can be counted on it over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uptime(pub i64);

/// How long the server was down so far, in milliseconds: what turns wall time into uptime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Downtime(pub i64);

/// The downtime that a running server counts by. Of many nodes one may be up while another counts time in which it saw none.
#[derive(Debug, Clone, Default)]
pub struct Downtimes(Arc<AtomicI64>);

impl Downtimes {
    /// So much, so far.
    pub fn new(known: Downtime) -> Self {
        Self(Arc::new(AtomicI64::new(known.0)))
    }

    /// What is known of it now.
    #[inline]
    pub fn get(&self) -> Downtime {
        Downtime(self.0.load(Ordering::Relaxed))
    }

    /// It is at least that.
    pub fn learn(&self, known: Downtime) {
        self.0.fetch_max(known.0, Ordering::Relaxed);
    }
}

impl Timestamp {
    /// The same instant on the other time line.
    pub fn uptime(self, downtime: Downtime) -> Uptime {
        Uptime(self.0 - downtime.0)
    }

    /// Whole seconds until `then`, rounded up; 0 if it has passed.
    pub fn seconds_until(self, then: Timestamp) -> u64 {
        u64::try_from(then.0 - self.0).unwrap_or(0).div_ceil(1000)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(millis(d)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(millis(d)))
    }
}

impl Add<Duration> for Uptime {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(millis(d)))
    }
}

/// A duration in the milliseconds of these time lines.
pub fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}
