//! Apps that are being moved: who is on which side, and what that does to logins and sessions.

use std::collections::BTreeSet;

use yaopai_core::ids::{AppName, Realm};
use yaopai_core::moving::{AppMove, MoveFor, Share, Side, Why, side};
use yaopai_core::ports::*;
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

use super::*;

/// Nobody has moved but who is listed.
pub fn nobody() -> AppMove {
    AppMove { share: Share::NOBODY, openids: BTreeSet::new(), users: BTreeSet::new(), back: false }
}

fn everybody() -> AppMove {
    AppMove { share: Share::EVERYBODY, ..nobody() }
}

fn act(realm: Realm, action: Action) -> Act {
    Act { realm, action, keep: None, now: T0 }
}

pub async fn set(lab: &Lab, state: AppMove) {
    assert_eq!(lab.act(act(main(), Action::SetMove(shop(), state))).await.unwrap(), Acted::Done);
}

async fn said(lab: &Lab, openid: &str, named: Option<&str>) -> Option<MoveFor> {
    lab.move_for(&main(), &shop(), openid, named.map(user).as_ref()).await.unwrap()
}

async fn side_of(lab: &Lab, openid: &str, named: Option<&str>) -> (Side, Why) {
    side(said(lab, openid, named).await.as_ref(), &shop(), openid)
}

#[track_caller]
fn stays(opened: Opened) -> Why {
    match opened {
        Opened::Stays(why) => why,
        other => panic!("{other:?}"),
    }
}

pub async fn a_state_comes_back_whole(mut lab: Lab) {
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), None);
    let state = AppMove {
        share: Share::of_hundredths(1_234).unwrap(),
        openids: BTreeSet::from(["o1".to_owned(), "o2".to_owned()]),
        users: BTreeSet::from([user("u"), user("张三")]),
        back: true,
    };
    set(&lab, state.clone()).await;
    lab.reopen();
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), Some(state));
    // The whole is replaced.
    let state = AppMove { openids: BTreeSet::from(["o2".to_owned()]), ..nobody() };
    set(&lab, state.clone()).await;
    lab.reopen();
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), Some(state));
    for ended in [true, false] {
        assert_eq!(lab.act(act(main(), Action::EndMove(shop()))).await.unwrap(), Acted::MoveEnded(ended));
        lab.reopen();
        assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), None);
    }
    assert!(lab.log.take().is_empty(), "no session has changed");
}

/// Guarantee: two realms, and two apps, don't see each other's.
pub async fn a_move_is_of_one_app_in_one_realm(lab: Lab) {
    set(&lab, nobody()).await;
    for (realm, app) in [(other_realm(), shop()), (main(), AppName::from("mall"))] {
        assert_eq!(lab.app_move(&realm, &app).await.unwrap(), None);
        assert_eq!(lab.move_for(&realm, &app, "o1", None).await.unwrap(), None);
        assert_eq!(lab.act(act(realm, Action::EndMove(app))).await.unwrap(), Acted::MoveEnded(false));
    }
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), Some(nobody()));
    lab.act(act(other_realm(), Action::SetMove(shop(), everybody()))).await.unwrap();
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), Some(nobody()));
}

pub async fn one_person_is_looked_up(lab: Lab) {
    assert_eq!(said(&lab, "o1", None).await, None);
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    set(&lab, nobody()).await;
    let plain = MoveFor { share: Share::NOBODY, listed: false, by_openid: false, by_user: false, back: false };
    assert_eq!(said(&lab, "o1", None).await, Some(plain));
    set(&lab, AppMove { openids: BTreeSet::from(["o3".to_owned()]), ..nobody() }).await;
    assert_eq!(said(&lab, "o1", None).await, Some(MoveFor { by_openid: true, ..plain }));
    assert_eq!(said(&lab, "o3", None).await, Some(MoveFor { listed: true, by_openid: true, ..plain }));
    set(&lab, AppMove { users: BTreeSet::from([user("u"), user("o4")]), ..everybody() }).await;
    let by_user = MoveFor { share: Share::EVERYBODY, by_user: true, ..plain };
    for (openid, named, listed) in [
        ("o1", None, true),
        // Whom the identity has counts before who is named.
        ("o1", Some("v"), true),
        ("o2", None, false),
        ("o2", Some("u"), true),
        ("new", Some("u"), true),
        ("new", Some("v"), false),
        ("o4", None, false),
    ] {
        assert_eq!(said(&lab, openid, named).await, Some(MoveFor { listed, ..by_user }), "{openid} {named:?}");
    }
    set(&lab, AppMove { back: true, ..everybody() }).await;
    assert_eq!(side_of(&lab, "o1", None).await, (Side::Legacy, Why::Back));
}

/// Guarantee: who stays opens nothing, and leaves nothing behind.
pub async fn who_stays_opens_nothing(mut lab: Lab) {
    set(&lab, nobody()).await;
    for open in [login(1, "o1"), login_as(2, "o2", "u")] {
        assert_eq!(stays(lab.open(open).await.unwrap()), Why::Share);
    }
    lab.reopen();
    assert_eq!((lab.live().await, lab.identity_of("o1").await, lab.identity_of("o2").await), (vec![], None, None));
    assert_eq!(lab.login(&[1; 32]).await.unwrap(), None);
    assert_eq!(lab.log.did(), []);
    set(&lab, AppMove { openids: BTreeSet::from(["o1".to_owned()]), users: BTreeSet::from([user("u")]), ..nobody() })
        .await;
    lab.must_open(login(1, "o1")).await;
    lab.must_open(login_as(2, "o2", "u")).await;
    // By the binding from now on, whoever is named.
    lab.must_open(login_as(3, "o2", "v")).await;
    assert_eq!(stays(lab.open(login_as(4, "o4", "v")).await.unwrap()), Why::Share);
    set(&lab, AppMove { back: true, ..everybody() }).await;
    assert_eq!(stays(lab.open(login(5, "o1")).await.unwrap()), Why::Back);
    // What was opened before is answered again.
    assert!(matches!(lab.open(login(1, "o1")).await.unwrap(), Opened::Repeated(_)));
}

/// A user who is found by the unionid alone counts, too.
pub async fn who_is_linked_has_moved_with_the_user(lab: Lab) {
    let mut first = login_as(1, "o1", "u");
    first.session.app = "mall".into();
    first.session.unionid = Some("un".into());
    lab.must_open(first).await;
    set(&lab, AppMove { users: BTreeSet::from([user("u")]), ..nobody() }).await;
    let mut second = login(2, "o2");
    second.session.unionid = Some("un".into());
    assert_eq!(stays(lab.open(second.clone()).await.unwrap()), Why::Share);
    second.link = Some(LinkBy { apps: vec![shop(), "mall".into()], first: false });
    assert_eq!(lab.must_open(second).await.user, Some(user("u")));
}

/// It stays also where another refusal would follow: nothing is told of a user that is the old program's.
pub async fn staying_goes_before_other_refusals(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.set_disabled(&main(), &user("u"), Some(T0)).await.unwrap();
    assert!(matches!(lab.open(login(2, "o1")).await.unwrap(), Opened::Disabled));
    set(&lab, nobody()).await;
    assert_eq!(stays(lab.open(login(2, "o1")).await.unwrap()), Why::Share);
    assert_eq!(stays(lab.open(login_as(3, "o3", "u")).await.unwrap()), Why::Share);
}

pub async fn who_goes_back_leaves(mut lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    lab.log.take();
    // In no move, and moved.
    for state in [None, Some(everybody()), Some(AppMove { users: BTreeSet::from([user("u")]), ..nobody() })] {
        if let Some(state) = state {
            set(&lab, state).await;
        }
        assert_eq!(lab.leave(id(1), T0).await.unwrap(), None);
        assert_eq!((lab.reason(1).await, lab.log.did()), (None, vec![]));
    }
    assert_eq!(lab.leave(id(2), T0).await.unwrap(), Some(Why::Share));
    assert_eq!(lab.log.did(), [Did::Ended(id(2))]);
    set(&lab, AppMove { back: true, ..everybody() }).await;
    assert_eq!(lab.leave(id(1), T0).await.unwrap(), Some(Why::Back));
    lab.reopen();
    assert_eq!((lab.reason(1).await, lab.reason(2).await), (Some(EndReason::Moved), Some(EndReason::Moved)));
    // Once, and nobody who isn't there.
    assert_eq!((lab.leave(id(1), T0).await.unwrap(), lab.leave(id(9), T0).await.unwrap()), (None, None));
}

pub async fn each_new_state_and_each_return_has_its_row(lab: Lab) {
    lab.begin_audit(audit::scribe().0);
    lab.must_open(login_as(1, "o1", "u")).await;
    set(&lab, AppMove { share: Share::of_hundredths(50).unwrap(), ..nobody() }).await;
    // The same again is no new state.
    set(&lab, AppMove { share: Share::of_hundredths(50).unwrap(), ..nobody() }).await;
    set(&lab, AppMove { back: true, ..nobody() }).await;
    lab.open(login(2, "o2")).await.unwrap();
    lab.leave(id(1), T0).await.unwrap();
    for _ in 0..2 {
        lab.act(act(main(), Action::EndMove(shop()))).await.unwrap();
    }
    assert_eq!(
        audit::story(&*lab).await,
        [
            "login/bound:1",
            "app_move/set",
            "app_move/back",
            "went_back/back:1",
            "session_ended/moved:1",
            "app_move/ended"
        ]
    );
    let rows = audit::rows(&*lab).await;
    let (event, _) = rows[1].row.read().unwrap();
    assert_eq!((event.realm, event.app, event.count), (Some(main()), Some(shop()), 50));
}

/// A state that can't be kept with its answer isn't kept.
pub async fn without_its_answer_there_is_no_new_state(lab: Lab) {
    let answer: Answer = Arc::new(|_| Err(StoreError { retry: false, what: "can't be sealed".into() }));
    let keep = Keep { key: [1; 32], request: [1; 32], expires_at: Timestamp(T0.0 + MINUTE), most: 3, answer };
    let state = AppMove { openids: BTreeSet::from(["o1".to_owned()]), ..nobody() };
    let act = Act { keep: Some(keep), ..act(main(), Action::SetMove(shop(), state)) };
    lab.act(act).await.unwrap_err();
    assert_eq!(lab.app_move(&main(), &shop()).await.unwrap(), None);
    assert_eq!(said(&lab, "o1", None).await, None);
}
