//! The log of changes that nodes of many follow.

use super::StoreResult;
use crate::ids::SessionId;
use crate::time::{Downtime, Timestamp};

/// One change of a session: it ended, rotated, lost or got its user, or something else about it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// The transaction's number; 64 bits, so that it never comes round (`pg_current_xact_id()`).
    pub xid: u64,
    /// Whose.
    pub session: SessionId,
    /// It ended; else something about it is another than before.
    pub ended: bool,
}

/// What one poll reads, in one snapshot of the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Goes up when another server takes over (PostgreSQL's WAL time line).
    pub timeline: u32,
    /// Every transaction before this one is over, and so in the page or in an earlier one (`pg_snapshot_xmin`).
    pub xmin: u64,
    /// No transaction from this one on was seen (`pg_snapshot_xmax`).
    pub xmax: u64,
    /// Rows of transactions before this one may have been deleted.
    pub kept_from: u64,
    /// **Every** visible row of a transaction at or past the cursor, in no order; those that an earlier page had may be left out.
    pub changes: Vec<Changed>,
}

/// A page, and what else every poll reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The changes.
    pub page: LogPage,
    /// How long no node was up so far.
    pub downtime: Downtime,
    /// What the store's own clock shows.
    pub clock: Timestamp,
}

/// The log, over a connection of its own: nothing that is busy elsewhere holds it up.
pub trait ChangeLog: Send {
    /// Reads all that wasn't to be seen by the poll before, however long its transaction took. Blocks, for a second at most.
    ///
    /// # Errors
    /// The store's. The next poll reads the same and more.
    fn poll(&mut self) -> StoreResult<Polled>;
}

/// A poll that brought no news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// It was answered by a server whose place another one has taken.
    #[error("answered by a server that was replaced")]
    Replaced,
}
