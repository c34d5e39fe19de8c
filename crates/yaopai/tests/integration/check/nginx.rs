//! `/check/nginx/{ask}/{method}/{scheme}/{host}{uri}`: what nginx's auth_request asks.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{OTHER_APPID, PRINCIPAL, Phone, Reply, Setup, TestApp, minutes, raw, seconds};

async fn customer() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

/// A check with these headers and no token of its own.
async fn check(app: &TestApp, target: &str, headers: &[(&str, &str)]) -> raw::Answer {
    raw::get(&app.addresses().check, target, headers).await
}

const TARGET: &str = "/check/nginx/-/GET/https/shop.example/orders";
const OPEN: &str = "/check/nginx/require=open/GET/https/shop.example/orders";

/// `status code` of a raw refusal. It must name nobody, in all ten headers.
#[track_caller]
fn denied(answer: &raw::Answer) -> String {
    for name in PRINCIPAL {
        assert_eq!(answer.header(name).map(str::trim), Some(""), "{name}: {}", answer.0);
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(matches!(answer.status(), 401 | 403), "nginx would make a 500 of {}", answer.status());
    let meant = answer.header("yaopai-status").map_or(answer.status(), |s| s.parse().unwrap());
    format!("{meant} {}", answer.code())
}

#[tokio::test]
async fn a_guest_route() {
    let (app, phone) = customer().await;
    let url = format!("{}{OPEN}", app.addresses().check);
    let guest = Reply::of(app.http.get(&url).send().await.unwrap()).await;
    assert_snapshot!(guest.show(), @r#"
    200 OK
    cache-control: no-store
    yaopai-app:
    yaopai-body-signed:
    yaopai-claims:
    yaopai-env-version:
    yaopai-identity-id:
    yaopai-openid:
    yaopai-session-id:
    yaopai-unionid:
    yaopai-user:
    yaopai-vouched-at:
    "#);
    assert_eq!(guest.principal(), []);
    assert_eq!(phone.check("require=open").await.user(), "42", "who shows a session is named");
    // Shown and invalid is not a guest: the client must learn that it has to log in again.
    assert_eq!(phone.check_as("junk", "require=open").await.denied(), "401 session_unknown");
    app.clock.advance(minutes(31));
    assert_eq!(phone.check("require=open").await.denied(), "401 session_expired");
}

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

#[tokio::test]
async fn a_forged_identity_header_is_refused_in_every_spelling() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for name in PRINCIPAL {
        for name in [
            name.to_owned(),
            name.to_uppercase(),
            name.replace('-', "_"),
            name.replacen('-', "_", 1),
            name.to_uppercase().replace('-', "_"),
        ] {
            // Whatever it says, and whether or not there is a session; on guest routes too.
            for value in ["42", ""] {
                let answer = check(&app, TARGET, &[("Authorization", &bearer), (&name, value)]).await;
                assert_eq!(denied(&answer), "400 header_forged", "{name}");
                let answer = check(&app, OPEN, &[(&name, value)]).await;
                assert_eq!(denied(&answer), "400 header_forged", "{name}");
            }
        }
    }
    // Names that only look like ours are nobody's business.
    for name in ["X-Yaopai-User", "Yaopai-Background", "Yaopai-Users"] {
        let answer = check(&app, TARGET, &[("Authorization", &bearer), (name, "0")]).await;
        assert_eq!(answer.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn exactly_one_carrier() {
    let tables = "[carriers]\ncookie = \"sid\"\nheader = \"x-session\"";
    let app = TestApp::with(Setup { tables, ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let token = phone.token();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("a=b; sid={token}; c=d"));
    let carriers = [("Authorization", bearer.as_str()), ("Cookie", &cookie), ("X-Session", &token)];
    for carrier in carriers {
        let answer = check(&app, TARGET, &[carrier]).await;
        assert_eq!((answer.status(), answer.header("yaopai-user")), (200, Some("42")), "{carrier:?}");
        for other in carriers {
            let answer = check(&app, TARGET, &[carrier, other]).await;
            assert_eq!(denied(&answer), "400 carrier_conflict", "{carrier:?} {other:?}");
        }
    }
    let twice = format!("sid={token}; sid={token}");
    assert_eq!(denied(&check(&app, TARGET, &[("Cookie", &twice)]).await), "400 carrier_conflict");
    // One carrier and the back end's own Basic authorization are two different things.
    let basic = ("Authorization", "Basic eDp5");
    assert_eq!(check(&app, TARGET, &[basic, ("X-Session", &token)]).await.status(), 200);
    // The API reads the same carriers.
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/session", &[("Cookie", &cookie)]).await;
    assert_eq!(answer.status(), 200);
    let both = [("Cookie", cookie.as_str()), ("X-Session", &token)];
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/session", &both).await;
    assert_eq!((answer.status(), answer.code()), (400, "carrier_conflict"));
}

#[tokio::test]
async fn a_carrier_that_is_off_is_no_carrier() {
    let tables = "[carriers]\nauthorization = false\ncookie = \"sid\"";
    let app = TestApp::with(Setup { tables, ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert_eq!(phone.check("-").await.denied(), "401 session_missing");
    let cookie = format!("sid={}", phone.token());
    assert_eq!(check(&app, TARGET, &[("Cookie", &cookie)]).await.status(), 200);
}

#[tokio::test]
async fn a_token_in_the_query_is_lost() {
    let (app, phone) = customer().await;
    for query in ["token={}", "a=1&b={}", "{}", "x={}&y=2"] {
        let uri = format!("{TARGET}?{}", query.replace("{}", &phone.token()));
        let answer = check(&app, &uri, &[]).await;
        assert_eq!(denied(&answer), "400 token_in_query", "{query}");
        assert!(!answer.0.contains(&phone.token()), "nor is it echoed");
        // A right one beside it makes it no better.
        let bearer = format!("Bearer {}", phone.token());
        assert_eq!(denied(&check(&app, &uri, &[("Authorization", &bearer)]).await), "400 token_in_query");
    }
    assert_eq!(check(&app, &format!("{OPEN}?token=yp1_short"), &[]).await.status(), 200);
}

#[tokio::test]
async fn unclean_paths_are_refused_unless_the_route_allows_them() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    let auth = [("Authorization", bearer.as_str())];
    for path in [
        "/a/../admin",
        "/..",
        "/./a",
        "/a/.",
        "/a//b",
        "//a",
        "/a/%2e%2e/b",
        "/a/%2E%2E/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5Cb",
        "/a;jsessionid=1",
        "/a%3Bb",
        "/a%00",
        "/a%2e",
        "/%",
        "/%zz",
    ] {
        let of = |ask: &str| format!("/check/nginx/{ask}/GET/https/shop.example{path}");
        assert_eq!(denied(&check(&app, &of("-"), &auth).await), "400 path_unclean", "{path}");
        assert_eq!(denied(&check(&app, &of("require=open"), &[]).await), "400 path_unclean", "{path}");
        assert_eq!(check(&app, &of("unclean_path=1"), &auth).await.status(), 200, "{path}");
        // What comes after the question mark is nobody's path.
        let query = format!("{TARGET}?back={path}");
        assert_eq!(check(&app, &query, &auth).await.status(), 200, "{path}");
    }
    for path in ["/", "/a/", "/a/b.c", "/.well-known/x", "/a..b", "/%E5%BC%A0%E4%B8%89", "/a%20b", "/a+b"] {
        let target = format!("/check/nginx/-/GET/https/shop.example{path}");
        assert_eq!(check(&app, &target, &auth).await.status(), 200, "{path}");
    }
}

/// A misspelt demand must not pass as none.
#[tokio::test]
async fn a_misspelt_demand_lets_nobody_through() {
    let (_app, phone) = customer().await;
    for ask in [
        "requir=bound",
        "require=Open",
        "require=",
        "require",
        "require=open,bound",
        "apps=",
        "app=shop",
        "vouched=",
        "vouched=-1",
        "vouched=5m",
        "vouched=99999999999",
        "realm=",
        "unsigned_body=yes",
        "unclean_path=true",
        "require=open&nonsense=1",
        "require=open&require=bound&x=1",
        "-&require=open",
        "%72equire=open",
    ] {
        let reply = phone.check(ask).await;
        assert_eq!(reply.denied(), "400 malformed", "{ask}");
        assert!(reply.json()["detail"].as_str().unwrap().contains("proxy's configuration"), "{}", reply.text);
    }
}

#[tokio::test]
async fn parts_that_are_missing_or_wrong() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for target in [
        "/check/nginx/",
        "/check/nginx/-",
        "/check/nginx/-/GET",
        "/check/nginx/-/GET/https",
        "/check/nginx/-/GET/https/shop.example",
        "/check/nginx/-//https/h/a",
        "/check/nginx/-/GET//h/a",
        "/check/nginx/-/GET/https//a",
        "/check/nginx/-/GET/ftp/h/a",
        "/check/nginx/-/GET/https/u@h/a",
        "/check/nginx/-/GET/https/h?/a",
        "/check/nginx/-/G(T/https/h/a",
    ] {
        let answer = check(&app, target, &[("Authorization", &bearer)]).await;
        assert_eq!(denied(&answer), "400 malformed", "{target}");
    }
}

#[tokio::test]
async fn only_some_apps() {
    let app = TestApp::with(Setup {
        tables: r#"
        [[apps]]
        name = "pay"
        appid = "{other_appid}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto""#,
        ..Setup::default()
    })
    .await;
    let (shop, pay) = (app.customer("lilei", "42"), app.phone_in("pay", OTHER_APPID, "lilei"));
    shop.log_in().await;
    pay.log_in().await;
    assert_eq!(shop.check("apps=shop").await.user(), "42");
    assert_eq!(shop.check("apps=pay,shop").await.user(), "42");
    assert_eq!(pay.check("apps=pay").await.header("yaopai-app"), Some("pay"));
    assert_eq!(pay.check("apps=shop").await.denied(), "403 app_not_allowed");
    assert_eq!(pay.check("apps=sho,shopp,SHOP").await.denied(), "403 app_not_allowed");
    assert_eq!(pay.check("require=open&apps=shop").await.denied(), "403 app_not_allowed", "a session was shown");
}

#[tokio::test]
async fn the_platform_s_word_may_be_too_old() {
    let (app, phone) = customer().await;
    app.clock.advance(seconds(300));
    assert_eq!(phone.check("vouched=300").await.user(), "42");
    app.clock.advance(seconds(1));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    assert_eq!(phone.check("vouched=301").await.user(), "42");
    // A refresh is our own word, not the platform's.
    phone.hold(&phone.refresh("r").await.field("token"));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    phone.log_in().await;
    assert_eq!(phone.check("vouched=0").await.user(), "42");
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
async fn the_listener_answers_checks_and_nothing_else() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for path in
        ["/", "/yaopai/v1/session", "/admin/v1/sessions", "/metrics", "/check", "/check/nginx", "/check/forwardx"]
    {
        let answer = check(&app, path, &[("Authorization", &bearer)]).await;
        assert_eq!((answer.status(), answer.code()), (404, "not_found"), "{path}");
        assert_eq!(answer.header("yaopai-user").map(str::trim), Some(""));
    }
    for base in [app.addresses().public, app.addresses().admin] {
        let answer = raw::get(&base, TARGET, &[("Authorization", &bearer)]).await;
        assert_eq!((answer.status(), answer.code(), answer.header("yaopai-user")), (404, "not_found", None));
    }
}

/// A check's own method is nginx's business; what is asked about stands in the target.
#[tokio::test]
async fn any_method_asks() {
    let (app, phone) = customer().await;
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let url = format!("{}/check/nginx/-/DELETE/https/shop.example/orders", app.addresses().check);
        let request = app.http.request(method.parse().unwrap(), url).bearer_auth(phone.token());
        assert_eq!(Reply::of(request.send().await.unwrap()).await.user(), "42", "{method}");
    }
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
