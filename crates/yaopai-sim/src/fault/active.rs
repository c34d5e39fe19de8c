//! The faults that are switched on.

use serde::Serialize;

use super::Fault;
use crate::{Endpoint, SimError, state::Subject};

/// Most faults switched on at a time.
const MAX_FAULTS: usize = 256;

/// A fault that is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultStatus {
    /// Its number, to switch it off by.
    pub id: u64,
    /// The fault; `times` is what is left.
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u64,
}

#[derive(Default)]
pub(crate) struct Faults {
    last_id: u64,
    on: Vec<FaultStatus>,
}

impl Faults {
    pub(crate) fn set(&mut self, fault: Fault) -> Result<u64, SimError> {
        fault.check()?;
        if self.on.len() >= MAX_FAULTS {
            return Err(SimError::TooMany("faults"));
        }
        self.last_id += 1;
        self.on.push(FaultStatus { id: self.last_id, fault, struck: 0 });
        Ok(self.last_id)
    }

    pub(crate) fn list(&self) -> Vec<FaultStatus> {
        self.on.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.on.clear();
    }

    pub(crate) fn clear_one(&mut self, id: u64) -> bool {
        let before = self.on.len();
        self.on.retain(|status| status.id != id);
        self.on.len() < before
    }

    /// The first fault that hits this call, used up once.
    pub(crate) fn strike(&mut self, endpoint: Endpoint, app: Option<&str>, subject: Option<&Subject>) -> Option<Fault> {
        let user = subject.map(|subject| subject.user.as_str());
        let app = subject.map(|subject| subject.app.as_str()).or(app);
        let at = self.on.iter().position(|status| status.fault.hits(endpoint, app, user))?;
        let status = &mut self.on[at];
        status.struck += 1;
        let fault = status.fault.clone();
        if let Some(left) = &mut status.fault.times {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.on.remove(at);
            }
        }
        Some(fault)
    }
}
