//! `/admin/v1/users/{user}/claims`

use serde_json::json;

use crate::support::TestApp;

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
