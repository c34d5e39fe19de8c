//! What a back end changes, and the answer that is kept with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use yaopai_core::ids::{AppName, Realm};
use yaopai_core::ports::*;
use yaopai_core::session::{EndReason, Session};
use yaopai_core::time::Timestamp;

use super::*;

const DAY: i64 = 24 * 60 * MINUTE;

fn act_at(action: Action, now: Timestamp) -> Act {
    Act { realm: main(), action, keep: None, now }
}

/// An answer that says what came of it. Refusals are not kept.
fn keep(key: u8, now: Timestamp) -> Keep {
    let answer: Answer = Arc::new(|acted| {
        let refused = matches!(acted, Acted::Unbound(false) | Acted::Bound(BindEnd::NotFound | BindEnd::Conflict));
        Ok((!refused).then(|| format!("{acted:?}").into_bytes()))
    });
    Keep { key: [key; 32], request: [key ^ 0xff; 32], expires_at: Timestamp(now.0 + DAY), most: 3, answer }
}

fn kept(key: u8, now: Timestamp, action: Action) -> Act {
    Act { keep: Some(keep(key, now)), ..act_at(action, now) }
}

fn kick(n: u8) -> Action {
    Action::Kick(Which::One(id(n)), EndReason::Kicked)
}

fn move_to(n: u8, to: &str) -> Move {
    Move { identity: who(n), from: None, to: found(to), second_identity: false, why: "move" }
}

pub async fn the_answer_is_kept_with_the_change(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    assert_eq!(lab.act(kept(1, T0, kick(1))).await.unwrap(), Acted::Ended(vec![id(1)]));
    lab.log.take();
    lab.reopen();
    // Under this key nothing is done any more, whatever it is.
    let again = lab.act(kept(1, later(5), kick(2))).await.unwrap();
    let Acted::Repeated(answer) = again else { panic!("{again:?}") };
    assert_eq!(answer, lab.kept_answer(&[1; 32], later(5)).await.unwrap().unwrap());
    assert_eq!(answer.request, [1 ^ 0xff; 32]);
    assert_eq!(String::from_utf8(answer.sealed).unwrap(), format!("{:?}", Acted::Ended(vec![id(1)])));
    assert_eq!(lab.reason(2).await, None);
    assert_eq!(lab.log.did(), []);
    // A day later the key is free.
    assert_eq!(lab.kept_answer(&[1; 32], later(DAY)).await.unwrap(), None);
    assert_eq!(lab.act(kept(1, later(DAY), kick(2))).await.unwrap(), Acted::Ended(vec![id(2)]));
}

pub async fn a_refusal_is_not_kept(lab: Lab) {
    assert_eq!(lab.act(kept(1, T0, Action::Unbind(who(1)))).await.unwrap(), Acted::Unbound(false));
    assert_eq!(lab.kept_answer(&[1; 32], T0).await.unwrap(), None);
    lab.must_open(login_as(1, "o", "u")).await;
    assert_eq!(lab.act(kept(1, T0, Action::Unbind(who(1)))).await.unwrap(), Acted::Unbound(true));
    assert!(matches!(lab.act(kept(1, T0, Action::Unbind(who(1)))).await.unwrap(), Acted::Repeated(_)));
}

pub async fn without_its_answer_nothing_is_changed(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.log.take();
    let answer: Answer = Arc::new(|_| Err(StoreError { retry: false, what: "can't be sealed".into() }));
    let failing = |action| Act { keep: Some(Keep { answer: answer.clone(), ..keep(1, T0) }), ..act_at(action, T0) };
    let before = (lab.get(1).await, lab.identity_of("o").await);
    for action in [kick(1), Action::Unbind(who(1)), Action::SetClaims(user("u"), Some(said("boss")))] {
        lab.act(failing(action)).await.unwrap_err();
    }
    assert_eq!((lab.get(1).await, lab.identity_of("o").await), before);
    assert_eq!(lab.kept_answer(&[1; 32], T0).await.unwrap(), None);
    assert_eq!(lab.log.did(), []);
}

pub async fn a_realm_keeps_so_many_answers(lab: Lab) {
    for n in 1..=3 {
        assert_eq!(lab.act(kept(n, later(n.into()), Action::Nothing)).await.unwrap(), Acted::Done);
    }
    lab.must_open(login(1, "o")).await;
    assert_eq!(lab.act(kept(4, later(9), kick(1))).await.unwrap(), Acted::Full);
    assert_eq!(lab.reason(1).await, None, "what can't be kept is not done");
    assert!(matches!(lab.act(kept(3, later(9), kick(1))).await.unwrap(), Acted::Repeated(_)));
    let there = Act { realm: other_realm(), ..kept(5, later(9), Action::Nothing) };
    assert_eq!(lab.act(there).await.unwrap(), Acted::Done, "the other realm has places of its own");
    // The oldest goes, and one place is free. An expired one under the same key counts once.
    assert_eq!(lab.purge(later(DAY + 1), T0, 100).await.unwrap(), 2, "an answer, and the login's record");
    assert_eq!(lab.act(kept(4, later(DAY + 2), Action::Nothing)).await.unwrap(), Acted::Done);
    assert_eq!(lab.act(kept(6, later(DAY + 2), Action::Nothing)).await.unwrap(), Acted::Full);
    assert_eq!(lab.purge(later(3 * DAY), T0, 100).await.unwrap(), 4);
    for n in 1..=3 {
        assert_eq!(lab.act(kept(n, later(3 * DAY), Action::Nothing)).await.unwrap(), Acted::Done);
    }
    assert_eq!(lab.act(kept(4, later(3 * DAY), Action::Nothing)).await.unwrap(), Acted::Full);
}

pub async fn a_moved_identity_leaves_its_sessions(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    answer(lab.bind(bind_as(1, 1, "b", 11, "u")).await.unwrap());
    lab.log.take();
    let end = lab.act(act_at(Action::Move(move_to(1, "v")), later(9))).await.unwrap();
    let Acted::Bound(BindEnd::Bound(identity)) = end else { panic!("{end:?}") };
    assert_eq!((identity.user.clone(), identity.bound_at), (Some(user("v")), Some(later(9))));
    assert_eq!(lab.identity_of("o").await, Some(*identity));
    assert_eq!(lab.reason(1).await, Some(EndReason::Unbound));
    assert_eq!((lab.reason(2).await, lab.get(2).await.user), (None, None), "a guest may be a copy: it stays one");
    assert_eq!(lab.log.did(), [Did::Ended(id(1))]);
    assert_eq!(lab.must_open(login(3, "o")).await.user, Some(user("v")));
    // To where it is: only the claims.
    let said = Move { to: found_as("v", "boss"), ..move_to(1, "v") };
    let end = lab.act(act_at(Action::Move(said), later(10))).await.unwrap();
    assert!(matches!(end, Acted::Bound(BindEnd::Bound(i)) if i.bound_at == Some(later(9))));
    assert_eq!((lab.reason(3).await, lab.get(3).await.claims), (None, Some(super::said("boss"))));
}

pub async fn a_move_that_can_not_be_changes_nothing(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login_as(2, "p", "v")).await;
    lab.must_open(login(3, "q")).await;
    lab.log.take();
    let ends = async |to: Move| lab.act(act_at(Action::Move(to), later(9))).await.unwrap();
    assert_eq!(ends(move_to(1, "v")).await, Acted::Bound(BindEnd::Conflict), "v has another identity of the app");
    assert_eq!(ends(move_to(3, "w")).await, Acted::Bound(BindEnd::NotFound), "it has no user to leave");
    assert_eq!(ends(move_to(9, "w")).await, Acted::Bound(BindEnd::NotFound));
    let from = Move { from: Some(user("x")), ..move_to(1, "w") };
    assert_eq!(ends(from).await, Acted::Bound(BindEnd::Conflict), "it is not x's any more");
    let there = Act { realm: other_realm(), ..act_at(Action::Move(move_to(1, "w")), T0) };
    assert_eq!(lab.act(there).await.unwrap(), Acted::Bound(BindEnd::NotFound));
    assert_eq!((lab.log.did(), lab.reason(1).await), (vec![], None));
    let second = Move { second_identity: true, ..move_to(1, "v") };
    assert!(matches!(ends(second).await, Acted::Bound(BindEnd::Bound(_))));
}

fn apps(names: &[&str]) -> Vec<(AppName, BindTerms)> {
    names.iter().map(|name| (AppName::from(*name), terms(later(9)))).collect()
}

fn merge(to: Option<&str>) -> Merge {
    Merge { unionid: "un".into(), apps: apps(&["shop", "mall"]), user: to.map(user), dry_run: false }
}

/// Session and identity `n`, of the person with the unionid `un`.
async fn of_un(lab: &Lab, n: u8, app: &str, openid: &str, name: Option<&str>) {
    let login = login(n, openid);
    let session = Session { app: AppName::from(app), unionid: Some("un".into()), ..login.session };
    lab.must_open(Open { session, user: name.map(found), ..login }).await;
}

async fn merges(lab: &Lab, merge: Merge) -> Merged {
    match lab.act(act_at(Action::Merge(merge), later(9))).await.unwrap() {
        Acted::Merged(merged) => merged,
        other => panic!("{other:?}"),
    }
}

fn outcomes(merged: &Merged) -> Vec<MergeOutcome> {
    merged.identities.iter().map(|(_, outcome)| *outcome).collect()
}

pub async fn one_persons_identities_become_one_users(lab: Lab) {
    of_un(&lab, 1, "shop", "o", Some("u")).await;
    of_un(&lab, 2, "mall", "o", None).await;
    of_un(&lab, 3, "elsewhere", "o", None).await;
    lab.must_open(login(4, "p")).await;
    lab.log.take();
    let dry = merges(&lab, Merge { dry_run: true, ..merge(None) }).await;
    assert_eq!((dry.user.clone(), dry.done), (Some(user("u")), false));
    assert_eq!(outcomes(&dry), [MergeOutcome::Kept, MergeOutcome::Bound]);
    assert_eq!((lab.log.did(), lab.get(2).await.user), (vec![], None), "only said");
    let done = merges(&lab, merge(None)).await;
    assert_eq!(done, Merged { done: true, ..dry });
    assert_eq!(lab.get(2).await.user, Some(user("u")), "a running session rises in place");
    assert_eq!((lab.get(3).await.user, lab.get(4).await.user), (None, None), "other apps, other people");
    assert_eq!(lab.reason(1).await, None);
    assert_eq!(outcomes(&merges(&lab, merge(None)).await), [MergeOutcome::Kept, MergeOutcome::Kept]);
}

pub async fn a_merge_guesses_nobody(lab: Lab) {
    of_un(&lab, 1, "shop", "o", None).await;
    let nobody = merges(&lab, merge(None)).await;
    assert_eq!((nobody.user.clone(), nobody.done), (None, false));
    assert_eq!(outcomes(&nobody), [MergeOutcome::Conflict(MergeConflict::NoUser)]);
    assert!(matches!(lab.bind_identity(&main(), who(1), found("u"), &terms(T0)).await.unwrap(), BindEnd::Bound(_)));
    of_un(&lab, 2, "mall", "o", Some("v")).await;
    lab.log.take();
    let several = merges(&lab, merge(None)).await;
    assert_eq!(outcomes(&several), [MergeOutcome::Conflict(MergeConflict::SeveralUsers); 2]);
    assert_eq!((lab.log.did(), several.done), (vec![], false));
    // Who is named gets them: the sessions of the other user end.
    let named = merges(&lab, merge(Some("v"))).await;
    assert_eq!((outcomes(&named), named.done), (vec![MergeOutcome::Moved, MergeOutcome::Kept], true));
    assert_eq!((lab.reason(1).await, lab.reason(2).await), (Some(EndReason::Unbound), None));
    assert_eq!(lab.identity_of("o").await.unwrap().user, Some(user("v")));
}

pub async fn a_merge_gives_nobody_two_of_an_app(lab: Lab) {
    of_un(&lab, 1, "shop", "o", None).await;
    of_un(&lab, 2, "mall", "o", None).await;
    lab.must_open(login_as(3, "p", "u")).await;
    lab.log.take();
    let merged = merges(&lab, merge(Some("u"))).await;
    let second = MergeOutcome::Conflict(MergeConflict::SecondIdentity);
    assert_eq!((outcomes(&merged), merged.done), (vec![second, MergeOutcome::Bound], false));
    assert_eq!((lab.log.did(), lab.get(2).await.user), (vec![], None), "all or nothing");
    let mut may = merge(Some("u"));
    may.apps[0].1.second_identity = true;
    assert!(merges(&lab, may).await.done);
    // Two of one app that share a unionid: neither is the one.
    of_un(&lab, 4, "mall", "q", None).await;
    let merged = merges(&lab, merge(Some("w"))).await;
    assert_eq!(outcomes(&merged)[1..], [second; 2]);
}

pub async fn a_merge_stays_in_its_realm(lab: Lab) {
    of_un(&lab, 1, "shop", "o", Some("u")).await;
    let there = Act { realm: other_realm(), ..act_at(Action::Merge(merge(Some("thief"))), T0) };
    let none = Merged { user: Some(user("thief")), identities: vec![], done: false };
    assert_eq!(lab.act(there).await.unwrap(), Acted::Merged(none));
    assert_eq!(lab.get(1).await.user, Some(user("u")));
}

pub async fn users_are_listed_once(lab: Lab) {
    lab.must_open(login_as(1, "o", "b")).await;
    let mall = Session { app: AppName::from("mall"), ..wanted(2, "m") };
    lab.must_open(Open { session: mall, ..login_as(2, "m", "b") }).await;
    lab.set_claims(&main(), &user("b"), Some(said("boss")), T0).await.unwrap();
    lab.set_claims(&main(), &user("a/../é"), Some(said("x")), T0).await.unwrap();
    lab.set_claims(&main(), &user("gone"), Some(said("x")), T0).await.unwrap();
    lab.set_claims(&main(), &user("gone"), None, T0).await.unwrap();
    lab.set_disabled(&main(), &user("c"), Some(later(1))).await.unwrap();
    lab.set_claims(&other_realm(), &user("there"), Some(said("x")), T0).await.unwrap();
    let all = lab.users(&main(), None, 99).await.unwrap();
    let short: Vec<_> = all.iter().map(|u| (u.user.as_str(), u.identities, u.sessions)).collect();
    assert_eq!(short, [("a/../é", 0, 0), ("b", 2, 2), ("c", 0, 0)]);
    assert_eq!((all[1].claims.clone(), all[2].disabled_at), (Some(said("boss")), Some(later(1))));
    let mut paged = Vec::new();
    while let Some(one) = lab.users(&main(), paged.last().map(|u: &KnownUser| &u.user), 1).await.unwrap().pop() {
        assert_eq!(lab.user(&main(), &one.user).await.unwrap(), Some(one.clone()));
        paged.push(one);
    }
    assert_eq!(paged, all);
    assert_eq!(lab.user(&main(), &user("gone")).await.unwrap(), None);
    assert_eq!(lab.user(&other_realm(), &user("b")).await.unwrap(), None);
}

pub async fn identities_are_found_by_all_that_they_have(lab: Lab) {
    of_un(&lab, 1, "shop", "o", Some("u")).await;
    of_un(&lab, 2, "mall", "o", None).await;
    lab.must_open(login(3, "p")).await;
    let ids = async |filter: BindingFilter, realm: Realm| {
        let list = lab.bindings(&realm, &BindingFilter { limit: 9, ..filter }).await.unwrap();
        list.iter().map(|i| i.id.0[15]).collect::<BTreeSet<u8>>()
    };
    let all = || BindingFilter { unbound_too: true, ..BindingFilter::default() };
    let un = || BindingFilter { unionid: Some("un".into()), ..all() };
    assert_eq!(ids(all(), main()).await, [1, 2, 3].into());
    assert_eq!(ids(un(), main()).await, [1, 2].into());
    assert_eq!(ids(un(), other_realm()).await, [].into());
    assert_eq!(ids(BindingFilter { unbound_too: false, ..un() }, main()).await, [1].into());
    assert_eq!(ids(BindingFilter { user: Some(user("u")), ..un() }, main()).await, [1].into());
    assert_eq!(ids(BindingFilter { user: Some(user("v")), ..un() }, main()).await, [].into());
    let openid = |app: Option<&str>| BindingFilter { openid: Some("o".into()), app: app.map(Into::into), ..all() };
    assert_eq!(ids(openid(None), main()).await, [1, 2].into());
    assert_eq!(ids(openid(Some("mall")), main()).await, [2].into());
    assert_eq!(ids(BindingFilter { unionid: Some("x".into()), ..openid(None) }, main()).await, [].into());
    assert_eq!(ids(BindingFilter { after: Some(who(1)), ..un() }, main()).await, [2].into());
    assert_eq!(lab.identity_by_id(&main(), who(3)).await.unwrap(), lab.identity_of("p").await);
    assert_eq!(lab.identity_by_id(&other_realm(), who(3)).await.unwrap(), None);
}

pub async fn when_the_platform_vouched_last(lab: Lab) {
    let vouched = async || lab.identity_of("o").await.unwrap().vouched_at;
    lab.must_open(login(1, "o")).await;
    assert_eq!(vouched().await, Some(T0));
    answer(lab.step_up(step_up(1, 1, "s", 11, later(5))).await.unwrap());
    assert_eq!(vouched().await, Some(later(5)));
    let again = login(2, "o");
    let session = Session { vouched_at: later(7), created_at: later(7), ..again.session };
    lab.must_open(Open { session, session_key: None, ..again }).await;
    assert_eq!(vouched().await, Some(later(7)));
    assert_eq!(lab.kept_key(who(1)).await, Some(vec![11, 11]), "what is not news stays");
}
