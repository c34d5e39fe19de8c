//! `/check/forward`: what Traefik's ForwardAuth and Caddy's forward_auth ask.

use crate::support::{Draft, PRINCIPAL, Phone, Setup, TestApp, raw};

const FORWARDED: [(&str, &str); 4] = [
    ("X-Forwarded-Method", "GET"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "shop.example"),
    ("X-Forwarded-Uri", "/orders?page=2"),
];

async fn customer() -> (TestApp, Phone, String) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let bearer = format!("Bearer {}", phone.token());
    (app, phone, bearer)
}

async fn forward(app: &TestApp, ask: &str, headers: &[(&str, &str)]) -> raw::Answer {
    let answer = raw::check(&app.addresses().check, &format!("/check/forward{ask}"), headers).await;
    for name in PRINCIPAL {
        assert!(answer.header(name).is_some(), "{name} is missing: {}", answer.0);
    }
    if answer.status() != 200 {
        assert_eq!(answer.header("yaopai-user"), Some(""));
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("yaopai-status"), None, "these proxies pass any status on");
    answer
}

/// The usual four and a token, with one of them replaced, dropped or added to.
fn with<'a>(bearer: &'a str, name: &str, values: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut headers: Vec<_> = FORWARDED.into_iter().filter(|(n, _)| *n != name).collect();
    let name = FORWARDED.iter().find(|(n, _)| *n == name).unwrap().0;
    headers.extend(values.iter().map(|value| (name, *value)));
    headers.push(("Authorization", bearer));
    headers
}

#[tokio::test]
async fn who_is_this() {
    let (app, phone, bearer) = customer().await;
    let usual = with(&bearer, "X-Forwarded-Method", &["GET"]);
    let answer = forward(&app, "", &usual).await;
    assert_eq!((answer.status(), answer.header("yaopai-user")), (200, Some("42")));
    assert_eq!(answer.header("yaopai-openid"), Some(phone.openid().as_str()));
    let answer = forward(&app, "?require=open", &FORWARDED).await;
    assert_eq!((answer.status(), answer.header("yaopai-user")), (200, Some("")));
    let answer = forward(&app, "", &FORWARDED).await;
    assert_eq!((answer.status(), answer.code()), (401, "session_missing"));
    let answer = forward(&app, "?require=opne", &usual).await;
    assert_eq!((answer.status(), answer.code()), (400, "malformed"));
}

#[tokio::test]
async fn the_original_must_be_whole_and_single() {
    let (app, _, bearer) = customer().await;
    for (name, usual) in FORWARDED {
        for values in [vec![], vec![usual, usual], vec![usual, "evil"], vec!["a, b"], vec![""]] {
            let answer = forward(&app, "", &with(&bearer, name, &values)).await;
            assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{name}: {values:?}");
            let answer = forward(&app, "?require=open", &with(&bearer, name, &values)).await;
            assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{name}: {values:?}");
        }
    }
    for (name, value) in [
        ("X-Forwarded-Uri", "orders"),
        ("X-Forwarded-Uri", "https://shop.example/orders"),
        ("X-Forwarded-Uri", "/orders#fragment"),
        ("X-Forwarded-Proto", "ws"),
        ("X-Forwarded-Host", "shop.example/x"),
        ("X-Forwarded-Method", "GET /"),
    ] {
        let answer = forward(&app, "", &with(&bearer, name, &[value])).await;
        assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{name}: {value}");
    }
}

#[tokio::test]
async fn the_same_dangers_as_with_nginx() {
    let (app, phone, bearer) = customer().await;
    let answer = forward(&app, "", &with(&bearer, "X-Forwarded-Uri", &["/a/../b"])).await;
    assert_eq!((answer.status(), answer.code()), (400, "path_unclean"));
    let uri = format!("/a?token={}", phone.token());
    let answer = forward(&app, "?require=open", &with("Basic eDp5", "X-Forwarded-Uri", &[&uri])).await;
    assert_eq!((answer.status(), answer.code()), (400, "token_in_query"));
    let mut forged = with(&bearer, "X-Forwarded-Method", &["GET"]);
    forged.push(("Yaopai_User", "1"));
    let answer = forward(&app, "", &forged).await;
    assert_eq!((answer.status(), answer.code()), (400, "header_forged"));
    // A token in the check's own query is in some log by now.
    let usual = with(&bearer, "X-Forwarded-Method", &["GET"]);
    let answer = forward(&app, &format!("?require=open&token={}", phone.token()), &usual).await;
    assert_eq!(answer.status(), 400);
    assert!(!answer.0.contains(&phone.token()));
}

/// Anybody could write these headers; only the proxies we know are believed.
#[tokio::test]
async fn a_peer_that_is_not_trusted_is_refused() {
    for (trusted, passes) in [
        ("[]", false),
        ("[\"10.0.0.0/8\", \"::1\"]", false),
        ("[\"127.0.0.2\"]", false),
        ("[\"127.0.0.0/8\"]", true),
        ("[\"127.0.0.1\"]", true),
    ] {
        let tables: &'static str = Box::leak(format!("[check]\ntrusted_proxies = {trusted}").into_boxed_str());
        let app = TestApp::with(Setup { tables, ..Setup::default() }).await;
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        let bearer = format!("Bearer {}", phone.token());
        let answer = forward(&app, "", &with(&bearer, "X-Forwarded-Method", &["GET"])).await;
        let expected = if passes { (200, "") } else { (400, "malformed") };
        assert_eq!((answer.status(), answer.code()), expected, "{trusted}");
        if !passes {
            assert!(answer.body().contains("trusted_proxies"), "{}", answer.body());
        }
    }
}

/// A proxy that takes `/api` off the path before it asks: the client has signed the whole.
#[tokio::test]
async fn a_stripped_prefix_is_put_back_for_the_signature() {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let stripped = || Draft { uri: "/orders?a=1".into(), ..phone.draft_for_shop("GET", "/api/orders?a=1", None) };
    assert_eq!(stripped().check_forward(&app, "prefix=/api").await.user(), "42");
    for ask in ["", "prefix=/ap", "prefix=/api/orders", "prefix=/API"] {
        assert_eq!(stripped().check_forward(&app, ask).await.denied(), "401 proof_invalid", "{ask}");
    }
    // The prefix is the proxy's word, never the client's.
    let whole = phone.draft_for_shop("GET", "/api/orders?prefix=/api", None);
    assert_eq!(whole.check_forward(&app, "").await.user(), "42");
}
