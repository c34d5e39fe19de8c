//! The state of the apps' moves.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::moving::{AppMove, MoveFor, Share};

use super::rows;
use crate::rows::MoveRows;

const OPENID: &str = "openid";
const USER: &str = "user";

impl MoveRows for Connection {
    fn app_move(&self, realm: &Realm, app: &AppName) -> rusqlite::Result<Option<AppMove>> {
        // One statement sees one moment.
        let sql = "SELECT m.share, m.back, l.kind, l.id FROM moves m \
                   LEFT JOIN move_lists l ON l.realm = m.realm AND l.app = m.app WHERE m.realm = ?1 AND m.app = ?2";
        let mut found = None;
        rows::all(self, sql, [realm.as_str(), app.as_str()], |r| {
            let (share, back) = (share(r.get(0)?)?, r.get(1)?);
            let (openids, users) = (BTreeSet::new(), BTreeSet::new());
            let state = found.get_or_insert(AppMove { share, openids, users, back });
            match r.get_ref(2)?.as_str_or_null()? {
                None => {}
                Some(OPENID) => state.openids.extend([r.get(3)?]),
                Some(USER) => state.users.extend(rows::user(r, 3)?),
                Some(_) => return Err(rusqlite::Error::InvalidQuery),
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        user: Option<&UserId>,
    ) -> rusqlite::Result<Option<MoveFor>> {
        const SQL: &str = "SELECT share, back, \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'openid' AND id = ?3) \
            OR EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'user' AND id = ?4), \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'openid'), \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = ?1 AND app = ?2 AND kind = 'user') \
            FROM moves WHERE realm = ?1 AND app = ?2";
        let params = params![realm.as_str(), app.as_str(), openid, user.map(UserId::as_str)];
        rows::one(self, SQL, params, |r| {
            Ok(MoveFor {
                share: share(r.get(0)?)?,
                back: r.get(1)?,
                listed: r.get(2)?,
                by_openid: r.get(3)?,
                by_user: r.get(4)?,
            })
        })
    }

    fn insert_move(&self, realm: &Realm, app: &AppName, state: &AppMove) -> rusqlite::Result<()> {
        let sql = "INSERT INTO moves (realm, app, share, back) VALUES (?1, ?2, ?3, ?4)";
        let row = params![realm.as_str(), app.as_str(), state.share.hundredths(), state.back];
        self.prepare_cached(sql)?.execute(row)?;
        let sql = "INSERT INTO move_lists (realm, app, kind, id) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = self.prepare_cached(sql)?;
        let openids = state.openids.iter().map(|openid| (OPENID, openid.as_str()));
        for (kind, id) in openids.chain(state.users.iter().map(|user| (USER, user.as_str()))) {
            statement.execute([realm.as_str(), app.as_str(), kind, id])?;
        }
        Ok(())
    }

    fn drop_move(&self, realm: &Realm, app: &AppName) -> rusqlite::Result<()> {
        for sql in
            ["DELETE FROM moves WHERE realm = ?1 AND app = ?2", "DELETE FROM move_lists WHERE realm = ?1 AND app = ?2"]
        {
            self.prepare_cached(sql)?.execute([realm.as_str(), app.as_str()])?;
        }
        Ok(())
    }
}

fn share(hundredths: u16) -> rusqlite::Result<Share> {
    Share::of_hundredths(hundredths).ok_or(rusqlite::Error::InvalidQuery)
}
