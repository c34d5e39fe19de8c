//! What outlives the server.

use crate::support::{TestApp, hours, minutes, request_id, seconds};

#[tokio::test]
async fn sessions_outlive_a_restart() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let before = phone.check("-").await.principal();
    let kicked = app.phone("lilei");
    kicked.log_in().await;
    kicked.log_out().await.ok();
    app.restart_after(seconds(3)).await;
    assert_eq!(phone.check("-").await.principal(), before);
    assert_eq!(kicked.check("-").await.denied(), "401 session_ended", "and what ended stays ended");
}

/// Nobody could use their session while the server was down.
#[tokio::test]
async fn time_in_which_the_server_was_down_is_not_idle_time() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.clock.advance(minutes(20));
    app.restart_after(hours(5)).await;
    app.clock.advance(minutes(9));
    assert_eq!(phone.read_in_background().await.json()["bound"], true, "29 minutes of idle time");
    app.restart_after(hours(5)).await;
    app.clock.advance(minutes(1));
    assert_eq!(phone.check("-").await.denied(), "401 session_expired", "30 minutes of it");
}

#[tokio::test]
async fn the_absolute_end_counts_all_time() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.restart_after(hours(7 * 24)).await;
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
}

#[tokio::test]
async fn the_same_login_is_answered_by_the_next_process() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    let token = phone.send_login(&code, &id).await.field("token");
    app.restart_after(seconds(50)).await;
    assert_eq!(phone.send_login(&code, &id).await.field("token"), token);
    assert_eq!((app.sim.exchanges_of(&code), app.count("sessions")), (1, 1));
    app.restart_after(seconds(10)).await;
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_refresh_is_recovered_by_the_next_process() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let lost = phone.refresh("r").await.field("token");
    app.restart_after(seconds(10)).await;
    assert_eq!(phone.refresh("r").await.field("token"), lost);
    assert_eq!(phone.check_as(&lost, "-").await.user(), "42");
    app.restart_after(seconds(31)).await;
    assert_eq!(phone.check("-").await.denied(), "401 session_superseded");
    assert_eq!(phone.check_as(&lost, "-").await.user(), "42");
}

/// What was used in the last seconds is flushed by a stop in order.
#[tokio::test]
async fn sliding_outlives_a_restart() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.clock.advance(minutes(29));
    phone.read().await.ok();
    app.restart_after(seconds(1)).await;
    app.clock.advance(minutes(29));
    assert_eq!(phone.check("-").await.user(), "42");
}

/// The user 42 of one realm is not the user 42 of another.
#[tokio::test]
async fn an_app_that_moves_to_another_realm_takes_no_session_along() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.restart_with(|config| config.replace("name = \"shop\"\n", "name = \"shop\"\nrealm = \"other\"\n")).await;
    for ask in ["-", "require=open", "realm=other", "realm=default", "realm=other&require=session"] {
        assert_eq!(phone.check(ask).await.denied(), "401 session_unknown", "{ask}");
    }
    assert_eq!(phone.read().await.refusal(), "401 session_unknown");
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_unknown");
    assert_eq!(phone.try_log_in().await.refusal(), "500 internal", "nor its identities: it needs a new name");
}

#[tokio::test]
async fn an_app_that_is_gone_has_no_sessions() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    app.restart_with(|config| config.replace("name = \"shop\"\n", "name = \"store\"\n")).await;
    assert_eq!(phone.check("-").await.denied(), "401 session_unknown");
    assert_eq!(phone.check("require=open").await.denied(), "401 session_unknown");
    assert_eq!(phone.read().await.refusal(), "401 session_unknown");
    assert_eq!(phone.try_log_in().await.refusal(), "400 app_unknown");
    app.upkeep().await;
    app.restart_with(|config| config.replace("name = \"store\"\n", "name = \"shop\"\n")).await;
    assert_eq!(phone.check("-").await.user(), "42", "it was only a mistake in the configuration");
}
