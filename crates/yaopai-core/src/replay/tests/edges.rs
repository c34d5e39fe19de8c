//! The window, the clock that never goes back, and the time after a crash.

use super::*;

#[test]
fn the_window_ends_to_the_millisecond() {
    for now in [T0 * 1000, T0 * 1000 + 1, T0 * 1000 + 999, T0 * 1000 + 33_000] {
        for created in T0 - 120..T0 + 120 {
            let fresh = now - 60_000 <= created * 1000 && created * 1000 <= now + 5000;
            let expected = if fresh { Ok(()) } else { Err(NotFresh::Stale) };
            let got = replays().accept(session(1), "n", created, Timestamp(now));
            assert_eq!(got, expected, "created {created}, now {now}");
        }
    }
}

#[test]
fn seconds_at_the_end_of_time_are_no_trouble() {
    for created in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
        for now in [i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX] {
            let room = replays();
            let first = room.accept(session(1), "n", created, Timestamp(now));
            assert_ne!(room.accept(session(1), "n", created, Timestamp(now)), Ok(()), "{first:?} before");
            room.not_before(Timestamp(now));
            room.sweep(Timestamp(now));
        }
    }
}

#[test]
fn a_nonce_is_a_sessions_own() {
    let room = replays();
    accept(&room, "n", 0, 0).unwrap();
    assert_eq!(accept(&room, "n", 0, 0), Err(NotFresh::Replayed));
    room.accept(session(2), "n", T0, at(0)).unwrap();
    accept(&room, "m", 0, 0).unwrap();
    accept(&room, "", 0, 0).unwrap();
    assert_eq!(accept(&room, "", 0, 0), Err(NotFresh::Replayed));
}

#[test]
fn another_created_does_not_make_a_nonce_new() {
    let room = replays();
    accept(&room, "n", 30, 30).unwrap();
    // In the same generation, and over its edge to both sides.
    for (created, now) in [(31, 31), (-1, 31), (66, 61), (70, 90)] {
        assert_eq!(accept(&room, "n", created, now), Err(NotFresh::Replayed), "{created}");
    }
}

#[test]
fn the_clock_going_back_opens_nothing() {
    let room = replays();
    accept(&room, "n", 0, 0).unwrap();
    assert_eq!(accept(&room, "other", 0, 61), Err(NotFresh::Stale));
    room.sweep(at(200));
    // By its own clock it would be fresh, and its generation is gone.
    assert_eq!(accept(&room, "n", 0, 0), Err(NotFresh::Stale));
    assert_eq!(room.high_water(), at(200));
    room.sweep(at(100));
    assert_eq!(room.high_water(), at(200));
    accept(&room, "n", 141, 0).unwrap();
}

#[test]
fn a_time_ahead_raises_the_mark_even_when_it_is_refused() {
    let room = replays();
    assert_eq!(room.high_water(), Timestamp(0));
    assert_eq!(accept(&room, "n", 0, 500), Err(NotFresh::Stale));
    assert_eq!(room.high_water(), at(500));
}

#[test]
fn after_a_crash_what_may_have_been_accepted_is_stale() {
    let room = replays();
    room.not_before(Timestamp(at(10).0 + 999));
    for created in -30..=15 {
        assert_eq!(accept(&room, "n", created, 11), Err(NotFresh::Stale), "{created}");
    }
    accept(&room, "n", 16, 11).unwrap();
    // An earlier one takes nothing back.
    room.not_before(at(0));
    assert_eq!(accept(&room, "m", 15, 11), Err(NotFresh::Stale));
}

#[test]
fn the_hash_is_siphash_2_4() {
    // The reference implementation's vectors, key 00 … 0f, input 00 … 0e and 00 … 0f.
    let key = HashKey(zeroize::Zeroizing::new(std::array::from_fn(|n| n as u8)));
    let input: [u8; 16] = std::array::from_fn(|n| n as u8);
    assert_eq!(key.hash([&input[..15]]), 0xa129_ca61_49be_45e5);
    assert_eq!(key.hash([&input[..5], &input[5..15]]), 0xa129_ca61_49be_45e5);
    assert_eq!(key.fingerprint(SessionId(input), "").get(), 0x3f2a_cc7f_57c2_9bdb);
}

/// What a client is told to wait for: the first second that may be signed in after a crash, neither earlier nor later.
#[test]
fn it_says_when_what_was_shut_opens() {
    let room = replays();
    assert_eq!(room.opens_at(), None, "nothing was shut");
    room.not_before(at(10));
    assert_eq!(room.opens_at(), Some(at(16)));
    assert_eq!(accept(&room, "a", 15, 16), Err(NotFresh::Stale));
    assert_eq!(accept(&room, "a", 16, 16), Ok(()));
}

/// It holds the key of its hash.
#[test]
fn it_shows_nothing_of_what_it_holds() {
    assert_eq!(format!("{:?}", replays()), "Replays { high_water: Timestamp(0), bytes: 0 }");
}
