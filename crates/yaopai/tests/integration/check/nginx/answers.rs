//! What a check answers: the principal, refusals, the headers around them.

use insta::assert_snapshot;
use serde_json::json;

use super::{TARGET, customer};
use crate::support::Reply;

#[tokio::test]
async fn without_a_session() {
    let (app, _) = customer().await;
    let url = format!("{}{TARGET}", app.addresses().check);
    assert_snapshot!(Reply::of(app.http.get(&url).send().await.unwrap()).await.show(), @r#"
    401 Unauthorized
    cache-control: no-store
    content-type: application/problem+json
    www-authenticate: Bearer realm="yaopai"
    yaopai-app:
    yaopai-body-signed:
    yaopai-claims:
    yaopai-code: session_missing
    yaopai-env-version:
    yaopai-identity-id:
    yaopai-openid:
    yaopai-session-id:
    yaopai-time: 2026-01-01T00:00:00.000Z
    yaopai-unionid:
    yaopai-user:
    yaopai-vouched-at:
    {
      "type": "urn:yaopai:error:session_missing",
      "title": "No session was shown",
      "status": 401,
      "code": "session_missing",
      "detail": "Log in first, then send the token as `Authorization: Bearer …`."
    }
    "#);
}

#[tokio::test]
async fn every_answer_has_every_principal_header_once() {
    let (app, phone) = customer().await;
    // `principal()` fails the test if one of the ten is missing or doubled.
    let stranger = app.phone("xiaohong");
    stranger.log_in().await;
    for (reply, status) in [
        (phone.check("-").await, 200),
        (phone.check("require=open").await, 200),
        (stranger.check("require=session").await, 200),
        (stranger.check("-").await, 403),
        (phone.check_as("junk", "-").await, 401),
        (phone.check("misspelt=1").await, 403),
        (phone.check("realm=other").await, 401),
    ] {
        let named: Vec<&str> = reply.principal().iter().map(|(name, _)| *name).collect();
        assert_eq!((reply.status.as_u16(), named.is_empty()), (status, status != 200), "{named:?}");
    }
    assert_eq!(
        phone.check("-").await.principal().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        [
            "yaopai-app",
            "yaopai-identity-id",
            "yaopai-openid",
            "yaopai-session-id",
            "yaopai-unionid",
            "yaopai-user",
            "yaopai-vouched-at"
        ]
    );
}

/// nginx makes a 500 of any status but 2xx, 401 and 403.
#[tokio::test]
async fn other_statuses_are_mapped_for_nginx() {
    let (_app, phone) = customer().await;
    let reply = phone.check("nonsense=1").await;
    assert_eq!((reply.status.as_u16(), reply.header("yaopai-status")), (403, Some("400")));
    let reply = phone.check_as("junk", "-").await;
    assert_eq!((reply.status.as_u16(), reply.header("yaopai-status")), (401, None));
    let reply = phone.check("realm=other").await;
    assert_eq!((reply.status.as_u16(), reply.header("yaopai-status")), (401, None));
}

#[tokio::test]
async fn claims_that_change_are_in_the_next_check() {
    let (app, phone) = customer().await;
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(""));
    for (claims, header) in [
        (json!({ "roles": ["clerk"] }), r#"{"roles":["clerk"]}"#),
        (json!({ "店": "一" }), r#"{"\u5e97":"\u4e00"}"#),
        (json!({ "a": "\r\nSet-Cookie: x" }), r#"{"a":"\r\nSet-Cookie: x"}"#),
    ] {
        app.admin("PUT", "/admin/v1/users/42/claims", Some(claims)).await.ok();
        assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(header));
    }
    app.admin("DELETE", "/admin/v1/users/42/claims", None).await.ok();
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(""));
}
