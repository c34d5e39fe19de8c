//! More signed requests than anybody honest sends, by somebody with a key, and copies of others'.

use futures_util::StreamExt as _;

use super::{scene, thief};
use crate::support::{Draft, Phone, Setup, TestApp, seconds};

/// What a session may send in a minute.
const PER_MINUTE: usize = 3_000;

/// How many of so many fresh requests pass, and how the last that didn't was refused.
async fn flood(app: &TestApp, phone: &Phone, count: usize) -> (usize, Option<crate::support::Reply>) {
    let drafts: Vec<Draft> = (0..count).map(|_| phone.draft_for_shop("GET", "/orders", None)).collect();
    let mut replies = futures_util::stream::iter(&drafts).map(|draft| draft.check(app, "-")).buffer_unordered(64);
    let (mut passed, mut refused) = (0, None);
    while let Some(reply) = replies.next().await {
        if reply.status == 200 {
            passed += 1;
        } else {
            refused = Some(reply);
        }
    }
    (passed, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn by_one_session() {
    let (app, victim) = scene().await;
    let thief = thief(&app).await;
    let (passed, refused) = flood(&app, &thief, PER_MINUTE + 100).await;
    let refused = refused.unwrap();
    assert_eq!((passed, refused.denied().as_str()), (PER_MINUTE, "429 rate_limited"));
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert_eq!(thief.read().await.refusal(), "429 rate_limited", "at the API too");
    assert_eq!(victim.check("-").await.user(), "42");
    victim.read().await.ok();
    // A refresh and a step-up make no new entry of it.
    app.upkeep().await;
    assert_eq!(thief.check("-").await.denied(), "429 rate_limited");
    app.clock.advance(seconds(60));
    assert_eq!(thief.check("-").await.user(), "666", "the session lives");
}

/// Copies of the victim's requests, fresh and old, must not count against the victim: they would be kept out by what they had
/// sent themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_of_a_request_use_nothing_up() {
    let (app, victim) = scene().await;
    let old = victim.draft_for_shop("GET", "/orders", None);
    assert_eq!(old.check(&app, "-").await.user(), "42");
    app.clock.advance(seconds(120));
    let seen = victim.draft_for_shop("GET", "/orders", None);
    assert_eq!(seen.check(&app, "-").await.user(), "42");
    for (copy, refused) in [(&seen, "401 proof_replayed"), (&old, "401 proof_stale")] {
        let mut replies =
            futures_util::stream::iter(0..PER_MINUTE + 100).map(|_| copy.check(&app, "-")).buffer_unordered(64);
        while let Some(reply) = replies.next().await {
            assert_eq!(reply.denied(), refused);
        }
    }
    assert_eq!(victim.check("-").await.user(), "42");
    victim.read().await.ok();
}

/// A full room refuses. It forgets nothing to make room.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_room_of_nonces() {
    let tables = "[live]\nmax_nonces = 10000\nflush_interval = 300";
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", tables, ..Setup::default() }).await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    let seen: Vec<Draft> = (0..20).map(|_| victim.draft_for_shop("GET", "/orders", None)).collect();
    for draft in &seen {
        assert_eq!(draft.check(&app, "-").await.user(), "42");
    }
    let mut passed = seen.len();
    let mut full = None;
    for _ in 0..2 {
        let thief = thief(&app).await;
        let (more, refused) = flood(&app, &thief, PER_MINUTE - 100).await;
        passed += more;
        full = refused.or(full);
    }
    let full = full.unwrap();
    assert_eq!((full.denied().as_str(), full.header("retry-after")), ("503 unavailable", Some("5")));
    assert!((3_500..=5_000).contains(&passed), "{passed}");
    // Nothing that was accepted is accepted again.
    for draft in &seen {
        assert_eq!(draft.check(&app, "-").await.denied(), "401 proof_replayed");
    }
    let read = victim.draft("GET", "/session", None);
    let reply = read.send(&app).await;
    assert!(reply.status == 200 || reply.refusal() == "503 unavailable", "{}", reply.text);
    // Old ones go with their time.
    app.clock.advance(seconds(132));
    assert_eq!(victim.check("-").await.user(), "42");
    for draft in &seen {
        assert_eq!(draft.check(&app, "-").await.denied(), "401 proof_stale");
    }
}
