//! What is done between requests: last-seen times are flushed in bulk, expired sessions end, old rows go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Service, phone};
use crate::error::Result;
use crate::ports::{Stale, StaleAfter};
use crate::time::{Downtime, Timestamp, Uptime, millis};

/// How long an ended session is kept, so that its client can be told why.
const ENDED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often (milliseconds of uptime) the store is looked through for expired sessions that the table doesn't hold.
const STALE_EVERY: i64 = 60_000;
/// How many live sessions one step of that looks at, and how many steps there are at a time. A million take two hours;
/// meanwhile they are refused as expired all the same.
const STALE_STEP: u32 = 512;
const STALE_STEPS: usize = 16;
/// How many rows one purge deletes, and how many purges one round makes.
const PURGE_LIMIT: u32 = 2_000;
const PURGES_MAX: u32 = 200;

/// How much later than it should be a round of upkeep is because the store was away.
const OUTAGE: Duration = Duration::from_secs(30);

pub(super) struct State {
    /// From when on uses have not been flushed yet, as uptime.
    since: AtomicI64,
    /// The walk through the store.
    stale: Mutex<Walk>,
    /// When uses were stored last, as wall time, and the down time that was known then.
    stored: AtomicI64,
    downtime: AtomicI64,
}

/// Where the walk through the store goes on, and when.
#[derive(Clone, Copy)]
struct Walk {
    after: Option<StaleAfter>,
    next: Uptime,
}

impl State {
    pub(super) fn new(now: Timestamp, downtime: Downtime) -> Self {
        let up = now.uptime(downtime);
        Self {
            since: AtomicI64::new(up.0),
            stale: Mutex::new(Walk { after: None, next: up }),
            stored: AtomicI64::new(now.0),
            downtime: AtomicI64::new(downtime.0),
        }
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
        self.count_outage().await?;
        // Taken before the walk: what is used during it is seen again by the next.
        let (now, up) = self.now();
        // Other nodes may have found since that none was up for a while: then all times of use are less by that.
        let downtime = world.downtime.get().0;
        let grown = downtime - self.inner.upkeep.downtime.swap(downtime, Ordering::AcqRel);
        let since = Uptime(self.inner.upkeep.since.fetch_sub(grown, Ordering::AcqRel) - grown);
        let swept = world.presence.sweep(since, now, up);
        let (seen, expired, evicted) = (swept.seen.len(), swept.expired.len(), swept.stale.len());
        world.store.touched(swept.seen, now).await?;
        self.inner.upkeep.since.store(up.0, Ordering::Release);
        self.inner.upkeep.stored.store(now.0, Ordering::Release);
        world.presence.evict(&swept.stale);
        if !swept.expired.is_empty() {
            world.store.expire(swept.expired, now).await?;
        }
        let stale = self.expire_stale(now, up).await?;
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
        self.inner.phones.purge(now, phone::CODE_REMEMBERED);
        self.inner.tries.purge(now);
        self.inner.user_keys.purge(now, super::user_key::ASKED_EVERY);
        self.inner.tickets.purge(now);
        self.inner.jars.purge(now);
        world.proofs.sweep(now);
        if let Some(nodes) = &world.nodes {
            world.sealer.learn_all(&*world.store).await?;
            // Nothing hangs on it, and the store may be another than that which the rest of this is about.
            if let Err(e) = nodes.shared.tidy().await {
                tracing::debug!(error = %e, "nonces and tries that are over stay for now");
            }
        }
        world.sealer.replenish(&*world.store).await?;
        Ok(Upkept { seen, expired: expired + stale, evicted, purged })
    }

    /// While the store that nodes share is away nobody can use a session for long: that is time in which none of them was up. Whoever
    /// comes back first counts it; for the others there is nothing left to count.
    async fn count_outage(&self) -> Result<()> {
        let world = self.world();
        let Some(nodes) = &world.nodes else { return Ok(()) };
        let (now, _) = self.now();
        if now > Timestamp(self.inner.upkeep.stored.load(Ordering::Acquire)) + nodes.lag + OUTAGE {
            let known = world.store.resume(now).await?;
            tracing::warn!(downtime_ms = known.0, "the store was away: that time is not counted as idle");
            world.downtime.learn(known);
        }
        Ok(())
    }

    /// Ends expired sessions that the table doesn't hold: beyond its bound, evicted, or of an app that is gone. `up` is from
    /// before the table was walked, and the uses up to then are stored: one that was used since can't be among them.
    async fn expire_stale(&self, now: Timestamp, up: Uptime) -> Result<usize> {
        let state = &self.inner.upkeep.stale;
        let walk = *state.lock().unwrap_or_else(PoisonError::into_inner);
        if up < walk.next {
            return Ok(0);
        }
        let keep = |after| {
            let next = Uptime(up.0.saturating_add(STALE_EVERY));
            *state.lock().unwrap_or_else(PoisonError::into_inner) = Walk { after, next };
        };
        let world = self.world();
        let idle_ms: BTreeMap<_, _> = world.apps.iter().map(|a| (a.name.clone(), millis(self.idle(a)))).collect();
        let (mut after, mut ended) = (walk.after, 0);
        for _ in 0..STALE_STEPS {
            let stale = Stale { idle_ms: idle_ms.clone(), up, now, after, limit: STALE_STEP };
            let step = world.store.expire_stale(stale).await?;
            ended += step.ended.len();
            after = step.next;
            keep(after);
            if after.is_none() {
                break;
            }
        }
        Ok(ended)
    }
}
