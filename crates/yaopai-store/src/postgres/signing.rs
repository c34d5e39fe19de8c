//! Keys that sign for back ends.

use yaopai_core::ports::{SigningAlg, SigningKey};

use super::db::Db;
use super::error::Error;
use super::rows::{self, Read};
use crate::rows::SigningRows;

impl SigningRows for Db {
    fn signing_keys(&self) -> Read<Vec<SigningKey>> {
        let sql = "SELECT kid, alg, private_key, made_at, signs_from FROM signing_keys ORDER BY signs_from, kid";
        self.all(sql, &[], |row| {
            let alg: &str = rows::get(row, 1)?;
            Ok(SigningKey {
                kid: rows::get(row, 0)?,
                alg: SigningAlg::parse(alg).ok_or_else(|| Error::Unreadable(format!("`{alg}` is not known")))?,
                sealed: rows::get(row, 2)?,
                made_at: rows::at(row, 3)?,
                signs_from: rows::at(row, 4)?,
            })
        })
    }

    fn newest_signing_key(&self, alg: SigningAlg) -> Read<Option<String>> {
        let sql = "SELECT kid FROM signing_keys WHERE alg = $1 ORDER BY signs_from DESC, kid DESC LIMIT 1";
        self.one(sql, &[&alg.as_str()], |row| rows::get(row, 0))
    }

    fn insert_signing_key(&self, key: &SigningKey) -> Read<()> {
        let sql = "INSERT INTO signing_keys (kid, alg, private_key, made_at, signs_from) VALUES ($1, $2, $3, $4, $5)";
        self.change(sql, &[&key.kid, &key.alg.as_str(), &key.sealed, &key.made_at.0, &key.signs_from.0])?;
        Ok(())
    }

    fn drop_signing_alg(&self, alg: SigningAlg) -> Read<()> {
        self.change("DELETE FROM signing_keys WHERE alg = $1", &[&alg.as_str()])?;
        Ok(())
    }

    fn drop_signing_keys(&self, kids: &[String]) -> Read<()> {
        self.change("DELETE FROM signing_keys WHERE kid = ANY ($1)", &[&kids])?;
        Ok(())
    }
}
