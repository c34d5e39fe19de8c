//! Binding and unbinding.

use super::*;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{Bind, BindEnd, BindingFilter, Open, Rotated};
use yaopai_core::session::{EndReason, Standing};

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
    let bound = lab.bind_identity(&main(), who(1), found_as("u", "boss"), false, later(5)).await.unwrap();
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
    let again = lab.bind_identity(&main(), who(1), found("u"), false, later(9)).await.unwrap();
    assert_eq!(again, BindEnd::Bound(Box::new(i)), "bound since then");
    assert!(lab.log.take().is_empty());
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
        let bound = lab.bind_identity(&realm, who(n), found_as(name, "boss"), false, T0).await;
        assert_eq!(bound.unwrap(), end);
    }
    for name in ["u", "v"] {
        assert_eq!(lab.claims(&main(), &user(name)).await.unwrap(), None);
        assert_eq!(lab.claims(&other_realm(), &user(name)).await.unwrap(), None);
    }
    assert!(lab.log.take().is_empty());
    let second = lab.bind_identity(&main(), who(2), found("u"), true, T0).await.unwrap();
    assert!(matches!(second, BindEnd::Bound(_)));
}

pub async fn unbinding_ends_the_bound_sessions(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login_as(2, "o", "u")).await;
    lab.must_open(login(3, "o")).await;
    lab.log.take();
    assert!(!lab.unbind_identity(&other_realm(), who(1), T0).await.unwrap());
    assert!(!lab.unbind_identity(&main(), who(9), T0).await.unwrap());
    assert!(lab.log.take().is_empty());
    assert!(lab.unbind_identity(&main(), who(1), later(5)).await.unwrap());
    assert_eq!(lab.log.did(), [Did::Ended(id(2)), Did::Ended(id(3))]);
    assert_eq!(lab.get(2).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::Unbound, later(5))));
    assert_eq!(lab.reason(1).await, None, "it had no user to lose");
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.user, i.bound_at), (None, None));
    assert!(!lab.unbind_identity(&main(), who(1), T0).await.unwrap());
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
