//! `/admin/v1/users/{user}/claims`, `…/disabled`

use serde_json::json;

use crate::support::{OTHER_APPID, TestApp, minutes, seconds};
use crate::yaopai::v1::sessions::two_realms;

#[tokio::test]
async fn claims_are_set_read_and_cleared() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "张 三/1");
    phone.log_in().await;
    let path = "/admin/v1/users/%E5%BC%A0%20%E4%B8%89%2F1/claims";
    assert_eq!(app.admin_get(path).await, json!({ "user": "张 三/1", "claims": null }));
    let claims = json!({ "roles": ["店长"], "n": 1 });
    let set = app.admin("PUT", path, Some(claims.clone())).await.ok().json();
    assert_eq!(set, json!({ "user": "张 三/1", "claims": claims }));
    assert_eq!(app.admin_get(path).await, set);
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(r#"{"roles":["\u5e97\u957f"],"n":1}"#));
    assert_eq!(phone.read().await.json()["claims"], claims);
    assert_eq!(app.admin("DELETE", path, None).await.status, 204);
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(""));
    assert_eq!(app.admin("DELETE", path, None).await.status, 204);
}

/// What is said about a user before their first login counts from it on.
#[tokio::test]
async fn claims_may_come_before_the_user() {
    let app = TestApp::start().await;
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "vip": true }))).await.ok();
    let phone = app.customer("lilei", "42");
    assert_eq!(phone.log_in().await.json()["claims"], json!({ "vip": true }));
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(r#"{"vip":true}"#));
}

#[tokio::test]
async fn every_running_session_of_the_user_learns_them() {
    let app = TestApp::start().await;
    let (phone, pad, other) = (app.customer("lilei", "42"), app.phone("lilei"), app.customer("xiaohong", "43"));
    for phone in [&phone, &pad, &other] {
        phone.log_in().await;
        assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(""));
    }
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "a": 1 }))).await.ok();
    for (phone, claims) in [(&phone, "{\"a\":1}"), (&pad, "{\"a\":1}"), (&other, "")] {
        assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(claims));
    }
}

#[tokio::test]
async fn claims_that_are_none() {
    let app = TestApp::start().await;
    let path = "/admin/v1/users/42/claims";
    for (body, expected) in [
        (json!(["admin"]), "400 malformed"),
        (json!("admin"), "400 malformed"),
        (json!(null), "400 malformed"),
        (json!({ "a": "x".repeat(1024) }), "400 field_invalid"),
        (json!({ "a": "店".repeat(200) }), "400 field_invalid"),
    ] {
        assert_eq!(app.admin("PUT", path, Some(body.clone())).await.refusal(), expected, "{body}");
    }
    assert_eq!(app.admin("PUT", path, Some(json!({ "a": "店".repeat(169) }))).await.status, 200);
    let long = format!("/admin/v1/users/{}/claims", "x".repeat(129));
    assert_eq!(app.admin("GET", &long, None).await.refusal(), "404 not_found");
}

/// Guarantee: disabled is disabled, on every path, at once; and every refusal says so.
#[tokio::test]
async fn a_disabled_user() {
    let app = TestApp::start().await;
    let (phone, pad, other) = (app.customer("lilei", "42"), app.phone("lilei"), app.customer("xiaoming", "7"));
    for device in [&phone, &pad, &other] {
        device.log_in().await;
    }
    let path = "/admin/v1/users/42/disabled";
    assert_eq!(app.admin_get(path).await, json!({ "user": "42", "disabled_at": null }));
    let ended = app.admin("PUT", path, None).await.ok().json();
    assert_eq!(ended["ended"].as_array().unwrap().len(), 2);
    for device in [&phone, &pad] {
        assert_eq!(device.check("-").await.denied(), "403 user_disabled");
        assert_eq!(device.check("require=open").await.denied(), "403 user_disabled");
        assert_eq!(device.read().await.refusal(), "403 user_disabled");
        assert_eq!(device.refresh("r").await.refusal(), "403 user_disabled");
        assert_eq!(device.step_up("u", &device.code()).await.refusal(), "403 user_disabled");
    }
    assert_eq!(other.check("-").await.user(), "7");
    let before = app.state();
    assert_eq!(phone.try_log_in().await.refusal(), "403 user_disabled");
    assert_eq!(app.state()["sessions"], before["sessions"]);
    // A guest who says to be that user, by the form.
    app.back_end.has_account("lilei", "secret", "42");
    let guest = app.phone("xiaohong");
    guest.log_in().await;
    assert_eq!(guest.bind("b", "lilei", "secret").await.refusal(), "403 user_disabled");
    assert_eq!(guest.check("require=session").await.user(), "");
    // Again changes nothing, and since when stays.
    app.clock.advance(minutes(5));
    assert_eq!(app.admin("PUT", path, None).await.ok().json(), json!({ "ended": [] }));
    assert_eq!(app.admin_get(path).await["disabled_at"], "2026-01-01T00:00:00.000Z");
    // A restart forgets nothing.
    let mut app = app;
    app.restart_after(seconds(1)).await;
    assert_eq!(phone.try_log_in().await.refusal(), "403 user_disabled");
    assert_eq!(app.admin("DELETE", path, None).await.ok().text, "");
    assert_eq!(phone.log_in().await.json()["user"], "42");
    assert_eq!(phone.check("-").await.user(), "42");
}

/// The other realm has a user of the same id, who has nothing to do with it.
#[tokio::test]
async fn disabled_in_one_realm() {
    let app = two_realms().await;
    let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
    app.back_end.knows(&there.openid(), "42");
    here.log_in().await;
    there.log_in().await;
    app.admin_as("key-of-other", "PUT", "/admin/v1/users/42/disabled", None).await.ok();
    assert_eq!(there.check("-").await.denied(), "403 user_disabled");
    assert_eq!(here.check("-").await.user(), "42");
    assert_eq!(
        app.admin_as("key-of-default", "GET", "/admin/v1/users/42/disabled", None).await.json()["disabled_at"],
        json!(null)
    );
}
