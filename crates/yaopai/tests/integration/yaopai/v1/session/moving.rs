//! `POST /yaopai/v1/session` and its refresh while an app is being moved: who is on the legacy side is told so.

use serde_json::{Value, json};

use super::linking::{LINKED, shop_and};
use crate::support::{Act, OTHER_APPID, Phone, Reply, Setup, TestApp, raw, request_id, seconds};

const MOVE: &str = "/admin/v1/apps/shop/move";

async fn set(app: &TestApp, state: Value) {
    app.admin("PUT", MOVE, Some(state)).await.ok();
}

/// Back to nobody's side but the old program's.
async fn go_back(app: &TestApp) {
    set(app, json!({ "share": 100, "back": true })).await;
}

/// Somebody else is listed, and nobody moves but whoever that is.
async fn somebody_else(app: &TestApp) {
    set(app, json!({ "share": 0, "openids": ["o-somebody-else"] })).await;
}

async fn counts(app: &TestApp) -> (u64, u64) {
    let state = app.admin_get(MOVE).await;
    (state["stayed"].as_u64().unwrap(), state["returned"].as_u64().unwrap())
}

#[track_caller]
fn stays(reply: &Reply) {
    assert_eq!(reply.refusal(), "403 not_moved");
    assert_eq!(reply.header("retry-after"), Some("3600"));
}

async fn logged_in(keyed: bool) -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let phone = if keyed { phone.keyed() } else { phone };
    phone.log_in().await;
    (app, phone)
}

/// Guarantee: after `not_moved` the spent code never opens a session, and nothing is stored.
#[tokio::test]
async fn who_stays_is_told_so_and_leaves_nothing() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    somebody_else(&app).await;
    let before = app.state();
    let code = phone.code();
    stays(&phone.send_login(&code, &request_id("a")).await);
    stays(&phone.send_login(&code, &request_id("a")).await);
    assert_eq!(phone.send_login(&code, &request_id("b")).await.refusal(), "400 code_used");
    assert_eq!(app.state(), before);
    assert_eq!(app.sim.calls("jscode2session"), 1, "the code is sent once");
    assert!(
        app.back_end.calls("resolve").is_empty() && app.back_end.calls("opened").is_empty(),
        "nobody is asked who it is"
    );
    assert_eq!(counts(&app).await, (1, 0));
    // Also when the person has moved in between, also after a crash: the code is spent.
    set(&app, json!({ "share": 100 })).await;
    stays(&phone.send_login(&code, &request_id("a")).await);
    let mut app = app;
    app.crash().await;
    assert_eq!(phone.send_login(&code, &request_id("a")).await.refusal(), "400 code_used");
    assert_eq!((app.count("sessions"), app.count("identities")), (0, 0));
    phone.log_in().await;
}

/// Guarantee: while nobody moves nobody is asked about anybody, so that old phones on which a new version starts are not held up; and
/// everybody gets the same answer, with a code or with junk.
#[tokio::test]
async fn while_nobody_moves_nobody_is_asked() {
    let app = TestApp::start().await;
    let (phone, stranger) = (app.customer("lilei", "42"), app.newcomer("hanmei"));
    set(&app, json!({ "share": 0 })).await;
    let (before, code) = (app.state(), phone.code());
    let answers = [
        phone.send_login(&code, &request_id("a")).await,
        phone.send_login("junk", &request_id("b")).await,
        stranger.try_log_in().await,
    ];
    for answer in &answers {
        stays(answer);
        assert_eq!(answer.text, answers[0].text);
    }
    assert_eq!((app.state(), app.sim.calls("jscode2session")), (before, 0));
    assert!(app.back_end.calls("resolve").is_empty());
    assert_eq!(counts(&app).await, (3, 0));
    // Whoever may have moved is asked about, and the code was never spent.
    let states =
        [json!({ "share": 0.01 }), json!({ "share": 0, "openids": ["o"] }), json!({ "share": 0, "users": ["7"] })];
    for (state, id) in states.into_iter().zip(["c", "d", "e"]) {
        set(&app, state).await;
        assert_eq!(phone.send_login(id, &request_id(id)).await.refusal(), "400 code_invalid");
    }
    set(&app, json!({ "share": 0, "openids": [phone.openid()] })).await;
    phone.send_login(&code, &request_id("a")).await.ok();
    // Who is here already stays until the next refresh, as ever.
    assert_eq!(phone.check("-").await.user(), "42");
}

/// The old program binds a person just while the login is under way: after the back end was asked, and before there is an identity here.
/// So it is also for who is not linked by the unionid.
#[tokio::test]
async fn who_is_bound_as_of_old_during_the_login_is_no_guest() {
    let app = shop_and("webhook", &[("club", LINKED), ("cafe", LINKED)]).await;
    let phone_in = |name| app.phone_in(name, OTHER_APPID, "lilei");
    let (here, there, third) = (app.customer("lilei", "42"), phone_in("club"), phone_in("cafe"));
    app.back_end.knows(&there.openid(), "43");
    here.log_in().await;
    there.log_in().await;
    app.admin("PUT", "/admin/v1/apps/cafe/move", Some(json!({ "share": 100 }))).await.ok();
    // Both apps have one appid here, and so one openid.
    app.back_end.answers_resolve(&third.openid(), json!({ "user": null }));
    app.back_end.knows_next_time(&third.openid(), "42");
    let reply = third.log_in().await;
    assert_eq!((reply.field("user").as_str(), third.check("-").await.user().as_str()), ("42", "42"));
}

#[tokio::test]
async fn an_app_says_when_to_ask_again() {
    let app = TestApp::with(Setup { shop: "move_ask_again = 60", ..Setup::default() }).await;
    set(&app, json!({ "share": 0 })).await;
    let reply = app.phone("lilei").try_log_in().await;
    assert_eq!((reply.refusal().as_str(), reply.header("retry-after")), ("403 not_moved", Some("60")));
}

#[tokio::test]
async fn who_is_listed_has_moved() {
    let app = TestApp::start().await;
    let (by_openid, by_user, stranger) = (app.phone("lilei"), app.customer("xiaohong", "43"), app.newcomer("hanmei"));
    set(&app, json!({ "share": 0, "openids": [by_openid.openid()], "users": ["43"] })).await;
    by_openid.log_in().await;
    by_user.log_in().await;
    stays(&stranger.try_log_in().await);
    // Whom the back end names as one who is listed, though nothing was known of the account before.
    app.back_end.knows(&stranger.openid(), "43");
    assert_eq!(stranger.try_log_in().await.refusal(), "409 binding_conflict", "it was to open a session");
    // By the binding, which is kept: nobody is asked any more.
    app.back_end.acts("resolve", Act::Status(500));
    by_user.log_in().await;
}

/// A person's user is looked for only where users are listed; a failure then is no answer.
#[tokio::test]
async fn a_back_end_that_fails_matters_only_where_users_are_listed() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    app.back_end.acts("resolve", Act::Status(500));
    set(&app, json!({ "share": 0 })).await;
    stays(&phone.try_log_in().await);
    set(&app, json!({ "share": 0, "users": [42] })).await;
    assert_eq!(phone.try_log_in().await.refusal(), "503 backend_unavailable");
    app.back_end.recovers();
    phone.log_in().await;
}

/// Guarantee: the one switch wins over share and lists, and needs neither the platform nor the back end.
#[tokio::test]
async fn back_wins_whatever_else_fails() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    set(&app, json!({ "share": 100, "openids": [phone.openid()], "users": ["42"], "back": true })).await;
    for fault in [yaopai_sim::Fault::reset_after(), yaopai_sim::Fault::reset_before()] {
        app.sim.set_fault(fault.on(yaopai_sim::Endpoint::Jscode2session)).unwrap();
        stays(&phone.try_log_in().await);
    }
    app.back_end.acts("resolve", Act::Status(500));
    let code = phone.code();
    stays(&phone.send_login(&code, &request_id("a")).await);
    assert_eq!(app.sim.calls("jscode2session"), 0, "the platform isn't asked");
    app.sim.clear_faults();
    app.back_end.recovers();
    // Forward again: share and lists are as they were, and the code was never spent.
    set(&app, json!({ "share": 100, "openids": [phone.openid()], "users": ["42"] })).await;
    phone.send_login(&code, &request_id("a")).await.ok();
}

#[tokio::test]
async fn without_a_move_all_is_as_ever() {
    let (app, phone) = logged_in(false).await;
    assert_eq!(app.admin("GET", MOVE, None).await.refusal(), "404 not_found");
    phone.hold(&phone.refresh("r").await.field("token"));
    set(&app, json!({ "share": 0 })).await;
    app.admin("DELETE", MOVE, None).await.ok();
    phone.hold(&phone.refresh("s").await.field("token"));
    phone.log_in().await;
}

/// Guarantee: a refresh that goes back ends the session at once.
#[tokio::test]
async fn a_refresh_that_goes_back_ends_the_session() {
    for keyed in [false, true] {
        let (app, phone) = logged_in(keyed).await;
        let other = app.customer("lilei", "42");
        other.log_in().await;
        let id = phone.read().await.field("session_id");
        go_back(&app).await;
        assert_eq!(phone.check("-").await.user(), "42", "checks go on until then");
        stays(&phone.refresh("r").await);
        assert_eq!(phone.check("-").await.denied(), "401 session_expired");
        // The answer was lost: the same again, and another refresh of it, are told the same.
        stays(&phone.refresh("r").await);
        stays(&phone.refresh("s").await);
        stays(&phone.step_up("t", &phone.code()).await);
        assert_eq!(counts(&app).await, (0, 1), "it went once");
        assert_eq!(other.check("-").await.user(), "42", "another session of the same person goes when it refreshes");
        stays(&other.refresh("r").await);
        assert_eq!(counts(&app).await, (0, 2));
        set(&app, json!({ "share": 100 })).await;
        assert_eq!(phone.refresh("r").await.refusal(), "401 session_expired", "it stays ended");
        go_back(&app).await;
        stays(&phone.try_log_in().await);
        // The audit log says why, in the same transaction.
        let page = app.admin_get("/admin/v1/audit?limit=200").await;
        let of_it = |kind: &str, code: &str| {
            let is = |e: &&Value| e["kind"] == kind && e["code"] == code && e["session_id"] == id.as_str();
            page["events"].as_array().unwrap().iter().filter(is).count()
        };
        assert_eq!((of_it("went_back", "back"), of_it("session_ended", "moved")), (1, 1), "{page}");
    }
}

#[tokio::test]
async fn a_step_up_that_goes_back_ends_the_session_and_spends_no_code() {
    for keyed in [false, true] {
        let (app, phone) = logged_in(keyed).await;
        set(&app, json!({ "share": 0 })).await;
        let before = app.sim.calls("jscode2session");
        stays(&phone.step_up("s", &phone.code()).await);
        assert_eq!(phone.check("-").await.denied(), "401 session_expired");
        assert_eq!(app.sim.calls("jscode2session"), before);
    }
}

/// One that was answered before is answered otherwise once its person has gone back.
#[tokio::test]
async fn an_answer_that_was_kept_is_not_handed_out_after_going_back() {
    let (app, phone) = logged_in(false).await;
    let code = phone.code();
    let next = phone.step_up("s", &code).await.field("token");
    go_back(&app).await;
    stays(&phone.step_up("s", &code).await);
    assert_eq!(phone.check_as(&next, "-").await.denied(), "401 session_expired");
    set(&app, json!({ "share": 100 })).await;
    phone.log_in().await;
    let lost = phone.refresh("r").await.field("token");
    go_back(&app).await;
    stays(&phone.refresh("r").await);
    assert_eq!(phone.check_as(&lost, "-").await.denied(), "401 session_expired");
}

/// Guarantee: "back, at once" is no logout by somebody else. Who was away meanwhile, and comes when the switch is off again, is logged in
/// anew without a word.
#[tokio::test]
async fn who_was_ended_by_going_back_at_once_is_told_nothing() {
    const KICK: &str = "/admin/v1/sessions?app=shop";
    let (app, phone) = logged_in(false).await;
    go_back(&app).await;
    assert_eq!(app.admin("DELETE", KICK, None).await.ok().json()["ended"], 1);
    assert_eq!(phone.check("-").await.denied(), "401 session_expired");
    stays(&phone.refresh("r").await);
    set(&app, json!({ "share": 100 })).await;
    assert_eq!(phone.refresh("r").await.refusal(), "401 session_expired");
    // One that is kicked in a move, or of a user, was kicked.
    for (state, kick) in
        [(false, KICK), (true, "/admin/v1/sessions?app=shop&user=42"), (true, "/admin/v1/users/42/sessions")]
    {
        phone.log_in().await;
        set(&app, json!({ "share": 100, "back": state })).await;
        app.admin("DELETE", kick, None).await.ok();
        assert_eq!(phone.check("-").await.denied(), "401 session_kicked", "{kick}");
        set(&app, json!({ "share": 100 })).await;
    }
}

/// Who can't refresh ends nobody's session either.
#[tokio::test]
async fn only_who_may_refresh_goes_back() {
    let (app, phone) = logged_in(true).await;
    go_back(&app).await;
    let key = phone.key();
    phone.hold_key(None);
    assert_eq!(phone.refresh("r").await.refusal(), "401 proof_required");
    assert_eq!(phone.step_up("s", &phone.code()).await.refusal(), "401 proof_required");
    phone.hold_key(key);
    let forged = raw::forged_token(&phone.token());
    assert_eq!(phone.refresh_as(&forged, "r").await.refusal(), "401 session_unknown");
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(counts(&app).await, (0, 0));
}

/// A copied token shows as one, also while going back.
#[tokio::test]
async fn theft_is_told_before_the_side() {
    let (app, phone) = logged_in(false).await;
    let old = phone.token();
    phone.hold(&phone.refresh("r").await.field("token"));
    phone.check("-").await.user();
    app.clock.advance(seconds(40));
    go_back(&app).await;
    assert_eq!(phone.refresh_as(&old, "thief").await.refusal(), "401 session_reused");
}

/// Guarantee: who went back and forth is where the last word says, also after a crash.
#[tokio::test]
async fn the_state_outlives_a_crash() {
    let (mut app, phone) = logged_in(false).await;
    go_back(&app).await;
    app.crash().await;
    assert_eq!(app.admin_get(MOVE).await["back"], true);
    stays(&phone.refresh("r").await);
    set(&app, json!({ "share": 100 })).await;
    app.crash().await;
    phone.log_in().await;
}

/// The log knows people by our own ids: nobody's openid stands in the audit log's rows of a login that stays.
#[tokio::test]
async fn a_login_that_stays_has_its_row() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    set(&app, json!({ "share": 0 })).await;
    stays(&phone.try_log_in().await);
    let page = app.admin_get("/admin/v1/audit?limit=200").await;
    let stayed = page["events"].as_array().unwrap().iter().find(|e| e["kind"] == "login").unwrap();
    assert_eq!(
        (&stayed["result"], &stayed["code"], &stayed["app"]),
        (&json!("refused"), &json!("not_moved"), &json!("shop"))
    );
    assert!(!page.to_string().contains(&phone.openid()));
}
