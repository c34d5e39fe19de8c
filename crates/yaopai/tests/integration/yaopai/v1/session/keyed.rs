//! Keyed sessions: each request is signed. What must be refused is in `attacks`.

use serde_json::json;

use crate::support::{ClientKey, Draft, Setup, TestApp, minutes, seconds};

async fn required() -> TestApp {
    TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await
}

#[tokio::test]
async fn a_login_hands_out_a_key_once() {
    let app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    let login = phone.log_in().await;
    let key = ClientKey::of(&login);
    assert_eq!(key.session, login.field("session_id"));
    let read = phone.read().await;
    assert_eq!((read.ok().json()["key"].is_null(), read.json()["token"].is_null()), (true, true), "{}", read.text);
    assert_eq!(read.json()["user"], "u1");
    assert_eq!(phone.check("-").await.user(), "u1");
    assert_eq!(phone.check_forwarded("-").await.user(), "u1");
}

#[tokio::test]
async fn the_same_login_gets_the_same_key() {
    let app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    let (code, id) = (phone.code(), "one-login-sent-two-times");
    let (first, again) = (phone.send_login(&code, id).await, phone.send_login(&code, id).await);
    assert_eq!(first.ok().json()["key"], again.ok().json()["key"]);
    assert_eq!(first.json()["token"], again.json()["token"]);
}

/// Another key is another login: neither the code nor the request id yields what they did before.
#[tokio::test]
async fn a_login_that_asks_for_another_key_is_another() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "u1");
    let (code, request_id) = (phone.code(), "one-login-sent-two-times");
    let login = |key: serde_json::Value| json!({ "code": code, "request_id": request_id, "key": key });
    phone.log_in_with(login(json!({ "alg": "hmac-sha256" }))).await.ok();
    assert_eq!(phone.log_in_with(login(json!(null))).await.refusal(), "400 code_used");
}

#[tokio::test]
async fn a_refresh_extends_and_changes_nothing() {
    let app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    let login = phone.log_in().await;
    app.clock.advance(minutes(20));
    let refreshed = phone.refresh("first").await;
    assert_eq!(refreshed.field("token"), login.field("token"));
    assert!(refreshed.json()["key"].is_null());
    assert_eq!(refreshed.json()["expires_in"], 1800);
    app.clock.advance(minutes(25));
    assert_eq!(phone.check("-").await.user(), "u1", "it was extended");
}

#[tokio::test]
async fn a_step_up_keeps_token_and_key() {
    let app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    let login = phone.log_in().await;
    app.clock.advance(minutes(10));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    let code = phone.code();
    let first = phone.step_up("word", &code).await;
    assert_eq!(first.field("token"), login.field("token"));
    // Sent again, its answer lost: the code was used, and it is the same step-up.
    assert_eq!(phone.step_up("word", &code).await.field("token"), login.field("token"));
    assert_eq!(phone.check("vouched=300").await.user(), "u1");
}

#[tokio::test]
async fn a_bind_keeps_token_and_key() {
    let app = required().await;
    let phone = app.newcomer("dora").keyed();
    let login = phone.log_in().await;
    assert_eq!(phone.check("-").await.denied(), "403 not_bound");
    app.back_end.has_account("dora", "pw", "u7");
    let bound = phone.bind("word", "dora", "pw").await;
    assert_eq!((bound.field("token"), bound.field("user")), (login.field("token"), "u7".into()));
    assert_eq!(phone.check("-").await.user(), "u7");
}

#[tokio::test]
async fn the_back_end_learns_that_the_body_was_signed() {
    let app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    phone.log_in().await;
    let signed = |reply: &crate::support::Reply| reply.header("yaopai-body-signed").map(str::to_owned);
    assert_eq!(signed(&phone.check("-").await).as_deref(), Some(""));
    let order = phone.draft_for_shop("POST", "/orders", Some(&json!({ "tea": 1 })));
    assert_eq!(signed(&order.check(&app, "-").await).as_deref(), Some("1"));
    let mut upload = phone.draft_for_shop("GET", "/orders", None);
    upload.method = "POST".into();
    let upload = upload.signed_without_body(&phone.key().unwrap(), phone.clock());
    assert_eq!(upload.check(&app, "-").await.denied(), "401 body_digest_required");
    let upload = upload.signed_without_body(&phone.key().unwrap(), phone.clock());
    let reply = upload.check(&app, "unsigned_body=1").await;
    assert_eq!((reply.user(), signed(&reply).as_deref()), ("u1".into(), Some("")));
}

#[tokio::test]
async fn a_session_without_a_key_passes_no_more_once_keys_are_required() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "u1");
    phone.log_in().await;
    assert_eq!(phone.check("-").await.user(), "u1");
    app.restart_with(|config| config.replace("keyed = \"offered\"", "keyed = \"required\"")).await;
    assert_eq!(phone.check("-").await.denied(), "401 proof_required");
    assert_eq!(phone.read().await.refusal(), "401 proof_required");
    assert_eq!(phone.refresh("word").await.refusal(), "401 proof_required");
    // However often somebody with a copy of the token has asked: its owner is to learn that it takes a login.
    for _ in 0..110 {
        assert_eq!(phone.check("-").await.denied(), "401 proof_required");
    }
    assert_eq!(phone.try_log_in().await.refusal(), "400 field_invalid");
}

#[tokio::test]
async fn a_keyed_session_outlives_that_keys_are_off() {
    let mut app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    phone.log_in().await;
    app.restart_with(|config| config.replace("keyed = \"required\"", "keyed = \"off\"")).await;
    assert_eq!(phone.check("-").await.user(), "u1");
    assert_eq!(phone.try_log_in().await.refusal(), "400 field_invalid");
    phone.hold_key(None);
    assert_eq!(phone.check("-").await.denied(), "401 proof_required");
}

#[tokio::test]
async fn requests_go_on_after_a_stop_in_order() {
    let mut app = required().await;
    let phone = app.customer("lilei", "u1").keyed();
    phone.log_in().await;
    let order = phone.draft_for_shop("GET", "/orders", None);
    assert_eq!(order.check(&app, "-").await.user(), "u1");
    app.restart_after(seconds(0)).await;
    assert_eq!(phone.check("-").await.user(), "u1");
    assert_eq!(order.check(&app, "-").await.denied(), "401 proof_replayed");
}

/// A proxy that takes `/auth` off the path: the client has signed the whole.
#[tokio::test]
async fn a_prefix_that_the_proxy_takes_off_is_signed_too() {
    let setup =
        Setup { shop: "keyed = \"required\"", top: "public = { stripped_prefix = \"/auth\" }", ..Setup::default() };
    let app = TestApp::with(setup).await;
    let phone = app.customer("lilei", "u1").keyed();
    phone.log_in().await;
    let host = app.addresses().public.replace("http://", "");
    let sign = |uri: &str| {
        Draft::new("GET", &host, uri, None).bearing(&phone.token()).signed(&phone.key().unwrap(), phone.clock())
    };
    let arrives = |draft: Draft| Draft { uri: "/yaopai/v1/session".into(), ..draft };
    assert_eq!(arrives(sign("/auth/yaopai/v1/session")).send(&app).await.field("user"), "u1");
    assert_eq!(arrives(sign("/yaopai/v1/session")).send(&app).await.refusal(), "401 proof_invalid");
}
