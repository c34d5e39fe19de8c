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
    pub(super) elsewhere: Option<Timestamp>,
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
        Self { leased_until: past.leased_until, saved, elsewhere: past.elsewhere }
    }

    /// A time that has certainly been: whatever a clock says now, it is later. A stop knows it exactly; but if nothing was signed
    /// since a crash, only the lease from before it does.
    pub fn known_time(&self) -> Option<Timestamp> {
        let saved = self.saved.as_ref().map(Saved::high_water);
        saved.max(self.leased_until.map(|until| until - LEASE))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::Sevens;
    use super::*;
    use crate::replay::Replays;
    use crate::seal::MasterKey;

    /// After a crash, a start in which nothing was signed, and a stop in order: the clock is still held to what was before the crash.
    #[test]
    fn a_stop_without_a_signed_request_forgets_no_time() {
        let leased_until = Some(Timestamp(1_764_230_400_000));
        let saved = Some(Replays::new(10_000, &Sevens).save());
        // What may still have to come is no time that has been.
        let past = Past { leased_until, saved, elsewhere: leased_until.map(|until| until + LEASE) };
        assert_eq!(past.known_time(), leased_until.map(|until| until - LEASE));
    }

    #[test]
    fn what_can_not_be_read_is_as_nothing() {
        let sealer = Sealer::new(&MasterKey::parse(&"5a".repeat(32)).unwrap(), Arc::new(Sevens)).unwrap();
        let past = PastProofs { leased_until: Some(Timestamp(10_000)), saved: Some(vec![1, 2, 3]), elsewhere: None };
        let past = Past::open(past, &sealer);
        assert!(past.saved.is_none());
        assert_eq!(past.known_time(), Some(Timestamp(5_000)));
        assert_eq!(Past::open(PastProofs::default(), &sealer).known_time(), None);
    }
}
