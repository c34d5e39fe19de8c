//! `/admin/v1/identities`, and bindings that move and merge.

use serde_json::{Value, json};

use super::operations::Place;
use crate::support::{OTHER_APPID, Phone, Reply, Setup, TestApp, seconds};
use crate::yaopai::v1::session::linking::shop_and;

const SAME: &str = "open_platform = \"acme\"";

async fn identity(app: &TestApp, phone: &Phone) -> Value {
    let found = app.admin_get(&format!("/admin/v1/identities?openid={}", phone.openid())).await;
    found["identities"][0].clone()
}

async fn moves(app: &TestApp, id: &str, body: Value) -> Reply {
    app.admin("POST", &format!("/admin/v1/bindings/{id}/move"), Some(body)).await
}

#[tokio::test]
async fn one_is_found_by_what_it_has() {
    let app = shop_and("webhook", &[("club", SAME)]).await;
    let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
    here.log_in().await;
    there.log_in().await;
    let mine = identity(&app, &here).await;
    let unionid = mine["unionid"].as_str().unwrap();
    assert_eq!((&mine["user"], &mine["app"]), (&json!("42"), &json!("shop")));
    assert_eq!(mine["vouched_at"], "2026-01-01T00:00:00.000Z");
    let count = async |query: String| {
        app.admin_get(&format!("/admin/v1/identities?{query}")).await["identities"].as_array().unwrap().len()
    };
    assert_eq!(count(format!("unionid={unionid}")).await, 2);
    assert_eq!(count(format!("unionid={unionid}&app=club")).await, 1);
    assert_eq!(count("user=42".into()).await, 1);
    assert_eq!(count("user=43".into()).await, 0);
    let path = format!("/admin/v1/identities/{}", mine["identity_id"].as_str().unwrap());
    assert_eq!(app.admin_get(&path).await, mine);
    // The platform vouches again.
    app.clock.advance(seconds(5));
    here.steps_up().await;
    assert_eq!(app.admin_get(&path).await["vouched_at"], "2026-01-01T00:00:05.000Z");
    let user = app.admin_get("/admin/v1/users/42").await;
    assert_eq!((&user["user"]["sessions"], &user["identities"][0]["openid"]), (&json!(1), &mine["openid"]));
    assert_eq!(app.admin("GET", "/admin/v1/users/nobody", None).await.refusal(), "404 not_found");
}

/// The account goes to another user in one step: nobody who holds a token of the old one acts as the new one.
#[tokio::test]
async fn a_moved_account_ends_its_sessions() {
    let app = TestApp::with(Setup { binding: "api", ..Setup::default() }).await;
    let (phone, pad) = (app.phone("lilei"), app.phone("lilei"));
    phone.log_in().await;
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    let id = app.admin("POST", "/admin/v1/bindings", Some(body)).await.field("identity_id");
    pad.log_in().await;
    assert_eq!(pad.check("-").await.user(), "42");
    let moved = moves(&app, &id, json!({ "from": "42", "user": 43, "claims": { "vip": true } })).await.ok().json();
    assert_eq!((&moved["user"], &moved["identity_id"]), (&json!("43"), &json!(id)));
    for old in [&phone, &pad] {
        assert_eq!(old.check("require=open").await.denied(), "401 session_revoked");
    }
    phone.log_in().await;
    assert_eq!(phone.check("-").await.user(), "43");
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(r#"{"vip":true}"#));
    let events = app.admin_get("/admin/v1/audit?limit=200").await;
    let kinds: Vec<String> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["code"] == "move")
        .map(|e| format!("{} {}", e["kind"].as_str().unwrap(), e["user"].as_str().unwrap()))
        .collect();
    assert_eq!(kinds, ["unbind 42", "bind 43"]);
}

#[tokio::test]
async fn a_move_that_is_no_longer_right_changes_nothing() {
    let app = TestApp::start().await;
    let (phone, other) = (app.customer("lilei", "42"), app.customer("xiaohong", "43"));
    phone.log_in().await;
    other.log_in().await;
    let id = identity(&app, &phone).await["identity_id"].as_str().unwrap().to_owned();
    let before = app.state();
    for (id, body, refusal) in [
        (&*id, json!({ "from": "41", "user": "44" }), "409 binding_conflict"),
        (&*id, json!({ "user": "43" }), "409 binding_conflict"),
        (&*id, json!({ "user": "" }), "400 field_invalid"),
        (&*id, json!({ "user": "44", "from": 1.5 }), "400 field_invalid"),
        (&*id, json!({ "to": "44" }), "400 field_invalid"),
        ("00000000-0000-7000-8000-000000000000", json!({ "user": "44" }), "404 not_found"),
        ("%2e%2e", json!({ "user": "44" }), "404 not_found"),
    ] {
        assert_eq!(moves(&app, id, body.clone()).await.refusal(), refusal, "{id} {body}");
    }
    assert_eq!(app.state(), before);
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_persons_accounts_become_one_users() {
    let app = shop_and("api", &[("club", SAME), ("alone", "")]).await;
    let phones =
        [app.phone("lilei"), app.phone_in("club", OTHER_APPID, "lilei"), app.phone_in("alone", OTHER_APPID, "lilei")];
    for phone in &phones {
        phone.log_in().await;
    }
    let [here, there, alone] = &phones;
    let unionid = identity(&app, here).await["unionid"].clone();
    let merge = async |more: Value| {
        let mut body = json!({ "unionid": unionid, "open_platform": "acme" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.admin("POST", "/admin/v1/bindings/merge", Some(body)).await
    };
    let outcomes = |reply: &Reply| {
        let mut all: Vec<String> = reply.ok().json()["identities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| format!("{} {} {}", i["app"].as_str().unwrap(), i["outcome"].as_str().unwrap(), i["conflict"]))
            .collect();
        all.sort();
        all
    };
    let before = app.state();
    assert_eq!(merge(json!({})).await.refusal(), "409 binding_conflict");
    let dry = merge(json!({ "dry_run": true })).await;
    assert_eq!(outcomes(&dry), [r#"club conflict "no_user""#, r#"shop conflict "no_user""#]);
    let dry = merge(json!({ "dry_run": true, "user": "42" })).await;
    assert_eq!(
        (outcomes(&dry), &dry.json()["done"]),
        (vec!["club bound null".into(), "shop bound null".into()], &json!(false))
    );
    assert_eq!(app.state(), before);
    assert_eq!(merge(json!({ "user": "42" })).await.ok().json()["done"], true);
    assert_eq!((here.check("-").await.user(), there.check("-").await.user()), ("42".into(), "42".into()));
    assert_eq!(alone.check("-").await.denied(), "403 not_bound", "of no open platform, so somebody else's unionid");
    // Two users: nothing is guessed.
    let id = identity(&app, here).await["identity_id"].as_str().unwrap().to_owned();
    moves(&app, &id, json!({ "user": "43" })).await.ok();
    assert_eq!(merge(json!({})).await.refusal(), "409 binding_conflict");
    let dry = merge(json!({ "dry_run": true })).await;
    assert_eq!(outcomes(&dry), [r#"club conflict "several_users""#, r#"shop conflict "several_users""#]);
    assert_eq!(outcomes(&merge(json!({ "user": "43" })).await), ["club moved null", "shop kept null"]);
    assert_eq!(there.check("require=open").await.denied(), "401 session_revoked");
    assert_eq!(merge(json!({ "unionid": "nobody" })).await.refusal(), "404 not_found");
    assert_eq!(merge(json!({ "open_platform": "other" })).await.refusal(), "400 field_invalid");
    assert_eq!(merge(json!({ "dry_run": 1 })).await.refusal(), "400 field_invalid");
}

/// A user id is any 128 bytes: slashes, dots, percents and what looks like another path of ours.
#[tokio::test]
async fn a_users_id_is_never_a_path() {
    let place = Place::with("scopes = [\"read\"]").await;
    let app = &place.app;
    let long = format!("../../sessions/{}/../%2F?a=b#c/..", "店".repeat(30));
    let long = format!("{long}{}", "x".repeat(128 - long.len()));
    for user in [
        long.as_str(),
        "..",
        ".",
        "/",
        "//",
        "a/claims",
        "../42",
        "%2e%2e",
        "a?b",
        "a#b",
        "merge",
        "\u{0}",
        "42/claims",
    ] {
        let encoded: String = user.bytes().map(|b| format!("%{b:02X}")).collect();
        let raw = async |method: &str, rest: &str, body: &str| {
            let request = format!(
                "{method} /admin/v1/users/{encoded}{rest} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                 Authorization: Bearer key-of-default\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            crate::support::raw::Answer(crate::support::raw::send(&app.addresses().admin, request.as_bytes()).await)
        };
        let set = raw("PUT", "/claims", r#"{"of":"him"}"#).await;
        assert_eq!(set.status(), 200, "{user:?}: {}", set.0);
        let read: Value = serde_json::from_str(raw("GET", "", "").await.body()).unwrap();
        assert_eq!((&read["user"]["user"], &read["user"]["claims"]["of"]), (&json!(user), &json!("him")), "{user:?}");
        assert_eq!(raw("PUT", "/disabled", "").await.status(), 200, "{user:?}");
        assert_eq!(raw("DELETE", "/sessions", "").await.body(), r#"{"ended":[]}"#, "{user:?}");
        assert_eq!(app.admin_get("/admin/v1/users/42").await["user"]["claims"], json!({ "vip": true }), "{user:?}");
        assert_eq!(place.phone.check("-").await.user(), "42", "{user:?}");
        assert_eq!(raw("DELETE", "/disabled", "").await.status(), 204);
        assert_eq!(raw("DELETE", "/claims", "").await.status(), 204);
        assert_eq!(raw("GET", "", "").await.code(), "not_found", "{user:?}");
    }
    let over = format!("/admin/v1/users/{}/claims", "x".repeat(129));
    assert_eq!(app.admin("DELETE", &over, None).await.refusal(), "404 not_found");
}
