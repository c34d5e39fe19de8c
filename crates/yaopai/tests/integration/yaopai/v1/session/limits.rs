//! How many sessions a user may have, and who makes room.

use serde_json::json;

use crate::support::{Phone, Setup, TestApp, minutes, seconds};

/// Three phones of one user; `with` configures.
async fn three(sessions: &'static str) -> (TestApp, [Phone; 3]) {
    let app = TestApp::with(Setup { sessions, ..Setup::default() }).await;
    let phones = [app.customer("lilei", "42"), app.phone("lilei"), app.phone("lilei")];
    (app, phones)
}

#[tokio::test]
async fn the_oldest_makes_room() {
    let (app, [first, second, third]) = three("max = 2").await;
    first.log_in().await;
    app.clock.advance(seconds(1));
    second.log_in().await;
    app.clock.advance(seconds(1));
    assert_eq!(first.check("-").await.user(), "42");
    third.log_in().await;
    assert_eq!(first.check("-").await.denied(), "401 session_replaced");
    assert_eq!(first.read().await.refusal(), "401 session_replaced", "it is told why");
    assert_eq!((second.check("-").await.user(), third.check("-").await.user()), ("42".into(), "42".into()));
    // Another user's are not counted.
    app.customer("xiaohong", "43").log_in().await;
    assert_eq!(second.check("-").await.user(), "42");
}

#[tokio::test]
async fn or_the_newest_is_refused() {
    let (app, [first, second, third]) = three("max = 2, yields = \"newest\"").await;
    first.log_in().await;
    second.log_in().await;
    let before = app.state();
    assert_eq!(third.try_log_in().await.refusal(), "403 session_limit");
    assert_eq!(app.state(), before, "a refusal leaves nothing behind");
    assert_eq!(first.check("-").await.user(), "42");
    second.log_out().await.ok();
    third.log_in().await;
    assert_eq!(third.check("-").await.user(), "42");
}

#[tokio::test]
async fn expired_sessions_take_no_place() {
    let (app, [first, second, third]) = three("max = 2, yields = \"newest\"").await;
    first.log_in().await;
    second.log_in().await;
    app.clock.advance(minutes(31));
    third.log_in().await;
}

#[tokio::test]
async fn a_device_type_has_its_own_limit() {
    let (app, [pc, phone, other_pc]) = three("max_per_device_type = { pc = 1 }").await;
    let of = |kind: &str| json!({ "device": { "type": kind } });
    pc.log_in_with(of("pc")).await.ok();
    app.clock.advance(seconds(1));
    phone.log_in_with(of("phone")).await.ok();
    other_pc.log_in_with(of("pc")).await.ok();
    assert_eq!(pc.check("-").await.denied(), "401 session_replaced");
    assert_eq!((phone.check("-").await.user(), other_pc.check("-").await.user()), ("42".into(), "42".into()));
}

#[tokio::test]
async fn strangers_are_counted_by_who_they_are() {
    let app = TestApp::with(Setup { sessions: "max = 1", ..Setup::default() }).await;
    let (first, second, other) = (app.phone("lilei"), app.phone("lilei"), app.phone("xiaohong"));
    first.log_in().await;
    other.log_in().await;
    second.log_in().await;
    assert_eq!(first.check("require=session").await.denied(), "401 session_replaced");
    assert_eq!(other.check("require=session").await.user(), "");
}

/// A hundred logins at once: never more than the limit live.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_race_for_places_is_fair_to_the_limit() {
    let app = TestApp::with(Setup { sessions: "max = 3", ..Setup::default() }).await;
    let first = app.customer("lilei", "42");
    first.log_in().await;
    let mut phones: Vec<Phone> = (0..40).map(|_| app.phone("lilei")).collect();
    futures_util::future::join_all(phones.iter().map(Phone::log_in)).await;
    // Ids of one millisecond are in no order, and the clock stands still: the first may be among those that stay.
    phones.push(first);
    let live = app.admin_get("/admin/v1/sessions?user=42").await["sessions"].as_array().unwrap().len();
    let checks = futures_util::future::join_all(phones.iter().map(|p| p.check("-"))).await;
    assert_eq!((live, checks.iter().filter(|c| c.status == 200).count()), (3, 3));
}
