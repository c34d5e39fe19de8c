use super::*;

const T: Timestamp = Timestamp(1_000_000_000);
const LEASE: Duration = Duration::from_secs(8);

fn after(seconds: u64) -> Timestamp {
    T + Duration::from_secs(seconds)
}

fn token(n: u8) -> SharedToken {
    let (refresh_in, expires_in) = (Duration::from_secs(6_920), Duration::from_secs(7_190));
    SharedToken { sealed: vec![n], digest: [n; 32], refresh_in, expires_in }
}

#[track_caller]
fn lease(asked: TokenAsked) -> TokenLease {
    match asked {
        TokenAsked::Yours(lease, _) => lease,
        other => panic!("{other:?}"),
    }
}

/// With token `n`, fetched by `a` at T.
fn with(n: u8) -> Record {
    let mut record = Record::default();
    let TokenLease { fence, .. } = lease(record.ask(T, "a", LEASE, None));
    assert!(record.keep(T, "a", fence, token(n)));
    record
}

#[test]
fn one_fetches_and_the_others_wait() {
    let mut record = Record::default();
    let first = lease(record.ask(T, "a", LEASE, None));
    assert_eq!(record.ask(after(3), "b", LEASE, None), TokenAsked::Others(None, Duration::from_secs(5)));
    assert!(record.keep(after(3), "a", first.fence, token(1)));
    assert_eq!(record.ask(after(3), "b", LEASE, None), TokenAsked::Good(token(1)));
}

#[test]
fn an_owner_that_died_is_followed_and_what_it_brings_late_is_refused() {
    let mut record = Record::default();
    let first = lease(record.ask(T, "a", LEASE, None));
    assert!(matches!(record.ask(after(7), "b", LEASE, None), TokenAsked::Others(..)));
    let second = lease(record.ask(after(8), "b", LEASE, None));
    assert!(second.fence > first.fence);
    assert!(!record.keep(after(9), "a", first.fence, token(1)));
    assert!(record.keep(after(9), "b", second.fence, token(2)));
    assert!(!record.keep(after(9), "a", first.fence, token(1)), "nor over the newer token");
    record.give_back("a", first.fence);
    assert_eq!(record.ask(after(9), "a", LEASE, None), TokenAsked::Good(token(2)));
}

/// Nobody has taken over: a token that comes late is better than none.
#[test]
fn a_lease_that_is_over_is_its_owners_until_another_has_one() {
    let mut record = Record::default();
    let first = lease(record.ask(T, "a", LEASE, None));
    assert!(record.keep(after(30), "a", first.fence, token(1)));
}

/// A node that was killed comes back under its name, and need not wait for itself.
#[test]
fn another_life_of_the_owner_fetches_at_once() {
    let mut record = Record::default();
    let first = lease(record.ask(T, "a", LEASE, None));
    let second = lease(record.ask(after(1), "a", LEASE, None));
    assert!(!record.keep(after(2), "a", first.fence, token(1)));
    assert!(record.keep(after(2), "a", second.fence, token(2)));
}

/// A standby that lacks the last lease gives its number out again.
#[test]
fn a_number_that_was_given_out_twice_is_one_nodes() {
    let old = Record::default();
    let (mut here, mut there) = (old.clone(), old);
    let first = lease(here.ask(T, "a", LEASE, None));
    let second = lease(there.ask(T, "b", LEASE, None));
    assert_eq!(first.fence, second.fence);
    assert!(!there.keep(T, "a", first.fence, token(1)));
}

#[test]
fn an_old_one_serves_while_the_next_is_fetched() {
    let mut record = with(1);
    let late = 6_920;
    assert!(matches!(record.ask(after(late - 1), "b", LEASE, None), TokenAsked::Good(_)));
    match record.ask(after(late), "b", LEASE, None) {
        TokenAsked::Yours(_, Some(old)) => assert_eq!(old.expires_in, Duration::from_secs(270)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(record.ask(after(late), "a", LEASE, None), TokenAsked::Others(Some(_), _)));
    assert!(matches!(record.ask(after(7_190), "a", LEASE, None), TokenAsked::Yours(_, None)));
}

/// However many nodes were refused the same token, and however late the last of them says so: one fetch.
#[test]
fn a_death_counts_once() {
    let mut record = with(1);
    let dead = Some([1; 32]);
    // The lease of who fetched it was over with that.
    let found = lease(record.ask(T, "b", LEASE, dead));
    assert_eq!(found.dead, dead);
    for node in ["a", "c"] {
        assert!(matches!(record.ask(T, node, LEASE, dead), TokenAsked::Others(None, _)));
    }
    assert!(record.keep(T, "b", found.fence, token(2)));
    for node in ["a", "b", "c"] {
        assert_eq!(record.ask(T, node, LEASE, dead), TokenAsked::Good(token(2)));
    }
}

#[test]
fn a_dead_one_that_is_handed_out_again_is_not_kept_for_a_minute() {
    let mut record = with(1);
    let found = lease(record.ask(T, "a", LEASE, Some([1; 32])));
    assert!(!record.keep(after(59), "a", found.fence, token(1)));
    assert!(record.keep(after(60), "a", found.fence, token(1)), "perhaps only one server was behind");
}

#[test]
fn deaths_and_forced_tokens_are_rationed_over_all_nodes() {
    let mut record = with(0);
    for n in 0..6 {
        let found = lease(record.ask(T, "a", LEASE, Some([n; 32])));
        assert!(record.keep(T, "a", found.fence, token(n + 1)));
    }
    assert_eq!(record.ask(T, "b", LEASE, Some([6; 32])), TokenAsked::Enough);
    assert!(matches!(record.ask(after(60), "b", LEASE, Some([6; 32])), TokenAsked::Yours(..)));

    let mut record = Record::default();
    let mut forced = Vec::new();
    for second in (0..24 * 3600).step_by(10) {
        let node = if second % 20 == 0 { "a" } else { "b" };
        let TokenLease { fence, .. } = lease(record.ask(after(second), node, LEASE, None));
        if record.force(after(second), node, fence, LEASE) {
            forced.push(second);
        }
        record.give_back(node, fence);
    }
    assert_eq!(forced, [0, 40, 80, 120, 160, 200, 240, 280]);
}

/// Who failed holds up nobody.
#[test]
fn what_is_given_back_is_the_next_ones() {
    let mut record = Record::default();
    let first = lease(record.ask(T, "a", LEASE, None));
    record.give_back("a", first.fence);
    assert!(!record.keep(T, "a", first.fence, token(1)), "it has said that it has none");
    assert!(!record.force(T, "a", first.fence, LEASE));
    lease(record.ask(T, "b", LEASE, None));
}

#[test]
fn a_clock_that_was_set_back_holds_up_nobody() {
    let mut record = with(1);
    record.ask(T, "a", LEASE, Some([1; 32]));
    for _ in 0..5 {
        assert!(record.replaced.take(T, REPLACEMENTS));
    }
    let back = T - Duration::from_secs(3600);
    let found = lease(record.ask(back, "b", LEASE, None));
    assert_eq!(found.dead, None);
    assert!(record.replaced.take(back, REPLACEMENTS));
    assert!(record.keep(back, "b", found.fence, token(1)));
    // And one whose token seems to live for ever.
    let mut record = with(1);
    let back = T - Duration::from_secs(10 * 24 * 3600);
    match record.ask(back, "b", LEASE, None) {
        TokenAsked::Good(token) => assert!(token.expires_in <= LIFE_MAX),
        other => panic!("{other:?}"),
    }
}
