//! An identity that goes from one user to another.

use super::*;

use yaopai_core::app::Yields;
use yaopai_core::ports::{Bind, Proof, Rotated};
use yaopai_core::session::{EndReason, Limits, REBIND_WITHIN, Standing};

/// Sessions 1 and 2 of an identity of `u`, and a guest's, 3, from before. 1 holds the bound secret 11. The platform has vouched
/// for each since it was opened.
async fn bound(lab: &Lab) {
    for n in 1..=3 {
        let mut open = login(n, "o");
        open.session.created_at = later(-1);
        lab.must_open(open).await;
    }
    for n in 1..=2 {
        answer(lab.bind(bind_as(n, n, "a", 10 + n, "u")).await.unwrap());
        lab.confirm(id(n), h(10 + n), T0).await.unwrap().unwrap();
    }
    lab.log.take();
}

pub async fn a_fresh_bound_session_changes_its_user(mut lab: Lab) {
    bound(&lab).await;
    lab.put_for("u", 1, vec![jar::cookie(1, b"u's")]).await;
    lab.rotate(refresh(1, 11, "r", 12, T0)).await.unwrap();
    lab.log.take();
    lab.set_claims(&main(), &user("v"), Some(said("boss")), T0).await.unwrap();
    let (s, secret) = answer(lab.bind(bind_as(1, 11, "b", 20, "v")).await.unwrap());
    assert_eq!((s.user.clone(), s.claims.clone(), secret), (Some(user("v")), Some(said("boss")), 20));
    assert_eq!(lab.log.did(), [Did::Ended(id(2)), Did::Put(id(1))]);
    assert_eq!(lab.get(1).await, s);
    for old in [11, 12] {
        let standing = s.secrets.standing(&h(old), T0);
        let as_nobody = matches!(standing, Standing::Current { bound: false } | Standing::Successor { bound: false });
        assert!(as_nobody, "a secret of u's acts as nobody: {old} {standing:?}");
    }
    assert_eq!(s.secrets.standing(&h(20), T0), Standing::Successor { bound: true });
    assert_eq!(s.secrets.standing(&h(1), T0), Standing::Grace { bound: false });
    assert_eq!(lab.reason(2).await, Some(EndReason::Unbound), "it was u's");
    assert_eq!(lab.reason(3).await, None, "a guest's stays a guest's");
    assert_eq!(lab.get(3).await.user, None);
    assert!(lab.slots(1).await.is_empty(), "its cookies were u's");
    lab.reopen();
    assert_eq!(lab.identity_of("o").await.unwrap().user, Some(user("v")));
    assert_eq!(lab.must_open(login(5, "o")).await.user, Some(user("v")));
    // Confirmed, the old ones are what they were: nobody's.
    let s = lab.confirm(id(1), h(20), later(5)).await.unwrap().unwrap();
    assert_eq!(s.secrets.standing(&h(11), later(5)), Standing::Grace { bound: false });
}

pub async fn only_who_acts_as_the_user_rebinds(lab: Lab) {
    bound(&lab).await;
    let before = [lab.get(1).await, lab.get(2).await, lab.get(3).await];
    // A guest's session, and the secret of before the bind, which may have been copied.
    assert!(matches!(lab.bind(bind_as(3, 3, "b", 20, "v")).await.unwrap(), Rotated::Conflict));
    assert!(matches!(lab.bind(bind_as(1, 1, "b", 20, "v")).await.unwrap(), Rotated::Conflict));
    // A stranger's secret learns nothing.
    assert!(matches!(lab.bind(bind_as(1, 77, "b", 20, "v")).await.unwrap(), Rotated::Unknown));
    let mut late = bind_as(1, 1, "b", 20, "v");
    late.rotate.now = later(30_001);
    assert!(matches!(lab.bind(late).await.unwrap(), Rotated::Superseded));
    assert_eq!([lab.get(1).await, lab.get(2).await, lab.get(3).await], before);
    assert!(lab.log.take().is_empty());
    assert_eq!(lab.identity_of("o").await.unwrap().user, Some(user("u")));
}

pub async fn a_stale_word_rebinds_nobody(lab: Lab) {
    bound(&lab).await;
    let before = lab.get(1).await;
    let window = i64::try_from(REBIND_WITHIN.as_millis()).unwrap();
    let mut bind = bind_as(1, 11, "b", 20, "v");
    bind.rotate.now = later(window + 1);
    assert!(matches!(lab.bind(bind.clone()).await.unwrap(), Rotated::Stale));
    assert_eq!((lab.get(1).await, lab.reason(2).await), (before, None));
    bind.rotate.now = later(window);
    assert_eq!(answer(lab.bind(bind).await.unwrap()).0.user, Some(user("v")));
}

pub async fn the_login_s_own_word_rebinds_nobody(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let before = lab.get(1).await;
    assert!(matches!(lab.bind(bind_as(1, 1, "b", 20, "v")).await.unwrap(), Rotated::Stale));
    assert_eq!(lab.get(1).await, before);
    answer(lab.step_up(step_up(1, 1, "s", 2, later(1))).await.unwrap());
    let mut bind = bind_as(1, 2, "b", 20, "v");
    bind.rotate.now = later(1);
    assert_eq!(answer(lab.bind(bind).await.unwrap()).0.user, Some(user("v")));
}

pub async fn the_new_user_s_limits_and_identities_count(lab: Lab) {
    bound(&lab).await;
    lab.must_open(login_as(7, "o7", "v")).await;
    let bind = bind_as(1, 11, "b", 20, "v");
    let before = [lab.get(1).await, lab.get(2).await, lab.get(7).await];
    assert!(matches!(lab.bind(bind.clone()).await.unwrap(), Rotated::Conflict), "v has another identity");
    let by_phone = Bind { proof: Proof::Phone, second_identity: true, ..bind.clone() };
    assert!(matches!(lab.bind(by_phone).await.unwrap(), Rotated::Conflict), "and is not had by a number alone");
    let limits = |yields| Limits { max: 1, max_of_type: None, yields };
    let full = Bind { second_identity: true, limits: limits(Yields::Newest), ..bind };
    assert!(matches!(lab.bind(full.clone()).await.unwrap(), Rotated::Full));
    assert_eq!([lab.get(1).await, lab.get(2).await, lab.get(7).await], before);
    answer(lab.bind(Bind { limits: limits(Yields::Oldest), ..full }).await.unwrap());
    assert_eq!(lab.reason(7).await, Some(EndReason::Replaced));
}

pub async fn a_lost_answer_is_asked_for_again(mut lab: Lab) {
    bound(&lab).await;
    lab.bind(bind_as(1, 11, "b", 20, "v")).await.unwrap();
    lab.reopen();
    let (s, secret) = answer(lab.bind(bind_as(1, 11, "b", 21, "v")).await.unwrap());
    assert_eq!((s.user, secret), (Some(user("v")), 20));
    // What the old secret refreshes to acts as nobody.
    let (s, heir) = answer(lab.rotate(refresh(1, 11, "r", 22, T0)).await.unwrap());
    assert_eq!((heir, s.secrets.standing(&h(22), T0)), (22, Standing::Successor { bound: false }));
    // It has no user to take the identity from.
    assert!(matches!(lab.bind(bind_as(1, 11, "c", 23, "u")).await.unwrap(), Rotated::Conflict));
}

pub async fn a_bind_to_the_same_user_is_no_rebind(lab: Lab) {
    bound(&lab).await;
    lab.put_for("u", 1, vec![jar::cookie(1, b"u's")]).await;
    let mut again = bind_as(1, 11, "b", 20, "u");
    again.rotate.now = later(20 * MINUTE);
    answer(lab.bind(again).await.unwrap());
    assert_eq!((lab.reason(2).await, lab.slots(1).await.len()), (None, 1));
    assert_eq!(lab.standing(1, 11, T0).await, Standing::Current { bound: true });
}
