//! A thread that stands still inside `accept` while others go on. `settle` is all of it that follows its first look at the clock.

use super::*;

fn settle(room: &Replays, nonce: &str, created: i64) -> Result<(), NotFresh> {
    room.settle(session(1), nonce, T0 + created)
}

#[test]
fn its_generation_is_removed_before_it_gets_hold_of_it() {
    let room = replays();
    accept(&room, "n", 0, 0).unwrap();
    room.sweep(at(66 + 60));
    assert_eq!(settle(&room, "n", 0), Err(NotFresh::Stale));
    // And so for those who find what it has made.
    assert_ne!(settle(&room, "m", 0), Ok(()));
}

#[test]
fn its_generation_is_removed_while_it_holds_it() {
    let room = replays();
    let guard = room.generations.guard();
    accept(&room, "n", 0, 0).unwrap();
    let held = room.generations.get(T0 / GENERATION, &guard).unwrap();
    room.sweep(at(66 + 60));
    assert!(room.generations.get(T0 / GENERATION, &guard).is_none());
    assert_eq!(held.claim(room.key.fingerprint(session(1), "n")), Err(NotFresh::Replayed));
}

#[test]
fn the_room_is_saved_meanwhile() {
    let room = replays();
    let saved = room.save();
    assert_eq!(settle(&room, "n", 0), Err(NotFresh::Stale));
    assert_eq!(accept(&room, "n", 0, 0), Err(NotFresh::Stale));
    assert_eq!(saved.high_water, Timestamp(0));
}

#[test]
fn the_time_is_shut_off_meanwhile() {
    let room = replays();
    room.gate.advance(at(0));
    room.not_before(at(0));
    assert_eq!(settle(&room, "n", 5), Err(NotFresh::Stale));
    room.gate.advance(at(1));
    settle(&room, "m", 6).unwrap();
}
