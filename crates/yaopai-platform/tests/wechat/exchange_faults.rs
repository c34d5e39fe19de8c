//! A used code is never sent twice, whatever the network and the platform do; and the client never claims that a code is
//! unspent when it may be spent.

use std::time::Duration;

use tokio::task::JoinSet;
use yaopai_core::ports::{Platform, PlatformError as E};
use yaopai_platform::LanePolicy;
use yaopai_platform::wechat::{Config, WeChat};
use yaopai_sim::Fault;

use crate::support::{APPID, OPENID, app, client, config, simulated, wechat};
use crate::wire::{Reply, Wire, http, json};

/// Every way to get no answer that we know of. All of them after the request was read.
pub fn faults() -> Vec<(&'static str, Reply)> {
    let ok = r#"{"session_key":"secretkey==","openid":"o1"}"#;
    let long = format!(r#"{{"openid":"o1","session_key":"{}"}}"#, "A".repeat(100_000));
    vec![
        ("reset", Reply::Reset),
        ("close", Reply::Close),
        ("silence", Reply::Hang(Vec::new())),
        ("head, then silence", Reply::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec())),
        ("cut", Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"openid\":\"o1\"".to_vec())),
        ("half a head", Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())),
        ("empty", Reply::Raw(http("200 OK", b""))),
        ("truncated JSON", json(r#"{"session_key":"secretkey==","open"#)),
        ("HTML", json("<html><body>blocked</body></html>")),
        ("502", Reply::Raw(http("502 Bad Gateway\r\nContent-Type: text/html", b"<html>"))),
        ("503 with an answer", Reply::Raw(http("503 Service Unavailable\r\nRetry-After: 0", ok.as_bytes()))),
        ("429", Reply::Raw(http("429 Too Many Requests", ok.as_bytes()))),
        ("408", Reply::Raw(http("408 Request Timeout\r\nConnection: close", b""))),
        ("401", Reply::Raw(http("401 Unauthorized\r\nWWW-Authenticate: Basic", b""))),
        ("204", Reply::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())),
        ("206", Reply::Raw(http("206 Partial Content", ok.as_bytes()))),
        ("301", Reply::Raw(http("301 Moved Permanently\r\nLocation: /sns/jscode2session?again", b""))),
        ("307", Reply::Raw(http("307 Temporary Redirect\r\nLocation: /elsewhere", b""))),
        ("100, then nothing", Reply::Raw(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec())),
        ("no HTTP", Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())),
        ("gzip", Reply::Raw(http("200 OK\r\nContent-Encoding: gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]))),
        ("long, declared", json(long)),
        ("endless head", Reply::Endless(b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec())),
        ("no session_key", json(r#"{"openid":"o1"}"#)),
        ("empty session_key", json(r#"{"openid":"o1","session_key":""}"#)),
        ("empty openid", json(r#"{"openid":"","session_key":"secretkey=="}"#)),
        ("openid is null", json(r#"{"openid":null,"session_key":"secretkey=="}"#)),
        ("openid is a number", json(r#"{"openid":1,"session_key":"secretkey=="}"#)),
        ("openid with a line feed", json(r#"{"openid":"o\n1","session_key":"secretkey=="}"#)),
        ("overlong openid", json(format!(r#"{{"openid":"{}","session_key":"secretkey=="}}"#, "o".repeat(129)))),
        ("session_key is an object", json(r#"{"openid":"o1","session_key":{"secretkey==":1}}"#)),
        ("errcode is a text", json(r#"{"errcode":"secretkey==","openid":"o1","session_key":"k"}"#)),
        ("errcode is an object", json(r#"{"errcode":{},"openid":"o1","session_key":"k"}"#)),
        ("an array", json(r#"["secretkey=="]"#)),
        ("two objects", json(format!("{ok}{ok}"))),
    ]
}

fn impatient(base_url: String) -> Config {
    let [connect_timeout, total_timeout] = [1000, 1500].map(Duration::from_millis);
    Config { connect_timeout, total_timeout, ..config(base_url) }
}

#[tokio::test]
async fn one_request_whatever_comes_back() {
    let mut checks = JoinSet::new();
    for (name, reply) in faults() {
        checks.spawn(async move {
            let wire = Wire::always(reply).await;
            let (wechat, _) = wechat(impatient(wire.base_url()));
            let error = wechat.exchange(&app(), "code-to-spend").await.unwrap_err();
            assert!(matches!(error, E::Unavailable { .. }), "{name}: {error:?}");
            // A late second request would still come.
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(wire.count("code-to-spend"), 1, "{name}");
            assert_eq!((wire.requests().len(), wire.connections()), (1, 1), "{name}");
        });
    }
    checks.join_all().await;
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let filler = "1000\r\n".to_owned() + &" ".repeat(0x1000) + "\r\n";
    let wire = Wire::start(move |_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        // 4 MB: far more than may be read.
        bytes.extend(filler.repeat(1024).into_bytes());
        Reply::Hang(bytes)
    })
    .await;
    // The time-out is 10 s: it isn't what ends this.
    let error = client(wire.base_url()).0.exchange(&app(), "c").await.unwrap_err();
    assert!(matches!(&error, E::Unavailable { what, .. } if what.contains("65536")), "{error:?}");
}

#[tokio::test]
async fn no_connection_means_unspent() {
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(format!("http://{free}")).0.exchange(&app(), "c").await.unwrap_err();
    assert!(matches!(&error, E::NotReached { what, .. } if what.contains("refused")), "{error:?}");
    let error = client("http://nowhere.invalid").0.exchange(&app(), "c").await.unwrap_err();
    assert!(matches!(error, E::NotReached { .. }), "{error:?}");
    // A reset before a byte was read can't be told from one after: the code counts as spent.
    let wire = Wire::resets_at_once().await;
    let error = client(wire.base_url()).0.exchange(&app(), "c").await.unwrap_err();
    assert!(matches!(error, E::Unavailable { .. }), "{error:?}");
    assert_eq!(wire.connections(), 1, "a second connection would carry the code again");
}

/// hyper sends a request again on a new connection if a kept one turns out to be closed; and a code written into one that is
/// just being closed is lost. Neither can happen if no connection serves two logins.
#[tokio::test]
async fn no_connection_serves_two_logins() {
    let answer = format!(r#"{{"openid":"{OPENID}","session_key":"k"}}"#);
    let closing = Reply::Raw(http("200 OK\r\nConnection: keep-alive", answer.as_bytes()));
    // One server keeps each connection open; the other promises to, and closes it.
    for reply in [json(answer), closing] {
        let wire = Wire::always(reply).await;
        let (wechat, _) = client(wire.base_url());
        for n in 0..100 {
            wechat.exchange(&app(), &format!("code-{n:03}")).await.unwrap();
        }
        assert_eq!(wire.connections(), 100);
        for n in 0..100 {
            assert_eq!(wire.count(&format!("code-{n:03}&")), 1);
        }
    }
}

#[tokio::test]
async fn the_simulators_faults() {
    let (sim, _, _) = simulated().await;
    let (wechat, clock) = wechat(impatient(sim.base_url()));
    for (fault, spent) in [
        (Fault::reset_before(), false),
        (Fault::reset_after(), true),
        (Fault::delay_after(Duration::from_secs(5)), true),
        (Fault::delay_before(Duration::from_secs(5)), false),
        (Fault::bad_gateway(), false),
        (Fault::truncated_body(), true),
        (Fault::cut_body(), true),
        (Fault::empty_body(), true),
        (Fault::system_error(), false),
    ] {
        let code = sim.issue_code(APPID, "lilei").unwrap();
        let name = format!("{fault:?}");
        sim.set_fault(fault).unwrap();
        let error = wechat.exchange(&app(), &code).await.unwrap_err();
        assert!(matches!(error, E::Unavailable { .. } | E::Busy { .. }), "{name}: {error:?}");
        sim.clear_faults();
        assert_eq!(sim.exchanges_of(&code), 1, "{name}");
        // What the caller must not do, because it can't know. Past the breaker's pause, a probe closes it.
        clock.forward(120);
        let again = wechat.exchange(&app(), &code).await;
        assert_eq!(matches!(again, Err(E::CodeUsed)), spent, "{name}: {again:?}");
    }
}

/// 50 logins at once, in a lane of 2 with 3 places before it, and WeChat is silent.
async fn crowd(wait: Duration) -> (Wire, WeChat, JoinSet<E>) {
    let wire = Wire::always(Reply::Hang(Vec::new())).await;
    let lane = LanePolicy { concurrent: 2, waiting: 3, wait };
    let total_timeout = Duration::from_secs(60);
    let (wechat, _) = wechat(Config { lane, total_timeout, ..config(wire.base_url()) });
    let mut tasks = JoinSet::new();
    for n in 0..50 {
        let wechat = wechat.clone();
        tasks.spawn(async move { wechat.exchange(&app(), &format!("code-{n}")).await.unwrap_err() });
    }
    (wire, wechat, tasks)
}

async fn come_back(tasks: &mut JoinSet<E>, count: usize) {
    for _ in 0..count {
        let error = tokio::time::timeout(Duration::from_secs(5), tasks.join_next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(error, E::NotReached { .. }), "their codes were never sent: {error:?}");
    }
}

#[tokio::test]
async fn only_so_many_wait() {
    let (wire, _, mut tasks) = crowd(Duration::from_secs(60)).await;
    come_back(&mut tasks, 45).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), tasks.join_next()).await.is_err(), "five are left");
    assert_eq!(wire.requests().len(), 2);
}

#[tokio::test]
async fn only_so_many_at_a_time_and_nobody_waits_long() {
    let (wire, wechat, mut tasks) = crowd(Duration::from_millis(200)).await;
    come_back(&mut tasks, 48).await;
    assert_eq!(wire.requests().len(), 2);
    // The two callers go away: the lane is free again.
    tasks.shutdown().await;
    let third = tokio::spawn(async move { wechat.exchange(&app(), "third").await });
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if wire.count("third") == 1 {
            third.abort();
            return;
        }
    }
    panic!("the lane is still taken");
}
