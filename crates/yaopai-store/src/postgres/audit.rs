//! The audit log's rows: this server's own chain, and those of the others.

use yaopai_core::audit::{Checkpoint, Head, PersonKey, Row};
use yaopai_core::ids::Realm;
use yaopai_core::ports::AuditRow;
use yaopai_core::time::Timestamp;

use super::db::{Db, Params};
use super::later::owned;
use super::rows::{self, Read};
use crate::rows::{AuditRows, Chain};

impl AuditRows for Db {
    fn own_chain(&self) -> Chain {
        Chain(self.node.get())
    }

    fn clock(&self, own: Timestamp) -> Read<Timestamp> {
        let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        Ok(self.one(sql, &[], |row| rows::at(row, 0))?.unwrap_or(own))
    }

    fn audit_chains(&self) -> Read<Vec<(Chain, String)>> {
        self.all("SELECT id, name FROM nodes ORDER BY id", &[], |row| {
            Ok((Chain(rows::get(row, 0)?), rows::get(row, 1)?))
        })
    }

    /// A look at the first row of each chain, of thousands maybe: one statement, and no lock. What is deleted stays in the index for a while, so it
    /// looks behind the checkpoint.
    fn old_chains(&self, own: Timestamp, others: Timestamp) -> Read<Vec<Chain>> {
        let sql = "SELECT n.id FROM nodes n LEFT JOIN audit_checkpoint c ON c.node = n.id CROSS JOIN LATERAL \
                   (SELECT at FROM audit WHERE node = n.id AND seq > coalesce(c.seq, 0) ORDER BY seq LIMIT 1) AS oldest \
                   WHERE oldest.at < CASE WHEN n.id = $1 THEN $2::bigint ELSE $3::bigint END ORDER BY n.id";
        self.all(sql, &[&self.node.get(), &own.0, &others.0], |row| Ok(Chain(rows::get(row, 0)?)))
    }

    fn audit_head(&self) -> Read<Option<Head>> {
        let node = self.node.get();
        let read = |row: &tokio_postgres::Row| Ok(Head { seq: rows::count(row, 0)?, mac: rows::bytes(row, 1)? });
        let last = self.one("SELECT seq, mac FROM audit WHERE node = $1 ORDER BY seq DESC LIMIT 1", &[&node], read)?;
        match last {
            Some(head) => Ok(Some(head)),
            None => self.one("SELECT seq, head FROM audit_checkpoint WHERE node = $1", &[&node], read),
        }
    }

    fn insert_audit(&self, row: &Row) -> Read<()> {
        let sql = "INSERT INTO audit (node, seq, at, realm, clear, person, sealed, mac) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.later(
            sql,
            owned![
                self.node.get(),
                row.seq.cast_signed(),
                row.at.0,
                row.realm.as_ref().map(|realm| realm.as_str().to_owned()),
                row.clear.clone(),
                row.person.map(u64::cast_signed),
                row.sealed.clone(),
                row.mac.to_vec(),
            ],
        )
    }

    fn audit_key(&self, period: i64, owner: &[u8; 16]) -> Read<Option<PersonKey>> {
        let sql = "SELECT no, salt FROM audit_keys WHERE owner = $1 AND period = $2 AND node = $3";
        self.one(sql, &[&owner.as_slice(), &period, &self.node.get()], |row| {
            Ok(PersonKey { no: rows::count(row, 0)?, salt: rows::bytes(row, 1)? })
        })
    }

    fn insert_audit_key(&self, key: &PersonKey, period: i64, owner: &[u8; 16]) -> Read<()> {
        let sql = "INSERT INTO audit_keys (node, no, period, owner, salt) VALUES ($1, $2, $3, $4, $5)";
        self.later(sql, owned![self.node.get(), key.no.cast_signed(), period, owner.to_vec(), key.salt.to_vec()])
    }

    fn list_audit(&self, chain: Chain, realm: Option<&Realm>, after: u64, limit: u32) -> Read<Vec<AuditRow>> {
        let sql = "SELECT a.seq, a.at, a.realm, a.clear, a.person, a.sealed, a.mac, k.salt FROM audit a \
                   LEFT JOIN audit_keys k ON k.node = a.node AND k.no = a.person \
                   WHERE a.node = $1 AND a.seq > $2 AND ($3::text IS NULL OR a.realm = $3) ORDER BY a.seq LIMIT $4";
        let realm = realm.map(Realm::as_str);
        self.all(sql, &[&chain.0, &after.cast_signed(), &realm, &i64::from(limit)], |found| {
            let row = Row {
                seq: rows::count(found, 0)?,
                at: rows::at(found, 1)?,
                realm: rows::get::<Option<&str>>(found, 2)?.map(Realm::from),
                clear: rows::get(found, 3)?,
                person: rows::get::<Option<i64>>(found, 4)?.map(i64::cast_unsigned),
                sealed: rows::get(found, 5)?,
                mac: rows::bytes(found, 6)?,
            };
            let salt = match rows::get::<Option<&[u8]>>(found, 7)? {
                Some(_) => Some(rows::bytes(found, 7)?),
                None => None,
            };
            Ok(AuditRow { row, salt })
        })
    }

    fn audit_checkpoint(&self, chain: Chain) -> Read<Option<Checkpoint>> {
        let sql = "SELECT seq, head, rows, at, mac FROM audit_checkpoint WHERE node = $1";
        self.one(sql, &[&chain.0], |row| {
            Ok(Checkpoint {
                head: Head { seq: rows::count(row, 0)?, mac: rows::bytes(row, 1)? },
                rows: rows::count(row, 2)?,
                at: rows::at(row, 3)?,
                mac: rows::bytes(row, 4)?,
            })
        })
    }

    fn oldest_audit(&self, chain: Chain, limit: u32) -> Read<Vec<(Head, Timestamp)>> {
        let sql = "SELECT seq, mac, at FROM audit WHERE node = $1 \
                   AND seq > coalesce((SELECT seq FROM audit_checkpoint WHERE node = $1), 0) ORDER BY seq LIMIT $2";
        self.all(sql, &[&chain.0, &i64::from(limit)], |row| {
            Ok((Head { seq: rows::count(row, 0)?, mac: rows::bytes(row, 1)? }, rows::at(row, 2)?))
        })
    }

    fn cut_audit(&self, chain: Chain, made: &Checkpoint) -> Read<()> {
        let sql = "WITH before AS (SELECT seq FROM audit_checkpoint WHERE node = $1) \
                   INSERT INTO audit_checkpoint (node, seq, head, rows, at, mac) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (node) DO UPDATE SET seq = excluded.seq, head = excluded.head, rows = excluded.rows, \
                   at = excluded.at, mac = excluded.mac RETURNING (SELECT seq FROM before)";
        let (node, seq) = (chain.0, made.head.seq.cast_signed());
        let (head, mac) = (made.head.mac.as_slice(), made.mac.as_slice());
        let params: Params<'_> = &[&node, &seq, &head, &made.rows.cast_signed(), &made.at.0, &mac];
        let before: Option<i64> = self.one(sql, params, |row| rows::get(row, 0))?.flatten();
        let sql = "DELETE FROM audit WHERE node = $1 AND seq > $2 AND seq <= $3";
        self.change(sql, &[&node, &before.unwrap_or(0), &seq])?;
        Ok(())
    }

    fn purge_audit_keys(&self, chain: Chain, before: i64, limit: u32) -> Read<()> {
        let sql = "DELETE FROM audit_keys WHERE node = $1 AND no IN \
                   (SELECT no FROM audit_keys WHERE node = $1 AND period < $2 LIMIT $3)";
        self.change(sql, &[&chain.0, &before, &i64::from(limit)])?;
        Ok(())
    }

    /// Of every server's chain. The bytes go with the table's next VACUUM, and stay in the write-ahead log and its archives as
    /// long as those are kept (README).
    fn erase_audit_keys(&self, owners: &[[u8; 16]]) -> Read<u64> {
        let owners: Vec<&[u8]> = owners.iter().map(<[u8; 16]>::as_slice).collect();
        Ok(u64::from(self.change("DELETE FROM audit_keys WHERE owner = ANY ($1)", &[&owners])?))
    }
}
