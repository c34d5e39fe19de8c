//! Message push: nothing passes without a signature, and behind it a message says the same whether it was encrypted or not.
#![no_main]

use std::sync::LazyLock;

use aes::cipher::{Block, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use sha1::{Digest as _, Sha1};
use yaopai_core::app::AppSecret;
use yaopai_core::time::Timestamp;
use yaopai_fuzz::choice;
use yaopai_platform::wechat::push::{self, Keys, Push, PushError};

const TOKEN: &str = "AAAAA";
/// 32 zeros.
const AES_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const APPID: &str = "wxba5fad812f8e6fb9";
const TIME: &str = "1714112445";
const NOW: Timestamp = Timestamp(1_714_112_445_000);

static KEYS: LazyLock<[Keys; 2]> = LazyLock::new(|| {
    let secret = |s: &str| AppSecret::new(s.into());
    [None, Some(secret(AES_KEY))].map(|key| Keys::new(APPID, secret(TOKEN), key.as_ref()).expect("keys"))
});

fuzz_target!(|bytes: &[u8]| {
    let [plain, secure] = &*KEYS;
    let (way, rest) = choice(bytes);
    match way {
        // A stranger's: query, line feed, body.
        b'q' => {
            let cut = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let (query, body) = (String::from_utf8_lossy(&rest[..cut]), rest.get(cut + 1..).unwrap_or_default());
            for keys in [plain, secure] {
                let _ = push::echo(keys, &query, NOW);
                let _ = push::read(keys, &query, body, NOW).map(holds);
            }
            let unsigned = query.replace("signature", "s");
            assert!(
                push::read(plain, &unsigned, body, NOW).is_err() && push::read(secure, &unsigned, body, NOW).is_err()
            );
        }
        // WeChat's, with anything in the cipher.
        b'c' => {
            let mut blocks = rest.to_vec();
            blocks.truncate(rest.len() / 16 * 16);
            let _ = read_sealed(secure, blocks).map(holds);
        }
        // WeChat's message, once as it is and once encrypted.
        _ => {
            let bare = push::read(plain, &query(""), rest, NOW);
            // A longer one is refused before it is decrypted, and what is encrypted twice is no plain push.
            if bare == Err(PushError::NoKey) || rest.len() > push::BODY_MAX / 2 {
                return;
            }
            assert_eq!(read_sealed(secure, wrap(rest)), bare);
            assert!(push::read(secure, &query(""), rest, NOW).is_err());
            let _ = bare.map(holds);
        }
    }
});

fn holds(push: Push) {
    assert!(push.fields.contains_key("CreateTime"));
    let is_id = |id: &String| !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic());
    assert!(push.openid.as_ref().is_none_or(is_id));
    assert!(push.fields.values().map(String::len).sum::<usize>() <= 2 * push::BODY_MAX);
}

fn sha1(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

fn query(sealed: &str) -> String {
    let (signature, msg_signature) = (sha1(vec![TOKEN, TIME, "n"]), sha1(vec![TOKEN, TIME, "n", sealed]));
    format!("signature={signature}&timestamp={TIME}&nonce=n&msg_signature={msg_signature}")
}

fn wrap(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    let data = [&[0; 16][..], &length, message, APPID.as_bytes()].concat();
    let pad = 32 - data.len() % 32;
    [&data[..], &vec![u8::try_from(pad).expect("at most 32"); pad]].concat()
}

fn read_sealed(keys: &Keys, mut blocks: Vec<u8>) -> Result<Push, PushError> {
    let (whole, _) = Block::<aes::Aes256>::slice_as_chunks_mut(&mut blocks);
    cbc::Encryptor::<aes::Aes256>::new(&[0; 32].into(), &[0; 16].into()).encrypt_blocks(whole);
    let sealed = STANDARD.encode(&blocks);
    push::read(keys, &query(&sealed), format!(r#"{{"Encrypt":"{sealed}"}}"#).as_bytes(), NOW)
}
