//! Where a dry run happens: on a copy of the database beside it, so that its report is the real one's, whatever the rows of
//! the file do to each other, and the database itself is only read.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use yaopai_store::sqlite;

/// A copy that goes when it is dropped, or at the next dry run after a kill.
pub struct Scratch {
    path: PathBuf,
    /// Keeps a second dry run from this one's copy. The file stays: removed, it would lock nobody out who has it open.
    _lock: File,
}

impl Scratch {
    /// Copies a database, or makes room for a new one if there is none.
    pub fn of(database: &Path) -> anyhow::Result<Self> {
        let beside = |more: &str| {
            let mut name = OsString::from(database);
            name.push(more);
            PathBuf::from(name)
        };
        let path = beside("-dry-run");
        let cannot = |e: io::Error| anyhow!("no copy can be made at {}: {e}", path.display());
        let lock = File::create(beside("-dry-run-guard")).map_err(cannot)?;
        lock.try_lock().map_err(|_| anyhow!("another dry run is under way"))?;
        let scratch = Self { path: path.clone(), _lock: lock };
        scratch.remove();
        if database.exists() {
            sqlite::copy(database, &path)?;
        }
        Ok(scratch)
    }

    /// Where it is.
    pub fn path(&self) -> &PathBuf {
        &self.path
    }

    fn remove(&self) {
        for more in ["", "-wal", "-shm", "-lock"] {
            let mut name = self.path.clone().into_os_string();
            name.push(more);
            if let Err(e) = std::fs::remove_file(&name)
                && e.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(error = %e, "what is left of a dry run can't be removed");
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}
