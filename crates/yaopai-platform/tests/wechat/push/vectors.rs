//! The vendor's own examples, and one of another maker.

use yaopai_platform::wechat::push::{self, PushError as E};

use super::{APPID, NOW, QUERY, SEALED, TOKEN, at, keys_of, plain, sealed_body, secure};

#[test]
fn the_vendors_secure_mode() {
    let push = push::read(&secure(), QUERY, sealed_body(SEALED).as_bytes(), NOW).unwrap();
    assert_eq!(push.event.as_deref(), Some("debug_demo"));
    assert_eq!(push.openid.as_deref(), Some("o9AgO5Kd5ggOC-bXrbNODIiE3bGY"));
    assert_eq!((push.create_time, push.msg_id.as_deref()), (at(1_714_112_445), None));
    assert_eq!(push.fields["debug_str"], "hello world");
    assert_eq!(push.fields["ToUserName"], "gh_97417a04a28d");
    let shown = format!("{push:?} {:?}", secure());
    assert!(!shown.contains("o9AgO5") && !shown.contains(TOKEN), "{shown}");
}

#[test]
fn the_vendors_plain_text_mode() {
    let query = "signature=899cf89e464efb63f54ddac96b0a0a235f53aa78&timestamp=1714037059&nonce=486452656";
    let body = r#"{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY",
        "CreateTime":1714037059,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}"#;
    let push = push::read(&plain(), query, body.as_bytes(), at(1_714_037_059)).unwrap();
    assert_eq!(push.fields["debug_str"], "hello world");
    assert_eq!(push::read(&plain(), QUERY, sealed_body(SEALED).as_bytes(), NOW), Err(E::NoKey));
}

#[test]
fn the_vendors_trial_of_a_url() {
    let query = "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249\
        &timestamp=1714036504&nonce=1514711492";
    let now = at(1_714_036_504);
    for keys in [plain(), secure()] {
        assert_eq!(push::echo(&keys, query, now).unwrap(), "4375120948345356249");
    }
    let other = keys_of(APPID, "AAAAB", None).unwrap();
    assert_eq!(push::echo(&other, query, now), Err(E::Signature));
    assert_eq!(push::echo(&plain(), &query.replace("echostr", "echo"), now), Err(E::Malformed("no echostr")));
    assert_eq!(push::echo(&plain(), query, at(1_714_036_504 + 301)), Err(E::Stale));
}

/// XML, and a key whose last character has bits to spare. Made with openssl and sha1sum.
#[test]
fn another_maker() {
    let sealed = "Q3stYC6hdFzMh9T8HCvyDBdYyv15JiZmVuos5VUDRTq0DFqpiAiN0+Qw+zKKgLq/BowucdicdLn2YFtzQo0ZUxkezndT2Y9YwEA0redEB530ssHkJEV0chjg2WdprET8x52aXr3K/cL4D5mJNgbc+7DQa0OlxD6T2iV6gIVhIWl12tmdv5aSByLuQfZTGx1VzKehYG866Z8McPUsA0wXjPi8+yLK0e62ac+phu4qeXMFIbNI2h29wLyFpVTJRkF8t3Y5NV1qNW00NlcBOBUktH4MV7VY1+ZhmXssrDxKJFFkC/7xFtsDkkkgyK/T7zFtzzfq42v36pPL4McnSM61KdtjIv6/FUTTpfETfdtMBiRx0Kn2s203PZvNv2/L95HeW/zZeePmshei7/xaA6Ijiz//IGBqKGR+UPorzy/azDucpODTQKL1EneD56KHPeo6nCVEJ5H4LTsvx24Y8ZhQEp3L7+cbK+Vh3AXH2HOzCdPdZOrQzCn4Scosy5U2iQLzpmRPgY1A6Ohzd8UyqR7nUPBvn6Ft8IVBxrkuNMzIiPhfS8OshoK2VIxteqV1ODy+rvb/h2HxhY2s7HYySaE2Sw==";
    let keys = keys_of("wx13974bf780d3dc89", "QDG6eK", Some("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")).unwrap();
    let body = format!(
        "<xml>\n<ToUserName><![CDATA[gh_870882ca4b1]]></ToUserName>\n<Encrypt><![CDATA[{sealed}]]></Encrypt>\n</xml>"
    );
    let query = "msg_signature=69dad9e9a8a38e5949a6b40339612d46623c248f&timestamp=1626857201&nonce=486452656";
    let push = push::read(&keys, query, body.as_bytes(), at(1_626_857_202)).unwrap();
    assert_eq!(push.event.as_deref(), Some(push::USER_AUTHORIZATION_REVOKE));
    assert_eq!(push.openid.as_deref(), Some("owAqB1nqaOYYWl0Ng484G2z5NIwU"), "not the service that tells it");
    assert_eq!((push.create_time, push.fields["RevokeInfo"].as_str()), (at(1_626_857_200), "1"));
}
