//! `/yaopai/v1/binding` of a bound session: the person switches accounts.

use serde_json::json;

use crate::support::{Phone, TestApp, seconds};

/// A user, 42, with a second account, 43, over there.
async fn switcher() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    app.back_end.has_account("work", "secret", "43");
    app.back_end.answers_bind("work", "secret", json!({ "user": "43", "claims": { "role": "clerk" } }));
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    phone.check("-").await.user();
    (app, phone)
}

#[tokio::test]
async fn a_step_up_switches_accounts() {
    let (app, phone) = switcher().await;
    app.back_end.sets_cookies(&["JSESSIONID=of-43"]);
    let pad = app.phone("lilei");
    pad.log_in().await;
    app.clock.advance(seconds(300));
    // Only this one has been vouched for lately.
    assert_eq!(phone.log_in().await.json()["user"], "42");
    assert_eq!(phone.bind("a", "work", "secret").await.refusal(), "401 login_required", "a login is no step-up");
    phone.steps_up().await;
    let old = phone.token();
    assert_eq!(app.count("jar"), 2, "this one's and the pad's");
    app.back_end.sets_cookies(&["OTHER=of-43"]);
    let reply = phone.bind("b", "work", "secret").await;
    assert_eq!((reply.field("user").as_str(), &reply.json()["claims"]), ("43", &json!({ "role": "clerk" })));
    phone.hold(&reply.field("token"));
    assert_eq!(phone.check("-").await.user(), "43");
    // The old user's other sessions are over; this one's old token is nobody's.
    assert_eq!(phone.check_as(&pad.token(), "-").await.denied(), "401 session_revoked");
    assert_eq!(phone.check_as(&old, "-").await.denied(), "403 not_bound");
    assert_eq!(
        app.count("jar"),
        1,
        "what `opened` set for 43; those of 42 are gone with their sessions and the change"
    );
    let opened = app.back_end.calls("opened");
    assert_eq!(opened.last().unwrap().data["user"], "43");
    let bindings = app.admin_get("/admin/v1/bindings").await;
    assert_eq!(bindings["bindings"].as_array().unwrap().len(), 1);
    assert_eq!(bindings["bindings"][0]["user"], "43");
    assert_eq!(phone.log_in().await.json()["user"], "43", "the identity is the new user's from now on");
}

#[tokio::test]
async fn without_a_step_up_it_stays() {
    let (app, phone) = switcher().await;
    phone.steps_up().await;
    app.clock.advance(seconds(301));
    let before = app.state();
    let reply = phone.bind("b", "work", "secret").await;
    assert_eq!(reply.refusal(), "401 login_required");
    assert_eq!(app.state(), before);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Somebody else has that account already.
#[tokio::test]
async fn another_s_account_is_not_taken_over() {
    let (app, phone) = switcher().await;
    app.customer("xiaohong", "43").log_in().await;
    phone.steps_up().await;
    let before = app.state();
    assert_eq!(phone.bind("b", "work", "secret").await.refusal(), "409 binding_conflict");
    assert_eq!(app.state(), before);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// The answer of the step-up before it is sent again: what it hands out acts as nobody, and it says nothing of the new user.
#[tokio::test]
async fn a_repeated_step_up_tells_nothing_of_the_new_user() {
    let (app, phone) = switcher().await;
    app.clock.advance(seconds(301));
    let (old, code) = (phone.token(), phone.code());
    phone.hold(&phone.step_up("u", &code).await.field("token"));
    phone.hold(&phone.bind("b", "work", "secret").await.field("token"));
    let again = phone.step_up_as(&old, "u", &code).await.json();
    assert_eq!((&again["bound"], &again["user"], &again["claims"]), (&json!(false), &json!(null), &json!(null)));
    assert_eq!(phone.check("-").await.user(), "43");
}
