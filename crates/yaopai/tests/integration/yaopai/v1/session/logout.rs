//! `DELETE /yaopai/v1/session`

use crate::support::{TestApp, seconds};

#[tokio::test]
async fn logging_out_ends_the_session_at_once() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let reply = phone.log_out().await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""));
    assert_eq!(phone.read().await.refusal(), "401 session_ended");
    assert_eq!(phone.check("-").await.denied(), "401 session_ended");
    assert_eq!(phone.check("require=open").await.denied(), "401 session_ended", "shown and invalid is not a guest");
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_ended");
    assert_eq!(phone.log_out().await.status, 204, "also when it had ended already");
}

#[tokio::test]
async fn other_sessions_of_the_user_stay() {
    let app = TestApp::start().await;
    let (phone, pad) = (app.customer("lilei", "42"), app.phone("lilei"));
    phone.log_in().await;
    pad.log_in().await;
    phone.log_out().await.ok();
    assert_eq!(pad.check("-").await.user(), "42");
}

/// Whoever holds only an old token must not end the session of whoever holds the new one.
#[tokio::test]
async fn a_retired_token_logs_nobody_out() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let old = phone.token();
    phone.hold(&phone.refresh("r").await.field("token"));
    phone.read().await.ok();
    app.clock.advance(seconds(31));
    assert_eq!(phone.call_as(&old, "DELETE", "/session", None).await.refusal(), "401 session_superseded");
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_token_that_was_never_issued_logs_nobody_out() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let forged = crate::support::raw::forged_token(&phone.token());
    assert_eq!(phone.call_as(&forged, "DELETE", "/session", None).await.refusal(), "401 session_unknown");
    assert_eq!(phone.check("-").await.user(), "42");
}

/// A refresh that was sent before the log-out and arrives after it brings nothing back.
#[tokio::test]
async fn a_slow_refresh_resurrects_nothing() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let successor = phone.refresh("r").await.field("token");
    phone.log_out().await.ok();
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_ended");
    assert_eq!(phone.check_as(&successor, "-").await.denied(), "401 session_ended");
    assert_eq!(phone.refresh_as(&successor, "r2").await.refusal(), "401 session_ended");
}
