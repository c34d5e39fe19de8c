use std::sync::Arc;

use super::super::tests::Sevens;
use super::*;
use crate::seal::MasterKey;
use crate::session::{Device, Secrets};
use crate::time::Uptime;
use yaopai_wire::token::Secret;

const SESSION: SessionId = SessionId([0xab; 16]);
const NOW: Timestamp = Timestamp(1_764_230_400_000);

fn key_of(keys: &ProofKey, id: &str, now: Timestamp) -> Result<[u8; KEY_LEN], Unproved> {
    keys.named(id, SESSION, now).map(|Key::HmacSha256(key)| *key)
}

fn chain() -> KeyChain {
    KeyChain::new(Version::derive(9, b"sixteen old byte", SESSION))
        .followed_by(Version::derive(10, b"sixteen new byte", SESSION), NOW)
}

#[test]
fn a_key_is_named_by_its_session_alone() {
    let keys = ProofKey::HmacSha256(Zeroizing::new([1; KEY_LEN]));
    let id = SESSION.to_string();
    assert_eq!(key_of(&keys, &id, NOW), Ok([1; KEY_LEN]));
    let other = SessionId([8; 16]).to_string();
    for wrong in [&other, &format!("{id}."), &format!("{id}.1"), &id.to_uppercase(), &id[..35], "", "x"] {
        assert_eq!(key_of(&keys, wrong, NOW), Err(Unproved::OtherKey), "{wrong}");
    }
}

#[test]
fn a_log_is_told_its_kind_and_no_byte_of_it() {
    let debug = |key: ProofKey| format!("{key:?}");
    assert_eq!(debug(ProofKey::HmacSha256(Zeroizing::new([1; KEY_LEN]))), "HmacSha256(…)");
    assert_eq!(debug(ProofKey::WeChat(Box::new(chain()))), "WeChat(…)");
}

#[test]
fn versions() {
    let keys = ProofKey::WeChat(Box::new(chain()));
    let named = |version: &str, now| key_of(&keys, &format!("{SESSION}{version}"), now);
    let (old, new) = (named(".9", NOW).unwrap(), named(".10", NOW).unwrap());
    assert_ne!(old, new);
    assert_eq!(named(".9", NOW + PREVIOUS), Ok(old));
    assert_eq!(named(".9", Timestamp((NOW + PREVIOUS).0 + 1)), Err(Unproved::OtherKey));
    assert_eq!(named(".11", NOW), Err(Unproved::UnknownVersion));
    for wrong in ["", ".", ".010", ".+10", ".1e1", ".8", ".99999999999", "10"] {
        assert_eq!(named(wrong, NOW), Err(Unproved::OtherKey), "{wrong}");
    }
}

#[test]
fn an_older_version_follows_no_newer() {
    let chain = chain().followed_by(Version::derive(9, b"sixteen bad byte", SESSION), NOW);
    assert_eq!(chain.newest(), 10);
}

#[test]
fn a_chain_survives_its_bytes() {
    for chain in [KeyChain::new(Version::derive(1, b"k", SESSION)), chain()] {
        let bytes = chain.to_bytes();
        assert_eq!(*KeyChain::from_bytes(&bytes).unwrap().to_bytes(), *bytes);
        for cut in 1..bytes.len() {
            let read = KeyChain::from_bytes(&bytes[..cut]);
            assert!(read.is_none_or(|read| cut == 4 + KEY_LEN && read.previous.is_none()), "{cut}");
        }
    }
}

fn session(id: SessionId, key: SessionKey) -> Session {
    Session {
        id,
        realm: "default".into(),
        app: "shop".into(),
        identity: crate::ids::IdentityId([1; 16]),
        openid: "o1".into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: NOW,
        vouched_at: NOW,
        absolute_at: NOW,
        last_seen: Uptime(0),
        key,
        secrets: Secrets::new(Secret::new([9; 32]).hash(), false),
        ended: None,
    }
}

/// What a check knows of a keyed session: its key, and never that it had none.
#[test]
fn a_sealed_key_opens_for_its_session_alone() {
    let sealer = Sealer::without_store(&MasterKey::parse(&"5a".repeat(32)).unwrap(), Arc::new(Sevens));
    let hmac = ProofKey::HmacSha256(Zeroizing::new([1; KEY_LEN]));
    let wechat = ProofKey::WeChat(Box::new(chain()));
    for (key, id) in [(hmac, SESSION.to_string()), (wechat, format!("{SESSION}.10"))] {
        let sealed = key.seal(SESSION, &sealer).unwrap();
        let opened = ProofKey::open(&session(SESSION, sealed.clone()), &sealer).unwrap().unwrap();
        assert_eq!(key_of(&opened, &id, NOW), key_of(&key, &id, NOW));
        let elsewhere = ProofKey::open(&session(SessionId([8; 16]), sealed), &sealer);
        assert!(matches!(elsewhere, Err(SealError::Broken(_))));
    }
    assert!(ProofKey::open(&session(SESSION, SessionKey::Bearer), &sealer).unwrap().is_none());
}

/// HKDF by RFC 5869's own words, out of HMAC: PRK = HMAC(0…0, IKM), T(1) = HMAC(PRK, info ‖ 1).
#[test]
fn a_key_is_derived_as_the_rfc_says() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let hmac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let prk = hmac(&[0; 32], &[b"sixteen new byte"]);
    let okm = hmac(&prk, &[b"yaopai hmac-sha256 ", SESSION.to_string().as_bytes(), &[1]]);
    assert_eq!(Version::derive(10, b"sixteen new byte", SESSION).key[..], okm[..]);
}

#[test]
fn other_sessions_have_other_keys() {
    let other = Version::derive(10, b"sixteen new byte", SessionId([8; 16]));
    assert_ne!(other.key[..], Version::derive(10, b"sixteen new byte", SESSION).key[..]);
}

/// The example of docs/signatures.md: clients derive the same.
#[test]
fn a_key_is_derived_as_the_documents_say() {
    let session = SessionId::parse("01a20348-ced5-72fe-8da1-cdbb3420dc96").unwrap();
    let derived = Version::derive(3, &std::array::from_fn::<u8, 16, _>(|n| u8::try_from(n).unwrap()), session);
    let hex: String = derived.key.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "a4016830e85f1458ae47aaed18ebf8a1ab31a26d0e266ddb2a08c880d743fcca");
}
