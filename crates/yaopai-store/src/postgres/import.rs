//! How far files of bindings have come in.

use yaopai_core::ports::{FileHash, ImportMark};

use super::db::Db;
use super::rows::{self, Read};
use crate::rows::ImportRows;

impl ImportRows for Db {
    fn import_mark(&self, file: &FileHash) -> Read<Option<ImportMark>> {
        let sql = "SELECT position, note FROM imports WHERE file = $1";
        self.one(sql, &[&file.as_slice()], |row| {
            Ok(ImportMark { position: rows::count(row, 0)?, note: rows::get(row, 1)? })
        })
    }

    fn set_import_mark(&self, file: &FileHash, position: u64, note: &str) -> Read<()> {
        let sql = "INSERT INTO imports (file, position, note) VALUES ($1, $2, $3) \
                   ON CONFLICT (file) DO UPDATE SET position = excluded.position, note = excluded.note";
        self.change(sql, &[&file.as_slice(), &position.cast_signed(), &note])?;
        Ok(())
    }

    fn end_import(&self, file: &FileHash) -> Read<()> {
        self.change("DELETE FROM imports WHERE file = $1", &[&file.as_slice()])?;
        Ok(())
    }
}
