//! `/.well-known/…` on the admin listener: for everybody.

use serde_json::json;

use crate::support::tokens::{ISSUER, published, with_audiences};
use crate::support::{Reply, TestApp};

async fn get(app: &TestApp, path: &str) -> Reply {
    Reply::of(app.http.get(format!("{}{path}", app.addresses().admin)).send().await.unwrap()).await
}

#[tokio::test]
async fn the_documents_say_where_all_of_it_is() {
    let app = with_audiences().await;
    let document = get(&app, "/.well-known/oauth-authorization-server").await.ok().json();
    assert_eq!(get(&app, "/.well-known/openid-configuration").await.json(), document);
    let mut expected = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{ISSUER}/.well-known/jwks.json"),
        "introspection_endpoint": format!("{ISSUER}/oauth2/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "response_types_supported": [],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
    });
    expected["id_token_signing_alg_values_supported"] = json!(["ES256", "EdDSA"]);
    assert_eq!(document, expected);
}

#[tokio::test]
async fn only_public_halves_are_published() {
    let app = with_audiences().await;
    let reply = get(&app, "/.well-known/jwks.json").await;
    assert_eq!(reply.ok().header("cache-control"), Some("public, max-age=300"));
    let keys = reply.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2, "one for each alg");
    for key in keys {
        let mut members: Vec<_> = key.as_object().unwrap().keys().cloned().collect();
        members.sort();
        let expected: &[&str] = match key["alg"].as_str().unwrap() {
            "ES256" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => &["alg", "crv", "kid", "kty", "use", "x"],
        };
        assert_eq!(members, expected);
        assert_eq!(key["use"], "sig");
    }
    // A restart changes none.
    let before = published(&app).await;
    let mut app = app;
    app.restart_after(crate::support::seconds(5)).await;
    assert_eq!(published(&app).await, before);
}

#[tokio::test]
async fn without_audiences_there_is_nothing_to_publish() {
    let app = TestApp::start().await;
    assert_eq!(get(&app, "/.well-known/jwks.json").await.ok().json(), json!({ "keys": [] }));
    assert_eq!(get(&app, "/.well-known/openid-configuration").await.refusal(), "404 not_found");
    assert_eq!(app.count("signing_keys"), 0);
}
