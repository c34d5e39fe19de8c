//! A real nginx with `examples/nginx/nginx.conf`, word for word but for the ports.

mod jwt;
mod signed;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::nginx::Nginx;
use crate::support::shop::{Shop, principal, user};
use crate::support::{PRINCIPAL, Phone, Reply, Setup, TestApp, minutes, raw, seconds};

/// Everything between a phone and a shop.
struct Front {
    app: TestApp,
    shop: Shop,
    nginx: Nginx,
}

impl Front {
    async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    async fn with(setup: Setup) -> Self {
        let app = TestApp::with(setup).await;
        let shop = Shop::start().await;
        let nginx = Nginx::start(&app, &shop.address);
        Self { app, shop, nginx }
    }

    /// A phone whose user the shop knows, logged in.
    async fn customer() -> (Self, Phone) {
        let front = Self::start().await;
        let phone = front.app.customer("lilei", "42");
        phone.log_in().await;
        (front, phone)
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Reply {
        let request = self.app.http.get(format!("{}{path}", self.nginx.base));
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        Reply::of(request.send().await.unwrap()).await
    }

    /// Sends it as it is; says what the client saw, and what arrived at the shop if anything did.
    async fn raw(&self, target: &str, headers: &[(&str, &str)]) -> (raw::Answer, Option<Value>) {
        let before = self.shop.visits();
        let answer = raw::get(&self.nginx.base, target, headers).await;
        let arrived = self.shop.arrived.lock().unwrap();
        assert!(arrived.len() <= before + 1);
        (answer, arrived.get(before).cloned())
    }

    /// `status code` of a refusal; nothing may have reached the shop.
    #[track_caller]
    fn refused(&self, reply: &Reply) -> String {
        assert_eq!(self.shop.visits(), 0, "it got through");
        let code = reply.header("yaopai-code").unwrap_or_else(|| panic!("{} {}", reply.status, reply.text));
        assert_eq!(reply.json(), json!({ "status": reply.status.as_u16(), "code": code }));
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        format!("{} {code}", reply.status.as_u16())
    }
}

#[tokio::test]
async fn the_back_end_learns_who_it_is() {
    let (front, phone) = Front::customer().await;
    front.app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "roles": ["店长"] }))).await.ok();
    let check = phone.check("-").await;
    let url = format!("{}/orders?page=2&q=%E5%BC%A0", front.nginx.base);
    let request = front.app.http.post(url).bearer_auth(phone.token()).header("cookie", "theirs=1").body("whole body");
    let seen = Reply::of(request.send().await.unwrap()).await.ok().json();
    let expected: Vec<(String, String)> = check.principal().into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    assert_eq!(principal(&seen), expected);
    assert_eq!((&seen["method"], &seen["uri"]), (&json!("POST"), &json!("/orders?page=2&q=%E5%BC%A0")));
    assert_eq!(seen["body"], "whole body");
    let headers = seen["headers"].to_string();
    assert!(headers.contains("theirs=1") && !headers.contains("yp1_"), "the token stops at nginx: {headers}");
}

#[tokio::test]
async fn many_checks_share_connections() {
    let (front, phone) = Front::customer().await;
    for n in 0..50 {
        assert_eq!(user(&front.get(&format!("/n/{n}"), Some(&phone.token())).await.ok().json()).unwrap(), "42");
    }
    assert_eq!(front.shop.visits(), 50);
}

#[tokio::test]
async fn a_guest_route() {
    let (front, phone) = Front::customer().await;
    let token = phone.token();
    let guest = front.get("/catalogue/tea", None).await.ok().json();
    assert_eq!(principal(&guest), [], "empty headers are not sent");
    assert_eq!(user(&front.get("/catalogue/tea", Some(&token)).await.ok().json()).unwrap(), "42");
    front.shop.arrived.lock().unwrap().clear();
    assert_eq!(front.refused(&front.get("/orders", None).await), "401 session_missing");
    front.app.clock.advance(minutes(31));
    let reply = front.get("/catalogue/tea", Some(&token)).await;
    assert_eq!(front.refused(&reply), "401 session_expired", "shown and invalid is not a guest");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer realm=\"yaopai\""));
    assert_eq!(reply.header("yaopai-time"), Some("2026-01-01T00:31:00.000Z"), "phone clocks lie");
}

#[tokio::test]
async fn an_ended_session_is_told_why() {
    let (front, phone) = Front::customer().await;
    let other = front.app.phone("lilei");
    other.log_in().await;
    let id = phone.read().await.field("session_id");
    other.call("DELETE", &format!("/sessions/{id}"), None).await.ok();
    assert_eq!(front.refused(&front.get("/orders", Some(&phone.token())).await), "401 session_kicked");
    other.log_out().await.ok();
    assert_eq!(front.refused(&front.get("/orders", Some(&other.token())).await), "401 session_ended");
    assert_eq!(front.refused(&front.get("/orders", Some("junk")).await), "401 session_unknown");
}

#[tokio::test]
async fn a_stranger_may_join_and_nothing_else() {
    let front = Front::start().await;
    let phone = front.app.phone("xiaohong");
    phone.log_in().await;
    assert_eq!(front.refused(&front.get("/orders", Some(&phone.token())).await), "403 not_bound");
    let seen = front.get("/join/", Some(&phone.token())).await.ok().json();
    assert_eq!(user(&seen), None);
    assert!(principal(&seen).contains(&("yaopai-openid".into(), phone.openid())));
}

#[tokio::test]
async fn paying_asks_for_wechat_s_fresh_word() {
    let (front, phone) = Front::customer().await;
    front.get("/pay/1", Some(&phone.token())).await.ok();
    front.shop.arrived.lock().unwrap().clear();
    front.app.clock.advance(seconds(301));
    assert_eq!(front.refused(&front.get("/pay/1", Some(&phone.token())).await), "401 login_required");
    front.get("/orders", Some(&phone.token())).await.ok();
}

#[tokio::test]
async fn a_forged_identity_never_reaches_the_back_end() {
    let (front, phone) = Front::customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for name in PRINCIPAL {
        for target in ["/orders", "/catalogue/tea"] {
            let (answer, arrived) = front.raw(target, &[("Authorization", &bearer), (name, "1")]).await;
            assert_eq!((answer.status(), answer.code()), (400, "header_forged"), "{name}");
            assert_eq!(arrived, None);
            let (answer, arrived) = front.raw(target, &[(&name.to_uppercase(), "1")]).await;
            assert_eq!((answer.status(), answer.code()), (400, "header_forged"), "{name}");
            assert_eq!(arrived, None);
        }
        // nginx drops names with underscores before anybody reads them; it must not be told to keep them.
        for name in [name.replace('-', "_"), name.replacen('-', "_", 1)] {
            let (_, arrived) = front.raw("/orders", &[("Authorization", &bearer), (&name, "1")]).await;
            let arrived = arrived.unwrap();
            assert_eq!(user(&arrived).unwrap(), "42", "{name}");
            assert!(principal(&arrived).iter().all(|(_, value)| value != "1"), "{name}: {arrived}");
            let (_, arrived) = front.raw("/catalogue/tea", &[(&name, "1")]).await;
            assert_eq!(principal(&arrived.unwrap()), [], "{name}");
        }
    }
    // What only looks like one of ours must not become one on the way.
    let (_, arrived) = front.raw("/orders", &[("Authorization", &bearer), ("X-Yaopai-User", "1")]).await;
    assert_eq!(user(&arrived.unwrap()).unwrap(), "42");
}

/// A header that a proxy of another kind would have set says nothing here.
#[tokio::test]
async fn forwarded_headers_say_nothing_to_nginx_s_check() {
    let (front, _) = Front::customer().await;
    let forwarded =
        [("X-Forwarded-Uri", "/catalogue/"), ("X-Forwarded-Method", "GET"), ("X-Original-Uri", "/catalogue/")];
    let (answer, arrived) = front.raw("/orders", &forwarded).await;
    assert_eq!((answer.status(), answer.code(), arrived), (401, "session_missing", None));
}

/// nginx and a back end may read such a path differently, and then a guest is where only customers may be.
#[tokio::test]
async fn an_unclean_path_goes_nowhere() {
    let (front, phone) = Front::customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for path in [
        "/catalogue/../orders",
        "/catalogue/./../orders",
        "/catalogue/%2e%2e/orders",
        "/catalogue/..%2forders",
        "/catalogue/..;/orders",
        "/catalogue/%2e%2e%2forders",
        "/catalogue//orders",
        "//orders",
        "/catalogue/..%5corders",
        "/orders;x=/catalogue/",
        "/catalogue/%252e%252e/..",
        "/catalogue/x#/../../orders",
        "/catalogue/x%00/../orders",
        "/catalogue/%",
        // No path alone: it would choose another of nginx's servers than the one that the check is asked about.
        "http://evil.example/catalogue/tea",
    ] {
        for headers in [&[][..], &[("Authorization", bearer.as_str())][..]] {
            let (answer, arrived) = front.raw(path, headers).await;
            assert_eq!(arrived, None, "{path}");
            assert_eq!(answer.status(), 400, "{path}: {}", answer.0);
        }
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_refused() {
    let (front, phone) = Front::customer().await;
    for path in ["/orders", "/catalogue/tea"] {
        let reply = front.get(&format!("{path}?token={}", phone.token()), None).await;
        assert_eq!(front.refused(&reply), "400 token_in_query");
        let reply = front.get(&format!("{path}?token={}", phone.token()), Some(&phone.token())).await;
        assert_eq!(front.refused(&reply), "400 token_in_query");
    }
}

#[tokio::test]
async fn odd_hosts_and_methods_let_nobody_through() {
    let (front, phone) = Front::customer().await;
    let token = phone.token();
    for request in [
        format!("GET /orders HTTP/1.1\r\nHost: shop.example/catalogue/\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a b\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: h?x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"),
        format!("GET /orders HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /orders HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("G/T /orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n"),
        format!("GET /a /orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n"),
    ] {
        let answer = raw::send(&front.nginx.base, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{request}{answer}");
    }
    assert_eq!(front.shop.visits(), 0);
}

#[tokio::test]
async fn without_yaopai_nobody_passes() {
    let (mut front, phone) = Front::customer().await;
    front.get("/orders", Some(&phone.token())).await.ok();
    front.shop.arrived.lock().unwrap().clear();
    front.app.stop().await;
    for path in ["/orders", "/catalogue/tea", "/join/", "/pay/1"] {
        for token in [Some(phone.token()), None] {
            let reply = front.get(path, token.as_deref()).await;
            assert_eq!(front.refused(&reply), "503 unavailable", "{path}");
            assert_eq!(reply.header("retry-after"), Some("2"));
        }
    }
}

#[tokio::test]
async fn a_stop_closes_nginx_s_idle_connections() {
    let (mut front, phone) = Front::customer().await;
    front.get("/orders", Some(&phone.token())).await.ok();
    // nginx keeps connections to the check listener; a stop must close them in order.
    let soon = Duration::from_secs(5);
    tokio::time::timeout(soon, front.app.stop()).await.expect("idle connections hold up the stop");
}

#[tokio::test]
async fn the_check_is_not_for_clients() {
    let (front, phone) = Front::customer().await;
    for path in ["/_yaopai/check", "/_yaopai/check?x"] {
        let (answer, arrived) = front.raw(path, &[("Authorization", &format!("Bearer {}", phone.token()))]).await;
        assert_eq!((answer.status(), arrived, answer.header("yaopai-user")), (404, None, None), "{path}");
    }
    // The check's own path is just a path of the shop's.
    let (answer, arrived) = front.raw("/check/nginx/require=open/GET/https/h/orders", &[]).await;
    assert_eq!((answer.status(), answer.code(), arrived), (401, "session_missing", None));
}

#[tokio::test]
async fn the_client_library_s_calls_go_through() {
    let front = Front::start().await;
    let phone = front.app.customer("lilei", "42");
    let body = json!({ "app": "shop", "code": phone.code(), "request_id": crate::support::request_id("login") });
    let url = format!("{}/yaopai/v1/session", front.nginx.base);
    let login = Reply::of(front.app.http.post(&url).json(&body).send().await.unwrap()).await;
    let token = login.field("token");
    assert_eq!(
        Reply::of(front.app.http.get(&url).bearer_auth(&token).send().await.unwrap()).await.json()["user"],
        "42"
    );
    assert_eq!(user(&front.get("/orders", Some(&token)).await.ok().json()).unwrap(), "42");
    // Refusals come whole: nothing stands between the client and the API.
    let reply = Reply::of(front.app.http.get(&url).send().await.unwrap()).await;
    assert_eq!(reply.refusal(), "401 session_missing");
}

/// The back end binds the person while the mini program is open.
#[tokio::test]
async fn the_client_is_told_that_it_was_bound() {
    let front = Front::start().await;
    let phone = front.app.phone("lilei");
    phone.log_in().await;
    let bound =
        async |path: &str| front.get(path, Some(&phone.token())).await.header("yaopai-bound").map(str::to_owned);
    assert_eq!(bound("/join/").await, None);
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    front.app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
    for path in ["/join/", "/orders", "/status/500", "/yaopai/v1/sessions"] {
        assert_eq!(bound(path).await.as_deref(), Some("1"), "{path}");
    }
    assert_eq!(bound("/yaopai/v1/session").await, None, "now it has read it");
    assert_eq!(bound("/orders").await, None);
}

/// The back end's own refusals are its own.
#[tokio::test]
async fn what_the_back_end_answers_is_passed_on() {
    let (front, phone) = Front::customer().await;
    for status in [200, 201, 302, 401, 403, 404, 409, 500, 503] {
        let reply = front.get(&format!("/status/{status}"), Some(&phone.token())).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (status, "the shop's own words"));
        assert_eq!(reply.header("yaopai-code"), None);
    }
}
