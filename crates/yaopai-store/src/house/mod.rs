//! Moving house: everything that must last, from one database to another, of either kind, through one file.
//!
//! ```text
//! "yaopai house\n"
//! {"format":2,…}\n                                    what it is of
//! {"table":"sessions","columns":[…]}\n                for each table
//!   length (4 bytes, the highest first) row           for each row, in the order of its key; then a length of 0
//! {"rows":…,"sha256":"…"}\n                           over the rows with their lengths
//! {"tables":…,"sha256":"…","hmac":"…"}\n              over all before this line, and under a key of the master key's
//! ```
//!
//! Whoever imports it reads all of it in one transaction, reads it back from there, and commits only if each table has the rows and
//! the digest that the file names (docs/decisions/0071), and somebody with the master key has written the file (0080).

mod file;
mod shut;
mod tables;
mod value;

use std::io::{BufRead, Write};

use yaopai_core::house::FileKey;
use yaopai_core::ports::{DataKey, SKEW_MAX};
use yaopai_core::time::Timestamp;

pub use file::{About, Moved};
pub(crate) use shut::Says;
pub use shut::{Mark, Shut};
pub use tables::{Kind, STAY, TABLES, Table};
pub(crate) use value::Value;

/// Rows that are handed over at a time, and how many bytes of them at most.
const CHUNK: usize = 2_000;
const CHUNK_BYTES: usize = 4 << 20;

/// It can't be moved. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// The embedded database.
    #[error(transparent)]
    Sqlite(#[from] crate::OpenError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] crate::PostgresError),
    /// The file, or what reads or writes it.
    #[error("the file: {0}")]
    Io(#[from] std::io::Error),
    /// Somebody still writes.
    #[error("{0}")]
    Running(String),
    /// The database isn't this version's.
    #[error(
        "the database has schema {found}, and this version moves schema {known}: {}",
        if *found < *known { "start this version's server on it once" } else { "use the version that it was last started with" }
    )]
    Schema {
        /// The database's.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Something is there already.
    #[error("the database that it should go into is not empty (table {0}): name an empty one. Nothing was changed")]
    NotEmpty(&'static str),
    /// The file isn't one of ours, or not all of it.
    #[error("it is no export of Yaopai's, or a damaged one: {0}. Nothing was changed")]
    Damaged(String),
    /// Another master key's.
    #[error(
        "it was written under another master key than this configuration's: set master_key to that of the database that it was exported from. \
         Nothing was changed"
    )]
    OtherKey,
    /// It was written by somebody else, or changed by him.
    #[error(
        "somebody has changed it since it was exported: it is whole, but not sealed by the master key. Don't use it: export again, and let nobody \
         write to it on its way. Nothing was changed"
    )]
    Changed,
    /// Another version's.
    #[error(
        "it was written by Yaopai {0}, which keeps other columns: import it with that version, then upgrade. Nothing was changed"
    )]
    OtherVersion(String),
    /// It is not for this, or the data keys don't open.
    #[error("{0}. Nothing was changed")]
    Refused(String),
    /// What was written is not what was read.
    #[error("{0}: what was read back differs from the file: please report it. Nothing was changed")]
    Differs(&'static str),
    /// The database, while it was read or written.
    #[error("the database: {0}. Nothing was changed")]
    Database(String),
    /// The old database doesn't say that it has moved.
    #[error("the database could not be marked as one that has moved: {0}. The file was removed: export again")]
    NotMarked(String),
    /// The database, at the very end.
    #[error(
        "the database gave no answer to the commit ({0}): run it again. If it says that the database is not empty, it is all there"
    )]
    InDoubt(String),
}

/// What a file says of itself. Nothing more of it is looked at: nobody has vouched for it before all of it was read.
///
/// # Errors
/// [`HouseError`].
pub fn about(from: impl BufRead, key: &FileKey) -> Result<About, HouseError> {
    file::Reader::begin(from, key).map(|(_, about)| about)
}

/// A database, as it is at one moment.
pub(crate) trait Readable: Send {
    /// Each row of a table, in order.
    fn each(&self, table: &Table, visit: &mut dyn FnMut(&[Value]) -> Result<(), HouseError>) -> Result<(), HouseError>;
}

/// One that may be left.
pub(crate) trait Leavable: Readable {
    /// The latest time (milliseconds) that the database itself knows of, where other clocks than this machine's were believed.
    fn clock(&self) -> Result<Option<i64>, HouseError>;

    /// Writes that everything has moved, at `at` (milliseconds) to the file of this id. Until it is let go of nobody starts on it.
    fn mark(self: Box<Self>, at: i64, to: &str) -> Result<(), HouseError>;
}

/// What a database that was moved into must know.
pub(crate) struct Settled {
    /// What was signed up to then may have been accepted where a server was alone, and nothing is known of it here. By that server's clock, and
    /// ours: it has certainly been.
    pub here: Timestamp,
    /// The same where there were many nodes, with room for their clocks: it may still have to come.
    pub others: Timestamp,
    /// Of a rehearsal: when the other place was like this.
    pub rehearsal: Option<Timestamp>,
}

/// An empty database, within one transaction.
pub(crate) trait Writable: Readable {
    /// A table that has rows.
    fn occupied(&self) -> Result<Option<&'static str>, HouseError>;

    /// Writes rows.
    fn put(&self, table: &Table, rows: &[Vec<Value>]) -> Result<(), HouseError>;

    /// What a database needs beside its rows before it can be used.
    fn settle(&self, settled: &Settled) -> Result<(), HouseError>;

    /// Makes it last.
    fn commit(self: Box<Self>) -> Result<(), HouseError>;
}

/// A database that is read. While it is there nobody else writes, unless it was opened for a rehearsal.
pub struct Source(pub(crate) Box<dyn Leavable>);

/// An empty database that is about to be written. Nothing lasts before all does.
pub struct Target(pub(crate) Box<dyn Writable>);

impl Source {
    /// Writes all of it, sealed under `key`. `out` is not flushed.
    ///
    /// # Errors
    /// [`HouseError`].
    pub fn export(&self, about: &About, key: &FileKey, out: impl Write) -> Result<Vec<Moved>, HouseError> {
        // Of many nodes each has accepted by its own clock, and the store of nonces by another one.
        let signed_until = self.0.clock()?.map_or(about.at, |clock| clock.max(about.at).saturating_add(SKEW_MAX));
        let mut writer = file::Writer::begin(out, &About { signed_until, ..about.clone() }, key)?;
        for table in TABLES {
            writer.table(table, |row| self.0.each(table, row))?;
        }
        writer.end()
    }

    /// Marks it as one that has moved, once the file is complete and on the disk: no server starts on it any more. It may be exported
    /// again, and [`sqlite::house::undo`](crate::sqlite::house::undo) and PostgreSQL's take the mark off.
    ///
    /// # Errors
    /// [`HouseError`], for a rehearsal too: the file must not be used.
    pub fn mark(self, about: &About) -> Result<(), HouseError> {
        if about.rehearsal || !about.id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(HouseError::NotMarked("a rehearsal, or no id".into()));
        }
        self.0.mark(about.at, &about.id).map_err(|e| match e {
            e @ HouseError::Running(_) => e,
            e => HouseError::NotMarked(e.to_string()),
        })
    }
}

impl Target {
    /// Reads a file into it, reads it back, and makes it last. `key` has sealed it. `opens` is asked whether a data key belongs to who imports; `now` is when.
    /// Answers what the file says of itself, too.
    ///
    /// # Errors
    /// [`HouseError`]: nothing was changed.
    pub fn import(
        self,
        from: impl BufRead,
        key: &FileKey,
        now: Timestamp,
        opens: &dyn Fn(&DataKey) -> Result<(), String>,
    ) -> Result<(About, Vec<Moved>), HouseError> {
        let Self(target) = self;
        if let Some(table) = target.occupied()? {
            return Err(HouseError::NotEmpty(table));
        }
        let (mut reader, about) = file::Reader::begin(from, key)?;
        let mut moved = Vec::with_capacity(TABLES.len());
        let (mut here, mut others) = (now.max(Timestamp(about.at)), Timestamp(about.signed_until));
        for table in TABLES {
            let mut note = |row: &[Value]| match (table.name, row) {
                ("data_keys", [Value::Int(id), Value::Bytes(sealed), Value::Int(reserved)]) => {
                    let id =
                        u32::try_from(*id).map_err(|e| HouseError::Damaged(format!("a data key's number: {e}")))?;
                    let key = DataKey { id, sealed: sealed.clone(), reserved: reserved.unsigned_abs() };
                    opens(&key).map_err(HouseError::Refused)
                }
                ("nodes", [Value::Int(id), _, Value::Int(leased)]) => {
                    let until = if *id == 0 { &mut here } else { &mut others };
                    *until = Timestamp(*leased).max(*until);
                    Ok(())
                }
                _ => Ok(()),
            };
            moved.push(reader.table(table, &mut note, |rows| target.put(table, rows))?);
        }
        reader.end(moved.len())?;
        for (table, expected) in TABLES.iter().zip(&moved) {
            let mut digest = file::Digest::default();
            target.each(table, &mut |row| digest.row(row))?;
            if digest.finish(table.name) != *expected {
                return Err(HouseError::Differs(table.name));
            }
        }
        target.settle(&Settled { here, others, rehearsal: about.rehearsal.then_some(Timestamp(about.at)) })?;
        target.commit()?;
        Ok((about, moved))
    }
}
