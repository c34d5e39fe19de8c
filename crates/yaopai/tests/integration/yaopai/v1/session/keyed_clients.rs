//! Honest clients of keyed sessions: whose clock is wrong, whose network sends twice, whose server goes down. None is logged out.

use crate::support::{Phone, Reply, Setup, TestApp, minutes, seconds};

const DAY: i64 = 86_400;

async fn scene() -> (TestApp, Phone) {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    (app, phone)
}

/// What a client does with a refusal: it sets its clock by ours.
fn heals(phone: &Phone, refused: &Reply) {
    let time: jiff::Timestamp = refused.header("yaopai-time").unwrap().parse().unwrap();
    let wrong_by = phone.clock() - time.as_second();
    phone.set_clock_ahead(phone.clock_ahead() - wrong_by);
}

#[tokio::test]
async fn a_wrong_clock_heals_in_one_more_request() {
    for wrong_by in [DAY, -DAY, 61, -61, 6, 365 * DAY, -20 * 365 * DAY] {
        let (app, phone) = scene().await;
        phone.set_clock_ahead(wrong_by);
        let refused = phone.check("-").await;
        assert_eq!(refused.denied(), "401 proof_stale", "{wrong_by}");
        heals(&phone, &refused);
        assert_eq!(phone.check("-").await.user(), "42", "{wrong_by}");
        phone.read().await.ok();
        // At the API it is told the same.
        phone.set_clock_ahead(wrong_by);
        let refused = phone.read().await;
        assert_eq!(refused.refusal(), "401 proof_stale");
        heals(&phone, &refused);
        phone.read().await.ok();
        assert_eq!(app.count("sessions"), 1);
    }
}

/// A little is no matter.
#[tokio::test]
async fn a_clock_that_is_nearly_right_needs_nothing() {
    let (_app, phone) = scene().await;
    for wrong_by in [-60, -59, -1, 0, 1, 5] {
        phone.set_clock_ahead(wrong_by);
        assert_eq!(phone.check("-").await.user(), "42", "{wrong_by}");
        phone.read().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_at_a_time() {
    let (app, phone) = scene().await;
    for _ in 0..20 {
        let checks = futures_util::future::join_all((0..5).map(|_| phone.check("-")));
        let reads = futures_util::future::join_all((0..5).map(|_| phone.read()));
        let (checks, reads) = tokio::join!(checks, reads);
        assert!(checks.iter().all(|reply| reply.user() == "42") && reads.iter().all(|reply| reply.status == 200));
    }
    assert_eq!(app.count("sessions"), 1);
}

/// Network stacks send the same bytes again by themselves: the second copy is refused, and that is all.
#[tokio::test]
async fn the_same_bytes_sent_again() {
    let (_app, phone) = scene().await;
    let token = phone.token();
    for _ in 0..3 {
        let read = phone.draft("GET", "/session", None);
        phone.send(&read).await.ok();
        assert_eq!(phone.send(&read).await.refusal(), "401 proof_replayed");
        let body = serde_json::json!({ "request_id": crate::support::request_id("r") });
        let refresh = phone.draft("POST", "/session/refresh", Some(&body));
        assert_eq!(phone.send(&refresh).await.field("token"), token);
        assert_eq!(phone.send(&refresh).await.refusal(), "401 proof_replayed");
        // Signed anew, it is answered.
        assert_eq!(phone.refresh("r").await.field("token"), token);
    }
    phone.read().await.ok();
}

/// The server goes down in order: nobody notices but for the time that it takes.
#[tokio::test]
async fn a_stop_in_order() {
    let (mut app, phone) = scene().await;
    for down in [0, 1, 600, 7200] {
        app.restart_after(seconds(down)).await;
        assert_eq!(phone.check("-").await.user(), "42", "{down}");
        phone.read().await.ok();
    }
}

/// It crashes: signed requests wait for as long as they are told to, and then go on. Logins don't wait.
#[tokio::test]
async fn a_crash() {
    let (mut app, phone) = scene().await;
    for _ in 0..3 {
        phone.check("-").await.user();
        app.crash().await;
        let refused = phone.check("-").await;
        assert_eq!(refused.denied(), "401 proof_stale");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=11).contains(&wait), "{wait}");
        let read = phone.read().await;
        assert_eq!(
            (read.refusal().as_str(), read.header("retry-after")),
            ("401 proof_stale", Some(&*wait.to_string()))
        );
        let pad = app.customer("lilei", "42").keyed();
        pad.log_in().await;
        app.clock.advance(seconds(wait));
        assert_eq!(phone.check("-").await.user(), "42");
        assert_eq!(pad.check("-").await.user(), "42");
        phone.refresh("r").await.ok();
    }
    // A crash before anything was accepted after a long time down.
    app.clock.advance(minutes(10));
    phone.check("-").await.user();
    app.crash().await;
    app.clock.advance(minutes(10));
    assert_eq!(phone.check("-").await.user(), "42", "nothing of before is fresh any more");
}

/// A login whose answer the crash took: sent again it is answered, with the same key.
#[tokio::test]
async fn a_login_over_a_crash() {
    let (mut app, _) = scene().await;
    let phone = app.customer("lilei", "42").keyed();
    let (code, id) = (phone.code(), crate::support::request_id("lost"));
    let first = phone.send_login(&code, &id).await;
    app.crash().await;
    let again = phone.send_login(&code, &id).await;
    assert_eq!((first.field("token"), &first.json()["key"]), (again.field("token"), &again.json()["key"]));
    assert_eq!(app.sim.exchanges_of(&code), 1);
    app.clock.advance(seconds(11));
    assert_eq!(phone.check("-").await.user(), "42");
}
