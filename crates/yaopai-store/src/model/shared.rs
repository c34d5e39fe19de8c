//! The reference for stores of nonces that nodes share: a map under a mutex.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use yaopai_core::ports::{Clock, Shared, StoreResult, Use, Used};

use crate::nonces::{Memory, forgettable};

/// Nonces in memory, for tests of whoever uses the port. Clone it for another node's connection to the same.
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

    /// Loses the memory, as a server that was started again without its data.
    pub fn forget(&self) {
        *self.lock() = State::default();
    }

    /// It began to remember so much earlier (milliseconds): for who doesn't want to wait.
    pub fn age(&self, ms: i64) {
        if let Some(memory) = &mut self.lock().memory {
            memory.first -= ms;
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
}
