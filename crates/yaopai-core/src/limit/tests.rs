use proptest::prelude::*;

use super::*;

const IDENTITY: Kind = Kind(What::Bind, By::Identity);
const NETWORK: Kind = Kind(What::Bind, By::Network);
const ACCOUNT: Kind = Kind(What::Bind, By::Account);

fn key() -> Zeroizing<[u8; 32]> {
    Zeroizing::new([0; 32])
}
const WINDOW: Duration = Duration::from_secs(600);
const T0: i64 = 1_800_000_000_123;

fn windows() -> Windows {
    Windows::new(WINDOW, key())
}

fn take(windows: &Windows, kind: Kind, max: u32, name: &str, ms: i64) -> Result<Taken, u32> {
    windows.take(&[Want { kind, max, name: vec![name.as_bytes()] }], Timestamp(T0 + ms))
}

#[test]
fn so_many_and_then_a_wait_that_is_enough() {
    let windows = windows();
    for n in 0..3 {
        take(&windows, IDENTITY, 3, "a", n * 100_000).unwrap();
    }
    let wait = take(&windows, IDENTITY, 3, "a", 250_000).unwrap_err();
    assert!((350..=411).contains(&wait), "until the first is out of the window: {wait}");
    let then = 250_000 + i64::from(wait) * 1000;
    take(&windows, IDENTITY, 3, "a", then - 61_000).unwrap_err();
    take(&windows, IDENTITY, 3, "a", then).unwrap();
    take(&windows, IDENTITY, 3, "a", then).unwrap_err();
    take(&windows, IDENTITY, 3, "b", then).unwrap();
    take(&windows, NETWORK, 3, "a", then).unwrap();
}

#[test]
fn all_are_counted_or_none() {
    let windows = windows();
    let both = |ms| {
        let wants =
            [Want { kind: IDENTITY, max: 9, name: vec![b"a"] }, Want { kind: ACCOUNT, max: 1, name: vec![b"x"] }];
        windows.take(&wants, Timestamp(T0 + ms))
    };
    both(0).unwrap();
    for _ in 0..20 {
        both(1).unwrap_err();
    }
    for _ in 0..8 {
        take(&windows, IDENTITY, 9, "a", 2).unwrap();
    }
    take(&windows, IDENTITY, 9, "a", 2).unwrap_err();
}

#[test]
fn what_came_to_nothing_is_given_back() {
    let windows = windows();
    let taken = take(&windows, IDENTITY, 1, "a", 0).unwrap();
    take(&windows, IDENTITY, 1, "a", 1).unwrap_err();
    // Some slots later, too.
    take(&windows, IDENTITY, 1, "a", 200_000).unwrap_err();
    windows.give_back(&taken);
    take(&windows, IDENTITY, 1, "a", 200_000).unwrap();
    windows.give_back(&taken);
    take(&windows, IDENTITY, 1, "a", 200_000).unwrap_err();
}

/// Whoever fills the table gets nobody's count forgotten, nor their own.
#[test]
fn a_full_table_takes_nobody_new_and_forgets_nobody() {
    let windows = Windows::bounded(WINDOW, key(), 100);
    take(&windows, ACCOUNT, 1, "victim", 0).unwrap();
    for n in 0..500 {
        assert_eq!(take(&windows, ACCOUNT, 1, &format!("filler-{n}"), 1).is_ok(), n < 99);
    }
    take(&windows, ACCOUNT, 1, "victim", 2).unwrap_err();
    take(&windows, IDENTITY, 1, "victim", 2).unwrap();
    // Networks are cheap: whoever fills their table shuts nobody out, and what is counted stays counted.
    for n in 0..500 {
        take(&windows, NETWORK, 1, &format!("network-{n}"), 1).unwrap();
    }
    take(&windows, NETWORK, 1, "network-0", 2).unwrap_err();
    assert_eq!(windows.tables.lock().unwrap()[NETWORK.place()].names.len(), 100);
    // Time makes room, with upkeep and without.
    take(&windows, ACCOUNT, 1, "late", 661_000).unwrap();
    assert_eq!(windows.tables.lock().unwrap()[ACCOUNT.place()].names.len(), 1);
    windows.purge(Timestamp(T0 + 2_000_000));
    assert!(windows.tables.lock().unwrap().iter().all(|table| table.names.is_empty()));
}

#[test]
fn names_can_not_be_shifted_into_each_other() {
    let windows = windows();
    let take = |name: &[&[u8]]| windows.take(&[Want { kind: ACCOUNT, max: 1, name: name.to_vec() }], Timestamp(T0));
    take(&[b"ab", b"c"]).unwrap();
    take(&[b"a", b"bc"]).unwrap();
    take(&[b"abc"]).unwrap();
    take(&[b"ab", b"c"]).unwrap_err();
}

#[test]
fn networks_and_accounts() {
    let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
    assert!(same("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff") && !same("2001:db8::1", "2001:db8:0:1::1"));
    assert!(same("::ffff:192.0.2.7", "192.0.2.7") && !same("192.0.2.7", "192.0.2.8"));
    for spelling in ["Alice@Example.com", " alice@example.com", "alice@example.com\u{200b}", "ALICE @ example.com"] {
        assert_eq!(account(spelling), "aliceexamplecom");
    }
    // MySQL's usual collation takes these for the same, too.
    for spelling in ["ａｌｉｃｅ＠example.com", "álïcè@exaṁple.com", "ALİCE@example.com", "al\u{ad}ıce@example.ⓒom"]
    {
        assert_eq!(account(spelling), "aliceexamplecom", "{spelling}");
    }
    for spelling in ["１３８００１３８０００", "1٣8001३8000", "𝟏𝟛𝟪00138⁰⁰0"] {
        assert_eq!(account(spelling), "13800138000", "{spelling}");
    }
    assert_eq!((account("Straße"), account("٠۹༠᭙🯹")), ("strasse".into(), "09099".into()));
    assert_eq!(
        (account("138-0013-8000"), account("张三"), account("--")),
        ("13800138000".into(), "张三".into(), "--".into())
    );
}

proptest! {
    /// No span as long as the window ever holds more than allowed, whenever somebody tries.
    #[test]
    fn never_more_than_allowed_in_any_window(steps in prop::collection::vec(0i64..120_000, 1..200), max in 1u32..6) {
        let windows = windows();
        let (mut now, mut passed) = (0, Vec::new());
        for step in steps {
            now += step;
            match take(&windows, IDENTITY, max, "a", now) {
                Ok(_) => passed.push(now),
                Err(wait) => {
                    prop_assert!((1..=660).contains(&wait));
                    // Nobody waits who has not used the window up, but for its slot that is partly over.
                    prop_assert!(passed.iter().filter(|at| now - **at <= 660_000).count() >= max as usize);
                }
            }
            let within = passed.iter().filter(|at| now - **at < 600_000).count();
            prop_assert!(within <= max as usize, "{within} of {max}");
        }
    }
}

#[test]
fn each_kind_is_counted_apart() {
    let all = [What::Login, What::Bind, What::PhoneNumber, What::FailedProof];
    let all = all
        .into_iter()
        .flat_map(|what| [By::Identity, By::Network, By::App, By::Account].map(|by| Kind(what, by).place()));
    let mut places: Vec<usize> = all.collect();
    places.sort_unstable();
    assert_eq!(places, (0..Kind::COUNT).collect::<Vec<_>>());
}

#[test]
fn what_has_no_limit_is_not_counted() {
    let limits = TryLimits::default();
    let by: [(By, &[u8]); 2] = [(By::Network, b"n"), (By::App, b"shop")];
    let wants = limits.wants(What::Login, &by);
    assert_eq!(
        wants.iter().map(|want| (want.kind, want.max)).collect::<Vec<_>>(),
        [(Kind(What::Login, By::Network), 6_000)]
    );
}
