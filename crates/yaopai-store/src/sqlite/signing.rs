//! Keys that sign for back ends.

use rusqlite::{Connection, Row, params};
use yaopai_core::ports::{SigningAlg, SigningKey};
use yaopai_core::time::Timestamp;

use super::rows;
use crate::rows::SigningRows;

impl SigningRows for Connection {
    fn signing_keys(&self) -> rusqlite::Result<Vec<SigningKey>> {
        let sql = "SELECT kid, alg, private_key, made_at, signs_from FROM signing_keys ORDER BY signs_from, kid";
        rows::all(self, sql, [], key)
    }

    fn newest_signing_key(&self, alg: SigningAlg) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT kid FROM signing_keys WHERE alg = ?1 ORDER BY signs_from DESC, kid DESC LIMIT 1";
        rows::one(self, sql, [alg.as_str()], |row| row.get(0))
    }

    fn insert_signing_key(&self, key: &SigningKey) -> rusqlite::Result<()> {
        let sql = "INSERT INTO signing_keys (kid, alg, private_key, made_at, signs_from) VALUES (?1, ?2, ?3, ?4, ?5)";
        let row = params![key.kid, key.alg.as_str(), key.sealed, key.made_at.0, key.signs_from.0];
        self.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    fn drop_signing_alg(&self, alg: SigningAlg) -> rusqlite::Result<()> {
        self.prepare_cached("DELETE FROM signing_keys WHERE alg = ?1")?.execute([alg.as_str()])?;
        Ok(())
    }

    fn drop_signing_keys(&self, kids: &[String]) -> rusqlite::Result<()> {
        let mut statement = self.prepare_cached("DELETE FROM signing_keys WHERE kid = ?1")?;
        for kid in kids {
            statement.execute([kid])?;
        }
        Ok(())
    }
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
