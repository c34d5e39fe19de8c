use std::time::Duration;

use super::*;

const T0: Timestamp = Timestamp(1_000_000);

fn h(n: u8) -> SecretHash {
    SecretHash([n; 32])
}

fn c(n: u8) -> Candidate {
    Candidate { hash: h(n), sealed: vec![n] }
}

fn refresh(id: &str) -> RequestHash {
    RequestHash::new("refresh", id)
}

fn step_up(id: &str) -> RequestHash {
    RequestHash::new("step-up", id)
}

fn later(seconds: u64) -> Timestamp {
    T0 + Duration::from_secs(seconds)
}

fn sealed(refreshed: Refreshed) -> u8 {
    match refreshed {
        Refreshed::Answer(a) => a.sealed[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_new_secret_passes_at_once_and_nothing_else_does() {
    let mut s = Secrets::new(h(1), true);
    sealed(s.refresh(&h(1), refresh("a"), c(2), T0));
    s.confirm(&h(2), T0);
    sealed(s.refresh(&h(2), refresh("b"), c(3), T0));
    sealed(s.refresh(&h(1), refresh("c"), c(4), T0));
    assert_eq!(s.standing(&h(1), T0), Standing::Grace { bound: true });
    assert_eq!(sealed(s.step_up(&h(2), step_up("u"), c(5), T0)), 5);
    assert_eq!(s.standing(&h(5), T0), Standing::Current { bound: true }, "it needs no confirming");
    for old in 1..=4 {
        assert_eq!(s.standing(&h(old), T0), Standing::Retired, "{old}");
        assert!(!s.confirm(&h(old), T0));
    }
    for (secret, request) in [(1, "c"), (1, "a"), (2, "b")] {
        assert_eq!(
            s.answered(&h(secret), refresh(request), T0),
            None,
            "no refresh is answered again: {secret} {request}"
        );
    }
}

#[test]
fn only_this_request_is_repeated_for_a_minute() {
    let mut s = Secrets::new(h(1), false);
    assert_eq!(sealed(s.step_up(&h(1), step_up("u"), c(2), T0)), 2);
    let before = s.clone();
    assert_eq!(sealed(s.step_up(&h(1), step_up("u"), c(3), later(60))), 2);
    assert_eq!(s.step_up(&h(1), step_up("v"), c(3), later(60)), Refreshed::Superseded, "another step-up");
    assert_eq!(s.step_up(&h(9), step_up("u"), c(3), later(60)), Refreshed::Unknown, "another secret");
    assert_eq!(s.refresh(&h(1), refresh("u"), c(3), later(30)), Refreshed::Superseded, "a refresh");
    assert_eq!(s.rise(&h(1), RequestHash::new("bind", "u"), c(3), later(30)), Refreshed::Superseded, "a bind");
    assert_eq!(s.step_up(&h(1), step_up("u"), c(3), later(61)), Refreshed::Superseded, "too late");
    assert_eq!(s, before, "and nothing has changed");
}

#[test]
fn its_answer_is_dropped_when_nobody_can_ask_for_it() {
    let mut s = Secrets::new(h(1), true);
    sealed(s.step_up(&h(1), step_up("u"), c(77), T0));
    sealed(s.refresh(&h(77), refresh("r"), c(3), later(61)));
    s.confirm(&h(3), later(61));
    assert_eq!(s.stepped_up, None);
}

/// A refresh that was on its way when the session stepped up is refused. One that comes later is a thief's.
#[test]
fn theft_is_told_from_a_refresh_on_its_way() {
    let mut s = Secrets::new(h(1), true);
    sealed(s.step_up(&h(1), step_up("u"), c(2), T0));
    assert_eq!(s.refresh(&h(1), refresh("slow"), c(3), later(30)), Refreshed::Superseded);
    assert_eq!(s.refresh(&h(1), refresh("thief"), c(3), later(31)), Refreshed::Theft);
    // The same for one whose grace had begun before.
    let mut s = Secrets::new(h(1), true);
    sealed(s.refresh(&h(1), refresh("a"), c(2), T0));
    sealed(s.step_up(&h(2), step_up("u"), c(3), later(10)));
    assert_eq!(s.refresh(&h(1), refresh("slow"), c(4), later(11)), Refreshed::Superseded);
    for n in 10..30 {
        // However many come after it.
        sealed(s.refresh(&h(if n == 10 { 3 } else { n - 1 }), refresh("b"), c(n), later(12)));
    }
    s.confirm(&h(29), later(12));
    assert_eq!(s.refresh(&h(1), refresh("slow"), c(4), later(30)), Refreshed::Superseded);
    assert_eq!(s.refresh(&h(1), refresh("a"), c(4), later(31)), Refreshed::Superseded, "known");
    assert_eq!(s.refresh(&h(1), refresh("thief"), c(4), later(61)), Refreshed::Theft);
}

#[test]
fn a_successor_confirms_by_it_and_a_retired_one_can_not() {
    let mut s = Secrets::new(h(1), true);
    sealed(s.refresh(&h(1), refresh("a"), c(2), T0));
    sealed(s.refresh(&h(1), refresh("b"), c(3), T0));
    let mut other = s.clone();
    assert_eq!(sealed(s.step_up(&h(3), step_up("u"), c(4), T0)), 4);
    assert_eq!(s.standing(&h(4), T0), Standing::Current { bound: true });
    other.confirm(&h(3), T0);
    for (secret, now) in [(1, T0), (2, T0), (1, later(40))] {
        let before = other.clone();
        assert_eq!(other.step_up(&h(secret), step_up("u"), c(4), now), Refreshed::Superseded, "{secret}");
        assert_eq!(other, before, "whoever holds the newer one keeps it");
    }
}

#[test]
fn the_rank_is_the_shown_secret_s() {
    let mut s = Secrets::new(h(1), false);
    sealed(s.rise(&h(1), RequestHash::new("bind", "b"), c(2), T0));
    let mut unbound = s.clone();
    sealed(unbound.step_up(&h(1), step_up("u"), c(3), T0));
    assert_eq!(unbound.standing(&h(3), T0), Standing::Current { bound: false }, "a copied secret never rises");
    sealed(s.step_up(&h(2), step_up("u"), c(3), T0));
    assert_eq!(s.standing(&h(3), T0), Standing::Current { bound: true });
    // The back end's own bind raises the kept answer too.
    unbound.rise_in_place();
    assert!(unbound.answered(&h(1), step_up("u"), T0).unwrap().bound);
}

#[test]
fn many_step_ups_stay_bounded_and_come_back_from_json() {
    let mut s = Secrets::new(h(0), true);
    let mut refused = 0;
    for n in 0..200u8 {
        let shown = s.current();
        match s.step_up(&shown, step_up(&n.to_string()), c(n + 1), later(u64::from(n) / 4)) {
            Refreshed::Answer(_) => {}
            Refreshed::TooMany => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "64 in half a minute at most");
    let text = serde_json::to_string(&s).unwrap();
    assert!(text.len() < 20_000, "{}", text.len());
    assert_eq!(serde_json::from_str::<Secrets>(&text).unwrap(), s);
}
