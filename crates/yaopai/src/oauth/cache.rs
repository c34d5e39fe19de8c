//! JWTs that were signed, one for each session, audience and answer about the body's signature. Beside the table of sessions and
//! bounded for itself: read without a lock in the check's fast path, filled off it.
//!
//! What is found is compared with the session's principal as it is now, byte by byte, so it doesn't matter who changed what in which
//! order: a JWT that says something else than the headers is not handed out. One of a session that has ended isn't even
//! asked for.
//!
//! Time here is what the machine's clock shows, as it is in the JWTs: it may jump, and what is handed out then has its life by the new
//! time.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use http::HeaderValue;
use yaopai_core::ids::SessionId;
use yaopai_core::time::Timestamp;

use crate::check::{Principal, Stamp};

/// An audience, by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wanted(pub(super) u16);

/// Session, audience, and whether the body's digest was signed.
type Key = (SessionId, Wanted, bool);

/// How often a full cache is looked through for what has expired, in milliseconds.
const SWEEP_EVERY: i64 = 1_000;

pub struct Cache {
    map: papaya::HashMap<Key, Kept, foldhash::fast::RandomState>,
    bound: usize,
    len: AtomicUsize,
    swept: AtomicI64,
    /// Counts how often all of it was forgotten.
    epoch: AtomicU64,
}

struct Kept {
    /// `Bearer …`
    value: HeaderValue,
    stamp: Stamp,
    life: Life,
    epoch: u64,
    /// Is somebody signing the next one?
    renewing: AtomicBool,
}

/// From when to when a JWT is good.
#[derive(Clone, Copy)]
pub struct Life {
    /// The second that `iat` says.
    pub begins: Timestamp,
    /// In the second half of its life the next one is signed.
    pub fresh_until: Timestamp,
    pub good_until: Timestamp,
}

impl Life {
    /// One from the future is none: the clock was set back since it was signed, and it would outlive its session by that.
    fn holds(self, now: Timestamp) -> bool {
        (self.begins..self.good_until).contains(&now)
    }
}

pub enum Found {
    Good(HeaderValue),
    Sign,
}

impl Cache {
    pub fn new(bound: usize) -> Self {
        Self {
            map: papaya::HashMap::with_hasher(foldhash::fast::RandomState::default()),
            bound,
            len: AtomicUsize::new(0),
            swept: AtomicI64::new(0),
            epoch: AtomicU64::new(0),
        }
    }

    pub fn find(&self, key: Key, principal: &Principal, now: Timestamp) -> Found {
        let guard = self.map.guard();
        let Some(kept) = self.map.get(&key, &guard) else { return Found::Sign };
        let stale = !kept.life.holds(now) || kept.epoch != self.epoch.load(Ordering::Acquire);
        if stale || !principal.is(&kept.stamp) {
            return Found::Sign;
        }
        if now >= kept.life.fresh_until && !kept.renewing.swap(true, Ordering::Relaxed) {
            return Found::Sign;
        }
        Found::Good(kept.value.clone())
    }

    /// Keeps one, if there is room.
    pub fn keep(&self, key: Key, stamp: Stamp, value: HeaderValue, (now, life, epoch): (Timestamp, Life, u64)) {
        let guard = self.map.guard();
        if self.len() >= self.bound && self.map.get(&key, &guard).is_none() {
            // One of those who come meets the walk, and the others are served without being kept.
            let swept = self.swept.load(Ordering::Relaxed);
            let mine = !(0..SWEEP_EVERY).contains(&(now.0 - swept))
                && self.swept.compare_exchange(swept, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            if mine {
                self.sweep(now);
            }
            if self.len() >= self.bound {
                return;
            }
        }
        let renewing = AtomicBool::new(false);
        let kept = Kept { value, stamp, life, epoch, renewing };
        if self.map.insert(key, kept, &guard).is_none() {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// What was signed so far is not handed out any more.
    pub fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub fn sweep(&self, now: Timestamp) {
        let (guard, epoch) = (self.map.guard(), self.epoch());
        self.map.retain(|_, kept| kept.life.holds(now) && kept.epoch == epoch, &guard);
        // Counted anew, so that no race between this and those who keep some adds up.
        self.len.store(self.map.len(), Ordering::Relaxed);
    }

    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}
