//! The check listener's brief exchanges and hyper behind them: where a request ends, who answers it, and that it makes no
//! difference. A proxy's connection is shared by all its users: an answer that belongs to another question would make one of
//! them the other.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::time::timeout;
use yaopai::listen::brief::{Brief, Question, Reply};
use yaopai::listen::{self, Answer, Limits, Peer};
use yaopai_core::time::Timestamp;

use crate::support::raw::{self, Kept};
use crate::support::{Phone, TestApp, seconds};

const TARGET: &str = "/check/nginx/-/GET/https/shop.example/orders";

async fn two_customers() -> (TestApp, Phone, Phone) {
    let app = TestApp::start().await;
    let (lilei, xiaohong) = (app.customer("lilei", "42"), app.customer("xiaohong", "43"));
    lilei.log_in().await;
    xiaohong.log_in().await;
    (app, lilei, xiaohong)
}

fn question(phone: &Phone, more: &str) -> String {
    format!("GET {TARGET} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\n{more}\r\n", phone.token())
}

fn user(answer: &raw::Answer) -> &str {
    answer.header("yaopai-user").unwrap_or("none")
}

#[tokio::test]
async fn questions_sent_at_once_are_answered_in_order() {
    let (app, lilei, xiaohong) = two_customers().await;
    let mut kept = Kept::connect(&app.addresses().check).await;
    let guest = format!("GET {TARGET} HTTP/1.1\r\n\r\n");
    let all = [question(&lilei, ""), guest, question(&xiaohong, ""), question(&lilei, "")].concat();
    kept.send(all.as_bytes()).await;
    for (status, name) in [(200, "42"), (401, ""), (200, "43"), (200, "42")] {
        let answer = kept.answer().await;
        assert_eq!((answer.status(), user(&answer).trim()), (status, name), "{}", answer.0);
    }
}

#[tokio::test]
async fn a_question_may_arrive_byte_by_byte() {
    let (app, lilei, xiaohong) = two_customers().await;
    let mut kept = Kept::connect(&app.addresses().check).await;
    kept.0.set_nodelay(true).unwrap();
    for (phone, name) in [(&lilei, "42"), (&xiaohong, "43")] {
        for byte in question(phone, "").as_bytes() {
            kept.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(user(&kept.answer().await), name);
    }
}

/// Each of these says something of where the request ends: hyper reads it, body and all, and the question after it is the
/// next one.
#[tokio::test]
async fn what_frames_a_body_is_never_a_question_of_its_own() {
    let (app, lilei, xiaohong) = two_customers().await;
    let inner = question(&lilei, "");
    let chunked = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
    for (headers, body) in [
        (format!("Content-Length: {}\r\n", inner.len()), inner.as_str()),
        (format!("CONTENT-LENGTH:{}\r\n", inner.len()), inner.as_str()),
        ("Transfer-Encoding: chunked\r\n".into(), chunked.as_str()),
        ("transfer-ENCODING: chunked\r\nTrailer: x\r\n".into(), chunked.as_str()),
    ] {
        for before in ["", "brief"] {
            let mut kept = Kept::connect(&app.addresses().check).await;
            if !before.is_empty() {
                kept.send(question(&lilei, "").as_bytes()).await;
                assert_eq!(user(&kept.answer().await), "42");
            }
            let guest = format!("GET {TARGET} HTTP/1.1\r\n{headers}\r\n{body}");
            kept.send([guest, question(&xiaohong, "Connection: close\r\n")].concat().as_bytes()).await;
            let answer = kept.answer().await;
            assert_eq!((answer.status(), answer.code()), (401, "session_missing"), "{headers}");
            // Or hyper closes, because nobody has read the body; never an answer to what is inside it.
            let mut next = Vec::new();
            let _ = timeout(seconds(5), tokio::io::AsyncReadExt::read_to_end(&mut kept.0, &mut next)).await;
            let next = String::from_utf8(next).unwrap();
            assert!(next.is_empty() || next.contains("yaopai-user: 43\r\n"), "{headers}: {next}");
            assert!(!next.contains("yaopai-user: 42\r\n"), "{headers}: {next}");
        }
    }
}

#[tokio::test]
async fn what_ends_the_connection_ends_it() {
    let (app, lilei, _) = two_customers().await;
    let target = |end: &str| format!("GET {TARGET} {end}\r\nAuthorization: Bearer {}\r\n", lilei.token());
    for request in [
        target("HTTP/1.1") + "Connection: close\r\n\r\n",
        target("HTTP/1.1") + "connection: keep-alive, close\r\n\r\n",
        target("HTTP/1.0") + "\r\n",
    ] {
        let mut kept = Kept::connect(&app.addresses().check).await;
        kept.send(question(&lilei, "Connection: Keep-Alive\r\n").as_bytes()).await;
        assert_eq!(user(&kept.answer().await), "42");
        kept.send(request.as_bytes()).await;
        assert_eq!(user(&kept.answer().await), "42", "{request}");
        assert!(kept.is_closed().await, "{request}");
    }
}

#[tokio::test]
async fn what_is_no_http_gets_hypers_word() {
    let (app, lilei, _) = two_customers().await;
    for (junk, status) in [
        ("GET /check/nginx/-/GET/https/h/\0 HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GARBAGE\r\n\r\n".to_owned(), 400),
        (format!("GET {TARGET} HTTP/1.1\r\nAuthorization : Bearer x\r\n\r\n"), 400),
        (format!("GET {TARGET} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40_000)), 431),
        (format!("GET {TARGET} HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(90)), 401),
        (format!("POST {TARGET} HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 401),
        ("GET /elsewhere HTTP/1.1\r\n\r\n".to_owned(), 404),
        (format!("\r\n\r\nGET {TARGET} HTTP/1.1\r\n\r\n"), 401),
    ] {
        let mut kept = Kept::connect(&app.addresses().check).await;
        kept.send(question(&lilei, "").as_bytes()).await;
        assert_eq!(user(&kept.answer().await), "42");
        kept.send(junk.as_bytes()).await;
        assert_eq!(kept.answer().await.status(), status, "{}", &junk[..junk.len().min(90)]);
    }
}

#[tokio::test]
async fn a_stop_closes_what_is_idle_and_answers_what_is_asked() {
    let (mut app, lilei, _) = two_customers().await;
    let mut idle = Kept::connect(&app.addresses().check).await;
    idle.send(question(&lilei, "").as_bytes()).await;
    assert_eq!(user(&idle.answer().await), "42");
    let started = timeout(seconds(5), app.stop()).await;
    assert!(started.is_ok(), "an idle connection holds up the stop");
    assert!(idle.is_closed().await);
}

/// A question that is under way when the server stops is answered, and the proxy learns that it was the last.
#[tokio::test]
async fn a_stop_ends_a_talkative_connection_with_a_word() {
    let (mut app, lilei, _) = two_customers().await;
    let mut kept = Kept::connect(&app.addresses().check).await;
    kept.send(question(&lilei, "").as_bytes()).await;
    assert_eq!(user(&kept.answer().await), "42");
    // Half a question: the stop doesn't wait for the rest of it.
    let mut half = Kept::connect(&app.addresses().check).await;
    half.send(question(&lilei, "").as_bytes()).await;
    half.answer().await;
    half.send(b"GET /check/ngi").await;
    // More questions than the answers' buffers hold.
    let many = question(&lilei, "").repeat(20_000);
    let (mut reading, mut writing) = kept.0.into_split();
    let talks =
        tokio::spawn(async move { drop(tokio::io::AsyncWriteExt::write_all(&mut writing, many.as_bytes()).await) });
    let reads = tokio::spawn(async move {
        let mut answers = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut answers).await;
        String::from_utf8(answers).unwrap()
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    timeout(seconds(5), app.stop()).await.expect("it stops whoever talks");
    assert!(half.is_closed().await);
    talks.await.unwrap();
    let answers = reads.await.unwrap();
    assert_eq!(answers.matches("connection: close\r\n").count(), 1, "once, in the last one");
    assert!(answers.rsplit("HTTP/1.1 ").next().unwrap().contains("connection: close\r\n"));
}

/// Answers no question before the end of time.
struct Never;

impl Answer for Never {
    type Future = std::future::Pending<http::Response<axum::body::Body>>;

    fn answer(&self, _: Peer, _: http::Request<hyper::body::Incoming>) -> Self::Future {
        std::future::pending()
    }

    fn brief(&self) -> Option<&dyn Brief> {
        Some(self)
    }
}

impl Brief for Never {
    fn brief(&self, _: Peer, _: &Question<'_>, _: &mut Vec<u8>) -> Reply {
        Reply::Later(Box::pin(std::future::pending()))
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

/// A proxy that gives up and connects again must not fill the places with questions that nobody waits for.
#[tokio::test]
async fn who_hangs_up_is_waited_for_by_nobody() {
    let (mut proxy, ours) = tokio::io::duplex(4096);
    let (_running, stop) = tokio::sync::watch::channel(false);
    let watcher = GracefulShutdown::new().watcher();
    let served =
        tokio::spawn(listen::serve_one(ours, Limits::neighbours(1), Peer::Local, Arc::new(Never), stop, watcher));
    let request = format!("GET {TARGET} HTTP/1.1\r\n\r\nGET /che");
    tokio::io::AsyncWriteExt::write_all(&mut proxy, request.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!served.is_finished());
    drop(proxy);
    timeout(seconds(5), served).await.expect("it is given up").unwrap();
}

/// Whatever the headers and the target are, both ways give the same answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_ways_answer_alike() {
    let (app, lilei, _) = two_customers().await;
    let (token, check) = (lilei.token(), app.addresses().check);
    let name = prop_oneof![
        Just("Authorization".to_owned()),
        Just("authorization".to_owned()),
        Just("Cookie".to_owned()),
        Just("X-Forwarded-Method".to_owned()),
        Just("X-Forwarded-Uri".to_owned()),
        Just("X-Forwarded-Host".to_owned()),
        Just("x-forwarded-proto".to_owned()),
        Just("Yaopai-Background".to_owned()),
        "[Yy]aopai[-_.]([Uu]ser|app|Openid|claims)",
        "[A-Za-z][A-Za-z0-9_.-]{0,12}",
    ];
    let value = prop_oneof![
        Just(format!("Bearer {token}")),
        Just(format!("bearer  {token}")),
        Just("Bearer yp1_junk".to_owned()),
        Just("GET".to_owned()),
        Just("https".to_owned()),
        Just("shop.example".to_owned()),
        Just("/orders?a=1".to_owned()),
        "[ -~é]{0,20}",
    ];
    let target = prop_oneof![
        Just(TARGET.to_owned()),
        Just("/check/forward".to_owned()),
        Just("/check/forward?require=open".to_owned()),
        "/check/nginx/(-|require=open|require=session)/[A-Z]{1,4}/https/h/[a-z/.%;?=#0-9<>`{}|^\"\\\\]{0,12}",
        "/check/[a-z/?=]{0,12}",
    ];
    let headers = prop::collection::vec((name, value), 0..6);
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        let mut runner = TestRunner::default();
        runner.run(&(target, headers), |(target, headers)| {
            // Names that end the connection or frame a body are not hyper's and ours to answer alike.
            let about_us =
                |n: &str| n.len() != 2 && !n.eq_ignore_ascii_case("expect") && !n.eq_ignore_ascii_case("upgrade");
            let headers: Vec<_> =
                headers.iter().map(|(n, v)| (n.as_str(), v.trim())).filter(|(n, _)| about_us(n)).collect();
            runtime.block_on(timeout(Duration::from_secs(20), raw::check(&check, &target, &headers))).unwrap();
            Ok(())
        })
    };
    tokio::task::spawn_blocking(run).await.unwrap().unwrap();
}
