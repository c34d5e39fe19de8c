//! What the server itself keeps.

use yaopai_core::time::Timestamp;

use super::{Done, Failure, Work};
use crate::rows::Rows;
use crate::rules::refuse;

pub(crate) fn reserve_seals<R: Rows>(work: &mut Work<'_, R>, key: u32, count: u64) -> Done<u64> {
    work.db.reserve_seals(key, count)?.ok_or_else(|| Failure::Refused(refuse("no such data key")))
}

pub(crate) fn lease<R: Rows>(work: &mut Work<'_, R>, until: Timestamp) -> Done<()> {
    // Without the row the next start would take itself for the first, and what is accepted now for what never was.
    if !work.db.lease_proofs(until)? {
        return Err(Failure::Refused(refuse("the row of `proofs` is gone: the database was edited")));
    }
    Ok(())
}
