//! Which `created` may pass: the window, a clock that never goes back, and what a crash or a stop shuts.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::{MAX_AGE, MAX_AHEAD};
use crate::time::Timestamp;

/// The seconds in which `created` may lie at `mark`.
pub(super) fn window(mark: Timestamp) -> RangeInclusive<i64> {
    // The first whole second that is not before the limit, and the last that is not after it.
    let first = mark.0.saturating_sub(MAX_AGE * 1000).saturating_add(999).div_euclid(1000);
    first..=last_ahead(mark)
}

/// The last second that is not more than [`MAX_AHEAD`] after `at`.
fn last_ahead(at: Timestamp) -> i64 {
    at.0.saturating_add(MAX_AHEAD * 1000).div_euclid(1000)
}

pub(super) struct Gate {
    /// The latest `now` so far, in milliseconds.
    mark: AtomicI64,
    /// `created` up to this second is stale, whatever the clock says.
    shut_until: AtomicI64,
    closed: AtomicBool,
}

impl Gate {
    pub fn new(mark: Timestamp, shut_until: i64) -> Self {
        Self {
            mark: AtomicI64::new(mark.0.max(0)),
            shut_until: AtomicI64::new(shut_until),
            closed: AtomicBool::new(false),
        }
    }

    pub fn mark(&self) -> Timestamp {
        Timestamp(self.mark.load(Ordering::SeqCst))
    }

    /// An earlier `now` changes nothing.
    pub fn advance(&self, now: Timestamp) {
        // Most calls come within a millisecond that was seen: a read that all cores can share, and no write.
        if now.0 > self.mark.load(Ordering::SeqCst) {
            self.mark.fetch_max(now.0, Ordering::SeqCst);
        }
    }

    pub fn shut_until(&self) -> i64 {
        self.shut_until.load(Ordering::SeqCst)
    }

    /// `created` up to this second is stale from here on.
    pub fn shut(&self, until: i64) {
        self.shut_until.fetch_max(until, Ordering::SeqCst);
    }

    /// The same, by the time at which nothing is known of what was accepted before.
    pub fn shut_before(&self, at: Timestamp) {
        self.shut(last_ahead(at));
    }

    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub fn lets_in(&self, created: i64) -> bool {
        window(self.mark()).contains(&created) && created > self.shut_until() && !self.closed.load(Ordering::SeqCst)
    }
}
