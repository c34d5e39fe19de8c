//! The write-ahead log stays bounded, although there is always somebody who reads.
#![allow(clippy::unwrap_used)]

mod conformance;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use yaopai_core::jar::Bounds;
use yaopai_core::ports::*;
use yaopai_store::{Options, Sqlite};

use conformance::*;

const MB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn short_readers_that_overlap_for_ever_do_not_let_the_log_grow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    let store = Sqlite::open(&path, Arc::new(Log::default()), Options::default()).unwrap();
    opened(store.open(login(1, "o")).await.unwrap());

    let over = Arc::new(AtomicBool::new(false));
    let readers = std::thread::spawn({
        let (over, path) = (Arc::clone(&over), path.clone());
        move || {
            let open = |_| Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            let [a, b] = [0, 1].map(open);
            let begin = |db: &Connection| {
                db.execute_batch("BEGIN").unwrap();
                db.query_row("SELECT count(*) FROM meta", [], |r| r.get::<_, i64>(0)).unwrap();
            };
            begin(&a);
            while !over.load(Ordering::SeqCst) {
                for (old, new) in [(&a, &b), (&b, &a)] {
                    std::thread::sleep(Duration::from_millis(5));
                    begin(new);
                    old.execute_batch("COMMIT").unwrap();
                }
            }
        }
    });

    let mut largest = 0;
    for n in 0..150 {
        let sealed = vec![n; MB];
        let bounds = Bounds { cookies: 1, bytes: MB };
        let change = JarChange { bounds, ..jar::change(1, vec![jar::cookie(0, &sealed)]) };
        store.put_cookies(change).await.unwrap();
        let wal = std::fs::metadata(folder.path().join("yaopai.db-wal")).unwrap().len();
        largest = largest.max(wal);
    }
    over.store(true, Ordering::SeqCst);
    readers.join().unwrap();
    assert!(largest < 80 << 20, "{} MB", largest >> 20);
}
