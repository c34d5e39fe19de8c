use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, Endpoint};

use crate::support::{OTHER_APPID, Reply, World, world};

async fn call(world: &World, token: &str, body: Value) -> Reply {
    world.post(Endpoint::Getuserphonenumber, &[("access_token", token)], &body).await
}

#[tokio::test]
async fn a_phone_code_yields_the_number_once() {
    let world = world().await;
    let token = world.plain_token().await;
    world.set_phone("lilei", "13800138000").unwrap();
    let code = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    let reply = call(&world, &token, json!({"code": code})).await;
    let expected = json!({"errcode": 0, "errmsg": "ok", "phone_info": {
        "phoneNumber": "13800138000", "purePhoneNumber": "13800138000", "countryCode": "86",
        "watermark": {"timestamp": world.now_ms() / 1000, "appid": DEFAULT_APPID}}});
    assert_eq!(reply.json(), expected);
    assert_eq!(call(&world, &token, json!({"code": code})).await.errcode(), 40029);
    assert_eq!(world.phone_code(&code).unwrap().exchanges, 2);
}

#[tokio::test]
async fn the_country_code_can_be_a_number() {
    let world = world().await;
    let token = world.plain_token().await;
    world.update_app(DEFAULT_APPID, |app| app.answer.numeric_country_code = true).unwrap();
    let code = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(call(&world, &token, json!({"code": code})).await.json()["phone_info"]["countryCode"], 86);
}

#[tokio::test]
async fn login_codes_and_phone_codes_do_not_mix() {
    let world = world().await;
    let token = world.plain_token().await;
    let login = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let phone = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(call(&world, &token, json!({"code": login})).await.errcode(), 40029);
    assert_eq!(world.login(&phone).await.errcode(), 40029);
    assert_eq!(world.login(&login).await.errcode(), 0);
    assert_eq!(call(&world, &token, json!({"code": phone})).await.errcode(), 0);
}

#[tokio::test]
async fn another_openid_is_refused_and_does_not_consume_the_code() {
    let world = world().await;
    let token = world.plain_token().await;
    let code = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    let [right, wrong] = ["lilei", "xiaoming"].map(|user| world.openid(DEFAULT_APPID, user).unwrap());
    assert_eq!(call(&world, &token, json!({"code": code, "openid": wrong})).await.errcode(), 40003);
    assert_eq!(call(&world, &token, json!({"code": code, "openid": "oJunk"})).await.errcode(), 40003);
    assert_eq!(call(&world, &token, json!({"code": code, "openid": right})).await.errcode(), 0);
}

#[tokio::test]
async fn refusals() {
    let world = world().await;
    let token = world.plain_token().await;
    let late = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    world.seconds(300);
    let elsewhere = world.issue_phone_code(OTHER_APPID, "lilei").unwrap();
    assert_eq!(call(&world, &token, json!({"code": late})).await.errcode(), 40029);
    assert_eq!(call(&world, &token, json!({"code": elsewhere})).await.errcode(), 40029);
    assert_eq!(call(&world, &token, json!({})).await.errcode(), 40029);
    assert_eq!(call(&world, &token, json!("text")).await.errcode(), 47001);
    assert_eq!(call(&world, "junk", json!({"code": elsewhere})).await.errcode(), 40014);
    assert_eq!(world.get(Endpoint::Getuserphonenumber, &[("access_token", &token)]).await.errcode(), 43002);
}
