use serde_json::json;
use yaopai_sim::DEFAULT_APPID;

use crate::support::world;

#[tokio::test]
async fn a_session_key_is_shown_set_rotated_and_expired() {
    let world = world().await;
    let ask = |more: serde_json::Value| {
        let mut body = json!({"app": DEFAULT_APPID, "user": "lilei"});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let path = "/session-key";
    assert_eq!(world.control_post(path, &ask(json!({}))).await.json(), json!({"session_key": null}));
    let key = world.login_as("lilei").await.field("session_key");
    assert_eq!(world.control_post(path, &ask(json!({}))).await.field("session_key"), key);
    let rotated = world.control_post(path, &ask(json!({"action": "rotate"}))).await.field("session_key");
    assert_ne!(rotated, key);
    let set = "tiihtNczf5v6AKRyjwEUhQ==";
    let body = ask(json!({"action": "set", "session_key": set}));
    assert_eq!(world.control_post(path, &body).await.field("session_key"), set);
    for wrong in ["", "short", "AAAA"] {
        let body = ask(json!({"action": "set", "session_key": wrong}));
        assert_eq!(world.control_post(path, &body).await.status, 400, "{wrong}");
    }
    let expired = world.control_post(path, &ask(json!({"action": "expire"}))).await;
    assert_eq!(expired.json(), json!({"session_key": null}));
}

#[tokio::test]
async fn a_user_key_is_shown_and_rotated() {
    let world = world().await;
    let body = json!({"app": DEFAULT_APPID, "user": "lilei"});
    let first = world.control_post("/user-key", &body).await;
    assert_eq!(first.json()["version"], 1);
    assert_eq!(world.control_post("/user-key", &body).await.json(), first.json());
    let body = json!({"app": DEFAULT_APPID, "user": "lilei", "action": "rotate"});
    assert_eq!(world.control_post("/user-key", &body).await.json()["version"], 2);
}

#[tokio::test]
async fn access_tokens_are_revoked() {
    let world = world().await;
    let token = world.plain_token().await;
    assert_eq!(world.control_post("/access-tokens/revoke", &json!({"app": DEFAULT_APPID})).await.status, 204);
    assert_eq!(world.errcode_of_token(&token).await, 40001);
}
