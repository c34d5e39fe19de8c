use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, Endpoint};

use crate::support::{Reply, World, world};

async fn call(world: &World, more: Value) -> Reply {
    let mut body = json!({"grant_type": "client_credential", "appid": DEFAULT_APPID, "secret": DEFAULT_SECRET});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    world.post(Endpoint::StableToken, &[], &body).await
}

async fn normal(world: &World) -> (String, u64) {
    let reply = call(world, json!({})).await;
    (reply.field("access_token"), reply.json()["expires_in"].as_u64().unwrap())
}

async fn forced(world: &World) -> (String, u64) {
    let reply = call(world, json!({"force_refresh": true})).await;
    (reply.field("access_token"), reply.json()["expires_in"].as_u64().unwrap())
}

#[tokio::test]
async fn it_is_the_same_until_its_last_five_minutes() {
    let world = world().await;
    let (first, expires_in) = normal(&world).await;
    assert_eq!(expires_in, 7200);
    world.seconds(6899);
    assert_eq!(normal(&world).await, (first.clone(), 301), "the time that is left");
    world.seconds(1);
    let (second, expires_in) = normal(&world).await;
    assert_ne!(first, second);
    assert_eq!(expires_in, 7200);
    world.seconds(299);
    assert_eq!(world.errcode_of_token(&first).await, 0, "both live");
    world.seconds(1);
    assert_eq!(world.errcode_of_token(&first).await, 42001);
    assert_eq!(world.errcode_of_token(&second).await, 0);
}

#[tokio::test]
async fn force_kills_the_last_one_at_once() {
    let world = world().await;
    let (first, _) = normal(&world).await;
    let (second, expires_in) = forced(&world).await;
    assert_ne!(first, second);
    assert_eq!(expires_in, 7200);
    assert_eq!(world.errcode_of_token(&first).await, 40001);
    assert_eq!(normal(&world).await.0, second);
}

#[tokio::test]
async fn force_within_30_seconds_refreshes_nothing() {
    let world = world().await;
    normal(&world).await;
    let (first, _) = forced(&world).await;
    world.seconds(29);
    assert_eq!(forced(&world).await, (first.clone(), 7171));
    world.seconds(1);
    assert_ne!(forced(&world).await.0, first);
}

#[tokio::test]
async fn force_works_20_times_a_day() {
    let world = world().await;
    normal(&world).await;
    for n in 0..20 {
        forced(&world).await;
        world.seconds(30);
        assert_eq!(world.calls("stable_token"), n + 2);
    }
    let (current, _) = normal(&world).await;
    assert_eq!(call(&world, json!({"force_refresh": true})).await.errcode(), 45009);
    assert_eq!(normal(&world).await.0, current, "the refused one changed nothing");
    world.seconds(24 * 3600);
    normal(&world).await;
    forced(&world).await;
}

#[tokio::test]
async fn the_two_kinds_do_not_touch_each_other() {
    let world = world().await;
    let (stable, _) = normal(&world).await;
    let plain = world.plain_token().await;
    forced(&world).await;
    assert_eq!(world.errcode_of_token(&plain).await, 0);
    assert_eq!(world.errcode_of_token(&stable).await, 40001);
    let (stable, _) = normal(&world).await;
    world.plain_token().await;
    world.seconds(300);
    assert_eq!(world.errcode_of_token(&plain).await, 40001);
    assert_eq!(world.errcode_of_token(&stable).await, 0);
}

#[tokio::test]
async fn refusals() {
    let world = world().await;
    for (more, errcode) in [
        (json!({"appid": ""}), 41002),
        (json!({"secret": null}), 41004),
        (json!({"grant_type": "authorization_code"}), 40002),
        (json!({"appid": "wx0000000000000000"}), 40013),
        (json!({"secret": "wrong"}), 40125),
        (json!({"force_refresh": "true"}), 47001),
    ] {
        assert_eq!(call(&world, more.clone()).await.errcode(), errcode, "{more}");
    }
    assert_eq!(world.get(Endpoint::StableToken, &[]).await.errcode(), 43002);
    let junk = world.http.post(world.url("/cgi-bin/stable_token")).body("grant_type=client_credential");
    assert_eq!(world.send(junk).await.unwrap().errcode(), 47001);
}
