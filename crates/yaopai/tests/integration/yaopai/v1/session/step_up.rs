//! `POST /yaopai/v1/session/refresh` with a `code`.

use insta::assert_snapshot;
use serde_json::json;
use yaopai_sim::{Endpoint, Fault};

use crate::support::{Phone, TestApp, minutes, request_id, seconds};

async fn logged_in() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

#[tokio::test]
async fn a_code_renews_the_session() {
    let (app, phone) = logged_in().await;
    app.clock.advance(minutes(20));
    let (id, before) = (phone.read().await.field("session_id"), app.state());
    let reply = phone.step_up("u", &phone.code()).await;
    assert_snapshot!(reply.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 603600,
      "bound": true,
      "user": "42",
      "vouched_at": "2026-01-01T00:20:00.000Z",
      "server_time": "2026-01-01T00:20:00.000Z"
    }
    "#);
    assert_eq!(reply.field("session_id"), id, "it is the same session");
    let after = app.state();
    assert_ne!(after["identities"], before["identities"], "WeChat's session_key is renewed with it");
    assert_eq!(after["logins"], before["logins"]);
    assert_eq!(app.count("sessions"), 1);
    assert_eq!(app.back_end.calls("opened").len(), 1, "no session was opened by it");
}

/// The new token passes at once, in the fast path, and nothing is written by its first use.
#[tokio::test]
async fn the_old_token_has_no_grace() {
    let (app, phone) = logged_in().await;
    let old = phone.token();
    let waiting = phone.refresh("r").await.field("token");
    phone.check_as(&waiting, "-").await.user();
    let child = phone.refresh_as(&old, "r2").await.field("token");
    let new = phone.step_up_as(&waiting, "u", &phone.code()).await.field("token");
    let before = app.state();
    assert_eq!(phone.check_as(&new, "-").await.user(), "42");
    for dead in [&old, &waiting, &child] {
        assert_eq!(phone.check_as(dead, "-").await.denied(), "401 session_superseded");
        assert_eq!(phone.refresh_as(dead, "again").await.refusal(), "401 session_superseded", "and it is no theft yet");
    }
    assert_eq!(app.state(), before);
    app.clock.advance(seconds(31));
    assert_eq!(phone.refresh_as(&old, "thief").await.refusal(), "401 session_reused");
    assert_eq!(phone.check_as(&new, "-").await.denied(), "401 session_reused");
}

#[tokio::test]
async fn a_step_up_cures_login_required() {
    let (app, phone) = logged_in().await;
    app.clock.advance(minutes(10));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    phone.hold(&phone.refresh("r").await.field("token"));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required", "a refresh alone doesn't");
    phone.hold(&phone.step_up("u", &phone.code()).await.field("token"));
    assert_eq!(phone.check("vouched=300").await.user(), "42");
    app.clock.advance(seconds(301));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn the_absolute_age_is_not_extended() {
    let app = TestApp::with(crate::support::Setup { sessions: "absolute = 7200", ..Default::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    for n in 0..6 {
        app.clock.advance(minutes(19));
        phone.hold(&phone.step_up(&format!("u{n}"), &phone.code()).await.field("token"));
    }
    app.clock.advance(minutes(6));
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    let code = phone.code();
    assert_eq!(phone.step_up("late", &code).await.refusal(), "401 session_expired");
    assert_eq!(app.sim.exchanges_of(&code), 0);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let (app, phone) = logged_in().await;
    let code = phone.code();
    let lost = phone.step_up("u", &code).await.field("token");
    let state = app.state();
    app.clock.advance(seconds(60));
    assert_eq!(phone.step_up("u", &code).await.field("token"), lost, "also after its first use");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    // The old token gets this and nothing else.
    assert_eq!(phone.step_up("u2", &code).await.refusal(), "401 session_superseded");
    assert_eq!(phone.step_up("u", &phone.code()).await.refusal(), "401 session_superseded", "under another code");
    assert_eq!(phone.refresh("u").await.refusal(), "401 session_reused", "60 s later a refresh is a thief's");
    assert_ne!(app.state(), state);
}

#[tokio::test]
async fn a_minute_is_all_there_is() {
    let (app, phone) = logged_in().await;
    let code = phone.code();
    let new = phone.step_up("u", &code).await.field("token");
    app.clock.advance(seconds(61));
    assert_eq!(phone.step_up("u", &code).await.refusal(), "401 session_superseded");
    assert_eq!(phone.check_as(&new, "-").await.user(), "42", "and it is no theft");
    assert_eq!(app.sim.exchanges_of(&code), 1);
}

/// The network stack sends a request twice; pages ask at the same time; a client hangs up and asks again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_copies_share_one_exchange() {
    let (app, phone) = logged_in().await;
    for round in 0..5 {
        let (code, word) = (phone.code(), format!("u{round}"));
        let replies = futures_util::future::join_all((0..8).map(|_| phone.step_up(&word, &code))).await;
        let tokens: Vec<String> = replies.iter().map(|r| r.field("token")).collect();
        assert!(tokens.iter().all(|t| *t == tokens[0]), "{tokens:?}");
        assert_eq!(app.sim.exchanges_of(&code), 1);
        phone.hold(&tokens[0]);
        assert_eq!(phone.check("-").await.user(), "42");
    }
}

#[tokio::test]
async fn the_next_process_answers_it() {
    let (mut app, phone) = logged_in().await;
    let code = phone.code();
    let lost = phone.step_up("u", &code).await.field("token");
    app.restart_after(seconds(50)).await;
    assert_eq!(phone.step_up("u", &code).await.field("token"), lost);
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(phone.check_as(&lost, "vouched=60").await.user(), "42");
    app.restart_after(seconds(11)).await;
    assert_eq!(phone.step_up("u", &code).await.refusal(), "401 session_superseded");
    assert_eq!(app.sim.exchanges_of(&code), 1);
}

#[tokio::test]
async fn the_code_of_another_account_leaves_the_session_as_it_is() {
    let (app, phone) = logged_in().await;
    let (code, before) = (app.phone("xiaoming").code(), app.state());
    let reply = phone.step_up("u", &code).await;
    assert_snapshot!(reply.show(), @r#"
    409 Conflict
    cache-control: no-store
    content-type: application/problem+json
    yaopai-code: identity_mismatch
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:identity_mismatch",
      "title": "The code is of another account",
      "status": 409,
      "code": "identity_mismatch",
      "detail": "This code is of another account than the session; the session goes on. To change accounts, log in."
    }
    "#);
    assert_eq!(app.state(), before);
    assert_eq!(phone.step_up("u", &code).await.refusal(), "409 identity_mismatch", "the same again");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(phone.check("-").await.user(), "42");
    // Nor does the code open anything else any more.
    assert_eq!(app.phone("xiaoming").send_login(&code, &request_id("x")).await.refusal(), "400 code_used");
}

/// One code, one use: of a login and a step-up, the first.
#[tokio::test]
async fn a_login_s_code_steps_nothing_up() {
    let (app, phone) = logged_in().await;
    let other = app.phone("lilei");
    let code = phone.code();
    other.send_login(&code, &request_id("login")).await.ok();
    assert_eq!(phone.step_up("login", &code).await.refusal(), "400 code_used");
    let code = phone.code();
    phone.hold(&phone.step_up("u", &code).await.field("token"));
    assert_eq!(other.send_login(&code, &request_id("u")).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(phone.step_up("v", "no code at all").await.refusal(), "400 code_invalid");
    assert_eq!(phone.check("-").await.user(), "42");
}

/// What WeChat did with the code is unknown. It is never sent again, and who repeats the request is told so.
#[tokio::test]
async fn wechat_fails_and_the_session_stays() {
    let (app, phone) = logged_in().await;
    let (code, before) = (phone.code(), app.state());
    app.sim.set_fault(Fault::reset_after().on(Endpoint::Jscode2session).once()).unwrap();
    assert_eq!(phone.step_up("u", &code).await.refusal(), "503 platform_unavailable");
    for _ in 0..2 {
        assert_eq!(phone.step_up("u", &code).await.refusal(), "400 code_used");
    }
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(app.state(), before);
    assert_eq!(phone.check("-").await.user(), "42");
    phone.step_up("u2", &phone.code()).await.ok();
}

#[tokio::test]
async fn sessions_that_are_over_or_unknown() {
    let (app, phone) = logged_in().await;
    let (code, body) = (phone.code(), |code: &str| Some(json!({ "request_id": request_id("u"), "code": code })));
    let forged = crate::support::raw::forged_token(&phone.token());
    let refused = phone.call_as(&forged, "POST", "/session/refresh", body(&code)).await;
    assert_eq!(refused.refusal(), "401 session_unknown");
    phone.log_out().await.ok();
    assert_eq!(phone.step_up("u", &code).await.refusal(), "401 session_ended");
    assert_eq!(app.sim.exchanges_of(&code), 0, "the code is left for a login");
    phone.send_login(&code, &request_id("login")).await.ok();
}

/// Another session of the account is none of it: neither its age nor its token changes.
#[tokio::test]
async fn one_session_steps_up() {
    let (app, phone) = logged_in().await;
    let other = app.phone("lilei");
    other.log_in().await;
    app.clock.advance(minutes(10));
    phone.hold(&phone.step_up("u", &phone.code()).await.field("token"));
    assert_eq!(phone.check("vouched=60").await.user(), "42");
    assert_eq!(other.check("-").await.user(), "42");
    assert_eq!(other.check("vouched=60").await.denied(), "401 login_required");
}

/// A session without a user steps up too, and stays without one.
#[tokio::test]
async fn a_guest_steps_up() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    app.clock.advance(minutes(10));
    let reply = phone.step_up("u", &phone.code()).await;
    assert_eq!(reply.ok().json()["bound"], false);
    phone.hold(&reply.field("token"));
    assert_eq!(phone.check("require=session&vouched=60").await.user(), "");
    assert_eq!(phone.check("-").await.denied(), "403 not_bound");
}
