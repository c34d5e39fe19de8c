//! Bounded: full refuses, nothing is evicted, and memory is given back.

use std::thread;

use super::*;

/// Fills one generation with nonces until so many were tried; gives those that were accepted, and how many were before the
/// first was refused.
fn fill(room: &Replays, tries: usize) -> (Vec<usize>, usize) {
    let mut accepted = Vec::new();
    let mut first_full = None;
    for n in 0..tries {
        match accept(room, &n.to_string(), 0, 0) {
            Ok(()) => accepted.push(n),
            Err(NotFresh::Full) => _ = first_full.get_or_insert(accepted.len()),
            other => panic!("{other:?}"),
        }
    }
    (accepted, first_full.unwrap_or(tries))
}

#[test]
fn a_full_room_refuses_and_forgets_nothing() {
    for bound in [8192, 20_000, 100_000, 300_000] {
        let room = Replays::new(bound, &Sevens);
        let share = bound / 2;
        let (accepted, first_full) = fill(&room, share * 2);
        assert!(accepted.len() <= share, "{bound}: {}", accepted.len());
        assert!(first_full > share / 4 * 3, "{bound}: full after {first_full}");
        assert!(room.bytes() <= Replays::bytes_max(bound));
        for n in &accepted {
            assert_eq!(accept(&room, &n.to_string(), 0, 0), Err(NotFresh::Replayed), "{n}");
        }
        // The next minute has its own half.
        accept(&room, "next", 66, 61).unwrap();
    }
}

#[test]
fn a_room_without_room_refuses_all() {
    for bound in [0, 1, 31] {
        assert_eq!(accept(&Replays::new(bound, &Sevens), "n", 0, 0), Err(NotFresh::Full));
    }
    let (accepted, _) = fill(&Replays::new(32, &Sevens), 100);
    assert_eq!(accepted.len(), 16);
}

#[test]
fn the_bound_in_bytes_is_8_a_nonce_and_little_more() {
    for bound in [0, 1, 32, 1000, 4096, 100_000, 9_000_000, 50_000_000] {
        let shape = shape::Shape::new(bound);
        assert!(shape.slots() <= bound && bound - shape.slots() < 16, "{bound}");
        assert!(shape.levels().iter().all(|slots| slots % 16 == 0));
        assert!(shape.levels().len() <= 16, "{bound}: {:?}", shape.levels());
        let bytes = Replays::bytes_max(bound);
        assert!(bytes <= bound * 8 + bound / 64 + 4096, "{bound}: {bytes}");
        assert!(bytes >= (bound.saturating_sub(31)) * 8);
    }
}

#[test]
fn an_idle_room_gives_its_memory_back() {
    let room = replays();
    assert_eq!(room.bytes(), 0);
    for n in 0..3000 {
        accept(&room, &n.to_string(), n % 60, 60).unwrap();
    }
    assert!(room.bytes() >= 3000 * 8);
    room.sweep(at(66 + 59));
    assert!(room.bytes() >= 3000 * 8, "its last second is still in the window");
    room.sweep(at(66 + 60));
    assert_eq!(room.bytes(), 0);
}

/// Each minute's threads are others, as a runtime's may be: what one of them removed must not wait for its next time.
#[test]
fn memory_is_given_back_while_many_are_reading() {
    let bound = 1 << 16;
    let room = Replays::new(bound, &Sevens);
    for minute in 0..20 {
        let created = minute * GENERATION;
        thread::scope(|scope| {
            for part in 0..8 {
                let room = &room;
                scope.spawn(move || {
                    for n in 0..3000 {
                        accept(room, &format!("{minute}.{part}.{n}"), created + 1 + n % 65, created + 61).unwrap();
                        assert!(room.bytes() <= Replays::bytes_max(bound));
                    }
                });
            }
        });
    }
}

/// A reader that stands still keeps what was removed. That counts until it goes on: the bound holds, and new nonces are refused.
#[test]
fn memory_that_is_still_being_read_counts() {
    let bound = 1 << 15;
    let room = Replays::new(bound, &Sevens);
    let reader = room.generations.guard();
    let minute = |minute: i64| {
        let created = minute * GENERATION + 60;
        let answers = (0..12_000).map(|n| accept(&room, &format!("{minute}.{n}"), created, created));
        answers.filter(|answer| *answer == Err(NotFresh::Full)).count()
    };
    assert_eq!((minute(0), minute(1)), (0, 0));
    assert!(minute(2) > 0);
    assert!(room.bytes() <= Replays::bytes_max(bound));
    drop(reader);
    assert_eq!((minute(4), minute(5)), (0, 0));
}

/// `YAOPAI_REPLAY_NONCES` of them, 9 million for 50,000 a second.
#[test]
fn three_minutes_of_traffic_stay_under_the_bound() {
    let nonces = from_env("YAOPAI_REPLAY_NONCES", 300_000);
    // What the documentation says: 176 times those of a second.
    let bound = nonces * 176 / 180;
    let room = Replays::new(bound, &Sevens);
    let mut most = 0;
    let when = |n: usize| at(0).0 + (n * 180_000 / nonces) as i64;
    for n in 0..nonces {
        let now = Timestamp(when(n));
        let nonce = n.to_string();
        room.accept(session(n as u8), &nonce, now.0 / 1000, now).unwrap();
        most = most.max(room.bytes());
        if n % 1000 == 0 {
            room.sweep(now);
            assert_eq!(room.accept(session(n as u8), &nonce, now.0 / 1000, now), Err(NotFresh::Replayed));
        }
    }
    // What is a minute old is remembered as well as what is new.
    let now = Timestamp(when(nonces - 1));
    for n in (0..nonces).rev().step_by(7).take_while(|n| when(*n) / 1000 * 1000 >= now.0 - 60_000) {
        let again = room.accept(session(n as u8), &n.to_string(), when(n) / 1000, now);
        assert_eq!(again, Err(NotFresh::Replayed), "{n}");
    }
    println!("{nonces} nonces, at most {most} of {} bytes", Replays::bytes_max(bound));
    assert!(most <= Replays::bytes_max(bound), "{most}");
}
