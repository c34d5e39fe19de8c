use reqwest::Method;
use serde_json::json;
use yaopai_sim::{DEFAULT_APPID, SimError};

use crate::support::{named, world};

#[tokio::test]
async fn users_are_listed_with_their_ids() {
    let world = world().await;
    let users = world.control_get("/users").await["users"].as_array().unwrap().clone();
    let names: Vec<_> = users.iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lilei", "xiaohong", "xiaoming"]);
    assert_eq!(users[0]["openids"][DEFAULT_APPID], world.openid(DEFAULT_APPID, "lilei").unwrap());
    assert_eq!(users[0]["unionids"][DEFAULT_APPID], json!(world.unionid(DEFAULT_APPID, "lilei").unwrap()));
}

#[tokio::test]
async fn a_user_is_added_and_can_log_in() {
    let world = world().await;
    let body = json!({"name": "meimei", "phone": "13800000000", "openids": {DEFAULT_APPID: "oMeimei"}});
    let reply = world.control_post("/users", &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.json()["phone"], "13800000000");
    assert_eq!(world.login_as("meimei").await.field("openid"), "oMeimei");
    assert_eq!(world.control_get("/users/meimei").await, reply.json());
}

#[tokio::test]
async fn doubles_and_nonsense_are_refused() {
    let world = world().await;
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    for (body, status, error) in [
        (json!({"name": "lilei"}), 409, "exists"),
        (json!({"name": "meimei", "openids": {DEFAULT_APPID: openid}}), 409, "exists"),
        (json!({"name": "meimei", "openids": {"wx0": "o"}}), 404, "unknown_app"),
        (json!({"name": ""}), 400, "invalid"),
        (json!({"name": "x".repeat(65)}), 400, "invalid"),
    ] {
        let reply = world.control_post("/users", &body).await;
        assert_eq!((reply.status.as_u16(), &*reply.field("error")), (status, error), "{body}");
    }
    assert_eq!(world.users().len(), 3);
    assert!(matches!(world.add_user(named("lilei")), Err(SimError::Exists(_))));
}

#[tokio::test]
async fn a_user_is_blocked_and_gets_another_number() {
    let world = world().await;
    let reply = world.control(Method::PATCH, "/users/lilei", Some(&json!({"blocked": true, "phone": "139"}))).await;
    assert_eq!((&reply.json()["blocked"], &reply.json()["phone"]), (&json!(true), &json!("139")));
    assert_eq!(world.login_as("lilei").await.errcode(), 40226);
    let reply = world.control(Method::PATCH, "/users/nobody", Some(&json!({"blocked": true}))).await;
    assert_eq!(reply.status, 404);
    let reply = world.control(Method::PATCH, "/users/lilei", Some(&json!({"name": "x"}))).await;
    assert_eq!(reply.status, 400);
}
