//! The audit log's rows.

use rusqlite::{Connection, Row as SqlRow, params};
use yaopai_core::audit::{Checkpoint, Head, PersonKey, Row};
use yaopai_core::ids::Realm;
use yaopai_core::ports::AuditRow;
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::{AuditRows, Chain};

/// This database's own.
const OWN: Chain = Chain(0);

impl AuditRows for Connection {
    fn own_chain(&self) -> Chain {
        OWN
    }

    fn audit_chains(&self) -> rusqlite::Result<Vec<(Chain, String)>> {
        rows::all(self, "SELECT id, name FROM nodes ORDER BY id", [], |r| Ok((Chain(r.get(0)?), r.get(1)?)))
    }

    fn audit_head(&self) -> rusqlite::Result<Option<Head>> {
        let read = |r: &SqlRow<'_>| Ok(Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? });
        let last =
            rows::one(self, "SELECT seq, mac FROM audit WHERE node = ?1 ORDER BY seq DESC LIMIT 1", [OWN.0], read)?;
        match last {
            Some(head) => Ok(Some(head)),
            None => rows::one(self, "SELECT seq, head FROM audit_checkpoint WHERE node = ?1", [OWN.0], read),
        }
    }

    fn insert_audit(&self, row: &Row) -> rusqlite::Result<()> {
        let sql = "INSERT INTO audit (node, seq, at, realm, clear, person, sealed, mac) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.prepare_cached(sql)?.execute(params![
            OWN.0,
            row.seq.cast_signed(),
            row.at.0,
            row.realm.as_ref().map(Realm::as_str),
            row.clear,
            row.person.map(u64::cast_signed),
            row.sealed,
            row.mac,
        ])?;
        Ok(())
    }

    fn audit_key(&self, period: i64, owner: &[u8; 16]) -> rusqlite::Result<Option<PersonKey>> {
        let sql = "SELECT no, salt FROM audit_keys WHERE owner = ?1 AND period = ?2 AND node = ?3";
        let read = |r: &SqlRow<'_>| Ok(PersonKey { no: r.get::<_, i64>(0)?.cast_unsigned(), salt: r.get(1)? });
        rows::one(self, sql, params![owner, period, OWN.0], read)
    }

    fn insert_audit_key(&self, key: &PersonKey, period: i64, owner: &[u8; 16]) -> rusqlite::Result<()> {
        let sql = "INSERT INTO audit_keys (node, no, period, owner, salt) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.prepare_cached(sql)?.execute(params![OWN.0, key.no.cast_signed(), period, owner, key.salt])?;
        Ok(())
    }

    fn list_audit(
        &self,
        chain: Chain,
        realm: Option<&Realm>,
        after: u64,
        limit: u32,
    ) -> rusqlite::Result<Vec<AuditRow>> {
        let sql = "SELECT a.seq, a.at, a.realm, a.clear, a.person, a.sealed, a.mac, k.salt FROM audit a \
                   LEFT JOIN audit_keys k ON k.node = a.node AND k.no = a.person \
                   WHERE a.node = ?4 AND a.seq > ?1 AND (?2 IS NULL OR a.realm = ?2) ORDER BY a.seq LIMIT ?3";
        rows::all(self, sql, params![after.cast_signed(), realm.map(Realm::as_str), limit, chain.0], |r| {
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

    fn audit_checkpoint(&self, chain: Chain) -> rusqlite::Result<Option<Checkpoint>> {
        rows::one(self, "SELECT seq, head, rows, at, mac FROM audit_checkpoint WHERE node = ?1", [chain.0], |r| {
            Ok(Checkpoint {
                head: Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? },
                rows: r.get::<_, i64>(2)?.cast_unsigned(),
                at: Timestamp(r.get(3)?),
                mac: r.get(4)?,
            })
        })
    }

    fn oldest_audit(&self, chain: Chain, limit: u32) -> rusqlite::Result<Vec<(Head, Timestamp)>> {
        let sql = "SELECT seq, mac, at FROM audit WHERE node = ?1 ORDER BY seq LIMIT ?2";
        rows::all(self, sql, params![chain.0, limit], |r| {
            Ok((Head { seq: r.get::<_, i64>(0)?.cast_unsigned(), mac: r.get(1)? }, Timestamp(r.get(2)?)))
        })
    }

    fn cut_audit(&self, chain: Chain, made: &Checkpoint) -> rusqlite::Result<()> {
        let sql =
            "INSERT OR REPLACE INTO audit_checkpoint (node, seq, head, rows, at, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let seq = made.head.seq.cast_signed();
        let (rows, at) = (made.rows.cast_signed(), made.at.0);
        self.prepare_cached(sql)?.execute(params![chain.0, seq, made.head.mac, rows, at, made.mac])?;
        self.prepare_cached("DELETE FROM audit WHERE node = ?1 AND seq <= ?2")?.execute(params![chain.0, seq])?;
        Ok(())
    }

    fn purge_audit_keys(&self, chain: Chain, before: i64, limit: u32) -> rusqlite::Result<()> {
        let sql = "DELETE FROM audit_keys WHERE node = ?1 AND no IN \
                   (SELECT no FROM audit_keys WHERE node = ?1 AND period < ?2 LIMIT ?3)";
        self.prepare_cached(sql)?.execute(params![chain.0, before, limit])?;
        Ok(())
    }

    fn erase_audit_keys(&self, owners: &[[u8; 16]]) -> rusqlite::Result<u64> {
        // What is deleted is overwritten, and not only forgotten.
        self.pragma_update(None, "secure_delete", true)?;
        let mut gone = 0;
        for owner in owners {
            gone += self.prepare_cached("DELETE FROM audit_keys WHERE owner = ?1")?.execute([owner])? as u64;
        }
        self.pragma_update(None, "secure_delete", false)?;
        Ok(gone)
    }
}
