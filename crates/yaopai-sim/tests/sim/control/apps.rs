use reqwest::Method;
use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, MinRefresh};

use crate::support::{Reply, World, world};

async fn patch(world: &World, body: Value) -> Reply {
    world.control(Method::PATCH, &format!("/apps/{DEFAULT_APPID}"), Some(&body)).await
}

#[tokio::test]
async fn apps_are_shown_without_secrets() {
    let world = world().await;
    let shown = world.control_get("/apps").await;
    assert_eq!(shown["apps"].as_array().unwrap().len(), 2);
    assert!(!shown.to_string().contains(DEFAULT_SECRET) && !shown.to_string().contains("secret"));
    assert_eq!(world.control_get(&format!("/apps/{DEFAULT_APPID}")).await["appid"], DEFAULT_APPID);
}

#[tokio::test]
async fn a_change_leaves_the_rest_alone() {
    let world = world().await;
    let reply = patch(&world, json!({"answer": {"errcode_zero": true}, "session_key": {"min_refresh": "never"}})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["answer"]["unionid"], true);
    let app = world.apps().into_iter().find(|app| app.appid == DEFAULT_APPID).unwrap();
    assert!(app.answer.errcode_zero && app.answer.unionid);
    assert_eq!(app.session_key.min_refresh, MinRefresh::Never);
    assert_eq!(world.login_as("lilei").await.json()["errcode"], 0);
    assert_eq!(patch(&world, json!({"session_key": null})).await.status, 200);
    let app = world.apps().into_iter().find(|app| app.appid == DEFAULT_APPID).unwrap();
    assert_eq!(app.session_key.min_refresh, MinRefresh::Seconds(0), "null is the default");
}

#[tokio::test]
async fn a_new_secret_counts_at_once() {
    let world = world().await;
    assert_eq!(patch(&world, json!({"secret": "another"})).await.status, 200);
    assert_eq!(world.login_as("lilei").await.errcode(), 40125);
}

#[tokio::test]
async fn nonsense_changes_nothing() {
    let world = world().await;
    for (body, word) in [
        (json!({"frozen": true, "nonsense": 1}), "nonsense"),
        (json!({"frozen": true, "answer": {"nonsense": 1}}), "nonsense"),
        (json!({"frozen": true, "session_key": {"min_refresh": "often"}}), "min_refresh"),
        (json!({"frozen": true, "appid": "wx0000000000000000"}), "appid"),
        (json!({"frozen": true, "open_platform": "x"}), "open_platform"),
        (json!({"frozen": true, "secret": ""}), "secret"),
        (json!({"frozen": "yes"}), "boolean"),
    ] {
        let reply = patch(&world, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.field("message").contains(word), "{}", reply.text);
    }
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
    let reply = world.control(Method::PATCH, "/apps/wx0", Some(&json!({}))).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (404, "unknown_app".into()));
}

#[tokio::test]
async fn a_secret_is_rotated_under_the_server() {
    let world = world().await;
    let token = world.plain_token().await;
    let path = format!("/apps/{DEFAULT_APPID}/secret");
    let fresh = world.control_post(&path, &json!({})).await.field("secret");
    assert!(fresh.len() == 32 && fresh != DEFAULT_SECRET, "{fresh}");
    assert_eq!(world.login_as("lilei").await.errcode(), 40125);
    assert_eq!(world.errcode_of_token(&token).await, 40001);
    assert_eq!(world.control_post(&path, &json!({"secret": DEFAULT_SECRET})).await.field("secret"), DEFAULT_SECRET);
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
    assert_eq!(world.control_post(&path, &json!({"secret": ""})).await.status, 400);
    assert_eq!(world.control_post("/apps/wx0/secret", &json!({})).await.status, 404);
}

#[tokio::test]
async fn push_is_switched_on_checked_and_shown_without_secrets() {
    let world = world().await;
    let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    let good =
        json!({"url": "https://example.com/push", "token": "pushtoken", "encoding_aes_key": key, "mode": "safe"});
    let with = |name: &str, value: Value| {
        let mut push = good.clone();
        push[name] = value;
        json!({"push": push})
    };
    for (body, word) in [
        (with("url", json!("ftp://example.com/")), "url"),
        (with("url", json!("/push")), "url"),
        (with("token", json!("no")), "token"),
        (with("token", json!("with space")), "token"),
        (with("encoding_aes_key", json!("short")), "encoding_aes_key"),
        (with("encoding_aes_key", json!(format!("{}!", &key[..42]))), "encoding_aes_key"),
        (with("encoding_aes_key", Value::Null), "encoding_aes_key"),
        (with("timeout_ms", json!(0)), "timeout_ms"),
        (with("timeout_ms", json!(60_001)), "timeout_ms"),
        (with("mode", json!("aes")), "unknown variant `aes`"),
        (with("nonsense", json!(1)), "nonsense"),
    ] {
        let reply = patch(&world, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.field("message").contains(word), "{}", reply.text);
    }
    let reply = patch(&world, json!({"push": good})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["push"]["mode"], "safe");
    assert!(!reply.text.contains(key) && !reply.text.contains("pushtoken"), "{}", reply.text);
    assert_eq!(patch(&world, json!({"push": null})).await.json().get("push"), None);
}
