//! The suite of stores of access tokens over each of them, and random sequences over PostgreSQL beside the reference.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use yaopai_core::ports::{Clock, SharedTokens};
use yaopai_core::time::Timestamp;
use yaopai_store::{ModelTokens, PostgresTokens};

use conformance::tokens::{KEY, LEASE, Shelf, digest, said, token};
use database::{PostgresHome, Server};

mod model {
    crate::conformance::tokens::tokens_suite!(super::Reference::default());
}

mod postgres {
    crate::conformance::tokens::tokens_suite!(crate::database::Server::start().home());
}

struct Manual(AtomicI64);

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Reference {
    clock: Arc<Manual>,
    store: ModelTokens,
}

impl Default for Reference {
    fn default() -> Self {
        let clock = Arc::new(Manual(AtomicI64::new(1_800_000_000_000)));
        Self { store: ModelTokens::new(Arc::clone(&clock) as _, ""), clock }
    }
}

#[async_trait]
impl Shelf for Reference {
    async fn connect(&self, node: &str) -> Arc<dyn SharedTokens> {
        Arc::new(self.store.of_node(node))
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

#[async_trait]
impl Shelf for PostgresHome {
    async fn connect(&self, node: &str) -> Arc<dyn SharedTokens> {
        Arc::new(PostgresTokens::open(&self.url, node).unwrap())
    }

    fn pass(&self, seconds: i64) {
        let ms = seconds * 1000;
        let all = |times: &str| {
            format!("{times} = ARRAY (SELECT at - {ms} FROM unnest({times}) WITH ORDINALITY AS t (at, n) ORDER BY n)")
        };
        self.server.sql(&format!(
            "UPDATE {}.platform_tokens SET refresh_at = refresh_at - {ms}, expires_at = expires_at - {ms}, \
             leased_until = leased_until - {ms}, dead_at = dead_at - {ms}, {}, {}",
            self.schema,
            all("replaced"),
            all("forced")
        ));
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Which node; and what it was refused.
    Ask(usize, Option<u8>),
    /// Which node, by its last lease, what it brings.
    Keep(usize, u8),
    Force(usize),
    GiveBack(usize),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let node = || 0..3usize;
    let step = prop_oneof![
        10 => (node(), prop::option::of(0..4u8)).prop_map(|(node, dead)| Step::Ask(node, dead)),
        6 => (node(), 0..4u8).prop_map(|(node, n)| Step::Keep(node, n)),
        2 => node().prop_map(Step::Force),
        2 => node().prop_map(Step::GiveBack),
        // No edge is a few seconds from a sum of these.
        4 => prop::sample::select(vec![45, 330, 6_440, 90_000]).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..50)
}

async fn alike(shelf: &dyn Shelf, steps: &[Step]) {
    let model = Reference::default();
    let mut pairs = Vec::new();
    for node in ["a", "b", "c"] {
        pairs.push((shelf.connect(node).await, model.connect(node).await, 0));
    }
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Ask(node, dead) => {
                let (store, reference, fence) = &mut pairs[node];
                let dead = dead.map(digest);
                let answer = store.ask(KEY, LEASE, dead).await.unwrap();
                let expected = said(&reference.ask(KEY, LEASE, dead).await.unwrap());
                assert_eq!(said(&answer), expected, "step {n}: {step:?}");
                if let conformance::tokens::Said::Yours(lease, _) = expected {
                    *fence = lease.fence;
                }
            }
            Step::Keep(node, number) => {
                let (store, reference, fence) = &pairs[node];
                let kept = store.keep(KEY, *fence, token(number)).await.unwrap();
                assert_eq!(kept, reference.keep(KEY, *fence, token(number)).await.unwrap(), "step {n}: {step:?}");
            }
            Step::Force(node) => {
                let (store, reference, fence) = &pairs[node];
                let forced = store.force(KEY, *fence, LEASE).await.unwrap();
                assert_eq!(forced, reference.force(KEY, *fence, LEASE).await.unwrap(), "step {n}: {step:?}");
            }
            Step::GiveBack(node) => {
                let (store, reference, fence) = &pairs[node];
                store.give_back(KEY, *fence).await.unwrap();
                reference.give_back(KEY, *fence).await.unwrap();
            }
            Step::Pass(seconds) => {
                shelf.pass(seconds);
                model.pass(seconds);
            }
        }
    }
}

#[test]
fn postgres_does_what_the_reference_does() {
    let server = Server::start();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok()).map_or(16, |n| n / 10 + 1);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let found = runner.run(&steps(), |steps| {
        let home = server.home();
        runtime.block_on(alike(&home, &steps));
        Ok(())
    });
    found.unwrap_or_else(|e| panic!("{e}"));
}

/// A token outlives PostgreSQL's own death, and a node goes on by itself when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_made_again() {
    let server = Server::start();
    let home = server.home();
    let a = Shelf::connect(&home, "a").await;
    let asked = a.ask(KEY, LEASE, None).await.unwrap();
    let conformance::tokens::Said::Yours(lease, None) = said(&asked) else { panic!("{asked:?}") };
    assert!(a.keep(KEY, lease.fence, token(1)).await.unwrap());
    server.kill();
    let error = a.ask(KEY, LEASE, None).await.unwrap_err();
    assert!(error.retry, "{error}");
    server.run();
    let mut asked = a.ask(KEY, LEASE, None).await;
    for _ in 0..50 {
        if asked.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        asked = a.ask(KEY, LEASE, None).await;
    }
    assert_eq!(said(&asked.unwrap()), conformance::tokens::Said::Good(1));
}
