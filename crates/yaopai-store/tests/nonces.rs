//! The suites of stores of nonces and of tries over each of them, and random sequences over each beside the reference.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use yaopai_core::ports::{Clock, Shared, Used};
use yaopai_core::time::Timestamp;
use yaopai_store::ModelShared;

use conformance::shared::{Place, seconds, used};
use database::Server;
use database::redis::Redis;

mod model {
    crate::conformance::shared::shared_suite!(super::Reference::default());
    crate::conformance::tries::tries_suite!(super::Reference::default());
}

mod redis {
    crate::conformance::shared::shared_suite!(crate::database::redis::Redis::start());
    crate::conformance::tries::tries_suite!(crate::database::redis::Redis::start());
}

mod postgres {
    crate::conformance::shared::shared_suite!(crate::database::Server::start().home());
    crate::conformance::tries::tries_suite!(crate::database::Server::start().home());
}

struct Manual(AtomicI64);

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Reference {
    clock: Arc<Manual>,
    store: ModelShared,
}

impl Default for Reference {
    fn default() -> Self {
        let clock = Arc::new(Manual(AtomicI64::new(1_800_000_000_000)));
        Self { store: ModelShared::new(Arc::clone(&clock) as _), clock }
    }
}

impl Reference {
    /// A new connection, which has asked something.
    fn another(&self) -> ModelShared {
        let store = self.store.clone();
        let asked = pin!(store.first_use(used(0, 0))).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(asked, Poll::Ready(Ok(_))), "it never waits");
        store
    }
}

#[async_trait]
impl Place for Reference {
    async fn connect(&self) -> Arc<dyn Shared> {
        Arc::new(self.another())
    }

    fn now(&self) -> i64 {
        self.clock.now().0
    }

    fn age(&self, ms: i64) {
        self.store.age(ms);
    }

    fn hold(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        self.another();
        self.clock.0.fetch_sub(ms, Ordering::SeqCst);
    }

    fn forget(&self) {
        self.store.forget();
    }

    fn fill(&self, slot_ms: i64) {
        self.store.fill(slot_ms);
    }

    async fn pass(&self, ms: u64) {
        self.clock.0.fetch_add(ms.cast_signed(), Ordering::SeqCst);
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// By which connection, which nonce, signed when.
    Use(bool, u16, i64),
    Age(i64),
    Hold(i64),
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let when = prop::sample::select(vec![-500, -200, -50, -20, -3, 0, 0, 0, 3, 14, 40, 300]);
    let step = prop_oneof![
        40 => (any::<bool>(), 0..8u16, when).prop_map(|(other, n, when)| Step::Use(other, n, when)),
        3 => prop::sample::select(vec![17_000, 48_000]).prop_map(Step::Age),
        1 => Just(Step::Hold(15_000)),
        2 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..60)
}

/// What an answer says, but for the instant: two clocks.
fn said(answer: Used) -> Used {
    match answer {
        Used::Unknown(Some(_)) => Used::Unknown(Some(Timestamp(0))),
        other => other,
    }
}

async fn alike(place: &dyn Place, steps: &[Step]) {
    let model = Reference::default();
    let stores = [place.connect().await, place.connect().await];
    let references = [model.connect().await, model.connect().await];
    let (here, there) = (seconds(place), seconds(&model));
    let mut held = false;
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Use(other, nonce, when) => {
                let answer = stores[usize::from(other)].first_use(used(nonce, here + when)).await.unwrap();
                let expected = references[usize::from(other)].first_use(used(nonce, there + when)).await.unwrap();
                assert_eq!(said(answer), said(expected), "step {n}: {step:?}");
            }
            Step::Age(ms) => [place, &model].into_iter().for_each(|place| place.age(ms)),
            // Once. More of them, and the first nonces may be forgotten: earlier in one store than in another.
            Step::Hold(ms) if !held => {
                held = true;
                [place, &model].into_iter().for_each(|place| place.hold(ms));
            }
            Step::Hold(_) => {}
            Step::Forget => {
                for place in [place, &model] {
                    place.forget();
                    // Whoever comes next begins anew.
                    place.connect().await;
                }
            }
        }
    }
}

fn check<P: Place>(cases: u32, place: impl Fn() -> P) {
    let many = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok());
    let cases = many.map_or(cases, |many| many / 10 + 1);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let found = runner.run(&steps(), |steps| {
        let place = place();
        runtime.block_on(alike(&place, &steps));
        Ok(())
    });
    found.unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn redis_does_what_the_reference_does() {
    let server = Redis::start();
    check(40, || {
        server.forget();
        Arc::clone(&server)
    });
}

#[test]
fn postgres_does_what_the_reference_does() {
    let server = Server::start();
    check(16, || server.home());
}

fn check_tries<P: Place>(cases: u32, place: impl Fn() -> P) {
    let many = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok());
    let cases = many.map_or(cases, |many| many / 10 + 1);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let step = (any::<bool>(), 0..3u8, 0..6u16, 1..5u32, prop::bool::weighted(0.3));
    let found = runner.run(&prop::collection::vec(step, 1..60), |steps| {
        let place = place();
        runtime.block_on(conformance::tries::alike(&place, &Reference::default(), &steps));
        Ok(())
    });
    found.unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn redis_counts_as_the_reference_does() {
    let server = Redis::start();
    check_tries(40, || {
        server.forget();
        Arc::clone(&server)
    });
}

#[test]
fn postgres_counts_as_the_reference_does() {
    let server = Server::start();
    check_tries(8, || server.home());
}
