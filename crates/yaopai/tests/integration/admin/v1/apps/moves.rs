//! `/admin/v1/apps/{app}/move`

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::yaopai::v1::sessions::two_realms;

const MOVE: &str = "/admin/v1/apps/shop/move";

async fn side(app: &TestApp, of: &str) -> (String, String) {
    let reply = app.admin("GET", &format!("{MOVE}/side?{of}"), None).await;
    (reply.field("side"), reply.field("why"))
}

fn is(side: &str, why: &str) -> (String, String) {
    (side.to_owned(), why.to_owned())
}

#[tokio::test]
async fn a_state_is_read_as_it_was_set() {
    let app = TestApp::start().await;
    for path in [MOVE.to_owned(), "/admin/v1/apps/none/move".to_owned()] {
        assert_eq!(app.admin("GET", &path, None).await.refusal(), "404 not_found");
        assert_eq!(app.admin("DELETE", &path, None).await.refusal(), "404 not_found");
    }
    assert_eq!(
        app.admin("PUT", "/admin/v1/apps/none/move", Some(json!({ "share": 1 }))).await.refusal(),
        "404 not_found"
    );
    let said = json!({ "share": 12.34, "openids": ["o2", "o1", "o2"], "users": ["a", 42], "back": true });
    assert_eq!(app.admin("PUT", MOVE, Some(said)).await.status, 204);
    let state = json!({
        "app": "shop", "share": 12.34, "openids": ["o1", "o2"], "users": ["42", "a"], "back": true,
        "stayed": 0, "returned": 0, "legacy_requests": 0
    });
    assert_eq!(app.admin_get(MOVE).await, state);
    // The whole is set.
    app.admin("PUT", MOVE, Some(json!({ "share": 0 }))).await.ok();
    let read = app.admin_get(MOVE).await;
    assert_eq!((&read["openids"], &read["back"], read["share"].as_f64()), (&json!([]), &json!(false), Some(0.0)));
    assert_eq!(app.admin("DELETE", MOVE, None).await.status, 204);
    assert_eq!(app.admin("GET", MOVE, None).await.refusal(), "404 not_found");
    assert_eq!((app.count("moves"), app.count("move_lists")), (0, 0));
}

#[tokio::test]
async fn what_can_not_be_is_refused() {
    let app = TestApp::start().await;
    let long = "x".repeat(129);
    for (body, field) in [
        (json!({}), "share"),
        (json!({ "share": "1" }), "share"),
        (json!({ "share": -0.01 }), "share"),
        (json!({ "share": 100.01 }), "share"),
        (json!({ "share": 33.333 }), "share"),
        (json!({ "share": 1, "openids": "o1" }), "openids"),
        (json!({ "share": 1, "openids": [1] }), "openids"),
        (json!({ "share": 1, "openids": [""] }), "openids"),
        (json!({ "share": 1, "openids": [long] }), "openids"),
        (json!({ "share": 1, "openids": null }), "openids"),
        (json!({ "share": 1, "users": [long] }), "users"),
        (json!({ "share": 1, "users": vec!["u"; 1001] }), "users"),
        (json!({ "share": 1, "back": 1 }), "back"),
    ] {
        let reply = app.admin("PUT", MOVE, Some(body.clone())).await;
        assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!(field)), "{body}");
    }
    assert_eq!(app.admin("PUT", MOVE, Some(json!({ "share": 1, "bak": true }))).await.refusal(), "400 field_invalid");
    assert_eq!(app.count("moves"), 0);
    // As much as it may be.
    let named = |letter: &str| (0..1000).map(|n| format!("{letter}{n:0>127}")).collect::<Vec<_>>();
    app.admin("PUT", MOVE, Some(json!({ "share": 1, "openids": named("o"), "users": named("u") }))).await.ok();
    assert_eq!(app.count("move_lists"), 2000);
    for query in ["", "openid=a&user=b", "openid=", "other=1"] {
        let reply = app.admin("GET", &format!("{MOVE}/side?{query}"), None).await;
        assert_eq!(reply.refusal(), "400 field_invalid", "{query}");
    }
}

#[tokio::test]
async fn a_side_is_told_with_its_reason() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let by_openid = format!("openid={}", phone.openid());
    assert_eq!(side(&app, &by_openid).await, is("yaopai", "no_move"));
    assert_eq!(side(&app, "user=nobody").await, is("yaopai", "no_move"));
    phone.log_in().await;
    let set = async |state: Value| {
        app.admin("PUT", MOVE, Some(state)).await.ok();
    };
    set(json!({ "share": 0 })).await;
    assert_eq!(side(&app, &by_openid).await, is("legacy", "share"));
    assert_eq!(side(&app, "user=42").await, is("legacy", "share"));
    set(json!({ "share": 0, "users": ["42"] })).await;
    assert_eq!(side(&app, &by_openid).await, is("yaopai", "listed"), "by the binding");
    assert_eq!(side(&app, "user=42").await, is("yaopai", "listed"));
    assert_eq!(side(&app, "openid=other").await, is("legacy", "share"));
    set(json!({ "share": 100, "back": true })).await;
    assert_eq!(side(&app, &by_openid).await, is("legacy", "back"));
    assert_eq!(side(&app, "user=nobody").await, is("legacy", "back"));
    // By the account, where the share decides.
    for share in [0.01, 50.0, 99.99] {
        set(json!({ "share": share })).await;
        assert_eq!(side(&app, "user=42").await, side(&app, &by_openid).await);
        assert_eq!(app.admin("GET", &format!("{MOVE}/side?user=nobody"), None).await.refusal(), "404 not_found");
    }
}

/// Guarantee: two realms don't see each other's moves.
#[tokio::test]
async fn a_realm_moves_its_own_apps_alone() {
    let app = two_realms().await;
    let club = "/admin/v1/apps/club/move";
    app.admin("PUT", MOVE, Some(json!({ "share": 0 }))).await.ok();
    for (method, body) in [("GET", None), ("PUT", Some(json!({ "share": 100 }))), ("DELETE", None)] {
        for (key, path) in [("key-of-other", MOVE), ("key-of-default", club)] {
            assert_eq!(
                app.admin_as(key, method, path, body.clone()).await.refusal(),
                "404 not_found",
                "{method} {path}"
            );
        }
    }
    let asked = app.admin_as("key-of-other", "GET", &format!("{MOVE}/side?openid=o"), None).await;
    assert_eq!(asked.refusal(), "404 not_found");
    assert_eq!(app.admin("GET", MOVE, None).await.json()["share"].as_f64(), Some(0.0));
    let (here, there) = (app.phone("lilei"), app.phone_in("club", crate::support::OTHER_APPID, "lilei"));
    assert_eq!(here.try_log_in().await.refusal(), "403 not_moved");
    there.log_in().await;
    let rows = app.admin_as("key-of-other", "GET", "/admin/v1/audit", None).await;
    assert!(!rows.text.contains("app_move"), "{}", rows.text);
}
