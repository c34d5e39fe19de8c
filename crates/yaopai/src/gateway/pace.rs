//! How slowly a client may send or take a body. It may stand still for a while, and be slow for a while, but not for ever: all the
//! time it holds a place at the upstream, which is somebody else's then.
//!
//! What is counted is the time in which we wait for the client, and no other: an upstream that stands still, as events do, costs it
//! nothing. The client begins with [`Pace::idle`] of it. Each byte gains a little, as much as it takes at [`Pace::min_rate`]; nothing
//! is saved up beyond `idle`, or a fast beginning would pay for hours.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A time that no clock of ours counts to, and that can still be added to an instant.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How slow is too slow.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a body may stand still.
    pub idle: Duration,
    /// Bytes a second, on the whole; 0: any.
    pub min_rate: u64,
}

/// What is left of the time that one side may make us wait.
#[derive(Debug)]
pub struct Patience {
    pace: Pace,
    left: Duration,
}

/// Now, by the clock of the timers: time-outs are by it, and a test can hold it.
#[allow(clippy::disallowed_methods, reason = "what is measured is compared with timers, which go by no other clock")]
pub fn now() -> Instant {
    Instant::now()
}

impl Patience {
    pub fn new(pace: Pace) -> Self {
        Self { pace, left: pace.idle }
    }

    /// How long it may make us wait from now on.
    pub fn left(&self) -> Duration {
        self.left
    }

    /// It made us wait for so long.
    pub fn waited(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// So many bytes came: nothing gains nothing, and what is gained may be too much to be kept.
    pub fn came(&mut self, bytes: usize) {
        self.went(bytes);
        self.left = self.left.min(self.pace.idle);
    }

    /// So many bytes went to it. It may take the time that they need, however many they are.
    pub fn went(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let count = u64::try_from(bytes).unwrap_or(u64::MAX);
        let left = match count.saturating_mul(1000).checked_div(self.pace.min_rate) {
            // Each of them may take as long as a body may stand still.
            None => self.pace.idle.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX)),
            Some(gained) => self.left.min(self.pace.idle).saturating_add(Duration::from_millis(gained)),
        };
        self.left = left.min(FOREVER);
    }
}

/// The same for who is waited for inside a poll.
pub struct Waiting {
    patience: Patience,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub fn new(pace: Pace) -> Self {
        Self { patience: Patience::new(pace), timer: None }
    }

    /// Asked while nothing comes; from the first time on the time runs.
    pub fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let left = self.patience.left();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
        matches!(timer.as_mut().poll(cx), Poll::Ready(()))
    }

    /// So many bytes came.
    pub fn came(&mut self, bytes: usize) {
        if let Some(timer) = self.timer.take() {
            let left = timer.deadline().saturating_duration_since(now());
            self.patience.waited(self.patience.left().saturating_sub(left));
        }
        self.patience.came(bytes);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Pace = Pace { idle: Duration::from_secs(60), min_rate: 500 };

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_tunnel_is_forgiven_and_a_drip_is_not() {
        let mut phone = Patience::new(PACE);
        phone.waited(seconds(59));
        phone.came(20_000);
        assert_eq!(phone.left(), seconds(41), "a moment of a bad network makes up for most of it");
        let mut drip = Patience::new(PACE);
        for _ in 0..3 {
            drip.waited(seconds(20));
            drip.came(1);
        }
        assert!(drip.left() < seconds(1));
    }

    #[test]
    fn nothing_is_saved_up() {
        let mut sender = Patience::new(PACE);
        sender.came(1_000_000_000);
        assert_eq!(sender.left(), seconds(60));
        sender.came(0);
        assert_eq!(sender.left(), seconds(60));
        // What was handed out in one piece takes its time, but once.
        let mut reader = Patience::new(PACE);
        reader.went(65_536);
        reader.went(500);
        assert_eq!(reader.left(), seconds(61));
    }

    #[test]
    fn without_a_rate_any_byte_will_do() {
        let mut any = Patience::new(Pace { min_rate: 0, ..PACE });
        for bytes in [1, 1_000_000] {
            any.waited(seconds(59));
            any.came(0);
            assert_eq!(any.left(), seconds(1));
            any.came(bytes);
            assert_eq!(any.left(), seconds(60));
        }
        // Of what was handed out in one piece each byte will do, and the last of them is as good as the first.
        any.went(1_000);
        assert_eq!(any.left(), seconds(60_000));
        any.went(usize::MAX);
        assert!(any.left() >= seconds(60) && (now() + any.left()) > now(), "a time that can be waited for");
    }

    proptest! {
        /// However it divides them up: nobody holds us for longer than `idle` and what its bytes are worth, and who keeps to the rate
        /// and never stands still for long is never given up.
        #[test]
        fn who_is_given_up_and_who_is_not(steps in prop::collection::vec((0u64..40_000, 0usize..30_000), 1..100)) {
            let mut patience = Patience::new(PACE);
            let (mut waited, mut bytes) = (0, 0);
            for (pause, piece) in &steps {
                patience.waited(Duration::from_millis(*pause));
                waited += pause;
                if patience.left().is_zero() {
                    break;
                }
                prop_assert!(waited <= 60_000 + bytes * 2, "{} ms for {} bytes", waited, bytes);
                patience.came(*piece);
                bytes += *piece as u64;
            }
            let mut honest = Patience::new(PACE);
            for (pause, _) in &steps {
                honest.waited(Duration::from_millis(*pause));
                prop_assert!(!honest.left().is_zero());
                honest.came(usize::try_from(pause / 2 + 1).unwrap());
            }
        }
    }
}
