//! The table of live sessions: what a check reads. Lock-free to read; written only by committed changes, in commit order.
//!
//! It is bounded. While every live session fits, a session that isn't here isn't live. Past the bound the rest is read
//! through the store, and what upkeep finds unused for longest makes room.
//!
//! Of many nodes each has one, which is never complete and is believed for as long as its [`Lease`] holds.

mod follow;
mod lease;
mod presence;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use yaopai_wire::token::{SecretHash, Token};

use crate::ids::SessionId;
use crate::ports::{Change, ChangeSink, Clock};
use crate::proof::{ProofKey, Proven, Quota, Unproved};
use crate::session::{EndReason, Session};
use crate::time::{Downtime, Timestamp, Uptime};

pub use follow::{Follower, News, ReadTicket};
pub use lease::{Lease, Moment, Moments};
pub use presence::{Presence, Swept};

/// A fill that began longer ago than this (milliseconds) is dropped.
const FILL_MAX_AGE: i64 = 20_000;
/// How long it is remembered that a session changed without being here: well over [`FILL_MAX_AGE`].
const REMEMBER: i64 = 60_000;
/// How many such changes are remembered one by one, in all shards; beyond it all fills under way are dropped.
const REMEMBER_MAX: usize = 1 << 20;
/// How long (milliseconds) it is remembered at least that a session that was forgotten is one: the usual idle time-out.
const KNOWN: i64 = 30 * 60_000;
/// How long it is remembered that a new session beyond the bound was used: well over the 60 s for which its login's answer is
/// handed out again unless it was.
const REMEMBER_USE: i64 = 90_000;
const SHARDS: usize = 16;
/// A session used within this time (milliseconds) never makes room.
const EVICT_AFTER: i64 = 90_000;

/// A session as a check needs it.
struct Live<A> {
    hash: SecretHash,
    absolute_at: Timestamp,
    last_seen: AtomicI64,
    idle_ms: u32,
    /// Did the back end bind it, and has its client not read that yet?
    risen: bool,
    /// Has anybody used it since its login? A login's answer is handed out again only until then.
    used: AtomicBool,
    /// What its requests must be signed with, if they must. Apart, so that bearer sessions take no room for it.
    keyed: Option<Box<Keyed>>,
    answer: A,
}

struct Keyed {
    key: ProofKey,
    quota: Quota,
}

/// What a check may answer with: made ready once, when the session changes.
pub struct Entry<A> {
    /// The ready-made answer.
    pub answer: A,
    /// The app's idle time-out in milliseconds.
    pub idle_ms: u32,
    /// What the session's requests must be signed with: `None` for a bearer session only.
    pub key: Option<ProofKey>,
}

/// Makes a session's ready-made answer; `None` if its app is gone.
pub type MakeEntry<A> = Box<dyn Fn(&Session) -> Option<Entry<A>> + Send + Sync>;

/// What the table says of a token.
#[derive(Debug, PartialEq, Eq)]
pub enum Looked<R> {
    /// It passes.
    Pass(R),
    /// Its session has expired.
    Expired,
    /// It is not proved.
    Unproved(Unproved),
    /// The table can't decide: unknown here, another secret than the confirmed one, or a proof that is open.
    Unsure,
}

/// The table.
pub struct LiveTable<A> {
    map: papaya::HashMap<SessionId, Live<A>, foldhash::fast::RandomState>,
    make: MakeEntry<A>,
    clock: Arc<dyn Clock>,
    bound: usize,
    len: AtomicUsize,
    /// Does it hold every live session?
    complete: AtomicBool,
    /// Counts changes; a fill that began before a change must not undo it.
    sequence: AtomicU64,
    forgotten: AtomicU64,
    /// Of one node of many: for how long the table is believed.
    lease: Option<Lease>,
    shards: [Mutex<Shard>; SHARDS],
    shard_of: foldhash::fast::RandomState,
}

/// Used, but never so that it would slide.
const BACKGROUND: Uptime = Uptime(i64::MIN);

#[derive(Default)]
struct Shard {
    /// Sessions that changed without being in the table: (sequence, when).
    recent: HashMap<SessionId, (u64, i64), foldhash::fast::RandomState>,
    /// When sessions beyond the bound were last used; [`BACKGROUND`] if only by background calls.
    aside: HashMap<SessionId, Uptime, foldhash::fast::RandomState>,
    /// Signed requests of sessions beyond the bound.
    quotas: HashMap<SessionId, Quota, foldhash::fast::RandomState>,
    /// Of many nodes: sessions that this one was told to forget, the younger ones first, and since when those are collected. Made-up ones
    /// aren't among them.
    known: [HashSet<SessionId, foldhash::fast::RandomState>; 2],
    known_since: i64,
}

impl Shard {
    fn know(&mut self, id: SessionId, most: usize, now: Timestamp) {
        if self.known[0].len() >= most || now.0 - self.known_since > KNOWN {
            self.known.swap(0, 1);
            self.known[0].clear();
            self.known_since = now.0;
        }
        self.known[0].insert(id);
    }
}

/// Taken before a store is read, so that what is read can't undo a later change.
#[derive(Debug, Clone, Copy)]
pub struct FillTicket {
    sequence: u64,
    began: Timestamp,
}

impl<A: Send + Sync + 'static> LiveTable<A> {
    /// An empty table of at most `bound` sessions.
    pub fn new(bound: usize, clock: Arc<dyn Clock>, make: MakeEntry<A>) -> Self {
        Self {
            map: papaya::HashMap::with_hasher(foldhash::fast::RandomState::default()),
            make,
            clock,
            bound,
            len: AtomicUsize::new(0),
            complete: AtomicBool::new(true),
            sequence: AtomicU64::new(1),
            forgotten: AtomicU64::new(0),
            lease: None,
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_of: foldhash::fast::RandomState::default(),
        }
    }

    /// The check. Nothing here waits, locks, allocates or writes more than one word.
    ///
    /// `slide` is false for background calls; `prove` says whether a keyed session's request is its holder's; `read` makes what is
    /// answered from the ready-made answer and what was proved.
    #[inline]
    pub fn check<R>(
        &self,
        token: &Token,
        (now, downtime): (Timestamp, Downtime),
        slide: bool,
        prove: impl FnOnce(&ProofKey, &Quota) -> Result<Proven, Unproved>,
        read: impl FnOnce(&A, Proven) -> R,
    ) -> Looked<R> {
        let guard = self.map.guard();
        let Some(live) = self.map.get(&SessionId(token.id), &guard) else { return Looked::Unsure };
        if !live.hash.matches(&token.secret.hash()) {
            return Looked::Unsure;
        }
        // After the lookup: what was found is as old as the lease at least.
        if self.lease.as_ref().is_some_and(|lease| !lease.holds()) {
            return Looked::Unsure;
        }
        let up = now.uptime(downtime);
        match live.expired(now, up) {
            None => {}
            // Another node may have seen it used.
            Some(EndReason::ExpiredIdle) if self.lease.is_some() => return Looked::Unsure,
            Some(_) => return Looked::Expired,
        }
        // Before anything is done for the token: who merely holds a copy of it keeps no session alive.
        let proven = match live.keyed.as_deref().map(|keyed| prove(&keyed.key, &keyed.quota)) {
            None => Proven::BY_TOKEN,
            Some(Ok(proven)) => proven,
            Some(Err(why)) if why.is_open() => return Looked::Unsure,
            Some(Err(why)) => return Looked::Unproved(why),
        };
        // Of many nodes another one may have accepted it before, within the minute that it is good for: its holder signed it all the same.
        live.touch(up, slide);
        Looked::Pass(read(&live.answer, proven))
    }

    /// Looks at a session's answer, whoever asks: nothing about it is decided by that.
    pub fn peek<R>(&self, id: SessionId, read: impl FnOnce(&A) -> R) -> Option<R> {
        self.map.get(&id, &self.map.guard()).map(|live| read(&live.answer))
    }

    /// Begins a fill; to be called before the store is read.
    pub fn begin_fill(&self) -> FillTicket {
        FillTicket { sequence: self.sequence.load(Ordering::SeqCst), began: self.clock.now() }
    }

    /// Puts a session that was read from the store into the table, unless it changed meanwhile or there is no room.
    pub fn fill(&self, ticket: FillTicket, session: &Session) {
        let now = self.clock.now();
        if session.ended.is_some() || now.0 - ticket.began.0 > FILL_MAX_AGE {
            return;
        }
        let mut shard = self.shard(session.id);
        let changed = shard.recent.get(&session.id).is_some_and(|(sequence, _)| *sequence > ticket.sequence);
        if changed || ticket.sequence < self.forgotten.load(Ordering::SeqCst) || self.is_full() {
            return;
        }
        let guard = self.map.guard();
        if self.map.get(&session.id, &guard).is_none() {
            let seen = shard.aside.remove(&session.id);
            self.insert(session, seen);
        }
    }

    /// May a session have ended since this ticket was taken? True too of one that isn't here and changed otherwise, and of a
    /// ticket that is too old to tell.
    pub fn changed_since(&self, ticket: FillTicket, id: SessionId) -> bool {
        let shard = self.shard(id);
        self.clock.now().0 - ticket.began.0 > FILL_MAX_AGE
            || ticket.sequence < self.forgotten.load(Ordering::SeqCst)
            || shard.recent.get(&id).is_some_and(|(sequence, _)| *sequence > ticket.sequence)
    }

    /// Is every live session here?
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Acquire)
    }

    fn is_full(&self) -> bool {
        self.len.load(Ordering::Relaxed) >= self.bound
    }

    fn shard(&self, id: SessionId) -> MutexGuard<'_, Shard> {
        self.shards[self.shard_at(id)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard_at(&self, id: SessionId) -> usize {
        usize::try_from(self.shard_of.hash_one(id) % SHARDS as u64).unwrap_or(0)
    }

    /// The caller holds the session's shard.
    fn insert(&self, session: &Session, seen: Option<Uptime>) {
        let guard = self.map.guard();
        let Some(entry) = (self.make)(session) else {
            if self.map.remove(&session.id, &guard).is_some() {
                self.len.fetch_sub(1, Ordering::Relaxed);
            }
            return;
        };
        let old = self.map.get(&session.id, &guard);
        let last_seen = session.last_seen.max(seen.unwrap_or_default()).0;
        let quota = old.and_then(|old| old.keyed.as_deref()).map(|keyed| keyed.quota.copied()).unwrap_or_default();
        let live = Live {
            keyed: entry.key.map(|key| Box::new(Keyed { key, quota })),
            hash: session.secrets.current(),
            absolute_at: session.absolute_at,
            last_seen: AtomicI64::new(old.map_or(last_seen, |o| last_seen.max(o.last_seen.load(Ordering::Relaxed)))),
            idle_ms: entry.idle_ms,
            risen: session.secrets.risen(),
            used: AtomicBool::new(seen.is_some() || old.is_some_and(|o| o.used.load(Ordering::Relaxed))),
            answer: entry.answer,
        };
        if self.map.insert(session.id, live, &guard).is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Remembers that it is one, whatever became of it. The caller holds the session's shard.
    fn know(&self, shard: &mut Shard, id: SessionId) {
        shard.know(id, self.bound / SHARDS + 1, self.clock.now());
    }

    /// Takes a session out, and remembers that it changed. The caller holds the session's shard.
    fn take_out(&self, shard: &mut Shard, id: SessionId) {
        if self.map.remove(&id, &self.map.guard()).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
        self.remember(shard, id);
    }

    /// Remembers a change of a session that isn't in the table. The caller holds the session's shard.
    fn remember(&self, shard: &mut Shard, id: SessionId) {
        let sequence = self.sequence.fetch_add(1, Ordering::SeqCst) + 1;
        if shard.recent.len() >= REMEMBER_MAX / SHARDS {
            shard.recent.clear();
            self.forgotten.store(sequence, Ordering::SeqCst);
        }
        shard.recent.insert(id, (sequence, self.clock.now().0));
    }
}

impl<A: Send + Sync + 'static> ChangeSink for LiveTable<A> {
    fn apply(&self, change: Change) {
        match change {
            // A later change may have been told of by the log before this one is: only a reading that begins now knows.
            Change::Put(session) if self.lease.is_some() => self.forget(session.id),
            Change::Put(session) => {
                let mut shard = self.shard(session.id);
                let guard = self.map.guard();
                if self.map.get(&session.id, &guard).is_some() || !self.is_full() {
                    let seen = shard.aside.remove(&session.id);
                    self.insert(&session, seen);
                } else {
                    self.complete.store(false, Ordering::Release);
                    self.remember(&mut shard, session.id);
                }
            }
            Change::Ended(id) => {
                let mut shard = self.shard(id);
                self.take_out(&mut shard, id);
                shard.aside.remove(&id);
                for known in &mut shard.known {
                    known.remove(&id);
                }
            }
        }
    }
}

impl<A> Live<A> {
    #[inline]
    fn expired(&self, now: Timestamp, up: Uptime) -> Option<EndReason> {
        if now >= self.absolute_at {
            Some(EndReason::ExpiredAbsolute)
        } else if up.0 >= self.last_seen.load(Ordering::Relaxed) + i64::from(self.idle_ms) {
            Some(EndReason::ExpiredIdle)
        } else {
            None
        }
    }

    #[inline]
    fn touch(&self, up: Uptime, slide: bool) {
        if slide && self.last_seen.load(Ordering::Relaxed) < up.0 {
            self.last_seen.store(up.0, Ordering::Relaxed);
        }
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
