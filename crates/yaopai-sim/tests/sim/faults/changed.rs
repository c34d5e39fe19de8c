//! Faults after which the world is another one.

use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault, FaultKind, When};

use crate::support::{OTHER_APPID, World, login_query, world};

fn secret_of(world: &World, appid: &str) -> String {
    let apps = world.apps();
    apps.iter().find(|app| app.appid == appid).unwrap().secret.expose().to_owned()
}

#[tokio::test]
async fn a_secret_that_is_rotated_before_refuses_this_call_and_every_later_one() {
    let world = world().await;
    let token = world.plain_token().await;
    world
        .set_fault(Fault::new(FaultKind::SecretRotated).app(DEFAULT_APPID).on(Endpoint::Jscode2session).once())
        .unwrap();
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let other = secret_of(&world, OTHER_APPID);
    assert_eq!(world.login(&code).await.errcode(), 40125);
    assert_eq!(world.login(&code).await.errcode(), 40125, "for good");
    let secret = secret_of(&world, DEFAULT_APPID);
    let mut query = login_query(&code);
    query[1].1 = &secret;
    assert_eq!(world.get(Endpoint::Jscode2session, &query).await.errcode(), 0, "the code was not consumed");
    assert_eq!(secret_of(&world, OTHER_APPID), other);
    let query = [("access_token", &*token)];
    assert_eq!(world.get(Endpoint::Checksession, &query).await.errcode(), 40001, "the tokens die with it");
}

#[tokio::test]
async fn a_secret_that_is_rotated_after_lets_this_answer_through() {
    let world = world().await;
    world.set_fault(Fault::new(FaultKind::SecretRotated).when(When::After).once()).unwrap();
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
    assert_eq!(world.login_as("lilei").await.errcode(), 40125);
}

#[tokio::test]
async fn tokens_die_before_or_after_a_call() {
    let world = world().await;
    for (when, first) in [(When::Before, 40001), (When::After, 0)] {
        let request = world.good_call(Endpoint::Checksession).await;
        world.set_fault(Fault::new(FaultKind::TokensRevoked).when(when).on(Endpoint::Checksession).once()).unwrap();
        let again = request.try_clone().unwrap();
        assert_eq!(world.send(request).await.unwrap().errcode(), first);
        assert_eq!(world.send(again).await.unwrap().errcode(), 40001);
    }
}

/// The other device's login falls between this device's answer and its use.
#[tokio::test]
async fn a_session_key_that_is_rotated_after_is_stale_when_it_arrives() {
    let world = world().await;
    world.set_fault(Fault::new(FaultKind::SessionKeyRotated).user("lilei").once()).unwrap();
    let answered = world.login_as("lilei").await.field("session_key");
    assert_ne!(world.session_key(DEFAULT_APPID, "lilei").unwrap(), Some(answered));
    let request = world.good_call(Endpoint::Checksession).await;
    world.set_fault(Fault::new(FaultKind::SessionKeyRotated).when(When::Before).once()).unwrap();
    assert_eq!(world.send(request).await.unwrap().errcode(), 87009);
}
