//! `/admin/v1/bind-codes`: codes for pages that a user is logged in to.

use serde_json::{Value, json};

use crate::support::{OTHER_APPID, TestApp};
use crate::yaopai::v1::sessions::two_realms;

#[tokio::test]
async fn a_code_is_made() {
    let app = TestApp::start().await;
    let body = json!({ "user": 42, "masked": "42***", "app": "shop" });
    let reply = app.admin("POST", "/admin/v1/bind-codes", Some(body.clone())).await;
    let code = reply.field("bind_code");
    assert_eq!((reply.status.as_u16(), &reply.json()["expires_in"], code.len()), (201, &json!(300), 25));
    let another = app.admin("POST", "/admin/v1/bind-codes", Some(body)).await.field("bind_code");
    assert_ne!(code, another);
    let kept = format!("{:?}", app.state());
    assert!(!kept.contains(&code[3..]) && kept.contains("42***"), "only its hash is kept");
}

#[tokio::test]
async fn a_user_has_five_at_a_time() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        app.clock.advance(crate::support::seconds(1));
        codes.push(app.bind_code("42").await);
    }
    assert_eq!(app.count("bind_codes"), 5);
    assert_eq!(phone.preview(&codes[0]).await.refusal(), "400 bind_code_invalid");
    phone.preview(&codes[1]).await.ok();
}

#[tokio::test]
async fn it_is_good_in_its_realm_and_app_only() {
    let app = two_realms().await;
    let there = app.phone_in("club", OTHER_APPID, "lilei");
    there.log_in().await;
    let code = app.bind_code("42").await;
    assert_eq!(there.preview(&code).await.refusal(), "400 bind_code_invalid");
    let club = json!({ "user": "42", "masked": "42***", "app": "club" });
    let reply = app.admin("POST", "/admin/v1/bind-codes", Some(club.clone())).await;
    assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!("app")));
    let theirs = app.admin_as("key-of-other", "POST", "/admin/v1/bind-codes", Some(club)).await.field("bind_code");
    there.preview(&theirs).await.ok();
}

#[tokio::test]
async fn misspelt_fields_are_refused() {
    let app = TestApp::start().await;
    let before = app.state();
    let good = json!({ "user": "42", "masked": "42***" });
    for (name, value, field) in [
        ("usr", json!("42"), None),
        ("realm", json!("other"), None),
        ("expires_in", json!(3600), None),
        ("user", json!(""), Some("user")),
        ("user", Value::Null, Some("user")),
        ("masked", json!(""), Some("masked")),
        ("masked", json!(1), Some("masked")),
        ("masked", json!("店".repeat(43)), Some("masked")),
        ("app", json!("nowhere"), Some("app")),
        ("app", json!(1), Some("app")),
    ] {
        let mut body = good.clone();
        body[name] = value;
        let reply = app.admin("POST", "/admin/v1/bind-codes", Some(body.clone())).await;
        assert_eq!(reply.refusal(), "400 field_invalid", "{body}");
        assert_eq!(reply.json().get("field").and_then(Value::as_str), field, "{body}");
    }
    assert_eq!(app.state(), before);
}
