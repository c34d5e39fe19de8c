//! What nodes of many share beside the store: which signed requests were accepted.

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

/// The store of nonces that all nodes share.
#[async_trait]
pub trait Shared: Send + Sync {
    /// Is this the first use? Of any number of calls for one fingerprint, over all nodes, at most one is ever answered
    /// [`Used::First`], whatever restarts, fails over or is cut off.
    ///
    /// # Errors
    /// The store's. Then it may have counted all the same: nothing is accepted, and the client signs anew.
    async fn first_use(&self, used: Use) -> StoreResult<Used>;
}
