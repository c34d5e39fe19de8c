//! What goes on of a request's header, and what does not.

use http::HeaderMap;

use super::world::World;
use crate::support::raw::{self, Answer};
use crate::support::{Draft, PRINCIPAL, Setup};

async fn get(world: &World, path: &str, lines: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example:8443\r\nConnection: close\r\n{lines}\r\n");
    Answer(raw::send(&world.public(), request.as_bytes()).await)
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(|name| name.as_str()).collect()
}

/// Guarantee 7, at the gateway: in any case, with any separator, alone or beside a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_header_in_any_spelling_is_refused() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let bearer = format!("Authorization: Bearer {}\r\n", phone.token());
    for name in PRINCIPAL {
        let (under, dots) = (name.replace('-', "_"), name.replace('-', "."));
        let mixed = name.replacen('-', "_", 1).to_uppercase();
        for spelt in [name, &name.to_uppercase(), &under, &dots, &mixed] {
            for (path, lines) in [("/open", ""), ("/shop/x", bearer.as_str())] {
                let answer = get(&world, path, &format!("{lines}{spelt}: 2\r\n")).await;
                assert_eq!((answer.status(), answer.code()), (400, "header_forged"), "{spelt}");
            }
        }
    }
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
}

/// A name that a later version of ours, or another reader, might know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_begins_as_ours_goes_on() {
    let world = World::start().await;
    get(&world, "/open", "Yaopai-Background: 1\r\nYAOPAI_ROLE: admin\r\nyaopai.tenant: 1\r\nX-Kept: 1\r\n").await;
    let seen = world.upstream.one();
    assert_eq!((seen.identity(), seen.header("x-kept")), (vec![], Some("1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_carrier_goes_on() {
    let setup = Setup { top: "carriers = { cookie = \"yaopai\", header = \"x-session\" }", ..Setup::default() };
    let world = World::with("", setup).await;
    let phone = world.customer_in("lilei", "1").await;
    let token = phone.token();
    for (lines, left) in [
        (format!("Authorization: Bearer {token}\r\nCookie: a=b\r\n"), Some("a=b")),
        (format!("Cookie: a=b; yaopai={token};c=d\r\n"), Some("a=b; c=d")),
        (format!("Cookie: yaopai={token}\r\n"), None),
        (format!("X-Session: {token}\r\nCookie: yaopai_other=1\r\n"), Some("yaopai_other=1")),
    ] {
        assert_eq!(get(&world, "/shop/x", &lines).await.status(), 200, "{lines}");
        let seen = world.upstream.seen().pop().unwrap();
        assert!(!format!("{seen:?}").contains("yp1_"), "{seen:?}");
        assert_eq!(seen.header("cookie"), left);
        assert_eq!(seen.header("yaopai-user"), Some("1"));
    }
    // Where cookies are dropped, all of them are.
    get(&world, "/dropped", &format!("X-Session: {token}\r\nCookie: a=b\r\n")).await;
    assert_eq!(world.upstream.seen().pop().unwrap().header("cookie"), None);
    // Another scheme beside our carrier is the back end's.
    get(&world, "/shop/x", &format!("X-Session: {token}\r\nAuthorization: Basic eDp5\r\n")).await;
    assert_eq!(world.upstream.seen().pop().unwrap().header("authorization"), Some("Basic eDp5"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_does_not_go_on_and_its_digest_does() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1").keyed();
    phone.log_in().await;
    phone.send(&phone.draft_for_shop("POST", "/shop/orders", Some(&serde_json::json!({ "n": 1 })))).await.ok();
    let seen = world.upstream.one();
    assert_eq!((seen.header("signature"), seen.header("signature-input")), (None, None));
    assert!(seen.header("content-digest").is_some_and(|d| d.starts_with("sha-256=:")));
    assert_eq!((seen.header("yaopai-body-signed"), seen.header("host")), (Some("1"), Some("shop.example")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_does_not_go_on() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let body = serde_json::json!({ "authority": "shop.example:8443", "path": "/shop/a.png", "for": "image" });
    let ticket = phone.call("POST", "/ticket", Some(body)).await.field("ticket");
    let answer = get(&world, &format!("/shop/a.png?w=1&yaopai_ticket={ticket}&h=2"), "").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let seen = world.upstream.one();
    assert_eq!((seen.target.as_str(), seen.header("yaopai-user")), ("/shop/a.png?w=1&h=2", Some("1")));
    assert_eq!(get(&world, &format!("/shop/a.png?yaopai_ticket={ticket}"), "").await.code(), "proof_replayed");
}

/// A page in a web-view: its cookie comes to the client, and not to the back end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pages_cookie_stays_between_the_client_and_us() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let body = serde_json::json!({ "authority": "shop.example:8443", "path": "/shop/h5/a.html", "for": "web-view" });
    let ticket = phone.call("POST", "/ticket", Some(body)).await.field("ticket");
    let answer = get(&world, &format!("/shop/h5/a.html?yaopai_ticket={ticket}"), "").await;
    let cookies = answer.0.lines().filter_map(|l| l.strip_prefix("set-cookie: ")).collect::<Vec<_>>();
    let [upstreams, view] = cookies[..] else { panic!("two cookies: {answer:?}") };
    assert_eq!(upstreams, "JSESSIONID=1");
    let view = view.split(';').next().unwrap();
    assert_eq!(get(&world, "/shop/h5/data", &format!("Cookie: {view}; a=b\r\n")).await.status(), 200);
    let seen = world.upstream.seen().pop().unwrap();
    assert_eq!((seen.header("cookie"), seen.header("yaopai-user")), (Some("a=b"), Some("1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_request_came_from_only_a_proxy_of_ours_says() {
    let lies = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: pay.example\r\n\
                X-Real-IP: 192.0.2.1\r\nX-Forwarded-Port: 1\r\nForwarded: for=192.0.2.1\r\n";
    let seen_of = |trusted: &'static str| async move {
        let top = format!("public = {{ trusted_proxies = [{trusted}] }}");
        let setup = Setup { top: Box::leak(top.into_boxed_str()), ..Setup::default() };
        let world = World::with("", setup).await;
        get(&world, "/open", &format!("{lies}X_Forwarded_For: 192.0.2.7\r\nX_Real_Ip: 192.0.2.7\r\n")).await;
        world.upstream.one()
    };
    let strangers = seen_of("\"10.0.0.1\"").await;
    assert_eq!(strangers.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(strangers.header("x-forwarded-proto"), Some("http"));
    assert_eq!(strangers.header("x-forwarded-host"), Some("shop.example:8443"));
    let ours = seen_of("\"127.0.0.1\"").await;
    assert_eq!(ours.header("x-forwarded-for"), Some("192.0.2.1, 127.0.0.1"));
    assert_eq!(ours.header("x-forwarded-proto"), Some("https"));
    assert_eq!(ours.header("x-forwarded-host"), Some("pay.example"));
    for seen in [&strangers, &ours] {
        assert_eq!(seen.header("host"), Some("shop.example:8443"), "the client's own");
        assert!(!seen.headers.contains_key("forwarded") && !format!("{seen:?}").contains("192.0.2.7"), "{seen:?}");
    }
    assert!(!strangers.headers.contains_key("x-real-ip") && !strangers.headers.contains_key("x-forwarded-port"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_upstreams_own_host_if_it_wants_that() {
    let world = World::with("host = \"upstream\"", Setup::default()).await;
    get(&world, "/open", "").await;
    let seen = world.upstream.one();
    assert_eq!(seen.header("host"), Some(world.upstream.address.as_str()));
    assert_eq!(seen.header("x-forwarded-host"), Some("shop.example:8443"));
}

/// What is between two ends only: RFC 9110, section 7.6.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_between_two_ends_does_not_go_on() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let lines = format!(
        "Authorization: Bearer {}\r\nConnection: keep-alive, X-Mine, Yaopai-User, Host\r\nKeep-Alive: 5\r\nX-Mine: 1\r\nTE: trailers\r\n\
         Trailer: X\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nX-Kept: 1\r\n",
        phone.token()
    );
    assert_eq!(get(&world, "/shop/x", &lines).await.status(), 200);
    let seen = world.upstream.one();
    assert_eq!(seen.header("yaopai-user"), Some("1"), "a client can't have it taken out");
    for gone in ["connection", "keep-alive", "x-mine", "te", "trailer", "proxy-connection", "proxy-authorization"] {
        assert!(!seen.headers.contains_key(gone), "{gone} in {:?}", names(&seen.headers));
    }
    assert_eq!((seen.header("x-kept"), seen.header("host")), (Some("1"), Some("shop.example:8443")));
}

/// What some frameworks believe more than the request line would go past the route's check.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_names_another_path_or_method() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let lines = format!(
        "Authorization: Bearer {}\r\nX-Original-URL: /admin\r\nX-Rewrite-Url: /admin\r\nX_Original_Url: /admin\r\n\
         X-HTTP-Method-Override: DELETE\r\n",
        phone.token()
    );
    for (path, overridden) in [("/read/x", None), ("/shop/x", Some("DELETE"))] {
        get(&world, path, &lines).await;
        let seen = world.upstream.seen().pop().unwrap();
        assert!(!format!("{seen:?}").contains("/admin"), "{seen:?}");
        assert_eq!(seen.header("x-http-method-override"), overridden, "routes of {path} are by method, or not");
    }
}

/// What is signed is the client's request: the host and the path as it sent them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_over_the_clients_own_host_and_path() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1").keyed();
    phone.log_in().await;
    let draft = phone.draft_for_shop("GET", "/shop/a%20b?x=1", None);
    phone.send(&draft).await.ok();
    assert_eq!(phone.send(&draft).await.refusal(), "401 proof_replayed");
    for moved in [
        Draft { uri: "/shop/a%20c?x=1".into(), ..phone.draft_for_shop("GET", "/shop/a%20b?x=1", None) },
        Draft { uri: "/shop/a%20b?x=2".into(), ..phone.draft_for_shop("GET", "/shop/a%20b?x=1", None) },
        Draft { host: "other.example".into(), ..phone.draft_for_shop("GET", "/shop/a%20b?x=1", None) },
        Draft { method: "DELETE".into(), ..phone.draft_for_shop("GET", "/shop/a%20b?x=1", None) },
    ] {
        assert_eq!(phone.send(&moved).await.status, 401, "{moved:?}");
    }
    let bare = Draft::new("GET", "shop.example", "/shop/x", None).bearing(&phone.token());
    assert_eq!(phone.send(&bare).await.refusal(), "401 proof_required");
    assert_eq!(world.upstream.targets(), ["/shop/a%20b?x=1"]);
}
