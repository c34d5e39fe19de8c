//! What a start knows of the signed requests before it.

use super::{LEASE, SAVED};
use crate::ports::PastProofs;
use crate::replay::Saved;
use crate::seal::Sealer;
use crate::time::Timestamp;

/// What is known, opened.
pub struct Past {
    pub(super) leased_until: Option<Timestamp>,
    pub(super) saved: Option<Saved>,
}

impl Past {
    /// Opens what the store had. What can't be read is as nothing: then signed requests go on as after a crash.
    pub fn open(past: PastProofs, sealer: &Sealer) -> Self {
        let read = |sealed: Vec<u8>| {
            let bytes = sealer.unseal(SAVED, &sealed).map_err(|e| e.to_string())?;
            Saved::from_bytes(&bytes).map_err(|e| e.to_string())
        };
        let saved = past.saved.and_then(|sealed| {
            read(sealed).inspect_err(|e| tracing::warn!(error = e, "the nonces of the last stop can't be read")).ok()
        });
        Self { leased_until: past.leased_until, saved }
    }

    /// A time that has certainly been: whatever a clock says now, it is later.
    pub fn known_time(&self) -> Option<Timestamp> {
        let saved = self.saved.as_ref().map(Saved::high_water);
        saved.or_else(|| self.leased_until.map(|until| until - LEASE))
    }
}
