//! Keys that sign for back ends.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use yaopai_core::ports::{NextKey, NextKeys, SigningAlg, SigningKey, SigningStore, StoreResult};
use yaopai_core::time::Timestamp;

use super::writer::{Done, Work};
use super::{Sqlite, rows};

#[async_trait]
impl SigningStore for Sqlite {
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        self.read(all).await
    }

    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>) -> StoreResult<bool> {
        let next = NextKey { key, after: after.map(str::to_owned) };
        self.write(move |work| {
            let fits = follows(work.db, &next)?;
            if fits {
                add(work.db, &next.key)?;
            }
            Ok(fits)
        })
        .await
    }

    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()> {
        self.write(move |work| drop_all(work, &kids)).await
    }
}

fn all(db: &Connection) -> rusqlite::Result<Vec<SigningKey>> {
    let sql = "SELECT kid, alg, private_key, made_at, signs_from FROM signing_keys ORDER BY signs_from, kid";
    rows::all(db, sql, [], key)
}

/// All of them or none. Answers every key there is then.
pub(super) fn add_all(work: &mut Work<'_>, next: &NextKeys) -> Done<Option<Vec<SigningKey>>> {
    for one in &next.keys {
        if !follows(work.db, one)? {
            return Ok(None);
        }
    }
    for NextKey { key, .. } in &next.keys {
        if next.alone {
            work.db.prepare_cached("DELETE FROM signing_keys WHERE alg = ?1")?.execute([key.alg.as_str()])?;
        }
        add(work.db, key)?;
    }
    Ok(Some(all(work.db)?))
}

fn follows(db: &Connection, NextKey { key, after }: &NextKey) -> rusqlite::Result<bool> {
    let sql = "SELECT kid FROM signing_keys WHERE alg = ?1 ORDER BY signs_from DESC, kid DESC LIMIT 1";
    let newest: Option<String> = rows::one(db, sql, [key.alg.as_str()], |row| row.get(0))?;
    Ok(newest == *after)
}

fn add(db: &Connection, key: &SigningKey) -> rusqlite::Result<()> {
    let sql = "INSERT INTO signing_keys (kid, alg, private_key, made_at, signs_from) VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = params![key.kid, key.alg.as_str(), key.sealed, key.made_at.0, key.signs_from.0];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

fn drop_all(work: &mut Work<'_>, kids: &[String]) -> Done<()> {
    let mut statement = work.db.prepare_cached("DELETE FROM signing_keys WHERE kid = ?1")?;
    for kid in kids {
        statement.execute([kid])?;
    }
    Ok(())
}

fn key(row: &Row<'_>) -> rusqlite::Result<SigningKey> {
    let alg = row.get_ref(1)?.as_str()?;
    Ok(SigningKey {
        kid: row.get(0)?,
        alg: SigningAlg::parse(alg).ok_or(rusqlite::Error::InvalidQuery)?,
        sealed: row.get(2)?,
        made_at: Timestamp(row.get(3)?),
        signs_from: Timestamp(row.get(4)?),
    })
}
