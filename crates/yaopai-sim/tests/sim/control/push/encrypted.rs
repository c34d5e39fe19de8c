//! The modes that encrypt, opened as the vendor's page says.

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding},
};
use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use serde_json::Value;
use yaopai_sim::{DEFAULT_APPID, Push, PushFormat, PushMode, Secret, SimHandle};

use super::{AES_KEY, is_message_signed, is_signed, pushing, pushing_in};

/// The message and the appid inside; `None` where padding or length don't fit.
pub fn open(encrypted: &str, aes_key: &str) -> Option<(String, String)> {
    let lenient = GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let key = lenient.decode(format!("{aes_key}=")).unwrap();
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&key, &key[..16]).unwrap();
    let plain = cipher.decrypt_padded_vec::<NoPadding>(&STANDARD.decode(encrypted).ok()?).ok()?;
    let padding = usize::from(*plain.last()?);
    if !(1..=32).contains(&padding)
        || !plain.len().is_multiple_of(32)
        || !plain.ends_with(&vec![padding as u8; padding])
    {
        return None;
    }
    let plain = &plain[16..plain.len() - padding];
    let length = u32::from_be_bytes(plain.get(..4)?.try_into().ok()?) as usize;
    let (message, appid) = plain[4..].split_at_checked(length)?;
    Some((String::from_utf8(message.to_vec()).ok()?, String::from_utf8(appid.to_vec()).ok()?))
}

fn opened(body: &Value) -> (Value, String) {
    let (message, appid) = open(body["Encrypt"].as_str().unwrap(), AES_KEY).unwrap();
    (serde_json::from_str(&message).unwrap(), appid)
}

#[tokio::test]
async fn safe_mode_shows_nothing_but_to_whom() {
    let (world, receiver) = pushing_in(PushMode::Safe).await;
    // Messages of 40 lengths: every padding comes up.
    for length in 0..40 {
        let push = Push::authorization_revoked("lilei", "x".repeat(length));
        assert!(world.push(DEFAULT_APPID, &push).await.unwrap().accepted);
        let [got] = receiver.take().try_into().unwrap();
        assert_eq!(got.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["ToUserName", "Encrypt"]);
        assert_eq!(got.param("encrypt_type"), Some("aes"));
        assert!(is_signed(&got) && is_message_signed(&got));
        let (message, appid) = opened(&got.json());
        assert_eq!(appid, DEFAULT_APPID);
        assert_eq!(message["OpenID"], world.openid(DEFAULT_APPID, "lilei").unwrap());
        assert_eq!(message["RevokeInfo"].as_str().unwrap().len(), length);
    }
}

#[tokio::test]
async fn compatible_mode_shows_both() {
    let (world, receiver) = pushing_in(PushMode::Compatible).await;
    world.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
    let [got] = receiver.take().try_into().unwrap();
    assert!(is_signed(&got) && is_message_signed(&got));
    let (message, _) = opened(&got.json());
    let mut shown = got.json();
    shown.as_object_mut().unwrap().shift_remove("Encrypt");
    assert_eq!(shown, message);
}

#[tokio::test]
async fn xml_is_encrypted_as_xml() {
    let (world, receiver) = pushing(|config| {
        config.format = PushFormat::Xml;
        config.mode = PushMode::Safe;
        config.encoding_aes_key = Some(Secret::new(AES_KEY));
    })
    .await;
    world.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
    let [got] = receiver.take().try_into().unwrap();
    let to = SimHandle::original_id(DEFAULT_APPID);
    let start = format!("<xml><ToUserName><![CDATA[{to}]]></ToUserName><Encrypt><![CDATA[");
    let encrypted = got.body.strip_prefix(&*start).unwrap().strip_suffix("]]></Encrypt></xml>").unwrap();
    let (message, appid) = open(encrypted, AES_KEY).unwrap();
    assert!(message.starts_with("<xml><ToUserName>") && message.contains("cancellation"), "{message}");
    assert_eq!(appid, DEFAULT_APPID);
    assert_eq!(got.param("msg_signature").unwrap(), got.signature_of(super::TOKEN, &[encrypted]));
}
