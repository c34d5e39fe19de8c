//! While WeChat is down nobody queues for it, and it is asked by one request at a time whether it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use yaopai_core::ports::{Platform, PlatformError as E};
use yaopai_platform::wechat::WeChat;

use crate::exchange_faults::faults;
use crate::support::{Manual, app, app_named, client};
use crate::wire::{Reply, Wire, http, json};

const OK: &str = r#"{"session_key":"k","openid":"o1"}"#;
const DOWN: usize = 0;
const UP: usize = 1;
const SLOW: usize = 2;

/// A server whose health is a switch.
async fn switched() -> (Wire, Arc<AtomicUsize>, WeChat, Manual) {
    let health = Arc::new(AtomicUsize::new(DOWN));
    let switch = Arc::clone(&health);
    let wire = Wire::start(move |_, request| match switch.load(Ordering::SeqCst) {
        _ if request.contains("stable_token") => json(r#"{"access_token":"T","expires_in":7200}"#),
        DOWN => Reply::Raw(http("502 Bad Gateway", b"<html>")),
        UP => json(OK),
        _ => Reply::Late(300, OK.into()),
    })
    .await;
    let (wechat, clock) = client(wire.base_url());
    (wire, health, wechat, clock)
}

async fn login(wechat: &WeChat) -> Result<(), E> {
    wechat.exchange(&app(), "c").await.map(drop)
}

async fn many(wechat: &WeChat, n: usize) -> Vec<Result<(), E>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..n {
        let wechat = wechat.clone();
        tasks.spawn(async move { login(&wechat).await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn opens_probes_with_one_request_and_closes() {
    let (wire, health, wechat, clock) = switched().await;
    for _ in 0..5 {
        assert!(matches!(login(&wechat).await, Err(E::Unavailable { .. })));
    }
    for result in many(&wechat, 100).await {
        assert!(
            matches!(&result, Err(E::NotReached { retry_after: 5, what }) if what.contains("breaker")),
            "{result:?}"
        );
    }
    assert_eq!(wire.requests().len(), 5, "an open breaker lets nothing through");

    // Half open: of a hundred, one asks; the rest are told at once that their code is unspent.
    clock.forward(5);
    let results = many(&wechat, 100).await;
    assert_eq!(results.iter().filter(|r| matches!(r, Err(E::Unavailable { .. }))).count(), 1);
    assert_eq!(results.iter().filter(|r| matches!(r, Err(E::NotReached { .. }))).count(), 99);
    assert_eq!(wire.requests().len(), 6);

    // The probe failed: the pause has doubled.
    clock.forward(9);
    assert!(matches!(login(&wechat).await, Err(E::NotReached { retry_after: 1, .. })));
    clock.forward(1);
    health.store(SLOW, Ordering::SeqCst);
    let results = many(&wechat, 100).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1, "still one at a time, until the probe has its answer");
    assert_eq!(wire.requests().len(), 7);
    assert!(many(&wechat, 50).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_blocks_nobody() {
    let (wire, health, wechat, clock) = switched().await;
    for _ in 0..5 {
        login(&wechat).await.unwrap_err();
    }
    clock.forward(5);
    health.store(SLOW, Ordering::SeqCst);
    let probe = wechat.clone();
    let probe = tokio::spawn(async move { login(&probe).await });
    while wire.requests().len() < 6 {
        tokio::task::yield_now().await;
    }
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    login(&wechat).await.unwrap();
}

#[tokio::test]
async fn every_fault_counts() {
    for (name, reply) in faults().into_iter().filter(|(_, r)| !matches!(r, Reply::Hang(_))) {
        let wire = Wire::always(reply).await;
        let (wechat, _) = client(wire.base_url());
        for _ in 0..6 {
            login(&wechat).await.unwrap_err();
        }
        assert_eq!(wire.requests().len(), 5, "{name}");
    }
    let wire = Wire::always(json(r#"{"errcode":-1,"errmsg":"system error"}"#)).await;
    let (wechat, _) = client(wire.base_url());
    for _ in 0..6 {
        login(&wechat).await.unwrap_err();
    }
    assert_eq!(wire.requests().len(), 5, "-1");
}

#[tokio::test]
async fn refusals_show_that_wechat_is_up() {
    for errcode in [40029, 40163, 40226, 45011, 45009, 40013, 40125, 40164, 99999] {
        // Four faults, then this answer, and so on: never five in a row.
        let wire = Wire::start(move |n, _| match n % 5 {
            4 => json(format!(r#"{{"errcode":{errcode}}}"#)),
            _ => Reply::Close,
        })
        .await;
        let (wechat, _) = client(wire.base_url());
        for _ in 0..50 {
            login(&wechat).await.unwrap_err();
        }
        assert_eq!(wire.requests().len(), 50, "{errcode}");
    }
}

#[tokio::test]
async fn apps_and_lanes_are_apart() {
    let (_wire, health, wechat, _) = switched().await;
    for _ in 0..5 {
        login(&wechat).await.unwrap_err();
    }
    health.store(UP, Ordering::SeqCst);
    assert!(matches!(login(&wechat).await, Err(E::NotReached { .. })));
    wechat.exchange(&app_named("other"), "c").await.unwrap();
    // The same app's calls with a token go on.
    assert!(wechat.check_session_key(&app(), "o1", "k").await.unwrap());
}
