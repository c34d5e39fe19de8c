//! The state of the apps' moves.

use std::collections::BTreeSet;

use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::moving::{AppMove, MoveFor, Share};

use super::db::Db;
use super::error::Error;
use super::rows::{self, Read};
use crate::rows::MoveRows;

const OPENID: &str = "openid";
const USER: &str = "user";

impl MoveRows for Db {
    fn app_move(&self, realm: &Realm, app: &AppName) -> Read<Option<AppMove>> {
        // One statement sees one moment.
        let sql = "SELECT m.share, m.back, l.kind, l.id FROM moves m \
                   LEFT JOIN move_lists l ON l.realm = m.realm AND l.app = m.app WHERE m.realm = $1 AND m.app = $2";
        let mut found = None;
        self.all(sql, &[&realm.as_str(), &app.as_str()], |row| {
            let (share, back) = (share(rows::get(row, 0)?)?, rows::get(row, 1)?);
            let (openids, users) = (BTreeSet::new(), BTreeSet::new());
            let state = found.get_or_insert(AppMove { share, openids, users, back });
            match rows::get::<Option<&str>>(row, 2)? {
                None => {}
                Some(OPENID) => state.openids.extend([rows::name(row, 3)?]),
                Some(USER) => state.users.extend(rows::user(row, 3)?),
                Some(kind) => return Err(Error::Unreadable(format!("`{kind}` is no list"))),
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn move_for(&self, realm: &Realm, app: &AppName, openid: &str, user: Option<&UserId>) -> Read<Option<MoveFor>> {
        let sql = "SELECT share, back, \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = $1 AND app = $2 AND kind = 'openid' AND id = $3) \
            OR EXISTS (SELECT 1 FROM move_lists WHERE realm = $1 AND app = $2 AND kind = 'user' AND id = $4), \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = $1 AND app = $2 AND kind = 'openid'), \
            EXISTS (SELECT 1 FROM move_lists WHERE realm = $1 AND app = $2 AND kind = 'user') \
            FROM moves WHERE realm = $1 AND app = $2";
        let user = user.map(|user| user.as_str().as_bytes());
        self.one(sql, &[&realm.as_str(), &app.as_str(), &openid.as_bytes(), &user], |row| {
            Ok(MoveFor {
                share: share(rows::get(row, 0)?)?,
                back: rows::get(row, 1)?,
                listed: rows::get(row, 2)?,
                by_openid: rows::get(row, 3)?,
                by_user: rows::get(row, 4)?,
            })
        })
    }

    fn insert_move(&self, realm: &Realm, app: &AppName, state: &AppMove) -> Read<()> {
        let sql = "INSERT INTO moves (realm, app, share, back) VALUES ($1, $2, $3, $4)";
        let (realm, app, share) = (realm.as_str(), app.as_str(), i32::from(state.share.hundredths()));
        self.change(sql, &[&realm, &app, &share, &state.back])?;
        let openids: Vec<&[u8]> = state.openids.iter().map(String::as_bytes).collect();
        let users: Vec<&[u8]> = state.users.iter().map(|user| user.as_str().as_bytes()).collect();
        // A list goes in one statement: the other servers wait for this transaction.
        let sql = "INSERT INTO move_lists (realm, app, kind, id) SELECT $1, $2, $3, unnest($4::bytea[])";
        for (kind, ids) in [(OPENID, openids), (USER, users)] {
            if !ids.is_empty() {
                self.change(sql, &[&realm, &app, &kind, &ids])?;
            }
        }
        Ok(())
    }

    fn drop_move(&self, realm: &Realm, app: &AppName) -> Read<()> {
        for sql in
            ["DELETE FROM moves WHERE realm = $1 AND app = $2", "DELETE FROM move_lists WHERE realm = $1 AND app = $2"]
        {
            self.change(sql, &[&realm.as_str(), &app.as_str()])?;
        }
        Ok(())
    }
}

fn share(hundredths: i32) -> Read<Share> {
    let share = u16::try_from(hundredths).ok().and_then(Share::of_hundredths);
    share.ok_or_else(|| Error::Unreadable(format!("{hundredths} is no share")))
}
