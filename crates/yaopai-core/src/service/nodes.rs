//! What it is to be one node of many.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::ports::Shared;
use crate::seal::MasterKey;

/// What it is to be one node of many.
pub struct Nodes {
    /// What all of them know of signed requests and of tries.
    pub shared: Arc<dyn Shared>,
    /// How long what others have seen of sessions may take until it is in the store.
    pub lag: Duration,
    /// How long one believes its table without news.
    pub max_stale: Duration,
    /// What one has made and another one reads.
    pub keys: NodeKeys,
}

/// Keys that all nodes have, because all have the master key.
pub struct NodeKeys {
    tickets: Zeroizing<[u8; 32]>,
    names: Zeroizing<[u8; 32]>,
    /// The shared store does not count now: this node does so for itself. Told once.
    pub(super) alone: AtomicBool,
}

impl NodeKeys {
    /// Those of this master key.
    pub fn of(master: &MasterKey) -> Self {
        Self {
            tickets: master.derive("yaopai tickets"),
            names: master.derive("yaopai tries"),
            alone: AtomicBool::new(false),
        }
    }

    /// What tickets are signed with.
    pub(super) fn tickets(&self) -> &[u8; 32] {
        &self.tickets
    }

    /// What the names of those who try are digested with.
    pub(super) fn names(&self) -> Zeroizing<[u8; 32]> {
        self.names.clone()
    }
}
