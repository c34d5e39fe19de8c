//! Opening a session.

use super::*;
use yaopai_core::app::Yields;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{Open, Opened};
use yaopai_core::session::{EndReason, Limits, Standing};
use yaopai_core::time::Timestamp;

pub async fn a_first_login(lab: Lab) {
    let s = lab.must_open(login(1, "o")).await;
    assert_eq!((s.identity, s.user.clone()), (who(1), None));
    assert_eq!(s.secrets.standing(&h(1), T0), Standing::Current { bound: false });
    assert_eq!(lab.get(1).await, s, "what is answered is what is kept");
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.id, i.realm, i.app, i.user, i.created_at), (who(1), main(), shop(), None, T0));
    assert_eq!(lab.kept_key(who(1)).await, Some(vec![1]));
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
}

pub async fn a_new_login_finds_the_identity(lab: Lab) {
    lab.must_open(Open { session: unionid(wanted(1, "o"), "un"), ..login(1, "o") }).await;
    let s = lab.must_open(login(2, "o")).await;
    assert_eq!((s.identity, s.unionid.as_deref()), (who(1), Some("un")), "a missing unionid takes none away");
    assert_eq!(lab.kept_key(who(1)).await, Some(vec![2]), "session_key is replaced");
    lab.must_open(Open { session_key: None, ..login(3, "o") }).await;
    assert_eq!(lab.kept_key(who(1)).await, Some(vec![2]), "a missing one takes none away");
    assert_ne!(lab.must_open(login(4, "o2")).await.identity, who(1));
    let other = Open { session: Session { app: AppName::from("mall"), ..wanted(5, "o") }, ..login(5, "o") };
    assert_eq!(lab.must_open(other).await.identity, who(5), "an openid is one app's");
}

pub async fn the_same_login_again(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.log.take();
    let again = Open { login: login(1, "o").login, user: Some(found_as("u", "boss")), ..login(2, "o") };
    match lab.open(again.clone()).await.unwrap() {
        Opened::Repeated(record) => assert_eq!(record, login(1, "o").login),
        other => panic!("{other:?}"),
    }
    assert_eq!(lab.login(&[1; 32]).await.unwrap(), Some(login(1, "o").login));
    assert_eq!(lab.login(&[2; 32]).await.unwrap(), None);
    assert!(lab.load(id(2)).await.unwrap().is_none());
    assert_eq!(lab.identity_of("o").await.unwrap().user, None);
    assert_eq!(lab.kept_key(who(1)).await, Some(vec![1]));
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), None);
    assert!(lab.log.take().is_empty());
}

pub async fn an_expired_record_is_replaced(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    let mut again = at(login(2, "o"), later(MINUTE));
    again.login = LoginRecord { session: id(2), sealed: vec![9], expires_at: later(2 * MINUTE), ..login(1, "o").login };
    lab.must_open(again.clone()).await;
    assert_eq!(lab.login(&[1; 32]).await.unwrap(), Some(again.login));
}

pub async fn a_binding_wins(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let s = lab.must_open(Open { user: Some(found_as("v", "thief")), ..login(2, "o") }).await;
    assert_eq!((s.user, s.claims), (Some(user("u")), None));
    assert_eq!(lab.identity_of("o").await.unwrap().user, Some(user("u")));
    assert_eq!(lab.claims(&main(), &user("v")).await.unwrap(), None);
    assert_eq!(lab.standing(2, 2, T0).await, Standing::Current { bound: true });
}

pub async fn a_proposed_user_is_bound(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    let s = lab.must_open(at(login_as(2, "o", "u"), later(5))).await;
    assert_eq!(s.secrets.standing(&h(2), T0), Standing::Current { bound: true });
    assert_eq!(s.user, Some(user("u")));
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.id, i.user, i.bound_at, i.created_at), (who(1), Some(user("u")), Some(later(5)), T0));
    let before = lab.get(1).await;
    assert_eq!(before.user, None, "the session that was open may be somebody's copy");
    assert_eq!(before.secrets.standing(&h(1), T0), Standing::Current { bound: false });
}

pub async fn a_second_identity_is_refused_whole(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    lab.log.take();
    let mut refused = Open { user: Some(found_as("u", "boss")), ..login(3, "o2") };
    refused.session.unionid = Some("un".into());
    assert!(matches!(lab.open(refused).await.unwrap(), Opened::Conflict));
    assert!(matches!(lab.open(login_as(4, "o3", "u")).await.unwrap(), Opened::Conflict));
    assert!(lab.log.take().is_empty());
    let i = lab.identity_of("o2").await.unwrap();
    assert_eq!((i.user, i.unionid), (None, None));
    assert_eq!(lab.kept_key(who(2)).await, Some(vec![2]));
    assert_eq!(lab.identity_of("o3").await, None);
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), None);
    assert_eq!(lab.login(&[3; 32]).await.unwrap(), None);
    assert!(lab.load(id(3)).await.unwrap().is_none());
    // Another app, or another realm, is another matter.
    let mall = Open { session: Session { app: AppName::from("mall"), ..wanted(5, "m") }, ..login_as(5, "m", "u") };
    assert_eq!(lab.must_open(mall).await.user, Some(user("u")));
    let far = Session { app: AppName::from("far"), realm: other_realm(), ..wanted(6, "f") };
    assert_eq!(lab.must_open(Open { session: far, ..login_as(6, "f", "u") }).await.user, Some(user("u")));
}

pub async fn a_second_identity_where_allowed(lab: Lab) {
    lab.must_open(login_as(1, "o1", "u")).await;
    let s = lab.must_open(Open { second_identity: true, ..login_as(2, "o2", "u") }).await;
    assert_eq!((s.identity, s.user), (who(2), Some(user("u"))));
}

pub async fn claims_reach_the_other_sessions(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let mall = Open { session: Session { app: AppName::from("mall"), ..wanted(2, "m") }, ..login_as(2, "m", "u") };
    lab.must_open(mall).await;
    let far = Session { app: AppName::from("far"), realm: other_realm(), ..wanted(3, "f") };
    lab.must_open(Open { session: far, ..login_as(3, "f", "u") }).await;
    lab.log.take();
    let s = lab.must_open(Open { user: Some(found_as("u", "boss")), ..login(4, "o") }).await;
    assert_eq!(s.claims, Some(said("boss")));
    let changes = lab.log.take();
    let told: Vec<_> = changes
        .iter()
        .map(|c| match c {
            Change::Put(s) => (s.id, s.claims.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    let boss = Some(said("boss"));
    assert_eq!(told, [(id(1), boss.clone()), (id(2), boss.clone()), (id(4), boss.clone())]);
    for n in [1, 2, 4] {
        assert_eq!(lab.get(n).await.claims, boss);
    }
    assert_eq!(lab.get(3).await.claims, None, "another realm's user of the same name");
    let s = lab.must_open(Open { user: Some(found("u")), ..login(5, "o") }).await;
    assert_eq!(s.claims, boss, "no word leaves what is known");
    assert_eq!(lab.log.did(), [Did::Put(id(5))]);
}

pub async fn a_new_unionid_reaches_the_others(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login_as(2, "o", "u")).await;
    lab.log.take();
    lab.must_open(Open { session: unionid(wanted(3, "o"), "un"), ..login(3, "o") }).await;
    assert_eq!(lab.log.did(), [Did::Put(id(1)), Did::Put(id(2)), Did::Put(id(3))]);
    assert_eq!(lab.get(1).await.unionid.as_deref(), Some("un"));
    assert_eq!(lab.identity_of("o").await.unwrap().unionid.as_deref(), Some("un"));
}

pub async fn the_oldest_yields(lab: Lab) {
    for n in 1..=3 {
        lab.must_open(limited(login_as(n, "o", "u"), 3, Yields::Oldest)).await;
    }
    lab.log.take();
    lab.must_open(at(limited(login_as(4, "o", "u"), 3, Yields::Oldest), later(7))).await;
    assert_eq!(lab.log.did(), [Did::Ended(id(1)), Did::Put(id(4))]);
    let ended = lab.get(1).await.ended.unwrap();
    assert_eq!((ended.reason, ended.at), (EndReason::Replaced, later(7)));
    assert_eq!(lab.reason(2).await, None);
}

pub async fn the_newest_yields(lab: Lab) {
    lab.must_open(limited(login_as(1, "o", "u"), 1, Yields::Newest)).await;
    lab.log.take();
    let mut full = limited(login_as(2, "o", "u"), 1, Yields::Newest);
    full.session.unionid = Some("un".into());
    full.user = Some(found_as("u", "boss"));
    assert!(matches!(lab.open(full.clone()).await.unwrap(), Opened::Full));
    assert!(lab.log.take().is_empty());
    let i = lab.identity_of("o").await.unwrap();
    assert_eq!((i.unionid, lab.kept_key(who(1)).await), (None, Some(vec![1])), "nothing changed");
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), None);
    assert_eq!(lab.login(&[2; 32]).await.unwrap(), None);
    lab.end(&main(), &Which::One(id(1)), EndReason::Logout, T0).await.unwrap();
    lab.must_open(full).await;
}

pub async fn a_device_type_has_its_own_limit(lab: Lab) {
    let on = |n: u8, kind: &str| {
        let mut open = login_as(n, "o", "u");
        open.session.device.kind = Some(kind.into());
        open.limits = Limits { max: 3, max_of_type: Some(1), yields: Yields::Oldest };
        open
    };
    lab.must_open(on(1, "pc")).await;
    lab.must_open(on(2, "phone")).await;
    lab.must_open(on(3, "phone")).await;
    assert_eq!(lab.reason(2).await, Some(EndReason::Replaced));
    assert_eq!(lab.reason(1).await, None);
}

pub async fn idle_and_old_ones_do_not_count(lab: Lab) {
    let one = |n: u8, now: Timestamp| at(limited(login_as(n, "o", "u"), 1, Yields::Newest), now);
    lab.must_open(one(1, T0)).await;
    assert!(matches!(lab.open(one(2, later(IDLE - 1))).await.unwrap(), Opened::Full));
    lab.must_open(one(3, later(IDLE))).await;
    assert_eq!(lab.reason(1).await, None, "it only doesn't count; ending it is the sweeper's");
    // Used by what the store was told, however old the login is.
    lab.touched(vec![(id(3), Uptime(T0.0 + 2 * IDLE))], T0).await.unwrap();
    assert!(matches!(lab.open(one(4, later(3 * IDLE - 1))).await.unwrap(), Opened::Full));
    // Too old, however lately it was used.
    let old = lab.get(3).await.absolute_at;
    lab.touched(vec![(id(3), Uptime(old.0))], T0).await.unwrap();
    assert!(matches!(lab.open(one(5, Timestamp(old.0 - 1))).await.unwrap(), Opened::Full));
    lab.must_open(Open { up: Uptime(old.0), ..one(6, old) }).await;
}

pub async fn a_guest_is_counted_by_identity(lab: Lab) {
    let one = |n: u8, openid: &str| limited(login(n, openid), 1, Yields::Oldest);
    lab.must_open(one(1, "o1")).await;
    lab.must_open(one(2, "o2")).await;
    assert_eq!(lab.reason(1).await, None);
    lab.must_open(one(3, "o1")).await;
    assert_eq!(lab.reason(1).await, Some(EndReason::Replaced));
    // A bound login does not count the unbound session of the same identity, nor another app's of the same user.
    lab.must_open(Open { user: Some(found("u")), ..one(4, "o1") }).await;
    assert_eq!(lab.reason(3).await, None);
    let mall = Session { app: AppName::from("mall"), ..wanted(5, "m") };
    lab.must_open(Open { session: mall, user: Some(found("u")), ..one(5, "m") }).await;
    assert_eq!(lab.reason(4).await, None);
    // With a second identity, the user's sessions of both count.
    lab.must_open(Open { user: Some(found("u")), second_identity: true, ..one(6, "o3") }).await;
    assert_eq!(lab.reason(4).await, Some(EndReason::Replaced));
}

pub async fn a_taken_id_is_an_error(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.log.take();
    let twice = Open { session: wanted(1, "o2"), ..login(2, "o2") };
    assert!(!lab.open(twice).await.unwrap_err().retry);
    assert!(!lab.open(Open { new_identity: who(1), ..login(3, "o3") }).await.unwrap_err().retry);
    assert!(lab.log.take().is_empty());
    assert_eq!((lab.identity_of("o2").await, lab.identity_of("o3").await), (None, None));
    assert_eq!(lab.login(&[2; 32]).await.unwrap(), None);
}

pub async fn an_app_can_not_change_realms(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.log.take();
    let moved = Open { session: Session { realm: other_realm(), ..wanted(2, "o") }, ..login(2, "o") };
    assert!(!lab.open(moved).await.unwrap_err().retry);
    assert!(lab.log.take().is_empty());
}

fn unionid(s: Session, unionid: &str) -> Session {
    Session { unionid: Some(unionid.into()), ..s }
}

fn limited(open: Open, max: u32, yields: Yields) -> Open {
    Open { limits: Limits { max, max_of_type: None, yields }, ..open }
}

fn at(mut open: Open, now: Timestamp) -> Open {
    open.session.created_at = now;
    open.session.last_seen = Uptime(now.0);
    open.up = Uptime(now.0);
    open
}
