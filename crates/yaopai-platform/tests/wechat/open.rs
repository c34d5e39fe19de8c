//! encryptedData: the vendor's vector opens, and nothing else does, and nobody learns why.

use std::sync::LazyLock;

use aes::cipher::{Block, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use yaopai_core::app::App;
use yaopai_core::ports::{CannotOpen, Encrypted, Platform};
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::WeChat;

use crate::support::{app, client};

const APPID: &str = "wx4f4bc4dec97d474b";
const KEY: &str = "tiihtNczf5v6AKRyjwEUhQ==";
const IV: &str = "r7BXXKkLb8qrSNn05n0qiA==";
/// The watermark's time in both vectors, in seconds.
const MADE: i64 = 1_477_314_187;

/// The vendor's demo.
const USER_INFO: &str = "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew==";

/// Made with openssl, same key and IV, from a text of the shape that the page shows.
const PHONE: &str = "xT8p8W6jIVdEWQ+ccHuD2bmG5RSiwg14VWRFw/UGVh6Aj+jDIadafJ4xdCIBQ/uxDiyw/MZWvpFyRn3pP3xxVfNQxFtzghvK+Pj5JQI7x412Zc+UKBdZyt5yiQboroSxabTum1k4MMOlnoCxhJ46cxPDT2EuLbNUf2McwNtGO0/9E+Xj/ZwENw48ucueL3UqNoKpXxFYvqH6eawrR2MXnA==";

/// Opens for an app that exists, whose client asks nobody.
struct Opener(WeChat, App);

impl Opener {
    fn new() -> Self {
        Self(client("http://127.0.0.1:1").0, App { appid: APPID.into(), ..app() })
    }

    fn open(&self, key: &str, iv: &str, data: &str, now_ms: i64) -> Result<serde_json::Value, CannotOpen> {
        let sealed = Encrypted { data: data.into(), iv: iv.into() };
        self.0.open(&self.1, key, &sealed, Timestamp(now_ms))
    }

    /// This text, encrypted with the vectors' key and IV, padded by `pad`.
    fn open_text(&self, text: &str, pad: impl Fn(&mut Vec<u8>)) -> Result<serde_json::Value, CannotOpen> {
        let mut data = text.as_bytes().to_vec();
        pad(&mut data);
        self.open(KEY, IV, &encrypt(data), MADE * 1000)
    }
}

fn encrypt(mut data: Vec<u8>) -> String {
    let [key, iv] = [KEY, IV].map(|text| STANDARD.decode(text).unwrap());
    let (blocks, rest) = Block::<aes::Aes128>::slice_as_chunks_mut(&mut data);
    assert!(rest.is_empty());
    cbc::Encryptor::<aes::Aes128>::new_from_slices(&key, &iv).unwrap().encrypt_blocks(blocks);
    STANDARD.encode(data)
}

fn pkcs7(data: &mut Vec<u8>) {
    let pad = 16 - data.len() % 16;
    data.resize(data.len() + pad, u8::try_from(pad).unwrap());
}

#[test]
fn the_vectors() {
    let opener = Opener::new();
    let user = opener.open(KEY, IV, USER_INFO, MADE * 1000 + 5000).unwrap();
    assert_eq!(user["openId"], "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
    assert_eq!(user["unionId"], "ocMvos6NjeKLIBqg5Mr9QjxrP1FA");
    assert_eq!(user["watermark"]["timestamp"], MADE);
    let phone = opener.open(KEY, IV, PHONE, MADE * 1000 + 5000).unwrap();
    assert_eq!((&phone["phoneNumber"], &phone["countryCode"]), (&"13580006666".into(), &"86".into()));
}

#[test]
fn only_of_late() {
    let opener = Opener::new();
    let now = |offset_ms: i64| opener.open(KEY, IV, PHONE, MADE * 1000 + offset_ms).is_ok();
    assert!(now(600_000) && !now(600_001), "ten minutes old at most");
    assert!(now(-60_000) && !now(-60_001), "a minute ahead at most");
    assert!(!now(i64::MAX - MADE * 1000) && !now(-MADE * 1000));
}

#[test]
fn nothing_else_opens() {
    let opener = Opener::new();
    let now = MADE * 1000;
    for (key, iv, data) in [
        // Another session_key: the usual case, after another device's login.
        ("o0q0otL8aEzpcZL/FT9WsQ==", IV, PHONE),
        (KEY, "AAAAAAAAAAAAAAAAAAAAAA==", PHONE),
        ("", IV, PHONE),
        (KEY, "", PHONE),
        (KEY, IV, ""),
        // A key of 15 or 32 bytes, an IV of 12.
        ("tiihtNczf5v6AKRyjwEU", IV, PHONE),
        ("tiihtNczf5v6AKRyjwEUhbYooczXM3+b+gCkco8BFIU=", IV, PHONE),
        (KEY, "r7BXXKkLb8qrSNn0", PHONE),
        (KEY, IV, "not base64!"),
        (KEY, IV, &PHONE[..PHONE.len() - 4]),
        (KEY, IV, &PHONE.replace('=', "")),
        (KEY, IV, &"A".repeat(65_540)),
    ] {
        assert_eq!(opener.open(key, iv, data, now), Err(CannotOpen), "{key} {iv} {data}");
    }
    let other = Opener(opener.0.clone(), App { appid: "wx0000000000000000".into(), ..app() });
    assert_eq!(other.open(KEY, IV, PHONE, now), Err(CannotOpen), "another app's");
}

#[test]
fn an_altered_byte_anywhere_in_the_data() {
    let opener = Opener::new();
    let data = STANDARD.decode(USER_INFO).unwrap();
    for at in 0..data.len() {
        let mut altered = data.clone();
        altered[at] ^= 1;
        let result = opener.open(KEY, IV, &STANDARD.encode(altered), MADE * 1000);
        assert_eq!(result, Err(CannotOpen), "byte {at}");
    }
}

/// CBC without a MAC: the sender may write what he likes into the first 16 bytes. So what was opened proves nothing about
/// the sender, and least of all the openid in it.
#[test]
fn the_first_block_is_the_senders() {
    let mut iv = STANDARD.decode(IV).unwrap();
    iv[14] ^= b'U' ^ b'X';
    let user = Opener::new().open(KEY, &STANDARD.encode(iv), USER_INFO, MADE * 1000).unwrap();
    assert_eq!(user["openId"], "oGZXI0egBJY1zhBYw2KhdUfwVJJE");
}

#[test]
fn texts_that_are_none() {
    let opener = Opener::new();
    let good = format!(r#"{{"x":1,"watermark":{{"timestamp":{MADE},"appid":"{APPID}"}}}}"#);
    opener.open_text(&good, pkcs7).unwrap();
    // Right, but for its padding.
    for pad in [0u8, 1, 17, 255] {
        let result = opener.open_text(&good, |data| data.resize(data.len().next_multiple_of(16), pad));
        assert_eq!(result, Err(CannotOpen), "{pad}");
    }
    for text in [
        good.replace("watermark", "mark"),
        good.replace("appid", "appId"),
        good.replace("timestamp", "time"),
        good.replace(&MADE.to_string(), "\"now\""),
        good.replace(&MADE.to_string(), "9223372036854775807"),
        good.replace(&MADE.to_string(), "-9223372036854775808"),
        good.replace(APPID, ""),
        format!("{good}{good}"),
        format!("[{good}]"),
        "[".repeat(1000),
        "null".into(),
        String::new(),
    ] {
        assert_eq!(opener.open_text(&text, pkcs7), Err(CannotOpen), "{text}");
    }
}

/// Made once: HTTP clients are slow to make.
static OPENER: LazyLock<Opener> = LazyLock::new(Opener::new);

proptest! {
    #[test]
    fn anything_at_all(key in ".{0,40}", iv in ".{0,40}", data in ".{0,200}", now in any::<i64>()) {
        prop_assert_eq!(OPENER.open(&key, &iv, &data, now), Err(CannotOpen));
    }

    #[test]
    fn any_plain_text(text in prop::collection::vec(any::<u8>(), 0..20usize).prop_map(|blocks| {
        blocks.into_iter().flat_map(|b| [b; 16]).collect::<Vec<_>>()
    })) {
        prop_assert_eq!(OPENER.open(KEY, IV, &encrypt(text), MADE * 1000), Err(CannotOpen));
    }
}
