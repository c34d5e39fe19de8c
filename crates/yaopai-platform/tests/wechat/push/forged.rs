//! What anybody but WeChat could send.

use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::push::{self, PushError as E};

use super::{
    APPID, KEY, NOW, QUERY, SEALED, TOKEN, at, encrypt, keys_of, plain, sealed_body, secure, sha1, signed, wrap,
};

#[test]
fn with_a_key_nothing_else_is_taken() {
    let keys = secure();
    let read = |query: &str, body: &str| push::read(&keys, query, body.as_bytes(), NOW);
    // Signed rightly for plain text mode.
    let forged = r#"{"CreateTime":1714112445,"Event":"user_authorization_cancellation","OpenID":"oVictim"}"#;
    assert_eq!(read(QUERY, forged), Err(E::NotEncrypted));
    // Both texts, as in compatibility mode: only the encrypted one counts.
    let both = forged.replace('}', &format!(r#","Encrypt":"{SEALED}"}}"#));
    assert_eq!(read(QUERY, &both).unwrap().event.as_deref(), Some("debug_demo"));
    // `signature` in place of `msg_signature`.
    let body = sealed_body(SEALED);
    let (query, _) = QUERY.split_once("&msg_signature").unwrap();
    assert_eq!(read(query, &body), Err(E::Signature));
    assert_eq!(
        read(&format!("{query}&msg_signature=6c5c811b55cc85e0e1b54100749188c20beb3f5d"), &body),
        Err(E::Signature)
    );
    // Another message under the same query.
    let other = encrypt(wrap(forged.as_bytes(), u32::try_from(forged.len()).unwrap(), APPID));
    assert_eq!(read(QUERY, &sealed_body(&other)), Err(E::Signature));
    assert!(read(&signed(&other, 1_714_112_445), &sealed_body(&other)).is_ok(), "but for the signature it was right");
    for at in 0..SEALED.len() {
        let mut altered = SEALED.as_bytes().to_vec();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(read(QUERY, &sealed_body(std::str::from_utf8(&altered).unwrap())), Err(E::Signature), "{at}");
    }
}

#[test]
fn every_part_of_the_query_counts() {
    let body = sealed_body(SEALED);
    let read = |query: &str, now: Timestamp| push::read(&secure(), query, body.as_bytes(), now).map(drop);
    assert_eq!(read(QUERY, Timestamp(1_714_112_445_000 + 300_000)), Ok(()));
    assert_eq!(read(QUERY, Timestamp(1_714_112_445_000 + 300_001)), Err(E::Stale));
    assert_eq!(read(QUERY, Timestamp(1_714_112_445_000 - 60_000)), Ok(()));
    assert_eq!(read(QUERY, Timestamp(1_714_112_445_000 - 60_001)), Err(E::Stale));
    let upper = QUERY.replace("046e02f8204d34f8ba5fa3b1db94908f3df2e9b3", "046E02F8204D34F8BA5FA3B1DB94908F3DF2E9B3");
    assert_eq!(read(&upper, NOW), Ok(()));
    assert_eq!(read(&QUERY.replace("nonce=4", "nonce=%34"), NOW), Ok(()));
    for (from, to, expected) in [
        ("timestamp=1714112445", "timestamp=1714112446", E::Signature),
        ("nonce=415670741", "nonce=415670742", E::Signature),
        ("msg_signature=04", "msg_signature=05", E::Signature),
        ("timestamp=1714112445", "timestamp=", E::Malformed("the timestamp is not a number of seconds")),
        ("timestamp=1714112445", "timestamp=%2B1714112445", E::Malformed("the timestamp is not a number of seconds")),
        ("timestamp=1714112445", "timestamp=9999999999999", E::Malformed("the timestamp is not a number of seconds")),
        ("timestamp=1714112445", "timestamp=999999999999", E::Stale),
        ("timestamp=", "time=", E::Malformed("no timestamp")),
        ("nonce=", "n=", E::Malformed("no nonce")),
        ("nonce=", "nonce=x&nonce=", E::Malformed("a parameter stands twice")),
        ("nonce=", "nonce=%ff", E::Malformed("a parameter is not UTF-8")),
        ("msg_signature=04", "msg_signature=", E::Malformed("a signature is not 40 hex digits")),
        ("msg_signature=04", "msg_signature=zz", E::Malformed("a signature is not 40 hex digits")),
    ] {
        assert!(QUERY.contains(from));
        assert_eq!(read(&QUERY.replace(from, to), NOW), Err(expected), "{to}");
    }
    assert_eq!(read(&format!("{QUERY}&x={}", "y".repeat(4096)), NOW), Err(E::Malformed("the query is too long")));
    assert_eq!(push::read(&secure(), QUERY, &[b' '; push::BODY_MAX + 1], NOW), Err(E::TooLong));
    for keys in [keys_of(APPID, "AAAAB", Some(KEY)), keys_of(APPID, "AAAAB", None)] {
        assert_eq!(push::read(&keys.unwrap(), QUERY, body.as_bytes(), NOW), Err(E::Signature));
    }
}

/// Why the module's documentation says: use secure mode. Nobody here can prevent it.
#[test]
fn in_plain_text_mode_a_seen_signature_may_come_alive_again() {
    let signature = sha1(&mut [TOKEN, "1714112445", "1790000000"]);
    let query = format!("signature={signature}&timestamp=1790000000&nonce=1714112445");
    let body = br#"{"CreateTime":1,"Event":"anything"}"#;
    assert!(push::read(&plain(), &query, body, at(1_790_000_000)).is_ok());
}

#[test]
fn what_is_inside() {
    let read = |data: Vec<u8>| {
        let sealed = encrypt(data);
        push::read(&secure(), &signed(&sealed, 1_714_112_445), sealed_body(&sealed).as_bytes(), NOW).map(drop)
    };
    let message = br#"{"CreateTime":1,"Event":"e"}"#;
    let length = u32::try_from(message.len()).unwrap();
    assert_eq!(read(wrap(message, length, APPID)), Ok(()));
    for appid in ["", "wx", "wx0000000000000000", "wxba5fad812f8e6fb9x"] {
        assert_eq!(read(wrap(message, length, appid)), Err(E::NotOurs), "{appid}");
    }
    for length in [length + 18 + 1, 1 << 20, u32::MAX] {
        assert_eq!(read(wrap(message, length, APPID)), Err(E::CannotDecrypt), "{length}");
    }
    for data in [vec![32; 32], vec![16; 16], vec![0; 32], vec![33; 64], vec![9; 48]] {
        assert_eq!(read(data.clone()), Err(E::CannotDecrypt), "{data:?}");
    }
    for sealed in ["", "A", "AAAA", "not base64"] {
        let body = sealed_body(sealed);
        assert_eq!(
            push::read(&secure(), &signed(sealed, 1_714_112_445), body.as_bytes(), NOW),
            Err(E::CannotDecrypt),
            "{sealed}"
        );
    }
    let other = keys_of(APPID, TOKEN, Some("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")).unwrap();
    assert_eq!(push::read(&other, QUERY, sealed_body(SEALED).as_bytes(), NOW), Err(E::CannotDecrypt));
}
