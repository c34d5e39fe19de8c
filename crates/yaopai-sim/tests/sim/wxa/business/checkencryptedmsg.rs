use serde_json::json;
use sha2::{Digest, Sha256};
use yaopai_sim::{DEFAULT_APPID, DataSpoil, Encrypt, Endpoint};

use crate::support::{OTHER_APPID, Reply, World, world};

const CHECK: Endpoint = Endpoint::Checkencryptedmsg;

async fn as_form(world: &World, token: &str, hash: &str) -> Reply {
    let url = world.url(&format!("{}?access_token={token}", CHECK.path()));
    world.send(world.http.post(url).body(format!("encrypted_msg_hash={hash}"))).await.unwrap()
}

fn phone_hash(world: &World, app: &str, how: Encrypt) -> String {
    world.issue_code(app, "lilei").unwrap();
    hex::encode(Sha256::digest(world.encrypt(app, "lilei", &how).unwrap().encrypted_data))
}

#[tokio::test]
async fn what_was_handed_out_is_valid_for_three_days() {
    let world = world().await;
    let hash = phone_hash(&world, DEFAULT_APPID, Encrypt::phone());
    let at = world.now_ms() / 1000;
    let yes = json!({"errcode": 0, "errmsg": "ok", "vaild": true, "create_time": at});
    let token = world.plain_token().await;
    assert_eq!(as_form(&world, &token, &hash).await.json(), yes);
    assert_eq!(as_form(&world, &token, &hash.to_uppercase()).await.json(), yes);
    let body = json!({"encrypted_msg_hash": hash});
    assert_eq!(world.post(CHECK, &[("access_token", &token)], &body).await.json(), yes);
    world.seconds(3 * 24 * 3600);
    let token = world.plain_token().await;
    assert_eq!(as_form(&world, &token, &hash).await.json()["vaild"], false);
}

#[tokio::test]
async fn what_was_not_is_not() {
    let world = world().await;
    let token = world.plain_token().await;
    let elsewhere = phone_hash(&world, OTHER_APPID, Encrypt::phone());
    let user_info = phone_hash(&world, DEFAULT_APPID, Encrypt::user_info());
    let spoilt = phone_hash(&world, DEFAULT_APPID, Encrypt::phone().spoil(DataSpoil::Garbage));
    for hash in [&*elsewhere, &user_info, &spoilt, "junk"] {
        let reply = as_form(&world, &token, hash).await;
        assert_eq!((reply.errcode(), &reply.json()["vaild"]), (0, &json!(false)), "{hash}");
    }
}

#[tokio::test]
async fn refusals() {
    let world = world().await;
    let token = world.plain_token().await;
    assert_eq!(as_form(&world, &token, "").await.errcode(), 47001);
    assert_eq!(as_form(&world, "junk", "x").await.errcode(), 40014);
    assert_eq!(world.get(CHECK, &[("access_token", &token)]).await.errcode(), 43002);
}
