//! Opening a file: what can be wrong with it, and what is said then.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use yaopai_core::ports::{Change, ChangeSink, Store as _};
use yaopai_core::time::{Downtime, Timestamp};
use yaopai_store::{OpenError, Options, Sqlite};

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

fn open(path: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(path, Arc::new(Nobody), Options::default())
}

#[track_caller]
fn refused(path: &Path) -> OpenError {
    match open(path) {
        Err(e) => e,
        Ok(_) => panic!("{} was opened", path.display()),
    }
}

#[test]
fn two_servers_can_not_have_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    let first = open(&path).unwrap();
    let e = refused(&path);
    assert!(matches!(e, OpenError::Locked { .. }), "{e:?}");
    assert!(e.to_string().contains("another process"), "{e}");
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(refused(&link), OpenError::Locked { .. }), "nor under another name");
    }
    drop(first);
    open(&path).unwrap();
}

#[test]
fn a_newer_versions_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    drop(open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    let sql = "INSERT INTO refinery_schema_history SELECT 999, 'later', applied_on, checksum FROM refinery_schema_history \
         WHERE version = 1";
    db.execute(sql, []).unwrap();
    // It says of itself that programs of today don't work on it.
    db.execute("UPDATE meta SET schema = 999, compatible_from = 999", []).unwrap();
    drop(db);
    let before = std::fs::read(&path).unwrap();
    match refused(&path) {
        e @ OpenError::Newer { found: 999, known, .. } => {
            assert!(known < 999);
            assert!(e.to_string().contains("backup"), "{e}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_of_a_build_with_other_migrations_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    drop(open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", []).unwrap();
    drop(db);
    let e = refused(&path);
    assert!(matches!(e, OpenError::Migration { .. }), "{e:?}");
}

#[test]
fn other_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    let notes = "These are notes, and no database. ".repeat(200);
    std::fs::write(&text, &notes).unwrap();
    let e = refused(&text);
    assert!(matches!(e, OpenError::NotADatabase { .. }), "{e:?}");
    assert_eq!(std::fs::read_to_string(&text).unwrap(), notes);

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    let e = refused(&foreign);
    assert!(matches!(e, OpenError::Foreign { .. }), "{e:?}");
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
}

#[test]
fn no_folder_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let e = refused(&folder.path().join("missing/yaopai.db"));
    assert!(matches!(e, OpenError::NoFolder { .. }), "{e:?}");
    assert!(e.to_string().contains("create it"), "{e}");
    assert!(!folder.path().join("missing").exists(), "a slip of the pen makes no new database");
    let inner = folder.path().join("folder");
    std::fs::create_dir(&inner).unwrap();
    let e = refused(&inner);
    assert!(e.to_string().contains("is a folder"), "{e}");
    assert!(!folder.path().join("folder-lock").exists(), "nothing is left beside it");
}

/// Root may write anywhere, so the test takes a folder in which not even root may.
#[cfg(target_os = "linux")]
#[test]
fn not_writable() {
    let e = refused(Path::new("/sys/yaopai.db"));
    assert!(matches!(e, OpenError::NotWritable { .. }), "{e:?}");
    assert!(e.to_string().contains("let this user write"), "{e}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("yaopai.db")).unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.file_name());
        seen += 1;
    }
    assert!(seen >= 4, "the database, its log, its index and the lock");
    drop(store);
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    // Created, marked as ours, and then the power failed.
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "application_id", 0x7961_6f70).unwrap();
    drop(db);
    let store = open(&path).unwrap();
    assert_eq!(store.resume(Timestamp(5)).await.unwrap(), Downtime(0));
}
