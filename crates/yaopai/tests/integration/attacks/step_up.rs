//! A refresh with a code renews the platform's word. Nobody but the account's own phone may bring that about.

use serde_json::json;

use crate::support::{Phone, TestApp, minutes, request_id, seconds};

/// A victim who is logged in, and a thief with a phone and an account of their own.
async fn scene() -> (TestApp, Phone, Phone) {
    let app = TestApp::start().await;
    let victim = app.customer("lilei", "42");
    victim.log_in().await;
    let thief = app.customer("xiaoming", "666");
    thief.log_in().await;
    app.clock.advance(minutes(10));
    (app, victim, thief)
}

/// The thief has copied the token and wants past a route that demands a fresh word of WeChat's.
#[tokio::test]
async fn a_stolen_token_with_the_thief_s_own_code() {
    let (app, victim, thief) = scene().await;
    let (stolen, before) = (victim.token(), app.state());
    for n in 0..5 {
        let reply = thief.step_up_as(&stolen, &format!("u{n}"), &thief.code()).await;
        assert_eq!(reply.refusal(), "409 identity_mismatch");
        assert!(!reply.text.contains(&victim.openid()) && !reply.text.contains("42"), "{}", reply.text);
    }
    assert_eq!(thief.check_as(&stolen, "vouched=300").await.denied(), "401 login_required");
    assert_eq!(app.state(), before, "neither session has changed, nor whose they are");
    assert_eq!(victim.check("-").await.user(), "42");
    // The owner's own step-up throws the thief out at once.
    victim.hold(&victim.step_up("mine", &victim.code()).await.field("token"));
    assert_eq!(thief.check_as(&stolen, "-").await.denied(), "401 session_superseded");
    assert_eq!(victim.check("vouched=300").await.user(), "42");
}

/// The thief would have the account forgotten: with `auto` its user would be gone for good.
#[tokio::test]
async fn a_stolen_token_unbinds_nobody() {
    let (app, victim, thief) = scene().await;
    let (stolen, before) = (victim.token(), app.state());
    assert_eq!(thief.call_as(&stolen, "DELETE", "/binding", None).await.refusal(), "401 login_required");
    assert_eq!(app.state(), before);
    assert_eq!(victim.check("-").await.user(), "42");
    // The owner's phone steps up, and then may.
    victim.hold(&victim.step_up("mine", &victim.code()).await.field("token"));
    assert_eq!(thief.call_as(&stolen, "DELETE", "/binding", None).await.refusal(), "401 session_superseded");
    assert_eq!(victim.call("DELETE", "/binding", None).await.status, 204);
}

/// The thief has copied the token of the first request after the login, and would have the account for themselves.
#[tokio::test]
async fn a_token_copied_right_after_the_login_takes_the_account_nowhere() {
    let (app, victim, thief) = scene().await;
    app.back_end.has_account("thief", "secret", "666");
    victim.log_in().await;
    let (stolen, before) = (victim.token(), app.state());
    let take = crate::support::form("take", "thief", "secret");
    assert_eq!(thief.call_as(&stolen, "POST", "/binding", Some(take)).await.refusal(), "401 login_required");
    assert_eq!(thief.call_as(&stolen, "DELETE", "/binding", None).await.refusal(), "401 login_required");
    assert_eq!(app.state(), before);
    assert_eq!(victim.check("-").await.user(), "42");
}

/// The thief has read a code of the victim's (from a log, say) and shows it with their own token: it must not move the
/// thief's session to the victim's account, nor the other way round.
#[tokio::test]
async fn another_account_s_code_with_one_s_own_token() {
    let (app, victim, thief) = scene().await;
    let before = app.state();
    let code = victim.code();
    assert_eq!(thief.step_up("u", &code).await.refusal(), "409 identity_mismatch");
    assert_eq!(app.state(), before);
    assert_eq!(thief.check("-").await.user(), "666");
    // The code is spent; the victim takes a new one.
    assert_eq!(victim.step_up("u", &code).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    victim.step_up("u2", &victim.code()).await.ok();
}

/// Code and request id were read on the way, but the token was not: neither makes one.
#[tokio::test]
async fn a_step_up_that_was_read_is_worth_nothing_without_its_token() {
    let (app, victim, thief) = scene().await;
    let code = victim.code();
    let new = victim.step_up("u", &code).await.field("token");
    let body = json!({ "request_id": request_id("u"), "code": code });
    assert_eq!(thief.call("POST", "/session/refresh", Some(body)).await.refusal(), "400 code_used");
    assert_eq!(thief.send_login(&code, &request_id("u")).await.refusal(), "400 code_used");
    // A second session of the victim's own is not this one either.
    let second = app.phone("lilei");
    second.log_in().await;
    assert_eq!(second.step_up("u", &code).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(victim.check_as(&new, "-").await.user(), "42");
}

/// A restart forgets which codes were used here. WeChat doesn't, and the database knows what was done.
#[tokio::test]
async fn a_used_code_after_a_restart() {
    let (mut app, victim, thief) = scene().await;
    let (old, code) = (victim.token(), victim.code());
    let new = victim.step_up("u", &code).await.field("token");
    victim.hold(&new);
    app.restart_after(seconds(1)).await;
    let before = app.state();
    assert_eq!(thief.step_up("u", &code).await.refusal(), "400 code_used");
    assert_eq!(thief.send_login(&code, &request_id("u")).await.refusal(), "400 code_used");
    assert_eq!(victim.step_up("v", &code).await.refusal(), "400 code_used");
    assert_eq!(thief.step_up_as(&old, "v", &code).await.refusal(), "401 session_superseded");
    assert_eq!(app.state(), before);
    // The very same request still gets its one answer, without asking WeChat.
    let exchanges = app.sim.exchanges_of(&code);
    assert_eq!(victim.step_up_as(&old, "u", &code).await.field("token"), new);
    assert_eq!(app.sim.exchanges_of(&code), exchanges);
    assert_eq!(app.state(), before);
}

/// The thief refreshed first and holds the newer token. The owner, who holds a retired one, is not let past by a code: that
/// would hide the theft. A plain refresh tells.
#[tokio::test]
async fn a_theft_is_not_hidden_by_a_step_up() {
    let (app, victim, thief) = scene().await;
    let taken = thief.refresh_as(&victim.token(), "thief").await.field("token");
    thief.check_as(&taken, "-").await.user();
    let code = victim.code();
    assert_eq!(victim.step_up("u", &code).await.refusal(), "401 session_superseded");
    assert_eq!(app.sim.exchanges_of(&code), 0);
    app.clock.advance(seconds(31));
    assert_eq!(victim.step_up("u", &code).await.refusal(), "401 session_superseded");
    assert_eq!(victim.refresh("mine").await.refusal(), "401 session_reused");
    assert_eq!(thief.check_as(&taken, "-").await.denied(), "401 session_reused");
}
