//! How long a node of many believes its table without news from the store that all of them share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::time::millis;

/// An instant on two clocks, in milliseconds: a wall clock may be set back, and a monotonic one may stand still while its machine
/// sleeps or is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the machine's start, sleep included (`CLOCK_BOOTTIME`).
    pub boot: i64,
    /// Since the Unix epoch.
    pub wall: i64,
}

impl Moment {
    /// Before any other.
    pub const NEVER: Self = Self { boot: i64::MIN / 2, wall: i64::MIN / 2 };

    /// How much time has passed since, in milliseconds: what the clock says that has gone on further.
    pub fn since(self, earlier: Self) -> i64 {
        (self.boot - earlier.boot).max(self.wall - earlier.wall)
    }
}

/// Reads both clocks.
pub trait Moments: Send + Sync {
    /// Now.
    fn moment(&self) -> Moment;
}

/// What was read is believed for `max_stale` from when the reading began: news that it lacks was answered to nobody before that.
pub struct Lease {
    max_stale: i64,
    moments: Arc<dyn Moments>,
    boot: AtomicI64,
    wall: AtomicI64,
}

impl Lease {
    /// One that has not begun.
    pub fn new(max_stale: Duration, moments: Arc<dyn Moments>) -> Self {
        let Moment { boot, wall } = Moment::NEVER;
        Self { max_stale: millis(max_stale), moments, boot: AtomicI64::new(boot), wall: AtomicI64::new(wall) }
    }

    /// Now; to be asked before anything is read.
    pub fn moment(&self) -> Moment {
        self.moments.moment()
    }

    /// May what was read since then still be believed?
    pub fn is_fresh(&self, began: Moment) -> bool {
        self.moment().since(began) <= self.max_stale
    }

    /// Is the table to be believed? To be asked after the lookup, and of the clocks themselves: a flag that a timer clears is still
    /// set when a stopped process goes on.
    #[inline]
    pub fn holds(&self) -> bool {
        // Of two renewals one clock may be the older one's: then more time seems to have passed, never less.
        self.is_fresh(Moment { boot: self.boot.load(Ordering::Acquire), wall: self.wall.load(Ordering::Acquire) })
    }

    /// How much longer it holds (milliseconds) unless it is renewed; negative once it is over.
    pub fn left(&self) -> i64 {
        self.max_stale - self.moment().since(self.renewed())
    }

    /// When the last reading began that brought news.
    pub fn renewed(&self) -> Moment {
        Moment { boot: self.boot.load(Ordering::Acquire), wall: self.wall.load(Ordering::Acquire) }
    }

    /// All news up to this moment is in the table. One that came late moves nothing back.
    pub fn renew(&self, began: Moment) {
        if began.boot > self.boot.load(Ordering::Acquire) {
            self.boot.store(began.boot, Ordering::Release);
            self.wall.store(began.wall, Ordering::Release);
        }
    }
}
