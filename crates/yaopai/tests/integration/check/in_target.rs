//! `/check/haproxy/…` and `/check/envoy/…`: what HAProxy's Lua and Envoy's `ext_authz` ask. The real ones ask in `tests/proxies`.

use crate::support::{Draft, PRINCIPAL, Reply, Setup, TestApp, raw};

fn with_all_headers(answer: raw::Answer) -> raw::Answer {
    for name in PRINCIPAL {
        assert!(answer.header(name).is_some(), "{name} is missing: {}", answer.0);
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("yaopai-status"), None, "these proxies pass any status on");
    answer
}

/// HAProxy asks about `GET {uri}`.
async fn haproxy(app: &TestApp, ask: &str, uri: &str, headers: &[(&str, &str)]) -> raw::Answer {
    let target = format!("/check/haproxy/{ask}/GET/https/shop.example{uri}");
    with_all_headers(raw::check(&app.addresses().check, &target, headers).await)
}

/// Envoy asks about `GET {uri}`.
async fn envoy(app: &TestApp, ask: &str, uri: &str, headers: &[(&str, &str)]) -> raw::Answer {
    let target = format!("/check/envoy/{ask}{uri}");
    with_all_headers(raw::check(&app.addresses().check, &target, headers).await)
}

const HTTPS: (&str, &str) = ("X-Forwarded-Proto", "https");

#[tokio::test]
async fn who_is_this() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let bearer = format!("Bearer {}", phone.token());
    let token = ("Authorization", bearer.as_str());
    for answer in [haproxy(&app, "-", "/orders", &[token]).await, envoy(&app, "-", "/orders", &[token, HTTPS]).await] {
        assert_eq!((answer.status(), answer.header("yaopai-user")), (200, Some("42")));
    }
    for (ask, uri, expected) in [
        ("-", "/orders", (401, "session_missing")),
        ("require=open", "/orders", (200, "")),
        ("require=opne", "/orders", (400, "malformed")),
        ("require=open&require=open", "/orders", (400, "malformed")),
        ("require=open", "/a/../orders", (400, "path_unclean")),
        ("require=open", "//orders", (400, "path_unclean")),
        // A client's query asks nothing.
        ("-", "/orders?require=open", (401, "session_missing")),
    ] {
        let answer = haproxy(&app, ask, uri, &[]).await;
        assert_eq!((answer.status(), answer.code()), expected, "HAProxy: {ask} {uri}");
        let answer = envoy(&app, ask, uri, &[HTTPS]).await;
        assert_eq!((answer.status(), answer.code()), expected, "Envoy: {ask} {uri}");
    }
    let forged = ("Yaopai_User", "1");
    for answer in
        [haproxy(&app, "-", "/", &[token, forged]).await, envoy(&app, "-", "/", &[token, HTTPS, forged]).await]
    {
        assert_eq!((answer.status(), answer.code()), (400, "header_forged"));
    }
}

/// What Envoy says of the request beside its path must be there, and once.
#[tokio::test]
async fn envoy_s_request_must_be_whole() {
    let app = TestApp::start().await;
    for headers in [&[][..], &[HTTPS, HTTPS], &[("X-Forwarded-Proto", "ftp")], &[HTTPS, ("Host", "evil.example")]] {
        let answer = envoy(&app, "require=open", "/orders", headers).await;
        assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{headers:?}");
    }
    // A path that begins with no slash (`OPTIONS *`, a bare query) would be a part of what is asked.
    for rest in ["require=open*", "require=open", "-?require=open", "require=open?x=/orders", "apps=a?/"] {
        let target = format!("/check/envoy/{rest}");
        let answer = raw::check(&app.addresses().check, &target, &[HTTPS]).await;
        assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{rest}");
    }
}

/// Envoy sends the original method, and of anything but a GET a length.
#[tokio::test]
async fn a_signature_covers_envoy_s_own_request() {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let ask = async |method: &str, draft: &Draft| {
        let url = format!("{}/check/envoy/-{}", app.addresses().check, draft.uri);
        let request = app.http.request(method.parse().unwrap(), url).header("host", &draft.host);
        let mut request = request.header("content-length", "0").header("x-forwarded-proto", "https");
        for (name, value) in &draft.fields {
            request = request.header(name, value);
        }
        Reply::of(request.send().await.unwrap()).await
    };
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let draft = phone.draft_for_shop(method, "/orders?a=1", None);
        assert_eq!(ask(method, &draft).await.user(), "42", "{method}");
        let other = phone.draft_for_shop(method, "/orders?a=1", None);
        let not_this = if method == "PUT" { "POST" } else { "PUT" };
        // A GET has no digest, which a PUT must have.
        let why = if method == "GET" { "401 body_digest_required" } else { "401 proof_invalid" };
        assert_eq!(ask(not_this, &other).await.denied(), why, "{method} as {not_this}");
    }
    let moved = Draft { host: "evil.example".into(), ..phone.draft_for_shop("GET", "/orders", None) };
    assert_eq!(ask("GET", &moved).await.denied(), "401 proof_invalid");
}

/// HAProxy writes the whole question itself; of what Envoy sends, a part is a header.
#[tokio::test]
async fn envoy_s_word_counts_from_trusted_peers_only() {
    let app = TestApp::with(Setup { tables: "[check]\ntrusted_proxies = []", ..Setup::default() }).await;
    let answer = envoy(&app, "require=open", "/orders", &[HTTPS]).await;
    assert_eq!((answer.status(), answer.code()), (400, "malformed"));
    assert!(answer.body().contains("trusted_proxies"), "{}", answer.body());
    assert_eq!(haproxy(&app, "require=open", "/orders", &[]).await.status(), 200);
}
