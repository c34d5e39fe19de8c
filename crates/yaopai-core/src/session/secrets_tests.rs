use super::*;

const T0: Timestamp = Timestamp(1_000_000);

fn h(n: u8) -> SecretHash {
    SecretHash([n; 32])
}

fn c(n: u8) -> Candidate {
    Candidate { hash: h(n), sealed: vec![n] }
}

fn r(id: &str) -> RequestHash {
    RequestHash::new("refresh", id)
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
fn a_lost_answer_is_given_again() {
    let mut s = Secrets::new(h(1), true);
    assert_eq!(sealed(s.refresh(&h(1), r("a"), c(2), T0)), 2);
    assert_eq!(sealed(s.refresh(&h(1), r("a"), c(3), later(3600))), 2);
    assert_eq!(s.standing(&h(1), later(3600)), Standing::Current { bound: true }, "the old secret passes until then");
    assert_eq!(s.standing(&h(2), T0), Standing::Successor { bound: true });
    assert_eq!(s.standing(&h(3), T0), Standing::Unknown, "an unused candidate is nothing");
}

#[test]
fn at_most_four_successors_then_the_last_again() {
    let mut s = Secrets::new(h(1), true);
    for n in 2..=5 {
        assert_eq!(sealed(s.refresh(&h(1), r(&n.to_string()), c(n), T0)), n);
    }
    assert_eq!(sealed(s.refresh(&h(1), r("6"), c(6), T0)), 5);
    assert_eq!(sealed(s.refresh(&h(1), r("2"), c(7), T0)), 2, "the same request, the same one");
    for n in 2..=5 {
        assert_eq!(s.standing(&h(n), T0), Standing::Successor { bound: true }, "all valid");
    }
}

#[test]
fn confirming_one_retires_the_others() {
    let mut s = Secrets::new(h(1), true);
    s.refresh(&h(1), r("a"), c(2), T0);
    s.refresh(&h(1), r("b"), c(3), T0);
    assert!(s.confirm(&h(3), T0));
    assert!(!s.confirm(&h(3), T0), "twice is once");
    assert_eq!(s.standing(&h(3), later(99)), Standing::Current { bound: true });
    for old in [h(1), h(2)] {
        assert_eq!(s.standing(&old, later(30)), Standing::Grace { bound: true });
        assert_eq!(s.standing(&old, Timestamp(later(30).0 + 1)), Standing::Retired);
    }
}

#[test]
fn a_retired_secret_that_refreshes_anew_is_theft() {
    let mut s = Secrets::new(h(1), true);
    s.refresh(&h(1), r("a"), c(2), T0);
    s.confirm(&h(2), T0);
    assert_eq!(s.refresh(&h(1), r("a"), c(9), later(31)), Refreshed::Superseded, "a late duplicate is not");
    assert_eq!(s.refresh(&h(1), r("x"), c(9), later(31)), Refreshed::Theft);
    assert_eq!(s.refresh(&h(7), r("x"), c(9), later(31)), Refreshed::Unknown, "an unknown secret changes nothing");
}

#[test]
fn theft_is_told_after_hundreds_of_refreshes() {
    let mut s = Secrets::new(SecretHash([0; 32]), true);
    let hash = |n: u32| SecretHash(Sha256::digest(n.to_be_bytes()).into());
    let mut current = SecretHash([0; 32]);
    for n in 1..600u32 {
        let new = hash(n);
        let at = later(u64::from(n) * 1200);
        s.refresh(&current, r(&n.to_string()), Candidate { hash: new, sealed: vec![] }, at);
        assert!(s.confirm(&new, at));
        current = new;
    }
    let text = serde_json::to_string(&s).unwrap();
    let mut s: Secrets = serde_json::from_str(&text).unwrap();
    let at = later(600 * 1200);
    assert_eq!(
        s.refresh(&SecretHash([0; 32]), r("1"), c(9), at),
        Refreshed::Superseded,
        "late by eight days, and no theft"
    );
    assert_eq!(s.refresh(&SecretHash([0; 32]), r("thief"), c(9), at), Refreshed::Theft);
    assert!(serde_json::to_string(&s).unwrap().len() < 40_000, "bounded");
}

#[test]
fn many_requests_with_each_secret_do_not_blow_up_the_row() {
    // The nth rotation's first successor is confirmed; it has three more.
    let hash = |n: u32, m: u32| SecretHash(Sha256::digest([n.to_be_bytes(), m.to_be_bytes()].concat()).into());
    let mut s = Secrets::new(hash(0, 0), true);
    for n in 1..=500u32 {
        let at = later(u64::from(n) * 60);
        for m in 0..32 {
            let new = Candidate { hash: hash(n, m), sealed: vec![0; 64] };
            assert!(matches!(s.refresh(&hash(n - 1, 0), r(&format!("{n}/{m}")), new, at), Refreshed::Answer(_)));
        }
        assert!(s.confirm(&hash(n, 0), at));
    }
    let len = serde_json::to_string(&s).unwrap().len();
    assert!(len < 80_000, "{len}");
    let at = later(501 * 60);
    assert_eq!(s.refresh(&hash(480, 0), r("481/31"), c(9), at), Refreshed::Superseded, "the newest keep theirs");
    assert_eq!(s.standing(&hash(200, 0), at), Standing::Retired, "and the oldest are known again all the same");
    assert_eq!(s.refresh(&hash(200, 0), r("thief"), c(9), at), Refreshed::Theft);
}

#[test]
fn in_its_grace_a_retired_secret_yields_what_does_no_harm() {
    let mut s = Secrets::new(h(1), true);
    s.refresh(&h(1), r("a"), c(2), T0);
    s.confirm(&h(2), T0);
    assert_eq!(sealed(s.refresh(&h(1), r("a"), c(8), later(10))), 2, "the answer that was lost");
    assert_eq!(sealed(s.refresh(&h(1), r("b"), c(3), later(10))), 3);
    assert_eq!(s.standing(&h(2), later(10)), Standing::Current { bound: true }, "the confirmed one stays");
    assert_eq!(sealed(s.refresh(&h(1), r("b"), c(4), later(20))), 3);
}

#[test]
fn an_unbound_secret_never_yields_a_bound_one() {
    let mut s = Secrets::new(h(1), false);
    let bind = RequestHash::new("bind", "a");
    assert_eq!(sealed(s.rise(&h(1), bind, c(2), T0)), 2);
    assert_eq!(sealed(s.rise(&h(1), bind, c(3), T0)), 2, "the same request, the same one");
    assert_eq!(s.standing(&h(1), T0), Standing::Current { bound: false });
    assert_eq!(s.standing(&h(2), T0), Standing::Successor { bound: true });
    // Whoever copied the old secret can refresh it as often as they like.
    for n in 10..20 {
        match s.refresh(&h(1), r(&n.to_string()), c(n), T0) {
            Refreshed::Answer(a) => assert!(!a.bound),
            other => panic!("{other:?}"),
        }
    }
    s.confirm(&h(2), T0);
    match s.refresh(&h(1), r("grace"), c(30), later(5)) {
        Refreshed::Answer(a) => assert!(!a.bound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unbound_places_filled_by_bound_ones_are_not_handed_over() {
    let mut s = Secrets::new(h(1), false);
    for n in 2..=5 {
        s.rise(&h(1), RequestHash::new("bind", &n.to_string()), c(n), T0);
    }
    match s.refresh(&h(1), r("a"), c(6), T0) {
        Refreshed::Answer(a) => assert!(!a.bound && a.sealed == [6]),
        other => panic!("{other:?}"),
    }
}

/// Its holder may have stored it by now as the only token it has.
#[test]
fn no_successor_is_taken_back_to_make_room() {
    let mut s = Secrets::new(h(1), false);
    for n in 2..=5 {
        assert_eq!(sealed(s.refresh(&h(1), r(&n.to_string()), c(n), T0)), n);
    }
    for n in 6..=9 {
        assert_eq!(sealed(s.rise(&h(1), RequestHash::new("bind", &n.to_string()), c(n), T0)), n);
    }
    assert_eq!(sealed(s.rise(&h(1), RequestHash::new("bind", "10"), c(10), T0)), 9, "the last again");
    for n in 2..=9 {
        assert_eq!(s.standing(&h(n), later(3600)), Standing::Successor { bound: n > 5 });
    }
    assert_eq!(sealed(s.refresh(&h(1), r("2"), c(11), T0)), 2, "the same request, the same one");
}

#[test]
fn too_many_requests_are_refused_not_forgotten() {
    let mut s = Secrets::new(h(1), true);
    for n in 0..32 {
        assert!(matches!(s.refresh(&h(1), r(&n.to_string()), c(2 + n), T0), Refreshed::Answer(_)));
    }
    let before = s.clone();
    assert_eq!(s.refresh(&h(1), r("32"), c(99), T0), Refreshed::TooMany);
    assert_eq!(s, before);
    assert!(matches!(s.refresh(&h(1), r("0"), c(99), T0), Refreshed::Answer(_)), "a known one still gets its answer");
}

#[test]
fn no_grace_is_cut_short_however_fast_the_session_rotates() {
    let hash = |n: u32| SecretHash(Sha256::digest(n.to_be_bytes()).into());
    let mut s = Secrets::new(hash(0), true);
    let mut rotated = 0;
    for n in 1..200 {
        let candidate = Candidate { hash: hash(n), sealed: vec![0; 64] };
        match s.refresh(&hash(n - 1), r(&n.to_string()), candidate, T0) {
            Refreshed::Answer(_) => assert!(s.confirm(&hash(n), T0)),
            other => {
                assert_eq!(other, Refreshed::TooMany);
                rotated = n - 1;
                break;
            }
        }
    }
    assert!((20..200).contains(&rotated));
    for n in 0..rotated {
        assert_eq!(s.standing(&hash(n), later(30)), Standing::Grace { bound: true }, "{n} of {rotated}");
    }
    let last = hash(rotated);
    assert_eq!(s.standing(&last, later(30)), Standing::Current { bound: true }, "and who has the newest stays in");
    assert!(matches!(s.refresh(&last, r("later"), c(1), later(31)), Refreshed::Answer(_)));
}

#[test]
fn every_secret_rises_in_place_and_what_may_still_be_answered_too() {
    let mut s = Secrets::new(h(1), false);
    s.refresh(&h(1), r("a"), c(2), T0);
    s.confirm(&h(2), T0);
    s.refresh(&h(2), r("b"), c(3), T0);
    s.rise_in_place();
    for (shown, request) in [(1, "a"), (2, "b")] {
        assert!(s.answered(&h(shown), r(request), T0).unwrap().bound);
    }
    assert_eq!(s.standing(&h(1), T0), Standing::Grace { bound: true });
    assert_eq!(s.standing(&h(2), T0), Standing::Current { bound: true });
    assert_eq!(s.standing(&h(3), T0), Standing::Successor { bound: true });
}

#[test]
fn json_round_trip() {
    let mut s = Secrets::new(h(1), false);
    s.refresh(&h(1), r("a"), c(2), T0);
    s.rise(&h(1), r("b"), c(3), T0);
    s.confirm(&h(3), T0);
    s.refresh(&h(3), r("c"), c(4), T0);
    let text = serde_json::to_string(&s).unwrap();
    assert_eq!(serde_json::from_str::<Secrets>(&text).unwrap(), s);
}

#[test]
fn a_retired_secret_says_until_when_it_passes() {
    let mut s = Secrets::new(h(1), true);
    s.refresh(&h(1), r("a"), c(2), T0);
    assert_eq!(s.grace_ends(&h(1)), None, "still the current one");
    s.confirm(&h(2), T0);
    let end = s.grace_ends(&h(1)).unwrap();
    assert_eq!(s.standing(&h(1), end), Standing::Grace { bound: true });
    assert_eq!(s.standing(&h(1), Timestamp(end.0 + 1)), Standing::Retired);
    assert_eq!((s.grace_ends(&h(2)), s.grace_ends(&h(3))), (None, None), "the current one, and one of nobody's");
}
