//! A circuit breaker: while a platform is down, requests fail at once instead of piling up, and one request at a time tries
//! whether it is back. Pure but for a mutex; time is a parameter.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// So many failures in a row open it.
    pub failures: u32,
    /// Only failures of this last while count.
    pub window: Duration,
    /// How long it stays open the first time; each failed probe doubles that.
    pub open_for: Duration,
    /// The longest it stays open between two probes.
    pub open_max: Duration,
    /// A request that its caller gives up after so long counts as a failure; given up earlier it counts as nothing.
    pub slow: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            failures: 5,
            window: Duration::from_secs(30),
            open_for: Duration::from_secs(5),
            open_max: Duration::from_secs(60),
            slow: Duration::from_secs(2),
        }
    }
}

/// One breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    policy: BreakerPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// How long the next opening lasts.
    open_for: Duration,
    /// Counts changes of phase, so that the outcome of a request that began in an earlier phase is not held for news.
    epoch: u64,
}

#[derive(Debug)]
enum Phase {
    Closed { failures: VecDeque<Timestamp> },
    Open { until: Timestamp },
    HalfOpen { probing: bool },
}

/// The breaker lets no request through for so many seconds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub retry_after: u32,
}

/// Leave to send one request. Say how it went with [`Permit::up`] or [`Permit::down`].
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    clock: &'a dyn Clock,
    began: Timestamp,
    epoch: u64,
    reported: bool,
}

/// What a report changed, for the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Opened { seconds: u64 },
    Closed,
}

impl Breaker {
    pub fn new(policy: BreakerPolicy) -> Self {
        let phase = Phase::Closed { failures: VecDeque::new() };
        Self { policy, state: Mutex::new(State { phase, open_for: policy.open_for, epoch: 0 }) }
    }

    /// Would a request be let through now? Takes nothing.
    pub fn peek(&self, now: Timestamp) -> Result<(), Refused> {
        match self.lock().phase {
            Phase::Open { until } if now < until => Err(Refused { retry_after: seconds(now, until) }),
            Phase::HalfOpen { probing: true } => Err(Refused { retry_after: 1 }),
            _ => Ok(()),
        }
    }

    /// Lets a request through, or not. In the half-open phase it lets exactly one through at a time.
    pub fn admit<'a>(&'a self, clock: &'a dyn Clock) -> Result<Permit<'a>, Refused> {
        let now = clock.now();
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Closed { .. } => {}
            Phase::Open { until } if now < *until => return Err(Refused { retry_after: seconds(now, *until) }),
            Phase::Open { .. } => state.turn(Phase::HalfOpen { probing: true }),
            Phase::HalfOpen { probing: true } => return Err(Refused { retry_after: 1 }),
            Phase::HalfOpen { probing } => *probing = true,
        }
        Ok(Permit { breaker: self, clock, began: now, epoch: state.epoch, reported: false })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, epoch: u64, now: Timestamp, up: bool) -> Change {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.epoch != epoch {
            return Change::None;
        }
        match (&mut state.phase, up) {
            (Phase::Closed { failures }, true) => failures.clear(),
            (Phase::Closed { failures }, false) => {
                failures.push_back(now);
                failures.retain(|t| *t + self.policy.window >= now);
                if failures.len() >= self.policy.failures.max(1) as usize {
                    return state.open(now, &self.policy);
                }
            }
            (Phase::HalfOpen { .. }, true) => {
                state.open_for = self.policy.open_for;
                state.turn(Phase::Closed { failures: VecDeque::new() });
                return Change::Closed;
            }
            (Phase::HalfOpen { .. }, false) => return state.open(now, &self.policy),
            (Phase::Open { .. }, _) => {}
        }
        Change::None
    }
}

impl State {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }

    fn open(&mut self, now: Timestamp, policy: &BreakerPolicy) -> Change {
        let until = now + self.open_for;
        self.open_for = (self.open_for * 2).min(policy.open_max);
        self.turn(Phase::Open { until });
        Change::Opened { seconds: now.seconds_until(until) }
    }
}

impl Permit<'_> {
    /// The platform answered something that makes sense, a refusal included.
    pub fn up(mut self) -> Change {
        self.reported = true;
        self.breaker.report(self.epoch, self.clock.now(), true)
    }

    /// It did not.
    pub fn down(mut self) -> Change {
        self.reported = true;
        self.breaker.report(self.epoch, self.clock.now(), false)
    }
}

impl Drop for Permit<'_> {
    /// Given up by its caller: the probe's place must not stay taken, and patience that ran out says something too.
    fn drop(&mut self) {
        if self.reported {
            return;
        }
        let now = self.clock.now();
        if now >= self.began + self.breaker.policy.slow {
            self.breaker.report(self.epoch, now, false);
            return;
        }
        let mut state = self.breaker.lock();
        if state.epoch == self.epoch
            && let Phase::HalfOpen { probing } = &mut state.phase
        {
            *probing = false;
        }
    }
}

fn seconds(now: Timestamp, until: Timestamp) -> u32 {
    u32::try_from(now.seconds_until(until)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
