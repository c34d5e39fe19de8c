//! getUserEncryptKey: the same keys on both sides, and what tells a stale session_key from an outage.

use yaopai_core::ports::{Clock as _, Platform, PlatformError as E, UserKey};
use yaopai_core::time::Timestamp;
use yaopai_sim::{Endpoint, Fault};

use crate::support::{APPID, OPENID, SESSION_KEY, app, client, simulated};
use crate::wire::{Reply, Wire, json};

/// The page's own example: three keys, of which two are dead.
const EXAMPLE: &str = r#"{"errcode":0,"errmsg":"ok","key_info_list":[
    {"encrypt_key":"VI6BpyrK9XH4i4AIGe86tg==","version":10,"expire_in":3597,"iv":"6003f73ec441c386","create_time":1616572301},
    {"encrypt_key":"aoUGAHltcliiL9f23oTKHA==","version":9,"expire_in":0,"iv":"7996656384218dbb","create_time":1616504886},
    {"encrypt_key":"MlZNQNnRQz3zXHHcr6A3mA==","version":8,"expire_in":0,"iv":"58a1814f88883024","create_time":1616488061}]}"#;

async fn answering(reply: Reply) -> Wire {
    Wire::start(move |_, request| match request.contains("stable_token") {
        true => json(r#"{"access_token":"T_-1","expires_in":7200}"#),
        false => reply.clone(),
    })
    .await
}

#[tokio::test]
async fn the_request_and_the_pages_example() {
    let wire = answering(json(EXAMPLE)).await;
    let (wechat, clock) = client(wire.base_url());
    let keys = wechat.user_keys(&app(), OPENID, SESSION_KEY).await.unwrap();
    let request = &wire.requests()[1];
    let expected = format!(
        "POST /wxa/business/getuserencryptkey?access_token=T_-1&openid={OPENID}\
         &signature=46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128&sig_method=hmac_sha256 HTTP/1.1\r\n"
    );
    assert!(request.starts_with(&expected), "{request}");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    // WeChat takes any body, `{}` too, for a wrong signature.
    assert_eq!(body, "");
    let head = head.to_ascii_lowercase();
    assert_eq!(head.matches("\r\ncontent-length: 0").count(), 1, "{head}");
    assert!(!head.contains("transfer-encoding") && !head.contains("content-type"), "{head}");

    assert_eq!(keys.iter().map(|k| k.version).collect::<Vec<_>>(), [10, 9, 8]);
    assert_eq!(hex(&keys[0]), "548e81a72acaf571f88b800819ef3ab6");
    assert_eq!(keys[0].iv, "6003f73ec441c386", "as it stands, decoded from nothing");
    assert_eq!(clock.now().seconds_until(keys[0].expires_at), 3597);
    // An hour after they were made.
    assert_eq!(keys[1].expires_at, Timestamp(1_616_508_486_000));
    assert_eq!(format!("{:?}", keys[0]), "UserKey { version: 10, .. }");
}

fn hex(key: &UserKey) -> String {
    key.key.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test]
async fn the_newest_comes_first_and_dead_keys_are_dead() {
    let entry = |version: u32, expire_in: i64, create_time: &str| {
        format!(
            r#"{{"encrypt_key":"VI6BpyrK9XH4i4AIGe86tg==","version":"{version}","expire_in":{expire_in},"iv":"6003f73ec441c386"{create_time}}}"#
        )
    };
    // Made in the future, no age at all, a life beyond an hour.
    let list = [entry(1, 0, r#","create_time":9999999999"#), entry(3, 999_999, ""), entry(2, 0, "")].join(",");
    let wire = answering(json(format!(r#"{{"key_info_list":[{list}]}}"#))).await;
    let (wechat, clock) = client(wire.base_url());
    let keys = wechat.user_keys(&app(), OPENID, SESSION_KEY).await.unwrap();
    assert_eq!(keys.iter().map(|k| k.version).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(clock.now().seconds_until(keys[0].expires_at), 3600);
    assert!(keys[1].expires_at <= clock.now() && keys[2].expires_at <= clock.now());
}

#[tokio::test]
async fn junk_is_no_key() {
    let one = r#"{"encrypt_key":"VI6BpyrK9XH4i4AIGe86tg==","version":1,"expire_in":9,"iv":"6003f73ec441c386"}"#;
    let list = |entries: &str| format!(r#"{{"errcode":0,"key_info_list":[{entries}]}}"#);
    let mut bad = vec![list(""), list("1"), "{}".into(), r#"{"key_info_list":{}}"#.into(), list(&[one; 9].join(","))];
    for (from, to) in [
        ("VI6BpyrK9XH4i4AIGe86tg==", "VI6BpyrK9XH4i4AIGe86"),
        ("VI6BpyrK9XH4i4AIGe86tg==", "not base64"),
        (r#""version":1"#, r#""version":-1"#),
        (r#""version":1"#, r#""version":4294967296"#),
        (r#""version":1"#, r#""v":1"#),
        (r#""expire_in":9"#, r#""expire_in":-1"#),
        ("6003f73ec441c386", "6003f73ec441c38"),
        ("6003f73ec441c386", "6003f73ec441 386"),
    ] {
        assert!(one.contains(from));
        bad.push(list(&format!("{one},{}", one.replace(from, to))));
    }
    for body in bad {
        let wire = answering(json(body.clone())).await;
        let result = client(wire.base_url()).0.user_keys(&app(), OPENID, SESSION_KEY).await;
        assert!(matches!(result, Err(E::Unavailable { .. })), "{body}: {result:?}");
    }
}

#[tokio::test]
async fn the_simulated_wechat() {
    let (sim, wechat, clock) = simulated().await;
    let vouched = wechat.exchange(&app(), &sim.issue_code(APPID, "lilei").unwrap()).await.unwrap();
    let session_key = vouched.session_key.unwrap();
    let keys = async || wechat.user_keys(&app(), &vouched.openid, &session_key).await;
    for rotations in 1..=4 {
        let latest = sim.user_key(APPID, "lilei").unwrap();
        let ours = keys().await.unwrap();
        assert_eq!(ours.len(), rotations.min(3));
        assert_eq!((u64::from(ours[0].version), &ours[0].iv), (latest.version, &latest.iv));
        assert_eq!(ours[0].expires_at.0 / 1000, i64::try_from(latest.expire_time).unwrap());
        clock.forward(60);
        sim.rotate_user_key(APPID, "lilei").unwrap();
    }
    // A dead token is replaced, and the question asked again.
    sim.revoke_access_tokens(APPID).unwrap();
    keys().await.unwrap();
    // Another device logged in: the session_key is stale, which is another thing than an outage.
    sim.rotate_session_key(APPID, "lilei").unwrap();
    assert_eq!(keys().await.unwrap_err(), E::KeyStale);
    assert!(!wechat.knows_session_key(&app(), &vouched.openid, &session_key).await.unwrap());
    for fault in [
        Fault::bad_gateway(),
        Fault::reset_after(),
        Fault::empty_body(),
        Fault::truncated_body(),
        Fault::errcode(45011),
    ] {
        let name = format!("{fault:?}");
        sim.set_fault(fault.on(Endpoint::Getuserencryptkey)).unwrap();
        let error = keys().await.unwrap_err();
        assert!(matches!(error, E::Unavailable { .. } | E::Busy { .. }), "{name}: {error:?}");
        sim.clear_faults();
        clock.forward(120);
    }
}
