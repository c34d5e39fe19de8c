//! What the services ask of the table, apart from its type of answers.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use yaopai_wire::token::Token;

use super::{BACKGROUND, EVICT_AFTER, LiveTable, REMEMBER, REMEMBER_USE, ReadTicket};
use crate::ids::SessionId;
use crate::ports::ChangeSink;
use crate::proof::Quota;
use crate::session::EndReason;
use crate::time::{Timestamp, Uptime};

/// What upkeep takes out of the table in one walk.
#[derive(Debug, Default)]
pub struct Swept {
    /// Sessions used since the last walk.
    pub seen: Vec<(SessionId, Uptime)>,
    /// Sessions that have expired.
    pub expired: Vec<(SessionId, EndReason)>,
    /// Sessions that may make room, and when they were last used. To be [`Presence::evict`]ed once `seen` is stored.
    pub stale: Vec<(SessionId, Uptime)>,
}

/// What the services ask of the table; apart from its type of answers.
pub trait Presence: ChangeSink {
    /// When a session was last used, where the table knows it.
    fn last_seen(&self, id: SessionId) -> Option<Uptime>;
    /// Did the table know it lately, and was told to forget what it knew?
    fn knew(&self, id: SessionId) -> bool;
    /// Was it used since its login, as far as the table knows?
    fn used(&self, id: SessionId) -> bool;
    /// Did the back end bind the session of this confirmed token, and has its client not read that yet? False for one that the
    /// table doesn't hold.
    fn risen(&self, token: &Token) -> bool;
    /// It is used now. `slide` is false for background calls.
    fn touch(&self, id: SessionId, up: Uptime, slide: bool);
    /// Counts a signed request of a session, by what `take` does with its count.
    fn count(&self, id: SessionId, take: &mut dyn FnMut(&Quota));
    /// Walks the table: what was used since `since`, what has expired at `now`.
    fn sweep(&self, since: Uptime, now: Timestamp, up: Uptime) -> Swept;
    /// Drops sessions that were not used meanwhile.
    fn evict(&self, stale: &[(SessionId, Uptime)]);
    /// Begins a reading of the store; `None` on a node that is alone, whose own table knows of every change.
    fn begin_read(&self) -> Option<ReadTicket>;
    /// May what was read since be acted on?
    fn still_true(&self, read: Option<ReadTicket>) -> bool;
    /// How many sessions are in the table.
    fn len(&self) -> usize;
    /// Is it empty?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<A: Send + Sync + 'static> Presence for LiveTable<A> {
    fn last_seen(&self, id: SessionId) -> Option<Uptime> {
        let guard = self.map.guard();
        match self.map.get(&id, &guard) {
            Some(live) => Some(Uptime(live.last_seen.load(Ordering::Relaxed))),
            None => self.shard(id).aside.get(&id).copied(),
        }
    }

    fn knew(&self, id: SessionId) -> bool {
        LiveTable::knew(self, id)
    }

    fn used(&self, id: SessionId) -> bool {
        let guard = self.map.guard();
        match self.map.get(&id, &guard) {
            Some(live) => live.used.load(Ordering::Relaxed),
            None => self.shard(id).aside.contains_key(&id),
        }
    }

    fn risen(&self, token: &Token) -> bool {
        let guard = self.map.guard();
        let live = self.map.get(&SessionId(token.id), &guard);
        live.is_some_and(|live| live.risen && live.hash.matches(&token.secret.hash()))
    }

    fn touch(&self, id: SessionId, up: Uptime, slide: bool) {
        let guard = self.map.guard();
        if let Some(live) = self.map.get(&id, &guard) {
            live.touch(up, slide);
        } else if !self.is_complete() {
            let mut shard = self.shard(id);
            let seen = shard.aside.entry(id).or_insert(BACKGROUND);
            if slide {
                *seen = up.max(*seen);
            }
        }
    }

    fn count(&self, id: SessionId, take: &mut dyn FnMut(&Quota)) {
        let guard = self.map.guard();
        match self.map.get(&id, &guard).and_then(|live| live.keyed.as_deref()) {
            Some(keyed) => take(&keyed.quota),
            None => take(self.shard(id).quotas.entry(id).or_default()),
        }
    }

    fn sweep(&self, since: Uptime, now: Timestamp, up: Uptime) -> Swept {
        let mut swept = Swept::default();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.recent.retain(|_, (_, at)| now.0 - *at <= REMEMBER);
            shard.quotas.retain(|_, quota| !quota.is_over(now));
            // What is older was in the last walk, and is stored by now.
            shard.aside.retain(|id, seen| *seen >= since || now.0 - id.made_at().0 <= REMEMBER_USE);
            let seen = shard.aside.iter().filter(|(_, seen)| **seen >= since);
            swept.seen.extend(seen.map(|(id, seen)| (*id, *seen)));
        }
        let crowded = self.len() * 10 > self.bound * 9;
        let guard = self.map.guard();
        for (id, live) in self.map.iter(&guard) {
            match live.expired(now, up) {
                None => {}
                // Here; another node may have seen it used, and what is stored decides.
                Some(EndReason::ExpiredIdle) if self.lease.is_some() => {
                    swept.stale.push((*id, Uptime(live.last_seen.load(Ordering::Relaxed))));
                    continue;
                }
                Some(reason) => {
                    swept.expired.push((*id, reason));
                    continue;
                }
            }
            let seen = Uptime(live.last_seen.load(Ordering::Relaxed));
            if seen >= since {
                swept.seen.push((*id, seen));
            }
            // Half the idle time-out unused: likely not to come back soon. And never so early that a login's kept answer
            // could be asked for again: whether that was used is remembered only here.
            if crowded && up.0 - seen.0 > (i64::from(live.idle_ms) / 2).max(EVICT_AFTER) {
                swept.stale.push((*id, seen));
            }
        }
        swept
    }

    fn evict(&self, stale: &[(SessionId, Uptime)]) {
        for (id, seen) in stale {
            let mut shard = self.shard(*id);
            let guard = self.map.guard();
            if self.map.get(id, &guard).is_some_and(|l| l.last_seen.load(Ordering::Relaxed) == seen.0) {
                self.complete.store(false, Ordering::Release);
                if let Some(gone) = self.map.remove(id, &guard) {
                    self.len.fetch_sub(1, Ordering::Relaxed);
                    // A check may have used it since the comparison.
                    let last = Uptime(gone.last_seen.load(Ordering::Relaxed));
                    if last > *seen {
                        shard.aside.insert(*id, last);
                    }
                    // It may have changed while it was here: a fill that began before must not bring the old state back.
                    self.remember(&mut shard, *id);
                }
            }
        }
    }

    fn begin_read(&self) -> Option<ReadTicket> {
        LiveTable::begin_read(self)
    }

    fn still_true(&self, read: Option<ReadTicket>) -> bool {
        read.is_none_or(|read| LiveTable::still_true(self, read))
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}
