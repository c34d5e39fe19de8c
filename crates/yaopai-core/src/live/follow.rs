//! A node of many keeps positive facts only: that a session was alive. What takes something away comes from the log of changes,
//! which every node polls; when that fails, the table is not believed.

use super::lease::{Lease, Moment};
use super::{FillTicket, LiveTable};
use crate::ids::SessionId;
use crate::ports::{Changed, LogPage, NotFollowed};
use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// How many transactions are known to have been applied, at most.
const APPLIED_MAX: usize = 100_000;

/// Taken before the shared store is read.
#[derive(Debug, Clone, Copy)]
pub struct ReadTicket {
    /// What is read can't undo a later change.
    pub fill: FillTicket,
    began: Moment,
}

/// Where a node is in the log of changes.
#[derive(Debug, Default)]
pub struct Follower {
    at: Option<Position>,
    /// Transactions past the cursor whose rows were applied: a long one elsewhere must only cause re-reading.
    applied: HashSet<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    timeline: u32,
    /// Every row of a transaction before this one was applied.
    cursor: u64,
}

/// What is to be done about a page of the log.
#[derive(Debug, PartialEq, Eq)]
pub enum News<'a> {
    /// These changed.
    Changed(Vec<&'a Changed>),
    /// What is known may lack changes that can't be told any more: all of it is to be forgotten.
    Lost,
}

impl Follower {
    /// From which transaction on rows are to be read.
    pub fn cursor(&self) -> u64 {
        self.at.map_or(0, |at| at.cursor)
    }

    /// The newest time line that was heard of.
    pub fn timeline(&self) -> u32 {
        self.at.map_or(0, |at| at.timeline)
    }

    /// Takes one page, and says what to do about it.
    ///
    /// # Errors
    /// It comes from a server that was replaced: it is no news at all.
    pub fn take<'a>(&mut self, page: &'a LogPage) -> Result<News<'a>, NotFollowed> {
        if page.timeline < self.timeline() {
            return Err(NotFollowed::Replaced);
        }
        let lost = self.at.is_none_or(|at| {
            // A promoted standby may have numbered new changes below the cursor.
            at.timeline != page.timeline || at.cursor > page.xmax || at.cursor < page.kept_from
        });
        let cursor = if lost { page.xmin } else { page.xmin.max(self.cursor()) };
        if lost {
            self.applied.clear();
        }
        let news = page.changes.iter().filter(|change| lost || !self.applied.contains(&change.xid));
        let news: Vec<_> = news.collect();
        self.applied.extend(page.changes.iter().map(|change| change.xid));
        self.applied.retain(|xid| *xid >= cursor);
        // Somebody's transaction that never ends would have us remember for ever. To forget a session twice is harmless.
        if self.applied.len() > APPLIED_MAX {
            self.applied.clear();
        }
        self.at = Some(Position { timeline: page.timeline, cursor });
        Ok(if lost { News::Lost } else { News::Changed(news) })
    }
}

impl<A: Send + Sync + 'static> LiveTable<A> {
    /// The table of one node of many: it holds what it was told of, never everything, and is believed while the lease holds.
    #[must_use]
    pub fn following(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self.complete.store(false, Ordering::Release);
        self
    }

    /// The lease; `None` on a node that is alone.
    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// Begins a reading of the shared store; `None` on a node that is alone.
    pub fn begin_read(&self) -> Option<ReadTicket> {
        // The clocks first: no time may pass unseen between them and the ticket.
        let began = self.lease.as_ref()?.moment();
        Some(ReadTicket { fill: self.begin_fill(), began })
    }

    /// May what was read be acted on? A reading that took too long tells of a past in which the session had not been kicked yet.
    pub fn still_true(&self, ticket: ReadTicket) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.is_fresh(ticket.began))
    }

    /// Is what the table said of a session then still all that is known of it? To be asked when something was waited for since.
    pub fn still_known(&self, ticket: FillTicket, id: SessionId) -> bool {
        !self.changed_since(ticket, id) && self.lease.as_ref().is_none_or(Lease::holds)
    }

    /// What a poll that began then brought. The lease is renewed last: until all of it is applied, nothing is believed longer.
    ///
    /// # Errors
    /// It brought no news; the lease runs on.
    pub fn learn<'a>(
        &self,
        follower: &mut Follower,
        page: &'a LogPage,
        began: Moment,
    ) -> Result<News<'a>, NotFollowed> {
        let news = follower.take(page)?;
        match &news {
            News::Lost => self.forget_all(),
            News::Changed(changes) => changes.iter().for_each(|change| match change.ended {
                true => self.ended(change.session),
                false => self.forget(change.session),
            }),
        }
        if let Some(lease) = &self.lease {
            lease.renew(began);
        }
        Ok(news)
    }

    /// A session changed somewhere: what is known of it is no longer true, nor is what is being read of it.
    pub fn forget(&self, id: SessionId) {
        let mut shard = self.shard(id);
        self.take_out(&mut shard, id);
        self.know(&mut shard, id);
    }

    /// A session ended somewhere. Nobody who had one has a claim to be looked up before strangers.
    pub(super) fn ended(&self, id: SessionId) {
        let mut shard = self.shard(id);
        self.take_out(&mut shard, id);
        for known in &mut shard.known {
            known.remove(&id);
        }
    }

    /// Nothing that is known is true any more, nor what is being read.
    pub fn forget_all(&self) {
        let sequence = self.sequence.fetch_add(1, Ordering::SeqCst) + 1;
        self.forgotten.store(sequence, Ordering::SeqCst);
        let guard = self.map.guard();
        for (at, shard) in self.shards.iter().enumerate() {
            // A fill that has not seen it yet holds the lock, and is over when we have it.
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, _) in self.map.iter(&guard) {
                if self.shard_at(*id) == at && self.map.remove(id, &guard).is_some() {
                    self.len.fetch_sub(1, Ordering::Relaxed);
                    self.know(&mut shard, *id);
                }
            }
        }
    }

    /// Was it here, or did it change elsewhere, so lately that it may live? Nobody makes such a one up.
    pub(super) fn knew(&self, id: SessionId) -> bool {
        self.shard(id).known.iter().any(|known| known.contains(&id))
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
