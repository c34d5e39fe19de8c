use std::sync::Arc;

use zeroize::Zeroizing;

use super::*;

const T: Timestamp = Timestamp(1_000_000);

fn token(text: &str, expires_at: Timestamp) -> AccessToken {
    AccessToken { text: Arc::new(Zeroizing::new(text.into())), expires_at }
}

fn got(text: &str) -> Outcome {
    let (refresh_at, expires_at) = (T + Duration::from_secs(100), T + Duration::from_secs(200));
    Outcome { refresh_at, result: Ok(token(text, expires_at)) }
}

fn fetch(need: Need) -> (Waiting, watch::Sender<Option<Result>>) {
    match need {
        Need::Fetch(waiting, flight) => (waiting, flight),
        _ => panic!("a fetch was expected"),
    }
}

#[test]
fn a_fetch_that_died_is_forgotten_and_another_one_is_not() {
    let mut c = Custody::default();
    let (_, first) = fetch(c.want(T));
    assert!(matches!(c.want(T), Need::Wait(_)));
    c.abandon(&first);
    let (_, second) = fetch(c.want(T));
    c.abandon(&first);
    assert!(matches!(c.want(T), Need::Wait(_)), "the second one still flies");
    c.abandon(&second);
    fetch(c.want(T));
}

#[test]
fn a_token_that_dies_while_it_is_fetched_again_is_not_kept() {
    let mut c = Custody::default();
    fetch(c.want(T));
    let a = c.land(T, got("A")).unwrap();
    // Fetched ahead; meanwhile somebody learns that A is dead; and A comes back.
    let late = T + Duration::from_secs(150);
    assert!(matches!(c.want(late), Need::Ahead(..)));
    assert!(matches!(c.replace(late, &a), Need::Wait(_)));
    c.land(late, got("A")).unwrap_err();
    assert!(matches!(c.want(late), Need::Patience(_)));
}

#[test]
fn news_of_an_old_death_changes_nothing() {
    let mut c = Custody::default();
    fetch(c.want(T));
    c.land(T, got("B")).unwrap();
    for _ in 0..100 {
        assert!(matches!(c.replace(T, &token("A", T)), Need::Nothing(b) if b.expose() == "B"));
    }
}

#[test]
fn forced_tokens_are_rationed() {
    let mut c = Custody::default();
    let forced = (0..24 * 3600).step_by(10).filter(|s| c.may_force(T + Duration::from_secs(*s))).count();
    assert_eq!(forced, 8);
    let mut c = Custody::default();
    let times: Vec<_> = (0..70).filter(|s| c.may_force(T + Duration::from_secs(*s))).collect();
    assert_eq!(times, [0, 31, 62]);
}

#[test]
fn a_dead_token_that_is_still_handed_out_is_tried_again_after_a_minute() {
    let mut c = Custody::default();
    fetch(c.want(T));
    let a = c.land(T, got("A")).unwrap();
    fetch(c.replace(T, &a));
    let almost = T + Duration::from_millis(59_999);
    c.land(almost, got("A")).unwrap_err();
    let later = T + Duration::from_secs(61);
    fetch(c.want(later));
    assert_eq!(c.land(later, got("A")).unwrap().expose(), "A");
}
