//! `/yaopai/v1/binding/preview`: whose account a bind code is for.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{TestApp, minutes, seconds};

#[tokio::test]
async fn the_masked_account_and_nothing_else() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let body = json!({ "user": "42", "masked": "138****8000 · 李*" });
    let code = app.admin("POST", "/admin/v1/bind-codes", Some(body)).await.field("bind_code");
    app.clock.advance(seconds(10));
    assert_snapshot!(phone.preview(&code).await.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "masked": "138****8000 · 李*",
      "expires_in": 290
    }
    "#);
    // As often as the person likes; it binds nobody, and the back end isn't asked.
    phone.preview(&code).await.ok();
    assert_eq!(phone.read().await.json()["bound"], false);
    assert_eq!(app.back_end.calls("bind").len(), 0);
}

#[tokio::test]
async fn codes_that_are_none_or_another_s() {
    let app = TestApp::start().await;
    let (phone, other) = (app.phone("lilei"), app.phone("xiaohong"));
    phone.log_in().await;
    other.log_in().await;
    let code = app.bind_code("42").await;
    let before = app.state();
    for junk in ["x", "yb_", "yb_AAAAAAAAAAAAAAAAAAAAAA", &code[3..], &code.to_uppercase(), &format!("{code} ")] {
        assert_eq!(phone.preview(junk).await.refusal(), "400 bind_code_invalid", "{junk}");
    }
    assert_eq!(app.state(), before);
    phone.preview(&code).await.ok();
    assert_snapshot!(other.preview(&code).await.show(), @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/problem+json
    yaopai-code: bind_code_invalid
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:bind_code_invalid",
      "title": "The bind code is not valid",
      "status": 400,
      "code": "bind_code_invalid",
      "detail": "This bind code is not known, was used or has expired, or this session has not previewed it; have the person scan a new one, and preview it first."
    }
    "#);
    app.clock.advance(minutes(5));
    assert_eq!(phone.preview(&code).await.refusal(), "400 bind_code_invalid", "expired");
    for body in
        [json!({}), json!({ "bind_code": 1 }), json!({ "bind_code": "" }), json!({ "bind_code": "x".repeat(65) })]
    {
        let reply = phone.call("POST", "/binding/preview", Some(body.clone())).await;
        assert_eq!(
            (reply.refusal().as_str(), &reply.json()["field"]),
            ("400 field_invalid", &json!("bind_code")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_ended_session_sees_nothing() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let code = app.bind_code("42").await;
    phone.log_out().await.ok();
    assert_eq!(phone.preview(&code).await.refusal(), "401 session_ended");
}
