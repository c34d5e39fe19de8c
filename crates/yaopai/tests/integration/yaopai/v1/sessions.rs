//! `/yaopai/v1/sessions`: the user's own devices, and kicking one.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{OTHER_APPID, Phone, Setup, TestApp, minutes};

async fn own(phone: &Phone) -> Vec<Value> {
    phone.call("GET", "/sessions", None).await.ok().json()["sessions"].as_array().unwrap().clone()
}

async fn id_of(phone: &Phone) -> String {
    phone.read().await.field("session_id")
}

async fn kick(phone: &Phone, id: &str) -> crate::support::Reply {
    phone.call("DELETE", &format!("/sessions/{id}"), None).await
}

#[tokio::test]
async fn a_user_sees_their_devices() {
    let app = TestApp::start().await;
    let (phone, pad) = (app.customer("lilei", "42"), app.phone("lilei"));
    let device = |kind: &str, name: &str| json!({ "device": { "type": kind, "name": name } });
    phone.log_in_with(device("phone", "李雷的手机")).await.ok();
    app.clock.advance(minutes(2));
    pad.log_in_with(device("pad", "the old one")).await.ok();
    app.clock.advance(minutes(1));
    assert_snapshot!(pad.call("GET", "/sessions", None).await.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "sessions": [
        {
          "session_id": "[id]",
          "current": false,
          "app": "shop",
          "device": {
            "type": "phone",
            "name": "李雷的手机"
          },
          "created_at": "2026-01-01T00:00:00.000Z",
          "last_seen_at": "2026-01-01T00:00:00.000Z"
        },
        {
          "session_id": "[id]",
          "current": true,
          "app": "shop",
          "device": {
            "type": "pad",
            "name": "the old one"
          },
          "created_at": "2026-01-01T00:02:00.000Z",
          "last_seen_at": "2026-01-01T00:03:00.000Z"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_device_is_kicked_at_once_and_told_why() {
    let app = TestApp::start().await;
    let (phone, stolen) = (app.customer("lilei", "42"), app.phone("lilei"));
    phone.log_in().await;
    stolen.log_in().await;
    let id = id_of(&stolen).await;
    assert_eq!(kick(&phone, &id).await.status, 204);
    assert_eq!(stolen.check("-").await.denied(), "401 session_kicked");
    assert_eq!(stolen.read().await.refusal(), "401 session_kicked");
    assert_eq!(stolen.refresh("r").await.refusal(), "401 session_kicked");
    assert_eq!(stolen.log_out().await.status, 204);
    assert_eq!(own(&phone).await.len(), 1);
    assert_eq!(kick(&phone, &id).await.refusal(), "404 not_found", "it is none of the live ones any more");
}

#[tokio::test]
async fn kicking_oneself_is_a_log_out() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert_eq!(kick(&phone, &id_of(&phone).await).await.status, 204);
    assert_eq!(phone.check("-").await.denied(), "401 session_ended");
}

#[tokio::test]
async fn nobody_kicks_another_user() {
    let app = TestApp::start().await;
    let (lilei, xiaohong) = (app.customer("lilei", "42"), app.customer("xiaohong", "43"));
    lilei.log_in().await;
    xiaohong.log_in().await;
    let id = id_of(&lilei).await;
    // The same words for another's session and for none: nothing is learned from it.
    let others = kick(&xiaohong, &id).await;
    let none = kick(&xiaohong, "00000000-0000-7000-8000-000000000000").await;
    assert_eq!((others.refusal(), &others.text), (none.refusal(), &none.text));
    assert_eq!(kick(&xiaohong, "not-an-id").await.refusal(), "404 not_found");
    assert_eq!(lilei.check("-").await.user(), "42");
}

/// The same person as a guest and as a user: a token that may not act as the user sees nothing of theirs.
#[tokio::test]
async fn a_stranger_sees_strangers_only() {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    let (guest, user) = (app.phone("lilei"), app.phone("lilei"));
    guest.log_in().await;
    user.log_in().await;
    let unbound = user.token();
    user.hold(&user.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(user.check("-").await.user(), "42");
    assert_eq!(own(&user).await.len(), 1);
    assert_eq!(own(&guest).await.len(), 1);
    assert_eq!(kick(&guest, &id_of(&user).await).await.refusal(), "404 not_found");
    // The retired token of the bound session is still in its grace, and still nobody.
    let old = user.call_as(&unbound, "GET", "/session", None).await.json();
    assert_eq!((&old["bound"], old.get("user")), (&json!(false), None));
    assert_eq!(kick(&user, &id_of(&guest).await).await.refusal(), "404 not_found");
}

/// A user's sessions are those of all apps of the realm.
#[tokio::test]
async fn apps_of_a_realm_share_their_users() {
    let app = TestApp::with(Setup {
        tables: r#"
        [[apps]]
        keyed = "offered"
        name = "pay"
        appid = "{other_appid}"
        secret = "file:app.secret"
        base_url = "{sim}"
        webhook = { url = "{hook}", secret = "file:webhook.secret", timeout = 1 }"#,
        ..Setup::default()
    })
    .await;
    let (shop, pay) = (app.customer("lilei", "42"), app.phone_in("pay", OTHER_APPID, "lilei"));
    app.back_end.knows(&pay.openid(), "42");
    shop.log_in().await;
    app.clock.advance(minutes(1));
    pay.log_in().await;
    assert_eq!(own(&shop).await.iter().map(|s| &s["app"]).collect::<Vec<_>>(), ["shop", "pay"]);
    assert_eq!(kick(&pay, &id_of(&shop).await).await.status, 204);
    assert_eq!(shop.check("-").await.denied(), "401 session_kicked");
}

/// Two realms use the same user id for different people.
#[tokio::test]
async fn realms_see_nothing_of_each_other() {
    let app = two_realms().await;
    let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
    app.back_end.knows(&there.openid(), "42");
    here.log_in().await;
    there.log_in().await;

    assert_eq!((own(&here).await.len(), own(&there).await.len()), (1, 1));
    assert_eq!(kick(&here, &id_of(&there).await).await.refusal(), "404 not_found");
    // Another realm's session doesn't exist at a check.
    assert_eq!(here.check("-").await.user(), "42");
    assert_eq!(there.check("-").await.denied(), "401 session_unknown");
    assert_eq!(there.check("require=open").await.denied(), "401 session_unknown");
    assert_eq!(here.check("realm=other").await.denied(), "401 session_unknown");
    assert_eq!(there.check("realm=other").await.user(), "42");
    assert_eq!(there.check("realm=nowhere").await.denied(), "401 session_unknown");
    assert_eq!(there.check("realm=other&apps=shop").await.denied(), "403 app_not_allowed");
    // Nor is it counted, told or kicked there.
    app.admin("DELETE", "/admin/v1/users/42/sessions", None).await.ok();
    assert_eq!(here.check("-").await.denied(), "401 session_kicked");
    assert_eq!(there.check("realm=other").await.user(), "42");
}

pub async fn two_realms() -> TestApp {
    TestApp::with(Setup {
        tables: r#"
        [[apps]]
        keyed = "offered"
        name = "club"
        realm = "other"
        appid = "{other_appid}"
        secret = "file:app.secret"
        base_url = "{sim}"
        webhook = { url = "{hook}", secret = "file:webhook.secret", timeout = 1 }

        [[api_keys]]
        name = "the club's back end"
        realm = "other"
        hash = "{other_key}""#,
        ..Setup::default()
    })
    .await
}

/// The live table holds two; the rest is read through the store and must be told no differently.
#[tokio::test]
async fn sessions_past_the_table_s_bound() {
    let app =
        TestApp::with(Setup { tables: "[live]\nmax_sessions = 2\nflush_interval = 300", ..Setup::default() }).await;
    let phones: Vec<Phone> = (0..5).map(|_| app.customer("lilei", "42")).collect();
    for phone in &phones {
        phone.log_in().await;
    }
    for phone in &phones {
        assert_eq!(phone.check("-").await.user(), "42");
    }
    // They slide like the others, over upkeeps …
    for _ in 0..3 {
        app.clock.advance(minutes(20));
        for phone in &phones {
            assert_eq!(phone.check("-").await.user(), "42");
        }
        app.upkeep().await;
    }
    // … are refreshed like the others …
    for phone in &phones {
        phone.hold(&phone.refresh("r").await.field("token"));
        assert_eq!(phone.check("-").await.user(), "42");
    }
    // … and a kick is at once, wherever the session is.
    for n in 1..5 {
        let id = id_of(&phones[n]).await;
        assert_eq!(kick(&phones[0], &id).await.status, 204);
        assert_eq!(phones[n].check("-").await.denied(), "401 session_kicked", "{n}");
    }
    app.clock.advance(minutes(30));
    assert_eq!(phones[0].check("-").await.denied(), "401 session_expired");
}

/// A login's answer is handed out again only until its first use, in the table or past it.
#[tokio::test]
async fn the_first_use_counts_past_the_bound_too() {
    let app =
        TestApp::with(Setup { tables: "[live]\nmax_sessions = 1\nflush_interval = 300", ..Setup::default() }).await;
    app.customer("xiaohong", "43").log_in().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), crate::support::request_id("login"));
    let token = phone.send_login(&code, &id).await.field("token");
    assert_eq!(phone.send_login(&code, &id).await.field("token"), token);
    phone.read_in_background().await.ok();
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
    for _ in 0..2 {
        app.clock.advance(crate::support::seconds(15));
        app.upkeep().await;
        assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used", "nor after it was flushed");
    }
}
