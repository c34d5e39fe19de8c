//! The way of an app's requests to its platform: so many at a time, a bounded queue before it, a breaker in front.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use yaopai_core::ports::{Clock, PlatformError};

use crate::breaker::{Breaker, BreakerPolicy, Change, Permit, Refused};

/// How many requests of one app and kind may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanePolicy {
    /// At a time.
    pub concurrent: usize,
    /// Waiting for their turn; one more is refused at once.
    pub waiting: usize,
    /// The longest wait for a turn.
    pub wait: Duration,
}

impl Default for LanePolicy {
    fn default() -> Self {
        Self { concurrent: 64, waiting: 256, wait: Duration::from_secs(1) }
    }
}

/// One lane.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Who is under way or waiting.
    places: Semaphore,
    /// Who is under way.
    turns: Semaphore,
    wait: Duration,
    breaker: Breaker,
}

/// Leave to send one request.
pub(crate) struct Pass<'a> {
    permit: Permit<'a>,
    _turn: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Lane {
    pub fn new(policy: LanePolicy, breaker: BreakerPolicy) -> Self {
        let concurrent = policy.concurrent.clamp(1, Semaphore::MAX_PERMITS / 2);
        let places = concurrent + policy.waiting.min(Semaphore::MAX_PERMITS / 2);
        Self {
            places: Semaphore::new(places),
            turns: Semaphore::new(concurrent),
            wait: policy.wait,
            breaker: Breaker::new(breaker),
        }
    }

    /// Waits for a turn. The breaker is asked before the wait, to fail at once, and after it, because it may have opened.
    pub async fn enter<'a>(&'a self, clock: &'a dyn Clock) -> Result<Pass<'a>, PlatformError> {
        self.breaker.peek(clock.now()).map_err(open)?;
        let place = self.places.try_acquire().map_err(|_| crowded())?;
        let turn = match tokio::time::timeout(self.wait, self.turns.acquire()).await {
            Ok(Ok(turn)) => turn,
            _ => return Err(crowded()),
        };
        let permit = self.breaker.admit(clock).map_err(open)?;
        Ok(Pass { permit, _turn: turn, _place: place })
    }
}

impl Pass<'_> {
    /// Says whether the platform is up, as far as this request can tell.
    pub fn report(self, up: bool) -> Change {
        if up { self.permit.up() } else { self.permit.down() }
    }
}

fn open(refused: Refused) -> PlatformError {
    PlatformError::NotReached { retry_after: refused.retry_after, what: "the circuit breaker is open".into() }
}

fn crowded() -> PlatformError {
    PlatformError::NotReached { retry_after: 1, what: "too many requests of this app are under way".into() }
}
