//! How many signed requests one session may send: so that whoever has a key of his own can't fill the room of all.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::Timestamp;

/// Signed requests of one session in a minute: over its ten request slots, each 200 ms long.
pub const PER_MINUTE: u32 = 3_000;

/// One session's count: the minute (32 bits), and how many in it.
#[derive(Debug, Default)]
pub struct Quota(AtomicU64);

impl Quota {
    /// Counts one. False: there were too many in this minute.
    pub fn take(&self, now: Timestamp) -> bool {
        let minute = minute(now);
        let next = |state: u64| {
            let count = if state >> 32 == minute { state & u64::from(u32::MAX) } else { 0 };
            (count < u64::from(PER_MINUTE)).then_some(minute << 32 | (count + 1))
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    /// One that was counted came to nothing. Of another minute by now: nothing is left to give back.
    pub fn give_back(&self, now: Timestamp) {
        let minute = minute(now);
        let less = |state: u64| (state >> 32 == minute && state & u64::from(u32::MAX) > 0).then(|| state - 1);
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// The same count, for a new entry of the same session.
    pub fn copied(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }

    /// Is there nothing to remember any more?
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Relaxed) >> 32 != minute(now)
    }
}

/// The minute's number, in 32 bits.
fn minute(now: Timestamp) -> u64 {
    now.0.div_euclid(60_000) as u64 & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_may_be_taken_again() {
        let quota = Quota::default();
        let now = Timestamp(1_764_230_400_000);
        quota.give_back(now);
        assert_eq!((0..4_000).filter(|_| quota.take(now)).count(), PER_MINUTE as usize);
        // Of another minute nothing is left to give back to.
        quota.give_back(Timestamp(now.0 - 1));
        quota.give_back(Timestamp(now.0 + 60_000));
        assert!(!quota.take(now));
        quota.give_back(now);
        assert_eq!((0..9).filter(|_| quota.take(now)).count(), 1);
    }

    #[test]
    fn so_many_in_a_minute() {
        let quota = Quota::default();
        let now = Timestamp(1_764_230_400_000);
        assert_eq!((0..4_000).filter(|_| quota.take(now)).count(), PER_MINUTE as usize);
        assert!(!quota.copied().take(Timestamp(now.0 + 59_999)) && !quota.is_over(Timestamp(now.0 + 59_999)));
        quota.give_back(Timestamp(now.0 - 1));
        assert!(!quota.take(now), "of another minute");
        quota.give_back(now);
        assert!(quota.take(now) && !quota.take(now));
        assert!(quota.is_over(Timestamp(now.0 + 60_000)) && quota.take(Timestamp(now.0 + 60_000)));
        Quota::default().give_back(Timestamp(0));
    }
}
