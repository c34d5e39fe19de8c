//! What each proxy is asked, in the order of the table's rows. What must be the same behind all of them is asserted here; what may differ is
//! only written down.

use serde_json::json;

use crate::front::Front;
use crate::kinds::Kind;
use crate::support::shop::{self, principal, user};
use crate::support::{Draft, PRINCIPAL, Phone, minutes};
use crate::table::Column;
use crate::wire::Mode;

/// Puts all cases to one proxy. It stops answering at the end, and so does what is between it and the server.
pub async fn observe(kind: &'static Kind) -> Column {
    let front = Front::start(kind).await;
    let mut rows = Column::new();
    sessions(&front, &mut rows).await;
    guests(&front, &mut rows).await;
    signed(&front, &mut rows).await;
    forged(&front, &mut rows).await;
    disowned(&front, &mut rows).await;
    unclean(&front, &mut rows).await;
    flood(&front, &mut rows).await;
    expired(&front, &mut rows).await;
    broken(kind, &front, &mut rows).await;
    rows
}

async fn sessions(front: &Front, rows: &mut Column) {
    let phone = front.customer().await;
    front.app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "roles": ["店长"] }))).await.ok();
    let token = phone.log_in_with(json!({ "env_version": "trial" })).await.field("token");
    let seen = front.get("/orders", Some(&token), &[]).await;
    let mut told = principal(seen.passed());
    told.retain(|(_, value)| !value.is_empty());
    let expected: Vec<_> =
        phone.check_as(&token, "-").await.principal().into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    assert_eq!(told.len(), PRINCIPAL.len() - 1, "all but Yaopai-Body-Signed: {told:?}");
    assert_eq!(told, expected, "what the check says reaches the shop, and nothing else");
    assert!(!seen.arrived.as_ref().unwrap().to_string().contains("yp1_"), "the token stops at the proxy");
    assert_eq!(seen.checks.len(), 1);
    rows.push(("valid", seen.cell()));

    let stranger = front.app.phone("xiaohong");
    stranger.log_in().await;
    let seen = front.get("/orders", Some(&stranger.token()), &[]).await;
    rows.push(("unbound", seen.refused("403 not_bound").cell()));
    let seen = front.get("/join/", Some(&stranger.token()), &[]).await;
    assert_eq!(user(seen.passed()), None);
    rows.push(("unbound, on a route for any session", seen.cell()));

    let other = front.customer().await;
    let id = phone.read().await.field("session_id");
    other.call("DELETE", &format!("/sessions/{id}"), None).await.ok();
    let seen = front.get("/orders", Some(&phone.token()), &[]).await;
    rows.push(("kicked", seen.refused("401 session_kicked").cell()));
}

async fn guests(front: &Front, rows: &mut Column) {
    let seen = front.get("/orders", None, &[]).await;
    rows.push(("no session", seen.refused("401 session_missing").cell()));
    rows.push(("… and what the client is told", seen.told()));
    let seen = front.get("/catalogue/tea", None, &[]).await;
    assert!(principal(seen.passed()).iter().all(|(_, value)| value.is_empty()), "{:?}", seen.arrived);
    rows.push(("guest route, no session", seen.cell()));
    let phone = front.customer().await;
    let seen = front.get("/catalogue/tea", Some(&phone.token()), &[]).await;
    assert_eq!(user(seen.passed()).as_deref(), Some("42"));
    rows.push(("guest route, a session", seen.cell()));
    let seen = front.get("/catalogue/tea", Some("junk"), &[]).await;
    rows.push(("guest route, a token that is none", seen.refused("401 session_unknown").cell()));
}

async fn keyed(front: &Front) -> Phone {
    let phone = front.app.customer("lilei", "42").keyed();
    phone.log_in().await;
    phone
}

async fn signed(front: &Front, rows: &mut Column) {
    let phone = keyed(front).await;
    let order = json!({ "tea": "龙井" });
    let uri = "/orders/%E5%BC%A0?b=2&a=1&a=&c=%2B";
    let draft = phone.draft_for_shop("POST", uri, Some(&order));
    let seen = front.draft(&draft).await;
    let arrived = seen.passed();
    assert_eq!((&arrived["method"], &arrived["uri"]), (&json!("POST"), &json!(uri)));
    assert_eq!(arrived["body"], order.to_string());
    assert!(principal(arrived).contains(&("yaopai-body-signed".to_owned(), "1".to_owned())), "{arrived}");
    assert_eq!(seen.checks.len(), 1, "{:?}", seen.checks);
    rows.push(("signed", seen.cell()));

    let again = front.draft(&draft).await;
    rows.push(("signed, sent again", again.refused("401 proof_replayed").cell()));
    let stripped = front.draft(&phone.draft_for_shop("GET", "/api/orders/7?x=1", None)).await;
    assert_eq!((&stripped.passed()["uri"], stripped.checks.len()), (&json!("/orders/7?x=1"), 1));
    rows.push(("signed, behind a prefix that comes off", stripped.cell()));
    let moved = Draft { uri: "/orders/8".into(), ..phone.draft_for_shop("GET", "/orders/7", None) };
    rows.push(("signed for another path", front.draft(&moved).await.refused("401 proof_invalid").cell()));
    let seen = front.get("/orders", Some(&phone.token()), &[]).await;
    rows.push(("not signed, and must be", seen.refused("401 proof_required").cell()));
}

const EVIL: &str = "0";

async fn forged(front: &Front, rows: &mut Column) {
    let phone = front.customer().await;
    for (case, spell) in [
        ("forged `Yaopai-User`, `YAOPAI-USER` … (all ten)", (|name| vec![name]) as fn(String) -> Vec<String>),
        ("forged, twice", |name| vec![name.clone(), name.to_uppercase()]),
        ("forged `Yaopai_User`, `yaopai_user` …", |name| vec![name.replace('-', "_")]),
        ("forged `Yaopai-Session_Id`, `Yaopai.User` …", |name| vec![name.replacen('-', ".", 1)]),
    ] {
        let mut cells = Vec::new();
        for name in PRINCIPAL {
            for name in [name.to_owned(), name.to_uppercase(), capital(name)] {
                let names = spell(name);
                let headers: Vec<_> = names.iter().map(|name| (name.as_str(), EVIL)).collect();
                for (uri, token) in [("/orders", Some(phone.token())), ("/catalogue/tea", None)] {
                    let seen = front.get(uri, token.as_deref(), &headers).await;
                    assert!(!seen.forged(EVIL), "{headers:?} {:?}", seen.arrived);
                    match &seen.arrived {
                        // The proxy has thrown it away, and then it says nothing.
                        Some(arrived) => assert_eq!(user(arrived), token.map(|_| "42".to_owned()), "{headers:?}"),
                        None => _ = seen.stopped(),
                    }
                    cells.push(if seen.arrived.is_some() { "dropped".to_owned() } else { seen.cell() });
                }
            }
        }
        cells.sort();
        cells.dedup();
        rows.push((case, cells.join(", ")));
    }
}

/// `yaopai-user` as `Yaopai-User`.
fn capital(name: &str) -> String {
    let parts = name.split('-').map(|part| part[..1].to_uppercase() + &part[1..]);
    parts.collect::<Vec<_>>().join("-")
}

/// What a client's `Connection` names is the next hop's alone (RFC 9110, section 7.6.1), so a proxy may take it off, and a back end too.
/// Nobody may so become a guest, or lose what their claims forbid them.
async fn disowned(front: &Front, rows: &mut Column) {
    let phone = front.customer().await;
    front.app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "suspended": true }))).await.ok();
    let bearer = format!("Authorization: Bearer {}\r\n", phone.token());
    let mut cells = Vec::new();
    for lines in [
        "Connection: close, Yaopai-Claims, Yaopai-User\r\n",
        "Connection: yaopai-claims,YAOPAI-USER,close\r\n",
        "Connection: Yaopai-Claims\r\nConnection: Yaopai-User\r\nConnection: close\r\n",
        "Connection: close\r\nconnection:\tYaopai-User ,\tYaopai-Claims\r\n",
    ] {
        for path in ["/orders", "/catalogue/tea", "/join/", "/pay/1", "/api/orders"] {
            let text = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n{lines}{bearer}\r\n");
            let seen = front.send(text.as_bytes()).await;
            if seen.arrived.is_some() {
                let arrived = seen.passed();
                let told = principal(arrived);
                let has = |name| told.iter().any(|(n, value)| n == name && !value.is_empty());
                assert!(has("yaopai-user") && has("yaopai-claims"), "{path} {lines:?}: {arrived}");
                let names = |(name, value): &(String, String)| {
                    name.eq_ignore_ascii_case("connection") && value.to_lowercase().contains("yaopai")
                };
                assert!(!shop::headers(arrived).iter().any(names), "{path} {lines:?}: {arrived}");
            } else {
                seen.stopped();
            }
            cells.push(seen.cell());
        }
    }
    cells.sort();
    cells.dedup();
    rows.push(("`Connection` names `Yaopai-User`, `Yaopai-Claims`", cells.join(", ")));
}

async fn unclean(front: &Front, rows: &mut Column) {
    for (case, uri) in [
        ("guest asks for `/catalogue/../orders`", "/catalogue/../orders"),
        ("… `/catalogue/%2e%2e/orders`", "/catalogue/%2e%2e/orders"),
        ("… `/catalogue//tea`", "/catalogue//tea"),
        ("… `/catalogue/a%2ftea`", "/catalogue/a%2ftea"),
        ("… `/catalogue/a;b`", "/catalogue/a;b"),
        ("… `/catalogue/a\\b`", "/catalogue/a\\b"),
        ("… `/%63atalogue/tea`", "/%63atalogue/tea"),
        ("… `/CATALOGUE/tea`", "/CATALOGUE/tea"),
    ] {
        let seen = front.get(uri, None, &[]).await;
        let cell = match &seen.arrived {
            Some(arrived) => format!("{}; {} arrives", seen.status(), arrived["uri"].as_str().unwrap()),
            None => seen.stopped().cell(),
        };
        rows.push((case, cell));
    }
}

async fn flood(front: &Front, rows: &mut Column) {
    let phone = front.app.newcomer("hanmeimei").keyed();
    front.app.back_end.knows(&phone.openid(), "7");
    phone.log_in().await;
    let moved = || Draft { uri: "/orders/8".into(), ..phone.draft_for_shop("GET", "/orders/7", None) };
    for _ in 0..3 {
        front.draft(&moved()).await.refused("401 proof_invalid");
    }
    let seen = front.draft(&moved()).await;
    assert!(seen.refused("429 rate_limited").header("retry-after").is_some_and(|seconds| seconds != "0"));
    rows.push(("too many", seen.cell()));
    rows.push(("… and what the client is told", seen.told()));
}

async fn expired(front: &Front, rows: &mut Column) {
    let phone = front.customer().await;
    front.app.clock.advance(minutes(31));
    let seen = front.get("/orders", Some(&phone.token()), &[]).await;
    rows.push(("expired", seen.refused("401 session_expired").cell()));
    let seen = front.get("/catalogue/tea", Some(&phone.token()), &[]).await;
    rows.push(("guest route, expired", seen.refused("401 session_expired").cell()));
}

/// Nobody passes, a guest neither, and no check is asked twice where that can be configured.
async fn broken(kind: &Kind, front: &Front, rows: &mut Column) {
    let phone = front.customer().await;
    let token = phone.token();
    // So that there is a kept connection, where connections are kept.
    front.get("/orders", Some(&token), &[]).await.passed();
    front.wire.set(Mode::Cut).await;
    let seen = front.get("/orders", Some(&token), &[]).await;
    rows.push(("the check's connection breaks", seen.stopped().cell()));
    assert_eq!(seen.checks.len(), kind.asks_when_cut, "{}: {:?}", kind.name, seen.checks);
    rows.push(("… and how often it was asked", seen.checks.len().to_string()));
    for (case, mode) in [
        ("the check's answer breaks off behind `200 OK`", Mode::CutAfter(60)),
        ("our server hangs", Mode::Hang),
        ("our server is down", Mode::Down),
    ] {
        front.wire.set(mode).await;
        let visits = front.shop.visits();
        let (user, guest) =
            tokio::join!(front.get("/orders", Some(&token), &[]), front.get("/catalogue/tea", None, &[]));
        assert_eq!(front.shop.visits(), visits, "{}: somebody passes", kind.name);
        for seen in [&user, &guest] {
            seen.stopped();
            assert!(matches!(seen.status(), 0 | 500..), "{}: {:?}", kind.name, seen.answer);
        }
        assert_eq!(user.cell(), guest.cell());
        rows.push((case, user.cell()));
        if mode == Mode::Down {
            rows.push(("… and what the client is told", user.told()));
        }
    }
}
