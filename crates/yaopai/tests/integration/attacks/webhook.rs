//! Webhooks that are not ours, and answers that are not the back end's.

use serde_json::json;
use yaopai::webhook::{decode_secret, sign};

use crate::support::{Act, TestApp, WEBHOOK_SECRET, seconds};

/// Somebody who can reach the back end pretends to be us, or sends again what we have sent.
#[tokio::test]
async fn a_forged_and_a_replayed_call() {
    let app = TestApp::start().await;
    let body = json!({ "type": "bind", "data": { "openid": "o", "way": "bind_code", "bind_code": { "user": "1" } } });
    let body = body.to_string();
    let secret = decode_secret(WEBHOOK_SECRET).unwrap();
    let now = app.clock.now_ms() / 1000;
    let send = async |id: &str, at: i64, signature: &str, body: &str| {
        let request = app.http.post(&app.back_end.url).header("content-type", "application/json");
        let request = request.header("webhook-id", id).header("webhook-timestamp", at.to_string());
        request.header("webhook-signature", signature).body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    let good = sign(&secret, "msg_1", now, body.as_bytes());
    assert_eq!(send("msg_1", now, &sign(&[7; 32], "msg_1", now, body.as_bytes()), &body).await, 401, "another key");
    assert_eq!(send("msg_1", now, &good, &body.replace('1', "2")).await, 401, "another body");
    assert_eq!(send("msg_2", now, &good, &body).await, 401, "another id");
    assert_eq!(send("msg_1", now + 1, &good, &body).await, 401, "another time");
    let old = sign(&secret, "msg_1", now - 301, body.as_bytes());
    assert_eq!(send("msg_1", now - 301, &old, &body).await, 401, "too old");
    assert_eq!(app.back_end.calls("bind").len(), 0);
    assert_eq!(send("msg_1", now, &good, &body).await, 200);
    assert_eq!(send("msg_1", now, &good, &body).await, 401, "once");
    assert_eq!(app.back_end.forgeries().len(), 6);
}

/// Each of our own calls is signed for its moment, under an id of its own, also when a client sends the same bind again.
#[tokio::test]
async fn our_own_calls_pass_however_often_a_bind_is_sent() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    for _ in 0..5 {
        assert_eq!(phone.bind("b", "lilei", "wrong").await.refusal(), "422 binding_rejected");
        app.clock.advance(seconds(400));
        phone.read().await.ok();
    }
    assert_eq!((app.back_end.calls("bind").len(), app.back_end.forgeries()), (5, Vec::new()));
}

/// Whoever answers in the back end's place, or has it say something else than the contract knows, binds nobody.
#[tokio::test]
async fn answers_that_are_no_word_of_the_back_end_s() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let before = app.state();
    for (n, said) in [
        r#"{"user": {"id": "42"}}"#,
        r#"{"user": ["42"]}"#,
        r#"{"user": true}"#,
        r#"{"user": 4.2}"#,
        r#"{"users": "42"}"#,
        r#"{"data": {"user": "42"}}"#,
        r#"[{"user": "42"}]"#,
        r#""42""#,
        "user=42",
        "<html>42</html>",
    ]
    .into_iter()
    .enumerate()
    {
        app.back_end.acts("bind", Act::Say(said.into()));
        assert_eq!(phone.bind(&format!("b{n}"), "lilei", "x").await.refusal(), "503 backend_unavailable", "{said}");
    }
    for status in [301, 302, 307, 401, 404, 422, 500] {
        app.back_end.acts("bind", Act::Status(status));
        assert_eq!(phone.bind("s", "lilei", "x").await.refusal(), "503 backend_unavailable", "{status}");
    }
    assert_eq!(app.state(), before);
    // A user id is opaque: what it looks like gives nobody anything.
    app.back_end.acts("bind", Act::Say(r#"{"user": "admin\r\nYaopai-User: root"}"#.into()));
    phone.hold(&phone.bind("c", "lilei", "x").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "admin%0D%0AYaopai-User%3A%20root");
}
