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

/// How the name of a copy's own folder begins; the process' number follows.
const FOLDER: &str = "yaopai-dry-run-";
/// How the name of a guard ends: who makes a copy has it locked.
const GUARD: &str = "-dry-run-guard";

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
                let folder = own_folder(&std::env::temp_dir())?;
                let mut scratch = Self::beside(&folder.join(&*cluster.node.replace('/', "_")))?;
                sweep(&std::env::temp_dir(), &folder);
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
        let lock = File::create(beside(GUARD)).map_err(cannot)?;
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

/// How many names are tried for a folder.
const NAMES: u32 = 100;

/// Makes one that nobody else can look into. In a container the one that was killed had this process's number, too.
fn own_folder(among: &Path) -> anyhow::Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    for n in 0..NAMES {
        let folder = among.join(format!("{FOLDER}{}-{n}", std::process::id()));
        match builder.create(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(anyhow!("no copy can be made at {}: {e}", folder.display())),
        }
    }
    Err(anyhow!("no copy can be made in {}: remove the folders {FOLDER}… there", among.display()))
}

/// Removes what dry runs that were killed have left in `among`: folders of ours (as `own` is) whose guard nobody has locked. A copy holds what the
/// database holds.
fn sweep(among: &Path, own: &Path) {
    let Ok(folders) = std::fs::read_dir(among) else { return };
    for folder in folders.flatten() {
        let path = folder.path();
        let is_ones = folder.file_name().to_string_lossy().starts_with(FOLDER) && path != own;
        if is_ones
            && is_ours(&path, own)
            && is_left(&path)
            && let Err(e) = std::fs::remove_dir_all(&path)
        {
            tracing::warn!(error = %e, folder = %path.display(), "what is left of a dry run can't be removed");
        }
    }
}

/// Is it a folder, no link to one, of whoever made the other?
fn is_ours(path: &Path, own: &Path) -> bool {
    let (Ok(path), Ok(own)) = (path.symlink_metadata(), own.symlink_metadata()) else { return false };
    #[cfg(unix)]
    let same = std::os::unix::fs::MetadataExt::uid(&path) == std::os::unix::fs::MetadataExt::uid(&own);
    #[cfg(not(unix))]
    let same = own.is_dir();
    path.is_dir() && same
}

/// Has it a guard that nobody has locked? One without a guard was only just made, or is empty.
fn is_left(folder: &Path) -> bool {
    let Ok(mut files) = std::fs::read_dir(folder) else { return false };
    files.any(|file| {
        let guard = file.ok().filter(|file| file.file_name().to_string_lossy().ends_with(GUARD));
        guard.and_then(|guard| File::open(guard.path()).ok()).is_some_and(|guard| guard.try_lock().is_ok())
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_dry_run_left_goes_at_the_next_one() {
        let among = tempfile::tempdir().unwrap();
        let made = |name: &str, guard: bool| {
            let folder = among.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("a-dry-run"), "rows").unwrap();
            let guard = guard.then(|| File::create(folder.join(format!("a{GUARD}"))).unwrap());
            (folder, guard)
        };
        let (killed, _) = made("yaopai-dry-run-1", true);
        let (running, guard) = made("yaopai-dry-run-2", true);
        guard.as_ref().unwrap().try_lock().unwrap();
        let (beginning, _) = made("yaopai-dry-run-3", false);
        let (own, _) = made("yaopai-dry-run-4", true);
        let (others, _) = made("anybody-s-dry-run-5", true);
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join(format!("a{GUARD}")), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(elsewhere.path(), among.path().join("yaopai-dry-run-6")).unwrap();
        let mine = own_folder(among.path()).unwrap();
        assert_ne!(own_folder(among.path()).unwrap(), mine, "another of the same number");
        sweep(among.path(), &own);
        assert!(!killed.exists());
        for stays in [&running, &beginning, &own, &others, &elsewhere.path().to_owned()] {
            assert!(stays.exists(), "{}", stays.display());
        }
        drop(guard);
        sweep(among.path(), &own);
        assert!(!running.exists());
    }
}
