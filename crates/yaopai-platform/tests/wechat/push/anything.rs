//! Nothing panics, whatever comes; and what WeChat says comes through.

use proptest::prelude::*;
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::push;

use super::{NOW, encrypt, plain, read_message, sealed_body, secure, signed};

fn near_xml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<xml>",
        "</xml>",
        "<CreateTime>",
        "</CreateTime>",
        "1",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<!DOCTYPE",
        "<?",
        "?>",
        "&lt;",
        "&",
        ";",
        "<a/>",
        "<a",
        "/>",
        "\"",
        " ",
        "é",
        "<![",
        "&#0;",
        "&#x",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_panics(query in ".{0,100}", body in prop::collection::vec(any::<u8>(), 0..200), now in any::<i64>()) {
        for keys in [secure(), plain()] {
            prop_assert!(push::read(&keys, &query, &body, Timestamp(now)).is_err());
            prop_assert!(push::echo(&keys, &query, Timestamp(now)).is_err());
        }
    }

    #[test]
    fn nothing_panics_behind_the_signature(message in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        near_xml().prop_map(String::into_bytes),
        r#"[\{\}\[\]":, a-c0-9\\]{0,60}"#.prop_map(String::into_bytes),
    ]) {
        let _ = read_message(&message);
        let query = signed("", 1_714_112_445);
        let _ = push::read(&plain(), &query, &message, NOW);
        let _ = push::read(&secure(), &query, &message, NOW);
    }

    #[test]
    fn nothing_panics_behind_the_cipher(blocks in prop::collection::vec(any::<[u8; 16]>(), 0..8), pad in 0u8..40) {
        let mut data = blocks.concat();
        if let Some(last) = data.last_mut() {
            *last = pad;
        }
        let sealed = encrypt(data);
        let query = signed(&sealed, 1_714_112_445);
        prop_assert!(push::read(&secure(), &query, sealed_body(&sealed).as_bytes(), NOW).is_err());
    }

    /// What WeChat says comes through, whatever it is.
    #[test]
    fn texts_come_through(text in "[^\u{0}-\u{1f}]{0,40}") {
        let message = serde_json::json!({"CreateTime": 5, "X": text}).to_string();
        prop_assert_eq!(&read_message(message.as_bytes()).unwrap().fields["X"], &text);
        prop_assume!(!text.contains("]]>"));
        let message = format!("<xml><CreateTime>5</CreateTime><X><![CDATA[{text}]]></X></xml>");
        let read = read_message(message.as_bytes()).unwrap();
        prop_assert_eq!(read.fields["X"].as_str(), text.trim());
    }
}
