//! `/yaopai/v1/binding` by a bind code that the back end made and the person has seen.

use std::time::Duration;

use serde_json::json;

use crate::support::{Act, Phone, TestApp, minutes};

/// A stranger's phone, and a code of the user 42's that it has previewed.
async fn previewed() -> (TestApp, Phone, String) {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let code = app.bind_code("42").await;
    phone.preview(&code).await.ok();
    (app, phone, code)
}

#[tokio::test]
async fn it_binds_once() {
    let (app, phone, code) = previewed().await;
    let old = phone.token();
    let reply = phone.redeem("b", &code).await;
    assert_eq!((reply.ok().json()["bound"].as_bool(), reply.field("user").as_str()), (Some(true), "42"));
    assert_eq!(
        app.back_end.calls("bind")[0].data,
        json!({
            "app": "shop", "realm": "default", "openid": phone.openid(),
            "unionid": app.sim.unionid(yaopai_sim::DEFAULT_APPID, "lilei").unwrap(),
            "way": "bind_code", "bind_code": { "user": "42", "masked": "42***" },
        })
    );
    assert_eq!(app.count("bind_codes"), 0);
    // A lost answer is asked for again; nobody else gets anything for it.
    assert_eq!(phone.redeem("b", &code).await.field("token"), reply.field("token"));
    assert_eq!(app.back_end.calls("bind").len(), 1);
    assert_eq!(phone.redeem("b2", &code).await.refusal(), "400 bind_code_invalid");
    phone.hold(&reply.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.check_as(&old, "-").await.denied(), "403 not_bound");
}

#[tokio::test]
async fn it_survives_a_restart_and_not_its_five_minutes() {
    let (mut app, phone, code) = previewed().await;
    app.restart_after(Duration::ZERO).await;
    app.clock.advance(minutes(5));
    assert_eq!(phone.redeem("b", &code).await.refusal(), "400 bind_code_invalid");
    app.upkeep().await;
    assert_eq!(app.count("bind_codes"), 0);
    let code = app.bind_code("42").await;
    phone.preview(&code).await.ok();
    app.restart_after(Duration::ZERO).await;
    phone.redeem("b2", &code).await.ok();
}

#[tokio::test]
async fn the_back_end_may_still_say_no() {
    let (app, phone, code) = previewed().await;
    let before = app.state();
    app.back_end.answers_codes(json!({ "user": null, "message": "此账号已停用" }));
    assert_eq!(phone.redeem("b", &code).await.json()["message"], "此账号已停用");
    app.back_end.acts("bind", Act::Status(500));
    assert_eq!(phone.redeem("b", &code).await.refusal(), "503 backend_unavailable");
    app.back_end.recovers();
    // The person has confirmed one account: a back end that mixes up two must not bind the other.
    app.back_end.answers_codes(json!({ "user": "43" }));
    assert_eq!(phone.redeem("b", &code).await.refusal(), "503 backend_unavailable");
    assert_eq!(app.state(), before, "and the code is still the person's");
    app.back_end.answers_codes(json!({ "user": "42", "claims": { "vip": true } }));
    assert_eq!(phone.redeem("b", &code).await.json()["claims"], json!({ "vip": true }));
}

/// The person taps twice, or the code is on two phones that both had it previewed: one bind comes of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_redemptions_are_one() {
    let (app, phone, code) = previewed().await;
    let words: Vec<String> = (0..6).map(|n| format!("tap-{n}")).collect();
    let replies = futures_util::future::join_all(words.iter().map(|word| phone.redeem(word, &code))).await;
    let bound = replies.iter().filter(|r| r.status == 200).count();
    assert_eq!(bound, 1, "{:?}", replies.iter().map(|r| r.status).collect::<Vec<_>>());
    assert_eq!(app.count("bind_codes"), 0);
}
