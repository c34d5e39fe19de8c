use serde_json::json;
use yaopai_sim::{Config, DEFAULT_APPID};

use crate::support::{OTHER_APPID, world, world_of};

#[tokio::test]
async fn a_code_is_issued_and_watched() {
    let world = world().await;
    let issued = world.control_post("/code", &json!({"app": DEFAULT_APPID, "user": "lilei"})).await;
    assert_eq!(issued.status, 201);
    let code = issued.field("code");
    let path = format!("/code/{code}");
    let info = world.control_get(&path).await;
    let expected =
        json!({"app": DEFAULT_APPID, "user": "lilei", "issued_at_ms": world.now_ms(), "used": false, "exchanges": 0});
    assert_eq!(info, expected);
    assert_eq!(world.login(&code).await.errcode(), 0);
    let info = world.control_get(&path).await;
    assert_eq!((&info["used"], &info["exchanges"]), (&json!(true), &json!(1)));
}

#[tokio::test]
async fn the_app_may_be_left_out_where_there_is_only_one() {
    let single = world_of(Config::default()).await;
    let issued = single.control_post("/code", &json!({"user": "lilei"})).await;
    assert_eq!((issued.status.as_u16(), issued.field("app")), (201, DEFAULT_APPID.into()));
    let reply = world().await.control_post("/code", &json!({"user": "lilei"})).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (400, "app_missing".into()));
}

#[tokio::test]
async fn unknown_names_are_refused() {
    let world = world().await;
    let reply = world.control_post("/code", &json!({"app": OTHER_APPID, "user": "nobody"})).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (404, "unknown_user".into()));
    let reply = world.control_post("/code", &json!({"app": "wx0", "user": "lilei"})).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (404, "unknown_app".into()));
    let reply = world.control(reqwest::Method::GET, "/code/junk", None).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn the_mock_codes_exchanges_are_counted() {
    let world = world().await;
    world.login(yaopai_sim::MOCK_CODE).await;
    assert_eq!(world.control_get("/code/the%20code%20is%20a%20mock%20one").await, json!({"exchanges": 1}));
}

#[tokio::test]
async fn a_phone_code_is_issued_and_watched() {
    let world = world().await;
    let code = world.control_post("/phone-code", &json!({"app": DEFAULT_APPID, "user": "lilei"})).await.field("code");
    assert_eq!(world.control_get(&format!("/phone-code/{code}")).await["used"], false);
    assert_eq!(world.control(reqwest::Method::GET, &format!("/code/{code}"), None).await.status, 404);
}
