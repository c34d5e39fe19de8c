//! The state of the apps' moves, and who is on which side.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use yaopai_core::audit::Said;
use yaopai_core::ids::{AppName, Realm, SessionId, UserId};
use yaopai_core::moving::{self, AppMove, MoveFor, Share, Why};
use yaopai_core::ports::{MoveStore, StoreResult};
use yaopai_core::session::{EndReason, Ended};
use yaopai_core::time::Timestamp;

use super::writer::{Done, Work};
use super::{Sqlite, rows};
use crate::audited;

const OPENID: &str = "openid";
const USER: &str = "user";

#[async_trait]
impl MoveStore for Sqlite {
    async fn app_move(&self, realm: &Realm, app: &AppName) -> StoreResult<Option<AppMove>> {
        let (realm, app) = (realm.clone(), app.clone());
        self.read(move |db| find(db, &realm, &app)).await
    }

    async fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        named: Option<&UserId>,
    ) -> StoreResult<Option<MoveFor>> {
        let (realm, app, openid, named) = (realm.clone(), app.clone(), openid.to_owned(), named.cloned());
        self.read(move |db| of_person(db, &realm, &app, &openid, named.as_ref())).await
    }

    async fn leave(&self, session: SessionId, now: Timestamp) -> StoreResult<Option<Why>> {
        self.tell(move |work| leave(work, session, now)).await
    }
}

/// What an app's move says of one person, whose user is known.
pub(super) fn of(
    db: &Connection,
    realm: &Realm,
    app: &AppName,
    openid: &str,
    user: Option<&UserId>,
) -> rusqlite::Result<Option<MoveFor>> {
    const SQL: &str = "SELECT share, back, \
        EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'openid' AND id = ?3) \
        OR EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'user' AND id = ?4), \
        EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'user') \
        FROM moves WHERE realm = ?1 AND app = ?2";
    let params = params![realm.as_str(), app.as_str(), openid, user.map(UserId::as_str)];
    rows::one(db, SQL, params, |r| {
        Ok(MoveFor { share: share(r.get(0)?)?, back: r.get(1)?, listed: r.get(2)?, by_user: r.get(3)? })
    })
}

/// The same; the identity's user counts before the one who is named.
fn of_person(
    db: &Connection,
    realm: &Realm,
    app: &AppName,
    openid: &str,
    named: Option<&UserId>,
) -> rusqlite::Result<Option<MoveFor>> {
    let Some(said) = of(db, realm, app, openid, named)? else { return Ok(None) };
    // Who the person is matters only where users are listed.
    if !said.by_user {
        return Ok(Some(said));
    }
    let sql = "SELECT user_id FROM identities WHERE app = ?1 AND openid = ?2 AND realm = ?3";
    let bound = rows::one(db, sql, [app.as_str(), openid, realm.as_str()], |r| rows::user(r, 0))?.flatten();
    of(db, realm, app, openid, bound.as_ref().or(named))
}

fn find(db: &Connection, realm: &Realm, app: &AppName) -> rusqlite::Result<Option<AppMove>> {
    let sql = "SELECT share, back FROM moves WHERE realm = ?1 AND app = ?2";
    let read = |r: &rusqlite::Row<'_>| Ok((share(r.get(0)?)?, r.get::<_, bool>(1)?));
    let Some((share, back)) = rows::one(db, sql, [realm.as_str(), app.as_str()], read)? else { return Ok(None) };
    let list = |kind| {
        let sql = "SELECT id FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = ?3 ORDER BY id";
        rows::all(db, sql, [realm.as_str(), app.as_str(), kind], |r| r.get::<_, String>(0))
    };
    let openids = list(OPENID)?.into_iter().collect();
    let users = list(USER)?.iter().map(|user| UserId::from(user.as_str())).collect();
    Ok(Some(AppMove { share, openids, users, back }))
}

fn share(hundredths: u16) -> rusqlite::Result<Share> {
    Share::of_hundredths(hundredths).ok_or(rusqlite::Error::InvalidQuery)
}

/// Keeps a state.
pub(super) fn set(work: &mut Work<'_>, realm: &Realm, app: &AppName, state: &AppMove) -> Done<(Said, ())> {
    let (db, was) = (work.db, find(work.db, realm, app)?);
    if was.as_ref() != Some(state) {
        clear(db, realm, app)?;
        let sql = "INSERT INTO moves (realm, app, share, back) VALUES (?1, ?2, ?3, ?4)";
        let row = params![realm.as_str(), app.as_str(), state.share.hundredths(), state.back];
        db.prepare_cached(sql)?.execute(row)?;
        let sql = "INSERT INTO move_lists (realm, app, kind, id) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = db.prepare_cached(sql)?;
        let openids = state.openids.iter().map(|openid| (OPENID, openid.as_str()));
        for (kind, id) in openids.chain(state.users.iter().map(|user| (USER, user.as_str()))) {
            statement.execute([realm.as_str(), app.as_str(), kind, id])?;
        }
    }
    Ok((audited::move_set(realm, app, was.as_ref(), Some(state)), ()))
}

/// Ends a move. False if there was none.
pub(super) fn end(work: &mut Work<'_>, realm: &Realm, app: &AppName) -> Done<(Said, bool)> {
    let was = find(work.db, realm, app)?;
    clear(work.db, realm, app)?;
    Ok((audited::move_set(realm, app, was.as_ref(), None), was.is_some()))
}

fn clear(db: &Connection, realm: &Realm, app: &AppName) -> rusqlite::Result<()> {
    for sql in
        ["DELETE FROM moves WHERE realm = ?1 AND app = ?2", "DELETE FROM move_lists WHERE realm = ?1 AND app = ?2"]
    {
        db.prepare_cached(sql)?.execute([realm.as_str(), app.as_str()])?;
    }
    Ok(())
}

fn leave(work: &mut Work<'_>, id: SessionId, now: Timestamp) -> Done<(Said, Option<Why>)> {
    let nothing = (Said::new(), None);
    let Some(session) = rows::load(work.db, id)? else { return Ok(nothing) };
    let said = of_person(work.db, &session.realm, &session.app, &session.openid, session.user.as_ref())?;
    let Some(why) = moving::stays(said.as_ref(), &session.app, &session.openid) else { return Ok(nothing) };
    if !work.end(id, Ended { reason: EndReason::Logout, at: now })? {
        return Ok(nothing);
    }
    Ok((audited::went_back(&session, why), Some(why)))
}
