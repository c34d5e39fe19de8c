//! Counters, clock, reset.

use serde_json::json;
use yaopai_sim::{Config, DEFAULT_APPID, Fault, SimError, Simulator};

use crate::support::{named, world};

#[tokio::test]
async fn calls_and_errcodes_are_counted() {
    let world = world().await;
    world.login_as("lilei").await;
    world.login("junk").await;
    world.plain_token().await;
    world.set_fault(Fault::reset_before().once()).unwrap();
    assert!(world.send(world.login_request("junk")).await.is_err());
    let counters = world.control_get("/counters").await;
    assert_eq!(counters["calls"], json!({"jscode2session": 3, "token": 1}));
    assert_eq!(counters["errcodes"], json!({"0": 2, "40029": 1}));
    assert_eq!(counters["faults"], 1);
}

#[tokio::test]
#[should_panic(expected = "no endpoint is named")]
async fn a_misspelt_endpoint_is_not_counted_as_never_called() {
    world().await.calls("jscode2sessions");
}

#[tokio::test]
async fn a_manual_clock_moves() {
    let world = world().await;
    let before = world.control_get("/clock").await["now_ms"].as_u64().unwrap();
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let reply = world.control_post("/clock", &json!({"advance_ms": 300_000})).await;
    assert_eq!(reply.json()["now_ms"], before + 300_000);
    assert_eq!(world.login(&code).await.errcode(), 40029);
    let reply = world.control_post("/clock", &json!({"advance_ms": u64::MAX})).await;
    assert_eq!(reply.json()["now_ms"], u64::MAX, "no wrap into the past");
    assert_eq!(world.login_as("lilei").await.errcode(), 0, "and no overflow");
    world.plain_token().await;
}

#[tokio::test]
async fn the_machines_clock_and_a_borrowed_one_do_not() {
    let system = Simulator::from_config(Config::default()).unwrap().handle();
    assert_eq!(system.advance(std::time::Duration::from_secs(1)), Err(SimError::ClockNotManual));
    assert!(system.now_ms() > 1_700_000_000_000);
    let borrowed = Simulator::builder().clock(|| 42_000).build().unwrap().handle();
    assert_eq!(borrowed.now_ms(), 42_000);
    assert_eq!(borrowed.advance(std::time::Duration::from_secs(1)), Err(SimError::ClockNotManual));
}

#[tokio::test]
async fn a_reset_goes_back_to_the_configuration_and_repeats_nothing() {
    let world = world().await;
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    let token = world.plain_token().await;
    world.add_user(named("meimei")).unwrap();
    world.set_fault(Fault::bad_gateway()).unwrap();
    world.update_app(DEFAULT_APPID, |app| app.frozen = true).unwrap();
    assert_eq!(world.control_post("/reset", &json!({})).await.status, 204);
    assert_eq!(world.users().len(), 3);
    assert_eq!(world.counters(), yaopai_sim::Counters::default());
    assert_eq!(world.login(&code).await.errcode(), 40029);
    assert_eq!(world.openid(DEFAULT_APPID, "lilei").unwrap(), openid);
    assert_eq!(world.errcode_of_token(&token).await, 40001);
    assert_ne!(world.issue_code(DEFAULT_APPID, "lilei").unwrap(), code);
}
