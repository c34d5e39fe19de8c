//! Keys that sign for back ends.

use yaopai_core::ports::{NextKey, NextKeys, SigningKey};

use super::{Done, Work};
use crate::rows::Rows;

/// One, if it still is the next. False if somebody else was quicker.
pub(crate) fn add<R: Rows>(work: &mut Work<'_, R>, next: &NextKey) -> Done<bool> {
    let fits = follows(work.db, next)?;
    if fits {
        work.db.insert_signing_key(&next.key)?;
    }
    Ok(fits)
}

/// All of them or none. Answers every key there is then.
pub(crate) fn add_all<R: Rows>(work: &mut Work<'_, R>, next: &NextKeys) -> Done<Option<Vec<SigningKey>>> {
    let db = work.db;
    for one in &next.keys {
        if !follows(db, one)? {
            return Ok(None);
        }
    }
    for NextKey { key, .. } in &next.keys {
        if next.alone {
            db.drop_signing_alg(key.alg)?;
        }
        db.insert_signing_key(key)?;
    }
    Ok(Some(db.signing_keys()?))
}

fn follows<R: Rows>(db: &R, NextKey { key, after }: &NextKey) -> Result<bool, R::Error> {
    Ok(db.newest_signing_key(key.alg)? == *after)
}
