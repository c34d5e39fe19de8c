use yaopai_sim::{DEFAULT_APPID, Endpoint};

use super::signed;
use crate::support::{hmac_hex, world};

const RESET: Endpoint = Endpoint::Resetusersessionkey;

#[tokio::test]
async fn the_old_key_dies_at_once() {
    let world = world().await;
    let token = world.plain_token().await;
    let old = world.login_as("lilei").await.field("session_key");
    let reply = signed(&world, RESET, &token, &hmac_hex(old.as_bytes())).await;
    assert_eq!(reply.json()["errcode"], 0);
    assert_eq!(reply.field("openid"), world.openid(DEFAULT_APPID, "lilei").unwrap());
    let new = reply.field("session_key");
    assert_ne!(old, new);
    assert_eq!(signed(&world, Endpoint::Checksession, &token, &hmac_hex(old.as_bytes())).await.errcode(), 87009);
    assert_eq!(signed(&world, Endpoint::Checksession, &token, &hmac_hex(new.as_bytes())).await.errcode(), 0);
}

#[tokio::test]
async fn it_is_no_renewal() {
    let world = world().await;
    let old = world.login_as("lilei").await.field("session_key");
    world.seconds(3 * 24 * 3600 - 10);
    let token = world.plain_token().await;
    let new = signed(&world, RESET, &token, &hmac_hex(old.as_bytes())).await.field("session_key");
    assert_eq!(world.session_key(DEFAULT_APPID, "lilei").unwrap(), Some(new.clone()));
    world.seconds(10);
    assert_eq!(world.session_key(DEFAULT_APPID, "lilei").unwrap(), None);
    assert_eq!(signed(&world, RESET, &token, &hmac_hex(new.as_bytes())).await.errcode(), 87009);
}

#[tokio::test]
async fn a_wrong_signature_resets_nothing() {
    let world = world().await;
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    assert_eq!(signed(&world, RESET, &token, &hmac_hex(b"wrong")).await.errcode(), 87009);
    assert_eq!(world.session_key(DEFAULT_APPID, "lilei").unwrap(), Some(key));
}
