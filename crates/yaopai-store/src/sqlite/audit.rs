//! The audit log's rows: written by the writer in the transaction of the change that they tell of, so they are in the order
//! of the commits, and no change is without its row.

use std::sync::Arc;

use rusqlite::{Connection, Row as SqlRow, params};
use yaopai_core::audit::{By, Checkpoint, Event, Head, Kind, Noted, Owner, PersonKey, Row, Said, Scribe, period_of};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{AuditRow, Change, Erase};
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

use super::rows;
use super::writer::{Done, Work};
use crate::audited::{self, End};

/// The chain's end, as this transaction has made it so far. It is read from the file once in each transaction: what is rolled
/// back leaves nothing behind here.
pub(super) struct Log {
    scribe: Arc<Scribe>,
    head: Option<Head>,
}

impl Log {
    pub fn new(scribe: Arc<Scribe>) -> Self {
        Self { scribe, head: None }
    }
}

/// Runs a command and tells what it says, and which sessions ended by it.
pub(super) fn told<T>(work: &mut Work<'_>, by: &By, command: impl FnOnce(&mut Work<'_>) -> Done<(Said, T)>) -> Done<T> {
    let before = work.changes.len();
    let (said, answer) = command(work)?;
    if work.log.is_some() {
        for event in said {
            append(work, &event, by)?;
        }
        for at in before..work.changes.len() {
            if let Change::Ended(id) = &work.changes[at]
                && let Some(event) = end(work.db, *id)?.and_then(audited::ended)
            {
                append(work, &event, by)?;
            }
        }
    }
    Ok(answer)
}

/// Appends events that belong to no change.
pub(super) fn note(work: &mut Work<'_>, noted: &[Noted]) -> Done<()> {
    noted.iter().try_for_each(|noted| append(work, &noted.event, &noted.by))
}

fn append(work: &mut Work<'_>, event: &Event, by: &By) -> Done<()> {
    let db = work.db;
    let Some(log) = &mut work.log else { return Ok(()) };
    let scribe = &log.scribe;
    let after = match log.head {
        Some(head) => head,
        None => head(db)?.unwrap_or_else(|| scribe.genesis()),
    };
    let at = scribe.now();
    let key = match Owner::of(event, by) {
        Some(owner) => Some(key(db, scribe, &owner, at, after.seq + 1)?),
        None => None,
    };
    let row = scribe.row(after, at, event, by, key.as_ref());
    let sql = "INSERT INTO audit (seq, at, realm, clear, person, sealed, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    db.prepare_cached(sql)?.execute(params![
        row.seq.cast_signed(),
        row.at.0,
        row.realm.as_ref().map(Realm::as_str),
        row.clear,
        row.person.map(u64::cast_signed),
        row.sealed,
        row.mac,
    ])?;
    log.head = Some(row.head());
    Ok(())
}

/// The owner's key, made if there is none.
fn key(db: &Connection, scribe: &Scribe, owner: &Owner, at: Timestamp, no: u64) -> rusqlite::Result<PersonKey> {
    let (period, owner) = scribe.owner_at(owner, at);
    let sql = "SELECT no, salt FROM audit_keys WHERE period = ?1 AND owner = ?2";
    let read = |r: &SqlRow<'_>| Ok(PersonKey { no: r.get::<_, i64>(0)?.cast_unsigned(), salt: r.get(1)? });
    if let Some(key) = rows::one(db, sql, params![period, owner], read)? {
        return Ok(key);
    }
    let key = PersonKey { no, salt: scribe.salt() };
    let sql = "INSERT INTO audit_keys (no, period, owner, salt) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![no.cast_signed(), period, owner, key.salt])?;
    Ok(key)
}

/// A session that this transaction has ended.
fn end(db: &Connection, id: SessionId) -> rusqlite::Result<Option<End>> {
    let sql = "SELECT realm, app, identity, user_id, ended_reason FROM sessions WHERE id = ?1";
    let found = rows::one(db, sql, [id.0], |r| {
        let reason = EndReason::parse(r.get_ref(4)?.as_str_or_null()?.unwrap_or_default());
        let (realm, app) = (rows::realm(r, 0)?, AppName::from(r.get_ref(1)?.as_str()?));
        let (identity, user) = (IdentityId(r.get(2)?), rows::user(r, 3)?);
        Ok(reason.map(|reason| End { id, realm, app, identity, user, reason }))
    })?;
    Ok(found.flatten())
}

/// The chain's end: the last row, or what retention has left.
pub(super) fn head(db: &Connection) -> rusqlite::Result<Option<Head>> {
    let read = |r: &SqlRow<'_>| Ok(Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? });
    let last = rows::one(db, "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1", [], read)?;
    match last {
        Some(head) => Ok(Some(head)),
        None => rows::one(db, "SELECT seq, head FROM audit_checkpoint", [], read),
    }
}

/// Rows after a number, with their keys.
pub(super) fn list(db: &Connection, realm: Option<&Realm>, after: u64, limit: u32) -> rusqlite::Result<Vec<AuditRow>> {
    let sql = "SELECT a.seq, a.at, a.realm, a.clear, a.person, a.sealed, a.mac, k.salt FROM audit a \
               LEFT JOIN audit_keys k ON k.no = a.person \
               WHERE a.seq > ?1 AND (?2 IS NULL OR a.realm = ?2) ORDER BY a.seq LIMIT ?3";
    rows::all(db, sql, params![after.cast_signed(), realm.map(Realm::as_str), limit], |r| {
        let row = Row {
            seq: r.get::<_, i64>(0)?.cast_unsigned(),
            at: Timestamp(r.get(1)?),
            realm: r.get_ref(2)?.as_str_or_null()?.map(Realm::from),
            clear: r.get(3)?,
            person: r.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
            sealed: r.get(5)?,
            mac: r.get(6)?,
        };
        Ok(AuditRow { row, salt: r.get(7)? })
    })
}

pub(super) fn checkpoint(db: &Connection) -> rusqlite::Result<Option<Checkpoint>> {
    rows::one(db, "SELECT seq, head, rows, at, mac FROM audit_checkpoint", [], |r| {
        Ok(Checkpoint {
            head: Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? },
            rows: r.get::<_, i64>(2)?.cast_unsigned(),
            at: Timestamp(r.get(3)?),
            mac: r.get(4)?,
        })
    })
}

/// Deletes the oldest rows behind a checkpoint. Answers how many.
pub(super) fn purge(work: &mut Work<'_>, before: Timestamp, limit: u32) -> Done<u32> {
    let db = work.db;
    let Some(log) = &work.log else { return Ok(0) };
    let sql = "SELECT seq, mac, at FROM audit ORDER BY seq LIMIT ?1";
    let read =
        |r: &SqlRow<'_>| Ok((Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? }, Timestamp(r.get(2)?)));
    let oldest = rows::all(db, sql, [limit], read)?;
    let gone: Vec<Head> = oldest.into_iter().take_while(|(_, at)| *at < before).map(|(head, _)| head).collect();
    let Some(last) = gone.last() else { return Ok(0) };
    let rows = checkpoint(db)?.map_or(0, |c| c.rows) + gone.len() as u64;
    let made = log.scribe.checkpoint(*last, rows, log.scribe.now());
    let sql = "INSERT OR REPLACE INTO audit_checkpoint (only, seq, head, rows, at, mac) VALUES (1, ?1, ?2, ?3, ?4, ?5)";
    let seq = last.seq.cast_signed();
    db.prepare_cached(sql)?.execute(params![seq, made.head.mac, rows.cast_signed(), made.at.0, made.mac])?;
    db.prepare_cached("DELETE FROM audit WHERE seq <= ?1")?.execute([seq])?;
    // Of a period that ended before the oldest row that is kept.
    let sql = "DELETE FROM audit_keys WHERE no IN (SELECT no FROM audit_keys WHERE period < ?1 LIMIT ?2)";
    db.prepare_cached(sql)?.execute(params![period_of(before), limit])?;
    Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
}

/// Erases keys, and tells of it.
pub(super) fn erase(work: &mut Work<'_>, by: &By, whose: &Erase) -> Done<u64> {
    let db = work.db;
    let Some(scribe) = work.log.as_ref().map(|log| Arc::clone(&log.scribe)) else { return Ok(0) };
    let mut event = Event::new(Kind::Erased, "");
    let mut owners = Vec::new();
    match whose {
        Erase::User(realm, user) => {
            event.realm = Some(realm.clone());
            owners.push(Owner::User(realm.clone(), user.clone()));
            let sql = "SELECT id FROM identities WHERE realm = ?1 AND user_id = ?2";
            let theirs = rows::all(db, sql, [realm.as_str(), user.as_str()], |r| r.get(0).map(IdentityId))?;
            owners.extend(theirs.into_iter().map(Owner::Identity));
        }
        Erase::Openid(app, openid) => {
            if let Some(identity) = super::bind::by_openid(db, app, openid)? {
                owners.push(Owner::Identity(identity.id));
                owners.extend(identity.user.clone().map(|user: UserId| Owner::User(identity.realm.clone(), user)));
                event = Event { user: None, ..event.of_identity(&identity) };
            }
        }
        Erase::Owner(owner) => owners.push(owner.clone()),
    }
    // What is deleted is overwritten, and not only forgotten.
    db.pragma_update(None, "secure_delete", true)?;
    let periods = rows::all(db, "SELECT DISTINCT period FROM audit_keys", [], |r| r.get::<_, i64>(0))?;
    let mut gone = 0;
    for owner in &owners {
        for period in &periods {
            let sql = "DELETE FROM audit_keys WHERE period = ?1 AND owner = ?2";
            gone += db.prepare_cached(sql)?.execute(params![period, scribe.owner(owner)])? as u64;
        }
    }
    db.pragma_update(None, "secure_delete", false)?;
    // By nobody's address: it would be one more row about the one who is to be forgotten, where he asks for it himself.
    append(work, &event.times(gone), &By { from: None, ..by.clone() })?;
    Ok(gone)
}
