//! When a login replaces the session_key.

use yaopai_sim::{DEFAULT_APPID, MinRefresh, RotateAt};

use crate::support::{World, world_with};

async fn world(min_refresh: MinRefresh, rotate_at: RotateAt) -> World {
    world_with(|app| {
        app.session_key.min_refresh = min_refresh;
        app.session_key.rotate_at = rotate_at;
    })
    .await
}

fn key(world: &World) -> Option<String> {
    world.session_key(DEFAULT_APPID, "lilei").unwrap()
}

fn issue(world: &World) -> String {
    world.issue_code(DEFAULT_APPID, "lilei").unwrap()
}

#[tokio::test]
async fn at_issue_the_phone_alone_displaces_the_servers_key() {
    let world = world(MinRefresh::Seconds(0), RotateAt::Issue).await;
    let first = world.login_as("lilei").await.field("session_key");
    assert_eq!(key(&world), Some(first.clone()));
    let code = issue(&world);
    let displaced = key(&world).unwrap();
    assert_ne!(displaced, first);
    assert_eq!(world.login(&code).await.field("session_key"), displaced, "the exchange itself replaces nothing");
}

#[tokio::test]
async fn at_exchange_the_code_alone_displaces_nothing() {
    let world = world(MinRefresh::Seconds(0), RotateAt::Exchange).await;
    let first = world.login_as("lilei").await.field("session_key");
    let code = issue(&world);
    assert_eq!(key(&world), Some(first.clone()));
    assert_ne!(world.login(&code).await.field("session_key"), first);
}

#[tokio::test]
async fn at_both_each_step_displaces_it() {
    let world = world(MinRefresh::Seconds(0), RotateAt::Both).await;
    let code = issue(&world);
    let issued = key(&world).unwrap();
    assert_ne!(world.login(&code).await.field("session_key"), issued);
}

#[tokio::test]
async fn a_young_key_is_kept() {
    let world = world(MinRefresh::Seconds(60), RotateAt::Issue).await;
    let first = world.login_as("lilei").await.field("session_key");
    world.seconds(59);
    assert_eq!(world.login_as("lilei").await.field("session_key"), first);
    world.seconds(1);
    assert_ne!(world.login_as("lilei").await.field("session_key"), first);
}

#[tokio::test]
async fn never_means_until_it_expires() {
    let world = world(MinRefresh::Never, RotateAt::Both).await;
    let first = world.login_as("lilei").await.field("session_key");
    world.seconds(3 * 24 * 3600 - 1);
    assert_eq!(world.login_as("lilei").await.field("session_key"), first);
    world.seconds(1);
    assert_eq!(key(&world), None);
    assert_ne!(world.login_as("lilei").await.field("session_key"), first);
}

#[tokio::test]
async fn every_user_and_app_has_its_own() {
    let world = world(MinRefresh::Seconds(0), RotateAt::Issue).await;
    let first = world.login_as("lilei").await.field("session_key");
    world.login_as("xiaoming").await;
    world.issue_code(crate::support::OTHER_APPID, "lilei").unwrap();
    assert_eq!(key(&world), Some(first));
}
