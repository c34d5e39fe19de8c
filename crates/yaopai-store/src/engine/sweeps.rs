//! What deletes many rows, and lets logins pass in between.

use std::sync::Arc;

use yaopai_core::ports::StoreResult;
use yaopai_core::time::Timestamp;

use super::Engine;
use crate::commands::audit::{self, Old};
use crate::commands::{Done, Work};
use crate::rows::{Chain, Rows};

/// Rows that are deleted in one command.
const CHUNK: u32 = 256;
/// Chains of the audit log that are shortened in one.
const CHAINS: usize = 8;

impl<R: Rows + 'static> Engine<R> {
    /// Deletes up to `limit` rows, some in a command, until there are fewer. Answers how many.
    pub(super) async fn by_chunks<F>(&self, limit: u32, delete: F) -> StoreResult<u64>
    where
        F: Fn(&mut Work<'_, R>, u32) -> Done<u32> + Clone + Send + 'static,
    {
        let mut gone = 0;
        while gone < limit {
            let (some, delete) = ((limit - gone).min(CHUNK), delete.clone());
            let n = self.write(move |work| delete(work, some)).await?;
            gone += n;
            if n < some {
                break;
            }
        }
        Ok(u64::from(gone))
    }

    /// Deletes up to `limit` rows of the audit log that are older than `before`, over all chains. Answers how many.
    pub(super) async fn purge_old_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        let Some(scribe) = self.scribe.get().cloned() else { return Ok(0) };
        // Not by the writer: chains in which nothing is old cost it nothing.
        let old = self.long_read(move |db| {
            let old = Old::than(db, &scribe, before)?;
            Ok((old, old.chains(db)?))
        });
        let (old, chains) = old.await?;
        let mut gone = 0;
        for few in chains.chunks(CHAINS) {
            let few: Arc<[Chain]> = few.into();
            let left = limit.saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX));
            gone += self.by_chunks(left, move |work, some| audit::purge(work, &few, old, some)).await?;
        }
        Ok(gone)
    }
}
