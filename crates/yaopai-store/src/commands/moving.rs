//! The state of the apps' moves, and who is on which side.

use yaopai_core::audit::Said;
use yaopai_core::ids::{AppName, Realm, SessionId, UserId};
use yaopai_core::moving::{self, AppMove, MoveFor, Why};
use yaopai_core::session::{EndReason, Ended};
use yaopai_core::time::Timestamp;

use super::{Done, Work};
use crate::audited;
use crate::rows::Rows;

/// What an app's move says of one person: the identity's user counts before the one who is named.
pub(crate) fn of_person<R: Rows>(
    db: &R,
    realm: &Realm,
    app: &AppName,
    openid: &str,
    named: Option<&UserId>,
) -> Result<Option<MoveFor>, R::Error> {
    let Some(said) = db.move_for(realm, app, openid, named)? else { return Ok(None) };
    // Who the person is matters only where users are listed.
    if !said.by_user {
        return Ok(Some(said));
    }
    let identity = db.identity_by_openid(app, openid)?.filter(|identity| identity.realm == *realm);
    let bound = identity.and_then(|identity| identity.user);
    db.move_for(realm, app, openid, bound.as_ref().or(named))
}

/// Keeps a state.
pub(crate) fn set<R: Rows>(work: &mut Work<'_, R>, realm: &Realm, app: &AppName, state: &AppMove) -> Done<(Said, ())> {
    let was = work.db.app_move(realm, app)?;
    if was.as_ref() != Some(state) {
        work.db.drop_move(realm, app)?;
        work.db.insert_move(realm, app, state)?;
    }
    Ok((audited::move_set(realm, app, was.as_ref(), Some(state)), ()))
}

/// Ends a move. False if there was none.
pub(crate) fn end<R: Rows>(work: &mut Work<'_, R>, realm: &Realm, app: &AppName) -> Done<(Said, bool)> {
    let was = work.db.app_move(realm, app)?;
    work.db.drop_move(realm, app)?;
    Ok((audited::move_set(realm, app, was.as_ref(), None), was.is_some()))
}

/// Ends a session whose person is on the legacy side.
pub(crate) fn leave<R: Rows>(work: &mut Work<'_, R>, id: SessionId, now: Timestamp) -> Done<(Said, Option<Why>)> {
    let nothing = (Said::new(), None);
    let Some(session) = work.db.session(id)? else { return Ok(nothing) };
    let said = of_person(work.db, &session.realm, &session.app, &session.openid, session.user.as_ref())?;
    let Some(why) = moving::stays(said.as_ref(), &session.app, &session.openid) else { return Ok(nothing) };
    if !work.end(id, Ended { reason: EndReason::Moved, at: now })? {
        return Ok(nothing);
    }
    Ok((audited::went_back(&session, why), Some(why)))
}
