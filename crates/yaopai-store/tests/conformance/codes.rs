//! Bind codes: made, seen by one, redeemed once.

use super::*;

use yaopai_core::ids::AppName;
use yaopai_core::ports::{BIND_CODES_MAX, Bind, BindCode, Open, Proof, Rotated, Which};
use yaopai_core::session::{EndReason, Session};

/// A code of a user, good for five minutes from [`T0`] on.
pub fn code(n: u8, name: &str) -> BindCode {
    let masked = format!("{name}***");
    BindCode {
        hash: [n; 32],
        realm: main(),
        app: None,
        user: user(name),
        masked,
        expires_at: later(300_000),
        seen_by: None,
    }
}

fn bind_by_code(n: u8, code: u8, name: &str) -> Bind {
    Bind { proof: Proof::Code([code; 32]), ..bind_as(n, n, "a", 100 + n, name) }
}

async fn no_code(lab: &Lab, bind: Bind) {
    assert!(matches!(lab.bind(bind.clone()).await.unwrap(), Rotated::NoCode), "{bind:?}");
}

pub async fn a_code_is_seen_then_redeemed_once(mut lab: Lab) {
    lab.must_open(login(1, "o1")).await;
    lab.must_open(login(2, "o2")).await;
    lab.keep_bind_code(code(9, "u")).await.unwrap();
    lab.log.take();
    no_code(&lab, bind_by_code(1, 9, "u")).await;
    let seen = BindCode { seen_by: Some(id(1)), ..code(9, "u") };
    for _ in 0..2 {
        assert_eq!(lab.preview(&[9; 32], id(1), T0).await.unwrap(), Some(seen.clone()), "as often as the person likes");
    }
    lab.reopen();
    assert_eq!(lab.bind_code(&[9; 32]).await.unwrap(), Some(seen));
    assert!(lab.log.take().is_empty());
    let (s, secret) = answer(lab.bind(bind_by_code(1, 9, "u")).await.unwrap());
    assert_eq!((s.user, secret), (Some(user("u")), 101));
    assert_eq!(lab.bind_code(&[9; 32]).await.unwrap(), None);
    // The same request again is answered; another finds no code.
    assert_eq!(answer(lab.bind(bind_by_code(1, 9, "u")).await.unwrap()).1, 101);
    let mut again = bind_by_code(1, 9, "u");
    again.rotate.request = request("another");
    no_code(&lab, again).await;
    assert_eq!(lab.preview(&[9; 32], id(1), T0).await.unwrap(), None);
}

pub async fn the_first_to_see_a_code_keeps_it(lab: Lab) {
    lab.must_open(login(1, "o1")).await;
    lab.must_open(login(2, "o2")).await;
    lab.keep_bind_code(code(9, "u")).await.unwrap();
    lab.preview(&[9; 32], id(1), T0).await.unwrap().unwrap();
    assert_eq!(lab.preview(&[9; 32], id(2), T0).await.unwrap(), None);
    no_code(&lab, bind_by_code(2, 9, "u")).await;
    assert_eq!(lab.identity_of("o2").await.unwrap().user, None);
    answer(lab.bind(bind_by_code(1, 9, "u")).await.unwrap());
}

pub async fn a_code_is_good_for_its_user_place_and_time(lab: Lab) {
    lab.must_open(login(1, "o1")).await;
    let far = Session { app: AppName::from("far"), realm: other_realm(), ..wanted(2, "o1") };
    lab.must_open(Open { session: far, ..login(2, "o1") }).await;
    lab.keep_bind_code(code(9, "u")).await.unwrap();
    lab.keep_bind_code(BindCode { app: Some(AppName::from("mall")), ..code(8, "u") }).await.unwrap();
    assert_eq!(lab.preview(&[9; 32], id(2), T0).await.unwrap(), None, "another realm's");
    assert_eq!(lab.preview(&[8; 32], id(1), T0).await.unwrap(), None, "another app's");
    assert_eq!(lab.preview(&[7; 32], id(1), T0).await.unwrap(), None, "nobody's");
    assert_eq!(lab.preview(&[9; 32], id(3), T0).await.unwrap(), None, "no session");
    assert_eq!(lab.preview(&[9; 32], id(1), later(300_000)).await.unwrap(), None, "too late");
    lab.preview(&[9; 32], id(1), later(299_999)).await.unwrap().unwrap();
    let before = lab.get(1).await;
    no_code(&lab, bind_by_code(1, 9, "v")).await;
    let mut late = bind_by_code(1, 9, "u");
    late.rotate.now = later(300_000);
    no_code(&lab, late).await;
    assert_eq!((lab.get(1).await, lab.identity_of("o1").await.unwrap().user), (before, None));
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    assert_eq!(lab.preview(&[9; 32], id(1), T0).await.unwrap(), None, "an ended session");
}

/// A bind that is refused for another reason leaves the code to the person's next try.
pub async fn a_refused_bind_redeems_no_code(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    lab.keep_bind_code(code(9, "u")).await.unwrap();
    lab.preview(&[9; 32], id(2), T0).await.unwrap().unwrap();
    assert!(matches!(lab.bind(bind_by_code(2, 9, "u")).await.unwrap(), Rotated::Conflict));
    let allowed = Bind { second_identity: true, ..bind_by_code(2, 9, "u") };
    assert_eq!(answer(lab.bind(allowed).await.unwrap()).0.user, Some(user("u")));
}

pub async fn a_user_has_few_codes(lab: Lab) {
    let made = |n: u8| BindCode { expires_at: later(300_000 + i64::from(n)), ..code(n, "u") };
    let others = [BindCode { realm: other_realm(), ..made(200) }, BindCode { user: user("v"), ..made(201) }];
    for other in others.clone() {
        lab.keep_bind_code(other).await.unwrap();
    }
    let count = u8::try_from(BIND_CODES_MAX).unwrap() + 2;
    for n in 1..=count {
        lab.keep_bind_code(made(n)).await.unwrap();
    }
    for n in 1..=count {
        assert_eq!(lab.bind_code(&[n; 32]).await.unwrap().is_some(), n > 2, "{n}");
    }
    for other in others {
        assert_eq!(lab.bind_code(&other.hash).await.unwrap(), Some(other), "another's are another's");
    }
}

pub async fn expired_codes_go(lab: Lab) {
    for n in 1..=3 {
        let expires_at = later(i64::from(n) * MINUTE);
        lab.keep_bind_code(BindCode { expires_at, ..code(n, "u") }).await.unwrap();
    }
    assert_eq!(lab.purge(later(2 * MINUTE), T0, 1).await.unwrap(), 1);
    assert_eq!(lab.bind_code(&[1; 32]).await.unwrap(), None, "the longest expired first");
    assert_eq!(lab.purge(later(2 * MINUTE), T0, 9).await.unwrap(), 1);
    assert!(lab.bind_code(&[3; 32]).await.unwrap().is_some());
}

/// Numbers are recycled: who has the number now need not be who had it when the user's identity was bound.
pub async fn a_number_alone_never_binds_a_user_with_an_identity(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    let by_phone = |name| Bind { proof: Proof::Phone, second_identity: true, ..bind_as(2, 2, "a", 3, name) };
    let before = lab.get(2).await;
    assert!(matches!(lab.bind(by_phone("u")).await.unwrap(), Rotated::Conflict), "whatever the app allows");
    assert_eq!((lab.get(2).await, lab.identity_of("o2").await.unwrap().user), (before, None));
    assert_eq!(answer(lab.bind(by_phone("v")).await.unwrap()).0.user, Some(user("v")));
}
