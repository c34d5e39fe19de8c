//! A captured request sent again: at once, late, in parallel, over stops and crashes, from a phone whose clock is fast.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;

use super::{required, scene};
use crate::support::{Draft, Phone, Reply, TestApp, hours, minutes, seconds};

/// How many copies are sent in parallel.
const COPIES: usize = 1_000;

/// An accepted request: of the shop behind a proxy, and of the API.
async fn accepted(app: &TestApp, victim: &Phone) -> (Draft, Draft) {
    let order = victim.draft_for_shop("GET", "/orders", None);
    let read = victim.draft("GET", "/session", None);
    assert_eq!(order.check(app, "-").await.user(), "42");
    read.send(app).await.ok();
    (order, read)
}

/// Both are refused, and by nothing that ends a session. Answers how.
async fn refused(app: &TestApp, (order, read): &(Draft, Draft)) -> String {
    let at_check = order.check(app, "-").await.denied();
    assert_eq!(order.check_forward(app, "").await.denied(), at_check);
    assert_eq!(order.check_through_hyper(app, "-").await.denied(), at_check);
    assert!(at_check == "401 proof_replayed" || at_check == "401 proof_stale", "{at_check}");
    assert_eq!(read.send(app).await.refusal(), at_check);
    at_check
}

#[tokio::test]
async fn at_once_and_later() {
    let (app, victim) = scene().await;
    let seen = accepted(&app, &victim).await;
    for second in 0..=60 {
        assert_eq!(refused(&app, &seen).await, "401 proof_replayed", "after {second} s");
        app.clock.advance(seconds(1));
    }
    for _ in 0..200 {
        assert_eq!(refused(&app, &seen).await, "401 proof_stale");
        app.clock.advance(seconds(1));
    }
    assert_eq!(victim.check("-").await.user(), "42", "the session lives");
}

/// Two listeners' connections of the two kinds, and two checks: one memory.
#[tokio::test]
async fn by_another_way_in() {
    let (app, victim) = scene().await;
    let first = [Draft::check_once, Draft::forward_once, Draft::hyper_once];
    for (n, once) in first.into_iter().enumerate() {
        let order = victim.draft_for_shop("GET", "/orders", None);
        assert_eq!(once(&order, &app).await.user(), "42", "{n}");
        for again in first {
            assert_eq!(again(&order, &app).await.denied(), "401 proof_replayed", "{n}");
        }
    }
}

impl Draft {
    fn check_once<'a>(&'a self, app: &'a TestApp) -> futures_util::future::BoxFuture<'a, Reply> {
        Box::pin(self.check(app, "-"))
    }

    fn forward_once<'a>(&'a self, app: &'a TestApp) -> futures_util::future::BoxFuture<'a, Reply> {
        Box::pin(self.check_forward(app, ""))
    }

    fn hyper_once<'a>(&'a self, app: &'a TestApp) -> futures_util::future::BoxFuture<'a, Reply> {
        Box::pin(self.check_through_hyper(app, "-"))
    }
}

#[tokio::test]
async fn after_stops_in_order() {
    let (mut app, victim) = scene().await;
    let seen = accepted(&app, &victim).await;
    for down in [0, 1, 20, 20] {
        app.restart_after(seconds(down)).await;
        assert_eq!(refused(&app, &seen).await, "401 proof_replayed", "{down}");
    }
    app.restart_after(seconds(20)).await;
    assert_eq!(refused(&app, &seen).await, "401 proof_stale");
    assert_eq!(victim.check("-").await.user(), "42");
}

/// What was kept counts once: after a crash it is not what was last known.
#[tokio::test]
async fn after_a_stop_in_order_and_a_crash() {
    let (mut app, victim) = scene().await;
    let before = accepted(&app, &victim).await;
    app.restart_after(seconds(0)).await;
    let after = accepted(&app, &victim).await;
    app.crash().await;
    for _ in 0..70 {
        refused(&app, &before).await;
        refused(&app, &after).await;
        app.clock.advance(seconds(1));
    }
    let before = accepted(&app, &victim).await;
    app.restart_after(seconds(0)).await;
    // Nothing was accepted between the start and the crash.
    app.crash().await;
    for _ in 0..70 {
        refused(&app, &before).await;
        app.clock.advance(seconds(1));
    }
}

#[tokio::test]
async fn after_a_crash() {
    let (mut app, victim) = scene().await;
    // Up to the last request that the lease covered, and signed as far ahead as may be.
    let mut seen = Vec::new();
    for ahead in [0, 5, -50, 5] {
        victim.set_clock_ahead(ahead);
        seen.push(accepted(&app, &victim).await);
        app.clock.advance(seconds(2));
    }
    app.crash().await;
    for second in 0..75 {
        for seen in &seen {
            assert_eq!(refused(&app, seen).await, "401 proof_stale", "after {second} s");
        }
        app.clock.advance(seconds(1));
    }
    victim.set_clock_ahead(0);
    assert_eq!(victim.check("-").await.user(), "42");
}

/// The machine's clock is set back while the server is down, so that the captured request is of now again.
#[tokio::test]
async fn with_the_clock_set_back() {
    for crash in [true, false] {
        let (mut app, victim) = scene().await;
        let seen = accepted(&app, &victim).await;
        for _ in 0..3 {
            app.clock.advance(minutes(20));
            assert_eq!(victim.check("-").await.user(), "42");
        }
        app.upkeep().await;
        if crash {
            app.crash_with_clock_set_back(hours(1)).await;
        } else {
            app.stop().await;
            app.clock.set_back(hours(1));
            app.try_start().await.unwrap();
        }
        for _ in 0..70 {
            assert_eq!(refused(&app, &seen).await, "401 proof_stale", "{crash}");
            app.clock.advance(seconds(1));
        }
        // The honest phone, whose clock is right, goes by the server's.
        let told = victim.check("-").await;
        assert_eq!(told.denied(), "401 proof_stale", "{crash}");
        victim.set_clock_ahead(3600);
        assert_eq!(victim.check("-").await.user(), "42", "{crash}");
        for _ in 0..7 {
            app.clock.advance(minutes(10));
            assert_eq!(refused(&app, &seen).await, "401 proof_stale", "{crash}");
            assert_eq!(victim.check("-").await.user(), "42", "{crash}");
        }
    }
}

/// The phone is ahead: its signature is good for as long after the server's clock gets there.
#[tokio::test]
async fn from_a_phone_whose_clock_is_fast() {
    let (app, victim) = scene().await;
    victim.set_clock_ahead(6);
    let too_far = victim.draft_for_shop("GET", "/orders", None);
    assert_eq!(too_far.check(&app, "-").await.denied(), "401 proof_stale");
    victim.set_clock_ahead(5);
    let seen = accepted(&app, &victim).await;
    for second in 0..=65 {
        assert_eq!(refused(&app, &seen).await, "401 proof_replayed", "after {second} s");
        app.clock.advance(seconds(1));
    }
    assert_eq!(refused(&app, &seen).await, "401 proof_stale");
}

/// What was refused for being ahead was not accepted: its time comes, once.
#[tokio::test]
async fn what_was_too_far_ahead_passes_once() {
    let (app, victim) = scene().await;
    victim.set_clock_ahead(6);
    let order = victim.draft_for_shop("GET", "/orders", None);
    assert_eq!(order.check(&app, "-").await.denied(), "401 proof_stale");
    app.clock.advance(seconds(1));
    assert_eq!(order.check(&app, "-").await.user(), "42");
    assert_eq!(order.check(&app, "-").await.denied(), "401 proof_replayed");
}

/// Of how many copies that are sent at a time which were how answered.
async fn at_a_time<F: Future<Output = Reply>>(one: impl Fn(usize) -> F) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    let mut sent = futures_util::stream::iter(0..COPIES).map(one).buffer_unordered(128);
    while let Some(reply) = sent.next().await {
        let answer = if reply.status == 200 { "200".to_owned() } else { reply.refusal() };
        *answers.entry(answer).or_default() += 1;
    }
    answers
}

fn one_of_all() -> BTreeMap<String, usize> {
    BTreeMap::from([("200".to_owned(), 1), ("401 proof_replayed".to_owned(), COPIES - 1)])
}

/// All in the same millisecond, since the clock stands still.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_a_time() {
    let (app, victim) = scene().await;
    // As the first request after a start, which has to be leased: and as any other.
    for _ in 0..2 {
        let order = victim.draft_for_shop("GET", "/orders", None);
        let (app, order) = (&app, &order);
        let answers = at_a_time(|n| async move {
            match n % 3 {
                0 => order.check(app, "-").await,
                1 => order.check_forward(app, "").await,
                _ => order.check_through_hyper(app, "-").await,
            }
        });
        assert_eq!(answers.await, one_of_all());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_a_time_at_the_api() {
    let app = required().await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    for _ in 0..2 {
        let read = victim.draft("GET", "/session", None);
        let (app, read) = (&app, &read);
        assert_eq!(at_a_time(|_| read.send(app)).await, one_of_all());
    }
}

/// Sessions that the table doesn't hold are proved elsewhere, by the same memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_a_time_past_the_table() {
    let tables = "[live]\nmax_sessions = 1\nflush_interval = 300";
    let app = TestApp::with(crate::support::Setup { tables, ..Default::default() }).await;
    app.customer("xiaoming", "666").log_in().await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    let order = victim.draft_for_shop("GET", "/orders", None);
    let (app, order) = (&app, &order);
    assert_eq!(at_a_time(|_| order.check(app, "-")).await, one_of_all());
}
