//! Control without HTTP: what a Rust test uses.

mod codes;
mod keys;
mod open_data;
mod people;
mod push;

use std::{fmt, sync::Arc, time::Duration};

use crate::{ConfigError, Counters, Fault, FaultStatus, SimError, simulator::Core};

/// A handle on a simulator; cheap to clone.
#[derive(Clone)]
pub struct SimHandle(Arc<Core>);

impl fmt::Debug for SimHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimHandle")
    }
}

impl SimHandle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// The bearer token of the control API.
    pub fn control_token(&self) -> &str {
        self.0.control_token.expose()
    }

    /// The simulator's time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// Moves a manual clock forward.
    ///
    /// # Errors
    /// [`SimError::ClockNotManual`].
    pub fn advance(&self, by: Duration) -> Result<(), SimError> {
        if self.0.clock.advance(by) { Ok(()) } else { Err(SimError::ClockNotManual) }
    }

    /// Back to the configuration: codes, keys, tokens, faults, counters and added users are gone. Nothing that was issued
    /// before is issued again. A manual clock stays where it is.
    pub fn reset(&self) {
        self.0.state().reset();
    }

    /// How often an endpoint was called, by the last segment of its path (`jscode2session`, `token`, `stable_token` …).
    ///
    /// # Panics
    /// No endpoint has this name: a misspelt name would make an assertion of 0 calls pass.
    pub fn calls(&self, endpoint: &str) -> u64 {
        assert!(crate::Endpoint::ALL.iter().any(|known| known.name() == endpoint), "no endpoint is named {endpoint:?}");
        self.0.state().counters.calls.get(endpoint).copied().unwrap_or(0)
    }

    /// All counters.
    pub fn counters(&self) -> Counters {
        self.0.state().counters.clone()
    }

    /// Switches a fault on; answers its number.
    ///
    /// # Errors
    /// The fault contradicts itself, names an unknown app or user, or too many are on.
    pub fn set_fault(&self, fault: Fault) -> Result<u64, SimError> {
        let mut state = self.0.state();
        if let Some(app) = &fault.app {
            state.app(app)?;
        }
        if let Some(user) = &fault.user {
            state.people.get(user)?;
        }
        state.faults.set(fault)
    }

    /// The faults that are on.
    pub fn faults(&self) -> Vec<FaultStatus> {
        self.0.state().faults.list()
    }

    /// Switches one fault off; answers whether it was on.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.0.state().faults.clear_one(id)
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.0.state().faults.clear();
    }
}

fn invalid(error: ConfigError) -> SimError {
    SimError::Invalid(error.to_string())
}
