//! Pushes that WeChat never sent, or sent once.

use yaopai_sim::{DEFAULT_APPID, Push, PushConfig, PushFormat, PushMode, Tamper};

use crate::support::{Act, OTHER_APPID, PUSH_TOKEN, Setup, TestApp, minutes, raw, seconds};
use crate::yaopai::v1::push::{SAFE, safe, tell_wechat};

/// However it is forged: nobody's session ends, the back end hears nothing, and the forger learns nothing.
#[tokio::test]
async fn forged_pushes() {
    let app = safe().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let before = app.state();
    let mut answers = std::collections::HashSet::new();
    for tamper in Tamper::ALL.into_iter().filter(|t| *t != Tamper::Replay) {
        for event in [Push::account_cancelled("lilei"), Push::new("lilei", "other")] {
            let report = app.sim.push(DEFAULT_APPID, &event.tamper(tamper)).await.unwrap();
            assert!(!report.accepted, "{tamper:?}");
            for sent in report.tries {
                assert_eq!(sent.status, Some(403), "{tamper:?} {sent:?}");
                answers.insert(sent.body);
            }
        }
    }
    assert_eq!(answers.len(), 1, "one answer for all of it: {answers:?}");
    assert_eq!(app.state(), before);
    assert_eq!(app.back_end.pushes().len(), 0);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Somebody has read a push on its way and sends the same bytes, for as long as they are fresh, also after a restart.
#[tokio::test]
async fn a_replayed_cancellation() {
    let mut app: TestApp = safe().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert!(app.sim.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap().accepted);
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
    // The person comes back.
    app.clock.advance(seconds(90));
    phone.log_in().await;
    let replay = Push::account_cancelled("lilei").tamper(Tamper::Replay);
    assert!(app.sim.push(DEFAULT_APPID, &replay).await.unwrap().accepted, "known, and answered");
    assert_eq!(phone.check("-").await.user(), "42");
    app.restart_after(seconds(1)).await;
    tell_wechat(&app, PushMode::Safe, PushFormat::Json);
    app.sim.push(DEFAULT_APPID, &replay).await.unwrap();
    assert_eq!(phone.check("-").await.user(), "42", "a restart forgets the push, not when it was said");
    app.clock.advance(minutes(6));
    assert!(!app.sim.push(DEFAULT_APPID, &replay).await.unwrap().accepted, "too old");
}

/// Bodies without end, of no kind, and paths that are none.
#[tokio::test]
async fn junk() {
    let app = safe().await;
    let before = app.state();
    let at = app.addresses().public;
    for (query, body, expected) in [
        ("", String::new(), (403, "push_refused")),
        ("?signature=x&timestamp=1&nonce=1", "{}".into(), (403, "push_refused")),
        (
            "?timestamp=1767225600&nonce=1&signature=da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "<xml/>".into(),
            (403, "push_refused"),
        ),
        ("?a=b", "x".repeat(70_000), (413, "too_large")),
    ] {
        let head = format!(
            "POST /yaopai/v1/push/shop{query} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw::Answer(raw::send(&at, head.as_bytes()).await);
        assert_eq!((answer.status(), answer.code()), expected, "{query}");
    }
    assert_eq!(app.state(), before);
    assert_eq!(app.back_end.pushes().len(), 0);
}

/// Two things that one person did in one second are two pushes: the back end is told of both.
#[tokio::test]
async fn one_push_does_not_swallow_another() {
    let app = safe().await;
    let list = |template: &str| serde_json::json!({ "List": [{ "TemplateId": template, "MsgID": "1" }] });
    let sent = |template| Push::new("lilei", "subscribe_msg_sent_event").field("SubscribeMsgSentEvent", list(template));
    for format in [PushFormat::Json, PushFormat::Xml] {
        tell_wechat(&app, PushMode::Safe, format);
        let before = app.back_end.pushes().len();
        let pushes = [
            Push::authorization_revoked("lilei", "8"),
            Push::authorization_revoked("lilei", "13"),
            sent("a"),
            sent("b"),
        ];
        for push in &pushes {
            assert!(app.sim.push(DEFAULT_APPID, &push.clone().times(2)).await.unwrap().accepted);
        }
        assert_eq!(app.back_end.pushes().len() - before, pushes.len(), "{format:?}");
        app.clock.advance(seconds(1));
    }
}

/// A back end that is being restarted is told again when WeChat says it again.
#[tokio::test]
async fn what_the_back_end_could_not_take_is_not_lost() {
    let app = safe().await;
    let push = Push::new("lilei", "some_event");
    app.back_end.acts("push", Act::Status(502));
    let report = app.sim.push(DEFAULT_APPID, &push).await.unwrap();
    assert!(!report.accepted, "{report:?}");
    let asked = app.back_end.pushes().len();
    app.back_end.recovers();
    let report = app.sim.push(DEFAULT_APPID, &push.tamper(Tamper::Replay)).await.unwrap();
    assert_eq!(report.tries.last().unwrap().status, Some(200), "{report:?}");
    assert_eq!(app.back_end.pushes().len(), asked + 1);
}

/// An operator's program holds the database longer than WeChat waits. What may still fail is not called done.
#[tokio::test]
async fn a_withdrawal_outlasts_a_locked_database() {
    let app = safe().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let holder = rusqlite::Connection::open(app.database().path().unwrap()).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let release = async {
        tokio::time::sleep(seconds(6)).await;
        holder.execute_batch("ROLLBACK").unwrap();
    };
    let push = Push::account_cancelled("lilei");
    let (report, ()) = tokio::join!(app.sim.push(DEFAULT_APPID, &push), release);
    let report = report.unwrap();
    assert!(report.tries.iter().all(|t| t.ms < 5_000), "{report:?}");
    assert_eq!(report.tries[0].status, Some(503), "{report:?}");
    assert_eq!(report.tries.last().unwrap().status, Some(200), "{report:?}");
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
}

/// In plain mode whoever reads one query can send any body. However many, withdrawals are carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_one_app_drowns_no_other() {
    let club = r#"
        [[apps]]
        keyed = "offered"
        name = "club"
        appid = "{other_appid}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto"
        push = { token = "file:push.token", mode = "plain", forward_url = "{hook}/push" }"#;
    let mut app = TestApp::with(Setup { shop: SAFE, tables: club, ..Setup::default() }).await;
    let url = format!("{}/yaopai/v1/push/club", app.addresses().public);
    let plain = PushConfig { mode: PushMode::Plain, ..PushConfig::new(url, PUSH_TOKEN) };
    app.sim.update_app(OTHER_APPID, |app| app.push = Some(plain)).unwrap();
    assert!(app.sim.push(OTHER_APPID, &Push::new("lilei", "seen")).await.unwrap().accepted);
    let query = app.back_end.pushes()[0].query.clone();
    app.restart_with(|config| config.replace(r#"mode = "plain", forward_url"#, r#"mode = "plain" } # "#)).await;
    tell_wechat(&app, PushMode::Safe, PushFormat::Json);
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let url = format!("{}/yaopai/v1/push/club?{query}", app.addresses().public);
    let forge = |n: u32| {
        let (http, url) = (app.http.clone(), url.clone());
        tokio::spawn(async move {
            for n in (n..20_001).step_by(32) {
                let body = format!(r#"{{"MsgType":"event","Event":"e{n}","FromUserName":"x","CreateTime":1}}"#);
                http.post(&url).body(body).send().await.unwrap();
            }
        })
    };
    futures_util::future::join_all((0..32).map(forge)).await;
    let report = app.sim.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
    assert!(report.accepted, "{report:?}");
    assert_eq!(phone.check("-").await.denied(), "401 session_revoked");
    // Nor the ones of that app itself.
    let member = app.phone_in("club", OTHER_APPID, "xiaoming");
    member.log_in().await;
    let body = format!(
        r#"{{"MsgType":"event","Event":"user_authorization_cancellation","OpenID":"{}","CreateTime":{}}}"#,
        member.openid(),
        app.sim.now_ms() / 1000
    );
    assert_eq!(app.http.post(&url).body(body).send().await.unwrap().text().await.unwrap(), "success");
    assert_eq!(member.check("-").await.denied(), "401 session_revoked");
}
