//! How a session ages: idle, absolute, and what slides.

use serde_json::json;

use crate::support::{Setup, TestApp, hours, minutes, seconds};

#[tokio::test]
async fn an_unused_session_expires() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.clock.advance(minutes(30) - seconds(1));
    assert_eq!(phone.check("-").await.user(), "42");
    app.clock.advance(minutes(30));
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    assert_eq!(phone.read().await.refusal(), "401 session_expired");
    // Asked too late does not count as use.
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    app.upkeep().await;
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    assert!(app.state()["sessions"][0].contains("expired_idle"));
}

#[tokio::test]
async fn every_use_slides() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    for _ in 0..4 {
        app.clock.advance(minutes(29));
        assert_eq!(phone.check("-").await.user(), "42");
        app.upkeep().await;
        app.clock.advance(minutes(29));
        phone.read().await.ok();
        app.upkeep().await;
    }
}

#[tokio::test]
async fn background_calls_do_not_slide() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let background = [("authorization", format!("Bearer {}", phone.token())), ("yaopai-background", "1".into())];
    for n in 0..5 {
        app.clock.advance(minutes(5));
        for (method, path) in [("GET", "/session"), ("GET", "/sessions")] {
            let url = format!("{}/yaopai/v1{path}", app.addresses().public);
            let mut request = app.http.request(method.parse().unwrap(), url);
            for (name, value) in &background {
                request = request.header(*name, value);
            }
            assert_eq!(request.send().await.unwrap().status(), 200, "{method} {path} after {n}");
        }
        let url = format!("{}/check/nginx/-/GET/https/h/poll", app.addresses().check);
        let mut request = app.http.get(url);
        for (name, value) in &background {
            request = request.header(*name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 200);
        app.upkeep().await;
    }
    app.clock.advance(minutes(5));
    assert_eq!(phone.read_in_background().await.refusal(), "401 session_expired");
}

#[tokio::test]
async fn a_session_expires_however_much_it_is_used() {
    let app = TestApp::with(Setup { sessions: "absolute = 3600", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    for n in 0..3 {
        app.clock.advance(minutes(19));
        phone.hold(&phone.refresh(&format!("r{n}")).await.field("token"));
        assert_eq!(phone.check("-").await.user(), "42");
    }
    app.clock.advance(minutes(3));
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    assert_eq!(phone.refresh("too-late").await.refusal(), "401 session_expired");
    app.upkeep().await;
    assert!(app.state()["sessions"][0].contains("expired_absolute"));
}

#[tokio::test]
async fn each_app_has_its_own_times() {
    let app = TestApp::with(Setup { sessions: "idle = 120, refresh_after = 60", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    let login = phone.log_in().await.json();
    assert_eq!((&login["expires_in"], &login["refresh_in"]), (&json!(120), &json!(60)));
    app.clock.advance(minutes(2));
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
}

#[tokio::test]
async fn what_ended_is_remembered_for_a_week_and_then_gone() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    phone.log_out().await.ok();
    app.clock.advance(hours(7 * 24 - 1));
    app.upkeep().await;
    assert_eq!(phone.check("-").await.denied(), "401 session_ended");
    app.clock.advance(hours(2));
    app.upkeep().await;
    assert_eq!(phone.check("-").await.denied(), "401 session_unknown");
    assert_eq!(app.count("sessions"), 0);
}
