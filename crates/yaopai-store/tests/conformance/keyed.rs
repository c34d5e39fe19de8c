//! Sessions whose requests are signed: their keys, their one secret, and what is known of signed requests over a restart.

use super::*;
use yaopai_core::ports::{Bind, Open, PastProofs, Rotate, Rotated};
use yaopai_core::session::{EndReason, SessionKey, Standing};

/// Login `n`, with a key that the session has for life.
fn keyed(n: u8, openid: &str) -> Open {
    with_key(n, openid, SessionKey::HmacSha256(vec![n, 9]))
}

/// Login `n`, with a key that has versions.
fn versioned(n: u8, openid: &str, newest: u32) -> Open {
    with_key(n, openid, SessionKey::WeChat { newest, sealed: vec![n, 9] })
}

fn with_key(n: u8, openid: &str, key: SessionKey) -> Open {
    let mut open = login(n, openid);
    open.session.key = key;
    open
}

fn key(newest: u32, sealed: &[u8]) -> SessionKey {
    SessionKey::WeChat { newest, sealed: sealed.to_vec() }
}

pub async fn a_key_of_every_kind_comes_back(mut lab: Lab) {
    let opens = [login(1, "a"), keyed(2, "b"), versioned(3, "c", 0), versioned(4, "d", u32::MAX)];
    for (n, open) in (1..).zip(opens) {
        let wanted = open.session.key.clone();
        assert_eq!(lab.must_open(open).await.key, wanted);
        lab.reopen();
        assert_eq!(lab.get(n).await.key, wanted);
        let live = lab.live().await;
        assert_eq!(live.iter().find(|s| s.id == id(n)).unwrap().key, wanted);
    }
}

pub async fn a_newer_version_is_kept_and_told(mut lab: Lab) {
    let before = lab.must_open(versioned(1, "o", 3)).await;
    let other = lab.must_open(versioned(2, "o", 3)).await;
    lab.log.take();
    let renewed = lab.renew_key(id(1), 4, vec![4, 4]).await.unwrap().unwrap();
    assert_eq!(renewed.key, key(4, &[4, 4]));
    assert_eq!(Session { key: before.key.clone(), ..renewed.clone() }, before, "nothing else changes");
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert_eq!(lab.get(2).await, other, "the other session of the account has a key of its own");
    lab.reopen();
    assert_eq!(lab.get(1).await, renewed);
    // Not the next one: WeChat may have gone on.
    assert_eq!(lab.renew_key(id(1), 9, vec![9]).await.unwrap().unwrap().key, key(9, &[9]));
}

pub async fn an_older_version_is_not_kept(lab: Lab) {
    lab.must_open(versioned(1, "o", 3)).await;
    lab.renew_key(id(1), 7, vec![7]).await.unwrap().unwrap();
    lab.log.take();
    for version in [0, 3, 6, 7] {
        assert_eq!(lab.renew_key(id(1), version, vec![1]).await.unwrap(), None, "{version}");
    }
    assert_eq!(lab.get(1).await.key, key(7, &[7]));
    assert!(lab.log.take().is_empty());
}

/// Neither is a session made one of this kind, nor is one brought back.
pub async fn only_a_live_session_of_that_kind_gets_one(lab: Lab) {
    lab.must_open(login(1, "a")).await;
    lab.must_open(keyed(2, "b")).await;
    lab.must_open(versioned(3, "c", 1)).await;
    lab.end(&main(), &Which::One(id(3)), EndReason::Kicked, T0).await.unwrap();
    let before = [lab.get(1).await, lab.get(2).await, lab.get(3).await];
    lab.log.take();
    for n in [1, 2, 3, 99] {
        assert_eq!(lab.renew_key(id(n), 5, vec![5]).await.unwrap(), None, "{n}");
    }
    assert_eq!([lab.get(1).await, lab.get(2).await, lab.get(3).await], before);
    assert!(lab.log.take().is_empty());
}

/// Nothing that a session goes through changes its key or its secret.
pub async fn key_and_secret_stay_for_life(mut lab: Lab) {
    for (n, open) in [(1, keyed(1, "a")), (2, versioned(2, "b", 3))] {
        let key = lab.must_open(open).await.key;
        let (s, _) = told(lab.step_up(step_up(n, n, "s", 50, later(1))).await.unwrap());
        assert_eq!((s.vouched_at, &s.key), (later(1), &key));
        let (s, bound) = told(lab.bind(bind_as(n, n, "b", 51, "u")).await.unwrap_or_else(|e| panic!("{e:?}")));
        assert_eq!((bound, s.user, &s.key), (true, Some(user("u")), &key));
        lab.confirm(id(n), h(50), T0).await.unwrap();
        lab.confirm(id(n), h(51), T0).await.unwrap();
        lab.set_claims(&main(), &user("u"), Some(said("boss")), T0).await.unwrap();
        lab.touched(vec![(id(n), Uptime(later(5).0))], later(5)).await.unwrap();
        let identity = lab.get(n).await.identity;
        let _ = lab.bind_identity(&main(), identity, found("u"), &terms(later(6))).await.unwrap();
        lab.reopen();
        let s = lab.get(n).await;
        assert_eq!((&s.key, s.secrets.current()), (&key, h(n)));
        assert_eq!(lab.standing(n, n, later(MINUTE)).await, Standing::Current { bound: true });
        for never in [50, 51] {
            assert_eq!(lab.standing(n, never, T0).await, Standing::Unknown, "no candidate was ever good");
        }
        lab.unbind_identity(&main(), identity, None, later(7)).await.unwrap();
        assert_eq!(lab.get(n).await.key, key);
    }
}

/// An answer that brings no new secret: whose, and may it act as the user?
#[track_caller]
fn told(rotated: Rotated) -> (Session, bool) {
    let Rotated::Answer(session, answer) = rotated else { panic!("{rotated:?}") };
    assert_eq!(
        (answer.hash, answer.sealed.len()),
        (session.secrets.current(), 0),
        "its own secret, and nothing sealed"
    );
    (*session, answer.bound)
}

pub async fn no_refresh_rotates_its_secret(lab: Lab) {
    let before = lab.must_open(keyed(1, "o")).await;
    lab.log.take();
    for (shown, now) in [(1, T0), (77, T0), (1, later(MINUTE))] {
        let refused = lab.rotate(refresh(1, shown, "a", 5, now)).await.unwrap();
        assert!(matches!(refused, Rotated::Unknown), "{refused:?}");
    }
    assert_eq!(lab.get(1).await, before);
    assert!(lab.log.take().is_empty());
}

pub async fn its_step_up_is_answered_again(mut lab: Lab) {
    lab.must_open(keyed(1, "o")).await;
    let (first, _) = told(lab.step_up(step_up(1, 1, "a", 5, later(10))).await.unwrap());
    lab.reopen();
    lab.log.take();
    let (again, _) = told(lab.step_up(step_up(1, 1, "a", 6, later(MINUTE))).await.unwrap());
    assert_eq!((&again, again.vouched_at), (&first, later(10)), "the platform has not vouched again");
    assert!(lab.log.take().is_empty());
    // Another's secret, another request, another session.
    for (n, shown) in [(1, 77), (1, 5), (9, 1)] {
        let refused = lab.step_up(step_up(n, shown, "b", 7, later(20))).await.unwrap();
        assert!(matches!(refused, Rotated::Unknown), "{refused:?}");
    }
    assert_eq!(lab.get(1).await, first);
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![5, 5]), "nor did any of them renew the session_key");
}

pub async fn its_bind_is_answered_again_and_refused_to_others(mut lab: Lab) {
    lab.must_open(keyed(1, "o")).await;
    let refused = lab.bind(bind_as(1, 77, "b", 5, "u")).await.unwrap();
    assert!(matches!(refused, Rotated::Unknown), "{refused:?}");
    let (first, _) = told(lab.bind(bind_as(1, 1, "b", 5, "u")).await.unwrap());
    lab.reopen();
    lab.log.take();
    let (again, bound) = told(lab.bind(bind_as(1, 1, "b", 6, "u")).await.unwrap());
    assert_eq!((again, bound), (first, true));
    assert!(lab.log.take().is_empty());
    // Over to another user only with a fresh word, as for every session.
    let stale = lab.bind(bind_as(1, 1, "c", 6, "v")).await.unwrap();
    assert!(matches!(stale, Rotated::Stale), "{stale:?}");
    told(lab.step_up(step_up(1, 1, "s", 7, later(1))).await.unwrap());
    let rotate = Rotate { now: later(2), ..bind_as(1, 1, "d", 6, "v").rotate };
    let (moved, bound) = told(lab.bind(Bind { rotate, ..bind_as(1, 1, "d", 6, "v") }).await.unwrap());
    assert_eq!((moved.user, bound, moved.key), (Some(user("v")), true, SessionKey::HmacSha256(vec![1, 9])));
}

/// The latest time counts, whichever comes last.
pub async fn a_lease_never_goes_back(mut lab: Lab) {
    let leased = |until: i64| PastProofs { leased_until: Some(later(until)), saved: None, elsewhere: None };
    assert_eq!(lab.take_proofs().await.unwrap(), PastProofs::default(), "there never were any");
    lab.lease_proofs(later(5)).await.unwrap();
    lab.reopen();
    assert_eq!(lab.take_proofs().await.unwrap(), leased(5));
    lab.lease_proofs(later(3)).await.unwrap();
    assert_eq!(lab.take_proofs().await.unwrap(), leased(5));
    lab.lease_proofs(later(9)).await.unwrap();
    lab.lease_proofs(later(8)).await.unwrap();
    lab.reopen();
    assert_eq!(lab.take_proofs().await.unwrap(), leased(9));
    assert!(lab.log.take().is_empty(), "no session's business");
}

/// What was kept counts once: a second start that took it too would accept what the first one has accepted since.
pub async fn kept_nonces_are_taken_once(mut lab: Lab) {
    lab.lease_proofs(later(5)).await.unwrap();
    lab.keep_proofs(vec![1]).await.unwrap();
    lab.keep_proofs(vec![2, 2]).await.unwrap();
    lab.reopen();
    let taken = PastProofs { leased_until: Some(later(5)), saved: Some(vec![2, 2]), elsewhere: None };
    assert_eq!(lab.take_proofs().await.unwrap(), taken);
    // The crash after it.
    lab.reopen();
    for _ in 0..2 {
        assert_eq!(lab.take_proofs().await.unwrap(), PastProofs { saved: None, ..taken.clone() });
    }
    lab.keep_proofs(vec![3]).await.unwrap();
    assert_eq!(lab.take_proofs().await.unwrap().saved, Some(vec![3]));
}
