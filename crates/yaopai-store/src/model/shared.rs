//! The reference for what nodes share: maps under a mutex.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use yaopai_core::ports::{Clock, Count, Shared, StoreResult, Took, Tries, Use, Used};

use crate::nonces::{Memory, forgettable};
use crate::tries::{self, At, Counts, Known};

/// Nonces and counts in memory, for tests of whoever uses the port. Clone it for another node's connection to the same.
pub struct ModelShared {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    /// The highest time that this connection was answered.
    seen: AtomicI64,
}

#[derive(Default)]
struct State {
    memory: Option<Memory>,
    /// Each with when it may be forgotten.
    nonces: HashMap<[u8; 16], i64>,
    /// By how long their slots are, and by turn.
    turns: HashMap<(i64, i64), Turn>,
}

/// Who has tried what in one turn.
type Turn = HashMap<(u8, [u8; 16]), Counts>;

impl State {
    fn turn(&self, slot_ms: i64, turn: i64) -> Option<&Turn> {
        self.turns.get(&(slot_ms, turn))
    }

    fn known(&self, slot_ms: i64, turn: i64, count: &Count) -> Known {
        let (now, before) = (self.turn(slot_ms, turn), self.turn(slot_ms, turn - 1));
        let key = (count.kind, count.name);
        let here = now.and_then(|turn| turn.get(&key));
        let counts = here.or_else(|| before?.get(&key)).cloned().unwrap_or_default();
        let names = now.map_or(0, |turn| turn.keys().filter(|(kind, _)| *kind == count.kind).count());
        Known { counts, here: here.is_some(), names }
    }
}

impl Clone for ModelShared {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), clock: Arc::clone(&self.clock), seen: AtomicI64::new(0) }
    }
}

impl ModelShared {
    /// An empty store. It begins to remember at its first use. Its clock is [`Clock::shown`], which may go back.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), clock, seen: AtomicI64::new(0) }
    }

    /// Loses all of it, as a server that was started again without its data.
    pub fn forget(&self) {
        *self.lock() = State::default();
    }

    /// It began to remember so much earlier (milliseconds): for who doesn't want to wait.
    pub fn age(&self, ms: i64) {
        if let Some(memory) = &mut self.lock().memory {
            memory.first -= ms;
        }
    }

    /// Has as many names of kind 0 in this turn as it takes.
    pub fn fill(&self, slot_ms: i64) {
        let turn = At::new(self.clock.shown().0, slot_ms).turn;
        let mut state = self.lock();
        let names = state.turns.entry((slot_ms, turn)).or_default();
        for n in 0..tries::NAMES_MAX {
            let mut name = [0xff; 16];
            name[..8].copy_from_slice(&n.to_be_bytes());
            names.insert((0, name), Counts::default());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Shared for ModelShared {
    async fn first_use(&self, used: Use) -> StoreResult<Used> {
        let mut state = self.lock();
        let seen = self.seen.load(Ordering::Relaxed);
        let standing = Memory::at(state.memory.take(), "model", self.clock.shown().0, seen);
        let refusal = standing.refusal(used.created);
        let now = standing.now;
        self.seen.fetch_max(now, Ordering::Relaxed);
        state.memory = Some(standing.memory);
        if let Some(refusal) = refusal {
            return Ok(refusal);
        }
        state.nonces.retain(|_, until| *until >= now);
        let first = state.nonces.insert(used.fingerprint, forgettable(used.created)).is_none();
        Ok(if first { Used::First } else { Used::Before })
    }

    async fn take(&self, tries: &Tries) -> StoreResult<Took> {
        let mut state = self.lock();
        let at = At::new(self.clock.shown().0, tries.slot_ms);
        let mut known: Vec<Known> =
            tries.counts.iter().map(|count| state.known(tries.slot_ms, at.turn, count)).collect();
        let (took, counted) = tries::take(tries, at, &mut known);
        state.turns.retain(|(_, turn), _| *turn >= at.turn - 1);
        for n in counted {
            let (count, known) = (&tries.counts[n], std::mem::take(&mut known[n]));
            let turn = state.turns.entry((tries.slot_ms, at.turn)).or_default();
            turn.insert((count.kind, count.name), known.counts);
        }
        Ok(took)
    }

    async fn give_back(&self, tries: &Tries, slot: i64) -> StoreResult<()> {
        let mut state = self.lock();
        let at = At::new(self.clock.shown().0, tries.slot_ms);
        for count in &tries.counts {
            for turn in [at.turn, at.turn - 1] {
                let turn = state.turns.get_mut(&(tries.slot_ms, turn));
                if let Some(counts) = turn.and_then(|turn| turn.get_mut(&(count.kind, count.name))) {
                    counts.less(slot);
                    // An older turn's is not looked at any more.
                    break;
                }
            }
        }
        Ok(())
    }

    async fn tidy(&self) -> StoreResult<()> {
        let mut state = self.lock();
        let now = self.clock.shown().0.max(self.seen.load(Ordering::Relaxed));
        state.nonces.retain(|_, until| *until >= now);
        state.turns.retain(|(slot_ms, turn), _| *turn >= At::new(now, *slot_ms).turn - 1);
        Ok(())
    }
}
