use proptest::prelude::*;

use super::*;

const DAY: i64 = 24 * 3600 * 1000;
const ROTATION: Rotation = Rotation { every: Duration::from_secs(90 * 24 * 3600), ahead: Duration::from_secs(900) };

fn key(kid: &str, signs_from: i64) -> SigningKey {
    let (made_at, signs_from) = (Timestamp(0), Timestamp(signs_from));
    SigningKey { kid: kid.into(), alg: SigningAlg::Es256, sealed: vec![], made_at, signs_from }
}

#[test]
fn the_first_signs_at_once_and_the_next_is_known_before_it_does() {
    assert_eq!(ROTATION.due(&[], SigningAlg::Es256, Timestamp(7)), Some(Timestamp(7)));
    let first = key("a", 0);
    let (before, due) = (90 * DAY - 900_001, 90 * DAY - 900_000);
    let keys = [first.clone()];
    assert_eq!(ROTATION.due(&keys, SigningAlg::Es256, Timestamp(before)), None);
    assert_eq!(ROTATION.due(&keys, SigningAlg::Es256, Timestamp(due)), Some(Timestamp(90 * DAY)));
    assert_eq!(ROTATION.due(&keys, SigningAlg::EdDsa, Timestamp(due)), Some(Timestamp(due)), "each alg has its own");
    let keys = [first, key("b", 90 * DAY)];
    assert_eq!(ROTATION.due(&keys, SigningAlg::Es256, Timestamp(due)), None, "one is on its way");
    let signs = |now| signer(&keys, SigningAlg::Es256, Timestamp(now)).map(|key| key.kid.as_str());
    assert_eq!((signs(due), signs(90 * DAY - 1), signs(90 * DAY)), (Some("a"), Some("a"), Some("b")));
    let roles = |now| keys.each_ref().map(|key| role(&keys, key, Timestamp(now)));
    assert_eq!(roles(due), [Role::Signs, Role::Next]);
    assert_eq!(roles(90 * DAY), [Role::Retires, Role::Signs]);
    assert_eq!(dead(&keys, Timestamp(90 * DAY + 899_999)), Vec::<String>::new());
    assert_eq!(dead(&keys, Timestamp(90 * DAY + 900_000)), ["a"]);
}

proptest! {
    /// However the clock jumps between two rounds of upkeep: somebody signs; whoever signed within the longest life of what was
    /// signed is published; and there are few keys.
    #[test]
    fn what_lives_can_be_verified(steps in prop::collection::vec((0i64..200 * DAY, any::<bool>()), 1..40)) {
        let (mut keys, mut now): (Vec<SigningKey>, _) = (Vec::new(), 0);
        let mut signed: Vec<(String, i64)> = Vec::new();
        for (n, (step, short)) in steps.into_iter().enumerate() {
            now += if short { step % 1_200_000 } else { step };
            let gone = dead(&keys, Timestamp(now));
            keys.retain(|key| !gone.contains(&key.kid));
            if let Some(at) = ROTATION.due(&keys, SigningAlg::Es256, Timestamp(now)) {
                keys.push(SigningKey { made_at: Timestamp(now), ..key(&n.to_string(), at.0) });
            }
            let signs = signer(&keys, SigningAlg::Es256, Timestamp(now));
            let signs = signs.ok_or_else(|| TestCaseError::fail("nobody signs"))?;
            let known = now - signs.made_at.0;
            prop_assert!(keys.len() == 1 || known >= 900_000 || signs.made_at == signs.signs_from, "unknown to caches");
            signed.push((signs.kid.clone(), now));
            for (kid, at) in &signed {
                let lives = *at + 600_000 > now;
                prop_assert!(!lives || keys.iter().any(|key| key.kid == *kid), "{kid} is gone");
            }
            prop_assert!(keys.len() <= 3);
        }
    }
}
