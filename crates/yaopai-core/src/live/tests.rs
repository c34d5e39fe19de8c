use super::*;
use crate::session::{Device, Ended, Secrets, SessionKey};
use std::time::Duration;
use yaopai_wire::token::Secret;
use zeroize::Zeroizing;

struct Manual(AtomicI64);

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

const T0: i64 = 1_800_000_000_000;
const IDLE: Duration = Duration::from_secs(1800);
const NO_DOWNTIME: Downtime = Downtime(0);

fn table(bound: usize) -> (Arc<Manual>, LiveTable<&'static str>) {
    let clock = Arc::new(Manual(AtomicI64::new(T0)));
    let make: MakeEntry<&'static str> = Box::new(|_| Some(Entry { answer: "ok", idle_ms: 1_800_000, key: None }));
    (clock.clone(), LiveTable::new(bound, clock, make))
}

fn secret(n: u8) -> Secret {
    Secret::new([n; 32])
}

fn token(n: u8) -> Token {
    Token { id: [n; 16], secret: secret(n) }
}

fn session(n: u8) -> Session {
    Session {
        id: SessionId([n; 16]),
        realm: "default".into(),
        app: "shop".into(),
        identity: crate::ids::IdentityId([n; 16]),
        openid: "o1".into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: Timestamp(T0),
        vouched_at: Timestamp(T0),
        absolute_at: Timestamp(T0) + Duration::from_secs(7 * 24 * 3600),
        last_seen: Uptime(T0),
        key: SessionKey::Bearer,
        secrets: Secrets::new(secret(n).hash(), false),
        ended: None,
    }
}

fn put(table: &LiveTable<&'static str>, session: Session) {
    table.apply(Change::Put(Box::new(session)));
}

/// Bearer sessions are asked for no proof.
fn never(_: &ProofKey, _: &Quota) -> Result<Proven, Unproved> {
    panic!("a bearer session has no key")
}

fn check(table: &LiveTable<&'static str>, n: u8, seconds: u64, slide: bool) -> Looked<&'static str> {
    let now = Timestamp(T0) + Duration::from_secs(seconds);
    table.check(&token(n), (now, NO_DOWNTIME), slide, never, |a, _| *a)
}

#[test]
fn only_the_confirmed_secret_passes() {
    let (_, table) = table(10);
    put(&table, session(1));
    assert_eq!(check(&table, 1, 0, true), Looked::Pass("ok"));
    let stolen_id = Token { id: [1; 16], secret: secret(9) };
    assert_eq!(table.check(&stolen_id, (Timestamp(T0), NO_DOWNTIME), true, never, |a, _| *a), Looked::Unsure);
    assert_eq!(check(&table, 2, 0, true), Looked::Unsure);
}

#[test]
fn a_check_slides_and_a_background_call_does_not() {
    let (_, table) = table(10);
    put(&table, session(1));
    put(&table, session(2));
    for minutes in (0..120).step_by(20) {
        assert_eq!(check(&table, 1, minutes * 60, true), Looked::Pass("ok"));
    }
    assert_eq!(check(&table, 2, 1200, false), Looked::Pass("ok"));
    assert_eq!(check(&table, 2, 1799, false), Looked::Pass("ok"));
    assert_eq!(check(&table, 2, 1800, true), Looked::Expired);
    assert_eq!(check(&table, 2, 1801, true), Looked::Expired, "what has expired never slides");
}

#[test]
fn however_often_used_a_session_ends_of_age() {
    let (_, table) = table(10);
    put(&table, session(1));
    let week = 7 * 24 * 3600;
    for seconds in (0..week).step_by(1000) {
        assert_eq!(check(&table, 1, seconds, true), Looked::Pass("ok"));
    }
    assert_eq!(check(&table, 1, week, true), Looked::Expired);
}

#[test]
fn time_in_which_the_server_was_down_is_not_idle_time() {
    let (_, table) = table(10);
    put(&table, session(1));
    let (hour, now) = (Downtime(3_600_000), Timestamp(T0) + Duration::from_secs(3600 + 1799));
    assert_eq!(table.check(&token(1), (now, hour), true, never, |a, _| *a), Looked::Pass("ok"));
}

#[test]
fn a_change_keeps_what_was_seen() {
    let (_, table) = table(10);
    put(&table, session(1));
    check(&table, 1, 1000, true);
    put(&table, session(1));
    assert_eq!(table.last_seen(SessionId([1; 16])), Some(Uptime(T0 + 1_000_000)));
    assert!(table.used(SessionId([1; 16])));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_fill_never_undoes_a_kick() {
    let (clock, table) = table(10);
    // Read while it was alive …
    let ticket = table.begin_fill();
    let read = session(1);
    // … and kicked before the fill.
    table.apply(Change::Ended(read.id));
    table.fill(ticket, &read);
    assert_eq!(check(&table, 1, 0, true), Looked::Unsure);
    // A read that begins afterwards sees the end in the store.
    let ended = Session { ended: Some(Ended { reason: EndReason::Kicked, at: Timestamp(T0) }), ..session(1) };
    table.fill(table.begin_fill(), &ended);
    assert_eq!(check(&table, 1, 0, true), Looked::Unsure);
    // A fill that took longer than its tombstone could outlive is dropped whatever it brings.
    let ticket = table.begin_fill();
    clock.0.fetch_add(FILL_MAX_AGE + 1, Ordering::SeqCst);
    table.fill(ticket, &session(2));
    assert_eq!(check(&table, 2, 0, true), Looked::Unsure);
}

#[test]
fn a_fill_never_undoes_a_rotation() {
    let (_, table) = table(1);
    put(&table, session(9));
    let ticket = table.begin_fill();
    let old = session(1);
    // The table is full: the newer state isn't kept, but remembered to exist.
    put(&table, Session { secrets: Secrets::new(secret(7).hash(), false), ..session(1) });
    table.apply(Change::Ended(SessionId([9; 16])));
    table.fill(ticket, &old);
    assert_eq!(check(&table, 1, 0, true), Looked::Unsure, "the old secret must not come back");
    table.fill(table.begin_fill(), &old);
    assert_eq!(check(&table, 1, 0, true), Looked::Pass("ok"), "a fill that began afterwards is believed");
}

#[test]
fn it_is_bounded_and_says_so() {
    let (_, table) = table(2);
    for n in 1..=5 {
        put(&table, session(n));
    }
    assert_eq!(table.len(), 2);
    assert!(!table.is_complete());
    assert_eq!(check(&table, 5, 0, true), Looked::Unsure);
    // What was used beyond the bound is remembered until it is flushed.
    let id = SessionId([5; 16]);
    table.touch(id, Uptime(T0 + 5000), true);
    assert_eq!(table.last_seen(id), Some(Uptime(T0 + 5000)));
    let swept = table.sweep(Uptime(T0 + 1), Timestamp(T0 + 6000), Uptime(T0 + 6000));
    assert_eq!(swept.seen, vec![(id, Uptime(T0 + 5000))]);
}

#[test]
fn upkeep_finds_what_was_used_what_expired_and_what_may_go() {
    let (_, table) = table(3);
    for n in 1..=3 {
        put(&table, session(n));
    }
    check(&table, 1, 1500, true);
    let at = |seconds: u64| (Timestamp(T0) + Duration::from_secs(seconds)).0;
    let swept = table.sweep(Uptime(T0 + 1), Timestamp(at(1600)), Uptime(at(1600)));
    assert_eq!(swept.seen, vec![(SessionId([1; 16]), Uptime(at(1500)))]);
    assert!(swept.expired.is_empty());
    let mut stale: Vec<_> = swept.stale.iter().map(|(id, _)| id.0[0]).collect();
    stale.sort_unstable();
    assert_eq!(stale, [2, 3]);
    // One of them is used before it goes: it stays.
    check(&table, 2, 1700, true);
    table.evict(&swept.stale);
    assert_eq!(table.len(), 2);
    let swept = table.sweep(Uptime(at(1700)), Timestamp(at(3400)), Uptime(at(3400)));
    assert_eq!(swept.expired, vec![(SessionId([1; 16]), EndReason::ExpiredIdle)]);
    assert_eq!(IDLE.as_millis(), 1_800_000);
}

#[test]
fn a_late_fill_never_undoes_a_rotation_of_a_session_that_was_evicted_since() {
    let (_, table) = table(1);
    let old = session(1);
    let ticket = table.begin_fill();
    put(&table, old.clone());
    put(&table, Session { secrets: Secrets::new(secret(7).hash(), false), ..session(1) });
    table.evict(&[(old.id, old.last_seen)]);
    assert!(table.is_empty());
    table.fill(ticket, &old);
    assert_eq!(check(&table, 1, 0, true), Looked::Unsure, "the retired secret must not come back");
}

/// A check takes no lock: it passes while somebody else holds every one of them.
#[test]
fn a_check_passes_while_all_locks_are_held() {
    let (_, table) = table(10);
    put(&table, session(1));
    let table = Arc::new(table);
    let held: Vec<_> = table.shards.iter().map(|shard| shard.lock().unwrap()).collect();
    let (passed, answer) = std::sync::mpsc::channel();
    let checked = table.clone();
    std::thread::spawn(move || passed.send((check(&checked, 1, 0, true), check(&checked, 2, 0, true))));
    // Long enough for the slowest machine; a check that waits never answers.
    let answer = answer.recv_timeout(Duration::from_secs(20));
    assert_eq!(answer, Ok((Looked::Pass("ok"), Looked::Unsure)));
    drop(held);
}

fn keyed_table() -> LiveTable<&'static str> {
    let clock = Arc::new(Manual(AtomicI64::new(T0)));
    let key = || Some(ProofKey::HmacSha256(Zeroizing::new([7; 32])));
    LiveTable::new(10, clock, Box::new(move |_| Some(Entry { answer: "ok", idle_ms: 1_800_000, key: key() })))
}

/// A token without its key keeps no session alive, is no use of it, and learns what it must do.
#[test]
fn a_keyed_session_is_proved_before_anything_is_done_for_it() {
    let table = keyed_table();
    put(&table, session(1));
    let later = Timestamp(T0) + Duration::from_secs(60);
    let check = |proof: Result<Proven, Unproved>| {
        table.check(&token(1), (later, NO_DOWNTIME), true, |_, _| proof, |a, proven| (*a, proven.body_signed))
    };
    assert_eq!(check(Err(Unproved::Missing)), Looked::Unproved(Unproved::Missing));
    assert_eq!(check(Err(Unproved::UnknownVersion)), Looked::Unsure);
    assert_eq!((table.last_seen(SessionId([1; 16])), table.used(SessionId([1; 16]))), (Some(Uptime(T0)), false));
    assert_eq!(check(Ok(Proven { body_signed: true, unshared: None })), Looked::Pass(("ok", true)));
    assert_eq!((table.last_seen(SessionId([1; 16])), table.used(SessionId([1; 16]))), (Some(Uptime(later.0)), true));
}

/// What a session has sent counts on when it changes.
#[test]
fn a_change_gives_no_new_quota() {
    let table = keyed_table();
    put(&table, session(1));
    let now = Timestamp(T0);
    let mut left = 0;
    table.count(SessionId([1; 16]), &mut |quota| assert!(quota.take(now)));
    put(&table, session(1));
    table.count(SessionId([1; 16]), &mut |quota| left = (0..).take_while(|_| quota.take(now)).count());
    assert_eq!(left, 2_999);
    // Beyond the table, too.
    table.count(SessionId([2; 16]), &mut |quota| assert!(quota.take(now)));
    table.count(SessionId([2; 16]), &mut |quota| left = (0..).take_while(|_| quota.take(now)).count());
    assert_eq!(left, 2_999);
}

/// Whoever makes up tokens waits in another lane than these.
#[test]
fn what_was_to_be_forgotten_is_known_to_have_been() {
    let (clock, table) = table(1_600);
    let later = |ms| clock.0.fetch_add(ms, Ordering::SeqCst);
    let all: Vec<SessionId> = (0..40).map(|n| SessionId([n; 16])).collect();
    (0..40).for_each(|n| put(&table, session(n)));
    assert!(!all.iter().any(|id| table.knew(*id)), "they are here");
    table.forget_all();
    table.forget(SessionId([99; 16]));
    assert!(all.iter().all(|id| table.knew(*id)) && table.knew(SessionId([99; 16])));
    assert!(!table.knew(SessionId([98; 16])), "nobody has heard of it");
    table.apply(Change::Ended(SessionId([99; 16])));
    assert!(!table.knew(SessionId([99; 16])));
    // Whoever had one that ended elsewhere is a stranger again.
    table.forget(SessionId([99; 16]));
    table.ended(SessionId([99; 16]));
    assert!(!table.knew(SessionId([99; 16])));
    // For half an hour at least, and not for ever.
    later(KNOWN + 1);
    (40..80).for_each(|n| table.forget(SessionId([n; 16])));
    assert!(all.iter().all(|id| table.knew(*id)));
    later(KNOWN + 1);
    (80..255).for_each(|n| table.forget(SessionId([n; 16])));
    assert!(!all.iter().all(|id| table.knew(*id)));
    // As many as the table has room for, twice.
    for n in 0u32..20_000 {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        table.forget(SessionId(id));
    }
    let known: usize =
        table.shards.iter().map(|shard| shard.lock().unwrap().known.iter().map(HashSet::len).sum::<usize>()).sum();
    assert!(known <= 2 * (1_600 + SHARDS), "{known}");
}
