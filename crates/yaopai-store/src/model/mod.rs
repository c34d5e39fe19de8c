//! The reference engine: plain maps under one mutex. It is what the other engines are compared with, and what tests of
//! other rooms run on.

mod bind;
mod codes;
mod import;
mod login;
mod state;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, ChangeSink, JarCookie};

use state::State;

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
}

impl Model {
    /// Opens the engine on a disk; `Disk::default()` is an empty one.
    pub fn open(disk: Disk, sink: Arc<dyn ChangeSink>) -> Self {
        Self { disk, sink }
    }

    /// A session's jar, by slot.
    pub fn cookies(&self, session: SessionId) -> Vec<JarCookie> {
        self.disk.lock().cookies(session)
    }

    /// Runs one command under the lock. Its changes reach the sink before anybody else can change anything.
    fn run<T>(&self, command: impl FnOnce(&mut State, &mut Vec<Change>) -> T) -> T {
        let mut state = self.disk.lock();
        let mut changes = Vec::new();
        let answer = command(&mut state, &mut changes);
        for change in changes {
            self.sink.apply(change);
        }
        answer
    }
}
