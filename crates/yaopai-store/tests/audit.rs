//! The audit log of a file against whoever can write to the file: each attack by SQL, from outside, and what a look at the file says.

#![allow(clippy::unwrap_used)]

mod conformance;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use yaopai_core::audit::{Checkpoint, Fault, Head, Scribe, Verified, Verifier};
use yaopai_core::ports::{AuditStore as _, Erase, Store as _, Which};
use yaopai_core::session::EndReason;
use yaopai_store::{AuditLog, Options, Sqlite};

use conformance::audit::{rows, scribe, scribe_of};
use conformance::*;

struct Written {
    folder: tempfile::TempDir,
    scribe: Arc<Scribe>,
    heads: Vec<Head>,
}

impl Written {
    /// Eight rows, of two people and three ends; a head was exported after each.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (scribe, _) = scribe();
        let store =
            Sqlite::open(folder.path().join("yaopai.db"), Arc::new(Log::default()), Options::default()).unwrap();
        store.begin_audit(scribe.clone());
        for n in 1..=5 {
            opened(store.open(login_as(n, "o", "u")).await.unwrap());
            if n > 2 {
                store.end(&main(), &Which::One(id(n)), EndReason::Kicked, T0).await.unwrap();
            }
        }
        let heads: Vec<Head> = rows(&store).await.iter().map(|kept| kept.row.head()).collect();
        assert_eq!(heads.len(), 8);
        store.close().await;
        Self { folder, scribe, heads }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("yaopai.db")
    }

    /// Whoever can write to the file drops the triggers first.
    fn attack(&self, sql: &str) {
        let db = Connection::open(self.path()).unwrap();
        db.execute_batch("DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_cut")
            .unwrap();
        db.execute_batch(sql).unwrap();
    }

    fn verify(&self, heads: &[Head]) -> Result<Verified, Fault> {
        verify(&self.path(), &self.scribe, heads)
    }
}

fn verify(path: &Path, scribe: &Scribe, heads: &[Head]) -> Result<Verified, Fault> {
    let file = AuditLog::of_file(path).unwrap();
    let begin = |c: Option<Checkpoint>| Verifier::new(scribe, c.as_ref(), heads.iter().copied());
    file.visit(AuditLog::EMBEDDED, begin, |verifier, kept| verifier.row(&kept.row)).unwrap().and_then(Verifier::end)
}

#[tokio::test]
async fn whole() {
    let log = Written::new().await;
    let verified = log.verify(&log.heads).unwrap();
    assert_eq!((verified.rows, verified.heads, verified.head), (8, 8, log.heads[7]));
    assert_eq!(verify(&log.path(), &scribe_of(8).0, &[]), Err(Fault::Edited(1)), "another master key proves nothing");
}

#[tokio::test]
async fn a_cut() {
    let log = Written::new().await;
    log.attack("DELETE FROM audit WHERE seq > 6");
    assert_eq!(log.verify(&[]).map(|v| v.rows), Ok(6), "what is left is whole; only a head says that there was more");
    assert_eq!(log.verify(&log.heads[7..]), Err(Fault::CutOff { last: 6, exported: 8 }));
    log.attack("DELETE FROM audit WHERE seq IN (3, 4)");
    assert_eq!(log.verify(&[]), Err(Fault::Gap { after: 2, found: 5 }));
    log.attack("DELETE FROM audit WHERE seq < 3");
    assert_eq!(log.verify(&[]), Err(Fault::Gap { after: 0, found: 5 }));
    log.attack("DELETE FROM audit");
    assert_eq!(log.verify(&log.heads[..1]), Err(Fault::CutOff { last: 0, exported: 1 }));
}

#[tokio::test]
async fn an_edit_of_each_column() {
    for edit in [
        "at = at + 1",
        "realm = 'other'",
        "realm = NULL",
        "clear = CAST(substr(clear, 1, 1) || x'06' || substr(clear, 3) AS BLOB)",
        "clear = CAST(clear || x'00' AS BLOB)",
        "person = person + 1",
        "person = NULL",
        "sealed = zeroblob(length(sealed))",
        "sealed = NULL",
        "mac = zeroblob(32)",
        "mac = (SELECT mac FROM audit WHERE seq = 2)",
    ] {
        let log = Written::new().await;
        log.attack(&format!("UPDATE audit SET {edit} WHERE seq = 4"));
        assert_eq!(log.verify(&[]), Err(Fault::Edited(4)), "{edit}");
    }
    let log = Written::new().await;
    log.attack("UPDATE audit SET seq = 99 WHERE seq = 8");
    assert_eq!(log.verify(&[]), Err(Fault::Gap { after: 7, found: 99 }));
    log.attack("UPDATE audit SET seq = -1 WHERE seq = 1; UPDATE audit SET seq = 1 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = -1");
    assert_eq!(log.verify(&[]), Err(Fault::Edited(1)), "two rows that changed places");
}

#[tokio::test]
async fn a_tail_written_anew() {
    let log = Written::new().await;
    // Behind row 5, by who has another key and by who has ours, as a server would.
    for (master, expected) in [(8, Err(Fault::Edited(6))), (7, Ok(9))] {
        log.attack("DELETE FROM audit WHERE seq > 5; UPDATE sessions SET ended_at = NULL, ended_reason = NULL");
        let store = Sqlite::open(log.path(), Arc::new(Log::default()), Options::default()).unwrap();
        store.begin_audit(scribe_of(master).0);
        for n in 1..=4 {
            store.end(&main(), &Which::One(id(n)), EndReason::Kicked, T0).await.unwrap();
        }
        store.close().await;
        assert_eq!(log.verify(&[]).map(|v| v.rows), expected, "master key {master}");
    }
    assert_eq!(log.verify(&log.heads[..5]).map(|v| v.heads), Ok(5), "not since the last head that was exported");
    assert_eq!(log.verify(&log.heads), Err(Fault::Rewritten(6)));
}

#[tokio::test]
async fn the_checkpoint() {
    let purged = async || {
        let log = Written::new().await;
        let store = Sqlite::open(log.path(), Arc::new(Log::default()), Options::default()).unwrap();
        store.begin_audit(log.scribe.clone());
        assert_eq!(store.purge_audit(later(100 * MINUTE), 5).await.unwrap(), 5);
        store.close().await;
        log
    };
    let log = purged().await;
    let verified = log.verify(&log.heads).unwrap();
    assert_eq!((verified.rows, verified.heads, verified.older), (3, 4, 4));
    log.attack("UPDATE audit_checkpoint SET rows = 4");
    assert_eq!(log.verify(&[]), Err(Fault::Checkpoint(5)));
    log.attack("DELETE FROM audit_checkpoint");
    assert_eq!(log.verify(&[]), Err(Fault::Gap { after: 0, found: 6 }));
    for edit in ["seq = 6", "head = zeroblob(32)", "at = at + 1", "mac = head"] {
        let log = purged().await;
        log.attack(&format!("UPDATE audit_checkpoint SET {edit}"));
        assert!(matches!(log.verify(&[]), Err(Fault::Checkpoint(_))), "{edit}");
    }
    // Everything, and the checkpoint too: an empty log is whole, and no head is in it.
    log.attack("DELETE FROM audit");
    assert_eq!(log.verify(&log.heads[7..]), Err(Fault::CutOff { last: 0, exported: 8 }));
}

#[tokio::test]
async fn an_older_copy_of_the_database() {
    let log = Written::new().await;
    let old = log.folder.path().join("old.db");
    yaopai_store::sqlite::copy(&log.path(), &old).unwrap();
    let store = Sqlite::open(log.path(), Arc::new(Log::default()), Options::default()).unwrap();
    store.begin_audit(log.scribe.clone());
    store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    let head = store.audit_head().await.unwrap().unwrap();
    // While the store has it open.
    assert_eq!(log.verify(&[head]).map(|v| v.rows), Ok(9));
    assert_eq!(verify(&old, &log.scribe, &[head]), Err(Fault::CutOff { last: 8, exported: 9 }));
    // Put back in its place, and worked on with: its row 9 is another one.
    store.close().await;
    let store = Sqlite::open(&old, Arc::new(Log::default()), Options::default()).unwrap();
    store.begin_audit(log.scribe.clone());
    store.end(&main(), &Which::One(id(2)), EndReason::Kicked, T0).await.unwrap();
    store.close().await;
    assert_eq!(verify(&old, &log.scribe, &[head]), Err(Fault::Rewritten(9)));
}

#[tokio::test]
async fn an_erased_key_is_nowhere_in_the_file() {
    let log = Written::new().await;
    let salt: [u8; 16] =
        Connection::open(log.path()).unwrap().query_row("SELECT salt FROM audit_keys", [], |r| r.get(0)).unwrap();
    let holds = || {
        let files =
            std::fs::read_dir(log.folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(16).any(|some| some == salt))
    };
    assert!(holds());
    let store = Sqlite::open(log.path(), Arc::new(Log::default()), Options::default()).unwrap();
    store.begin_audit(log.scribe.clone());
    assert_eq!(store.erase(Erase::User(main(), user("u"))).await.unwrap(), 1);
    store.close().await;
    assert!(!holds());
    assert_eq!(log.verify(&log.heads).map(|v| v.rows), Ok(9));
}

#[tokio::test]
async fn our_own_mistakes_are_refused() {
    let log = Written::new().await;
    let db = Connection::open(log.path()).unwrap();
    for sql in ["UPDATE audit SET at = 0", "DELETE FROM audit WHERE seq = 1", "DELETE FROM audit"] {
        let refused = db.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains("never changed") || refused.contains("behind a checkpoint"), "{refused}");
    }
}
