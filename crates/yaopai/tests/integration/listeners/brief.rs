//! The check listener's brief exchanges and hyper behind them: where a request ends, who answers it, and that it makes no
//! difference. A proxy's connection is shared by all its users: an answer that belongs to another question would make one of
//! them the other.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::time::timeout;

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
        "/check/nginx/(-|require=open|require=session)/[A-Z]{1,4}/https/h/[a-z/.%;?=#0-9]{0,12}",
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
