//! `GET /yaopai/v1/session`

use insta::assert_snapshot;

use crate::support::{Setup, TestApp, minutes, raw};

#[tokio::test]
async fn it_says_who_and_how_long() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.clock.advance(minutes(10));
    assert_snapshot!(phone.read().await.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 604200,
      "bound": true,
      "user": "42",
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:10:00.000Z"
    }
    "#);
}

/// Near the end of its days a session's times shrink with it.
#[tokio::test]
async fn the_absolute_end_bounds_what_is_told() {
    let app = TestApp::with(Setup { sessions: "absolute = 2700", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.clock.advance(minutes(20));
    phone.read().await.ok();
    app.clock.advance(minutes(20));
    let read = phone.read().await.json();
    assert_eq!(
        (&read["expires_in"], &read["refresh_in"], &read["absolute_expires_in"]),
        (&300.into(), &300.into(), &300.into())
    );
}

#[tokio::test]
async fn without_a_token() {
    let app = TestApp::start().await;
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/session", &[]).await;
    assert_eq!((answer.status(), answer.code()), (401, "session_missing"));
    let url = format!("{}/yaopai/v1/session", app.addresses().public);
    let reply = crate::support::Reply::of(app.http.get(url).send().await.unwrap()).await;
    assert_snapshot!(reply.show(), @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="yaopai"
    yaopai-code: session_missing
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:session_missing",
      "title": "No session was shown",
      "status": 401,
      "code": "session_missing",
      "detail": "Log in first, then send the token as `Authorization: Bearer …`."
    }
    "#);
}
