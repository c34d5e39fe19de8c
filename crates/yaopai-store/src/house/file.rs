//! The file.

use std::io::{self, BufRead, Read as _, Write};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use yaopai_core::house::FileKey;

use super::value::{self, ROW_MAX, Value};
use super::{CHUNK, CHUNK_BYTES, HouseError, Table};

const MAGIC: &[u8] = b"yaopai house\n";
/// Counts changes of the layout; the tables name their columns themselves.
const FORMAT: u64 = 2;
/// The longest of the lines, in bytes.
const LINE_MAX: u64 = 64 << 10;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its own, in hexadecimal digits: the old database names it.
    pub id: String,
    /// The version that wrote it.
    pub version: String,
    /// Of which kind of database.
    pub from: String,
    /// When; milliseconds.
    pub at: i64,
    /// Up to then signed requests may have been accepted there, whatever that place's clocks showed; milliseconds. An export puts it to what
    /// the database knows.
    pub signed_until: i64,
    /// Did servers run meanwhile? Then what they answered since is missing.
    pub rehearsal: bool,
}

/// A table that has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over them, in hexadecimal digits.
    pub sha256: String,
}

/// What a table's rows are compared by.
#[derive(Default)]
pub struct Digest {
    hash: Sha256,
    rows: u64,
    bytes: Vec<u8>,
}

impl Digest {
    /// One more row.
    pub fn row(&mut self, row: &[Value]) -> Result<(), HouseError> {
        self.framed(row).map(|_| ())
    }

    /// The same, and its bytes with their length.
    fn framed(&mut self, row: &[Value]) -> Result<&[u8], HouseError> {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; 4]);
        value::write(row, &mut self.bytes);
        let len = self.bytes.len() - 4;
        let too_long = || HouseError::Database(format!("a row of {len} bytes, more than {ROW_MAX}"));
        let framed = u32::try_from(len).ok().filter(|_| len <= ROW_MAX).ok_or_else(too_long)?;
        self.bytes[..4].copy_from_slice(&framed.to_be_bytes());
        self.hash.update(&self.bytes);
        self.rows += 1;
        Ok(&self.bytes)
    }

    pub fn finish(self, table: &'static str) -> Moved {
        Moved { table, rows: self.rows, sha256: hex(&self.hash.finalize()) }
    }
}

/// Writes one.
pub struct Writer<'a, W> {
    out: W,
    key: &'a FileKey,
    whole: Sha256,
    moved: Vec<Moved>,
}

impl<'a, W: Write> Writer<'a, W> {
    pub fn begin(out: W, about: &About, key: &'a FileKey) -> Result<Self, HouseError> {
        let mut this = Self { out, key, whole: Sha256::new(), moved: Vec::new() };
        this.put(MAGIC)?;
        let About { id, version, from, at, signed_until, rehearsal } = about;
        let first = json!({
            "format": FORMAT, "key": key.name(), "id": id, "version": version, "from": from, "at": at,
            "signed_until": signed_until, "rehearsal": rehearsal,
        });
        this.line(&first)?;
        Ok(this)
    }

    /// `each` hands over the table's rows.
    pub fn table(
        &mut self,
        table: &Table,
        each: impl FnOnce(&mut dyn FnMut(&[Value]) -> Result<(), HouseError>) -> Result<(), HouseError>,
    ) -> Result<(), HouseError> {
        self.line(&heading(table))?;
        let mut digest = Digest::default();
        each(&mut |row| Ok(self.put(digest.framed(row)?)?))?;
        self.put(&[0; 4])?;
        let moved = digest.finish(table.name);
        self.line(&json!({ "rows": moved.rows, "sha256": moved.sha256 }))?;
        self.moved.push(moved);
        Ok(())
    }

    pub fn end(mut self) -> Result<Vec<Moved>, HouseError> {
        let whole = std::mem::take(&mut self.whole).finalize();
        self.line(&json!({ "tables": self.moved.len(), "sha256": hex(&whole), "hmac": self.key.seal(&whole) }))?;
        Ok(self.moved)
    }

    fn line(&mut self, line: &Json) -> io::Result<()> {
        self.put(format!("{line}\n").as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.whole.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Reads one.
pub struct Reader<'a, R> {
    from: R,
    key: &'a FileKey,
    whole: Sha256,
    about: About,
}

impl<'a, R: BufRead> Reader<'a, R> {
    pub fn begin(mut from: R, key: &'a FileKey) -> Result<(Self, About), HouseError> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic).map_err(cut_off)?;
        if magic != MAGIC {
            return Err(damaged("it begins otherwise"));
        }
        let whole = Sha256::new_with_prefix(magic);
        let about = About {
            id: String::new(),
            version: String::new(),
            from: String::new(),
            at: 0,
            signed_until: 0,
            rehearsal: false,
        };
        let mut this = Self { from, key, whole, about };
        let line = this.line()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned).ok_or_else(|| damaged("its first line"));
        let version = text("version")?;
        if line["format"].as_u64() != Some(FORMAT) {
            return Err(HouseError::OtherVersion(version));
        }
        if text("key")? != key.name() {
            return Err(HouseError::OtherKey);
        }
        let time = |name: &str| line[name].as_i64().ok_or_else(|| damaged("its first line"));
        let (at, signed_until) = (time("at")?, time("signed_until")?);
        // Without a word it is to be used with care.
        let rehearsal = line["rehearsal"].as_bool().unwrap_or(true);
        this.about = About { id: text("id")?, version, from: text("from")?, at, signed_until, rehearsal };
        let about = this.about.clone();
        Ok((this, about))
    }

    /// Hands the table's rows over, some at a time, once `note` has seen them.
    pub fn table(
        &mut self,
        table: &Table,
        note: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>,
        mut put: impl FnMut(&[Vec<Value>]) -> Result<(), HouseError>,
    ) -> Result<Moved, HouseError> {
        if self.line()? != heading(table) {
            return Err(HouseError::OtherVersion(self.about.version.clone()));
        }
        let mut digest = Digest::default();
        let (mut rows, mut held) = (Vec::new(), 0);
        while let Some(bytes) = self.row()? {
            let row = value::read(&bytes, table.columns.len()).ok_or_else(|| damaged("a row"))?;
            digest.row(&row)?;
            note(&row)?;
            rows.push(row);
            held += bytes.len();
            if rows.len() >= CHUNK || held >= CHUNK_BYTES {
                put(&rows)?;
                rows.clear();
                held = 0;
            }
        }
        if !rows.is_empty() {
            put(&rows)?;
        }
        let moved = digest.finish(table.name);
        if self.line()? != json!({ "rows": moved.rows, "sha256": moved.sha256 }) {
            return Err(damaged(&format!("table {} is not what it was when it was written", table.name)));
        }
        Ok(moved)
    }

    pub fn end(mut self, tables: usize) -> Result<(), HouseError> {
        let whole = std::mem::take(&mut self.whole).finalize();
        let mut line = self.line()?;
        let seal = line.as_object_mut().and_then(|line| line.remove("hmac")).unwrap_or_default();
        if line != json!({ "tables": tables, "sha256": hex(&whole) }) {
            return Err(damaged("its last line"));
        }
        // Whoever changes the file can put its hashes right, but not this.
        if !self.key.has_sealed(&whole, seal.as_str().unwrap_or_default()) {
            return Err(HouseError::Changed);
        }
        match self.from.fill_buf()? {
            [] => Ok(()),
            _ => Err(damaged("something comes after its last line")),
        }
    }

    fn row(&mut self) -> Result<Option<Vec<u8>>, HouseError> {
        let mut len = [0; 4];
        self.from.read_exact(&mut len).map_err(cut_off)?;
        self.whole.update(len);
        match usize::try_from(u32::from_be_bytes(len)) {
            Ok(0) => Ok(None),
            Ok(len) if len <= ROW_MAX => {
                let mut bytes = vec![0; len];
                self.from.read_exact(&mut bytes).map_err(cut_off)?;
                self.whole.update(&bytes);
                Ok(Some(bytes))
            }
            _ => Err(damaged("a row that is too long")),
        }
    }

    fn line(&mut self) -> Result<Json, HouseError> {
        let mut line = Vec::new();
        self.from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Err(damaged("it ends too early"));
        }
        self.whole.update(&line);
        serde_json::from_slice(&line).map_err(|_| damaged("a line that can't be read"))
    }
}

fn heading(table: &Table) -> Json {
    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    json!({ "table": table.name, "columns": columns })
}

fn damaged(what: &str) -> HouseError {
    HouseError::Damaged(what.to_owned())
}

fn cut_off(e: io::Error) -> HouseError {
    if e.kind() == io::ErrorKind::UnexpectedEof { damaged("it ends too early") } else { e.into() }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
