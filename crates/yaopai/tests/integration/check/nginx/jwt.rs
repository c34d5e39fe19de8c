//! `jwt=AUDIENCE`: the answer carries a JWT for that back end.

use std::collections::BTreeSet;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::support::tokens::{ISSUER, jwt_of, published, verified, with_audiences};
use crate::support::{Draft, Phone, Reply, Setup, TestApp, hours, seconds};

async fn customer() -> (TestApp, Phone) {
    let app = with_audiences().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

async fn jwt(phone: &Phone, ask: &str) -> String {
    jwt_of(&phone.check(ask).await).unwrap()
}

async fn said(app: &TestApp, jwt: &str) -> Value {
    verified(jwt, &published(app).await).expect("it doesn't verify").1
}

#[tokio::test]
async fn it_says_what_the_headers_say_and_verifies_by_what_is_published() {
    let (app, phone) = customer().await;
    let claims = json!({ "roles": ["clerk"], "tenant": "north", "sub": "43", "iss": "x" });
    app.admin("PUT", "/admin/v1/users/42/claims", Some(claims.clone())).await.ok();
    let reply = phone.check("jwt=orders").await;
    let (header, said) = verified(&jwt_of(&reply).unwrap(), &published(&app).await).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::ES256, Some("JWT")));
    for (member, name) in [
        ("user", "yaopai-user"),
        ("app", "yaopai-app"),
        ("session_id", "yaopai-session-id"),
        ("identity_id", "yaopai-identity-id"),
        ("openid", "yaopai-openid"),
        ("vouched_at", "yaopai-vouched-at"),
    ] {
        assert_eq!(said[member].as_str(), reply.header(name), "{member}");
    }
    let now = app.clock.now_ms() / 1000;
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(now), Some(now + 60)));
    assert_eq!((&said["iss"], &said["aud"], &said["sub"]), (&json!(ISSUER), &json!("orders"), &json!("42")));
    assert_eq!((&said["scope"], &said["tenant"], &said["claims"]), (&json!("clerk"), &json!("north"), &claims));
    assert_eq!(said["auth_time"].as_i64(), Some(now));
    let (header, said) = verified(&jwt(&phone, "jwt=stock").await, &published(&app).await).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    assert_eq!((&said["aud"], said["exp"].as_i64(), said.get("scope")), (&json!("stock"), Some(now + 120), None));
    // Who doesn't ask gets none, and the next one who asks does.
    assert_eq!(phone.check("-").await.header("authorization"), None);
}

/// Whatever is wrong with the question, nothing is handed out; and a proxy that copies never sends on what the client sent.
#[tokio::test]
async fn an_audience_that_the_realm_lacks_is_refused_as_misspelt() {
    let (app, phone) = customer().await;
    for ask in
        ["jwt=order", "jwt=members", "jwt=", "jwt=orders&jwt=orders", "jwt=orders,stock", "realm=other&jwt=orders"]
    {
        assert_eq!(phone.check(ask).await.denied(), "400 malformed", "{ask}");
    }
    for ask in ["jwt=orders", "require=session&jwt=orders"] {
        let reply = phone.check_as("junk", ask).await;
        assert_eq!((reply.denied().as_str(), reply.header("authorization")), ("401 session_unknown", None));
    }
    let guest = Draft::new("GET", "shop.example", "/orders", None).check(&app, "require=open&jwt=orders").await;
    assert_eq!(jwt_of(&guest), None, "empty, so that it overwrites");
}

#[tokio::test]
async fn an_unbound_session_s_has_no_sub_and_rfc_9068_s_is_not_made() {
    let app = with_audiences().await;
    let guest = app.newcomer("hanmei");
    guest.log_in().await;
    let plain = jwt(&guest, "require=session&jwt=orders").await;
    let guest_s = said(&app, &plain).await;
    assert_eq!((guest_s.get("sub"), guest_s.get("user"), &guest_s["openid"]), (None, None, &json!(guest.openid())));
    assert_eq!(jwt_of(&guest.check("require=session&jwt=stock").await), None);
    assert_eq!(guest.check("jwt=orders").await.denied(), "403 not_bound");
    // It rises in place: the JWT of before is not handed out once more.
    let body = json!({ "app": "shop", "openid": guest.openid(), "user": "77" });
    app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
    let risen = jwt(&guest, "require=session&jwt=orders").await;
    assert_eq!(said(&app, &risen).await["sub"], "77");
    assert!(jwt_of(&guest.check("jwt=stock").await).is_some());
}

/// Nothing is signed twice for the same, and what has changed is never told as it was.
#[tokio::test]
async fn a_jwt_is_kept_until_half_of_its_life_or_until_it_would_lie() {
    let (app, phone) = customer().await;
    let first = jwt(&phone, "jwt=orders").await;
    for _ in 0..20 {
        assert_eq!(jwt(&phone, "jwt=orders").await, first);
        assert_eq!(
            phone.check_forwarded("jwt=orders").await.header("authorization").unwrap(),
            format!("Bearer {first}")
        );
    }
    assert_eq!(app.server().issuer().cached(), 1);
    app.clock.advance(seconds(29));
    assert_eq!(jwt(&phone, "jwt=orders").await, first);
    app.clock.advance(seconds(1));
    let second = jwt(&phone, "jwt=orders").await;
    assert_ne!(second, first, "half of its life is over");
    assert_eq!(jwt(&phone, "jwt=orders").await, second);
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "roles": ["boss"] }))).await.ok();
    let third = jwt(&phone, "jwt=orders").await;
    assert_eq!(said(&app, &third).await["scope"], "boss");
    app.admin("DELETE", "/admin/v1/users/42/claims", None).await.ok();
    assert_eq!(said(&app, &jwt(&phone, "jwt=orders").await).await.get("scope"), None);
    // Kicked is kicked: the one that is kept is nobody's.
    app.admin("DELETE", "/admin/v1/users/42/sessions", None).await.ok();
    assert_eq!(phone.check("jwt=orders").await.denied(), "401 session_kicked");
    app.clock.advance(seconds(61));
    app.upkeep().await;
    assert_eq!(app.server().issuer().cached(), 0, "what has expired goes");
}

/// Back ends compare `iat` and `exp` with their own clocks, which are set with the machine's. Ours never goes back: by it a JWT
/// would outlive its session by the lag.
#[tokio::test]
async fn its_times_are_those_that_the_machine_s_clock_shows() {
    let (app, phone) = customer().await;
    let first = jwt(&phone, "jwt=orders").await;
    app.clock.advance(seconds(20));
    let lives = |said: &Value| (said["iat"].as_i64().unwrap(), said["exp"].as_i64().unwrap());
    let shown = || app.clock.shown_ms() / 1000;
    // Back by less than its age: it is handed out for as long as it would have been.
    app.clock.set_back_under_way(seconds(10));
    assert_eq!(jwt(&phone, "jwt=orders").await, first);
    // Further: it is one from the future.
    app.clock.set_back_under_way(hours(1));
    let second = jwt(&phone, "jwt=orders").await;
    assert_eq!(lives(&said(&app, &second).await), (shown(), shown() + 60), "it outlives a kick by the lag");
    assert_eq!(jwt(&phone, "jwt=orders").await, second);
    // In the half of its life it was renewed, by that clock as by ours.
    app.clock.advance(seconds(30));
    let third = jwt(&phone, "jwt=orders").await;
    assert_eq!(lives(&said(&app, &third).await), (shown(), shown() + 60));
    // Forward again, where it has expired.
    app.clock.set_forward_under_way(hours(1));
    let fourth = jwt(&phone, "jwt=orders").await;
    assert_eq!(lives(&said(&app, &fourth).await), (shown(), shown() + 60));
    assert_eq!(jwt(&phone, "jwt=orders").await, fourth);
    // A full table is looked through, wherever the clock was when it was last.
    app.clock.set_back_under_way(hours(2));
    app.server().issuer().upkeep().await.unwrap();
    assert_eq!(app.server().issuer().cached(), 0, "what is from the future goes");
}

/// The same over a restart, after which our own time is held where it was.
#[tokio::test]
async fn nor_are_they_those_of_the_time_that_is_held_over_a_restart() {
    let (mut app, phone) = customer().await;
    app.clock.advance(hours(1));
    phone.log_in().await;
    app.stop().await;
    app.clock.set_back(hours(1));
    app.try_start().await.unwrap();
    let said = said(&app, &jwt(&phone, "jwt=orders").await).await;
    let now = app.clock.now_ms() / 1000;
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(now), Some(now + 60)));
}

/// Signed by its client and signed with its body are two things, and a JWT says which.
#[tokio::test]
async fn a_keyed_session_s_says_whether_the_body_was_signed() {
    let app = with_audiences().await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let mut seen = BTreeSet::new();
    for (method, body, signed) in [("GET", None, false), ("POST", Some(json!({ "n": 1 })), true), ("GET", None, false)]
    {
        let reply = phone.draft_for_shop(method, "/orders", body.as_ref()).check(&app, "jwt=orders").await;
        let jwt = jwt_of(&reply).unwrap();
        assert_eq!(said(&app, &jwt).await["body_signed"], signed);
        assert_eq!(reply.header("yaopai-body-signed"), Some(if signed { "1" } else { "" }));
        seen.insert(jwt);
    }
    assert_eq!(seen.len(), 2);
    // A copied token gets none.
    phone.hold_key(None);
    let reply = phone.check("jwt=orders").await;
    assert_eq!((reply.denied().as_str(), reply.header("authorization")), ("401 proof_required", None));
}

/// An old secret in its last seconds, after a bind by the client: not the user's, and its JWT must not be either.
#[tokio::test]
async fn an_unbound_secret_of_a_bound_session_gets_nobody_s() {
    let app = with_audiences().await;
    let phone = app.newcomer("hanmei");
    phone.log_in().await;
    let old = phone.token();
    app.back_end.has_account("hanmei", "right", "77");
    let new = phone.bind("b", "hanmei", "right").await.field("token");
    phone.hold(&new);
    for _ in 0..3 {
        assert_eq!(said(&app, &jwt(&phone, "jwt=orders").await).await["sub"], "77");
        let guest = jwt_of(&phone.check_as(&old, "require=session&jwt=orders").await).unwrap();
        assert_eq!(said(&app, &guest).await.get("sub"), None);
    }
}

/// Full, it serves all the same; and it never grows beyond its bound.
#[tokio::test]
async fn the_kept_ones_are_bounded() {
    let app = TestApp::with(Setup {
        tables: "[jwt]\nissuer = \"http://yaopai.test\"\nmax_cached = 3\n[[audiences]]\nname = \"orders\"",
        ..Setup::default()
    })
    .await;
    let mut phones = Vec::new();
    for _ in 0..6 {
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        phones.push(phone);
    }
    for phone in &phones {
        assert_eq!(said(&app, &jwt(phone, "jwt=orders").await).await["sub"], "42");
    }
    assert_eq!(app.server().issuer().cached(), 3);
    // Those that have expired make room without upkeep.
    app.clock.advance(seconds(61));
    for phone in phones.iter().rev() {
        jwt(phone, "jwt=orders").await;
    }
    assert_eq!(app.server().issuer().cached(), 3);
    let last = phones.last().unwrap();
    assert_eq!(jwt(last, "jwt=orders").await, jwt(last, "jwt=orders").await);
}

#[tokio::test]
async fn no_jwt_is_in_an_answer_that_is_none() {
    let (app, _) = customer().await;
    let url = format!("{}/check/nginx/jwt=orders/GET/https/shop.example/orders", app.addresses().check);
    let reply = Reply::of(app.http.get(url).send().await.unwrap()).await;
    assert_eq!((reply.denied().as_str(), reply.header("authorization")), ("401 session_missing", None));
}
