//! Jars: a row for each cookie, bounded in the engine.

use super::*;

use yaopai_core::jar::Bounds;
use yaopai_core::ports::{Jar, JarChange, JarCookie, KeptCookie, PutCookie, Slot};
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

pub const FEW: Bounds = Bounds { cookies: 4, bytes: 40 };

pub fn slot(n: u8) -> Slot {
    [n; 16]
}

/// Cookie `n` of a site: it has no twin but on purpose.
pub fn on(n: u8, site: u8, sealed: &[u8]) -> PutCookie {
    let kept = Some(KeptCookie { expires_at: None, sealed: sealed.into() });
    PutCookie { slot: slot(n), twin: slot(n), site: slot(site), everywhere: false, kept }
}

pub fn cookie(n: u8, sealed: &[u8]) -> PutCookie {
    on(n, 1, sealed)
}

fn until(n: u8, at: Timestamp) -> PutCookie {
    PutCookie { kept: Some(KeptCookie { expires_at: Some(at), sealed: vec![n] }), ..cookie(n, b"") }
}

fn without(n: u8) -> PutCookie {
    PutCookie { kept: None, ..cookie(n, b"") }
}

pub fn change(n: u8, cookies: Vec<PutCookie>) -> JarChange {
    JarChange { session: id(n), user: None, cookies, used: Vec::new(), bounds: FEW, now: T0 }
}

impl Lab {
    pub async fn put(&self, n: u8, cookies: Vec<PutCookie>) -> Option<u64> {
        self.put_cookies(change(n, cookies)).await.unwrap()
    }

    /// The answer to a user's request.
    pub async fn put_for(&self, who: &str, n: u8, cookies: Vec<PutCookie>) {
        let kept = self.put_cookies(JarChange { user: Some(user(who)), ..change(n, cookies) }).await.unwrap();
        assert!(kept.is_some(), "the session is not {who}'s");
    }

    /// The slots of a jar, the oldest first.
    pub async fn slots(&self, n: u8) -> Vec<u8> {
        self.jar(id(n)).await.unwrap().cookies.iter().map(|cookie| cookie.slot[0]).collect()
    }
}

pub async fn a_cookie_is_kept_whole(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    assert_eq!(lab.jar(id(1)).await.unwrap(), Jar::default());
    assert_eq!(lab.jar_version(id(1)).await.unwrap(), Some(0));
    let kept = Some(KeptCookie { expires_at: Some(later(9)), sealed: vec![0, 255] });
    let put = PutCookie { slot: slot(1), twin: slot(2), site: slot(3), everywhere: true, kept };
    assert_eq!(lab.put(1, vec![put]).await, Some(1));
    lab.reopen();
    let cookie = JarCookie {
        slot: slot(1),
        twin: slot(2),
        site: slot(3),
        everywhere: true,
        expires_at: Some(later(9)),
        created: 0,
        used_at: T0,
        sealed: vec![0, 255],
    };
    assert_eq!(lab.jar(id(1)).await.unwrap(), Jar { version: 1, user: None, cookies: vec![cookie] });
    assert_eq!(lab.jar_version(id(1)).await.unwrap(), Some(1));
    assert!(lab.log.did().len() == 1, "nobody is told of a cookie");
}

pub async fn the_same_again_keeps_its_place(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.put(1, vec![cookie(2, b"a"), cookie(1, b"b"), cookie(3, b"c")]).await;
    assert_eq!(lab.put(1, vec![cookie(2, b"d")]).await, Some(2));
    let jar = lab.jar(id(1)).await.unwrap();
    assert_eq!(
        jar.cookies.iter().map(|c| (c.slot[0], &c.sealed[..])).collect::<Vec<_>>(),
        [(2, &b"d"[..]), (1, b"b"), (3, b"c")]
    );
    // Gone and set again, it is a new one; and what is not there is not removed.
    assert_eq!(lab.put(1, vec![without(2), cookie(2, b"e")]).await, Some(3));
    assert_eq!(lab.slots(1).await, [1, 3, 2]);
    assert_eq!(lab.put(1, vec![without(9)]).await, Some(3), "no change, no version");
    lab.put(1, vec![cookie(4, b"f"), without(4)]).await;
    assert_eq!(lab.slots(1).await, [1, 3, 2]);
}

pub async fn what_has_expired_goes(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.put(1, vec![until(1, later(5)), cookie(2, b"a"), until(3, T0), until(4, later(6))]).await;
    assert_eq!(lab.slots(1).await, [1, 2, 4], "one that has expired already is not kept");
    lab.put_cookies(JarChange { now: later(5), ..change(1, vec![]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [2, 4]);
    lab.put(1, vec![until(4, Timestamp(i64::MIN))]).await;
    assert_eq!(lab.slots(1).await, [2]);
}

pub async fn bounded_by_number_and_bytes(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.put(1, (1..=4).map(|n| cookie(n, &[n])).collect()).await;
    // The one used last stays, the one longest unused goes.
    let used = JarChange { used: vec![(slot(1), later(3)), (slot(9), later(3))], now: later(4), ..change(1, vec![]) };
    lab.put_cookies(used).await.unwrap();
    lab.put_cookies(JarChange { now: later(5), ..change(1, vec![cookie(5, b"x")]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [1, 3, 4, 5]);
    // By bytes.
    lab.put_cookies(JarChange { now: later(6), ..change(1, vec![cookie(6, &[6; 39])]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [5, 6]);
    lab.put_cookies(JarChange { now: later(7), ..change(1, vec![cookie(7, &[7; 41])]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [] as [u8; 0], "one that is larger than a jar is kept by none");
    // Many at once: the last ones.
    lab.put(1, (1..=9).map(|n| cookie(n, &[n])).collect()).await;
    assert_eq!(lab.slots(1).await, [6, 7, 8, 9]);
}

pub async fn a_domain_makes_room_for_its_own(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.put(1, vec![on(1, 1, b"a")]).await;
    lab.put_cookies(JarChange { now: later(1), ..change(1, vec![on(2, 2, b"a"), on(3, 2, b"a"), on(4, 2, b"a")]) })
        .await
        .unwrap();
    lab.put_cookies(JarChange { now: later(2), ..change(1, vec![on(5, 2, b"a")]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [1, 3, 4, 5], "although another's is older");
    lab.put_cookies(JarChange { now: later(3), ..change(1, vec![on(6, 3, b"a")]) }).await.unwrap();
    assert_eq!(lab.slots(1).await, [3, 4, 5, 6], "a domain that has none gets in");
}

pub async fn the_webhook_s_and_the_answer_s_stand_for_each_other(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    let one = |n: u8, everywhere| PutCookie { twin: slot(77), everywhere, ..cookie(n, &[n]) };
    lab.put(1, vec![one(1, false), one(2, false), cookie(3, b"other")]).await;
    assert_eq!(lab.slots(1).await, [1, 2, 3], "on two domains it is two");
    lab.put(1, vec![one(4, true)]).await;
    assert_eq!(lab.slots(1).await, [3, 4], "the webhook's word is for all of them");
    lab.put(1, vec![one(1, false)]).await;
    assert_eq!(lab.slots(1).await, [3, 1], "and the back end's later one counts");
    lab.put(1, vec![one(4, true)]).await;
    lab.put(1, vec![PutCookie { kept: None, ..one(2, false) }]).await;
    assert_eq!(lab.slots(1).await, [3], "a logout there, too");
}

pub async fn a_jar_ends_with_its_session(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.put(1, vec![cookie(1, b"a"), cookie(2, b"b")]).await;
    lab.put(2, vec![cookie(1, b"z")]).await;
    lab.reopen();
    assert_eq!((lab.slots(1).await, lab.slots(2).await), (vec![1, 2], vec![1]), "each its own");
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    for n in [1, 9] {
        assert_eq!(lab.jar(id(n)).await.unwrap(), Jar::default(), "at once, not when the session is purged");
        assert_eq!(lab.put(n, vec![cookie(7, b"late")]).await, None, "an ended session, or none, keeps nothing new");
        assert_eq!(lab.jar_version(id(n)).await.unwrap(), None);
        assert_eq!(lab.jar(id(n)).await.unwrap(), Jar::default());
    }
    assert_eq!(lab.slots(2).await, [1]);
    lab.expire(vec![(id(2), EndReason::ExpiredIdle)], T0).await.unwrap();
    assert_eq!(lab.slots(2).await, [] as [u8; 0]);
}

pub async fn a_change_of_user_empties_it(lab: Lab) {
    for n in 1..=2 {
        let mut open = login(n, "o");
        open.session.created_at = later(-1);
        lab.must_open(open).await;
        lab.put(n, vec![cookie(1, b"a guest's")]).await;
    }
    answer(lab.bind(bind_as(1, 1, "a", 11, "u")).await.unwrap());
    lab.confirm(id(1), h(11), T0).await.unwrap().unwrap();
    assert_eq!(lab.slots(1).await, [1], "the first bind leaves the guest's cart");
    assert_eq!(lab.jar(id(1)).await.unwrap().user, Some(user("u")));
    assert_eq!(lab.put(1, vec![cookie(3, b"late")]).await, None, "what is answered to the guest now is not the user's");
    answer(lab.bind(bind_as(1, 11, "b", 12, "u")).await.unwrap());
    assert_eq!(lab.slots(1).await, [1], "and the same user again is no change");
    let before = lab.jar_version(id(1)).await.unwrap().unwrap();
    lab.step_up(step_up(1, 11, "s", 13, later(1))).await.unwrap();
    let mut over = bind_as(1, 13, "c", 20, "v");
    over.rotate.now = later(1);
    assert_eq!(answer(lab.bind(over).await.unwrap()).0.user, Some(user("v")));
    let emptied = Jar { version: before + 1, user: Some(user("v")), cookies: Vec::new() };
    assert_eq!(lab.jar(id(1)).await.unwrap(), emptied);
    for former in [None, Some(user("u"))] {
        let late = JarChange { user: former, ..change(1, vec![cookie(3, b"late")]) };
        assert_eq!(lab.put_cookies(late).await.unwrap(), None, "an answer to who it was before");
    }
    assert_eq!(lab.jar(id(1)).await.unwrap(), emptied);
    assert_eq!(lab.slots(2).await, [1], "a guest's stays a guest's");
    lab.put_for("v", 1, vec![cookie(2, b"v's")]).await;
    assert_eq!(lab.jar_version(id(1)).await.unwrap(), Some(before + 2), "no version comes twice");
}
