//! One commit for all that waits, and the order of commit, sink and answer.

use rusqlite::OpenFlags;

use super::*;

#[tokio::test]
async fn what_waits_shares_one_commit() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let calls: Vec<_> = (1..=50).map(|n| insert(&store, n)).collect();
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    // The one that held the writer, and the fifty.
    assert_eq!(store.committed(), Committed { commits: 2, calls: 51 });
    assert_eq!(*room.told.0.lock().unwrap(), (1..=50).collect::<Vec<_>>(), "in commit order");
}

/// Looks into the file, by a connection of its own, whenever it is told of a session.
struct Checks(std::path::PathBuf, Mutex<Vec<bool>>);

impl ChangeSink for Checks {
    fn apply(&self, change: Change) {
        let Change::Put(s) = change else { return };
        let db = Connection::open_with_flags(&self.0, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let kept = db.query_row("SELECT count(*) FROM sessions WHERE id = ?1", [s.id.0], |r| r.get::<_, i64>(0));
        self.1.lock().unwrap().push(kept.unwrap() == 1);
    }
}

#[tokio::test]
async fn committed_then_applied_then_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    let checks = Arc::new(Checks(path.clone(), Mutex::default()));
    let store = Arc::new(Sqlite::open(&path, Arc::clone(&checks) as _, Options::default()).unwrap());
    for n in 1..=5 {
        insert(&store, n).await.unwrap().unwrap();
        assert_eq!(checks.1.lock().unwrap().len(), usize::from(n), "applied before the answer");
    }
    assert_eq!(*checks.1.lock().unwrap(), [true; 5], "committed before it was applied");
}

#[tokio::test]
async fn the_writer_is_as_durable_as_sqlite_can_be() {
    let room = Room::new();
    let store = room.open(Options::default());
    let pragmas = run(&store, |work| {
        let text = |name: &str| work.db.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, String>(0));
        let number = |name: &str| work.db.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i64>(0));
        Ok((text("journal_mode")?, number("synchronous")?, number("fullfsync")?))
    });
    assert_eq!(pragmas.await.unwrap().unwrap(), ("wal".into(), 2, 1), "2 is FULL");
}

#[tokio::test]
async fn a_login_passes_between_two_steps_of_a_sweep() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let seen = (0..5_000).map(|n| (SessionId([1; 16]), Uptime(n))).collect();
    let sweep = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.touched(seen, Timestamp(1)).await }
    });
    settle().await;
    let login = insert(&store, 1);
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap();
    login.await.unwrap().unwrap();
    assert!(!sweep.is_finished(), "the login came later, and did not wait for all of it");
    sweep.await.unwrap().unwrap();
}

#[tokio::test]
async fn reads_do_not_wait_for_the_writer_and_are_bounded_too() {
    let room = Room::new();
    let store = room.open(Options { readers: 1, read_queue: 1, ..Options::default() });
    insert(&store, 1).await.unwrap().unwrap();
    let (go, held) = hold(&store).await;
    assert_eq!(kept(&store).await, [1]);
    let (release, wait) = mpsc::channel::<()>();
    let (there, arrived) = oneshot::channel();
    let slow = store.start_read(move |_| {
        there.send(()).unwrap();
        let _ = wait.recv();
        Ok(())
    });
    arrived.await.unwrap();
    let next = store.start_read(|_| Ok(()));
    let e = store.start_read(|_| Ok(())).unwrap_err();
    assert!(e.retry, "{e:?}");
    release.send(()).unwrap();
    slow.unwrap().await.unwrap().unwrap();
    next.unwrap().await.unwrap().unwrap();
    go.send(()).unwrap();
    held.await.unwrap();
}

#[tokio::test]
async fn readers_can_not_write() {
    let room = Room::new();
    let store = room.open(Options::default());
    let write = store.read(|db| db.execute("UPDATE meta SET downtime_ms = 1", [])).await;
    assert!(write.is_err(), "{write:?}");
}
