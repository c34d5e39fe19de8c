//! Custody of the access token: one fetch for all, never in a storm, and one more try when WeChat calls it dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use yaopai_core::ports::{Clock, Platform, PlatformError as E};
use yaopai_platform::wechat::{AccessToken, CallError, Config, Endpoints, TokenKind, WeChat};
use yaopai_sim::{Endpoint, Fault};

use crate::support::{APPID, Manual, SECRET, app, client, config, simulated, wechat};
use crate::wire::{Reply, Wire, json};

async fn many(wechat: &WeChat, n: usize) -> Vec<Result<AccessToken, E>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..n {
        let wechat = wechat.clone();
        tasks.spawn(async move { wechat.access_token(&app()).await });
    }
    tasks.join_all().await
}

/// Lets fetches that nobody waits for come to their end.
async fn settle(wechat: &WeChat, old: &AccessToken) -> AccessToken {
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let token = wechat.access_token(&app()).await.unwrap();
        if token.expose() != old.expose() {
            return token;
        }
    }
    panic!("the token was never replaced")
}

fn token(text: &str) -> Reply {
    json(format!(r#"{{"access_token":"{text}","expires_in":7200}}"#))
}

#[tokio::test]
async fn the_requests() {
    let wire = Wire::always(token("T")).await;
    client(wire.base_url()).0.access_token(&app()).await.unwrap();
    let request = &wire.requests()[0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /cgi-bin/stable_token HTTP/1.1\r\n"), "{head}");
    let expected =
        format!(r#"{{"grant_type":"client_credential","appid":"{APPID}","secret":"{SECRET}","force_refresh":false}}"#);
    assert_eq!(body, expected);

    let endpoints = Endpoints { base_url: wire.base_url(), token_kind: TokenKind::Plain, ..Endpoints::default() };
    let (wechat, clock) = wechat(Config { endpoints, ..config(wire.base_url()) });
    let expires_at = wechat.access_token(&app()).await.unwrap().expires_at();
    assert_eq!(clock.now().seconds_until(expires_at), 7190);
    let expected =
        format!("GET /cgi-bin/token?grant_type=client_credential&appid={APPID}&secret={SECRET} HTTP/1.1\r\n");
    assert!(wire.requests()[1].starts_with(&expected));
}

#[tokio::test]
async fn a_thousand_callers_one_fetch() {
    let (sim, wechat, _) = simulated().await;
    sim.set_fault(Fault::delay_before(Duration::from_millis(100)).on(Endpoint::StableToken)).unwrap();
    let first = many(&wechat, 1000).await;
    let second = many(&wechat, 1000).await;
    let text = first[0].as_ref().unwrap().expose();
    assert!(first.iter().chain(&second).all(|t| t.as_ref().unwrap().expose() == text));
    assert_eq!(sim.calls("stable_token"), 1);
}

/// What a back end gets says how long it may be used, and never more than WeChat said.
#[tokio::test]
async fn handed_out_with_the_seconds_that_are_left() {
    let (sim, wechat, clock) = simulated().await;
    let platform: &dyn Platform = &wechat;
    let handed = platform.access_token(&app()).await.unwrap();
    assert_eq!(handed.token.as_str(), wechat.access_token(&app()).await.unwrap().expose());
    assert_eq!(handed.expires_in, 7190);
    assert_eq!(format!("{handed:?}"), "HandedToken { expires_in: 7190, .. }");
    clock.forward(6000);
    assert_eq!(platform.access_token(&app()).await.unwrap().expires_in, 1190);
    assert_eq!(sim.calls("stable_token"), 1);
    sim.set_fault(Fault::bad_gateway().on(Endpoint::StableToken)).unwrap();
    clock.forward(86_400);
    assert!(matches!(platform.access_token(&app()).await, Err(E::Unavailable { .. })));
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_the_fetch_from_nobody() {
    let wire = Wire::always(Reply::Late(300, r#"{"access_token":"T","expires_in":7200}"#.into())).await;
    let (wechat, _) = client(wire.base_url());
    let first = {
        let wechat = wechat.clone();
        tokio::spawn(async move { wechat.access_token(&app()).await })
    };
    while wire.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = {
        let wechat = wechat.clone();
        tokio::spawn(async move { wechat.access_token(&app()).await })
    };
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(second.await.unwrap().unwrap().expose(), "T");
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn the_next_one_is_fetched_ahead_while_the_old_one_serves() {
    let (sim, wechat, clock) = simulated().await;
    let old = wechat.access_token(&app()).await.unwrap();
    clock.forward(7200 - 281);
    assert_eq!(wechat.access_token(&app()).await.unwrap().expose(), old.expose());
    assert_eq!(sim.calls("stable_token"), 1);
    clock.forward(1);
    // Nobody waits, not even while WeChat is slow; and however many come, one fetch.
    sim.set_fault(Fault::delay_before(Duration::from_millis(200)).on(Endpoint::StableToken)).unwrap();
    for token in many(&wechat, 1000).await {
        assert_eq!(token.unwrap().expose(), old.expose());
    }
    let new = settle(&wechat, &old).await;
    assert_eq!(clock.now().seconds_until(new.expires_at()), 7190);
    assert_eq!(sim.calls("stable_token"), 2);
}

#[tokio::test]
async fn while_wechat_is_down_the_old_one_serves_to_its_end_and_fetches_are_few() {
    let (sim, wechat, clock) = simulated().await;
    let old = wechat.access_token(&app()).await.unwrap();
    sim.set_fault(Fault::bad_gateway().on(Endpoint::StableToken)).unwrap();
    clock.forward(7200 - 280);
    for _ in 0..270 {
        for token in many(&wechat, 5).await {
            assert_eq!(token.unwrap().expose(), old.expose());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        clock.forward(1);
    }
    // 1, 2, 4 … 60 seconds apart.
    let calls = sim.calls("stable_token");
    assert!((3..=12).contains(&calls), "{calls}");
    clock.forward(60);
    for result in many(&wechat, 1000).await {
        assert!(matches!(result, Err(E::Unavailable { retry_after: 60, .. })), "{result:?}");
    }
    assert_eq!(sim.calls("stable_token"), calls + 1);
    // Back again.
    sim.clear_faults();
    clock.forward(60);
    assert!(many(&wechat, 1000).await.iter().all(Result::is_ok));
    assert_eq!(sim.calls("stable_token"), calls + 2);
}

#[tokio::test]
async fn no_storm_from_the_start() {
    let wire = Wire::always(Reply::Reset).await;
    let (wechat, clock) = client(wire.base_url());
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        let before = wire.requests().len();
        for _ in 0..3 {
            assert!(many(&wechat, 500).await.iter().all(Result::is_err));
        }
        assert_eq!(wire.requests().len(), before + 1);
        clock.forward(seconds);
    }
}

#[tokio::test]
async fn refusals_of_a_token() {
    for (errcode, misconfigured) in
        [(40001, true), (40013, true), (40125, true), (40164, true), (40243, true), (45009, false), (-1, false)]
    {
        let wire = Wire::always(json(format!(r#"{{"errcode":{errcode},"errmsg":"x"}}"#))).await;
        let error = client(wire.base_url()).0.access_token(&app()).await.unwrap_err();
        assert_eq!(matches!(error, E::Misconfigured { .. }), misconfigured, "{errcode}: {error:?}");
        assert!(error.to_string().contains(&errcode.to_string()));
    }
    for junk in [
        "{}",
        r#"{"access_token":"","expires_in":7200}"#,
        r#"{"access_token":"T"}"#,
        r#"{"access_token":"T","expires_in":0}"#,
        r#"{"access_token":"T","expires_in":-5}"#,
        r#"{"access_token":"T","expires_in":{}}"#,
        r#"{"access_token":"T\r\nX: y","expires_in":7200}"#,
    ] {
        let wire = Wire::always(json(junk)).await;
        let error = client(wire.base_url()).0.access_token(&app()).await.unwrap_err();
        assert!(matches!(error, E::Unavailable { .. }), "{junk}: {error:?}");
    }
    let wire = Wire::always(json(r#"{"access_token":"T","expires_in":"7200","errcode":"0"}"#)).await;
    client(wire.base_url()).0.access_token(&app()).await.unwrap();
}

/// A server that issues the tokens T0, T1 … and refuses, with this errcode, those that `dead` names.
async fn issuing(errcode: i64, same_unless_forced: bool, dead: fn(usize) -> bool) -> (Wire, WeChat, Manual) {
    let issued = Arc::new(AtomicUsize::new(0));
    let wire = Wire::start(move |_, request| {
        if request.starts_with("POST") {
            let next = issued.load(Ordering::SeqCst);
            let n = match same_unless_forced && next > 0 && request.contains(r#""force_refresh":false"#) {
                true => next - 1,
                false => issued.fetch_add(1, Ordering::SeqCst),
            };
            return token(&format!("T{n}"));
        }
        let shown = request.split("access_token=T").nth(1).unwrap().split('&').next().unwrap();
        match dead(shown.parse().unwrap()) {
            true => {
                Reply::Late(20, format!(r#"{{"errcode":{errcode},"errmsg":"invalid credential rid: 622029dd-1-2"}}"#))
            }
            false => json(r#"{"errcode":0}"#),
        }
    })
    .await;
    let (wechat, clock) = client(wire.base_url());
    (wire, wechat, clock)
}

async fn check(wechat: &WeChat) -> Result<bool, E> {
    wechat.check_session_key(&app(), "o1", "k").await
}

#[tokio::test]
async fn a_dead_token_costs_one_fetch_and_one_retry_each() {
    for errcode in [40001, 40014, 42001] {
        let (wire, wechat, _) = issuing(errcode, false, |n| n == 0).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let wechat = wechat.clone();
            tasks.spawn(async move { check(&wechat).await });
        }
        assert!(tasks.join_all().await.into_iter().all(|r| r.unwrap()));
        assert_eq!(wire.count("POST /cgi-bin/stable_token"), 2, "{errcode}");
        assert_eq!(wire.count(r#""force_refresh":true"#), 0);
        let (dead, fresh) = (wire.count("access_token=T0&"), wire.count("access_token=T1&"));
        assert_eq!(fresh, 50, "{errcode}: everyone is served, and nobody asks twice");
        assert!((1..=50).contains(&dead));
    }
    let (wire, wechat, _) = issuing(40003, false, |_| true).await;
    check(&wechat).await.unwrap_err();
    assert_eq!(wire.requests().len(), 2, "any other errcode is final");
}

#[tokio::test]
async fn exactly_one_retry() {
    let (wire, wechat, _) = issuing(40001, false, |_| true).await;
    let error = check(&wechat).await.unwrap_err();
    assert!(matches!(&error, E::Unavailable { what, .. } if what.contains("40001")), "{error:?}");
    assert_eq!((wire.count("/wxa/checksession"), wire.count("/cgi-bin/stable_token")), (2, 2));

    // However long it goes on, tokens are fetched 6 times a minute at most.
    for _ in 0..200 {
        check(&wechat).await.unwrap_err();
    }
    assert_eq!(wire.count("/cgi-bin/stable_token"), 7);
}

#[tokio::test]
async fn the_same_token_again_is_no_cure_so_a_new_one_is_forced() {
    let (wire, wechat, _) = issuing(40001, true, |n| n == 0).await;
    assert!(check(&wechat).await.unwrap());
    assert_eq!(wire.count(r#""force_refresh":false"#), 2);
    assert_eq!(wire.count(r#""force_refresh":true"#), 1);
    assert_eq!((wire.count("access_token=T0&"), wire.count("access_token=T1&")), (1, 1));

    // WeChat refuses everything for a day: 8 forced ones at most.
    let (wire, wechat, clock) = issuing(40001, true, |_| true).await;
    for _ in 0..24 * 4 {
        check(&wechat).await.unwrap_err();
        clock.forward(15 * 60 - 1);
    }
    let forced = wire.count(r#""force_refresh":true"#);
    assert!((1..=8).contains(&forced), "{forced}");
}

#[tokio::test]
async fn the_plain_kind() {
    let (sim, _, clock) = simulated().await;
    let endpoints = Endpoints { base_url: sim.base_url(), token_kind: TokenKind::Plain, ..Endpoints::default() };
    let wechat = WeChat::new(Config { endpoints, ..config(sim.base_url()) }, Arc::new(clock.clone())).unwrap();
    let old = wechat.access_token(&app()).await.unwrap();
    clock.forward(7200 - 600);
    assert_eq!(wechat.access_token(&app()).await.unwrap().expose(), old.expose());
    settle(&wechat, &old).await;
    // Somebody else's fetch killed ours.
    sim.revoke_access_tokens(APPID).unwrap();
    let openid = sim.openid(APPID, "lilei").unwrap();
    sim.rotate_session_key(APPID, "lilei").unwrap();
    assert!(!wechat.check_session_key(&app(), &openid, "k").await.unwrap());
    assert_eq!((sim.calls("token"), sim.calls("stable_token"), sim.calls("checksession")), (3, 0, 2));
}

#[tokio::test]
async fn a_call_may_be_any() {
    let (_sim, wechat, _) = simulated().await;
    let calls = AtomicUsize::new(0);
    let result: Result<u32, CallError> = wechat
        .with_token(&app(), |token| {
            let n = calls.fetch_add(1, Ordering::SeqCst);
            assert_eq!(format!("{token:?}"), "AccessToken(…)");
            async move { if n == 0 { Err(E::Blocked.into()) } else { Ok(1) } }
        })
        .await;
    assert_eq!(result, Err(CallError::Failed(E::Blocked)));
    assert_eq!(calls.into_inner(), 1);
}
