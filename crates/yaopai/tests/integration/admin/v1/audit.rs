//! `GET /admin/v1/audit`: who did what, as the back end reads it.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{OTHER_APPID, TestApp, minutes, seconds};
use crate::yaopai::v1::sessions::two_realms;

async fn events(app: &TestApp) -> Vec<Value> {
    let page = app.admin_get("/admin/v1/audit?limit=200").await;
    assert_eq!(page["next"], Value::Null);
    page["events"].as_array().unwrap().clone()
}

/// `kind result code | by whom from where | about whom`, a line each: changes in the order of their commits, and then what
/// belongs to no change, which is written a little later than it happens.
async fn story(app: &TestApp) -> String {
    let events = events(app).await;
    let noted = |e: &&Value| e["result"] == "refused" || e["kind"] == "admin_read";
    let (noted, changes): (Vec<&Value>, Vec<&Value>) = events.iter().partition(noted);
    let mut lines = String::new();
    for e in changes.into_iter().chain(noted) {
        let field = |name: &str| e[name].as_str().unwrap_or("-").to_owned();
        let by = if e["key"].is_null() { field("by") } else { field("key") };
        lines += &format!(
            "{} {} {} | {by} from {} | user {} device {} | {}\n",
            field("kind"),
            field("result"),
            field("code"),
            field("from"),
            field("user"),
            field("device"),
            if e["session_id"].is_null() { "-" } else { "session" },
        );
    }
    lines
}

#[tokio::test]
async fn what_people_and_back_ends_do() {
    let app = TestApp::start().await;
    let (phone, other) = (app.customer("lilei", "42"), app.customer("lilei", "42"));
    app.back_end.has_account("xiaohong", "secret", "43");
    phone.log_in_with(json!({ "device": { "name": "李雷的手机" } })).await;
    other.log_in().await;
    let id = phone.read().await.field("session_id");
    other.call("DELETE", &format!("/sessions/{id}"), None).await.ok();
    other.steps_up().await;
    // A stranger who binds, after a wrong try from elsewhere.
    let stranger = app.phone("xiaohong");
    stranger.log_in().await;
    assert_eq!(stranger.bind_from("203.0.113.7", "w", "xiaohong", "wrong").await.refusal(), "422 binding_rejected");
    stranger.hold(&stranger.bind_from("203.0.113.8", "b", "xiaohong", "secret").await.field("token"));
    // A token that was copied.
    let old = stranger.token();
    stranger.hold(&stranger.refresh("r").await.field("token"));
    stranger.check("-").await.user();
    app.clock.advance(minutes(1));
    assert_eq!(stranger.refresh_as(&old, "thief").await.refusal(), "401 session_reused");
    // The back end, by its key.
    app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "role": "boss" }))).await.ok();
    app.admin_get("/admin/v1/sessions?user=42").await;
    app.bind_code("42").await;
    app.admin("DELETE", "/admin/v1/sessions?app=shop", None).await.ok();
    app.admin("PUT", "/admin/v1/users/42/disabled", None).await.ok();
    assert_eq!(phone.try_log_in().await.refusal(), "403 user_disabled");
    app.admin("DELETE", "/admin/v1/users/42/disabled", None).await.ok();
    assert_eq!(app.admin("GET", "/admin/v1/apps/shop/access-token", None).await.refusal(), "403 scope_missing");
    assert_snapshot!(story(&app).await, @r"
    login done bound | client from 127.0.0.1 | user 42 device 李雷的手机 | session
    login done known | client from 127.0.0.1 | user 42 device - | session
    session_ended done kicked | client from 127.0.0.1 | user 42 device - | session
    step_up done - | client from 127.0.0.1 | user 42 device - | session
    login done unbound | client from 127.0.0.1 | user - device - | session
    bind done form | client from 203.0.113.8 | user 43 device - | session
    session_ended done reused | client from 127.0.0.1 | user 43 device - | session
    claims done set | the shop's back end from 127.0.0.1 | user 42 device - | -
    bind_code done made | the shop's back end from 127.0.0.1 | user 42 device - | -
    session_ended done kicked | the shop's back end from 127.0.0.1 | user 42 device - | session
    user_disabled done - | the shop's back end from 127.0.0.1 | user 42 device - | -
    user_enabled done - | the shop's back end from 127.0.0.1 | user 42 device - | -
    bind refused binding_rejected | client from 203.0.113.7 | user - device - | session
    admin_read done sessions | the shop's back end from 127.0.0.1 | user - device - | -
    login refused user_disabled | client from 127.0.0.1 | user - device - | -
    api_key refused scope_missing | the shop's back end from 127.0.0.1 | user - device - | -
    ");
}

#[tokio::test]
async fn who_ended_whose_session() {
    let app = TestApp::start().await;
    let (phone, other) = (app.customer("lilei", "42"), app.customer("lilei", "42"));
    phone.log_in().await;
    other.log_in().await;
    let (victim, by) = (phone.read().await.field("session_id"), other.read().await.field("session_id"));
    other.call("DELETE", &format!("/sessions/{victim}"), None).await.ok();
    other.log_out().await;
    let events = events(&app).await;
    let (kick, logout) = (&events[2], &events[3]);
    assert_eq!(
        (&kick["session_id"], &kick["by_session_id"], &kick["code"]),
        (&json!(victim), &json!(by), &json!("kicked"))
    );
    assert_eq!(
        (&logout["session_id"], &logout["by_session_id"], &logout["code"]),
        (&json!(by), &Value::Null, &json!("logout"))
    );
}

#[tokio::test]
async fn page_by_page() {
    let app = TestApp::start().await;
    for n in 0..5 {
        app.customer("lilei", "42").log_in().await;
        app.clock.advance(seconds(n));
    }
    let all = events(&app).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = app.admin_get(&format!("/admin/v1/audit?limit=2&after={after}")).await;
        seen.extend(page["events"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    assert_eq!(seen, all);
    assert_eq!(all.iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    // Whoever follows it doesn't find himself in it.
    let head = app.admin_get("/admin/v1/audit/head").await;
    assert_eq!(head["seq"], 5);
    assert_eq!(head["mac"].as_str().unwrap().len(), 64);
    for query in ["limit=0", "limit=201", "after=x", "after=-1", "user=42", "limit=1&limit=2"] {
        let refusal = app.admin("GET", &format!("/admin/v1/audit?{query}"), None).await.refusal();
        assert_eq!(refusal, "400 field_invalid", "{query}");
    }
}

#[tokio::test]
async fn a_realm_sees_its_own() {
    let app = two_realms().await;
    app.customer("lilei", "42").log_in().await;
    app.phone_in("club", OTHER_APPID, "lilei").log_in().await;
    let of = async |key| app.admin_as(key, "GET", "/admin/v1/audit", None).await.ok().json()["events"].clone();
    let apps = |events: Value| events.as_array().unwrap().iter().map(|e| e["app"].clone()).collect::<Vec<_>>();
    assert_eq!(apps(of("key-of-default").await), ["shop"]);
    assert_eq!(apps(of("key-of-other").await), ["club"]);
    assert_eq!(app.admin_as("wrong", "GET", "/admin/v1/audit", None).await.refusal(), "401 api_key_invalid");
}

/// By a check, which waits for nothing, and by the API: whose session it was stands there all the same.
#[tokio::test]
async fn refused_proofs() {
    let app = TestApp::with(crate::support::Setup { shop: "keyed = \"required\"", ..Default::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let id = phone.read().await.field("session_id");
    phone.hold_key(None);
    assert_eq!(phone.check("-").await.denied(), "401 proof_required");
    assert_eq!(phone.read().await.refusal(), "401 proof_required");
    let refused: Vec<Value> = events(&app).await.into_iter().filter(|e| e["kind"] == "proof").collect();
    assert_eq!(refused.len(), 2);
    for e in &refused {
        let told = (&e["code"], &e["session_id"], &e["app"], &e["user"]);
        assert_eq!(told, (&json!("proof_required"), &json!(id), &json!("shop"), &json!("42")));
    }
}

/// What somebody who reads, or the server by itself, has taken to be written is there for whoever reads beside.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_finds_what_was_told_before() {
    let app = TestApp::with(crate::support::Setup { shop: "keyed = \"required\"", ..Default::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    phone.hold_key(None);
    for told in 1..=8 {
        assert_eq!(phone.check("-").await.denied(), "401 proof_required");
        let (one, other, third) = tokio::join!(events(&app), events(&app), events(&app));
        for found in [one, other, third] {
            assert_eq!(found.iter().filter(|e| e["kind"] == "proof").count(), told);
        }
    }
}

/// A key that is guessed at, and a client that keeps sending what is refused: few rows, all counted, and nobody waits.
#[tokio::test]
async fn a_flood_of_refusals_is_a_few_rows() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    for n in 0..300 {
        assert_eq!(app.admin_as(&format!("key-{n}"), "GET", "/admin/v1/sessions", None).await.status, 401);
        if n % 10 == 0 {
            let bad =
                phone.send_login(&format!("no-such-code-{n}"), &crate::support::request_id(&format!("b{n}"))).await;
            assert!(bad.status.is_client_error(), "{}", bad.text);
        }
    }
    phone.log_in().await;
    // The ten seconds in which it was are over.
    app.clock.advance(seconds(11));
    app.admin_get("/admin/v1/audit/head").await;
    let db = app.database();
    let rows: i64 = db.query_row("SELECT count(*) FROM audit", [], |r| r.get(0)).unwrap();
    assert_eq!(rows, 10 + 1 + 10 + 1 + 1, "ten of each kind, a number for the rest, and the login");
    let suppressed = events(&app).await.into_iter().find(|e| e["result"] == "suppressed").unwrap();
    assert_eq!((&suppressed["kind"], &suppressed["count"]), (&json!("login"), &json!(20)));
}
