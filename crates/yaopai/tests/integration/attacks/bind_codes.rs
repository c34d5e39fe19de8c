//! QR codes with bind codes: somebody slips one to another person, or reads one over a shoulder.

use serde_json::json;

use crate::support::TestApp;

/// The attacker has a code made for an account of their own and gets the victim to scan it, so that the victim's orders and
/// addresses end up there.
#[tokio::test]
async fn the_attacker_s_code_on_the_victim_s_phone() {
    let app = TestApp::start().await;
    let (victim, attacker) = (app.phone("lilei"), app.phone("xiaohong"));
    victim.log_in().await;
    attacker.log_in().await;
    let code = app.bind_code("mallory").await;
    // A page that redeems without asking the person gets nothing.
    assert_eq!(victim.redeem("b", &code).await.refusal(), "400 bind_code_invalid");
    // Nor does it help that the attacker has seen it before.
    attacker.preview(&code).await.ok();
    assert_eq!(victim.redeem("b", &code).await.refusal(), "400 bind_code_invalid");
    assert_eq!(app.back_end.calls("bind").len(), 0);
    // Not previewed elsewhere, the person sees whose account it is, and declines.
    let code = app.bind_code("mallory").await;
    assert_eq!(victim.preview(&code).await.json()["masked"], "mallory***");
    assert_eq!(victim.read().await.json()["bound"], false);
}

/// The attacker photographs the code on the victim's screen.
#[tokio::test]
async fn the_victim_s_code_on_the_attacker_s_phone() {
    let app = TestApp::start().await;
    let (victim, attacker) = (app.phone("lilei"), app.phone("xiaohong"));
    victim.log_in().await;
    attacker.log_in().await;
    let code = app.bind_code("42").await;
    victim.preview(&code).await.ok();
    assert_eq!(attacker.preview(&code).await.refusal(), "400 bind_code_invalid");
    assert_eq!(attacker.redeem("b", &code).await.refusal(), "400 bind_code_invalid");
    victim.hold(&victim.redeem("b", &code).await.field("token"));
    assert_eq!(victim.check("-").await.user(), "42");
    // Later the code is worth nothing, and a user who has an identity gets no second one by it.
    assert_eq!(attacker.redeem("b2", &code).await.refusal(), "400 bind_code_invalid");
    let another = app.bind_code("42").await;
    attacker.preview(&another).await.ok();
    assert_eq!(attacker.redeem("b3", &another).await.refusal(), "409 binding_conflict");
    assert_eq!(attacker.read().await.json()["bound"], false);
}

/// Whoever has copied the victim's unbound token redeems nothing that the victim's own session has not shown; and what the
/// victim redeems raises no copy.
#[tokio::test]
async fn a_copied_token_gains_nothing_by_a_code() {
    let app = TestApp::start().await;
    let victim = app.phone("lilei");
    victim.log_in().await;
    let copy = victim.token();
    let code = app.bind_code("42").await;
    victim.preview(&code).await.ok();
    let new = victim.redeem("b", &code).await.field("token");
    victim.hold(&new);
    assert_eq!(victim.check("-").await.user(), "42");
    assert_eq!(victim.check_as(&copy, "-").await.denied(), "403 not_bound");
}

/// The client can't name the user: only the back end can.
#[tokio::test]
async fn a_user_that_the_client_names_is_ignored() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let code = app.bind_code("42").await;
    phone.preview(&code).await.ok();
    let body = json!({
        "way": "bind_code", "request_id": crate::support::request_id("b"), "bind_code": code,
        "user": "1", "masked": "1***", "openid": "o", "app": "club", "realm": "other",
    });
    assert_eq!(phone.call("POST", "/binding", Some(body)).await.field("user"), "42");
}
