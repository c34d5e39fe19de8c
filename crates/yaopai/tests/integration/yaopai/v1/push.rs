//! `GET` and `POST /yaopai/v1/push/{app}`

use yaopai_sim::{DEFAULT_APPID, Push, PushConfig, PushFormat, PushMode, Secret};

use crate::support::{Act, PUSH_KEY, PUSH_TOKEN, Setup, TestApp, minutes, raw, seconds};

pub const SAFE: &str =
    r#"push = { token = "file:push.token", encoding_aes_key = "file:push.key", forward_url = "{hook}/push" }"#;

/// An app whose pushes come here, encrypted, as JSON.
pub async fn with(shop: &'static str) -> TestApp {
    let app = TestApp::with(Setup { shop, ..Setup::default() }).await;
    tell_wechat(&app, PushMode::Safe, PushFormat::Json);
    app
}

pub async fn safe() -> TestApp {
    with(SAFE).await
}

/// What an operator enters in WeChat's console.
pub fn tell_wechat(app: &TestApp, mode: PushMode, format: PushFormat) {
    let url = format!("{}/yaopai/v1/push/shop", app.addresses().public);
    let key = (mode != PushMode::Plain).then(|| Secret::new(PUSH_KEY));
    let push = PushConfig { encoding_aes_key: key, mode, format, ..PushConfig::new(url, PUSH_TOKEN) };
    app.sim.update_app(DEFAULT_APPID, |app| app.push = Some(push)).unwrap();
}

#[tokio::test]
async fn wechat_verifies_the_url() {
    let app = safe().await;
    assert!(app.sim.verify_push_url(DEFAULT_APPID, None).await.unwrap().verified);
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/push/club?timestamp=1&nonce=1&echostr=x", &[]).await;
    assert_eq!((answer.status(), answer.code()), (404, "not_found"));
}

/// The person closed the account with this mini program: all its sessions end, and nobody else's.
#[tokio::test]
async fn a_cancellation_ends_the_account_s_sessions() {
    let app = safe().await;
    let (phone, pad, other) = (app.customer("lilei", "42"), app.phone("lilei"), app.customer("xiaoming", "7"));
    for device in [&phone, &pad, &other] {
        device.log_in().await;
    }
    let report = app.sim.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
    assert!(report.accepted && report.resends == 0);
    assert_eq!(report.tries[0].body, "success");
    for device in [&phone, &pad] {
        assert_eq!(device.check("-").await.denied(), "401 session_revoked");
        assert_eq!(device.refresh("r").await.refusal(), "401 session_revoked");
    }
    assert_eq!(other.check("-").await.user(), "7");
    assert_eq!(app.state()["sessions"].iter().filter(|row| row.contains("revoked_by_platform")).count(), 2);
    assert_eq!(app.back_end.pushes().len(), 0);
}

/// XML or JSON, encrypted or both: as it was chosen in WeChat's console.
#[tokio::test]
async fn in_every_form() {
    for mode in [PushMode::Safe, PushMode::Compatible] {
        for format in [PushFormat::Json, PushFormat::Xml] {
            let app = safe().await;
            tell_wechat(&app, mode, format);
            let phone = app.customer("lilei", "42");
            phone.log_in().await;
            let report = app.sim.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
            assert!(report.accepted, "{mode:?} {format:?} {report:?}");
            assert_eq!(phone.check("-").await.denied(), "401 session_revoked", "{mode:?} {format:?}");
        }
    }
    let app = with(r#"push = { token = "file:push.token", mode = "plain" }"#).await;
    tell_wechat(&app, PushMode::Plain, PushFormat::Json);
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert!(app.sim.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap().accepted);
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
}

/// An authorization taken back (the phone number, say) ends sessions only where the app says so; else the back end is told.
#[tokio::test]
async fn a_revoked_authorization() {
    let push = || Push::authorization_revoked("lilei", "8");
    let app = safe().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert!(app.sim.push(DEFAULT_APPID, &push()).await.unwrap().accepted);
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(app.back_end.pushes().len(), 1);
    let app = with(
        r#"push = { token = "file:push.token", encoding_aes_key = "file:push.key", revoke_ends_sessions = true }"#,
    )
    .await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert!(app.sim.push(DEFAULT_APPID, &push()).await.unwrap().accepted);
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
}

/// What we don't handle is the back end's, byte for byte, and so is its answer.
#[tokio::test]
async fn the_rest_goes_on() {
    let app = safe().await;
    let report = app.sim.push(DEFAULT_APPID, &Push::new("lilei", "user_enter_tempsession")).await.unwrap();
    assert!(report.accepted);
    let pushes = app.back_end.pushes();
    assert_eq!(pushes.len(), 1);
    assert!(pushes[0].query.contains("msg_signature=") && pushes[0].query.contains("encrypt_type=aes"), "{pushes:?}");
    assert_eq!(pushes[0].kind.as_deref(), Some("application/json"));
    assert!(pushes[0].body.starts_with(b"{") && pushes[0].body.windows(7).any(|w| w == b"Encrypt"));
    // The very bytes, sent again by hand: the kept answer, byte for byte.
    let path = format!("/yaopai/v1/push/shop?{}", pushes[0].query);
    let url = format!("{}{path}", app.addresses().public);
    let request = app.http.post(url).header("content-type", "application/json").body(pushes[0].body.clone());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/xml; charset=gbk");
    assert_eq!(answer.bytes().await.unwrap(), &b"<xml>\xc4\xe3</xml>"[..]);
    assert_eq!(app.back_end.pushes().len(), 1, "and the back end is not told twice");
}

/// WeChat says it again if its answer is lost: once is enough for us and for the back end.
#[tokio::test]
async fn a_push_that_comes_again() {
    let app = safe().await;
    let report = app.sim.push(DEFAULT_APPID, &Push::new("lilei", "some_event").times(5)).await.unwrap();
    assert!(report.accepted && report.tries.iter().all(|t| t.body == report.tries[0].body));
    assert_eq!(app.back_end.pushes().len(), 1);
    app.clock.advance(seconds(1));
    app.sim.push(DEFAULT_APPID, &Push::new("lilei", "some_event")).await.unwrap();
    assert_eq!(app.back_end.pushes().len(), 2, "a second later it is another one");
}

/// Whatever the back end does, WeChat has its answer in time and doesn't say it again.
#[tokio::test]
async fn a_back_end_that_fails() {
    let app = safe().await;
    for (n, act) in [Act::Hang, Act::Slow(seconds(10)), Act::Say("x".repeat(70_000))].into_iter().enumerate() {
        app.back_end.acts("push", act.clone());
        let event = format!("event_{n}");
        let report = app.sim.push(DEFAULT_APPID, &Push::new("lilei", &event)).await.unwrap();
        assert!(report.accepted && report.resends == 0, "{act:?} {report:?}");
        assert_eq!(report.tries[0].body, "success");
        assert!(report.tries[0].ms < 5_000);
    }
    assert_eq!(app.back_end.pushes().len(), 3);
}

/// A back end has 64 at a time. What it was not asked is not called taken: WeChat says it again.
#[tokio::test]
async fn more_than_the_back_end_takes_at_a_time() {
    let app = safe().await;
    app.back_end.acts("push", Act::Hang);
    let events: Vec<_> = (0..70).map(|n| Push::new("lilei", format!("event_{n}"))).collect();
    let pushes = events.iter().map(|event| app.sim.push(DEFAULT_APPID, event));
    let reports = futures_util::future::join_all(pushes).await;
    let refused = reports.iter().filter(|report| report.as_ref().unwrap().tries[0].status == Some(503)).count();
    assert_eq!(refused, 70 - 64);
}

/// Somebody who comes back after closing the account has new sessions. The old word, said late, ends none of those.
#[tokio::test]
async fn a_late_word_ends_what_was_meant() {
    let app = safe().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let when = app.sim.now_ms() / 1000;
    app.clock.advance(minutes(2));
    let back = app.phone("lilei");
    back.log_in().await;
    let push = Push::account_cancelled("lilei").field("CreateTime", when);
    assert!(app.sim.push(DEFAULT_APPID, &push).await.unwrap().accepted);
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
    assert_eq!(back.check("-").await.user(), "42");
}
