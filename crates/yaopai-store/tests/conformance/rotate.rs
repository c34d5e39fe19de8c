//! Refresh and first use.

use super::*;
use yaopai_core::ports::Rotated;
use yaopai_core::session::{EndReason, Standing};

const GRACE_OVER: i64 = 30_001;

pub async fn a_refresh_is_put_and_kept(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.log.take();
    let (s, secret) = answer(lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap());
    assert_eq!(secret, 2);
    assert_eq!(s.secrets.standing(&h(2), T0), Standing::Successor { bound: true });
    assert_eq!(lab.get(1).await, s);
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
}

pub async fn the_same_request_the_same_secret(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.log.take();
    assert_eq!(answer(lab.rotate(refresh(1, 1, "a", 3, later(MINUTE))).await.unwrap()).1, 2);
    assert_eq!(lab.standing(1, 3, T0).await, Standing::Unknown);
    assert!(lab.log.take().is_empty(), "nothing changed");
}

pub async fn a_lost_answer_after_a_crash(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.reopen();
    assert_eq!(answer(lab.rotate(refresh(1, 1, "a", 3, later(MINUTE))).await.unwrap()).1, 2);
    assert_eq!(lab.standing(1, 1, later(MINUTE)).await, Standing::Current { bound: false }, "the old one passes");
}

pub async fn the_first_use_confirms(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.rotate(refresh(1, 1, "b", 3, T0)).await.unwrap();
    lab.log.take();
    let s = lab.confirm(id(1), h(2), T0).await.unwrap().unwrap();
    assert_eq!(s, lab.get(1).await);
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert_eq!(lab.standing(1, 2, later(GRACE_OVER)).await, Standing::Current { bound: false });
    assert_eq!(lab.standing(1, 3, T0).await, Standing::Grace { bound: false });
    assert_eq!(lab.standing(1, 1, later(GRACE_OVER)).await, Standing::Retired);
    // Again, late, or with something else: the session as it is.
    for secret in [2, 3, 1, 77] {
        assert_eq!(lab.confirm(id(1), h(secret), T0).await.unwrap(), Some(s.clone()));
    }
    assert_eq!(lab.confirm(id(9), h(2), T0).await.unwrap(), None);
    assert!(lab.log.take().is_empty());
}

pub async fn refreshing_a_successor_confirms_it(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    assert_eq!(answer(lab.rotate(refresh(1, 2, "b", 3, T0)).await.unwrap()).1, 3);
    assert_eq!(lab.standing(1, 2, later(GRACE_OVER)).await, Standing::Current { bound: false });
    assert_eq!(lab.standing(1, 1, later(GRACE_OVER)).await, Standing::Retired);
}

pub async fn theft_ends_the_session(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.confirm(id(1), h(2), T0).await.unwrap();
    lab.log.take();
    let thief = refresh(1, 1, "x", 9, later(GRACE_OVER));
    assert!(matches!(lab.rotate(thief.clone()).await.unwrap(), Rotated::Ended(EndReason::Reused)));
    assert_eq!(lab.log.did(), [Did::Ended(id(1))]);
    let s = lab.get(1).await;
    assert_eq!(s.ended.map(|e| (e.reason, e.at)), Some((EndReason::Reused, later(GRACE_OVER))));
    assert!(matches!(lab.rotate(thief).await.unwrap(), Rotated::Ended(EndReason::Reused)), "and stays ended");
    assert!(lab.log.take().is_empty());
}

pub async fn an_unknown_secret_learns_nothing(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.log.take();
    assert!(matches!(lab.rotate(refresh(1, 7, "a", 2, T0)).await.unwrap(), Rotated::Unknown));
    assert!(matches!(lab.rotate(refresh(9, 1, "a", 2, T0)).await.unwrap(), Rotated::Unknown));
    assert!(lab.log.take().is_empty());
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    assert!(matches!(lab.rotate(refresh(1, 7, "a", 2, T0)).await.unwrap(), Rotated::Unknown), "not even that it ended");
}

pub async fn an_ended_session_says_why(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    lab.log.take();
    for secret in [1, 2] {
        let refused = lab.rotate(refresh(1, secret, "a", 3, T0)).await.unwrap();
        assert!(matches!(refused, Rotated::Ended(EndReason::Kicked)), "{refused:?}: no grace path after an end");
    }
    let s = lab.confirm(id(1), h(2), T0).await.unwrap().unwrap();
    assert_eq!(s.ended.map(|e| e.reason), Some(EndReason::Kicked));
    assert_eq!(s.secrets.standing(&h(2), T0), Standing::Successor { bound: false }, "nothing is confirmed any more");
    assert!(lab.log.take().is_empty());
}

pub async fn superseded_and_too_many_change_nothing(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    for n in 0..32 {
        answer(lab.rotate(refresh(1, 1, &n.to_string(), 100 + n, T0)).await.unwrap());
    }
    let before = lab.get(1).await;
    lab.log.take();
    assert!(matches!(lab.rotate(refresh(1, 1, "32", 200, T0)).await.unwrap(), Rotated::TooMany));
    assert_eq!(lab.get(1).await, before);
    assert!(lab.log.take().is_empty());
    lab.confirm(id(1), h(100), T0).await.unwrap();
    let before = lab.get(1).await;
    lab.log.take();
    let late = lab.rotate(refresh(1, 1, "0", 201, later(GRACE_OVER))).await.unwrap();
    assert!(matches!(late, Rotated::Superseded), "{late:?}");
    assert_eq!(lab.get(1).await, before);
    assert!(lab.log.take().is_empty());
}
