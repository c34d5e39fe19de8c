use base64::{Engine, engine::general_purpose::STANDARD};
use yaopai_sim::{DEFAULT_APPID, Endpoint, UserKeyMethod};

use crate::{
    support::{World, hmac_hex, world},
    wxa::signed,
};

const KEYS: Endpoint = Endpoint::Getuserencryptkey;

async fn keys(world: &World) -> Vec<serde_json::Value> {
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    let reply = signed(world, KEYS, &token, &hmac_hex(key.as_bytes())).await;
    assert_eq!(reply.json()["errcode"], 0, "{}", reply.text);
    reply.json()["key_info_list"].as_array().unwrap().clone()
}

#[tokio::test]
async fn phone_and_server_see_the_same_key() {
    let world = world().await;
    let phone = world.user_key(DEFAULT_APPID, "lilei").unwrap();
    world.seconds(3);
    let server = &keys(&world).await[0];
    assert_eq!(server["encrypt_key"], phone.encrypt_key);
    assert_eq!(server["iv"], phone.iv);
    assert_eq!(server["version"], 1);
    assert_eq!(server["expire_in"], 3597);
    assert_eq!(server["create_time"], phone.create_time);
    assert_eq!(STANDARD.decode(phone.encrypt_key).unwrap().len(), 16);
    assert!(phone.iv.len() == 16 && phone.iv.is_ascii());
}

#[tokio::test]
async fn the_last_three_versions_are_listed() {
    let world = world().await;
    for _ in 0..3 {
        world.rotate_user_key(DEFAULT_APPID, "lilei").unwrap();
    }
    world.seconds(3600);
    let list = keys(&world).await;
    let versions: Vec<_> = list.iter().map(|key| key["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [4, 3, 2]);
    let left: Vec<_> = list.iter().map(|key| key["expire_in"].as_u64().unwrap()).collect();
    assert_eq!(left, [3600, 0, 0]);
}

#[tokio::test]
async fn a_post_without_body_does_as_well() {
    let world = world().await;
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    let signature = hmac_hex(key.as_bytes()).to_uppercase();
    let query = format!("access_token={token}&openid={openid}&signature={signature}&sig_method=hmac_sha256");
    let request = world.http.post(world.url(&format!("{}?{query}", KEYS.path())));
    assert_eq!(world.send(request).await.unwrap().errcode(), 0);
}

#[tokio::test]
async fn a_wrong_signature_yields_no_key() {
    let world = world().await;
    let token = world.plain_token().await;
    world.login_as("lilei").await;
    let reply = signed(&world, KEYS, &token, &hmac_hex(b"wrong")).await;
    assert_eq!(reply.errcode(), 87009);
    assert!(reply.json().get("key_info_list").is_none());
}

#[tokio::test]
async fn one_method_can_be_the_only_one() {
    let world = world().await;
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    let signature = hmac_hex(key.as_bytes());
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    let query =
        [("access_token", &*token), ("openid", &openid), ("signature", &signature), ("sig_method", "hmac_sha256")];
    for (method, get, post) in [(UserKeyMethod::Get, 0, 43001), (UserKeyMethod::Post, 43002, 0)] {
        world.update_app(DEFAULT_APPID, |app| app.guesses.user_key_method = method).unwrap();
        assert_eq!(world.get(KEYS, &query).await.errcode(), get);
        assert_eq!(world.post(KEYS, &query, &serde_json::json!({})).await.errcode(), post);
    }
}
