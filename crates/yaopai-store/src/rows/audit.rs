use yaopai_core::audit::{Checkpoint, Head, PersonKey, Row};
use yaopai_core::ids::Realm;
use yaopai_core::ports::AuditRow;
use yaopai_core::time::Timestamp;

use super::Base;

/// A chain of the audit log: its node's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain(pub i32);

/// The audit log: a chain for each node that ever wrote one. What is appended goes to the own one.
pub trait AuditRows: Base {
    /// Which chain is the own one.
    fn own_chain(&self) -> Chain;

    /// What time it is: for what can't be undone, the authority's clock counts where there is one.
    fn clock(&self, own: Timestamp) -> Result<Timestamp, Self::Error> {
        Ok(own)
    }

    /// Every chain, and the name of whoever writes or wrote it.
    fn audit_chains(&self) -> Result<Vec<(Chain, String)>, Self::Error>;

    /// The chains whose oldest row is older than this: the own one's than `own`, the others' than `others`.
    fn old_chains(&self, own: Timestamp, others: Timestamp) -> Result<Vec<Chain>, Self::Error> {
        let mut old = Vec::new();
        for (chain, _) in self.audit_chains()? {
            let before = if chain == self.own_chain() { own } else { others };
            if self.oldest_audit(chain, 1)?.first().is_some_and(|(_, at)| *at < before) {
                old.push(chain);
            }
        }
        Ok(old)
    }

    /// The own chain's end: the last row, or what retention has left.
    fn audit_head(&self) -> Result<Option<Head>, Self::Error>;

    /// Appends a row.
    fn insert_audit(&self, row: &Row) -> Result<(), Self::Error>;

    /// An owner's key in the own chain.
    fn audit_key(&self, period: i64, owner: &[u8; 16]) -> Result<Option<PersonKey>, Self::Error>;

    /// A new one.
    fn insert_audit_key(&self, key: &PersonKey, period: i64, owner: &[u8; 16]) -> Result<(), Self::Error>;

    /// Rows after a number, with their keys.
    fn list_audit(
        &self,
        chain: Chain,
        realm: Option<&Realm>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, Self::Error>;

    /// What retention has left.
    fn audit_checkpoint(&self, chain: Chain) -> Result<Option<Checkpoint>, Self::Error>;

    /// The oldest rows' places in the chain, and when they were written.
    fn oldest_audit(&self, chain: Chain, limit: u32) -> Result<Vec<(Head, Timestamp)>, Self::Error>;

    /// Deletes the rows up to the checkpoint's, behind it.
    fn cut_audit(&self, chain: Chain, checkpoint: &Checkpoint) -> Result<(), Self::Error>;

    /// Deletes keys of a period that ended before this one.
    fn purge_audit_keys(&self, chain: Chain, before: i64, limit: u32) -> Result<(), Self::Error>;

    /// Deletes the owners' keys of every period and chain so that they can't be read back. Answers how many there were.
    fn erase_audit_keys(&self, owners: &[[u8; 16]]) -> Result<u64, Self::Error>;
}
