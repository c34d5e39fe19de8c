//! Message push: the vendor's vectors are read, and what anybody else could have sent is not.

use aes::cipher::{Block, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use yaopai_core::app::AppSecret;
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::push::{self, Keys, KeysError, PushError as E};

mod anything;
mod bodies;
mod forged;
mod vectors;

/// The vendor's example: an AES key of 32 zeros.
const TOKEN: &str = "AAAAA";
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const APPID: &str = "wxba5fad812f8e6fb9";
const SEALED: &str = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=";
const QUERY: &str = "signature=6c5c811b55cc85e0e1b54100749188c20beb3f5d&timestamp=1714112445&nonce=415670741\
    &openid=o9AgO5Kd5ggOC-bXrbNODIiE3bGY&encrypt_type=aes&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3";
const NOW: Timestamp = Timestamp(1_714_112_447_000);

fn keys_of(appid: &str, token: &str, key: Option<&str>) -> Result<Keys, KeysError> {
    let secret = |s: &str| AppSecret::new(s.into());
    Keys::new(appid, secret(token), key.map(secret).as_ref())
}

fn secure() -> Keys {
    keys_of(APPID, TOKEN, Some(KEY)).unwrap()
}

fn plain() -> Keys {
    keys_of(APPID, TOKEN, None).unwrap()
}

fn sealed_body(sealed: &str) -> String {
    format!(r#"{{"ToUserName":"gh_97417a04a28d","Encrypt":"{sealed}"}}"#)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1000)
}

fn sha1(parts: &mut [&str]) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

/// The query of WeChat, who knows the token.
fn signed(sealed: &str, timestamp: i64) -> String {
    let time = timestamp.to_string();
    let signature = sha1(&mut [TOKEN, &time, "n"]);
    let msg_signature = sha1(&mut [TOKEN, &time, "n", sealed]);
    format!("signature={signature}&timestamp={time}&nonce=n&encrypt_type=aes&msg_signature={msg_signature}")
}

/// Encrypts as it stands.
fn encrypt(mut data: Vec<u8>) -> String {
    let (blocks, rest) = Block::<aes::Aes256>::slice_as_chunks_mut(&mut data);
    assert!(rest.is_empty());
    cbc::Encryptor::<aes::Aes256>::new_from_slices(&[0; 32], &[0; 16]).unwrap().encrypt_blocks(blocks);
    STANDARD.encode(data)
}

/// Wraps as WeChat does, but for what the arguments say.
fn wrap(message: &[u8], length: u32, appid: &str) -> Vec<u8> {
    let mut data = b"0123456789abcdef".to_vec();
    data.extend(length.to_be_bytes());
    data.extend(message);
    data.extend(appid.as_bytes());
    let pad = 32 - data.len() % 32;
    data.resize(data.len() + pad, u8::try_from(pad).unwrap());
    data
}

fn read_message(message: &[u8]) -> Result<push::Push, E> {
    let sealed = encrypt(wrap(message, u32::try_from(message.len()).unwrap(), APPID));
    push::read(&secure(), &signed(&sealed, 1_714_112_445), sealed_body(&sealed).as_bytes(), NOW)
}

#[test]
fn keys() {
    for token in ["", "AA", "A B", &"A".repeat(33), "AAA\n"] {
        assert_eq!(keys_of(APPID, token, None).map(drop).unwrap_err(), KeysError::Token, "{token:?}");
    }
    for key in ["", &KEY[1..], &format!("{KEY}="), &format!("{KEY}A"), &KEY.replace('A', "-")] {
        assert_eq!(keys_of(APPID, TOKEN, Some(key)).map(drop).unwrap_err(), KeysError::EncodingAesKey, "{key:?}");
    }
}
