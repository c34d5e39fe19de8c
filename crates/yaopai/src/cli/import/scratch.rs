//! Where a dry run happens: on a copy of the database, so that its report is the real one's, whatever the rows of the file do to each
//! other, and the database itself is only read. Of an embedded one it lies beside it; of PostgreSQL in a folder for temporary files, as an
//! embedded one: both decide alike.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use yaopai_store::sqlite;

use crate::cli::house;
use crate::config::{Config, Database};

/// A copy that goes when it is dropped, or at the next dry run after a kill.
pub struct Scratch {
    path: PathBuf,
    /// Its own folder, that goes with it.
    folder: Option<PathBuf>,
    /// Keeps a second dry run from this one's copy. The file stays: removed, it would lock nobody out who has it open.
    _lock: File,
}

impl Scratch {
    /// Copies the database, or makes room for a new one if there is none.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        match &config.database {
            Database::Embedded(path) => {
                let scratch = Self::beside(path)?;
                if path.exists() {
                    sqlite::copy(path, &scratch.path)?;
                }
                Ok(scratch)
            }
            Database::Cluster(cluster) => {
                // A folder of its own, as anybody may write to the one that it is in.
                let folder = std::env::temp_dir().join(format!("yaopai-dry-run-{}", std::process::id()));
                let mut builder = std::fs::DirBuilder::new();
                #[cfg(unix)]
                std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
                builder.create(&folder).map_err(|e| anyhow!("no copy can be made at {}: {e}", folder.display()))?;
                let mut scratch = Self::beside(&folder.join(&*cluster.node.replace('/', "_")))?;
                scratch.folder = Some(folder);
                // Connections have runtimes of their own.
                let copied = std::thread::scope(|scope| scope.spawn(|| house::copy(config, &scratch.path)).join());
                copied.map_err(|_| anyhow!("the copy panicked"))??;
                Ok(scratch)
            }
        }
    }

    fn beside(database: &Path) -> anyhow::Result<Self> {
        let beside = |more: &str| {
            let mut name = OsString::from(database);
            name.push(more);
            PathBuf::from(name)
        };
        let path = beside("-dry-run");
        let cannot = |e: io::Error| anyhow!("no copy can be made at {}: {e}", path.display());
        let lock = File::create(beside("-dry-run-guard")).map_err(cannot)?;
        lock.try_lock().map_err(|_| anyhow!("another dry run is under way"))?;
        let scratch = Self { path: path.clone(), folder: None, _lock: lock };
        scratch.remove();
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
        if let Some(folder) = &self.folder
            && let Err(e) = std::fs::remove_dir_all(folder)
        {
            tracing::warn!(error = %e, folder = %folder.display(), "what is left of a dry run can't be removed");
        }
    }
}
