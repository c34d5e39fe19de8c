//! Timers that are lent. tokio takes a lock to put a timer among the others, and again to take it away, for a request that is nearly
//! always answered long before; to move one on that is there already needs none.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::pace::now;

/// Those that nobody waits for: as many as have been waited for at a time.
#[derive(Default)]
pub struct Timers(Mutex<Vec<Pin<Box<Sleep>>>>);

impl Timers {
    /// One that runs from now on.
    pub fn lend(&self, time: Duration) -> Lent<'_> {
        let timer = self.lock().pop().unwrap_or_else(|| Box::pin(sleep(time)));
        let mut lent = Lent { timer: Some(timer), of: self };
        lent.again(time);
        lent
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pin<Box<Sleep>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A timer until it is dropped.
pub struct Lent<'a> {
    /// There until then.
    timer: Option<Pin<Box<Sleep>>>,
    of: &'a Timers,
}

impl Lent<'_> {
    /// From now on, for so long.
    pub fn again(&mut self, time: Duration) {
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(now() + time);
        }
    }

    /// Has the time come?
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().map_or(Poll::Pending, |timer| timer.as_mut().poll(cx))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.of.lock().push(timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn one_that_was_lent_before_runs_for_the_time_of_who_has_it_now() {
        let timers = Timers::default();
        for (time, waits) in [(10, true), (60, false), (5, true), (7, true), (70, true)] {
            let (mut lent, begun) = (timers.lend(time * SECOND), now());
            assert!(timers.lock().is_empty(), "the same one");
            if waits {
                poll_fn(|cx| lent.poll(cx)).await;
                assert_eq!((now() - begun).as_secs(), u64::from(time));
            } else {
                assert!(tokio::time::timeout(SECOND, poll_fn(|cx| lent.poll(cx))).await.is_err());
            }
        }
        let (one, two) = (timers.lend(SECOND), timers.lend(SECOND));
        drop((one, two));
        assert_eq!(timers.lock().len(), 2);
    }
}
