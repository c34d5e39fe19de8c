//! A session's jar as an engine keeps it: the back end's own cookies, sealed, a row each.
//!
//! An engine sees no name and no value. What it must tell apart is told by keyed hashes ([`Slot`]), and what a change does
//! to a jar is a pure rule ([`crate::jar::keep`]) that it applies in one transaction.

use async_trait::async_trait;

use super::StoreResult;
use crate::ids::{SessionId, UserId};
use crate::jar::Bounds;
use crate::time::Timestamp;

/// A keyed hash of what tells cookies apart.
pub type Slot = [u8; 16];

/// One cookie of a jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JarCookie {
    /// Which cookie: name, domain and path (RFC 6265, section 5.3, step 11).
    pub slot: Slot,
    /// Name and path, on whatever domain.
    pub twin: Slot,
    /// Its domain.
    pub site: Slot,
    /// Is it for whatever host (the webhook set it)?
    pub everywhere: bool,
    /// When it expires; `None`: with its session.
    pub expires_at: Option<Timestamp>,
    /// Counts up in a jar: in which order cookies came that are sent in that order.
    pub created: u64,
    /// When it was set, or known to have been sent, last.
    pub used_at: Timestamp,
    /// The cookie, sealed for this row.
    pub sealed: Vec<u8>,
}

/// A jar as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Jar {
    /// Counts what has changed in it, a session long.
    pub version: u64,
    /// Whose session it is now: nobody else's request goes with it.
    pub user: Option<UserId>,
    /// The oldest first; expired ones may be among them.
    pub cookies: Vec<JarCookie>,
}

/// One cookie that an answer sets or, without `kept`, removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutCookie {
    /// As in [`JarCookie`].
    pub slot: Slot,
    /// As in [`JarCookie`].
    pub twin: Slot,
    /// As in [`JarCookie`].
    pub site: Slot,
    /// As in [`JarCookie`].
    pub everywhere: bool,
    /// What is kept of it.
    pub kept: Option<KeptCookie>,
}

/// What is kept of a cookie that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCookie {
    /// As in [`JarCookie`].
    pub expires_at: Option<Timestamp>,
    /// As in [`JarCookie`].
    pub sealed: Vec<u8>,
}

/// What one answer does to a jar: one step, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JarChange {
    /// Which session's jar.
    pub session: SessionId,
    /// For whom the request was made that this is the answer to; `None`: for a guest. If the session is another's by now, the
    /// answer is nothing to it.
    pub user: Option<UserId>,
    /// Its cookies, in the answer's order.
    pub cookies: Vec<PutCookie>,
    /// When others were sent last, as far as the caller knows.
    pub used: Vec<(Slot, Timestamp)>,
    /// How much there may be in it afterwards.
    pub bounds: Bounds,
    /// Now.
    pub now: Timestamp,
}

/// An engine's jars. They end with their sessions, in the same transaction; a bind that takes a session from one user to
/// another empties its jar.
#[async_trait]
pub trait JarStore: Send + Sync {
    /// A session's jar. Empty if it has ended, or there is none.
    async fn jar(&self, session: SessionId) -> StoreResult<Jar>;

    /// The jar's version; `None` if the session has ended or there is none.
    async fn jar_version(&self, session: SessionId) -> StoreResult<Option<u64>>;

    /// Applies [`crate::jar::keep`]; only the rows of cookies that change are written. Answers the jar's version then; `None`, and
    /// nothing has changed, if the session has ended, is not that user's, or there is none.
    async fn put_cookies(&self, change: JarChange) -> StoreResult<Option<u64>>;
}
