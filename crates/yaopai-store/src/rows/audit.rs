use yaopai_core::audit::{Checkpoint, Head, PersonKey, Row};
use yaopai_core::ids::Realm;
use yaopai_core::ports::AuditRow;
use yaopai_core::time::Timestamp;

use super::Base;

/// The audit log.
pub trait AuditRows: Base {
    /// The chain's end: the last row, or what retention has left.
    fn audit_head(&self) -> Result<Option<Head>, Self::Error>;

    /// Appends a row.
    fn insert_audit(&self, row: &Row) -> Result<(), Self::Error>;

    /// An owner's key.
    fn audit_key(&self, period: i64, owner: &[u8; 16]) -> Result<Option<PersonKey>, Self::Error>;

    /// A new one.
    fn insert_audit_key(&self, key: &PersonKey, period: i64, owner: &[u8; 16]) -> Result<(), Self::Error>;

    /// Rows after a number, with their keys.
    fn list_audit(&self, realm: Option<&Realm>, after: u64, limit: u32) -> Result<Vec<AuditRow>, Self::Error>;

    /// What retention has left.
    fn audit_checkpoint(&self) -> Result<Option<Checkpoint>, Self::Error>;

    /// The oldest rows' places in the chain, and when they were written.
    fn oldest_audit(&self, limit: u32) -> Result<Vec<(Head, Timestamp)>, Self::Error>;

    /// Deletes the rows up to the checkpoint's, behind it.
    fn cut_audit(&self, checkpoint: &Checkpoint) -> Result<(), Self::Error>;

    /// Deletes keys of a period that ended before this one.
    fn purge_audit_keys(&self, before: i64, limit: u32) -> Result<(), Self::Error>;

    /// Deletes the owners' keys of every period so that they can't be read back. Answers how many there were.
    fn erase_audit_keys(&self, owners: &[[u8; 16]]) -> Result<u64, Self::Error>;
}
