use base64::{Engine, engine::general_purpose::STANDARD};
use yaopai_sim::{DEFAULT_APPID, Endpoint, MinRefresh};

use super::signed;
use crate::support::{OTHER_APPID, hmac_hex, world, world_with};

const CHECK: Endpoint = Endpoint::Checksession;

#[tokio::test]
async fn the_live_key_passes_in_either_case() {
    let world = world().await;
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    let signature = hmac_hex(key.as_bytes());
    let reply = signed(&world, CHECK, &token, &signature).await;
    assert_eq!(reply.text, r#"{"errcode":0,"errmsg":"ok"}"#);
    assert_eq!(signed(&world, CHECK, &token, &signature.to_uppercase()).await.errcode(), 0);
}

/// Keys of the vendor's tutorial and of its decryption example; the signatures were computed outside of this crate.
#[tokio::test]
async fn vectors_pass() {
    let world = world_with(|app| app.session_key.min_refresh = MinRefresh::Never).await;
    let token = world.plain_token().await;
    for (key, signature) in [
        ("o0q0otL8aEzpcZL/FT9WsQ==", "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"),
        ("tiihtNczf5v6AKRyjwEUhQ==", "7154f9f8b4b76b92f541cbf0e37d48840fa06e5e42da92a6f80168a1516a4735"),
    ] {
        world.set_session_key(DEFAULT_APPID, "lilei", key).unwrap();
        assert_eq!(signed(&world, CHECK, &token, signature).await.errcode(), 0, "{key}");
    }
}

/// The classic mistake: the 16 bytes in place of their base64 text.
#[tokio::test]
async fn the_decoded_key_is_the_wrong_key() {
    let world = world().await;
    let token = world.plain_token().await;
    let key = world.login_as("lilei").await.field("session_key");
    let reply = signed(&world, CHECK, &token, &hmac_hex(&STANDARD.decode(key).unwrap())).await;
    assert_eq!(reply.errcode(), 87009);
    assert!(reply.field("errmsg").starts_with("invalid signature rid: "));
}

#[tokio::test]
async fn a_displaced_or_expired_key_fails() {
    let world = world().await;
    let token = world.plain_token().await;
    let signature = hmac_hex(world.login_as("lilei").await.field("session_key").as_bytes());
    world.login_as("xiaoming").await;
    assert_eq!(signed(&world, CHECK, &token, &signature).await.errcode(), 0);
    world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(signed(&world, CHECK, &token, &signature).await.errcode(), 87009);
    let signature = hmac_hex(world.rotate_session_key(DEFAULT_APPID, "lilei").unwrap().as_bytes());
    assert_eq!(signed(&world, CHECK, &token, &signature).await.errcode(), 0);
    world.expire_session_key(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(signed(&world, CHECK, &token, &signature).await.errcode(), 87009);
}

#[tokio::test]
async fn refusals() {
    let world = world().await;
    let token = world.plain_token().await;
    let signature = hmac_hex(world.login_as("lilei").await.field("session_key").as_bytes());
    let [openid, elsewhere] = [DEFAULT_APPID, OTHER_APPID].map(|app| world.openid(app, "lilei").unwrap());
    let (token, method) = (("access_token", &*token), ("sig_method", "hmac_sha256"));
    let rows: &[(&[(&str, &str)], i64)] = &[
        (&[("openid", &openid), ("signature", &signature), method], 41001),
        (&[token, ("signature", &signature), method], 40003),
        (&[token, ("openid", &elsewhere), ("signature", &signature), method], 40003),
        (&[token, ("openid", &openid), ("signature", &signature)], 87008),
        (&[token, ("openid", &openid), ("signature", &signature), ("sig_method", "md5")], 87008),
        (&[token, ("openid", &openid), method], 87009),
        (&[token, ("openid", &openid), ("signature", "00"), method], 87009),
    ];
    for (query, errcode) in rows {
        assert_eq!(world.get(CHECK, query).await.errcode(), *errcode, "{query:?}");
    }
}

#[tokio::test]
async fn upper_case_can_be_wrong() {
    let world = world_with(|app| app.guesses.lower_case_signatures = true).await;
    let token = world.plain_token().await;
    let signature = hmac_hex(world.login_as("lilei").await.field("session_key").as_bytes());
    assert_eq!(signed(&world, CHECK, &token, &signature).await.errcode(), 0);
    assert_eq!(signed(&world, CHECK, &token, &signature.to_uppercase()).await.errcode(), 87009);
}
