//! Jars.

use yaopai_core::ids::SessionId;
use yaopai_core::jar;
use yaopai_core::ports::JarChange;

use super::{Done, Work};
use crate::rows::Rows;

/// The rule decides over the whole jar; the rows of cookies that it changes are written, no others.
pub(crate) fn put<R: Rows>(work: &mut Work<'_, R>, change: &JarChange) -> Done<Option<u64>> {
    let (db, session) = (work.db, change.session);
    let Some((version, user)) = db.jar_head(session)? else { return Ok(None) };
    if user != change.user {
        return Ok(None);
    }
    let mut cookies = db.cookies(session)?;
    let changed = jar::keep(&mut cookies, change);
    if changed.is_empty() {
        return Ok(Some(version));
    }
    for slot in changed {
        match cookies.iter().find(|cookie| cookie.slot == slot) {
            Some(cookie) => db.write_cookie(session, cookie)?,
            None => db.drop_cookie(session, &slot)?,
        }
    }
    db.count_jar(session)?;
    Ok(Some(version + 1))
}

/// Empties the jar of a session that goes on.
pub(crate) fn empty<R: Rows>(work: &mut Work<'_, R>, session: SessionId) -> Done<()> {
    work.db.delete_jar(session)?;
    Ok(work.db.count_jar(session)?)
}
