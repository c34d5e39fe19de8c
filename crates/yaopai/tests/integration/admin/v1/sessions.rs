//! `/admin/v1/sessions`, `/admin/v1/users/{user}/sessions`

use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{OTHER_APPID, Phone, Setup, TestApp, minutes, seconds};
use crate::yaopai::v1::sessions::two_realms;

fn ids(page: &Value) -> Vec<String> {
    page["sessions"].as_array().unwrap().iter().map(|s| s["session_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_session_as_the_back_end_sees_it() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in_with(json!({ "device": { "type": "phone" }, "env_version": "release" })).await.ok();
    app.clock.advance(minutes(5));
    let id = phone.read().await.field("session_id");
    assert_snapshot!(app.admin("GET", "/admin/v1/sessions?user=42", None).await.show(), @r#"
    200 OK
    content-type: application/json
    {
      "sessions": [
        {
          "session_id": "[id]",
          "app": "shop",
          "identity_id": "[id]",
          "openid": "oLqyzenJoTB5gmEcqUhLICFI1ny9",
          "unionid": "ozfiDXYlIzS2N3nE5MEeH-BhTtBq",
          "user": "42",
          "device": {
            "type": "phone"
          },
          "env_version": "release",
          "key": "bearer",
          "created_at": "2026-01-01T00:00:00.000Z",
          "vouched_at": "2026-01-01T00:00:00.000Z",
          "last_seen_at": "2026-01-01T00:05:00.000Z",
          "absolute_expires_at": "2026-01-08T00:00:00.000Z",
          "ended": null
        }
      ],
      "next": null
    }
    "#);
    phone.log_out().await.ok();
    assert_eq!(ids(&app.admin_get("/admin/v1/sessions").await), [""; 0], "only live ones are listed");
    let one = app.admin_get(&format!("/admin/v1/sessions/{id}")).await;
    assert_eq!(one["ended"], json!({ "reason": "logout", "at": "2026-01-01T00:05:00.000Z" }));
}

#[tokio::test]
async fn pages() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let mut logged_in = Vec::new();
    for _ in 0..5 {
        app.clock.advance(seconds(1));
        logged_in.push(phone.log_in().await.field("session_id"));
    }
    app.clock.advance(seconds(1));
    app.customer("xiaohong", "43").log_in().await;
    let (mut found, mut path) = (Vec::new(), "/admin/v1/sessions?user=42&app=shop&limit=2".to_owned());
    loop {
        let page = app.admin_get(&path).await;
        assert!(ids(&page).len() <= 2);
        found.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/admin/v1/sessions?user=42&app=shop&limit=2&after={next}");
    }
    assert_eq!(found, logged_in, "each once, oldest first");
    assert_eq!(ids(&app.admin_get("/admin/v1/sessions").await).len(), 6);
    assert_eq!(ids(&app.admin_get("/admin/v1/sessions?app=pay").await), [""; 0]);
}

#[tokio::test]
async fn kicked_is_kicked_and_told() {
    let app = TestApp::start().await;
    let (phone, pad) = (app.customer("lilei", "42"), app.phone("lilei"));
    phone.log_in().await;
    let path = format!("/admin/v1/sessions/{}", pad.log_in().await.field("session_id"));
    assert_eq!(pad.check("-").await.user(), "42");
    let kicked = app.admin("DELETE", &path, None).await;
    assert_eq!((kicked.status.as_u16(), kicked.text.as_str()), (204, ""));
    assert_eq!(pad.check("-").await.denied(), "401 session_kicked");
    assert_eq!(pad.refresh("r").await.refusal(), "401 session_kicked");
    assert_eq!(phone.check("-").await.user(), "42");
    app.admin("DELETE", &path, None).await.ok();
    assert_eq!(app.admin_get(&path).await["ended"]["reason"], "kicked");
}

/// A kick that comes between a refresh's answer and its first use.
#[tokio::test]
async fn a_successor_dies_with_its_session() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let id = phone.log_in().await.field("session_id");
    let successor = phone.refresh("r").await.field("token");
    app.admin("DELETE", &format!("/admin/v1/sessions/{id}"), None).await.ok();
    assert_eq!(phone.check_as(&successor, "-").await.denied(), "401 session_kicked");
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_kicked");
}

/// Once a kick is answered nothing passes, whatever was under way: refreshes, first uses of new tokens, checks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kick_wins_every_race() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let phone = Arc::new(app.customer("lilei", "42"));
        let id = phone.log_in().await.field("session_id");
        let handed_out = Arc::new(Mutex::new(vec![phone.token()]));
        let busy: Vec<_> = (0..6)
            .map(|n| {
                let (phone, handed_out) = (phone.clone(), handed_out.clone());
                tokio::spawn(async move {
                    for m in 0..20 {
                        let token = handed_out.lock().unwrap().last().unwrap().clone();
                        let reply = phone.refresh_as(&token, &format!("r{round}-{n}-{m}")).await;
                        let Some(next) = reply.json()["token"].as_str().map(str::to_owned) else { return };
                        handed_out.lock().unwrap().push(next.clone());
                        phone.check_as(&next, "-").await;
                    }
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(10 + 3 * round)).await;
        app.admin("DELETE", &format!("/admin/v1/sessions/{id}"), None).await.ok();
        let known = handed_out.lock().unwrap().clone();
        let checks =
            futures_util::future::join_all(known.iter().map(|token| phone.check_as(token, "require=open"))).await;
        checks.iter().for_each(|check| assert_eq!(check.denied(), "401 session_kicked"));
        for task in busy {
            task.await.unwrap();
        }
        let late = handed_out.lock().unwrap().split_off(known.len());
        for token in late {
            assert_eq!(phone.check_as(&token, "require=open").await.denied(), "401 session_kicked", "handed out later");
        }
    }
}

#[tokio::test]
async fn all_of_a_user_s_are_kicked() {
    let app = TestApp::start().await;
    let (phone, pad, other) = (app.customer("lilei", "张 三/1"), app.phone("lilei"), app.customer("xiaohong", "43"));
    let mut expected = vec![phone.log_in().await.field("session_id"), pad.log_in().await.field("session_id")];
    other.log_in().await;
    expected.sort();
    let reply = app.admin("DELETE", "/admin/v1/users/%E5%BC%A0%20%E4%B8%89%2F1/sessions", None).await.ok().json();
    assert_eq!(reply, json!({ "ended": expected }));
    assert_eq!(phone.check("-").await.denied(), "401 session_kicked");
    assert_eq!(pad.check("-").await.denied(), "401 session_kicked");
    assert_eq!(other.check("-").await.user(), "43");
    let again = app.admin("DELETE", "/admin/v1/users/nobody/sessions", None).await.ok().json();
    assert_eq!(again, json!({ "ended": [] }));
}

#[tokio::test]
async fn what_lists_don_t_take() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("limit=0", Some("limit")),
        ("limit=201", Some("limit")),
        ("limit=x", None),
        ("after=x", Some("after")),
        ("openid=x", None),
        ("usr=42", None),
        ("user=42&user=43", None),
    ] {
        let reply = app.admin("GET", &format!("/admin/v1/sessions?{query}"), None).await;
        assert_eq!(reply.refusal(), "400 field_invalid", "{query}");
        assert_eq!(reply.json().get("field").and_then(Value::as_str), field, "{query}");
    }
}

async fn kick(app: &TestApp, query: &str) -> Value {
    app.admin("DELETE", &format!("/admin/v1/sessions?{query}"), None).await.ok().json()["ended"].clone()
}

#[tokio::test]
async fn kicked_by_what_they_are() {
    let app = two_realms().await;
    let logged_in = async |phone: &Phone, kind: &str| {
        phone.log_in_with(json!({ "device": { "type": kind } })).await.ok();
        app.clock.advance(minutes(1));
    };
    let (phone, pad) = (app.customer("lilei", "42"), app.phone("lilei"));
    let (other, far) = (app.customer("xiaoming", "7"), app.phone_in("club", OTHER_APPID, "xiaohong"));
    logged_in(&phone, "phone").await;
    logged_in(&pad, "pad").await;
    logged_in(&other, "pad").await;
    logged_in(&far, "pad").await;
    for none in [
        "user=43",
        "user=42&device_type=car",
        "app=club",
        "before=2025-12-31T23:59:59.999Z",
        "user=7&before=2026-01-01T00:01:59Z",
    ] {
        assert_eq!(kick(&app, none).await, 0, "{none}");
    }
    assert_eq!(kick(&app, "user=42&device_type=pad").await, 1);
    assert_eq!(pad.check("-").await.denied(), "401 session_kicked");
    assert_eq!(phone.check("-").await.user(), "42");
    // All that were opened before an instant, as after a leak.
    assert_eq!(kick(&app, "before=2026-01-01T00:01:59%2B00:00").await, 1);
    assert_eq!(phone.check("-").await.denied(), "401 session_kicked");
    assert_eq!(other.check("-").await.user(), "7");
    assert_eq!(kick(&app, "app=shop").await, 1);
    assert_eq!(other.check("-").await.denied(), "401 session_kicked");
    assert_eq!(far.read().await.status, 200, "another realm's");
}

/// More than a page, and what is opened meanwhile stays.
#[tokio::test]
async fn many_are_kicked() {
    let app = TestApp::with(Setup { sessions: "max = 300", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    for n in 0..205 {
        // WeChat has its own limit of logins a minute.
        app.clock.advance(if n % 99 == 98 { minutes(1) } else { seconds(0) });
        phone.log_in().await;
    }
    let before = "2026-01-01T00:02:00Z";
    app.clock.advance(minutes(1));
    phone.log_in().await;
    assert_eq!(kick(&app, &format!("before={before}")).await, 205);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Everybody is logged out on purpose only.
#[tokio::test]
async fn a_kick_names_something() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    for (query, code) in [
        ("", "400 field_invalid"),
        ("?before=", "400 field_invalid"),
        ("?before=yesterday", "400 field_invalid"),
        ("?usr=42", "400 field_invalid"),
        ("?user=7&user=42", "400 field_invalid"),
        ("?limit=5", "400 field_invalid"),
    ] {
        assert_eq!(app.admin("DELETE", &format!("/admin/v1/sessions{query}"), None).await.refusal(), code, "{query}");
    }
    assert_eq!(phone.check("-").await.user(), "42");
}
