//! Ending sessions.

use super::*;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{Open, Subject};
use yaopai_core::session::EndReason;

async fn kick(lab: &Lab, realm: &yaopai_core::ids::Realm, which: Which) -> Vec<SessionId> {
    lab.end(realm, &which, EndReason::Kicked, later(5)).await.unwrap()
}

/// Sessions 1 and 2 of user u (shop), 3 of u in another app, 4 of u in another realm, 5 of v, 6 and 7 of a guest.
async fn people(lab: &Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login(2, "o")).await;
    let mall = Session { app: AppName::from("mall"), ..wanted(3, "m") };
    lab.must_open(Open { session: mall, ..login_as(3, "m", "u") }).await;
    let far = Session { app: AppName::from("far"), realm: other_realm(), ..wanted(4, "f") };
    lab.must_open(Open { session: far, ..login_as(4, "f", "u") }).await;
    lab.must_open(login_as(5, "p", "v")).await;
    lab.must_open(login(6, "g")).await;
    lab.must_open(login(7, "g")).await;
    lab.log.take();
}

pub async fn one_of_the_realm(lab: Lab) {
    people(&lab).await;
    assert_eq!(kick(&lab, &other_realm(), Which::One(id(1))).await, []);
    assert_eq!(kick(&lab, &main(), Which::One(id(4))).await, []);
    assert_eq!(kick(&lab, &main(), Which::One(id(9))).await, []);
    assert!(lab.log.take().is_empty());
    assert_eq!(kick(&lab, &main(), Which::One(id(1))).await, [id(1)]);
    assert_eq!(lab.log.did(), [Did::Ended(id(1))]);
    assert_eq!(lab.get(1).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::Kicked, later(5))));
}

pub async fn only_ones_own(lab: Lab) {
    people(&lab).await;
    let own = |n, subject| Which::Own(id(n), subject);
    for foreign in [
        own(1, Subject::User(user("v"))),
        own(1, Subject::Guest(who(1))),
        own(4, Subject::User(user("u"))),
        own(6, Subject::User(user("u"))),
        own(6, Subject::Guest(who(7))),
    ] {
        assert_eq!(kick(&lab, &main(), foreign).await, []);
    }
    assert_eq!(kick(&lab, &main(), own(3, Subject::User(user("u")))).await, [id(3)]);
    assert_eq!(kick(&lab, &main(), own(7, Subject::Guest(who(6)))).await, [id(7)]);
    assert_eq!(lab.log.did(), [Did::Ended(id(3)), Did::Ended(id(7))]);
}

pub async fn all_of_a_user(lab: Lab) {
    people(&lab).await;
    assert_eq!(kick(&lab, &other_realm(), Which::All(Subject::User(user("v")))).await, []);
    assert_eq!(kick(&lab, &main(), Which::All(Subject::User(user("u")))).await, [id(1), id(2), id(3)]);
    assert_eq!(lab.log.did(), [Did::Ended(id(1)), Did::Ended(id(2)), Did::Ended(id(3))]);
    assert_eq!(lab.reason(4).await, None, "the user of that name in another realm");
}

pub async fn all_of_a_guest(lab: Lab) {
    people(&lab).await;
    lab.must_open(login_as(8, "g", "w")).await;
    assert_eq!(kick(&lab, &other_realm(), Which::All(Subject::Guest(who(6)))).await, []);
    assert_eq!(kick(&lab, &main(), Which::All(Subject::Guest(who(6)))).await, [id(6), id(7)]);
    assert_eq!(lab.reason(8).await, None, "a session with a user is the user's");
}

pub async fn all_of_an_identity_opened_before(lab: Lab) {
    people(&lab).await;
    // A guest's account gets a user: its next session is the user's, the guests' are not.
    lab.must_open(login_as(8, "g", "w")).await;
    let late = Session { created_at: later(2), ..wanted(9, "g") };
    lab.must_open(Open { session: late, ..login(9, "g") }).await;
    lab.log.take();
    let by = |at| Which::Opened(who(6), at);
    assert_eq!(kick(&lab, &other_realm(), by(later(9))).await, []);
    assert_eq!(kick(&lab, &main(), by(later(-1))).await, []);
    assert_eq!(kick(&lab, &main(), Which::Opened(who(9), later(9))).await, [], "no such identity");
    assert!(lab.log.take().is_empty());
    assert_eq!(kick(&lab, &main(), by(later(1))).await, [id(6), id(7), id(8)], "with a user or without");
    assert_eq!(lab.log.did(), [Did::Ended(id(6)), Did::Ended(id(7)), Did::Ended(id(8))]);
    assert_eq!(lab.reason(9).await, None, "it was opened later");
    assert_eq!(lab.reason(1).await, None, "nor does it reach another account");
    assert_eq!(kick(&lab, &main(), by(later(2))).await, [id(9)]);
}

pub async fn once_for_one_reason(mut lab: Lab) {
    people(&lab).await;
    assert_eq!(kick(&lab, &main(), Which::One(id(1))).await, [id(1)]);
    lab.log.take();
    let all = Which::All(Subject::User(user("u")));
    assert_eq!(lab.end(&main(), &all, EndReason::Logout, later(9)).await.unwrap(), [id(2), id(3)]);
    lab.expire(vec![(id(1), EndReason::ExpiredIdle)], later(9)).await.unwrap();
    assert_eq!(lab.log.did(), [Did::Ended(id(2)), Did::Ended(id(3))]);
    lab.reopen();
    assert_eq!(lab.get(1).await.ended.map(|e| (e.reason, e.at)), Some((EndReason::Kicked, later(5))));
}

pub async fn expiry(lab: Lab) {
    people(&lab).await;
    let idle = EndReason::ExpiredIdle;
    let expired = vec![(id(4), EndReason::ExpiredAbsolute), (id(1), idle), (id(9), idle), (id(1), idle)];
    lab.expire(expired, later(5)).await.unwrap();
    assert_eq!(lab.log.did(), [Did::Ended(id(4)), Did::Ended(id(1))]);
    assert_eq!(lab.reason(4).await, Some(EndReason::ExpiredAbsolute));
    assert_eq!(lab.get(1).await.ended.map(|e| (e.reason, e.at)), Some((idle, later(5))));
    // More than one chunk of them.
    let many = (0..600).map(|_| (id(2), idle)).chain([(id(3), idle)]).collect();
    lab.expire(many, later(6)).await.unwrap();
    assert_eq!(lab.log.did(), [Did::Ended(id(2)), Did::Ended(id(3))]);
}
