//! What a login costs SQLite itself: the same rows into the same tables, in the same batches, by a plain loop.

use std::path::Path;

use rusqlite::{Connection, Statement, params};
use yaopai_core::ports::AuditRow;

use super::Rows;

/// The pragmas of crates/yaopai-store/src/sqlite/file.rs.
const PRAGMAS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; \
    PRAGMA wal_autocheckpoint = 4096; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -65536; \
    PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;";

/// Inserts all rows into a file that has the schema, a commit for each batch.
pub(super) fn insert(path: &Path, rows: &[Rows], batches: &[usize]) -> anyhow::Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch(PRAGMAS)?;
    let (mut begin, mut commit) = (db.prepare("BEGIN IMMEDIATE")?, db.prepare("COMMIT")?);
    let mut identity = db.prepare(
        "INSERT INTO identities (id, realm, app, openid, unionid, session_key, user_id, bound_at, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut claims = db.prepare("INSERT INTO users (realm, user_id, claims) VALUES (?1, ?2, ?3)")?;
    let mut session = db.prepare(
        "INSERT INTO sessions (id, realm, app, identity, user_id, device_id, device_type, device_name, env_version, \
         created_at, vouched_at, absolute_at, last_seen, key_kind, secrets) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    let mut login = db.prepare("INSERT INTO logins (key, session, sealed, expires_at) VALUES (?1, ?2, ?3, ?4)")?;
    let mut audit = Audit {
        row: db.prepare(
            "INSERT INTO audit (seq, at, realm, clear, person, sealed, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?,
        key: db.prepare("INSERT INTO audit_keys (no, period, owner, salt) VALUES (?1, ?2, ?3, ?4)")?,
    };
    let mut rest = rows;
    for size in batches {
        let (batch, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        begin.raw_execute()?;
        for row in batch {
            one(row, &mut identity, &mut claims, &mut session, &mut login)?;
            if let Some(told) = &row.told {
                audit.one(told)?;
            }
        }
        commit.raw_execute()?;
    }
    anyhow::ensure!(rest.is_empty(), "{} rows are in no batch", rest.len());
    Ok(())
}

/// The audit log's row of a login, and the key of its person.
struct Audit<'db> {
    row: Statement<'db>,
    key: Statement<'db>,
}

impl Audit<'_> {
    fn one(&mut self, AuditRow { row, salt }: &AuditRow) -> rusqlite::Result<()> {
        let (seq, realm) = (row.seq.cast_signed(), row.realm.as_ref().map(|realm| realm.as_str()));
        // As scattered as a keyed hash.
        self.key.execute(params![seq, 0, &row.mac[..16], salt])?;
        self.row.execute(params![seq, row.at.0, realm, row.clear, seq, row.sealed, row.mac])?;
        Ok(())
    }
}

fn one(
    Rows { open, secrets, .. }: &Rows,
    identity: &mut Statement<'_>,
    claims: &mut Statement<'_>,
    session: &mut Statement<'_>,
    login: &mut Statement<'_>,
) -> rusqlite::Result<()> {
    let s = &open.session;
    let now = s.created_at.0;
    let user = open.user.as_ref();
    let (id, user_id) = (open.new_identity.0, user.map(|u| u.user.as_str()));
    let (realm, app) = (s.realm.as_str(), s.app.as_str());
    identity.execute(params![id, realm, app, s.openid, s.unionid, open.session_key, user_id, now, now])?;
    if let Some(said) = user.and_then(|u| u.claims.as_ref()) {
        claims.execute(params![realm, user_id, said.as_str()])?;
    }
    session.execute(params![
        s.id.0,
        realm,
        app,
        id,
        user_id,
        s.device.id,
        s.device.kind,
        s.device.name,
        s.env_version.map(|v| v.as_str()),
        now,
        s.vouched_at.0,
        s.absolute_at.0,
        s.last_seen.0,
        "bearer",
        secrets
    ])?;
    login.execute(params![open.login.key, open.login.session.0, open.login.sealed, open.login.expires_at.0])?;
    Ok(())
}
