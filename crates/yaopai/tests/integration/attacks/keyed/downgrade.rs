//! From a keyed session to one without a key: by no call, no configuration, no fault and no edited row.

use serde_json::json;

use super::{required, scene};
use crate::support::{ClientKey, Phone, Setup, TestApp, minutes, seconds};

/// Unsigned it is refused everywhere, and signed it passes.
async fn is_keyed(app: &TestApp, phone: &Phone) {
    let key = phone.key();
    phone.hold_key(None);
    assert_eq!(phone.check("require=session").await.denied(), "401 proof_required");
    assert_eq!(phone.check_forwarded("require=session").await.denied(), "401 proof_required");
    assert_eq!(phone.read().await.refusal(), "401 proof_required");
    assert_eq!(phone.refresh("bare").await.refusal(), "401 proof_required");
    phone.hold_key(key);
    assert_eq!(phone.check("require=session").await.status, 200);
    phone.read().await.ok();
    let kept: String = app
        .database()
        .query_row("SELECT key_kind FROM sessions WHERE id = ?1", [session_of(phone)], |row| row.get(0))
        .unwrap();
    assert_ne!(kept, "bearer");
}

fn session_of(phone: &Phone) -> Vec<u8> {
    yaopai_wire::token::Token::parse(phone.token().as_bytes()).unwrap().id.to_vec()
}

#[tokio::test]
async fn by_another_login() {
    let (app, victim) = scene().await;
    // Required: there is none without a key, however it is put.
    let bare = app.phone("lilei");
    for key in [json!({}), json!({ "key": null })] {
        assert_eq!(bare.log_in_with(key).await.refusal(), "400 field_invalid");
    }
    for key in [
        json!({}),
        json!([]),
        json!(""),
        json!(false),
        json!("hmac-sha256"),
        json!({ "alg": null }),
        json!({ "alg": "none" }),
        json!({ "alg": "HMAC-SHA256" }),
        json!({ "alg": "hmac-sha256", "secret": "AAAA" }),
        json!({ "alg": "hmac-sha256", "wechat": { "version": 1 } }),
        json!({ "wechat": null }),
        json!({ "wechat": {} }),
        json!({ "wechat": { "version": -1 } }),
        json!({ "wechat": { "version": 1.5 } }),
        json!({ "wechat": { "version": "1" } }),
        json!({ "wechat": { "version": 4_294_967_296_u64 } }),
        json!({ "wechat": { "version": 1, "alg": "none" } }),
    ] {
        let reply = bare.log_in_with(json!({ "key": key })).await;
        assert_eq!(reply.refusal(), "400 field_invalid", "{key}");
    }
    assert_eq!(app.count("sessions"), 1);
    is_keyed(&app, &victim).await;
}

#[tokio::test]
async fn by_another_login_where_keys_are_offered() {
    let app = TestApp::start().await;
    let victim = app.customer("lilei", "42").keyed();
    let (code, id) = (victim.code(), "one-login-in-two-ways-here");
    let first = victim.send_login(&code, id).await;
    // The same login without a key is another, whose code is used.
    let bare = app.phone("lilei");
    assert_eq!(bare.send_login(&code, id).await.refusal(), "400 code_used");
    // Another is a session of its own.
    let other = bare.log_in().await;
    assert_ne!(other.field("session_id"), first.field("session_id"));
    assert!(other.json()["key"].is_null());
    assert_eq!(bare.check("-").await.user(), "42");
    is_keyed(&app, &victim).await;
}

/// Nothing that a session goes through in its life.
#[tokio::test]
async fn by_refresh_step_up_bind_and_rebind() {
    let mut app = required().await;
    app.back_end.has_account("dora", "pw", "7");
    app.back_end.has_account("work", "pw", "8");
    let phone = app.newcomer("dora").keyed();
    let token = phone.log_in().await.field("token");
    let same = |reply: crate::support::Reply| {
        assert_eq!(reply.field("token"), token);
        assert!(reply.json()["key"].is_null(), "{}", reply.text);
    };
    is_keyed(&app, &phone).await;
    same(phone.bind("a", "dora", "pw").await);
    is_keyed(&app, &phone).await;
    same(phone.refresh("b").await);
    is_keyed(&app, &phone).await;
    app.clock.advance(minutes(10));
    same(phone.step_up("c", &phone.code()).await);
    is_keyed(&app, &phone).await;
    same(phone.bind("d", "work", "pw").await);
    assert_eq!(phone.check("-").await.user(), "8");
    is_keyed(&app, &phone).await;
    app.upkeep().await;
    app.restart_after(seconds(0)).await;
    is_keyed(&app, &phone).await;
    // What asks for another kind on the way is not heard.
    let key = json!({ "alg": "none" });
    let body = json!({ "request_id": crate::support::request_id("e"), "key": key, "keyed": false });
    phone.call("POST", "/session/refresh", Some(body)).await.ok();
    is_keyed(&app, &phone).await;
    assert_eq!(phone.call("DELETE", "/binding", None).await.status, 204);
}

/// Nothing that the back end does to it either.
#[tokio::test]
async fn by_the_back_end() {
    let app = TestApp::with(Setup { binding: "api", shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.phone("lilei").keyed();
    phone.log_in().await;
    for user in ["42", "43"] {
        let body = json!({ "app": "shop", "openid": phone.openid(), "user": user });
        let bound = app.admin("POST", "/admin/v1/bindings", Some(body)).await;
        if user == "42" {
            bound.ok();
            is_keyed(&app, &phone).await;
            assert_eq!(phone.check("-").await.user(), "42");
        }
    }
    let claims = json!({ "claims": { "role": "admin", "key": "bearer" } });
    app.admin("PATCH", "/admin/v1/users/42", Some(claims)).await;
    let key = phone.key();
    phone.hold_key(None);
    let reply = phone.check("require=session").await.denied();
    assert!(reply == "401 proof_required" || reply == "401 session_revoked", "{reply}");
    phone.hold_key(key);
}

#[tokio::test]
async fn by_the_configuration() {
    let (mut app, victim) = scene().await;
    for (from, to) in [("required", "offered"), ("offered", "off"), ("off", "offered"), ("offered", "required")] {
        app.restart_with(|config| config.replace(&format!("keyed = \"{from}\""), &format!("keyed = \"{to}\""))).await;
        is_keyed(&app, &victim).await;
    }
}

/// The row says bearer while the key is still there, or the key is gone, or spoilt, or its kind is: nothing is taken for a session
/// without a key.
#[tokio::test]
async fn by_an_edited_row() {
    // Where sessions without a key are allowed.
    let mut app = TestApp::start().await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    let other = super::thief(&app).await;
    let (key, id) = (victim.key(), session_of(&victim));
    app.stop().await;
    app.database_to_change().execute("CREATE TABLE as_it_was AS SELECT * FROM sessions", []).unwrap();
    for edit in [
        "key_kind = 'bearer'",
        "key_kind = 'BEARER'",
        "key_kind = ''",
        "key_kind = 'none'",
        "key_kind = 'wechat'",
        "key_kind = 'wechat', key_version = 1",
        "key_kind = 'wechat', key = NULL",
        "key = NULL",
        "key = x''",
        "key = x'00'",
        "key = zeroblob(32)",
        "key = substr(key, 2)",
        "key = CAST(key || x'00' AS BLOB)",
    ] {
        let sql = format!("UPDATE sessions SET {edit} WHERE id = ?1");
        assert_eq!(app.database_to_change().execute(&sql, [&id]).unwrap(), 1, "{edit}");
        match app.try_start().await {
            // What it can't read may be anything: then nobody's session is taken for another.
            Err(e) => assert!(e.contains("is not known to this version"), "{edit}: {e}"),
            Ok(()) => {
                // A start that failed before this one was a crash: so long all signatures are stale, the right ones as well.
                app.clock.advance(seconds(11));
                let zeros = key.clone().map(|key| ClientKey { key: [0; 32], ..key });
                for key in [None, key.clone(), zeros] {
                    victim.hold_key(key);
                    for reply in [
                        victim.check("require=session").await,
                        victim.check_forwarded("require=open").await,
                        victim.read().await,
                        victim.refresh("r").await,
                        victim.log_out().await,
                    ] {
                        assert!(!reply.status.is_success(), "{edit}: {}", reply.text);
                    }
                }
                assert_eq!(other.check("-").await.user(), "666", "others are let alone: {edit}");
                app.stop().await;
            }
        }
        let restore = "UPDATE sessions SET (key_kind, key_version, key) = \
                       (SELECT key_kind, key_version, key FROM as_it_was a WHERE a.id = sessions.id)";
        app.database_to_change().execute(restore, []).unwrap();
    }
    app.try_start().await.unwrap();
    app.clock.advance(seconds(11));
    victim.hold_key(key);
    is_keyed(&app, &victim).await;
}
