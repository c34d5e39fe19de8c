use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, Endpoint};

use crate::support::{OTHER_APPID, world};

const QUERY: [(&str, &str); 3] =
    [("grant_type", "client_credential"), ("appid", DEFAULT_APPID), ("secret", DEFAULT_SECRET)];

#[tokio::test]
async fn a_token_is_issued_for_two_hours() {
    let world = world().await;
    let reply = world.get(Endpoint::Token, &QUERY).await;
    assert_eq!(reply.headers["content-type"], "application/json; encoding=utf-8");
    let token = reply.field("access_token");
    assert_eq!(reply.json()["expires_in"], 7200);
    assert!(reply.json().get("errcode").is_none());
    assert_eq!(world.errcode_of_token(&token).await, 0);
    world.seconds(7199);
    assert_eq!(world.errcode_of_token(&token).await, 0);
    world.seconds(1);
    assert_eq!(world.errcode_of_token(&token).await, 42001);
}

#[tokio::test]
async fn the_one_before_passes_five_minutes_more() {
    let world = world().await;
    let old = world.plain_token().await;
    let new = world.plain_token().await;
    assert_ne!(old, new);
    world.seconds(299);
    assert_eq!(world.errcode_of_token(&old).await, 0);
    assert_eq!(world.errcode_of_token(&new).await, 0);
    world.seconds(1);
    assert_eq!(world.errcode_of_token(&old).await, 40001);
    assert_eq!(world.errcode_of_token(&new).await, 0);
}

#[tokio::test]
async fn bad_tokens_are_told_apart() {
    let world = world().await;
    let mut unknown = world.plain_token().await;
    let last = unknown.pop().unwrap();
    unknown.push(if last == 'A' { 'B' } else { 'A' });
    assert_eq!(world.errcode_of_token(&unknown).await, 40001);
    assert_eq!(world.errcode_of_token("junk").await, 40014);
    assert_eq!(world.errcode_of_token("").await, 41001);
}

#[tokio::test]
async fn revoked_tokens_are_dead_at_once() {
    let world = world().await;
    let token = world.plain_token().await;
    world.revoke_access_tokens(OTHER_APPID).unwrap();
    assert_eq!(world.errcode_of_token(&token).await, 0);
    world.revoke_access_tokens(DEFAULT_APPID).unwrap();
    assert_eq!(world.errcode_of_token(&token).await, 40001);
}

#[tokio::test]
async fn refusals() {
    let world = world().await;
    let [grant, app, secret] = QUERY;
    let rows: &[(&[(&str, &str)], i64)] = &[
        (&[grant, secret], 41002),
        (&[grant, app], 41004),
        (&[app, secret], 40002),
        (&[grant, ("appid", "wx0000000000000000"), secret], 40013),
        (&[grant, app, ("secret", "wrong")], 40125),
    ];
    for (query, errcode) in rows {
        assert_eq!(world.get(Endpoint::Token, query).await.errcode(), *errcode, "{query:?}");
    }
    assert_eq!(world.post(Endpoint::Token, &QUERY, &serde_json::json!({})).await.errcode(), 43001);
    world.update_app(DEFAULT_APPID, |app| app.frozen = true).unwrap();
    assert_eq!(world.get(Endpoint::Token, &QUERY).await.errcode(), 40243);
    world.update_app(DEFAULT_APPID, |app| app.ip_whitelist = vec!["::1".parse().unwrap()]).unwrap();
    assert_eq!(world.get(Endpoint::Token, &QUERY).await.errcode(), 40164);
}
