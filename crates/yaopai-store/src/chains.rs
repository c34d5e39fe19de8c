//! The audit log of a database, read from outside: also while servers have it open. Writes nothing.

use yaopai_core::audit::Checkpoint;
use yaopai_core::ports::{AuditRow, StoreError};

use crate::rows::{AuditRows, Chain, Fault as _};

/// Rows that are read at a time. Between two pages of the embedded database its server's checkpoints pass.
const PAGE: u32 = 2_000;

/// What a database's chains are read through.
pub(crate) trait Chains {
    /// Each chain, by its node's name.
    fn all(&self) -> Result<Vec<(Chain, String)>, StoreError>;

    /// Its checkpoint and first rows, both of one moment: between two, retention may move the one past the others.
    fn begin(&self, chain: Chain, limit: u32) -> Result<(Option<Checkpoint>, Vec<AuditRow>), StoreError>;

    /// The rows after one.
    fn after(&self, chain: Chain, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError>;
}

/// What [`Chains::begin`] reads, from a transaction that stays at one moment.
pub(crate) fn begin<R: AuditRows>(
    db: &R,
    chain: Chain,
    limit: u32,
) -> Result<(Option<Checkpoint>, Vec<AuditRow>), R::Error> {
    Ok((db.audit_checkpoint(chain)?, db.list_audit(chain, None, 0, limit)?))
}

/// What [`Chains::after`] reads.
pub(crate) fn after<R: AuditRows>(db: &R, chain: Chain, seq: u64, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
    db.list_audit(chain, None, seq, limit).map_err(|e| e.store_error())
}

/// A database's audit log: a chain of rows for each node that ever wrote one. The embedded database's own is that of
/// [`AuditLog::EMBEDDED`].
pub struct AuditLog(pub(crate) Box<dyn Chains>);

impl AuditLog {
    /// The name of an embedded database's own chain. No node has it: there is a space in it.
    pub const EMBEDDED: &'static str = "embedded database";

    /// Whose chains there are.
    ///
    /// # Errors
    /// The database's.
    pub fn chains(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.0.all()?.into_iter().map(|(_, name)| name).collect())
    }

    /// Hands a chain's checkpoint to `begin`, and then each row, in order, to `row` with what `begin` made of it. Stops at the first
    /// refusal, and answers what the last one made.
    ///
    /// # Errors
    /// The outer one is the database's, the inner one the visitor's.
    pub fn visit<T, E>(
        &self,
        name: &str,
        begin: impl FnOnce(Option<Checkpoint>) -> Result<T, E>,
        mut row: impl FnMut(&mut T, AuditRow) -> Result<(), E>,
    ) -> Result<Result<T, E>, StoreError> {
        let chain = self.0.all()?.into_iter().find(|(_, other)| other == name);
        let no_such = || StoreError { retry: false, what: format!("there is no chain of {name}") };
        let (chain, _) = chain.ok_or_else(no_such)?;
        let (checkpoint, mut page) = self.0.begin(chain, PAGE)?;
        let mut state = match begin(checkpoint) {
            Ok(state) => state,
            Err(e) => return Ok(Err(e)),
        };
        while let Some(last) = page.last().map(|kept| kept.row.seq) {
            for kept in page {
                if let Err(e) = row(&mut state, kept) {
                    return Ok(Err(e));
                }
            }
            page = self.0.after(chain, last, PAGE)?;
        }
        Ok(Ok(state))
    }
}
