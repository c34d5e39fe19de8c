//! While an app is being moved: requests of the old program's go on unchecked, as nobody's, and none of ours with what showed the old
//! session.

use serde_json::json;

use super::sockets;
use super::world::World;
use crate::support::raw::{self, Answer};
use crate::support::{Draft, PRINCIPAL, Phone, Setup, seconds};

const LEGACY: &str = r#"
    [legacy]
    cookies = ["JSESSIONID"]
    headers = ["X-Session-Id"]
    [[routes]]
    prefix = "/old"
    upstream = "shop"
    legacy = true
    [[routes]]
    prefix = "/old/pass"
    upstream = "shop"
    cookies = "pass"
    legacy = true
    [[routes]]
    prefix = "/old/drop"
    upstream = "shop"
    cookies = "drop"
    legacy = true
    "#;

/// What shows the old program's session.
const OLD: [&str; 3] = ["Cookie: JSESSIONID=1\r\n", "Cookie: a=b; JSESSIONID=1\r\n", "X-Session-Id: 1\r\n"];

async fn start() -> World {
    World::with("", Setup { tables: LEGACY, ..Setup::default() }).await
}

async fn start_with(top: &'static str) -> World {
    World::with("", Setup { tables: LEGACY, top, ..Setup::default() }).await
}

async fn get(world: &World, path: &str, lines: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{lines}\r\n");
    Answer(raw::send(&world.public(), request.as_bytes()).await)
}

async fn metric(world: &World, line: &str) -> u64 {
    let metrics = world.admin("GET", "/metrics", None).await;
    let found = metrics.text.lines().find_map(|l| l.strip_prefix(line)).unwrap_or_else(|| panic!("no {line}"));
    found.trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_programs_request_goes_on_as_before() {
    let world = start().await;
    world.admin("PUT", "/admin/v1/apps/shop/move", Some(json!({ "share": 0 }))).await.ok();
    let mut passed = 0;
    for path in ["/old/x?y=1", "/old/pass/x", "/old/drop/x"] {
        for lines in OLD {
            let answer = get(&world, path, &format!("{lines}X-Other: 1\r\n")).await;
            assert_eq!((answer.status(), answer.header("set-cookie")), (200, Some("JSESSIONID=1")), "{answer:?}");
            let seen = world.upstream.seen().pop().unwrap();
            assert_eq!((seen.target.as_str(), seen.identity(), seen.header("x-other")), (path, vec![], Some("1")));
            let shown = seen.header("cookie").map(|v| format!("Cookie: {v}\r\n"));
            let shown = shown.or(seen.header("x-session-id").map(|v| format!("X-Session-Id: {v}\r\n")));
            assert_eq!(shown.as_deref(), Some(lines));
            passed += 1;
        }
    }
    assert_eq!(metric(&world, r#"yaopai_gateway_sides_total{side="legacy"}"#).await, passed);
    let state = world.admin_get("/admin/v1/apps/shop/move").await;
    assert_eq!((&state["legacy_requests"], &state["stayed"]), (&json!(passed), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_do_bodies_and_sockets() {
    let world = start().await;
    let lines = format!(
        "POST /old/x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{}Content-Length: 3\r\n\r\nabc",
        OLD[0]
    );
    assert_eq!(Answer(raw::send(&world.public(), lines.as_bytes()).await).status(), 200);
    assert_eq!(world.upstream.one().length, 3);
    let mut socket = sockets::open(&world, "/old/socket", OLD[0]).await;
    sockets::speaks(&mut socket).await;
}

/// Only where the route says so, and only what shows the old session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_else_passes_unchecked() {
    let world = start().await;
    for (path, lines) in [
        ("/shop/x", OLD[0]),
        ("/session/x", OLD[2]),
        ("/kept/x", OLD[0]),
        ("/old/x", ""),
        ("/old/x", "Cookie: a=b\r\n"),
        ("/old/x", "Cookie: XJSESSIONID=1; a=JSESSIONID\r\n"),
        ("/old/x", "X-Session: 1\r\n"),
        ("/old/x?JSESSIONID=1", ""),
    ] {
        assert_eq!(get(&world, path, lines).await.code(), "session_missing", "{path} {lines}");
    }
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
    assert_eq!(metric(&world, r#"yaopai_gateway_sides_total{side="legacy"}"#).await, 0);
}

/// Guarantee 7, on the legacy side: a principal header in any spelling is refused, and what begins as ours does not go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_principal_header_it_reaches_nobody() {
    let world = start().await;
    for name in PRINCIPAL {
        let (under, dots) = (name.replace('-', "_"), name.replace('-', "."));
        let mixed = name.replacen('-', "_", 1).to_uppercase();
        for spelt in [name, &name.to_uppercase(), &under, &dots, &mixed] {
            for old in [OLD[0], OLD[2]] {
                let answer = get(&world, "/old/pass/x", &format!("{old}{spelt}: 1\r\n")).await;
                assert_eq!((answer.status(), answer.code()), (400, "header_forged"), "{spelt}");
            }
        }
    }
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
    let lines = "Yaopai-Role: admin\r\nYAOPAI_TENANT: 1\r\nyaopai.x: 1\r\nConnection: X-Mine\r\nX-Mine: 1\r\n\
                 X-Original-URL: /admin\r\nForwarded: for=192.0.2.1\r\nProxy-Authorization: Basic eDp5\r\n";
    get(&world, "/old/x", &format!("{}{lines}", OLD[0])).await;
    let seen = world.upstream.one();
    assert_eq!(seen.identity(), Vec::<String>::new());
    for gone in ["x-mine", "x-original-url", "forwarded", "proxy-authorization"] {
        assert!(!seen.headers.contains_key(gone), "{gone} in {seen:?}");
    }
    // The upstream says nothing in our name either.
    assert_eq!(get(&world, "/old/x", OLD[0]).await.header("yaopai-code"), None);
}

/// Guarantee: what shows a token of ours is checked, good or not, whatever else it shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_token_of_ours_it_is_checked() {
    let world = start_with("carriers = { cookie = \"sid\", header = \"x-token\" }").await;
    let phone = world.customer_in("lilei", "1").await;
    let (token, forged) = (phone.token(), raw::forged_token(&phone.token()));
    let cookie = |value: &str| format!("Cookie: sid={value}; JSESSIONID=1\r\n");
    let bearer = |value: &str| format!("Authorization: Bearer {value}\r\n{}", OLD[1]);
    let header = |value: &str| format!("X-Token: {value}\r\n{}", OLD[2]);
    for (good, bad) in [
        (cookie(&token), [cookie(&forged), cookie("junk"), cookie("")]),
        (bearer(&token), [bearer(&forged), bearer("junk"), bearer("")]),
        (header(&token), [header(&forged), header("junk"), header("")]),
    ] {
        for path in ["/old/x", "/old/pass/x", "/old/drop/x"] {
            assert_eq!(get(&world, path, &good).await.status(), 200, "{good}");
            assert_eq!(world.upstream.seen().pop().unwrap().header("yaopai-user"), Some("1"));
            let before = world.upstream.seen().len();
            for lines in &bad {
                assert_eq!(get(&world, path, lines).await.code(), "session_unknown", "{lines}");
            }
            assert_eq!(world.upstream.seen().len(), before);
        }
    }
    let before = world.upstream.seen().len();
    let two = format!("Authorization: Bearer {token}\r\nX-Token: {token}\r\n{}", OLD[0]);
    assert_eq!(get(&world, "/old/x", &two).await.code(), "carrier_conflict");
    for (path, lines, code) in [
        (format!("/old/x?t={token}"), OLD[0].to_owned(), "token_in_query"),
        ("/old/x?yaopai_ticket=junk".to_owned(), OLD[0].to_owned(), "session_unknown"),
        ("/old/x".to_owned(), "Cookie: JSESSIONID=1; yaopai_view=junk\r\n".to_owned(), "session_unknown"),
        ("/old/x".to_owned(), format!("Signature-Input: yaopai=()\r\n{}", OLD[0]), "session_missing"),
        ("/old/x".to_owned(), format!("Signature_Input: yaopai=()\r\n{}", OLD[0]), "session_missing"),
        ("/old/..%2fx".to_owned(), OLD[0].to_owned(), "path_unclean"),
        ("/old/x//y".to_owned(), OLD[0].to_owned(), "path_unclean"),
    ] {
        assert_eq!(get(&world, &path, &lines).await.code(), code, "{path} {lines}");
    }
    assert_eq!(world.upstream.seen().len(), before);
}

/// Guarantee: a session that has ended is over; the old cookie beside it brings nobody in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_sessions_token_is_refused() {
    let world = start().await;
    let phone = world.customer_in("lilei", "1").await;
    let lines = format!("Authorization: Bearer {}\r\n{}", phone.token(), OLD[0]);
    assert_eq!(get(&world, "/old/x", &lines).await.status(), 200);
    phone.log_out().await.ok();
    let before = world.upstream.seen().len();
    for old in OLD {
        let lines = format!("Authorization: Bearer {}\r\n{old}", phone.token());
        assert_eq!(get(&world, "/old/x", &lines).await.code(), "session_ended");
    }
    // Nor one that ended by going back.
    phone.log_in().await;
    world.admin("PUT", "/admin/v1/apps/shop/move", Some(json!({ "share": 100, "back": true }))).await.ok();
    assert_eq!(phone.refresh("r").await.refusal(), "403 not_moved");
    let lines = format!("Authorization: Bearer {}\r\n{}", phone.token(), OLD[0]);
    assert_eq!(get(&world, "/old/x", &lines).await.code(), "session_expired");
    assert_eq!(world.upstream.seen().len(), before);
}

async fn keyed(world: &World) -> Phone {
    let phone = world.customer("lilei", "1").keyed();
    phone.log_in().await;
    phone
}

/// Guarantee 3: a keyed session's request without its signature is refused, with the old cookie as without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyed_sessions_unsigned_request_is_refused() {
    let world = start().await;
    let phone = keyed(&world).await;
    for old in OLD {
        let lines = format!("Authorization: Bearer {}\r\n{old}", phone.token());
        assert_eq!(get(&world, "/old/x", &lines).await.code(), "proof_required");
    }
    // Signed for once, it passes once; without its token the signature is nobody's.
    let mut signed = phone.draft_for_shop("GET", "/old/pass/x", None);
    signed.set("cookie", "JSESSIONID=1; a=b");
    phone.send(&signed).await.ok();
    assert_eq!(phone.send(&signed).await.refusal(), "401 proof_replayed");
    let mut bare: Draft = phone.draft_for_shop("GET", "/old/pass/x", None);
    bare.remove("authorization");
    bare.set("cookie", "JSESSIONID=1");
    assert_eq!(phone.send(&bare).await.refusal(), "401 session_missing");
    let seen = world.upstream.one();
    assert_eq!((seen.header("cookie"), seen.header("yaopai-user")), (Some("a=b"), Some("1")));
}

/// Guarantee: the old session doesn't win over ours: none of it goes on with a checked request, wherever that goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_checked_request_carries_the_old_session() {
    let world = start().await;
    let phone = world.customer_in("lilei", "1").await;
    let old = "X-Session-Id: 1\r\nX_Session_Id: 1\r\nx-session.id: 1\r\n\
               Cookie: a=b; JSESSIONID=stolen; c=d, JSESSIONID=stolen; jsessionid=stolen\r\nCookie: JSESSIONID=stolen\r\n";
    let bearer = format!("Authorization: Bearer {}\r\n", phone.token());
    for path in ["/old/pass/x", "/shop/x", "/session/x", "/open"] {
        assert_eq!(get(&world, path, &format!("{bearer}{old}")).await.status(), 200);
        let seen = world.upstream.seen().pop().unwrap();
        assert_eq!((seen.header("yaopai-user"), seen.header("cookie")), (Some("1"), Some("a=b")), "{path}");
        assert!(
            !format!("{seen:?}").to_lowercase().contains("session-id\": \"1")
                && !format!("{seen:?}").contains("stolen"),
            "{seen:?}"
        );
        assert!(
            seen.headers
                .keys()
                .all(|name| !name.as_str().starts_with("x-session") && !name.as_str().starts_with("x_session"))
        );
    }
    // The back end's own, which is kept with our session under the same name, does go on.
    get(&world, "/old/x", &format!("{bearer}{old}")).await;
    get(&world, "/old/x", &format!("{bearer}{old}")).await;
    assert_eq!(world.upstream.seen().pop().unwrap().header("cookie"), Some("JSESSIONID=1"));
    // A guest's goes on: the old program's own log-in is such a request.
    get(&world, "/open", OLD[0]).await;
    assert_eq!(world.upstream.seen().pop().unwrap().header("cookie"), Some("JSESSIONID=1"));
}

/// What two readers would read as different requests, on the legacy side as everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_smuggled_past_it() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\nYaopai-User: 1\r\n\r\n";
    let host = "Host: shop.example\r\nCookie: JSESSIONID=1\r\n";
    let world = start().await;
    for lines in [
        format!("POST /old/a HTTP/1.1\r\n{host}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{smuggled}"),
        format!("POST /old/a HTTP/1.1\r\n{host}Content_Length: 44\r\n\r\n{smuggled}"),
        format!("POST /old/a HTTP/1.1\r\n{host}Transfer_Encoding: chunked\r\nContent-Length: 0\r\n\r\n{smuggled}"),
        format!("POST /old/a HTTP/1.1\r\n{host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("GET /old/a HTTP/1.1\r\n{host}X-A: 1\r\n Yaopai-User: 1\r\n\r\n"),
        format!("GET /old/a HTTP/1.1\r\n{host}Host: evil.example\r\n\r\n"),
        format!("GET http://evil.example/old/a HTTP/1.1\r\n{host}\r\n"),
        format!("GET /old/a HTTP/1.1\r\n{host}Yaopai-User : 1\r\n\r\n"),
        format!("CONNECT evil.example:80 HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
    ] {
        let answer = Answer(raw::send(&world.public(), lines.as_bytes()).await);
        assert!(matches!(answer.status(), 400..=499), "{lines:?}: {answer:?}");
        assert_eq!(answer.0.matches("HTTP/1.").count(), 1, "{answer:?}");
    }
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
    // What follows a legacy request on its connection is judged for itself.
    let lines = format!(
        "POST /old/a HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\nabcGET /old/b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
    );
    let answers = raw::send(&world.public(), lines.as_bytes()).await;
    assert!(answers.contains("yaopai-code: session_missing"), "{answers}");
    assert_eq!((world.upstream.targets(), world.upstream.one().length), (vec!["/old/a".to_owned()], 3));
}

/// A client whose session has expired shows our token still: it is refused and logs in, and is no old program's by that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_one_is_no_old_programs() {
    let world = start().await;
    let phone = world.customer_in("lilei", "1").await;
    world.clock.advance(seconds(1_801));
    let lines = format!("Authorization: Bearer {}\r\n{}", phone.token(), OLD[0]);
    assert_eq!(get(&world, "/old/x", &lines).await.code(), "session_expired");
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
}
