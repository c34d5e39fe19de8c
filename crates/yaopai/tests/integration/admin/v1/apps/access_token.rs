//! `GET /admin/v1/apps/{app}/access-token`

use yaopai_sim::{Endpoint, Fault};

use crate::support::{Setup, TestApp, minutes};
use crate::yaopai::v1::sessions::two_realms;

/// `key-of-other` is a key of the default realm here, for access tokens only.
async fn with_a_token_key() -> TestApp {
    TestApp::with(Setup {
        tables: "[[api_keys]]\nname = \"for tokens\"\nhash = \"{other_key}\"\nscopes = [\"access_token\"]",
        ..Setup::default()
    })
    .await
}

const PATH: &str = "/admin/v1/apps/shop/access-token";

#[tokio::test]
async fn one_token_for_everybody() {
    let app = with_a_token_key().await;
    let reply = app.admin_as("key-of-other", "GET", PATH, None).await;
    let (token, expires_in) = (reply.field("access_token"), reply.json()["expires_in"].as_u64().unwrap());
    assert!((60..=7200).contains(&expires_in), "{expires_in}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.json().as_object().unwrap().len(), 2);
    app.clock.advance(minutes(10));
    let again = app.admin_as("key-of-other", "GET", PATH, None).await;
    assert_eq!(again.field("access_token"), token, "WeChat is not asked for another one");
    assert_eq!(again.json()["expires_in"].as_u64().unwrap(), expires_in - 600);
    assert_eq!(app.sim.calls("token") + app.sim.calls("stable_token"), 1);
}

#[tokio::test]
async fn of_another_realm_s_app_there_is_none() {
    let app = two_realms().await;
    for (key, name) in [("key-of-default", "club"), ("key-of-other", "shop")] {
        let path = format!("/admin/v1/apps/{name}/access-token");
        assert_eq!(app.admin_as(key, "GET", &path, None).await.refusal(), "403 scope_missing");
    }
}

#[tokio::test]
async fn wechat_fails() {
    let app = with_a_token_key().await;
    for endpoint in [Endpoint::Token, Endpoint::StableToken] {
        app.sim.set_fault(Fault::reset_after().on(endpoint)).unwrap();
    }
    let reply = app.admin_as("key-of-other", "GET", PATH, None).await;
    assert_eq!(reply.refusal(), "503 platform_unavailable");
    assert!(!reply.text.contains("wx.login") && !reply.text.contains("127.0.0.1"), "{}", reply.text);
}
