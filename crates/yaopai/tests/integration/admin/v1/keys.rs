//! API keys: each opens one realm.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{OTHER_APPID, TestApp, raw};
use crate::yaopai::v1::sessions::two_realms;

const CALLS: [(&str, &str); 13] = [
    ("GET", "/admin/v1/sessions"),
    ("GET", "/admin/v1/sessions/00000000-0000-7000-8000-000000000000"),
    ("DELETE", "/admin/v1/sessions/00000000-0000-7000-8000-000000000000"),
    ("DELETE", "/admin/v1/users/42/sessions"),
    ("GET", "/admin/v1/users/42/claims"),
    ("DELETE", "/admin/v1/users/42/claims"),
    ("POST", "/admin/v1/bind-codes"),
    ("GET", "/admin/v1/audit"),
    ("GET", "/admin/v1/audit/head"),
    ("GET", "/admin/v1/bindings"),
    ("POST", "/admin/v1/bindings"),
    ("DELETE", "/admin/v1/bindings/00000000-0000-7000-8000-000000000000"),
    ("GET", "/admin/v1/apps/shop/access-token"),
];

#[tokio::test]
async fn without_the_key_nothing_is_told() {
    let app = TestApp::start().await;
    app.customer("lilei", "42").log_in().await;
    let before = app.state();
    for (method, path) in CALLS {
        for key in ["", "wrong", "key-of-defaul", "key-of-defaultx", "KEY-OF-DEFAULT"] {
            let reply = app.admin_as(key, method, path, None).await;
            assert_eq!(reply.refusal(), "401 api_key_invalid", "{method} {path} {key}");
        }
    }
    assert_eq!(app.state(), before);
    assert_snapshot!(app.admin_as("wrong", "GET", "/admin/v1/sessions", None).await.show(), @r#"
    401 Unauthorized
    content-type: application/problem+json
    www-authenticate: Bearer realm="yaopai"
    yaopai-code: api_key_invalid
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:api_key_invalid",
      "title": "The API key is missing or wrong",
      "status": 401,
      "code": "api_key_invalid",
      "detail": "Send an API key of the realm as `Authorization: Bearer yk_…`."
    }
    "#);
    for headers in [
        &[][..],
        &[("Authorization", "Basic a2V5LW9mLWRlZmF1bHQ=")],
        &[("Authorization", "key-of-default")],
        &[("Authorization", "Bearer key-of-default"), ("Authorization", "Bearer key-of-default")],
        &[("X-Api-Key", "key-of-default")],
    ] {
        let answer = raw::get(&app.addresses().admin, "/admin/v1/sessions", headers).await;
        assert_eq!((answer.status(), answer.code()), (401, "api_key_invalid"), "{headers:?}");
    }
    let answer = raw::get(&app.addresses().admin, "/admin/v1/sessions?key=key-of-default", &[]).await;
    assert_eq!(answer.status(), 401);
}

/// Whoever holds an access token can act as the app: most keys are not for that, and a key that is need not be for more.
#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let app = TestApp::with(crate::support::Setup {
        tables: "[[api_keys]]\nname = \"for tokens\"\nhash = \"{other_key}\"\nscopes = [\"access_token\"]",
        ..Default::default()
    })
    .await;
    for (method, path) in CALLS {
        let key = if path.ends_with("/access-token") { "key-of-default" } else { "key-of-other" };
        assert_eq!(app.admin_as(key, method, path, None).await.refusal(), "403 scope_missing", "{method} {path}");
    }
    assert_eq!(app.sim.calls("token") + app.sim.calls("stable_token"), 0);
    for unknown in ["club", "Shop", "wx0123456789abcdef", "%2e%2e", "shop%00"] {
        let path = format!("/admin/v1/apps/{unknown}/access-token");
        assert_eq!(app.admin_as("key-of-other", "GET", &path, None).await.refusal(), "404 not_found", "{unknown}");
    }
}

/// A session's token is no API key, and an API key no session.
#[tokio::test]
async fn tokens_and_keys_are_two_things() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let reply = app.admin_as(&phone.token(), "GET", "/admin/v1/sessions", None).await;
    assert_eq!(reply.refusal(), "401 api_key_invalid");
    assert_eq!(phone.check_as("key-of-default", "-").await.denied(), "401 session_unknown");
}

#[tokio::test]
async fn a_key_opens_its_own_realm_only() {
    let app = two_realms().await;
    let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
    app.back_end.knows(&there.openid(), "42");
    here.log_in().await;
    there.log_in().await;
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "of": "the shop" }))).await.ok();
    let id = there.read().await.field("session_id");
    let identity = there.check("realm=other").await.header("yaopai-identity-id").unwrap().to_owned();

    // The shop's key sees nothing of the club's …
    let mine = app.admin_get("/admin/v1/sessions?user=42").await;
    assert_eq!(mine["sessions"].as_array().unwrap().iter().map(|s| &s["app"]).collect::<Vec<_>>(), ["shop"]);
    assert_eq!(app.admin_get("/admin/v1/sessions?app=club").await["sessions"], json!([]));
    assert_eq!(app.admin_get("/admin/v1/bindings").await["bindings"].as_array().unwrap().len(), 1);
    assert_eq!(app.admin_get("/admin/v1/bindings?app=club").await["bindings"], json!([]));
    for (method, path) in [
        ("GET", format!("/admin/v1/sessions/{id}")),
        ("DELETE", format!("/admin/v1/sessions/{id}")),
        ("DELETE", format!("/admin/v1/bindings/{identity}")),
    ] {
        assert_eq!(app.admin(method, &path, None).await.refusal(), "404 not_found", "{method} {path}");
    }
    let body = json!({ "app": "club", "openid": there.openid(), "user": "43" });
    assert_eq!(app.admin("POST", "/admin/v1/bindings", Some(body)).await.refusal(), "404 not_found");
    // … nor changes anything of it.
    app.admin("DELETE", "/admin/v1/users/42/sessions", None).await.ok();
    assert_eq!(there.check("realm=other").await.user(), "42");
    assert_eq!(there.check("realm=other").await.header("yaopai-claims"), Some(""));

    let theirs = app.admin_as("key-of-other", "GET", "/admin/v1/users/42/claims", None).await.ok().json();
    assert_eq!(theirs, json!({ "user": "42", "claims": null }));
    app.admin_as("key-of-other", "DELETE", &format!("/admin/v1/sessions/{id}"), None).await.ok();
    assert_eq!(there.check("realm=other").await.denied(), "401 session_kicked");
}
