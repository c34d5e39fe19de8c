use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

struct Manual(AtomicI64);

impl Manual {
    fn forward(&self, d: Duration) {
        self.0.fetch_add(i64::try_from(d.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

const S: fn(u64) -> Duration = Duration::from_secs;

fn breaker() -> (Breaker, Manual) {
    (Breaker::new(BreakerPolicy { failures: 3, ..BreakerPolicy::default() }), Manual(AtomicI64::new(1_000_000)))
}

fn opened() -> (Breaker, Manual) {
    let (b, clock) = breaker();
    for _ in 0..3 {
        b.admit(&clock).ok().unwrap().down();
    }
    (b, clock)
}

fn refusal(b: &Breaker, clock: &Manual) -> Option<u32> {
    b.admit(clock).err().map(|r| r.retry_after)
}

#[test]
fn opens_after_so_many_failures_in_a_row() {
    let (b, clock) = breaker();
    for up in [false, false, true, false, false] {
        let permit = b.admit(&clock).ok().unwrap();
        if up {
            permit.up()
        } else {
            permit.down()
        };
    }
    assert_eq!(refusal(&b, &clock), None, "a success in between starts the count anew");
    assert_eq!(b.admit(&clock).ok().unwrap().down(), Change::Opened { seconds: 5 });
    assert_eq!(refusal(&b, &clock), Some(5));
    assert_eq!(b.peek(clock.now()), Err(Refused { retry_after: 5 }));
}

#[test]
fn old_failures_do_not_count() {
    let (b, clock) = breaker();
    for _ in 0..10 {
        assert_eq!(b.admit(&clock).ok().unwrap().down(), Change::None);
        clock.forward(S(16));
    }
}

#[test]
fn one_probe_at_a_time_and_its_failure_doubles_the_pause() {
    let (b, clock) = opened();
    for pause in [5, 10, 20, 40, 60, 60] {
        clock.forward(S(pause) - Duration::from_millis(1));
        assert_eq!(refusal(&b, &clock), Some(1));
        clock.forward(Duration::from_millis(1));
        let probe = b.admit(&clock).ok().unwrap();
        assert_eq!(refusal(&b, &clock), Some(1), "a second request beside the probe");
        assert!(matches!(probe.down(), Change::Opened { .. }));
    }
    clock.forward(S(60));
    assert_eq!(b.admit(&clock).ok().unwrap().up(), Change::Closed);
    let (first, second) = (b.admit(&clock), b.admit(&clock));
    assert!(first.is_ok() && second.is_ok());
}

#[test]
fn a_probe_given_up_makes_room_for_the_next() {
    let (b, clock) = opened();
    clock.forward(S(5));
    drop(b.admit(&clock).ok().unwrap());
    assert!(b.admit(&clock).is_ok());
    // Given up after a long wait it is a failure.
    let probe = b.admit(&clock).ok().unwrap();
    clock.forward(S(2));
    drop(probe);
    assert_eq!(refusal(&b, &clock), Some(10));
}

#[test]
fn requests_of_an_earlier_phase_change_nothing() {
    let (b, clock) = breaker();
    let (late_success, late_failure) = (b.admit(&clock).ok().unwrap(), b.admit(&clock).ok().unwrap());
    for _ in 0..3 {
        b.admit(&clock).ok().unwrap().down();
    }
    assert_eq!(late_success.up(), Change::None);
    assert_eq!(refusal(&b, &clock), Some(5), "an old success closes nothing");
    clock.forward(S(5));
    let probe = b.admit(&clock).ok().unwrap();
    assert_eq!(late_failure.down(), Change::None, "an old failure reopens nothing");
    assert_eq!(probe.up(), Change::Closed);
}

#[test]
fn callers_that_lose_patience_open_it_too() {
    let (b, clock) = breaker();
    for _ in 0..3 {
        let permit = b.admit(&clock).ok().unwrap();
        clock.forward(S(3));
        drop(permit);
    }
    assert_eq!(refusal(&b, &clock), Some(5));
}
