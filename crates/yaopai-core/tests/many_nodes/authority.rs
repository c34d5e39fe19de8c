//! The shared store, as far as following it goes: transactions that commit in another order than they began, a log that is cleared,
//! and a standby that takes over and may lack what was committed last.

use std::collections::{BTreeMap, BTreeSet};

use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Changed, LogPage};

#[derive(Clone)]
pub struct Authority {
    pub timeline: u32,
    next_xid: u64,
    /// Transactions that are not over, and which session each of them ends.
    open: BTreeMap<u64, Option<SessionId>>,
    ended: BTreeSet<SessionId>,
    log: Vec<Changed>,
    kept_from: u64,
}

impl Authority {
    pub fn new() -> Self {
        Self {
            timeline: 1,
            next_xid: 1000,
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            log: Vec::new(),
            kept_from: 0,
        }
    }

    pub fn begin(&mut self, ends: Option<SessionId>) -> u64 {
        let xid = self.next_xid;
        self.next_xid += 1;
        self.open.insert(xid, ends);
        xid
    }

    /// False if it was broken off by a failover.
    pub fn commit(&mut self, timeline: u32, xid: u64) -> bool {
        if timeline != self.timeline {
            return false;
        }
        let Some(ends) = self.open.remove(&xid) else { return false };
        if let Some(session) = ends {
            self.ended.insert(session);
            self.log.push(Changed { xid, session, ended: true });
        }
        true
    }

    pub fn is_alive(&self, session: SessionId) -> bool {
        !self.ended.contains(&session)
    }

    pub fn page(&self, cursor: u64) -> LogPage {
        let changes = self.log.iter().filter(|change| change.xid >= cursor).copied().collect();
        let xmin = self.open.keys().next().copied().unwrap_or(self.next_xid);
        LogPage { timeline: self.timeline, xmin, xmax: self.next_xid, kept_from: self.kept_from, changes }
    }

    /// Deletes what is old, up to a transaction that is over, as all before it are.
    pub fn clear_log(&mut self, keep: u64) {
        let over = self.open.keys().next().copied().unwrap_or(self.next_xid);
        self.kept_from = self.kept_from.max(over.saturating_sub(keep));
        self.log.retain(|change| change.xid >= self.kept_from);
    }

    /// This standby takes over: what was open is gone, and numbers are given out again.
    pub fn promoted(mut self, replaced: u32) -> Self {
        self.timeline = replaced + 1;
        self.open.clear();
        self
    }
}
