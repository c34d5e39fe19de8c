//! `POST /oauth2/introspect` (RFC 7662).

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::tokens::{ISSUER, jwt_of, with_audiences};
use crate::support::{OTHER_APPID, Phone, TestApp, hours, minutes, seconds};

async fn customer() -> (TestApp, Phone) {
    let app = with_audiences().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

async fn jwt(phone: &Phone, ask: &str) -> String {
    jwt_of(&phone.check(ask).await).unwrap()
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn a_bearer_session_s_token_is_told_as_the_headers_tell_it() {
    let (app, phone) = customer().await;
    let claims = json!({ "roles": ["clerk", "manager"], "tenant": "north" });
    app.admin("PUT", "/admin/v1/users/42/claims", Some(claims.clone())).await.ok();
    let said = app.introspect(&phone.token()).await;
    let headers = phone.check("-").await;
    for (member, header) in [
        ("user", "yaopai-user"),
        ("app", "yaopai-app"),
        ("session_id", "yaopai-session-id"),
        ("identity_id", "yaopai-identity-id"),
        ("openid", "yaopai-openid"),
        ("vouched_at", "yaopai-vouched-at"),
    ] {
        assert_eq!(said[member].as_str(), headers.header(header), "{member}");
    }
    assert_eq!((&said["sub"], &said["sid"], &said["client_id"]), (&json!("42"), &said["session_id"], &json!("shop")));
    assert_eq!((&said["claims"], &said["tenant"]), (&claims, &json!("north")));
    let now = app.clock.now_ms() / 1000;
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(now), Some(now + 1800)));
    assert_eq!((&said["iss"], &said["aud"]), (&json!(ISSUER), &json!("orders")));
    assert_json_snapshot!(said.as_object().unwrap().keys().collect::<Vec<_>>(), @r#"
    [
      "active",
      "token_type",
      "iss",
      "aud",
      "iat",
      "exp",
      "sub",
      "client_id",
      "sid",
      "auth_time",
      "user",
      "app",
      "session_id",
      "identity_id",
      "openid",
      "unionid",
      "vouched_at",
      "claims",
      "body_signed",
      "tenant",
      "scope"
    ]
    "#);
    assert_eq!(said["scope"], "clerk manager");
    // Who doesn't say which back end it is gets what is everybody's.
    let bare = app.introspect_as("key-of-default", None, &phone.token()).await.json();
    assert_eq!((&bare["sub"], bare.get("aud"), bare.get("scope")), (&json!("42"), None, None));
    let only = app.introspect_as("key-for-introspection", Some("stock"), &phone.token()).await.json();
    assert_eq!((&only["active"], &only["aud"], only.get("scope")), (&json!(true), &json!("stock"), None));
}

/// Whatever a back end reads in a log, of a keyed session its token alone is nobody's: else a copy would pass there.
#[tokio::test]
async fn a_keyed_session_s_bare_token_is_nobody_s_and_its_jwt_speaks_for_it() {
    let app = with_audiences().await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    assert_eq!(app.introspect(&phone.token()).await, inactive());
    for _ in 0..200 {
        // Nor is it a failed proof: who asks for a copied token shuts nobody out.
        app.introspect(&phone.token()).await;
    }
    let jwt = jwt(&phone, "jwt=orders").await;
    let said = app.introspect(&jwt).await;
    assert_eq!((&said["active"], &said["user"], &said["body_signed"]), (&json!(true), &json!("42"), &json!(false)));
    assert_eq!(app.introspect(&phone.token()).await, inactive());
}

#[tokio::test]
async fn a_kicked_session_is_inactive_at_once() {
    let (app, phone) = customer().await;
    let jwt = jwt(&phone, "jwt=orders").await;
    assert_eq!(app.introspect(&jwt).await["active"], true);
    app.admin("DELETE", "/admin/v1/users/42/sessions", None).await.ok();
    assert_eq!(app.introspect(&jwt).await, inactive());
    assert_eq!(app.introspect(&phone.token()).await, inactive());
}

/// Who asks has a clock that was set back with the machine's.
#[tokio::test]
async fn its_times_are_those_that_the_machine_s_clock_shows() {
    let (app, phone) = customer().await;
    let early = jwt(&phone, "jwt=orders").await;
    app.clock.set_back_under_way(hours(1));
    assert_eq!(app.introspect(&early).await, inactive(), "it would be good for an hour");
    let shown = app.clock.shown_ms() / 1000;
    let jwt = jwt(&phone, "jwt=orders").await;
    let said = app.introspect(&jwt).await;
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(shown), Some(shown + 60)));
    let said = app.introspect(&phone.token()).await;
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(shown), Some(shown + 1800)));
    // Whatever our own says.
    app.clock.advance(seconds(60));
    assert_eq!(app.introspect(&jwt).await, inactive());
}

#[tokio::test]
async fn each_end_is_inactive() {
    let (app, phone) = customer().await;
    let jwt = jwt(&phone, "jwt=orders").await;
    phone.log_out().await.ok();
    assert_eq!(app.introspect(&jwt).await, inactive());
    assert_eq!(app.introspect(&phone.token()).await, inactive());
    phone.log_in().await;
    app.clock.advance(minutes(31));
    assert_eq!(app.introspect(&phone.token()).await, inactive(), "idle for too long");
}

#[tokio::test]
async fn a_jwt_is_good_for_its_own_life_its_own_back_end_and_what_it_said() {
    let (app, phone) = customer().await;
    let orders = jwt(&phone, "jwt=orders").await;
    let stock = jwt(&phone, "jwt=stock").await;
    // One back end passes on what it got.
    let at = async |audience, jwt: &str| app.introspect_as("key-of-default", audience, jwt).await.json();
    assert_eq!(at(Some("stock"), &orders).await, inactive());
    assert_eq!(at(Some("orders"), &stock).await, inactive());
    assert_eq!(at(Some("stock"), &stock).await["aud"], "stock");
    assert_eq!(at(None, &orders).await["aud"], "orders");
    app.clock.advance(seconds(59));
    assert_eq!(at(None, &orders).await["active"], true);
    app.clock.advance(seconds(1));
    assert_eq!(at(None, &orders).await, inactive());
    assert_eq!(at(None, &stock).await["active"], true, "this one lives for two minutes");
    // Claims that are new are told; of whom it speaks does not change.
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "roles": "boss" }))).await.ok();
    assert_eq!(at(None, &stock).await["claims"], json!({ "roles": "boss" }));
    app.admin("PUT", "/admin/v1/users/42/disabled", None).await.ok();
    assert_eq!(at(None, &stock).await, inactive());
}

/// Each realm's back end sees its own tokens, of both kinds, and can't even use the others' up.
#[tokio::test]
async fn another_realm_s_token_does_not_exist() {
    let (app, here) = customer().await;
    let there = app.phone_in("club", OTHER_APPID, "lilei");
    app.back_end.knows(&there.openid(), "42");
    there.log_in().await;
    let (ours, theirs) = (jwt(&here, "jwt=orders").await, jwt(&there, "realm=other&jwt=members").await);
    for (key, audience, good, bad) in [
        ("key-of-default", "orders", [here.token(), ours.clone()], [there.token(), theirs.clone()]),
        ("key-of-other", "members", [there.token(), theirs], [here.token(), ours]),
    ] {
        for audience in [None, Some(audience)] {
            for token in &bad {
                assert_eq!(app.introspect_as(key, audience, token).await.json(), inactive(), "{key}");
            }
            for token in &good {
                assert_eq!(app.introspect_as(key, audience, token).await.json()["active"], true, "{key}");
            }
        }
    }
    // A new secret of the other realm's is not confirmed by being asked for.
    let new = there.refresh("r").await.field("token");
    let old = there.token();
    assert_eq!(app.introspect(&new).await, inactive());
    there.hold(&old);
    app.clock.advance(minutes(5));
    assert_eq!(there.check("realm=other").await.user(), "42", "the old secret passes until the new one is used");
    // But for its own back end it is a use like any other.
    assert_eq!(app.introspect_as("key-of-other", None, &new).await.json()["active"], true);
    app.clock.advance(seconds(31));
    assert_eq!(there.check("realm=other").await.denied(), "401 session_superseded");
}

/// Where only the back end looks at tokens, its question is what keeps a session alive.
#[tokio::test]
async fn it_slides_the_idle_time_out_unless_the_call_is_background() {
    let (app, phone) = customer().await;
    let url = format!("{}/oauth2/introspect", app.addresses().admin);
    let background = async || {
        let request = app.http.post(&url).bearer_auth("key-of-default").header("yaopai-background", "1");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("token={}", phone.token())).send().await.unwrap().text().await.unwrap()
    };
    for _ in 0..4 {
        app.clock.advance(minutes(20));
        assert_eq!(app.introspect(&phone.token()).await["active"], true);
    }
    app.clock.advance(minutes(20));
    assert!(background().await.contains("\"active\":true"));
    app.clock.advance(minutes(11));
    assert_eq!(app.introspect(&phone.token()).await, inactive());
}

#[tokio::test]
async fn an_unbound_session_has_no_sub() {
    let app = with_audiences().await;
    let guest = app.newcomer("hanmei");
    guest.log_in().await;
    let said = app.introspect(&guest.token()).await;
    assert_eq!((&said["active"], said.get("sub"), said.get("user")), (&json!(true), None, None));
    let jwt = jwt(&guest, "require=session&jwt=orders").await;
    let said = app.introspect(&jwt).await;
    assert_eq!((&said["active"], said.get("sub"), said.get("user")), (&json!(true), None, None));
    // Bound since: the JWT speaks for whom it spoke.
    let body = json!({ "app": "shop", "openid": guest.openid(), "user": "77" });
    app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
    assert_eq!(app.introspect(&jwt).await.get("user"), None);
    assert_eq!(app.introspect(&guest.token()).await["user"], "77");
}

#[tokio::test]
async fn who_may_ask() {
    let (app, phone) = customer().await;
    let token = phone.token();
    let refusal = async |key, audience| app.introspect_as(key, audience, &token).await.refusal();
    for key in ["wrong", "", "key-of-other-not"] {
        assert_eq!(refusal(key, None).await, "401 api_key_invalid", "{key}");
        assert_eq!(refusal(key, Some("orders")).await, "401 api_key_invalid", "{key}");
    }
    // A back end that the key's realm doesn't have: misspelt, or another realm's.
    for audience in ["order", "members", "ORDERS", ""] {
        assert_eq!(refusal("key-of-default", Some(audience)).await, "401 api_key_invalid", "{audience}");
    }
    assert_eq!(refusal("key-for-signing", None).await, "403 scope_missing");
    assert_eq!(
        app.admin_as("key-for-introspection", "GET", "/admin/v1/sessions", None).await.refusal(),
        "403 scope_missing"
    );
    // What it may ask in the client's name, it may not ask with the client's token.
    assert_eq!(refusal(&token, None).await, "401 api_key_invalid");
}

#[tokio::test]
async fn junk_is_inactive_and_no_question_is_malformed() {
    let (app, phone) = customer().await;
    let good = jwt(&phone, "jwt=orders").await;
    let parts: Vec<&str> = good.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for token in [
        "".to_owned(),
        "x".into(),
        "a.b.c".into(),
        "..".into(),
        phone.token()[..73].to_owned(),
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][..80]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)),
        format!("{}.{}x.{}", parts[0], parts[1], parts[2]),
        format!("{good}."),
        format!("{good}A"),
        "x".repeat(10_000),
    ] {
        assert_eq!(app.introspect(&token).await, inactive(), "{token}");
    }
    let url = format!("{}/oauth2/introspect", app.addresses().admin);
    let form = "application/x-www-form-urlencoded";
    let (twice, large) = (format!("token={good}&token={good}"), format!("token={}", "x".repeat(20_000)));
    for (kind, body) in [
        (form, ""),
        (form, "tok=x"),
        (form, twice.as_str()),
        (form, large.as_str()),
        ("application/json", "{\"token\":\"x\"}"),
    ] {
        let request = app.http.post(&url).bearer_auth("key-of-default").header("content-type", kind);
        let reply = crate::support::Reply::of(request.body(body.to_owned()).send().await.unwrap()).await;
        assert_eq!(reply.refusal(), "400 malformed", "{kind} {body:.20}");
    }
}
