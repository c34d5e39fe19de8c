//! `POST /yaopai/v1/phone`

use serde_json::json;
use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault};

use crate::support::{Phone, Reply, TestApp, seconds};

/// The person presses the button: a code.
fn pressed(app: &TestApp, person: &str) -> String {
    app.sim.issue_phone_code(DEFAULT_APPID, person).unwrap()
}

async fn ask(phone: &Phone, code: &str) -> Reply {
    phone.call("POST", "/phone", Some(json!({ "code": code }))).await
}

async fn logged_in(person: &str) -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.phone(person);
    phone.log_in().await;
    (app, phone)
}

#[tokio::test]
async fn a_code_becomes_a_number() {
    let (app, phone) = logged_in("lilei").await;
    let before = app.state();
    let reply = ask(&phone, &pressed(&app, "lilei")).await;
    let number = app.sim.user("lilei").unwrap().phone;
    assert_eq!(reply.ok().json(), json!({ "phone": number }), "also without a user: it binds nobody");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(app.state(), before, "and it is kept nowhere");
}

/// The network sends it twice, or the answer is lost. WeChat is asked once.
#[tokio::test]
async fn the_same_again() {
    let (app, phone) = logged_in("lilei").await;
    let code = pressed(&app, "lilei");
    let replies = futures_util::future::join_all((0..5).map(|_| ask(&phone, &code))).await;
    replies.iter().for_each(|reply| assert_eq!(reply.text, replies[0].ok().text));
    app.clock.advance(seconds(200));
    assert_eq!(ask(&phone, &code).await.text, replies[0].text);
    assert_eq!(app.sim.calls("getuserphonenumber"), 1);
}

#[tokio::test]
async fn codes_that_are_none() {
    let (app, phone) = logged_in("lilei").await;
    for code in ["no code", "x\u{0}", "号"] {
        assert_eq!(ask(&phone, code).await.refusal(), "400 code_invalid");
    }
    assert_eq!(ask(&phone, &phone.code()).await.refusal(), "400 code_invalid", "wx.login's is another kind");
    let late = pressed(&app, "lilei");
    app.clock.advance(seconds(301));
    assert_eq!(ask(&phone, &late).await.refusal(), "400 code_invalid");
}

/// WeChat's word is about an account: another person's number is not handed out, whoever has the code.
#[tokio::test]
async fn another_person_s_code() {
    let (app, phone) = logged_in("lilei").await;
    let owner = app.phone("xiaoming");
    owner.log_in().await;
    let code = pressed(&app, "xiaoming");
    let number = ask(&owner, &code).await.field("phone");
    let other = app.phone("xiaoming");
    other.log_in().await;
    for thief in [&phone, &other] {
        let reply = ask(thief, &code).await;
        assert_eq!(reply.refusal(), "400 code_used", "a redeemed code is one session's");
        assert!(!reply.text.contains(&number));
    }
    let fresh = pressed(&app, "xiaoming");
    assert_eq!(ask(&phone, &fresh).await.refusal(), "400 code_invalid", "the openid goes along");
}

#[tokio::test]
async fn wechat_fails() {
    let (app, phone) = logged_in("lilei").await;
    let code = pressed(&app, "lilei");
    app.sim.set_fault(Fault::reset_after().on(Endpoint::Getuserphonenumber).once()).unwrap();
    for _ in 0..3 {
        let reply = ask(&phone, &code).await;
        assert_eq!(reply.refusal(), "503 platform_unavailable");
        assert!(!reply.text.contains("wx.login"), "{}", reply.text);
    }
    assert_eq!(app.sim.calls("getuserphonenumber"), 1, "a code that may be spent is never sent again");
    ask(&phone, &pressed(&app, "lilei")).await.ok();
}

#[tokio::test]
async fn only_with_a_session() {
    let (app, phone) = logged_in("lilei").await;
    let code = pressed(&app, "lilei");
    phone.log_out().await.ok();
    assert_eq!(ask(&phone, &code).await.refusal(), "401 session_ended");
    assert_eq!(app.sim.calls("getuserphonenumber"), 0);
}
