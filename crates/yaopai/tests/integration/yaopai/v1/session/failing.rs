//! Logins when WeChat or the back end fail: no code is sent twice, and nobody is taken for unbound.

use insta::assert_snapshot;
use yaopai_sim::{Endpoint, Fault, UserConfig};

use crate::support::{Act, TestApp, minutes, request_id, seconds};

#[tokio::test]
async fn a_failing_back_end_is_never_unbound() {
    let app = TestApp::start().await;
    for (n, (act, why)) in [
        (Act::Status(500), "a fault"),
        (Act::Status(404), "the wrong address"),
        (Act::Status(302), "a redirect"),
        (Act::Say(String::new()), "nothing"),
        (Act::Say("<html>".into()), "no JSON"),
        (Act::Say("{}".into()), "no `user`: a mistake, not a word"),
        (Act::Say(r#"{"user": ""}"#.into()), "an empty user"),
        (Act::Say(r#"{"user": 1.5}"#.into()), "no integer"),
        (Act::Say(r#"{"user": {"id": 1}}"#.into()), "an object"),
        (Act::Say(format!(r#"{{"user": "{}"}}"#, "x".repeat(129))), "a long user"),
        (Act::Say(r#"{"user": "42", "claims": ["admin"]}"#.into()), "claims that are no object"),
        (Act::Say(format!(r#"{{"user": "42", "claims": {{"a": "{}"}}}}"#, "x".repeat(1024))), "long claims"),
        (Act::Say(format!(r#"{{"user": "42", "pad": "{}"}}"#, "x".repeat(70_000))), "a huge answer"),
        (Act::Hang, "no answer at all"),
    ]
    .into_iter()
    .enumerate()
    {
        let person = format!("person-{n}");
        app.sim.add_user(UserConfig::named(&person)).unwrap();
        let phone = app.customer(&person, &format!("u{n}"));
        let (code, id) = (phone.code(), request_id("login"));
        let before = app.state();
        app.back_end.acts("resolve", act);
        let reply = phone.send_login(&code, &id).await;
        assert_eq!(reply.refusal(), "503 backend_unavailable", "{why}");
        assert_eq!(reply.header("retry-after"), Some("2"));
        assert!(!reply.text.contains("127.0.0.1"), "nothing internal: {}", reply.text);
        assert_eq!(app.state(), before, "{why}");

        // The same login, sent again, goes on with the spent code.
        app.back_end.recovers();
        phone.send_login(&code, &id).await.ok();
        assert_eq!(app.sim.exchanges_of(&code), 1, "{why}");
        assert_eq!(phone.check("-").await.user(), format!("u{n}"));
    }
    assert_eq!(app.back_end.forgeries(), [""; 0]);
}

#[tokio::test]
async fn what_the_client_reads_when_the_back_end_fails() {
    let app = TestApp::start().await;
    app.back_end.acts("resolve", Act::Status(500));
    assert_snapshot!(app.phone("lilei").try_log_in().await.show(), @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/problem+json
    retry-after: 2
    yaopai-code: backend_unavailable
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:backend_unavailable",
      "title": "The back end is not available",
      "status": 503,
      "code": "backend_unavailable",
      "detail": "The back end did not answer; send the same login again."
    }
    "#);
}

#[tokio::test]
async fn a_slow_back_end_is_given_up_and_asked_again() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    app.back_end.acts("resolve", Act::Slow(seconds(2)));
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "503 backend_unavailable");
    app.back_end.recovers();
    phone.send_login(&code, &id).await.ok();
    assert_eq!((app.sim.exchanges_of(&code), app.back_end.calls("resolve").len()), (1, 2));
}

#[tokio::test]
async fn a_back_end_that_is_down_delays_no_login_of_those_we_know() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.back_end.acts("resolve", Act::Status(500));
    app.back_end.acts("opened", Act::Status(500));
    assert_eq!(phone.log_in().await.json()["user"], "42");
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_client_that_hangs_up_loses_nothing() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    app.sim.set_fault(Fault::delay_after(std::time::Duration::from_millis(400)).once()).unwrap();
    let first = tokio::time::timeout(std::time::Duration::from_millis(100), phone.send_login(&code, &id)).await;
    assert!(first.is_err(), "it hung up before the answer");
    phone.send_login(&code, &id).await.ok();
    assert_eq!((app.sim.exchanges_of(&code), app.count("sessions")), (1, 1));
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn what_wechat_says() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let faults = [
        (Fault::errcode(40029), "400 code_invalid", None),
        (Fault::errcode(40163), "400 code_used", None),
        (Fault::errcode(40226), "403 platform_blocked", None),
        (Fault::system_error(), "503 platform_busy", Some("2")),
        (Fault::errcode(45009), "503 platform_busy", Some("3600")),
        (Fault::errcode(45011), "503 platform_busy", Some("60")),
        (Fault::errcode(40125), "503 platform_unavailable", None),
        (Fault::errcode(40164), "503 platform_unavailable", None),
        (Fault::errcode(99999), "503 platform_unavailable", Some("2")),
        (Fault::bad_gateway(), "503 platform_unavailable", Some("2")),
        (Fault::reset_after(), "503 platform_unavailable", Some("2")),
        (Fault::truncated_body(), "503 platform_unavailable", Some("2")),
        (Fault::cut_body(), "503 platform_unavailable", Some("2")),
        (Fault::empty_body(), "503 platform_unavailable", Some("2")),
    ];
    for (fault, expected, retry_after) in faults {
        // Faults in a row would open the breaker, which is another test's.
        app.clock.advance(minutes(1));
        let (code, name) = (phone.code(), format!("{fault:?}"));
        app.sim.set_fault(fault.on(Endpoint::Jscode2session).once()).unwrap();
        let reply = phone.send_login(&code, &request_id("login")).await;
        assert_eq!(reply.refusal(), expected, "{name}");
        assert_eq!(reply.header("retry-after"), retry_after, "{name}");
        assert!(!reply.text.contains("errcode") && !reply.text.contains("rid"), "{}", reply.text);
    }
    assert_eq!(app.count("sessions"), 0);
}

/// The answer may have been lost after WeChat spent the code: a second try could only be refused, and might not be.
#[tokio::test]
async fn a_code_that_may_be_spent_is_never_sent_again() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    app.sim.set_fault(Fault::reset_after().on(Endpoint::Jscode2session).once()).unwrap();
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "503 platform_unavailable");
    for _ in 0..3 {
        assert_eq!(phone.send_login(&code, &id).await.refusal(), "503 platform_unavailable");
    }
    assert_eq!(phone.send_login(&code, &request_id("another")).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    phone.log_in().await;
}

#[tokio::test]
async fn a_platform_outage_ends_no_session() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.sim.set_fault(Fault::reset_before()).unwrap();
    for n in 0..8 {
        let reply = app.phone("xiaohong").send_login(&phone.code(), &request_id(&n.to_string())).await;
        assert_eq!(reply.status, 503, "{}", reply.text);
    }
    assert!(app.sim.calls("jscode2session") <= 1 + 5, "the breaker is open: no storm");
    assert_eq!(phone.check("-").await.user(), "42");
    let next = phone.refresh("r").await.field("token");
    assert_eq!(phone.check_as(&next, "-").await.user(), "42");
    app.sim.clear_faults();
    app.clock.advance(seconds(61));
    app.customer("xiaohong", "43").log_in().await;
}

/// Not reached is the one failure after which the same code may go out.
#[tokio::test]
async fn an_open_breaker_spends_no_code() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    app.sim.set_fault(Fault::reset_before().times(5)).unwrap();
    for n in 0..5 {
        phone.send_login(&phone.code(), &request_id(&n.to_string())).await.refusal();
    }
    let (code, id) = (phone.code(), request_id("kept"));
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "503 platform_unavailable");
    assert_eq!(app.sim.exchanges_of(&code), 0);
    app.clock.advance(seconds(30));
    phone.send_login(&code, &id).await.ok();
    assert_eq!(app.sim.exchanges_of(&code), 1);
}

#[tokio::test]
async fn a_blocked_person_is_told_not_to_retry() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    app.sim.block_user("lilei", true).unwrap();
    let (code, id) = (phone.code(), request_id("login"));
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "403 platform_blocked");
    assert_eq!(app.count("identities"), 0, "nothing is kept of somebody whom nobody vouched for");
}
