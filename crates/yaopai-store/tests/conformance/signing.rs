//! Keys that sign for back ends.

use super::*;
use yaopai_core::ports::{SigningAlg, SigningKey};
use yaopai_core::time::Timestamp;

fn key(kid: &str, alg: SigningAlg, signs_from: i64) -> SigningKey {
    let (made_at, signs_from) = (Timestamp(7), Timestamp(signs_from));
    SigningKey { kid: kid.into(), alg, sealed: kid.as_bytes().repeat(3), made_at, signs_from }
}

async fn kids(lab: &Lab) -> Vec<String> {
    lab.signing_keys().await.unwrap().into_iter().map(|key| key.kid).collect()
}

pub async fn they_come_back_in_order(mut lab: Lab) {
    let (a, b, c) = (key("a", SigningAlg::Es256, 20), key("b", SigningAlg::EdDsa, 10), key("c", SigningAlg::Es256, 30));
    assert!(lab.add_signing_key(a.clone(), None, false).await.unwrap());
    assert!(lab.add_signing_key(b.clone(), None, false).await.unwrap(), "each alg has its own newest");
    assert!(lab.add_signing_key(c.clone(), Some("a"), false).await.unwrap());
    lab.reopen();
    assert_eq!(lab.signing_keys().await.unwrap(), [b, a, c]);
    assert!(lab.log.take().is_empty(), "no session has changed");
}

pub async fn of_two_that_make_the_next_one_does(lab: Lab) {
    assert!(lab.add_signing_key(key("a", SigningAlg::Es256, 10), None, false).await.unwrap());
    for after in [None, Some("b"), Some("")] {
        assert!(!lab.add_signing_key(key("x", SigningAlg::Es256, 20), after, false).await.unwrap(), "{after:?}");
        assert!(!lab.add_signing_key(key("x", SigningAlg::Es256, 20), after, true).await.unwrap(), "{after:?}");
    }
    assert_eq!(kids(&lab).await, ["a"]);
    assert!(lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a"), false).await.unwrap());
    assert!(!lab.add_signing_key(key("x", SigningAlg::Es256, 30), Some("a"), false).await.unwrap());
    assert_eq!(kids(&lab).await, ["a", "b"]);
}

pub async fn one_alone_drives_out_the_others_of_its_alg(mut lab: Lab) {
    lab.add_signing_key(key("a", SigningAlg::Es256, 10), None, false).await.unwrap();
    lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a"), false).await.unwrap();
    lab.add_signing_key(key("c", SigningAlg::EdDsa, 5), None, false).await.unwrap();
    assert!(lab.add_signing_key(key("d", SigningAlg::Es256, 15), Some("b"), true).await.unwrap());
    lab.reopen();
    assert_eq!(kids(&lab).await, ["c", "d"]);
}

pub async fn dropped_ones_are_gone(mut lab: Lab) {
    lab.add_signing_key(key("a", SigningAlg::Es256, 10), None, false).await.unwrap();
    lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a"), false).await.unwrap();
    lab.drop_signing_keys(vec!["a".into(), "never".into()]).await.unwrap();
    lab.reopen();
    assert_eq!(kids(&lab).await, ["b"]);
}
