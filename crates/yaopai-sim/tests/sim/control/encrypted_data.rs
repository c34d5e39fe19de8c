//! `POST /_sim/encrypted-data`, looked at as the server under test would.

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, DataKey, DataSpoil, Encrypt, SimError};

use crate::support::{OTHER_APPID, World, world};

async fn handed(world: &World, more: Value) -> Value {
    let mut body = json!({"app": DEFAULT_APPID, "user": "lilei"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = world.control_post("/encrypted-data", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// What is wrong, or the plain text.
fn open(handed: &Value, session_key: &str) -> Result<Value, &'static str> {
    let decode = |text: &Value| STANDARD.decode(text.as_str().unwrap()).map_err(|_| "base64");
    let (key, iv) = (STANDARD.decode(session_key).unwrap(), decode(&handed["iv"])?);
    let cipher = cbc::Decryptor::<Aes128>::new_from_slices(&key, &iv).map_err(|_| "length of the iv")?;
    let plain = cipher.decrypt_padded_vec::<Pkcs7>(&decode(&handed["encryptedData"])?).map_err(|_| "padding")?;
    serde_json::from_slice(&plain).map_err(|_| "json")
}

#[tokio::test]
async fn user_info_has_ids_and_a_watermark() {
    let world = world().await;
    let key = world.login_as("lilei").await.field("session_key");
    let data = handed(&world, json!({})).await;
    let plain = open(&data, &key).unwrap();
    assert_eq!(plain["openId"], world.openid(DEFAULT_APPID, "lilei").unwrap());
    assert_eq!(plain["unionId"], world.unionid(DEFAULT_APPID, "lilei").unwrap().unwrap());
    assert_eq!(plain["watermark"], json!({"timestamp": world.now_ms() / 1000, "appid": DEFAULT_APPID}));
    let raw: Value = serde_json::from_str(data["rawData"].as_str().unwrap()).unwrap();
    assert_eq!(raw["nickName"], plain["nickName"]);
    assert!(raw.get("openId").is_none());
    use sha1::{Digest, Sha1};
    let signed = format!("{}{key}", data["rawData"].as_str().unwrap());
    assert_eq!(data["signature"], hex::encode(Sha1::digest(signed)), "with the key's text");
    world.update_app(DEFAULT_APPID, |app| app.answer.unionid = false).unwrap();
    assert!(open(&handed(&world, json!({})).await, &key).unwrap().get("unionId").is_none());
}

#[tokio::test]
async fn phone_data_have_the_number_and_nothing_else() {
    let world = world().await;
    world.set_phone("lilei", "13800138000").unwrap();
    let key = world.login_as("lilei").await.field("session_key");
    let data = handed(&world, json!({"data": "phone"})).await;
    let expected = json!({"phoneNumber": "13800138000", "purePhoneNumber": "13800138000", "countryCode": "86",
        "watermark": {"timestamp": world.now_ms() / 1000, "appid": DEFAULT_APPID}});
    assert_eq!(open(&data, &key).unwrap(), expected);
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["encryptedData", "iv"]);
    assert_ne!(handed(&world, json!({"data": "phone"})).await, data, "another iv each time");
}

#[tokio::test]
async fn any_data_get_a_watermark() {
    let world = world().await;
    let key = world.login_as("lilei").await.field("session_key");
    let data = handed(&world, json!({"data": {"custom": {"openGId": "G1"}}, "watermark_timestamp": 1})).await;
    let expected = json!({"openGId": "G1", "watermark": {"timestamp": 1, "appid": DEFAULT_APPID}});
    assert_eq!(open(&data, &key).unwrap(), expected);
    let data = handed(&world, json!({"watermark_appid": OTHER_APPID})).await;
    assert_eq!(open(&data, &key).unwrap()["watermark"]["appid"], OTHER_APPID);
}

/// The race that users meet: the phone's login displaces the key that the server holds.
#[tokio::test]
async fn an_old_key_is_the_one_before() {
    let world = world().await;
    let first = world.login_as("lilei").await.field("session_key");
    let body = json!({"app": DEFAULT_APPID, "user": "lilei", "key": "old"});
    let reply = world.control_post("/encrypted-data", &body).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (409, "no_session_key".into()));
    let second = world.login_as("lilei").await.field("session_key");
    assert!(open(&handed(&world, json!({"key": "old"})).await, &first).is_ok());
    assert!(open(&handed(&world, json!({})).await, &second).is_ok());
    assert!(open(&handed(&world, json!({})).await, &first).is_err());
    world.expire_session_key(DEFAULT_APPID, "lilei").unwrap();
    assert!(open(&handed(&world, json!({"key": "old"})).await, &second).is_ok(), "of none, the last");
    assert_eq!(world.encrypt(DEFAULT_APPID, "lilei", &Encrypt::user_info()), Err(SimError::NoSessionKey));
}

#[tokio::test]
async fn other_keys_can_be_given() {
    let world = world().await;
    let given = "tiihtNczf5v6AKRyjwEUhQ==";
    assert!(open(&handed(&world, json!({"key": {"given": given}})).await, given).is_ok(), "needs no login");
    assert!(open(&handed(&world, json!({"key": "random"})).await, given).is_err());
    let short = Encrypt::user_info().key(DataKey::Given("AAAA".to_owned()));
    assert!(matches!(world.encrypt(DEFAULT_APPID, "lilei", &short), Err(SimError::Invalid(_))));
    assert!(!format!("{:?}", DataKey::Given(given.to_owned())).contains(given));
}

#[tokio::test]
async fn each_spoil_fails_in_its_own_way() {
    let world = world().await;
    let key = world.login_as("lilei").await.field("session_key");
    for spoil in DataSpoil::ALL {
        let data = json!(world.encrypt(DEFAULT_APPID, "lilei", &Encrypt::phone().spoil(spoil)).unwrap());
        let result = open(&data, &key);
        match spoil {
            // One in 256 wrong last blocks looks padded.
            DataSpoil::Garbage | DataSpoil::MissingBlock => assert!(matches!(result, Err("padding" | "json"))),
            DataSpoil::Truncated | DataSpoil::Empty => assert_eq!(result, Err("padding")),
            DataSpoil::NotBase64 => assert_eq!(result, Err("base64")),
            DataSpoil::NotJson => assert_eq!(result, Err("json")),
            DataSpoil::NoWatermark => assert!(result.unwrap().get("watermark").is_none()),
            DataSpoil::ShortIv => assert_eq!(result, Err("length of the iv")),
        }
    }
}
