//! Keys that sign for back ends.

use std::sync::Arc;

use super::*;
use yaopai_core::ports::*;
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
    assert!(lab.add_signing_key(a.clone(), None).await.unwrap());
    assert!(lab.add_signing_key(b.clone(), None).await.unwrap(), "each alg has its own newest");
    assert!(lab.add_signing_key(c.clone(), Some("a")).await.unwrap());
    lab.reopen();
    assert_eq!(lab.signing_keys().await.unwrap(), [b, a, c]);
    assert!(lab.log.take().is_empty(), "no session has changed");
}

pub async fn of_two_that_make_the_next_one_does(lab: Lab) {
    assert!(lab.add_signing_key(key("a", SigningAlg::Es256, 10), None).await.unwrap());
    for after in [None, Some("b"), Some("")] {
        assert!(!lab.add_signing_key(key("x", SigningAlg::Es256, 20), after).await.unwrap(), "{after:?}");
    }
    assert_eq!(kids(&lab).await, ["a"]);
    assert!(lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a")).await.unwrap());
    assert!(!lab.add_signing_key(key("x", SigningAlg::Es256, 30), Some("a")).await.unwrap());
    assert_eq!(kids(&lab).await, ["a", "b"]);
}

/// On request: of each alg one, in one step with the answer that is kept.
async fn asked(lab: &Lab, keys: &[(SigningKey, Option<&str>)], alone: bool) -> Option<Vec<String>> {
    let keys = keys.iter().map(|(key, after)| NextKey { key: key.clone(), after: after.map(str::to_owned) }).collect();
    let answer: Answer = Arc::new(|acted| Ok((*acted != Acted::Keys(None)).then(|| b"sealed".to_vec())));
    let keep = Keep { key: [1; 32], request: [2; 32], expires_at: Timestamp(i64::MAX), most: 9, answer };
    let action = Action::AddKeys(NextKeys { keys, alone });
    let acted = lab.act(Act { realm: main(), action, keep: Some(keep), now: T0 }).await.unwrap();
    let Acted::Keys(keys) = acted else { panic!("{acted:?}") };
    assert_eq!(lab.kept_answer(&[1; 32], T0).await.unwrap().is_some(), keys.is_some());
    keys.map(|keys| keys.into_iter().map(|key| key.kid).collect())
}

pub async fn one_alone_drives_out_the_others_of_its_alg(mut lab: Lab) {
    lab.add_signing_key(key("a", SigningAlg::Es256, 10), None).await.unwrap();
    lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a")).await.unwrap();
    lab.add_signing_key(key("c", SigningAlg::EdDsa, 5), None).await.unwrap();
    let now = asked(&lab, &[(key("d", SigningAlg::Es256, 15), Some("b"))], true).await;
    assert_eq!(now.unwrap(), ["c", "d"]);
    lab.reopen();
    assert_eq!(kids(&lab).await, ["c", "d"]);
}

pub async fn of_several_all_are_added_or_none(lab: Lab) {
    lab.add_signing_key(key("a", SigningAlg::Es256, 10), None).await.unwrap();
    lab.add_signing_key(key("c", SigningAlg::EdDsa, 5), None).await.unwrap();
    for alone in [false, true] {
        // The second one's was followed meanwhile.
        let late = [(key("d", SigningAlg::Es256, 30), Some("a")), (key("e", SigningAlg::EdDsa, 30), Some("before"))];
        assert_eq!(asked(&lab, &late, alone).await, None);
        assert_eq!(kids(&lab).await, ["c", "a"]);
    }
    let next = [(key("d", SigningAlg::Es256, 30), Some("a")), (key("e", SigningAlg::EdDsa, 20), Some("c"))];
    assert_eq!(asked(&lab, &next, false).await.unwrap(), ["c", "a", "e", "d"]);
}

pub async fn dropped_ones_are_gone(mut lab: Lab) {
    lab.add_signing_key(key("a", SigningAlg::Es256, 10), None).await.unwrap();
    lab.add_signing_key(key("b", SigningAlg::Es256, 20), Some("a")).await.unwrap();
    lab.drop_signing_keys(vec!["a".into(), "never".into()]).await.unwrap();
    lab.reopen();
    assert_eq!(kids(&lab).await, ["b"]);
}
