//! What nodes of many share beside the store: which signed requests were accepted, and how often somebody has tried.

use async_trait::async_trait;

use super::StoreResult;
use crate::time::Timestamp;

/// How far (milliseconds) a node's clock may be behind the shared store's: what is older than a signature may be, and this, is refused by the
/// store itself, whatever the node says. Ahead there is no such room (docs/decisions/0067).
pub const SKEW_MAX: i64 = 30_000;

/// A signed request's one use. Two are the same exactly if their sessions and nonces are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Use {
    /// A digest of the session and the nonce.
    pub fingerprint: [u8; 16],
    /// The signature's `created`, in seconds since the Unix epoch.
    pub created: i64,
}

/// What the shared store says of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// It is the first, over all nodes. It was the last time that anybody is told so.
    First,
    /// It was seen before.
    Before,
    /// It isn't known what was seen at that time: it was signed before the store began to remember, or the store's own clock says
    /// that it is too old or too far ahead. The client signs anew, after this if it is later than now.
    Unknown(Option<Timestamp>),
}

/// A window's slots, and the one that is partly over (docs/decisions/0021).
pub const SLOTS: usize = 11;

/// One thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// What is counted apart from what.
    pub kind: u8,
    /// Whose: a keyed digest, so that the store tells nobody who has tried.
    pub name: [u8; 16],
    /// How many there may be in a window.
    pub max: u32,
    /// Passes uncounted where there is no room for one more name; otherwise it is refused.
    pub spills: bool,
}

/// Tries that are counted together: each of them, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tries {
    /// No kind twice.
    pub counts: Vec<Count>,
    /// How long a slot is; milliseconds. What is counted by another length is counted apart.
    pub slot_ms: i64,
}

/// What the shared store says of tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Took {
    /// They are counted: in this slot, by the store's clock.
    Counted(i64),
    /// None of them is: there are as many as may be. So many seconds are to be waited.
    Refused(u32),
}

/// The store of nonces and counts that all nodes share.
#[async_trait]
pub trait Shared: Send + Sync {
    /// Is this the first use? Of any number of calls for one fingerprint, over all nodes, at most one is ever answered
    /// [`Used::First`], whatever restarts, fails over or is cut off.
    ///
    /// # Errors
    /// The store's. Then it may have counted all the same: nothing is accepted, and the client signs anew.
    async fn first_use(&self, used: Use) -> StoreResult<Used>;

    /// Counts tries, in one step over all nodes. What a store that is started anew has lost of them is allowed once more.
    ///
    /// # Errors
    /// The store's. Then they may be counted all the same.
    async fn take(&self, tries: &Tries) -> StoreResult<Took>;

    /// What was counted in that slot came to nothing, through no fault of whoever tried.
    ///
    /// # Errors
    /// The store's; then they stay counted.
    async fn give_back(&self, tries: &Tries, slot: i64) -> StoreResult<()>;

    /// What can't matter any more goes: with each use and each try some goes anyway, and this is for when nobody signs and nobody tries. A
    /// bounded step, which each node takes now and then.
    ///
    /// # Errors
    /// The store's; then it stays until the next time.
    async fn tidy(&self) -> StoreResult<()>;
}
