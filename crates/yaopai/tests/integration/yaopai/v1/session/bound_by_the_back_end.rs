//! The back end binds a running session: answers say so until its client has read it.

use std::time::Duration;

use serde_json::json;

use crate::support::{Phone, Reply, Setup, TestApp};

async fn by_api(tables: &'static str) -> (TestApp, Phone) {
    let app = TestApp::with(Setup { binding: "api", tables, ..Setup::default() }).await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    (app, phone)
}

async fn bind(app: &TestApp, phone: &Phone) {
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
}

fn told(reply: &Reply) -> bool {
    match reply.ok().header("yaopai-bound") {
        None => false,
        Some(value) => value == "1" || panic!("Yaopai-Bound: {value}"),
    }
}

#[tokio::test]
async fn answers_say_so_until_it_is_read() {
    let (mut app, phone) = by_api("").await;
    assert!(!told(&phone.check("require=session").await) && !told(&phone.call("GET", "/sessions", None).await));
    bind(&app, &phone).await;
    assert!(told(&phone.check("-").await) && told(&phone.check("require=session").await));
    assert!(told(&phone.call("GET", "/sessions", None).await));
    assert_eq!(phone.check("vouched=0&apps=other").await.header("yaopai-bound"), None, "refusals don't");
    app.restart_after(Duration::ZERO).await;
    // A refresh tells, too, that the session is bound; but only a read is a read.
    let reply = phone.refresh("r").await;
    assert!(told(&reply));
    phone.hold(&reply.field("token"));
    assert!(told(&phone.check("-").await), "under the new token as well");
    let read = phone.read().await;
    assert_eq!((read.json()["user"].as_str(), told(&read)), (Some("42"), false));
    assert!(!told(&phone.check("-").await) && !told(&phone.call("GET", "/sessions", None).await));
    // The same word again is no news, nor is it one to a new session.
    bind(&app, &phone).await;
    assert!(!told(&phone.check("-").await));
    phone.log_in().await;
    assert!(!told(&phone.check("-").await));
}

#[tokio::test]
async fn each_client_reads_for_itself() {
    let (app, phone) = by_api("").await;
    let pad = app.phone("lilei");
    pad.log_in().await;
    bind(&app, &phone).await;
    assert!(!told(&phone.read().await));
    assert!(told(&pad.check("-").await) && !told(&phone.check("-").await));
}

/// Nobody learns of a session without holding its token.
#[tokio::test]
async fn a_stranger_s_token_is_told_nothing() {
    let (app, phone) = by_api("").await;
    let other = app.phone("xiaohong");
    other.log_in().await;
    bind(&app, &phone).await;
    assert!(!told(&other.check("require=session").await) && !told(&other.call("GET", "/sessions", None).await));
    // The right session's id with another secret.
    let forged = format!("{}{}", &phone.token()[..26], &other.token()[26..]);
    assert_eq!(phone.call_as(&forged, "GET", "/session", None).await.header("yaopai-bound"), None);
    assert!(told(&phone.check("-").await));
}

/// A session beyond the live table's bound is read from the store, and its checks say the same.
#[tokio::test]
async fn past_the_table_s_bound() {
    let (app, _) = by_api("[live]\nmax_sessions = 1\nflush_interval = 300").await;
    let phone = app.phone("xiaohong");
    phone.log_in().await;
    bind(&app, &phone).await;
    assert!(told(&phone.check("-").await));
    assert!(!told(&phone.read().await) && !told(&phone.check("-").await));
}
