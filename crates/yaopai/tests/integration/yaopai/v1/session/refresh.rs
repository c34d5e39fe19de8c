//! `POST /yaopai/v1/session/refresh`

use std::collections::HashSet;

use insta::assert_snapshot;

use crate::support::{Phone, TestApp, minutes, raw, seconds};

async fn logged_in() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

/// Refreshes and uses the new token. Answers the old and the new one.
async fn refreshed(phone: &Phone, word: &str) -> (String, String) {
    let old = phone.token();
    let new = phone.refresh(word).await.field("token");
    phone.hold(&new);
    assert_eq!(phone.check("-").await.user(), "42");
    (old, new)
}

#[tokio::test]
async fn a_refresh_hands_out_a_new_token() {
    let (app, phone) = logged_in().await;
    let id = phone.read().await.field("session_id");
    app.clock.advance(minutes(20));
    let reply = phone.refresh("r").await;
    assert_snapshot!(reply.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 603600,
      "bound": true,
      "user": "42",
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:20:00.000Z"
    }
    "#);
    assert_ne!(reply.field("token"), phone.token());
    assert_eq!(reply.field("session_id"), id, "the session stays the same");
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let (app, phone) = logged_in().await;
    let lost = phone.refresh("r").await.field("token");
    assert_eq!(phone.check("-").await.user(), "42", "the old token passes until the new one is used");
    app.clock.advance(seconds(5));
    assert_eq!(phone.refresh("r").await.field("token"), lost, "the same request, the same token");
    assert_eq!(phone.check_as(&lost, "-").await.user(), "42");
    // Used, and the answer to the repeated request lost again: for 30 s it is still told.
    app.clock.advance(seconds(30));
    assert_eq!(phone.refresh("r").await.field("token"), lost);
    app.clock.advance(seconds(1));
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_superseded");
    assert_eq!(phone.check_as(&lost, "-").await.user(), "42", "and no theft is seen in it");
}

#[tokio::test]
async fn there_are_four_successors_at_most() {
    let (app, phone) = logged_in().await;
    let mut successors = Vec::new();
    for n in 0..7 {
        successors.push(phone.refresh(&format!("r{n}")).await.field("token"));
    }
    assert_eq!(successors.iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(successors[3..].iter().collect::<HashSet<_>>().len(), 1, "after that, the last again");
    // All of them are good until one is used; then the others pass for 30 s.
    assert_eq!(phone.check_as(&successors[1], "-").await.user(), "42");
    app.clock.advance(seconds(30));
    for token in &successors {
        assert_eq!(phone.check_as(token, "-").await.user(), "42");
    }
    app.clock.advance(seconds(1));
    for token in [&successors[0], &successors[2], &successors[3], &phone.token()] {
        assert_eq!(phone.check_as(token, "-").await.denied(), "401 session_superseded");
    }
    assert_eq!(phone.check_as(&successors[1], "-").await.user(), "42");
}

/// Confirming is durable before the answer, and nothing else about a check writes.
#[tokio::test]
async fn the_first_use_of_a_token_is_the_only_write_of_a_check() {
    let (app, phone) = logged_in().await;
    let successor = phone.refresh("r").await.field("token");
    let before = app.state();
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(app.state(), before, "a check writes nothing");
    assert_eq!(phone.check_as(&successor, "-").await.user(), "42");
    let confirmed = app.state();
    assert_ne!(confirmed, before, "but for the first use of a new secret");
    assert_eq!(phone.check_as(&successor, "-").await.user(), "42");
    assert_eq!(app.state(), confirmed);
}

#[tokio::test]
async fn the_old_token_passes_for_thirty_seconds() {
    let (app, phone) = logged_in().await;
    let (old, new) = refreshed(&phone, "r").await;
    app.clock.advance(seconds(30));
    assert_eq!(phone.check_as(&old, "-").await.user(), "42");
    app.clock.advance(seconds(1));
    assert_eq!(phone.check_as(&old, "-").await.denied(), "401 session_superseded");
    assert_eq!(phone.call_as(&old, "GET", "/session", None).await.refusal(), "401 session_superseded");
    assert_eq!(phone.check_as(&new, "-").await.user(), "42");
}

/// Both the thief and the client have the retired token; whoever refreshes with it under a new request, the session ends.
#[tokio::test]
async fn theft_ends_the_session_for_everyone() {
    let (app, phone) = logged_in().await;
    let (stolen, new) = refreshed(&phone, "r").await;
    app.clock.advance(seconds(31));
    assert_eq!(phone.refresh_as(&stolen, "thief").await.refusal(), "401 session_reused");
    for token in [&stolen, &new] {
        assert_eq!(phone.check_as(token, "-").await.denied(), "401 session_reused");
        assert_eq!(phone.call_as(token, "GET", "/session", None).await.refusal(), "401 session_reused");
        assert_eq!(phone.refresh_as(token, "later").await.refusal(), "401 session_reused");
    }
    assert_eq!(app.state()["sessions"].iter().filter(|row| row.contains("reused")).count(), 1);
    // The user's other sessions are none of it.
    let other = app.phone("lilei");
    other.log_in().await;
    assert_eq!(other.check("-").await.user(), "42");
}

#[tokio::test]
async fn theft_is_seen_many_refreshes_later() {
    let (app, phone) = logged_in().await;
    let stolen = phone.token();
    for n in 0..20 {
        app.clock.advance(minutes(20));
        refreshed(&phone, &format!("r{n}")).await;
    }
    assert_eq!(phone.check_as(&stolen, "-").await.denied(), "401 session_superseded");
    assert_eq!(phone.refresh_as(&stolen, "thief").await.refusal(), "401 session_reused");
    assert_eq!(phone.check("-").await.denied(), "401 session_reused");
}

#[tokio::test]
async fn a_secret_that_was_never_issued_changes_nothing() {
    let (app, phone) = logged_in().await;
    refreshed(&phone, "r").await;
    app.clock.advance(minutes(1));
    let before = app.state();
    let forged = raw::forged_token(&phone.token());
    assert_eq!(phone.refresh_as(&forged, "guess").await.refusal(), "401 session_unknown");
    assert_eq!(phone.check_as(&forged, "-").await.denied(), "401 session_unknown");
    assert_eq!(app.state(), before);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Ten requests of one page notice at once that it is time, each under a request id of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_refreshes_log_nobody_out() {
    let (app, phone) = logged_in().await;
    for round in 0..5 {
        let words: Vec<String> = (0..10).map(|n| format!("r{round}-{n}")).collect();
        let replies = futures_util::future::join_all(words.iter().map(|word| phone.refresh(word))).await;
        let tokens: HashSet<String> = replies.iter().map(|r| r.field("token")).collect();
        assert!(tokens.len() <= 4, "{}", tokens.len());
        let tokens: Vec<String> = tokens.into_iter().collect();
        let checks = futures_util::future::join_all(tokens.iter().map(|t| phone.check_as(t, "-"))).await;
        checks.iter().for_each(|check| assert_eq!(check.user(), "42"));
        // The client settles for the one that was used last: within the grace any of them refreshes on.
        phone.hold(&tokens[0]);
        app.clock.advance(seconds(20));
    }
    phone.hold(&phone.refresh("last").await.field("token"));
    app.clock.advance(minutes(1));
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_token_can_be_refreshed_only_so_often_without_being_used() {
    let (_app, phone) = logged_in().await;
    for n in 0..32 {
        phone.refresh(&format!("r{n}")).await.ok();
    }
    let reply = phone.refresh("one-more").await;
    assert_eq!((reply.refusal().as_str(), reply.header("retry-after")), ("429 rate_limited", Some("60")));
    phone.refresh("r0").await.ok();
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn an_expired_session_is_not_refreshed() {
    let (app, phone) = logged_in().await;
    app.clock.advance(minutes(30));
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_expired");
}

/// A bind's request id says nothing to a refresh.
#[tokio::test]
async fn a_stranger_s_refresh_never_rises() {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    let bound = phone.bind("x", "lilei", "secret").await.field("token");
    let refreshed = phone.refresh("x").await;
    assert_eq!(refreshed.json()["bound"], false);
    assert_ne!(refreshed.field("token"), bound);
    assert_eq!(phone.check_as(&refreshed.field("token"), "-").await.denied(), "403 not_bound");
}
