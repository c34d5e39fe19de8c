//! The reference engine: plain maps under one mutex. It is what the other engines are compared with, and what tests of
//! other rooms run on.

mod act;
mod audit;
mod bind;
mod codes;
mod import;
mod jar;
mod login;
mod moving;
mod shared;
mod signing;
mod state;
mod store;
mod tokens;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use yaopai_core::audit::{Said, Scribe};
use yaopai_core::ports::{Change, ChangeSink};

pub use shared::ModelShared;
use state::State;
pub use tokens::ModelTokens;

/// What survives a crash. Clone it, drop the engine, and open another on it.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// A copy that shares nothing: what a backup would hold.
    pub fn snapshot(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Commands check before they change anything, so a panic in one (in a sink, say) leaves no half of it behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reference engine.
pub struct Model {
    disk: Disk,
    sink: Arc<dyn ChangeSink>,
    scribe: OnceLock<Arc<Scribe>>,
}

impl Model {
    /// Opens the engine on a disk; `Disk::default()` is an empty one.
    pub fn open(disk: Disk, sink: Arc<dyn ChangeSink>) -> Self {
        Self { disk, sink, scribe: OnceLock::new() }
    }

    /// Runs one command under the lock. Its changes reach the sink before anybody else can change anything.
    fn run<T>(&self, command: impl FnOnce(&mut State, &mut Vec<Change>) -> T) -> T {
        let mut state = self.disk.lock();
        self.apply(&mut state, command)
    }

    /// The same for a command that the audit log is told of.
    fn tell<T>(&self, command: impl FnOnce(&mut State, &mut Vec<Change>) -> (Said, T)) -> T {
        let mut state = self.disk.lock();
        self.apply(&mut state, |state, changes| {
            let (said, answer) = command(state, changes);
            if let Some(scribe) = self.scribe.get() {
                audit::told(state, scribe, said, changes);
            }
            answer
        })
    }

    fn apply<T>(&self, state: &mut State, command: impl FnOnce(&mut State, &mut Vec<Change>) -> T) -> T {
        let mut changes = Vec::new();
        let answer = command(state, &mut changes);
        for change in changes {
            self.sink.apply(change);
        }
        answer
    }
}
