//! Refresh with a code.

use super::*;
use yaopai_core::ports::{Rotated, StepUp};
use yaopai_core::session::{EndReason, Standing};

pub async fn everything_is_renewed_in_one_step(lab: Lab) {
    let before = lab.must_open(login_as(1, "o", "u")).await;
    let other = lab.must_open(login(2, "o")).await;
    lab.log.take();
    let (s, secret) = answer(lab.step_up(step_up(1, 1, "a", 5, later(MINUTE))).await.unwrap());
    assert_eq!(secret, 5);
    assert_eq!(s.vouched_at, later(MINUTE));
    assert_eq!((s.absolute_at, s.created_at, &s.user), (before.absolute_at, before.created_at, &before.user));
    assert_eq!(s.secrets.current(), h(5));
    assert_eq!(lab.get(1).await, s);
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![5, 5]), "the identity's own session_key");
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert_eq!(lab.get(2).await, other, "the other session of the account was not vouched for");
    assert_eq!(lab.live().await.len(), 2);
}

pub async fn nothing_else_passes(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.rotate(refresh(1, 2, "b", 3, T0)).await.unwrap();
    lab.rotate(refresh(1, 2, "c", 4, T0)).await.unwrap();
    // A successor: its first use is this.
    answer(lab.step_up(step_up(1, 4, "u", 5, later(1))).await.unwrap());
    for secret in 1..=4 {
        assert_eq!(lab.standing(1, secret, later(1)).await, Standing::Retired, "{secret}");
        let s = lab.confirm(id(1), h(secret), later(1)).await.unwrap().unwrap();
        assert_eq!(s.secrets.current(), h(5));
        let late = lab.rotate(refresh(1, secret, "late", 6, later(30_000))).await.unwrap();
        assert!(matches!(late, Rotated::Superseded), "{late:?}: it may have been on its way");
    }
    let thief = lab.rotate(refresh(1, 4, "thief", 6, later(30_002))).await.unwrap();
    assert!(matches!(thief, Rotated::Ended(EndReason::Reused)), "{thief:?}");
}

pub async fn the_same_step_up_again(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    answer(lab.step_up(step_up(1, 1, "a", 5, T0)).await.unwrap());
    let before = lab.get(1).await;
    lab.log.take();
    let (s, secret) = answer(lab.step_up(step_up(1, 1, "a", 6, later(MINUTE))).await.unwrap());
    assert_eq!((secret, &s), (5, &before), "the same secret, and the platform has not vouched again");
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![5, 5]));
    let late = lab.step_up(step_up(1, 1, "a", 6, later(MINUTE + 1))).await.unwrap();
    assert!(matches!(late, Rotated::Superseded), "{late:?}");
    assert_eq!(lab.get(1).await, before);
    assert!(lab.log.take().is_empty());
}

pub async fn the_answer_outlives_a_crash(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    let (before, _) = answer(lab.step_up(step_up(1, 1, "a", 5, T0)).await.unwrap());
    lab.reopen();
    assert_eq!(lab.get(1).await, before);
    assert_eq!(answer(lab.step_up(step_up(1, 1, "a", 6, later(MINUTE))).await.unwrap()).1, 5);
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![5, 5]));
}

pub async fn a_refused_one_changes_nothing(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.rotate(refresh(1, 1, "a", 2, T0)).await.unwrap();
    lab.confirm(id(1), h(2), T0).await.unwrap();
    let before = lab.get(1).await;
    lab.log.take();
    for (n, secret, now) in [(1, 1, T0), (1, 1, later(40_000)), (1, 77, T0), (9, 2, T0)] {
        let refused = lab.step_up(step_up(n, secret, "u", 5, now)).await.unwrap();
        assert!(matches!(refused, Rotated::Superseded | Rotated::Unknown), "{refused:?}");
    }
    assert_eq!(lab.get(1).await, before);
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![1]), "not the session_key either");
    assert!(lab.log.take().is_empty());
}

pub async fn no_step_up_after_the_end(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    answer(lab.step_up(step_up(1, 1, "a", 5, T0)).await.unwrap());
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    lab.log.take();
    for (secret, request) in [(1, "a"), (5, "b")] {
        let refused = lab.step_up(step_up(1, secret, request, 6, T0)).await.unwrap();
        assert!(matches!(refused, Rotated::Ended(EndReason::Kicked)), "{refused:?}: a kept answer is none any more");
    }
    let stranger = lab.step_up(step_up(1, 77, "a", 6, T0)).await.unwrap();
    assert!(matches!(stranger, Rotated::Unknown), "not even that it ended");
    assert!(lab.log.take().is_empty());
}

pub async fn without_a_session_key_the_old_one_stays(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    answer(lab.step_up(StepUp { session_key: None, ..step_up(1, 1, "a", 5, T0) }).await.unwrap());
    assert_eq!(lab.session_key(who(1)).await.unwrap(), Some(vec![1]));
    assert_eq!(lab.session_key(who(9)).await.unwrap(), None);
}
