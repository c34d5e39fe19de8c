//! The file: what it is told from others by, its header, its rows.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use sha2::{Digest as _, Sha256};
use yaopai_core::ids::AppName;
use yaopai_core::ports::FileHash;

use super::columns::Columns;
use super::rows::Rows;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// An opened file whose header makes sense.
pub struct Source {
    path: PathBuf,
    pub columns: Columns,
    pub rows: Rows<BufReader<File>>,
}

impl Source {
    /// Opens it and reads the header.
    pub fn open(path: &Path, has_app: bool) -> anyhow::Result<Self> {
        let cannot = |e: &dyn std::fmt::Display| anyhow!("cannot read {}: {e}", path.display());
        let file = File::open(path).map_err(|e| cannot(&e))?;
        if !file.metadata().map_err(|e| cannot(&e))?.is_file() {
            return Err(cannot(&"it is no file; an import that was cut off must be able to read it again"));
        }
        let mut rows = Rows::new(BufReader::with_capacity(CHUNK, file)).map_err(|e| cannot(&e))?;
        let header = rows.next().map_err(|e| cannot(&e))?.ok_or_else(|| {
            anyhow!("{} is empty: its first line must name the columns (openid,user,…)", path.display())
        })?;
        let columns = Columns::read(&header, has_app)
            .map_err(|what| anyhow!("{}, line {}: {what}", path.display(), header.line))?;
        Ok(Self { path: path.to_owned(), columns, rows })
    }

    /// SHA-256 of the content and of what else decides what it says.
    pub fn hash(&self, app: Option<&AppName>) -> anyhow::Result<FileHash> {
        let cannot = |e| anyhow!("cannot read {}: {e}", self.path.display());
        let mut file = File::open(&self.path).map_err(cannot)?;
        let mut hash = Sha256::new();
        hash.update(app.map_or("", AppName::as_str));
        hash.update([0]);
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk).map_err(cannot)? {
                0 => return Ok(hash.finalize().into()),
                n => hash.update(&chunk[..n]),
            }
        }
    }

    /// Goes on at a place where a row ended.
    pub fn go_to(&mut self, byte: u64, line: u64) -> anyhow::Result<()> {
        Ok(self.rows.go_to(byte, line)?)
    }
}

impl Rows<BufReader<File>> {
    fn go_to(&mut self, byte: u64, line: u64) -> std::io::Result<()> {
        self.input().seek(SeekFrom::Start(byte))?;
        self.moved(byte, line);
        Ok(())
    }
}
