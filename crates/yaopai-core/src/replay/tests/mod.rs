use crate::ids::SessionId;
use crate::ports::Entropy;
use crate::time::Timestamp;

use super::*;

mod edges;
mod model;
mod paused;
mod races;
mod room;
mod saved;

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// The first second of a generation.
const T0: i64 = 27_272_727 * GENERATION;
const BOUND: usize = 1 << 14;

fn replays() -> Replays {
    Replays::new(BOUND, &Sevens)
}

fn session(n: u8) -> SessionId {
    SessionId([n; 16])
}

/// `second` after T0.
fn at(second: i64) -> Timestamp {
    Timestamp((T0 + second) * 1000)
}

/// Session 1; `created` and `now` in seconds after T0.
fn accept(room: &Replays, nonce: &str, created: i64, now: i64) -> Result<(), NotFresh> {
    room.accept(session(1), nonce, T0 + created, at(now))
}

fn from_env(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |n| n.parse().unwrap())
}
