//! A path can be written in many ways. Whichever a proxy chooses to match, what the shop then serves must be what was checked.

use percent_encoding::percent_decode_str;

use crate::front::{Front, Seen};
use crate::kinds::Kind;
use crate::support::{Draft, seconds};

/// How a guest might reach what only customers may.
const AROUND: [&str; 23] = [
    "/catalogue/../orders",
    "/catalogue/./../orders",
    "/catalogue/%2e%2e/orders",
    "/catalogue/%2E%2E/orders",
    "/catalogue/.%2e/orders",
    "/catalogue/..%2forders",
    "/catalogue/%2e%2e%2forders",
    "/catalogue/..;/orders",
    "/catalogue/..%3b/orders",
    "/catalogue//../orders",
    "/catalogue/..%5corders",
    "/catalogue/..\\orders",
    "//orders",
    "/orders;x=/catalogue/",
    "/orders?/catalogue/",
    "/orders#/catalogue/",
    "/catalogue/x#/../../orders",
    "/catalogue/x#y",
    "/catalogue/%252e%252e/..",
    "/catalogue/x%00/../orders",
    "/catalogue/%",
    "/CATALOGUE/../orders",
    "/catalogue%2f..%2forders",
];

/// How a customer for whom WeChat vouched long ago might reach what asks for its fresh word.
const INTO_PAY: [&str; 12] = [
    "/pay/1",
    "/%70ay/1",
    "/%70%61%79/1",
    "/p%61y/1",
    "/pay%2f1",
    "//pay/1",
    "/./pay/1",
    "/x/../pay/1",
    "/x/%2e%2e/pay/1",
    "/pay//1",
    "/pay;/1",
    "/pay/%31",
];

pub async fn none_leads_around_a_check(kind: &'static Kind) {
    let front = Front::start(kind).await;
    for uri in AROUND {
        let seen = front.get(uri, None, &[]).await;
        assert!(within(&seen, "/catalogue/"), "{}: {uri} led to {:?}", kind.name, seen.arrived);
        let kept = seen.arrived.as_ref().is_none_or(|arrived| arrived["uri"].as_str().unwrap().contains("%23"));
        assert!(!uri.contains('#') || kept, "{}: what is behind # was sent on unseen: {uri}", kind.name);
    }
    let other = front.get("/CATALOGUE/tea", None, &[]).await;
    assert!(within(&other, "/catalogue/"), "{}: {:?}", kind.name, other.arrived);

    let phone = front.customer().await;
    front.get("/pay/1", Some(&phone.token()), &[]).await.passed();
    front.app.clock.advance(seconds(301));
    front.get("/pay/1", Some(&phone.token()), &[]).await.refused("401 login_required");
    front.get("/orders", Some(&phone.token()), &[]).await.passed();
    for uri in INTO_PAY {
        let seen = front.get(uri, Some(&phone.token()), &[]).await;
        let led = seen.arrived.as_ref().map(|arrived| meant(arrived["uri"].as_str().unwrap()));
        assert!(led.is_none_or(|path| !path.starts_with("/pay")), "{}: {uri} led to {:?}", kind.name, seen.arrived);
    }
    one_server_s_signature_opens_no_other(kind, &front).await;
    the_check_is_not_for_clients(kind, &front, &phone.token()).await;
}

/// A request line may name a host of its own; a proxy may choose by that one, and ask about the other.
async fn one_server_s_signature_opens_no_other(kind: &Kind, front: &Front) {
    let phone = front.app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let draft = phone.draft_for_shop("GET", "/orders", None);
    let elsewhere = Draft { uri: "http://admin.example/orders".into(), ..draft.clone() };
    let seen = front.draft(&elsewhere).await;
    assert_eq!(seen.arrived, None, "{}: a signature for {} opens admin.example", kind.name, draft.host);
    for host in ["Host: shop.example\r\nHost: admin.example\r\n", "Host: shop.example/catalogue/\r\n", ""] {
        let lines: String = draft.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("GET /orders HTTP/1.1\r\n{host}Connection: close\r\n{lines}\r\n");
        assert_eq!(front.send(text.as_bytes()).await.arrived, None, "{}: {host:?}", kind.name);
    }
    front.draft(&draft).await.passed();
    // A host with a path in it, or a query: written in front of the request's own path, it makes another of it.
    let phone = front.app.newcomer("hanmeimei").keyed();
    front.app.back_end.knows(&phone.openid(), "7");
    phone.log_in().await;
    for within in ["/catalogue", "/img/a.png?x=", "/?x="] {
        let host = format!("shop.example{within}");
        let asked = phone.draft_for_shop("GET", &format!("{within}/orders"), None);
        let moved = Draft { uri: "/orders".into(), host: host.clone(), ..asked };
        let seen = front.draft(&moved).await;
        assert_eq!(seen.arrived, None, "{}: a signature for {within}/orders opens /orders by Host: {host}", kind.name);
    }
}

/// What a proxy tells the check, a client must not: neither by headers nor by the check's own paths.
async fn the_check_is_not_for_clients(kind: &Kind, front: &Front, token: &str) {
    let told = [
        ("X-Forwarded-Uri", "/catalogue/"),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "shop.example"),
        ("X-Original-Uri", "/catalogue/"),
        ("X-Envoy-Original-Path", "/catalogue/"),
        ("X-Rewrite-Url", "/catalogue/"),
    ];
    front.get("/orders", None, &told).await.refused("401 session_missing");
    front.get("/orders?require=open", None, &told).await.refused("401 session_missing");
    for path in ["/check/forward?require=open", "/check/envoy/require=open/orders", "/check/haproxy/-/GET/http/h/x"] {
        let seen = front.get(path, None, &[]).await;
        assert_eq!(seen.refused("401 session_missing").header("yaopai-user").unwrap_or_default(), "", "{}", kind.name);
    }
    let phone = front.app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let mut moved = Draft { uri: "/orders/8".into(), ..phone.draft_for_shop("GET", "/orders/7", None) };
    for (name, value) in [("x-forwarded-uri", "/orders/7"), ("x-original-uri", "/orders/7")] {
        moved.set(name, value);
        front.draft(&moved).await.refused("401 proof_invalid");
    }
    let seen = front.get("/orders", Some(token), &[]).await;
    assert_eq!(seen.header("yaopai-user"), None, "{}: the client learns nothing", kind.name);
}

/// Nothing arrived, or what a guest may see.
fn within(seen: &Seen, folder: &str) -> bool {
    seen.arrived.as_ref().is_none_or(|arrived| meant(arrived["uri"].as_str().unwrap()).starts_with(folder))
}

/// What the most willing back end makes of a path: everything decoded, `\` and `;` understood, dots and slashes resolved.
fn meant(uri: &str) -> String {
    let path = uri.split(['?', '#']).next().unwrap();
    let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let mut segments = Vec::new();
    for segment in decoded.split('/').map(|segment| segment.split(';').next().unwrap()) {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            other => segments.push(other),
        }
    }
    format!("/{}{}", segments.join("/"), if decoded.ends_with('/') { "/" } else { "" })
}
