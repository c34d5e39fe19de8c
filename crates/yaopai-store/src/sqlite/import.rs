//! How far files of bindings have come in.

use rusqlite::{Connection, Row, params};
use yaopai_core::ports::{FileHash, ImportMark};

use super::rows;
use crate::rows::ImportRows;

impl ImportRows for Connection {
    fn import_mark(&self, file: &FileHash) -> rusqlite::Result<Option<ImportMark>> {
        let sql = "SELECT position, note FROM imports WHERE file = ?1";
        let read = |r: &Row<'_>| Ok(ImportMark { position: r.get::<_, i64>(0)?.cast_unsigned(), note: r.get(1)? });
        rows::one(self, sql, [file], read)
    }

    fn set_import_mark(&self, file: &FileHash, position: u64, note: &str) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO imports (file, position, note) VALUES (?1, ?2, ?3)";
        self.prepare_cached(sql)?.execute(params![file, position.cast_signed(), note])?;
        Ok(())
    }

    fn end_import(&self, file: &FileHash) -> rusqlite::Result<()> {
        self.prepare_cached("DELETE FROM imports WHERE file = ?1")?.execute([file])?;
        Ok(())
    }
}
