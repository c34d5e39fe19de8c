//! Examples with something changed in them: what they hold against, and what their documentation says of other ways to write them.

use futures_util::future::join_all;
use serde_json::json;

use crate::front::Front;
use crate::kinds::{ENVOY, HAPROXY, TRAEFIK};
use crate::support::raw;
use crate::support::shop::principal;
use crate::wire::Mode;

/// HAProxy lets a request go on whose Lua action has failed. The line behind the action doesn't.
#[tokio::test]
async fn nobody_passes_haproxy_while_its_lua_fails() {
    let broken = [("local text = question(", "error(\"broken\") local text = question(")];
    let front = Front::edited(&HAPROXY, &broken).await;
    let phone = front.customer().await;
    for (uri, token) in [("/orders", Some(phone.token())), ("/orders", None), ("/catalogue/tea", None)] {
        let seen = front.get(uri, token.as_deref(), &[]).await;
        assert_eq!((seen.stopped().status(), seen.code()), (503, "unavailable"), "{uri}");
        assert_eq!(seen.checks.len(), 0);
    }
}

/// The Lua reads answers by itself: wherever one breaks off, nobody passes by it.
#[tokio::test]
async fn nobody_passes_haproxy_by_a_part_of_an_answer() {
    let front = Front::start(&HAPROXY).await;
    let phone = front.customer().await;
    let bearer = format!("Bearer {}", phone.token());
    let target = "/check/haproxy/-/GET/http/shop.example/orders";
    let whole = raw::get(&front.app.addresses().check, target, &[("Authorization", &bearer)]).await.0;
    assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("\r\n\r\n"), "{whole}");
    for length in 0..whole.len() {
        front.wire.set(Mode::CutAfter(length)).await;
        let seen = front.get("/orders", Some(&phone.token()), &[]).await;
        assert_eq!((seen.stopped().status(), seen.checks.len()), (503, 1), "{length}: {:?}", &whole[..length]);
    }
    front.wire.set(Mode::CutAfter(whole.len())).await;
    front.get("/orders", Some(&phone.token()), &[]).await.passed();
}

/// A request so long that HAProxy has no room left for what the check says of it: it must not arrive as nobody's.
#[tokio::test]
async fn a_request_that_fills_haproxy_s_buffer_arrives_with_its_user_or_not_at_all() {
    let front = Front::start(&HAPROXY).await;
    let phone = front.customer().await;
    let claims = json!({ "note": "x".repeat(900) });
    front.app.admin("PUT", "/admin/v1/users/42/claims", Some(claims)).await.ok();
    let (mut passed, mut refused) = (0, 0);
    for length in (13_000..15_600).step_by(50) {
        let seen = front.get("/orders", Some(&phone.token()), &[("X-Long", &"x".repeat(length))]).await;
        if seen.arrived.is_some() {
            let told = principal(seen.passed());
            assert!(told.iter().any(|(name, _)| name == "yaopai-claims"), "{length}: {told:?}");
            assert_eq!(seen.cell(), "200, user 42", "{length}");
            passed += 1;
        } else {
            assert!(matches!(seen.stopped().status(), 400 | 431 | 503), "{length}: {:?}", seen.answer);
            refused += 1;
        }
    }
    assert!(passed > 0 && refused > 0, "{passed} passed, {refused} did not: the lengths no longer meet the limit");
}

/// Traefik with the prefix taken off in front of the check: then the check's address says so.
#[tokio::test]
async fn traefik_may_strip_a_prefix_before_the_check() {
    let stripped_first = [
        ("[yaopai-bound, no-api, no-token]", "[no-api, yaopai-session, no-token]"),
        ("/check/forward?require=session", "/check/forward?require=session&prefix=/api"),
    ];
    let front = Front::edited(&TRAEFIK, &stripped_first).await;
    let phone = front.app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let seen = front.draft(&phone.draft_for_shop("GET", "/api/orders/7?x=1", None)).await;
    assert_eq!((&seen.passed()["uri"], seen.cell().as_str()), (&json!("/orders/7?x=1"), "200, user 42"));
}

/// Envoy compares paths as they were sent, so what a back end would read as something else is refused first: each escape of a character
/// that needs none (RFC 3986, section 2.3), and no other.
#[tokio::test]
async fn envoy_refuses_escapes_that_need_none() {
    let front = Front::start(&ENVOY).await;
    let escapes = (1..=255u8).flat_map(|byte| [(byte, format!("%{byte:02x}")), (byte, format!("%{byte:02X}"))]);
    // At the same time: Envoy takes a second to close after each refusal.
    let answers = escapes.map(async |(byte, escape)| {
        let answer = raw::get(front.base(), &format!("/catalogue/a{escape}b?{escape}"), &[]).await;
        (byte, escape, answer)
    });
    let mut passed = 0;
    for (byte, escape, answer) in join_all(answers).await {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match answer.status() {
            200 if !unreserved => passed += 1,
            status => assert_eq!((status, answer.code()), (400, "path_unclean"), "{escape}"),
        }
    }
    assert_eq!(front.shop.visits(), passed);
    assert!(passed > 300, "{passed}: most need their escape");
}
