//! The audit log as an engine keeps it.

use std::sync::Arc;

use async_trait::async_trait;

use super::StoreResult;
use crate::audit::{Checkpoint, Head, Noted, Owner, Row, Scribe};
use crate::ids::{AppName, Realm, UserId};
use crate::time::Timestamp;

/// A row with the key of its personal fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// The row.
    pub row: Row,
    /// The salt of its person's key. `None`: it has none, or the key was erased.
    pub salt: Option<[u8; 16]>,
}

/// Whose personal fields are to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erase {
    /// A user's, and those of the identities that are bound to it.
    User(Realm, UserId),
    /// The identity's with this openid, and its user's if it has one.
    Openid(AppName, String),
    /// Of rows in which an address is all that is known.
    Owner(Owner),
}

/// An engine's audit log. Rows are only appended; what retention deletes leaves a checkpoint.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// From now on, what is changed is told in the transaction that changes it. To be called before anything is served.
    fn begin_audit(&self, scribe: Arc<Scribe>);

    /// Appends events that belong to no change. Nothing if there is no scribe.
    async fn note(&self, noted: Vec<Noted>) -> StoreResult<()>;

    /// The end of the chain, after everything that was committed. `None` if there is no scribe.
    async fn audit_head(&self) -> StoreResult<Option<Head>>;

    /// Rows after a number, in order: of a realm, or all.
    async fn audit_rows(&self, realm: Option<&Realm>, after: u64, limit: u32) -> StoreResult<Vec<AuditRow>>;

    /// What retention has left.
    async fn audit_checkpoint(&self) -> StoreResult<Option<Checkpoint>>;

    /// Deletes the oldest rows, up to the first that was not written before `before`, at most `limit`; the checkpoint says up to
    /// where, in the same transaction. Keys that no row can need any more go with them. Answers how many rows.
    async fn purge_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64>;

    /// Erases keys, and tells of it: the event names no user. Answers how many keys there were.
    async fn erase(&self, whose: Erase) -> StoreResult<u64>;
}
