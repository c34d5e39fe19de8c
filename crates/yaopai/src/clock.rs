//! The one home of real time and real randomness; everything else takes them as parameters.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use yaopai_core::live::{Moment, Moments};
use yaopai_core::ports::{Clock, Entropy};
use yaopai_core::time::{Timestamp, millis};

/// The machine's wall clock, which never goes back while the process runs and never stands still: when the machine's is set
/// back, time goes on by the monotonic clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    /// The largest difference seen between the two clocks, in milliseconds.
    ahead: AtomicI64,
    /// When they were compared last, on the monotonic one.
    compared: AtomicI64,
}

/// How often the two clocks are compared, in milliseconds: a check reads the time, and one clock is cheaper than two.
const COMPARE_EVERY: i64 = 50;

impl Default for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn default() -> Self {
        Self { start: Instant::now(), ahead: AtomicI64::new(0), compared: AtomicI64::new(-COMPARE_EVERY) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let run = millis(self.start.elapsed());
        if run - self.compared.load(Ordering::Acquire) < COMPARE_EVERY {
            return Timestamp(run + self.ahead.load(Ordering::Relaxed));
        }
        let now = self.at(run, machine());
        // Last: who sees that they were compared sees the difference too.
        self.compared.store(run, Ordering::Release);
        now
    }

    fn shown(&self) -> Timestamp {
        Timestamp(machine())
    }
}

/// The machine's clock, in milliseconds.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn machine() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

impl SystemClock {
    /// The time when the monotonic clock has run for `run` and the machine's shows `wall`, both in milliseconds.
    fn at(&self, run: i64, wall: i64) -> Timestamp {
        let ahead = wall - run;
        let before = self.ahead.load(Ordering::Relaxed);
        // Written only when the machine's clock was set forward (or the two differ by a millisecond of rounding).
        if ahead > before {
            self.ahead.fetch_max(ahead, Ordering::Relaxed);
        }
        Timestamp(run + ahead.max(before))
    }
}

/// The two clocks that a lease is counted by, as the machine has them: a process that was stopped, or a machine that slept, finds on
/// one of them at least that time has passed.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemMoments;

impl Moments for SystemMoments {
    fn moment(&self) -> Moment {
        Moment { boot: boot(), wall: machine() }
    }
}

/// Since the machine's start, in milliseconds, sleep included.
#[cfg(target_os = "linux")]
fn boot() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000)
}

/// Elsewhere the monotonic clock does, and a sleep shows on the other one.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn boot() -> i64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    millis(START.get_or_init(Instant::now).elapsed())
}

/// A clock that is not behind what the server knew before it was started: what was accepted then counts by that time. When the
/// machine's clock was set back meanwhile, time goes on from there.
pub struct HeldClock {
    clock: Arc<dyn Clock>,
    /// Milliseconds.
    ahead: AtomicI64,
}

impl HeldClock {
    /// The same time, so far.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: AtomicI64::new(0) }
    }

    /// It is at least this late. Says by how many milliseconds the clock is behind that.
    pub fn hold(&self, known: Timestamp) -> i64 {
        let ahead = (known.0 - self.clock.now().0).max(0);
        self.ahead.fetch_max(ahead, Ordering::Relaxed);
        ahead
    }
}

impl Clock for HeldClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now().0 + self.ahead.load(Ordering::Relaxed))
    }

    fn shown(&self) -> Timestamp {
        self.clock.shown()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However the machine's clock is set, ours goes on by at least what the monotonic one has run, and is never behind
        /// the machine's.
        #[test]
        fn it_never_goes_back_nor_stands_still(steps in prop::collection::vec((0..100_000i64, -4_000_000..4_000_000i64), 1..50)) {
            let clock = SystemClock::default();
            let (mut run, mut wall) = (0, 1_767_225_600_000);
            let mut last = clock.at(run, wall);
            prop_assert_eq!(last, Timestamp(wall));
            for (ran, set) in steps {
                run += ran;
                wall += ran + set;
                let now = clock.at(run, wall);
                prop_assert!(now.0 >= last.0 + ran, "{:?} after {:?} and {} ms", now, last, ran);
                prop_assert!(now.0 >= wall);
                last = now;
            }
        }
    }

    #[test]
    fn of_many_threads_none_sees_it_go_back() {
        let clock = SystemClock::default();
        let looks = || {
            let times: Vec<Timestamp> = (0..20_000).map(|_| clock.now()).collect();
            assert!(times.is_sorted());
        };
        std::thread::scope(|threads| (0..4).for_each(|_| drop(threads.spawn(looks))));
    }
}
