//! `POST /yaopai/v1/session`

use std::collections::HashSet;

use insta::assert_snapshot;
use serde_json::json;
use yaopai_sim::DEFAULT_APPID;

use crate::support::{Setup, TestApp, request_id, seconds};

#[tokio::test]
async fn a_customer_logs_in() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    assert_snapshot!(phone.log_in().await.show(), @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 604800,
      "bound": true,
      "user": "42",
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:00:00.000Z"
    }
    "#);
    assert_snapshot!(phone.check("-").await.show(), @r#"
    200 OK
    cache-control: no-store
    yaopai-app: shop
    yaopai-body-signed:
    yaopai-claims:
    yaopai-env-version:
    yaopai-identity-id: [id]
    yaopai-openid: oLqyzenJoTB5gmEcqUhLICFI1ny9
    yaopai-session-id: [id]
    yaopai-unionid: ozfiDXYlIzS2N3nE5MEeH-BhTtBq
    yaopai-user: 42
    yaopai-vouched-at: 2026-01-01T00:00:00.000Z
    "#);
}

#[tokio::test]
async fn a_stranger_logs_in_unbound() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    assert_snapshot!(phone.log_in().await.show(), @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 604800,
      "bound": false,
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:00:00.000Z"
    }
    "#);
    assert_eq!(phone.check("-").await.denied(), "403 not_bound");
    assert_eq!(phone.check("require=session").await.user(), "");
}

#[tokio::test]
async fn the_back_end_is_asked_until_it_knows_the_person() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    assert_eq!(phone.log_in().await.json()["bound"], false);
    assert_eq!(phone.log_in().await.json()["bound"], false);
    assert_eq!(app.back_end.calls("resolve").len(), 2, "a miss is never kept");
    assert_eq!(app.back_end.calls("opened").len(), 0, "only bound sessions are told of");

    app.back_end.knows(&phone.openid(), "42");
    assert_eq!(phone.log_in().await.json()["user"], "42");
    assert_eq!(phone.log_in().await.json()["user"], "42");
    let asked = app.back_end.calls("resolve");
    assert_eq!(asked.len(), 3, "a hit is kept");
    assert_eq!(
        asked[2].data,
        json!({
            "app": "shop", "realm": "default", "openid": phone.openid(),
            "unionid": app.sim.unionid(DEFAULT_APPID, "lilei").unwrap(),
        })
    );
    assert_eq!(app.back_end.calls("opened").len(), 2);
    assert_eq!(app.back_end.forgeries(), [""; 0]);
}

#[tokio::test]
async fn the_back_end_says_who_and_what() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    // An integer is a user id too; claims beyond ASCII fit a header.
    app.back_end.answers_resolve(&phone.openid(), json!({ "user": 42, "claims": { "roles": ["店长"] } }));
    let login = phone.log_in().await.json();
    assert_eq!((&login["user"], &login["claims"]), (&json!("42"), &json!({ "roles": ["店长"] })));
    let check = phone.check("-").await;
    assert_eq!(check.header("yaopai-claims"), Some("{\"roles\":[\"\\u5e97\\u957f\"]}"));
    assert_eq!(phone.read().await.json()["claims"], json!({ "roles": ["店长"] }));
}

#[tokio::test]
async fn a_user_id_is_percent_encoded_in_headers() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "张三/1\r\nx: y");
    assert_eq!(phone.log_in().await.json()["user"], "张三/1\r\nx: y");
    assert_eq!(phone.check("-").await.user(), "%E5%BC%A0%E4%B8%89%2F1%0D%0Ax%3A%20y");
}

#[tokio::test]
async fn auto_makes_a_user() {
    let app = TestApp::with(Setup { binding: "auto", ..Setup::default() }).await;
    let phone = app.phone("lilei");
    let login = phone.log_in().await;
    assert_snapshot!(login.show(), @r#"
    201 Created
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 604800,
      "bound": true,
      "user": "[made]",
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:00:00.000Z"
    }
    "#);
    let user = login.field("user");
    assert!(user.starts_with("u_") && user.len() == 34, "{user}");
    assert_eq!(phone.log_in().await.field("user"), user, "a second login is the same user");
    assert_ne!(app.phone("xiaohong").log_in().await.field("user"), user);
    assert_eq!(phone.check("-").await.user(), user);
    assert_eq!(app.back_end.calls("resolve").len() + app.back_end.calls("opened").len(), 0);
}

#[tokio::test]
async fn the_same_login_gets_the_same_answer_until_its_first_use() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    let first = phone.send_login(&code, &id).await;
    let again = phone.send_login(&code, &id).await;
    assert_eq!((first.status.as_u16(), first.json()), (201, again.json()));

    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1);
    assert_eq!(phone.check("-").await.user(), "42", "the refusal ends nothing");
}

#[tokio::test]
async fn reading_the_session_is_a_first_use_too() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    phone.send_login(&code, &id).await.ok();
    phone.read_in_background().await.ok();
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
}

#[tokio::test]
async fn a_login_s_answer_is_kept_for_a_minute() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    let token = phone.send_login(&code, &id).await.field("token");
    app.clock.advance(seconds(59));
    assert_eq!(phone.send_login(&code, &id).await.field("token"), token);
    app.clock.advance(seconds(1));
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
    assert_eq!((app.sim.exchanges_of(&code), app.count("sessions")), (1, 1));
    app.upkeep().await;
    assert_eq!(app.count("logins"), 0, "the sealed token goes");
    // Not even after every memory of ours is gone does the code go out again; and WeChat would refuse it.
    app.clock.advance(seconds(400));
    app.upkeep().await;
    assert_eq!(phone.send_login(&code, &id).await.refusal(), "400 code_used");
}

#[tokio::test]
async fn neither_the_code_nor_the_request_id_alone_yields_a_token() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let (code, id) = (phone.code(), request_id("login"));
    let token = phone.send_login(&code, &id).await.field("token");
    // Whoever saw the code …
    let thief = app.phone("lilei");
    assert_eq!(thief.send_login(&code, &request_id("another")).await.refusal(), "400 code_used");
    assert_eq!(app.sim.exchanges_of(&code), 1, "the platform is not even asked");
    // … or the request_id, which with another code is just another login.
    let own = app.phone("xiaohong");
    assert_ne!(own.send_login(&own.code(), &id).await.field("token"), token);
    assert_eq!(own.read().await.json()["bound"], false);
}

/// The same copies for the same login: over real sockets, all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_copies_of_one_login_are_one_login() {
    const COPIES: usize = 1_000;
    let app = TestApp::start().await;
    let phone = std::sync::Arc::new(app.customer("lilei", "42"));
    let (code, id) = (phone.code(), request_id("login"));
    let start = std::sync::Arc::new(tokio::sync::Barrier::new(COPIES));
    let copies: Vec<_> = (0..COPIES)
        .map(|_| {
            let (phone, code, id, start) = (phone.clone(), code.clone(), id.clone(), start.clone());
            tokio::spawn(async move {
                start.wait().await;
                phone.send_login(&code, &id).await
            })
        })
        .collect();
    let mut answers = HashSet::new();
    for copy in copies {
        let reply = copy.await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.text);
        answers.insert(reply.text);
    }
    assert_eq!(answers.len(), 1, "one answer");
    assert_eq!(app.sim.exchanges_of(&code), 1, "one exchange");
    assert_eq!(app.back_end.calls("resolve").len(), 1);
    assert_eq!(app.back_end.calls("opened").len(), 1);
    assert_eq!((app.count("sessions"), app.count("identities"), app.count("logins")), (1, 1, 1));
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Two request ids race with one code: one gets the session, the other nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_logins_with_one_code_one_wins() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    for round in 0..20 {
        let code = phone.code();
        let (a, b) = (request_id(&format!("a{round}")), request_id(&format!("b{round}")));
        let (a, b) = tokio::join!(phone.send_login(&code, &a), phone.send_login(&code, &b));
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400], "{} {}", a.text, b.text);
        assert_eq!(app.sim.exchanges_of(&code), 1);
    }
}

#[tokio::test]
async fn a_key_is_never_silently_left_out() {
    let app = TestApp::with(Setup { shop: "keyed = \"off\"", ..Setup::default() }).await;
    let reply = app.phone("lilei").log_in_with(json!({ "key": { "alg": "hmac-sha256" } })).await;
    assert_eq!(reply.refusal(), "400 field_invalid");
    assert_eq!(reply.json()["field"], "key");
    assert_eq!(app.sim.calls("jscode2session"), 0, "the code is not spent");
}

/// Unlike other fields: what isn't understood of a key might make it weaker.
#[tokio::test]
async fn nothing_in_a_key_is_ignored() {
    let app = TestApp::start().await;
    for key in [
        json!({}),
        json!("hmac-sha256"),
        json!({ "alg": "none" }),
        json!({ "alg": "HMAC-SHA256" }),
        json!({ "alg": "hmac-sha256", "secret": "mine" }),
        json!({ "alg": "hmac-sha256", "wechat": { "version": 1 } }),
        json!({ "wechat": {} }),
        json!({ "wechat": { "version": -1 } }),
        json!({ "wechat": { "version": "1" } }),
        json!({ "wechat": { "version": 1, "of_next_year": true } }),
    ] {
        let reply = app.phone("lilei").log_in_with(json!({ "key": key })).await;
        assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!("key")), "{key}");
    }
    assert_eq!(app.sim.calls("jscode2session"), 0, "no code is spent");
}

#[tokio::test]
async fn fields_of_a_newer_client_are_ignored() {
    let app = TestApp::start().await;
    app.phone("lilei").log_in_with(json!({ "of_next_year": { "a": 1 }, "device": { "colour": "red" } })).await.ok();
}

#[tokio::test]
async fn the_device_and_the_release_are_kept() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    let device = json!({ "id": "d-1", "type": "phone", "name": "李雷的手机" });
    phone.log_in_with(json!({ "device": device, "env_version": "trial" })).await.ok();
    assert_eq!(phone.check("-").await.header("yaopai-env-version"), Some("trial"));
    assert_eq!(phone.call("GET", "/sessions", None).await.json()["sessions"][0]["device"], device);
}

/// An openid, a user or a realm in the request is nobody's word.
#[tokio::test]
async fn who_somebody_is_is_not_theirs_to_say() {
    let app = TestApp::start().await;
    let victim = app.customer("lilei", "42");
    victim.log_in().await;
    let thief = app.phone("xiaohong");
    let claimed = json!({
        "openid": victim.openid(), "unionid": "o", "user": "42", "realm": "other", "session_id": "x", "bound": true,
        "claims": { "roles": ["admin"] },
    });
    let reply = thief.log_in_with(claimed).await.json();
    assert_eq!((&reply["bound"], reply.get("user"), reply.get("claims")), (&json!(false), None, None));
    assert_eq!(thief.check("require=session").await.header("yaopai-openid"), Some(thief.openid().as_str()));
}

/// Logins are counted before the platform is asked, and its quota isn't touched.
#[tokio::test]
async fn a_network_logs_in_so_often() {
    let setup = Setup { top: "limits = { logins_per_network = 3 }", ..Setup::default() };
    let app = TestApp::with(setup).await;
    let phone = app.customer("lilei", "42");
    for _ in 0..3 {
        phone.log_in().await;
    }
    let code = phone.code();
    let reply = phone.send_login(&code, &request_id("beyond")).await;
    assert_eq!(reply.refusal(), "429 rate_limited");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(app.sim.calls("jscode2session"), 3);
    assert_eq!(phone.check("-").await.user(), "42", "who is logged in stays so");
    // Another network is another's.
    let body = json!({ "app": "shop", "code": code, "request_id": request_id("elsewhere") });
    let url = format!("{}/yaopai/v1/session", app.addresses().public);
    let elsewhere = app.http.post(url).header("x-forwarded-for", "203.0.113.9").json(&body).send().await.unwrap();
    assert_eq!(elsewhere.status(), 201);
    app.clock.advance(seconds(wait));
    phone.log_in().await;
}

#[tokio::test]
async fn an_identity_and_an_app_log_in_so_often() {
    for limit in ["limits = { logins_per_identity = 2 }", "limits = { logins_per_app = 2 }"] {
        let app = TestApp::with(Setup { top: limit, ..Setup::default() }).await;
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        phone.log_in().await;
        let (code, id) = (phone.code(), request_id("beyond"));
        assert_eq!(phone.send_login(&code, &id).await.refusal(), "429 rate_limited", "{limit}");
        assert_eq!(phone.send_login(&code, &id).await.refusal(), "429 rate_limited", "{limit}: the same again");
        let other = app.newcomer("hanmeimei").try_log_in().await;
        assert_eq!(other.status == 201, limit.contains("identity"), "{limit}: {}", other.text);
    }
}
