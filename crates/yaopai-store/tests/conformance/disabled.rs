//! Users who may not be logged in.

use super::*;

use yaopai_core::ports::{BindEnd, Opened, Rotated, Subject};
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

async fn disable(lab: &Lab, name: &str, at: Timestamp) -> Vec<SessionId> {
    lab.set_disabled(&main(), &user(name), Some(at)).await.unwrap()
}

async fn enable(lab: &Lab, name: &str) {
    assert_eq!(lab.set_disabled(&main(), &user(name), None).await.unwrap(), []);
}

pub async fn the_sessions_end_and_no_new_one_opens(mut lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login(2, "o")).await;
    lab.must_open(login_as(3, "p", "v")).await;
    lab.log.take();
    assert_eq!(disable(&lab, "u", later(5)).await, [id(1), id(2)]);
    assert_eq!(lab.log.did(), [Did::Ended(id(1)), Did::Ended(id(2))]);
    assert_eq!(lab.get(1).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::UserDisabled, later(5))));
    assert_eq!(lab.reason(3).await, None, "v is another user");
    lab.reopen();
    // Of a known identity, and of a new one whose user the back end names.
    for open in [login(4, "o"), login_as(4, "new", "u")] {
        assert!(matches!(lab.open(open).await.unwrap(), Opened::Disabled));
    }
    assert_eq!(lab.load(id(4)).await.unwrap(), None);
    assert_eq!(lab.identity(&shop(), "new").await.unwrap(), None, "nothing is left of a refused login");
    assert!(matches!(
        lab.rotate(refresh(1, 1, "r", 9, later(6))).await.unwrap(),
        Rotated::Ended(EndReason::UserDisabled)
    ));
    enable(&lab, "u").await;
    assert_eq!(lab.must_open(login(4, "o")).await.user, Some(user("u")), "the binding was kept");
    assert_eq!(lab.reason(1).await, Some(EndReason::UserDisabled), "what has ended stays ended");
}

pub async fn nobody_binds_to_one(lab: Lab) {
    let before = lab.must_open(login(1, "o")).await;
    disable(&lab, "u", T0).await;
    assert!(matches!(lab.bind(bind_as(1, 1, "b", 9, "u")).await.unwrap(), Rotated::Disabled));
    assert_eq!(lab.get(1).await, before);
    // Who may not know whose session it is learns nothing of the user either.
    assert!(matches!(lab.bind(bind_as(1, 77, "b", 9, "u")).await.unwrap(), Rotated::Unknown));
    // The back end may: it says who the person is. The sessions don't rise, they end.
    let bound = lab.bind_identity(&main(), who(1), found("u"), &terms(later(3))).await.unwrap();
    assert!(matches!(bound, BindEnd::Bound(identity) if identity.user == Some(user("u"))));
    assert_eq!(lab.get(1).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::UserDisabled, later(3))));
    enable(&lab, "u").await;
    assert_eq!(lab.must_open(login(2, "o")).await.user, Some(user("u")));
}

pub async fn since_when_is_kept(mut lab: Lab) {
    let since = async |lab: &Lab| lab.disabled_at(&main(), &user("u")).await.unwrap();
    assert_eq!(since(&lab).await, None);
    disable(&lab, "u", later(5)).await;
    disable(&lab, "u", later(9)).await;
    lab.set_claims(&main(), &user("u"), Some(said("boss")), later(9)).await.unwrap();
    lab.set_claims(&main(), &user("u"), None, later(9)).await.unwrap();
    lab.reopen();
    assert_eq!(since(&lab).await, Some(later(5)), "whatever is said of the user, and however often");
    enable(&lab, "u").await;
    assert_eq!(since(&lab).await, None);
    disable(&lab, "u", later(11)).await;
    assert_eq!(since(&lab).await, Some(later(11)));
}

pub async fn in_one_realm(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    assert_eq!(lab.set_disabled(&other_realm(), &user("u"), Some(T0)).await.unwrap(), []);
    assert_eq!(lab.reason(1).await, None);
    lab.must_open(login(2, "o")).await;
    assert_eq!(lab.disabled_at(&main(), &user("u")).await.unwrap(), None);
}

pub async fn several_by_id(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login(2, "g")).await;
    lab.must_open(login(3, "h")).await;
    let end = async |realm, ids: &[u8]| {
        let which = Which::Some(ids.iter().map(|n| id(*n)).collect());
        lab.end(&realm, &which, EndReason::Kicked, later(5)).await.unwrap()
    };
    assert_eq!(end(other_realm(), &[1, 2]).await, []);
    assert_eq!(end(main(), &[2, 1, 9, 2]).await, [id(1), id(2)]);
    assert_eq!(end(main(), &[1, 2]).await, []);
    assert_eq!(lab.reason(3).await, None);
    let all = Which::All(Subject::User(user("u")));
    assert_eq!(lab.end(&main(), &all, EndReason::Kicked, later(5)).await.unwrap(), []);
}
