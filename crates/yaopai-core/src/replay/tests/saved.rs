//! A graceful stop, its bytes, and bytes that are something else.

use proptest::prelude::*;

use super::*;

fn filled(nonces: usize) -> Replays {
    let room = replays();
    room.not_before(at(-100));
    for n in 0..nonces {
        accept(&room, &n.to_string(), n as i64 % 66 + 20, 80).unwrap();
    }
    room
}

#[test]
fn what_was_refused_stays_refused() {
    let room = filled(2000);
    let saved = Saved::from_bytes(&room.save().to_bytes()).unwrap();
    let room = Replays::restore(BOUND, &saved);
    assert_eq!(room.high_water(), at(80));
    for n in 0..2000 {
        assert_eq!(accept(&room, &n.to_string(), n % 66 + 20, 0), Err(NotFresh::Replayed), "{n}");
    }
    assert_eq!(accept(&room, "new", 19, 0), Err(NotFresh::Stale));
    accept(&room, "new", 20, 0).unwrap();
}

#[test]
fn the_time_after_a_crash_outlives_a_graceful_stop() {
    let room = replays();
    room.not_before(at(0));
    let room = Replays::restore(BOUND, &room.save());
    assert_eq!(accept(&room, "n", 5, 1), Err(NotFresh::Stale));
    accept(&room, "n", 6, 1).unwrap();
}

#[test]
fn a_room_that_was_saved_twice_says_the_same() {
    let room = filled(500);
    let first = room.save().to_bytes();
    assert_eq!(first, room.save().to_bytes());
    let restored = Replays::restore(BOUND, &Saved::from_bytes(&first).unwrap());
    accept(&restored, "new", 80, 80).unwrap();
}

#[test]
fn what_does_not_fit_any_more_is_refused_as_a_whole() {
    let saved = filled(2000).save();
    for bound in [0, 64, 1024] {
        let room = Replays::restore(bound, &saved);
        for n in 0..2000 {
            assert_ne!(accept(&room, &n.to_string(), n % 66 + 20, 80), Ok(()), "{n}");
        }
        assert!(room.bytes() <= Replays::bytes_max(bound));
    }
}

/// And no second of the generation after it.
#[test]
fn what_does_not_fit_is_refused_to_its_last_second() {
    let room = replays();
    for n in 0..2000 {
        accept(&room, &n.to_string(), n % 46 + 20, 80).unwrap();
    }
    let room = Replays::restore(64, &room.save());
    assert_eq!(accept(&room, "new", GENERATION - 1, 80), Err(NotFresh::Stale));
    accept(&room, "new", GENERATION, 80).unwrap();
}

/// A buffer that grew would have left copies of the key behind.
#[test]
fn its_bytes_are_allocated_once() {
    for nonces in [0, 1, 500] {
        let bytes = filled(nonces).save().to_bytes();
        assert_eq!(bytes.capacity(), bytes.len(), "{nonces}");
    }
}

#[test]
fn no_key_is_shown() {
    let saved = replays().save();
    assert!(format!("{saved:?}").contains("HashKey(…)"), "{saved:?}");
    assert!(!format!("{saved:?}{:?}", replays()).contains("7, 7"));
}

#[test]
fn other_bytes_are_refused() {
    let bytes = filled(100).save().to_bytes();
    Saved::from_bytes(&bytes).unwrap();
    assert_eq!(Saved::from_bytes(&[]).unwrap_err(), NotSaved::Damaged);
    for end in 1..bytes.len() {
        assert_eq!(Saved::from_bytes(&bytes[..end]).unwrap_err(), NotSaved::Damaged, "{end}");
    }
    for at in 0..bytes.len() {
        let mut other = bytes.to_vec();
        other[at] ^= 1;
        let expected = if at == 0 { NotSaved::Version } else { NotSaved::Damaged };
        assert_eq!(Saved::from_bytes(&other).unwrap_err(), expected, "{at}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(Saved::from_bytes(&longer).unwrap_err(), NotSaved::Damaged);
}

/// Each generation once, the older one first.
#[test]
fn generations_ascend() {
    let with = |numbers: [i64; 2]| {
        let mut body = vec![1];
        body.extend_from_slice(&[7; 16]);
        body.extend_from_slice(&[0; 16]);
        body.push(2);
        for number in numbers {
            body.extend_from_slice(&number.to_be_bytes());
            body.extend_from_slice(&0u64.to_be_bytes());
        }
        Saved::from_bytes(&signed(body)).err()
    };
    assert_eq!(with([-1, 0]), None);
    for wrong in [[0, 0], [-1, -1], [0, -1]] {
        assert_eq!(with(wrong), Some(NotSaved::Damaged), "{wrong:?}");
    }
}

/// With the checksum that belongs to it.
fn signed(mut body: Vec<u8>) -> Vec<u8> {
    let key = HashKey(zeroize::Zeroizing::new(body[1..17].try_into().unwrap()));
    let checksum = key.hash([&body]);
    body.extend_from_slice(&checksum.to_be_bytes());
    body
}

/// Saved at the beginning of time, with one generation that claims to have so many fingerprints and has none.
fn with_generation(number: i64, length: u64) -> Vec<u8> {
    let mut body = vec![1];
    body.extend_from_slice(&[7; 16]);
    body.extend_from_slice(&[0; 16]);
    body.push(1);
    body.extend_from_slice(&number.to_be_bytes());
    body.extend_from_slice(&length.to_be_bytes());
    signed(body)
}

/// One that lies ahead would stay for ever.
#[test]
fn a_generation_that_was_not_open_is_refused() {
    for number in [i64::MIN, -2, 1, 2, i64::MAX] {
        assert_eq!(Saved::from_bytes(&with_generation(number, 0)).unwrap_err(), NotSaved::Damaged, "{number}");
    }
    for number in [-1, 0] {
        Saved::from_bytes(&with_generation(number, 0)).unwrap();
    }
}

proptest! {
    #[test]
    fn junk_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0..3u8) {
        prop_assert!(Saved::from_bytes(&bytes).is_err());
        prop_assert!(Saved::from_bytes(&[&[version], &bytes[..]].concat()).is_err());
    }

    /// Whatever is under a right checksum: it is what we would write, or it is refused; and no room made of it panics.
    #[test]
    fn only_what_we_write_is_read(
        key: [u8; 16],
        mark in prop_oneof![any::<i64>(), 0..400_000i64],
        shut: i64,
        count in 0..4u8,
        generations in prop::collection::vec(
            (-1..8i64, 0..4u64, prop::collection::vec(prop_oneof![Just(0u64), any::<u64>()], 0..4), prop::bool::weighted(0.8)),
            0..4,
        ),
        counted in prop::bool::weighted(0.8),
    ) {
        let mut body = vec![1];
        body.extend_from_slice(&key);
        body.extend_from_slice(&mark.to_be_bytes());
        body.extend_from_slice(&shut.to_be_bytes());
        body.push(if counted { generations.len() as u8 } else { count });
        for (number, length, all, counted) in generations {
            body.extend_from_slice(&number.to_be_bytes());
            body.extend_from_slice(&(if counted { all.len() as u64 } else { length }).to_be_bytes());
            all.iter().for_each(|fingerprint| body.extend_from_slice(&fingerprint.to_be_bytes()));
        }
        let bytes = signed(body);
        if let Ok(saved) = Saved::from_bytes(&bytes) {
            prop_assert_eq!(&*saved.to_bytes(), &bytes);
            let room = Replays::restore(BOUND, &saved);
            prop_assert_eq!(room.high_water(), Timestamp(mark));
            room.sweep(Timestamp(mark));
        }
    }

    #[test]
    fn a_length_that_is_a_lie_allocates_nothing(length: u64) {
        prop_assert_eq!(Saved::from_bytes(&with_generation(0, length)).is_ok(), length == 0);
    }
}
