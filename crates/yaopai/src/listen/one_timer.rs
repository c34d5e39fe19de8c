//! hyper asks for a timer for the head of each request and drops it once the head is there, which is nearly always at once: for each
//! request tokio then takes its lock twice, to put a timer among the others and to take it away. A connection waits for one head at
//! a time, so it has one timer, which is moved on, and that needs no lock.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// The timer of a connection on which never two are waited for at a time.
#[derive(Clone)]
pub(super) struct OneTimer(Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>);

impl OneTimer {
    /// Nobody waits for it yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Box::pin(tokio::time::sleep(Duration::ZERO)))))
    }

    fn lock(&self) -> MutexGuard<'_, Pin<Box<tokio::time::Sleep>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer for OneTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.lock().as_mut().reset(deadline.into());
        Box::pin(Waiting(self.clone()))
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}

/// What hyper waits for.
struct Waiting(OneTimer);

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.lock().as_mut().poll(cx)
    }
}

impl Sleep for Waiting {}
