//! What can go wrong.

use ::redis::{ErrorKind, RedisError as ClientError, ServerErrorKind};
use yaopai_core::ports::StoreError;

/// Redis can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// An address or a number can't be used.
    #[error("the address of Redis: {0}")]
    Settings(String),
    /// It can't be reached.
    #[error("Redis can't be reached at {place} ({what}): start it, or name another place")]
    Unreachable {
        /// Hosts and ports.
        place: String,
        /// What failed.
        what: String,
    },
    /// It lets nobody in by this name and password.
    #[error("Redis at {place} lets this node not in ({what}): see the name and the password in its address")]
    Denied {
        /// Host and port.
        place: String,
        /// What it says.
        what: String,
    },
    /// There is no TLS with it: it can't prove to be who was named, or doesn't take this node's certificate.
    #[error("TLS to Redis at {place}: {what}")]
    Untrusted {
        /// Host and port.
        place: String,
        /// What failed, and what to do.
        what: String,
    },
    /// None of the addresses is a master's.
    #[error("Redis at {place} is a replica: name the master, or all that may become it")]
    NotMaster {
        /// Hosts and ports.
        place: String,
    },
    /// It would throw nonces away when its memory is full, and accept their requests again.
    #[error(
        "Redis at {place} has maxmemory set and maxmemory-policy {found}: it would forget which requests were accepted. Set \
         maxmemory-policy noeviction, and give it a database for this alone"
    )]
    Evicts {
        /// Hosts and ports.
        place: String,
        /// Its policy.
        found: String,
    },
    /// Some slots have no node, or the nodes can't say.
    #[error("the Redis cluster is not whole ({0}): see CLUSTER INFO")]
    NotWhole(String),
}

impl RedisError {
    /// Is there just nobody? That passes by itself when Redis is there again; all else needs somebody's hand.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// As an error of a call: it may pass by itself when somebody does what it says.
    pub(super) fn store_error(&self) -> StoreError {
        StoreError { retry: true, what: self.to_string() }
    }
}

/// Why a use has no answer.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub error: StoreError,
    pub cure: Cure,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing was done, and another node is the one to ask.
    Elsewhere,
    /// Another node may be the one to ask from now on. It is not known what was done.
    LookAgain,
    Nothing,
}

impl Failed {
    pub fn new(what: impl Into<String>, cure: Cure) -> Self {
        Self { error: StoreError { retry: true, what: what.into() }, cure }
    }

    /// What a node said instead of an answer.
    pub fn said(e: &ClientError) -> Self {
        let (retry, cure) = match e.kind() {
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::ReadOnly) => (true, Cure::Elsewhere),
            ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ResponseError) => (false, Cure::Nothing),
            // A slot on its way, a node without the others.
            ErrorKind::Server(_) => (true, Cure::LookAgain),
            // It is full, or has fewer replicas than it wants.
            ErrorKind::Extension => (true, Cure::Nothing),
            _ => (true, Cure::LookAgain),
        };
        Self { error: StoreError { retry, what: format!("Redis: {e}") }, cure }
    }
}
