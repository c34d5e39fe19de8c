//! What is done between requests: last-seen times are flushed in bulk, expired sessions end, old rows go.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::Service;
use crate::error::Result;
use crate::time::Uptime;

/// How long an ended session is kept, so that its client can be told why.
const ENDED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How many rows one purge deletes, and how many purges one round makes.
const PURGE_LIMIT: u32 = 2_000;
const PURGES_MAX: u32 = 200;

pub(super) struct State {
    /// From when on uses have not been flushed yet, as uptime.
    since: AtomicI64,
}

impl State {
    pub(super) fn new(up: Uptime) -> Self {
        Self { since: AtomicI64::new(up.0) }
    }
}

/// What one round of upkeep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Upkept {
    /// Sessions whose last use was flushed.
    pub seen: usize,
    /// Sessions that ended of age.
    pub expired: usize,
    /// Sessions that made room in the table.
    pub evicted: usize,
    /// Rows deleted.
    pub purged: u64,
}

impl Service {
    /// One round. A crash forgets at most what was used since the last one.
    ///
    /// # Errors
    /// The store's; the next round makes up for it.
    pub async fn upkeep(&self) -> Result<Upkept> {
        let world = self.world();
        // Taken before the walk: what is used during it is seen again by the next.
        let (now, up) = self.now();
        let since = Uptime(self.inner.upkeep.since.load(Ordering::Acquire));
        let swept = world.presence.sweep(since, now, up);
        let (seen, expired, evicted) = (swept.seen.len(), swept.expired.len(), swept.stale.len());
        world.store.touched(swept.seen, now).await?;
        self.inner.upkeep.since.store(up.0, Ordering::Release);
        world.presence.evict(&swept.stale);
        if !swept.expired.is_empty() {
            world.store.expire(swept.expired, now).await?;
        }
        let mut purged = 0;
        // In small pieces, so that logins come in between; and as many as it takes, so that rows don't pile up.
        for _ in 0..PURGES_MAX {
            let some = world.store.purge(now, now - ENDED_KEPT, PURGE_LIMIT).await?;
            purged += some;
            if some < u64::from(PURGE_LIMIT) {
                break;
            }
        }
        self.inner.flights.purge(now);
        world.sealer.replenish(&*world.store).await?;
        Ok(Upkept { seen, expired, evicted, purged })
    }
}
