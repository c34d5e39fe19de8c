//! Sessions keyed with WeChat's own per-user key, which never crosses our wire: the phone derives the session's from what
//! `getUserCryptoManager` says, the server from what `getuserencryptkey` says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault};

use super::hand::mac;
use super::required;
use crate::support::{ClientKey, Phone, Reply, TestApp, minutes, request_id, seconds};

const CALL: &str = "getuserencryptkey";

/// HKDF-SHA256 by RFC 5869's own words, for a key as long as the hash: PRK = HMAC(salt, IKM), T(1) = HMAC(PRK, info ‖ 1).
fn derived(user_key: &[u8], session: &str) -> [u8; 32] {
    let prk = mac(&[0; 32], user_key);
    mac(&prk, &[b"yaopai hmac-sha256 ", session.as_bytes(), &[1]].concat())
}

/// The newest key that the person's phone has, for a session.
fn newest(app: &TestApp, person: &str, session: &str) -> ClientKey {
    let user_key = app.sim.user_key(DEFAULT_APPID, person).unwrap();
    let key = derived(&STANDARD.decode(user_key.encrypt_key).unwrap(), session);
    ClientKey { session: session.to_owned(), key_id: format!("{session}.{}", user_key.version), key }
}

async fn try_log_in(app: &TestApp, phone: &Phone, person: &str) -> Reply {
    let version = app.sim.user_key(DEFAULT_APPID, person).unwrap().version;
    phone.log_in_with(json!({ "key": { "wechat": { "version": version } } })).await
}

/// Logs in and holds the newest key.
async fn log_in(app: &TestApp, phone: &Phone, person: &str) -> String {
    let login = try_log_in(app, phone, person).await;
    let session = login.field("session_id");
    assert_eq!(
        login.json()["key"],
        json!({ "alg": "hmac-sha256" }),
        "known to both, and sent by nobody: {}",
        login.text
    );
    phone.hold_key(Some(newest(app, person, &session)));
    session
}

async fn scene() -> (TestApp, Phone, String) {
    let app = required().await;
    let phone = app.customer("lilei", "42");
    let session = log_in(&app, &phone, "lilei").await;
    (app, phone, session)
}

/// The same key under another version's name.
fn as_version(key: &ClientKey, version: &str) -> ClientKey {
    ClientKey { key_id: format!("{}{version}", key.session), ..key.clone() }
}

#[tokio::test]
async fn an_honest_life() {
    let (mut app, phone, session) = scene().await;
    assert_eq!(app.sim.calls(CALL), 1);
    let token = phone.token();
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.check_forwarded("-").await.user(), "42");
    phone.read().await.ok();
    app.clock.advance(minutes(20));
    assert_eq!(phone.refresh("r").await.field("token"), token);
    app.restart_after(seconds(1)).await;
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.step_up("s", &phone.code()).await.field("token"), token);
    assert_eq!(app.sim.calls(CALL), 1, "the platform was asked at the login");
    // A second session of the same person has another key out of the same.
    let pad = app.phone("lilei");
    let other = log_in(&app, &pad, "lilei").await;
    assert_ne!(phone.key().unwrap().key, pad.key().unwrap().key);
    assert_eq!(pad.check("-").await.user(), "42");
    let mixed = ClientKey { key: pad.key().unwrap().key, ..phone.key().unwrap() };
    phone.hold_key(Some(mixed));
    assert_eq!(phone.check("-").await.denied(), "401 proof_invalid");
    assert_ne!(session, other);
}

#[tokio::test]
async fn a_new_version_is_learnt_and_the_previous_one_passes_ten_minutes() {
    let (app, phone, session) = scene().await;
    let old = phone.key().unwrap();
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    // Nobody has told the server: the old one is the newest that it knows.
    app.clock.advance(minutes(15));
    assert_eq!(phone.check("-").await.user(), "42");
    let new = newest(&app, "lilei", &session);
    assert_ne!(new.key_id, old.key_id);
    phone.hold_key(Some(new.clone()));
    assert_eq!(phone.check("-").await.user(), "42", "learnt by the request that names it");
    assert_eq!(app.sim.calls(CALL), 2);
    phone.hold_key(Some(old.clone()));
    app.clock.advance(seconds(600));
    assert_eq!(phone.check("-").await.user(), "42");
    phone.read().await.ok();
    app.clock.advance(seconds(1));
    assert_eq!(phone.check("-").await.denied(), "401 proof_invalid");
    assert_eq!(phone.read().await.refusal(), "401 proof_invalid");
    phone.hold_key(Some(new));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(app.sim.calls(CALL), 2);
}

/// Who makes versions up has the platform asked once a minute for his session, and for nobody else's.
#[tokio::test]
async fn an_unknown_version_costs_one_call_a_minute() {
    let (app, phone, session) = scene().await;
    let pad = app.phone("lilei");
    let other = log_in(&app, &pad, "lilei").await;
    let calls = app.sim.calls(CALL);
    let own = phone.key().unwrap();
    phone.hold_key(Some(as_version(&own, ".99")));
    for minute in 1..=3 {
        for _ in 0..5 {
            assert_eq!(phone.check("-").await.denied(), "401 login_required");
            assert_eq!(phone.check_forwarded("require=open").await.denied(), "401 login_required");
            assert_eq!(phone.read().await.refusal(), "401 login_required");
            assert_eq!(phone.refresh("r").await.refusal(), "401 login_required");
        }
        let at_a_time = (0..20).map(|n| {
            let key = as_version(&own, &format!(".{}", 1000 + n));
            let host = "shop.example";
            let draft = crate::support::Draft::new("GET", host, "/orders", None).bearing(&phone.token());
            let draft = draft.signed(&key, phone.clock());
            let app = &app;
            async move { draft.check(app, "-").await.denied() }
        });
        for denied in futures_util::future::join_all(at_a_time).await {
            assert_eq!(denied, "401 login_required");
        }
        assert_eq!(app.sim.calls(CALL), calls + minute);
        app.clock.advance(seconds(60));
    }
    // The other session's question is its own.
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    pad.hold_key(Some(newest(&app, "lilei", &other)));
    assert_eq!(pad.check("-").await.user(), "42");
    assert_eq!(app.sim.calls(CALL), calls + 4);
    phone.hold_key(Some(newest(&app, "lilei", &session)));
    assert_eq!(phone.check("-").await.user(), "42");
}

/// A stolen token alone, with versions made up.
#[tokio::test]
async fn a_stolen_token_with_made_up_versions() {
    let (app, phone, session) = scene().await;
    let own = phone.key().unwrap();
    let before = app.state();
    let forged = |version: &str| ClientKey { key: [0; 32], ..as_version(&own, version) };
    for version in
        ["", ".", ".0", ".1", ".01", ".+1", ".-1", ".1e0", ".4294967296", ".99999999999999999999", ".1.1", "1"]
    {
        phone.hold_key(Some(forged(version)));
        assert_eq!(phone.check("-").await.denied(), "401 proof_invalid", "{version}");
        assert_eq!(phone.read().await.refusal(), "401 proof_invalid", "{version}");
    }
    assert_eq!(app.sim.calls(CALL), 1);
    for version in [".2", ".4294967295"] {
        phone.hold_key(Some(forged(version)));
        assert_eq!(phone.check("-").await.denied(), "401 login_required", "{version}");
        // With a code of the thief's, and even with one of the victim's: the signature is nobody's.
        let thief = app.phone("xiaoming");
        assert_eq!(phone.step_up(&format!("t{version}"), &thief.code()).await.refusal(), "409 identity_mismatch");
        app.clock.advance(seconds(1));
        let reply = phone.step_up(&format!("v{version}"), &phone.code()).await.refusal();
        assert!(reply == "401 login_required" || reply == "401 proof_invalid", "{version}: {reply}");
    }
    let mut after = app.state();
    after.insert("identities".into(), before["identities"].clone());
    assert_eq!(after, before, "nobody was vouched for");
    phone.hold_key(Some(own));
    assert_eq!(phone.check("-").await.user(), "42");
    assert!(!session.is_empty());
}

/// The honest client's new version, within the minute in which somebody made one up: a step-up heals it.
#[tokio::test]
async fn a_thief_s_question_does_not_lock_the_honest_one_out() {
    let (app, phone, session) = scene().await;
    let own = phone.key().unwrap();
    phone.hold_key(Some(ClientKey { key: [0; 32], ..as_version(&own, ".77") }));
    assert_eq!(phone.check("-").await.denied(), "401 login_required");
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    phone.hold_key(Some(newest(&app, "lilei", &session)));
    assert_eq!(phone.check("-").await.denied(), "401 login_required");
    let token = phone.token();
    assert_eq!(phone.step_up("heal", &phone.code()).await.field("token"), token);
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn the_platform_is_down() {
    let (app, phone, session) = scene().await;
    let old = phone.key().unwrap();
    app.sim.set_fault(Fault::reset_before().on(Endpoint::Getuserencryptkey)).unwrap();
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    // The last known one goes on, for as long as it takes.
    for _ in 0..3 {
        app.clock.advance(minutes(15));
        assert_eq!(phone.check("-").await.user(), "42");
    }
    phone.hold_key(Some(newest(&app, "lilei", &session)));
    let refused = phone.check("-").await;
    let denied = refused.denied();
    assert!(denied.starts_with("503 platform_"), "{denied}");
    let refused = phone.read().await.refusal();
    assert!(refused.starts_with("503 platform_"), "{refused}");
    // A login gets no other kind of key, and no session.
    let sessions = app.count("sessions");
    let pad = app.phone("lilei");
    let refused = try_log_in(&app, &pad, "lilei").await.refusal();
    assert!(refused.starts_with("503 platform_"), "{refused}");
    assert_eq!(app.count("sessions"), sessions);
    phone.hold_key(Some(old));
    assert_eq!(phone.check("-").await.user(), "42");
    // It comes back.
    app.sim.clear_faults();
    app.clock.advance(minutes(2));
    // The login that failed may have renewed the session_key at WeChat: so another one first, which is kept.
    log_in(&app, &pad, "lilei").await;
    phone.hold_key(Some(newest(&app, "lilei", &session)));
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Another `wx.login` has replaced the session_key, so our copy asks for nothing any more; and the key has gone on.
#[tokio::test]
async fn a_step_up_heals_a_stale_session_key() {
    let (app, phone, session) = scene().await;
    app.sim.rotate_session_key(DEFAULT_APPID, "lilei").unwrap();
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    let token = phone.token();
    let new = newest(&app, "lilei", &session);
    phone.hold_key(Some(new.clone()));
    assert_eq!(phone.check("-").await.denied(), "401 login_required");
    // Signed with the newest key, and sent again since the answer was lost.
    let code = phone.code();
    assert_eq!(phone.step_up("heal", &code).await.field("token"), token);
    assert_eq!(phone.step_up("heal", &code).await.field("token"), token);
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(phone.check("-").await.user(), "42");
    // A lost key is none: unsigned it is refused as ever.
    phone.hold_key(None);
    assert_eq!(phone.check("-").await.denied(), "401 proof_required");
    let reply = phone.step_up("bare", &phone.code()).await;
    assert_eq!(reply.refusal(), "401 proof_required");
}

/// A version that WeChat doesn't know (any more) opens nothing.
#[tokio::test]
async fn a_login_by_a_version_that_is_none() {
    let app = required().await;
    let phone = app.customer("lilei", "42");
    for _ in 0..4 {
        app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    }
    for version in [0, 1, 5, 4_294_967_295_u32] {
        let reply = phone.log_in_with(json!({ "key": { "wechat": { "version": version } } })).await;
        assert_eq!(reply.refusal(), "401 login_required", "{version}");
    }
    assert_eq!(app.count("sessions"), 0);
    // The same login, asked for with another kind of key, is another, whose code is used.
    let (code, id) = (phone.code(), request_id("one"));
    let login = |key: serde_json::Value| json!({ "code": code, "request_id": id, "key": key });
    phone.log_in_with(login(json!({ "wechat": { "version": 4 } }))).await.ok();
    assert_eq!(phone.log_in_with(login(json!({ "alg": "hmac-sha256" }))).await.refusal(), "400 code_used");
    assert_eq!(phone.log_in_with(login(json!({ "wechat": { "version": 3 } }))).await.refusal(), "400 code_used");
}

/// Two that learn the same new version at a time, over a restart too.
#[tokio::test]
async fn a_new_version_survives_a_crash() {
    let (mut app, phone, session) = scene().await;
    app.sim.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    let old = phone.key().unwrap();
    phone.hold_key(Some(newest(&app, "lilei", &session)));
    let (a, b) = tokio::join!(phone.check("-"), phone.check_forwarded("-"));
    assert_eq!((a.user(), b.user()), ("42".into(), "42".into()));
    let calls = app.sim.calls(CALL);
    app.crash().await;
    app.clock.advance(seconds(30));
    assert_eq!(phone.check("-").await.user(), "42");
    phone.hold_key(Some(old));
    assert_eq!(phone.check("-").await.user(), "42", "its ten minutes go on");
    app.clock.advance(minutes(10));
    assert_eq!(phone.check("-").await.denied(), "401 proof_invalid");
    assert_eq!(app.sim.calls(CALL), calls);
}
