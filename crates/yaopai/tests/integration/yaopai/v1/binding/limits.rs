//! `/yaopai/v1/binding`: what the limits count, and what not.

use serde_json::json;

use crate::support::{Act, Setup, TestApp, form, request_id};

#[tokio::test]
async fn an_answered_bind_sent_again_is_not_counted() {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    let token = phone.bind("b", "lilei", "secret").await.field("token");
    for _ in 0..30 {
        assert_eq!(phone.bind("b", "lilei", "secret").await.field("token"), token);
    }
}

/// Who waits for a back end that is down must not find the limits used up when it is back.
#[tokio::test]
async fn a_back_end_that_is_down_uses_up_nothing() {
    let app = TestApp::with(Setup { shop: "account_field = \"account\"", ..Setup::default() }).await;
    app.back_end.has_account("lilei", "secret", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    app.back_end.acts("bind", Act::Status(500));
    for _ in 0..15 {
        assert_eq!(phone.bind("b", "lilei", "secret").await.refusal(), "503 backend_unavailable");
    }
    app.back_end.recovers();
    phone.bind("b", "lilei", "secret").await.ok();
}

/// An account that isn't named can't be counted.
#[tokio::test]
async fn a_form_must_name_its_account() {
    let app = TestApp::with(Setup { shop: "account_field = \"account\"", ..Setup::default() }).await;
    app.back_end.has_account("13800138000", "secret", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    for account in [json!(null), json!(""), json!(["lilei"]), json!({ "a": "lilei" }), json!(true)] {
        let mut body = form("b", "", "secret");
        body["form"]["account"] = account.clone();
        let reply = phone.call("POST", "/binding", Some(body)).await;
        assert_eq!(
            (reply.refusal().as_str(), &reply.json()["field"]),
            ("400 field_invalid", &json!("form")),
            "{account}"
        );
    }
    let body =
        json!({ "way": "form", "request_id": request_id("b"), "form": { "user": "lilei", "password": "secret" } });
    assert_eq!(phone.call("POST", "/binding", Some(body)).await.refusal(), "400 field_invalid");
    assert_eq!(app.back_end.calls("bind").len(), 0);
    phone.bind("b", "13800138000", "secret").await.ok();
}
