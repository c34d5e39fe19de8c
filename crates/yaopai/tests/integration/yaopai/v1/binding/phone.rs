//! `/yaopai/v1/binding` by a phone number: WeChat tells it, the back end says whose it is.

use serde_json::json;
use yaopai_sim::{Endpoint, Fault};

use crate::support::{Act, Phone, Setup, TestApp};

/// Li Lei's phone, with a number that the back end knows as the user 42's.
async fn customer(setup: Setup) -> (TestApp, Phone) {
    let app = TestApp::with(setup).await;
    app.sim.handle().set_phone("lilei", "13800138000").unwrap();
    app.back_end.has_account("13800138000", "", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    (app, phone)
}

#[tokio::test]
async fn the_number_binds() {
    let (app, phone) = customer(Setup::default()).await;
    let code = phone.phone_code();
    let reply = phone.bind_by_phone("b", &code).await;
    assert_eq!((reply.field("user").as_str(), reply.json()["bound"].as_bool()), ("42", Some(true)));
    assert_eq!(
        app.back_end.calls("bind")[0].data["phone"],
        json!({ "number": "13800138000", "pure": "13800138000", "country": "86" })
    );
    assert_eq!(phone.bind_by_phone("b", &code).await.field("token"), reply.field("token"));
    assert_eq!(app.sim.calls("getuserphonenumber"), 1);
    phone.hold(&reply.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert!(!format!("{:?}", app.state()).contains("13800138000"), "the number is kept nowhere");
}

#[tokio::test]
async fn a_number_that_nobody_has() {
    let (app, phone) = customer(Setup::default()).await;
    app.sim.handle().set_phone("lilei", "13900139000").unwrap();
    let reply = phone.bind_by_phone("b", &phone.phone_code()).await;
    assert_eq!(
        (reply.refusal().as_str(), &reply.json()["message"]),
        ("422 binding_rejected", &json!("该手机号未注册"))
    );
}

#[tokio::test]
async fn codes_that_are_none() {
    let (app, phone) = customer(Setup::default()).await;
    for code in ["x", " ", "x&access_token=y", &phone.code()] {
        assert_eq!(phone.bind_by_phone("b", code).await.refusal(), "400 code_invalid", "{code}");
    }
    assert_eq!(app.back_end.calls("bind").len(), 0);
}

/// Attack: a code that another person's phone was given.
#[tokio::test]
async fn another_user_s_phone_code() {
    let (app, victim) = customer(Setup::default()).await;
    let attacker = app.phone("xiaohong");
    attacker.log_in().await;
    assert_eq!(attacker.bind_by_phone("b", &victim.phone_code()).await.refusal(), "400 code_invalid");
    assert_eq!(attacker.read().await.json()["bound"], false);
    assert_eq!(app.back_end.calls("bind").len(), 0);
}

/// Attack, or mere chance: the carrier has given the number to somebody else.
#[tokio::test]
async fn a_recycled_number() {
    let (app, last) = customer(Setup { shop: "second_identity = \"allow\"", ..Setup::default() }).await;
    last.hold(&last.bind_by_phone("b", &last.phone_code()).await.field("token"));
    app.sim.handle().set_phone("xiaohong", "13800138000").unwrap();
    let next = app.phone("xiaohong");
    next.log_in().await;
    assert_eq!(next.bind_by_phone("b", &next.phone_code()).await.refusal(), "409 binding_conflict");
    assert_eq!(next.read().await.json()["bound"], false);
    assert_eq!(last.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_failing_back_end_costs_no_second_tap() {
    let (app, phone) = customer(Setup::default()).await;
    let code = phone.phone_code();
    app.back_end.acts("bind", Act::Status(500));
    assert_eq!(phone.bind_by_phone("b", &code).await.refusal(), "503 backend_unavailable");
    app.back_end.recovers();
    phone.bind_by_phone("b", &code).await.ok();
    assert_eq!(app.sim.calls("getuserphonenumber"), 1);
}

#[tokio::test]
async fn a_failing_wechat_binds_nobody() {
    let (app, phone) = customer(Setup::default()).await;
    app.sim.handle().set_fault(Fault::errcode(-1).on(Endpoint::Getuserphonenumber)).unwrap();
    assert_eq!(phone.bind_by_phone("b", &phone.phone_code()).await.refusal(), "503 platform_busy");
    assert_eq!(app.back_end.calls("bind").len(), 0);
}
