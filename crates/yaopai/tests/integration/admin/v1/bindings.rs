//! `/admin/v1/bindings`: the back end binds by itself.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Phone, Reply, Setup, TestApp};

async fn by_api() -> (TestApp, Phone) {
    let app = TestApp::with(Setup { binding: "api", ..Setup::default() }).await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    (app, phone)
}

async fn bind(app: &TestApp, phone: &Phone, user: Value) -> Reply {
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": user });
    app.admin("POST", "/admin/v1/bindings", Some(body)).await
}

#[tokio::test]
async fn running_sessions_rise_in_place() {
    let (app, phone) = by_api().await;
    let successor = phone.refresh("r").await.field("token");
    assert_eq!(phone.check("-").await.denied(), "403 not_bound");
    let reply = bind(&app, &phone, json!(42)).await;
    let shown = reply.show().replace(&phone.openid(), "[openid]");
    assert_snapshot!(shown, @r#"
    200 OK
    content-type: application/json
    {
      "identity_id": "[id]",
      "app": "shop",
      "openid": "[openid]",
      "unionid": "ozfiDXYlIzS2N3nE5MEeH-BhTtBq",
      "user": "42",
      "bound_at": "2026-01-01T00:00:00.000Z"
    }
    "#);
    assert_eq!(phone.check("-").await.user(), "42", "the token is the same");
    assert_eq!(phone.check_as(&successor, "-").await.user(), "42", "one that was handed out before, too");
    assert_eq!(app.back_end.calls("resolve").len() + app.back_end.calls("opened").len(), 0);
    phone.log_in().await;
    assert_eq!(phone.read().await.json()["user"], "42");
}

#[tokio::test]
async fn claims_may_come_with_it() {
    let (app, phone) = by_api().await;
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": "42", "claims": { "a": 1 } });
    app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some("{\"a\":1}"));
}

#[tokio::test]
async fn conflicts() {
    let (app, phone) = by_api().await;
    let other = app.phone("xiaohong");
    other.log_in().await;
    bind(&app, &phone, json!("42")).await.ok();
    bind(&app, &phone, json!("42")).await.ok();
    let before = app.state();
    assert_eq!(bind(&app, &phone, json!("43")).await.refusal(), "409 binding_conflict");
    assert_eq!(bind(&app, &other, json!("42")).await.refusal(), "409 binding_conflict");
    assert_eq!(app.state(), before);
}

/// Only the platform can bring an identity into being.
#[tokio::test]
async fn nobody_is_bound_whom_the_platform_never_vouched_for() {
    let (app, _) = by_api().await;
    let stranger = app.phone("xiaohong");
    assert_eq!(bind(&app, &stranger, json!("42")).await.refusal(), "404 not_found");
    let body = json!({ "app": "nowhere", "openid": stranger.openid(), "user": "42" });
    assert_eq!(app.admin("POST", "/admin/v1/bindings", Some(body)).await.refusal(), "404 not_found");
}

#[tokio::test]
async fn unbinding_ends_sessions() {
    let (app, phone) = by_api().await;
    let identity = bind(&app, &phone, json!("42")).await.field("identity_id");
    assert_eq!(phone.check("-").await.user(), "42");
    let path = format!("/admin/v1/bindings/{identity}");
    assert_eq!(app.admin("DELETE", &path, None).await.status, 204);
    assert_eq!(phone.check("require=open").await.denied(), "401 session_revoked");
    assert_eq!(app.admin("DELETE", &path, None).await.refusal(), "404 not_found");
    phone.log_in().await;
    assert_eq!(phone.check("require=session").await.user(), "");
    assert_eq!(app.admin_get("/admin/v1/bindings").await["bindings"], json!([]));
}

#[tokio::test]
async fn lists() {
    let (app, phone) = by_api().await;
    let other = app.phone("xiaohong");
    other.log_in().await;
    bind(&app, &phone, json!("42")).await.ok();
    bind(&app, &other, json!("43")).await.ok();
    let users = async |query: &str| {
        let page = app.admin_get(&format!("/admin/v1/bindings?{query}")).await;
        let mut users: Vec<String> =
            page["bindings"].as_array().unwrap().iter().map(|b| b["user"].as_str().unwrap().to_owned()).collect();
        users.sort();
        users
    };
    assert_eq!(users("").await, ["42", "43"]);
    assert_eq!(users("user=42").await, ["42"]);
    assert_eq!(users(&format!("app=shop&openid={}", other.openid())).await, ["43"]);
    assert_eq!(users("app=pay").await, [""; 0]);
    assert_eq!(users(&format!("user=42&openid={}", other.openid())).await, [""; 0]);
    let first = app.admin_get("/admin/v1/bindings?limit=1").await;
    let next = first["next"].as_str().unwrap();
    let second = app.admin_get(&format!("/admin/v1/bindings?limit=1&after={next}")).await;
    assert_ne!(first["bindings"], second["bindings"]);
    assert_eq!(second["bindings"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn misspelt_fields_are_refused() {
    let (app, phone) = by_api().await;
    let good = json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let before = app.state();
    for (body, field) in [
        (with("usr", json!("42")), None),
        (with("realm", json!("other")), None),
        (with("user", json!("")), Some("user")),
        (with("user", json!(null)), Some("user")),
        (with("user", json!(1.5)), Some("user")),
        (with("user", json!("x".repeat(129))), Some("user")),
        (with("claims", json!("admin")), Some("claims")),
        (with("claims", json!({ "a": "店".repeat(171) })), Some("claims")),
        (with("openid", json!(["a"])), Some("openid")),
        (with("app", json!("")), Some("app")),
    ] {
        let reply = app.admin("POST", "/admin/v1/bindings", Some(body.clone())).await;
        assert_eq!(reply.refusal(), "400 field_invalid", "{body}");
        assert_eq!(reply.json().get("field").and_then(Value::as_str), field, "{body}");
    }
    assert_eq!(app.state(), before);
}
