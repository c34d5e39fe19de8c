//! Binding and unbinding.

use super::*;
use std::collections::HashMap;
use yaopai_core::ids::AppName;

use yaopai_core::app::Yields;
use yaopai_core::ports::{Bind, BindEnd, BindTerms, BindingFilter, Open, Rotated};
use yaopai_core::session::{Device, EndReason, Limits, RiseLimits, Session, Standing};
use yaopai_core::time::Uptime;

pub async fn the_session_rises_and_no_other(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.log.take();
    let (s, secret) = answer(lab.bind(bind_as(1, 1, "a", 3, "u")).await.unwrap());
    assert_eq!((s.user.clone(), secret), (Some(user("u")), 3));
    assert_eq!(s.secrets.standing(&h(3), T0), Standing::Successor { bound: true });
    assert_eq!(s.secrets.standing(&h(1), T0), Standing::Current { bound: false }, "it may have been copied");
    assert_eq!(lab.get(1).await, s);
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert_eq!(lab.identity_of("o").await.unwrap().user, Some(user("u")));
    assert_eq!(lab.identity_of("o").await.unwrap().bound_at, Some(T0));
    assert_eq!(lab.get(2).await.user, None, "the other session's token may have been copied too");
    // From now on logins find the user.
    assert_eq!(lab.must_open(login(4, "o")).await.user, Some(user("u")));
}

pub async fn the_same_bind_again(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.bind(bind_as(1, 1, "a", 2, "u")).await.unwrap();
    lab.reopen();
    lab.log.take();
    let (s, secret) = answer(lab.bind(bind_as(1, 1, "a", 3, "u")).await.unwrap());
    assert_eq!((s.user, secret), (Some(user("u")), 2));
    // Whatever the back end says of it by now: this request was answered.
    let (s, secret) = answer(lab.bind(bind_as(1, 1, "a", 4, "v")).await.unwrap());
    assert_eq!((s.user, secret), (Some(user("u")), 2));
    assert!(lab.log.take().is_empty());
}

pub async fn a_bind_by_whom_the_identity_has(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.bind(bind_as(1, 1, "a", 3, "u")).await.unwrap();
    let (s, _) = answer(lab.bind(bind_as(2, 2, "b", 4, "u")).await.unwrap());
    assert_eq!(s.user, Some(user("u")), "a second session of the identity");
    let (s, secret) = answer(lab.bind(bind_as(1, 1, "c", 5, "u")).await.unwrap());
    assert_eq!((s.user, secret), (Some(user("u")), 5), "the same session under a new request");
}

pub async fn conflicts_change_nothing(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    lab.must_open(login(3, "o3")).await;
    lab.bind(bind_as(3, 3, "a", 30, "w")).await.unwrap();
    let before = [lab.get(1).await, lab.get(2).await, lab.get(3).await];
    lab.log.take();
    let with_claims = Bind { user: found_as("u", "boss"), ..bind_as(2, 2, "b", 31, "u") };
    assert!(matches!(lab.bind(with_claims).await.unwrap(), Rotated::Conflict), "u has another identity");
    assert!(matches!(lab.bind(bind_as(3, 3, "c", 32, "v")).await.unwrap(), Rotated::Conflict), "o3 has another user");
    assert_eq!([lab.get(1).await, lab.get(2).await, lab.get(3).await], before);
    assert_eq!(lab.identity_of("o2").await.unwrap().user, None);
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), None);
    assert!(lab.log.take().is_empty());
    let allowed = Bind { second_identity: true, ..bind_as(2, 2, "b", 31, "u") };
    assert_eq!(answer(lab.bind(allowed).await.unwrap()).0.user, Some(user("u")));
}

pub async fn no_bind_without_a_good_secret(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.confirm(id(1), h(2), T0).await.unwrap();
    lab.log.take();
    assert!(matches!(lab.bind(bind_as(1, 77, "b", 3, "u")).await.unwrap(), Rotated::Unknown));
    assert!(matches!(lab.bind(bind_as(9, 1, "b", 3, "u")).await.unwrap(), Rotated::Unknown));
    let mut late = bind_as(1, 1, "b", 3, "u");
    late.rotate.now = later(30_001);
    assert!(matches!(lab.bind(late).await.unwrap(), Rotated::Superseded));
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    assert!(matches!(lab.bind(bind_as(1, 2, "b", 3, "u")).await.unwrap(), Rotated::Ended(EndReason::Kicked)));
    assert_eq!(lab.identity_of("o").await.unwrap().user, None);
    assert_eq!(lab.log.did(), [Did::Ended(id(1))]);
}

pub async fn claims_with_a_bind(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    let mall = Open { session: Session { app: AppName::from("mall"), ..wanted(2, "m") }, ..login_as(2, "m", "u") };
    lab.must_open(mall).await;
    lab.log.take();
    let (s, _) = answer(lab.bind(Bind { user: found_as("u", "boss"), ..bind_as(1, 1, "a", 3, "u") }).await.unwrap());
    assert_eq!(s.claims, Some(said("boss")));
    assert_eq!(lab.log.did(), [Did::Put(id(2)), Did::Put(id(1))]);
    assert_eq!((lab.get(2).await.claims, lab.get(1).await), (Some(said("boss")), s));
}

pub async fn the_back_end_binds(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.must_open(login(3, "o")).await;
    lab.end(&main(), &Which::One(id(3)), EndReason::Logout, T0).await.unwrap();
    lab.log.take();
    let bound = lab.bind_identity(&main(), who(1), found_as("u", "boss"), &terms(later(5))).await.unwrap();
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.user.clone(), i.bound_at), (Some(user("u")), Some(later(5))));
    assert_eq!(bound, BindEnd::Bound(Box::new(i.clone())));
    assert_eq!(lab.log.did(), [Did::Put(id(1)), Did::Put(id(2))]);
    for n in [1, 2] {
        let s = lab.get(n).await;
        assert_eq!((s.user.clone(), s.claims.clone()), (Some(user("u")), Some(said("boss"))));
        assert_eq!(
            s.secrets.standing(&h(n), T0),
            Standing::Current { bound: true },
            "the token is unchanged, and bound"
        );
    }
    assert_eq!(lab.get(3).await.user, None, "what has ended stays as it was");
    // Again: the same, and nobody has to be told.
    let again = lab.bind_identity(&main(), who(1), found("u"), &terms(later(9))).await.unwrap();
    assert_eq!(again, BindEnd::Bound(Box::new(i)), "bound since then");
    assert!(lab.log.take().is_empty());
}

/// The person has bound on one phone; another session of the identity stayed a guest, because its token may be a copy.
pub async fn the_same_word_again_raises_no_guest(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    answer(lab.bind(bind_as(1, 1, "a", 3, "u")).await.unwrap());
    let guest = lab.get(2).await;
    lab.log.take();
    let again = lab.bind_identity(&main(), who(1), found_as("u", "boss"), &terms(later(5))).await.unwrap();
    assert_eq!(again, BindEnd::Bound(Box::new(lab.identity_of("o").await.unwrap())));
    assert_eq!(lab.get(2).await, guest);
    assert_eq!(lab.standing(1, 1, T0).await, Standing::Current { bound: false }, "nor an old secret");
    assert_eq!(lab.get(1).await.claims, Some(said("boss")), "what is said about the user is kept");
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
}

fn at_most(max: u32, yields: Yields, n: u8) -> Bind {
    let limits = Limits { max, max_of_type: None, yields };
    Bind { limits, ..bind_as(n, n, "a", 100 + n, "u") }
}

pub async fn a_bind_makes_room(lab: Lab) {
    for n in 1..=2 {
        lab.must_open(login_as(n, "o1", "u")).await;
    }
    for n in 3..=5 {
        lab.must_open(login(n, &format!("o{n}"))).await;
    }
    let bind = |n| Bind { second_identity: true, user: found_as("u", "boss"), ..at_most(2, Yields::Oldest, n) };
    lab.log.take();
    let (s, _) = answer(lab.bind(bind(3)).await.unwrap());
    assert_eq!(lab.log.did(), [Did::Ended(id(1)), Did::Put(id(2)), Did::Put(id(3))]);
    assert_eq!(lab.reason(1).await, Some(EndReason::Replaced));
    assert_eq!(lab.get(3).await, s);
    // A session that has its user needs no more room, and neither does a request that was answered.
    for request in ["a", "b"] {
        let mut again = Bind { limits: Limits { max: 1, ..bind(3).limits }, ..bind(3) };
        again.rotate.request = yaopai_core::session::RequestHash::new("bind", request);
        answer(lab.bind(again).await.unwrap());
        assert_eq!(lab.reason(2).await, None);
    }
    // Neither idle nor old ones count.
    let mut idle = bind(4);
    idle.up = Uptime(T0.0 + IDLE);
    answer(lab.bind(idle).await.unwrap());
    assert_eq!((lab.reason(2).await, lab.reason(3).await), (None, None));
    // A conflict ends nobody.
    let conflict = Bind { second_identity: false, limits: Limits { max: 1, ..bind(5).limits }, ..bind(5) };
    assert!(matches!(lab.bind(conflict).await.unwrap(), Rotated::Conflict));
    assert_eq!(lab.live().await.len(), 4);
}

pub async fn a_bind_makes_room_by_device_type(lab: Lab) {
    let on = |n: u8, kind: &str, open: Open| Open {
        session: Session { device: Device { kind: Some(kind.into()), ..Device::default() }, ..wanted(n, "o") },
        ..open
    };
    lab.must_open(on(1, "pc", login(1, "o"))).await;
    lab.must_open(on(2, "phone", login_as(2, "o", "u"))).await;
    lab.must_open(on(3, "pc", login(3, "o"))).await;
    let bind =
        Bind { limits: Limits { max: 9, max_of_type: Some(1), yields: Yields::Oldest }, ..bind_as(1, 1, "a", 9, "u") };
    answer(lab.bind(bind).await.unwrap());
    assert_eq!((lab.reason(2).await, lab.reason(3).await), (None, Some(EndReason::Replaced)));
}

pub async fn or_a_bind_is_refused_whole(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    let before = [lab.get(1).await, lab.get(2).await];
    lab.log.take();
    let bind = Bind { second_identity: true, user: found_as("u", "boss"), ..at_most(1, Yields::Newest, 2) };
    assert!(matches!(lab.bind(bind.clone()).await.unwrap(), Rotated::Full));
    assert_eq!([lab.get(1).await, lab.get(2).await], before);
    assert_eq!(lab.identity_of("o2").await.unwrap().user, None);
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), None);
    assert!(lab.log.take().is_empty());
    // Once another has ended, the same request succeeds.
    lab.end(&main(), &Which::One(id(1)), EndReason::Logout, T0).await.unwrap();
    answer(lab.bind(bind).await.unwrap());
}

pub async fn the_back_ends_bind_makes_room(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    for n in 2..=4 {
        lab.must_open(login(n, "o2")).await;
    }
    let old = Open { session: Session { last_seen: Uptime(T0.0 - IDLE), ..wanted(5, "o2") }, ..login(5, "o2") };
    lab.must_open(old).await;
    lab.log.take();
    let limits = RiseLimits { max: 2, max_of_type: HashMap::new() };
    let terms = BindTerms { second_identity: true, limits, ..terms(T0) };
    let bound = lab.bind_identity(&main(), who(2), found_as("u", "boss"), &terms).await.unwrap();
    assert!(matches!(bound, BindEnd::Bound(_)));
    assert_eq!(
        lab.log.did(),
        [Did::Ended(id(1)), Did::Ended(id(2)), Did::Put(id(3)), Did::Put(id(4)), Did::Put(id(5))],
        "the oldest first, and one that is idle for too long takes nobody's place"
    );
    assert_eq!((lab.reason(1).await, lab.reason(2).await), (Some(EndReason::Replaced), Some(EndReason::Replaced)));
    assert_eq!(lab.get(3).await.user, Some(user("u")));
    assert_eq!(lab.standing(4, 4, T0).await, Standing::Current { bound: true });
}

pub async fn the_back_ends_bind_makes_room_by_device_type(lab: Lab) {
    for (n, kind) in [(1, "pc"), (2, "phone"), (3, "pc")] {
        let device = Device { kind: Some(kind.into()), ..Device::default() };
        lab.must_open(Open { session: Session { device, ..wanted(n, "o") }, ..login(n, "o") }).await;
    }
    let limits = RiseLimits { max: 9, max_of_type: HashMap::from([("pc".into(), 1)]) };
    lab.bind_identity(&main(), who(1), found("u"), &BindTerms { limits, ..terms(T0) }).await.unwrap();
    assert_eq!(
        (lab.reason(1).await, lab.reason(2).await, lab.reason(3).await),
        (Some(EndReason::Replaced), None, None)
    );
}

pub async fn the_back_end_can_not_bind_otherwise(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    lab.log.take();
    for (realm, n, name, end) in [
        (main(), 1, "v", BindEnd::Conflict),
        (main(), 2, "u", BindEnd::Conflict),
        (main(), 9, "v", BindEnd::NotFound),
        (other_realm(), 2, "v", BindEnd::NotFound),
    ] {
        let bound = lab.bind_identity(&realm, who(n), found_as(name, "boss"), &terms(T0)).await;
        assert_eq!(bound.unwrap(), end);
    }
    for name in ["u", "v"] {
        assert_eq!(lab.claims(&main(), &user(name)).await.unwrap(), None);
        assert_eq!(lab.claims(&other_realm(), &user(name)).await.unwrap(), None);
    }
    assert!(lab.log.take().is_empty());
    let second = lab
        .bind_identity(&main(), who(2), found("u"), &BindTerms { second_identity: true, ..terms(T0) })
        .await
        .unwrap();
    assert!(matches!(second, BindEnd::Bound(_)));
}

pub async fn unbinding_ends_the_bound_sessions(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login_as(2, "o", "u")).await;
    lab.must_open(login(3, "o")).await;
    lab.log.take();
    assert!(!lab.unbind_identity(&other_realm(), who(1), None, T0).await.unwrap());
    assert!(!lab.unbind_identity(&main(), who(9), None, T0).await.unwrap());
    assert!(!lab.unbind_identity(&main(), who(1), Some(&user("v")), T0).await.unwrap(), "it is not v's");
    assert!(lab.log.take().is_empty());
    assert!(lab.unbind_identity(&main(), who(1), Some(&user("u")), later(5)).await.unwrap());
    assert_eq!(lab.log.did(), [Did::Ended(id(2)), Did::Ended(id(3))]);
    assert_eq!(lab.get(2).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::Unbound, later(5))));
    assert_eq!(lab.reason(1).await, None, "it had no user to lose");
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.user, i.bound_at), (None, None));
    assert!(!lab.unbind_identity(&main(), who(1), None, T0).await.unwrap());
    let s = lab.must_open(login_as(4, "o", "v")).await;
    assert_eq!(s.user, Some(user("v")), "free for another user");
}

pub async fn bindings_are_the_realms_own(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let filter = BindingFilter { limit: 9, ..BindingFilter::default() };
    assert_eq!(lab.bindings(&main(), &filter).await.unwrap().len(), 1);
    assert!(lab.bindings(&other_realm(), &filter).await.unwrap().is_empty());
    let by_user = BindingFilter { user: Some(user("u")), ..filter.clone() };
    assert!(lab.bindings(&other_realm(), &by_user).await.unwrap().is_empty());
    let by_openid = BindingFilter { app: Some(shop()), openid: Some("o".into()), ..filter };
    assert!(lab.bindings(&other_realm(), &by_openid).await.unwrap().is_empty());
}
