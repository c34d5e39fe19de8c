//! Bind codes.

use yaopai_core::ids::SessionId;
use yaopai_core::ports::{BIND_CODES_MAX, BindCode, BindCodeHash};
use yaopai_core::time::Timestamp;

use super::{Done, Work};
use crate::rows::Rows;

/// Keeps a code; of the user's others, the first to expire make room.
pub(crate) fn keep<R: Rows>(work: &mut Work<'_, R>, code: &BindCode) -> Done<()> {
    let others = i64::try_from(BIND_CODES_MAX.saturating_sub(1)).unwrap_or(i64::MAX);
    Ok(work.db.keep_code(code, others)?)
}

pub(crate) fn preview<R: Rows>(
    work: &mut Work<'_, R>,
    hash: &BindCodeHash,
    id: SessionId,
    now: Timestamp,
) -> Done<Option<BindCode>> {
    let Some(session) = work.db.session(id)?.filter(|s| s.ended.is_none()) else { return Ok(None) };
    let Some(mut code) = work.db.code(hash)?.filter(|code| code.shows(&session, now)) else { return Ok(None) };
    if code.seen_by.is_none() {
        code.seen_by = Some(id);
        work.db.see_code(hash, id)?;
    }
    Ok(Some(code))
}
