//! `encryptedData`: what opens is ours and of late; anything else is the one error.
#![no_main]

use std::sync::{Arc, LazyLock};

use aes::cipher::{Block, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use yaopai_core::app::{App, AppSecret, Policy};
use yaopai_core::ports::{Clock, Encrypted, Platform as _};
use yaopai_core::time::Timestamp;
use yaopai_fuzz::choice;
use yaopai_platform::wechat::{Config, Endpoints, WeChat};

const APPID: &str = "wx4f4bc4dec97d474b";
const KEY: [u8; 16] = [0; 16];
const IV: [u8; 16] = [1; 16];
/// The vendor's vectors were made at this second; seeds say the same.
const NOW: Timestamp = Timestamp(1_477_314_187_000);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

static WECHAT: LazyLock<(WeChat, App)> = LazyLock::new(|| {
    // Nothing is ever sent; plain HTTP needs no certificates.
    let endpoints = Endpoints { base_url: "http://127.0.0.1:1".into(), ..Endpoints::default() };
    let config = Config { endpoints, allow_plain_http: true, ..Config::default() };
    let app = App {
        name: "shop".into(),
        realm: "default".into(),
        appid: APPID.into(),
        secret: AppSecret::new("secret".into()),
        policy: Policy::default(),
    };
    (WeChat::new(config, Arc::new(Still)).expect("a client"), app)
});

fuzz_target!(|bytes: &[u8]| {
    let (way, rest) = choice(bytes);
    match way {
        // As a client sends it: three texts.
        b't' => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            let mut texts = text.splitn(3, '\n');
            let mut next = || texts.next().unwrap_or_default();
            let _ = open(next(), next(), next().to_owned());
        }
        // As WeChat makes it, of any text.
        b'j' => {
            let opened = open_plain(pkcs7(rest));
            let expected = serde_json::from_slice::<Value>(rest).ok();
            assert!(opened.is_none() || opened == expected);
        }
        // Any blocks at all, rightly padded or not.
        _ => {
            let mut blocks = rest.to_vec();
            blocks.truncate(rest.len() / 16 * 16);
            let _ = open_plain(blocks);
        }
    }
});

fn pkcs7(text: &[u8]) -> Vec<u8> {
    let pad = 16 - text.len() % 16;
    [text, &vec![u8::try_from(pad).expect("at most 16"); pad]].concat()
}

fn open_plain(mut blocks: Vec<u8>) -> Option<Value> {
    let (whole, _) = Block::<aes::Aes128>::slice_as_chunks_mut(&mut blocks);
    cbc::Encryptor::<aes::Aes128>::new(&KEY.into(), &IV.into()).encrypt_blocks(whole);
    open(&STANDARD.encode(KEY), &STANDARD.encode(IV), STANDARD.encode(&blocks))
}

fn open(key: &str, iv: &str, data: String) -> Option<Value> {
    let (wechat, app) = &*WECHAT;
    let opened = wechat.open(app, key, &Encrypted { data, iv: iv.into() }, NOW).ok()?;
    let mark = &opened["watermark"];
    assert_eq!(mark["appid"], APPID);
    let made = mark["timestamp"].as_i64().expect("a time");
    assert!((NOW.0 / 1000 - 600..=NOW.0 / 1000 + 60).contains(&made));
    Some(opened)
}
