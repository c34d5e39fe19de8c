//! `POST /yaopai/v1/decrypt`

use serde_json::json;
use yaopai_sim::{DEFAULT_APPID, DataKey, DataSpoil, Encrypt, Endpoint, Fault};

use crate::support::{OTHER_APPID, Phone, Reply, TestApp, minutes, seconds};

async fn logged_in() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

/// The mini program gets encrypted data and sends it here.
async fn send(app: &TestApp, phone: &Phone, how: &Encrypt) -> Reply {
    let data = app.sim.encrypt(DEFAULT_APPID, "lilei", how).unwrap();
    let body = json!({ "encrypted_data": data.encrypted_data, "iv": data.iv });
    phone.call("POST", "/decrypt", Some(body)).await
}

#[tokio::test]
async fn data_of_the_session_s_account() {
    let (app, phone) = logged_in().await;
    let before = app.state();
    let plain = send(&app, &phone, &Encrypt::user_info()).await.ok().json();
    assert_eq!(plain["openId"], phone.openid());
    assert_eq!(plain["watermark"]["appid"], DEFAULT_APPID);
    assert_eq!(app.state(), before);
    assert_eq!(app.sim.calls("checksession"), 0, "WeChat is not asked");
    // The session_key outlives a restart.
    let mut app = app;
    app.restart_after(seconds(1)).await;
    send(&app, &phone, &Encrypt::phone()).await.ok();
}

/// Another wx.login has replaced the session_key. WeChat is asked once, and a step-up cures it.
#[tokio::test]
async fn a_stale_session_key() {
    let (app, phone) = logged_in().await;
    app.sim.rotate_session_key(DEFAULT_APPID, "lilei").unwrap();
    for _ in 0..4 {
        assert_eq!(send(&app, &phone, &Encrypt::user_info()).await.refusal(), "409 session_key_stale");
    }
    assert_eq!(app.sim.calls("checksession"), 1);
    phone.hold(&phone.step_up("u", &phone.code()).await.field("token"));
    assert_eq!(send(&app, &phone, &Encrypt::user_info()).await.ok().json()["openId"], phone.openid());
    assert_eq!(app.sim.calls("checksession"), 1);
    // The other sessions of the account share the copy.
    let other = app.phone("lilei");
    other.log_in().await;
    send(&app, &phone, &Encrypt::user_info()).await.ok();
}

/// One error for whatever is wrong: nothing to tell a bad padding by.
#[tokio::test]
async fn whatever_is_wrong_is_one_error() {
    let (app, phone) = logged_in().await;
    let now = app.sim.now_ms() / 1000;
    let mut wrong = vec![
        Encrypt::user_info().key(DataKey::Random),
        Encrypt::user_info().key(DataKey::Old),
        Encrypt::user_info().watermark_appid(OTHER_APPID),
        Encrypt::user_info().watermark_timestamp(now - 24 * 3600),
        Encrypt::user_info().watermark_timestamp(now + 24 * 3600),
    ];
    let sendable = |spoil: &DataSpoil| *spoil != DataSpoil::Empty;
    wrong.extend(DataSpoil::ALL.into_iter().filter(sendable).map(|spoil| Encrypt::user_info().spoil(spoil)));
    phone.hold(&phone.step_up("u", &phone.code()).await.field("token"));
    let mut answers = std::collections::HashSet::new();
    for how in &wrong {
        let reply = send(&app, &phone, how).await;
        assert_eq!(reply.refusal(), "422 decryption_failed", "{how:?}");
        answers.insert(reply.text);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(app.sim.calls("checksession"), 1, "asked once a minute, whatever is sent");
    app.clock.advance(minutes(1));
    send(&app, &phone, &wrong[0]).await.refusal();
    assert_eq!(app.sim.calls("checksession"), 2);
}

#[tokio::test]
async fn who_can_not_be_asked_says_nothing() {
    let (app, phone) = logged_in().await;
    app.sim.rotate_session_key(DEFAULT_APPID, "lilei").unwrap();
    app.sim.set_fault(Fault::reset_after().on(Endpoint::Checksession)).unwrap();
    assert_eq!(send(&app, &phone, &Encrypt::user_info()).await.refusal(), "422 decryption_failed");
    app.sim.clear_faults();
    app.clock.advance(minutes(1));
    assert_eq!(send(&app, &phone, &Encrypt::user_info()).await.refusal(), "409 session_key_stale");
}

/// A session opens what its own account's key opens.
#[tokio::test]
async fn another_account_s_data() {
    let (app, phone) = logged_in().await;
    let other = app.phone("xiaoming");
    other.log_in().await;
    assert_eq!(send(&app, &other, &Encrypt::user_info()).await.refusal(), "422 decryption_failed");
    send(&app, &phone, &Encrypt::user_info()).await.ok();
    phone.log_out().await.ok();
    assert_eq!(send(&app, &phone, &Encrypt::user_info()).await.refusal(), "401 session_ended");
}

/// A copied token opens data of its account, as the account's own phone does; it never learns the key.
#[tokio::test]
async fn the_session_key_never_leaves_the_server() {
    let (app, phone) = logged_in().await;
    let key = app.sim.session_key(DEFAULT_APPID, "lilei").unwrap().unwrap();
    let mut replies = vec![send(&app, &phone, &Encrypt::user_info()).await, phone.read().await];
    replies.push(send(&app, &phone, &Encrypt::user_info().key(DataKey::Random)).await);
    replies.push(phone.step_up("u", &phone.code()).await);
    let renewed = app.sim.session_key(DEFAULT_APPID, "lilei").unwrap().unwrap();
    for reply in replies {
        assert!(!reply.text.contains(&key) && !reply.text.contains(&renewed), "{}", reply.text);
    }
    assert!(!format!("{:?}", app.state()).contains(&renewed), "sealed at rest");
}
