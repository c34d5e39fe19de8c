//! What the engine does when something goes wrong. Commands here are raw SQL, run by the engine's own writer.

use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, mpsc};

use rusqlite::OpenFlags;
use yaopai_core::ids::{AppName, Realm};
use yaopai_core::ports::{Change, DataKey, Store as _, StoreError};
use yaopai_core::session::{Device, KeyKind, Secrets, Session};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::*;

/// Notes which sessions it was told of.
#[derive(Default)]
struct Told(Mutex<Vec<u8>>);

impl ChangeSink for Told {
    fn apply(&self, change: Change) {
        let n = match change {
            Change::Put(s) => s.id.0[15],
            Change::Ended(id) => 100 + id.0[15],
        };
        self.0.lock().unwrap().push(n);
    }
}

struct Room {
    folder: tempfile::TempDir,
    told: Arc<Told>,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Arc::default() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("yaopai.db")
    }

    fn open(&self, options: Options) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(self.path(), Arc::clone(&self.told) as _, options).unwrap())
    }
}

fn session(n: u8) -> Session {
    Session {
        id: SessionId([n; 16]),
        realm: Realm::from("main"),
        app: AppName::from("shop"),
        identity: IdentityId([1; 16]),
        openid: "o".into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: Timestamp(1),
        vouched_at: Timestamp(1),
        absolute_at: Timestamp(9),
        last_seen: Uptime(1),
        key: KeyKind::Bearer,
        secrets: Secrets::new(SecretHash([n; 32]), false),
        ended: None,
    }
}

/// Holds the writer until it is let go, so that whatever is asked meanwhile makes one batch.
async fn hold(store: &Arc<Sqlite>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (go, wait) = mpsc::channel::<()>();
    let (there, arrived) = oneshot::channel();
    let (store, mut there) = (Arc::clone(store), Some(there));
    let held = tokio::spawn(async move {
        let hold = move |_: &mut Work<'_>| {
            there.take().unwrap().send(()).unwrap();
            let _ = wait.recv();
            Ok(())
        };
        store.write(hold).await.unwrap();
    });
    arrived.await.unwrap();
    (go, held)
}

/// A command that inserts a session and says so.
fn insert(store: &Arc<Sqlite>, n: u8) -> tokio::task::JoinHandle<StoreResult<u8>> {
    run(store, move |work| {
        rows::insert(work.db, &session(n))?;
        work.changes.push(Change::Put(Box::new(session(n))));
        Ok(n)
    })
}

fn run<T: Send + 'static>(
    store: &Arc<Sqlite>,
    command: impl FnMut(&mut Work<'_>) -> Done<T> + Send + 'static,
) -> tokio::task::JoinHandle<StoreResult<T>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.write(command).await })
}

async fn kept(store: &Sqlite) -> Vec<u8> {
    store
        .read(|db| rows::all(db, "SELECT id FROM sessions ORDER BY id", [], rows::session_id))
        .await
        .unwrap()
        .iter()
        .map(|id| id.0[0])
        .collect()
}

/// Lets spawned tasks run up to where they wait.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

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

#[tokio::test]
async fn a_bad_command_fails_alone() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let mut good = vec![insert(&store, 1), insert(&store, 2)];
    let bad = run(&store, |work| Ok(work.db.execute("INSERT INTO nowhere VALUES (1)", [])?));
    let twice = insert(&store, 1);
    let half = run(&store, |work| {
        rows::insert(work.db, &session(9))?;
        work.changes.push(Change::Put(Box::new(session(9))));
        Ok(work.db.execute("INSERT INTO nowhere VALUES (1)", [])?)
    });
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let panics = run(&store, move |_| -> Done<()> {
        counted.fetch_add(1, Ordering::SeqCst);
        panic!("a bug of ours (this is a test)");
    });
    good.push(insert(&store, 3));
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap();
    for call in good {
        call.await.unwrap().unwrap();
    }
    assert!(!bad.await.unwrap().unwrap_err().retry);
    assert!(!twice.await.unwrap().unwrap_err().retry);
    assert!(!half.await.unwrap().unwrap_err().retry);
    assert!(!panics.await.unwrap().unwrap_err().retry);
    assert!(runs.load(Ordering::SeqCst) <= 2);
    assert_eq!(kept(&store).await, [1, 2, 3], "no more, no less, and nothing of the half");
    assert_eq!(*room.told.0.lock().unwrap(), [1, 2, 3], "told once, in spite of the second run");
    insert(&store, 4).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refusal_fails_nobody_else() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let good = insert(&store, 1);
    let refused = store.reserve_seals(7, 1);
    let (refused, ()) = tokio::join!(refused, async {
        settle().await;
        go.send(()).unwrap();
    });
    held.await.unwrap();
    assert!(!refused.unwrap_err().retry);
    good.await.unwrap().unwrap();
    assert_eq!(store.committed().commits, 2, "no second try");
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing() {
    let room = Room::new();
    let store = room.open(Options::default());
    insert(&store, 1).await.unwrap().unwrap();
    let limit = |pages: &'static str| {
        run(&store, move |work| {
            let sql = format!("PRAGMA max_page_count = {pages}");
            Ok(work.db.query_row(&sql, [], |r| r.get::<_, i64>(0))?)
        })
    };
    limit("1").await.unwrap().unwrap();
    let (go, held) = hold(&store).await;
    let fits = insert(&store, 2);
    let too_much =
        run(&store, |work| upkeep::add_data_key(work, &DataKey { id: 1, sealed: vec![7; 1 << 20], reserved: 0 }));
    let after = insert(&store, 3);
    settle().await;
    go.send(()).unwrap();
    held.await.unwrap();
    for failed in
        [fits.await.unwrap().map(|_| ()), too_much.await.unwrap().map(|_| ()), after.await.unwrap().map(|_| ())]
    {
        let e = failed.unwrap_err();
        assert!(e.retry, "{e:?}: once there is room again");
    }
    assert_eq!(kept(&store).await, [1]);
    assert_eq!(*room.told.0.lock().unwrap(), [1]);
    limit("1000000").await.unwrap().unwrap();
    insert(&store, 3).await.unwrap().unwrap();
    assert_eq!(kept(&store).await, [1, 3]);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let room = Room::new();
    let store = room.open(Options { queue: 2, ..Options::default() });
    let (go, held) = hold(&store).await;
    let waiting = [insert(&store, 1), insert(&store, 2)];
    settle().await;
    let e = insert(&store, 3).await.unwrap().unwrap_err();
    assert!(e.retry, "{e:?}");
    go.send(()).unwrap();
    held.await.unwrap();
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert_eq!(kept(&store).await, [1, 2]);
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
async fn closing_finishes_what_is_queued() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let calls: Vec<_> = (1..=20).map(|n| insert(&store, n)).collect();
    settle().await;
    let closing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.close().await }
    });
    settle().await;
    go.send(()).unwrap();
    closing.await.unwrap();
    held.await.unwrap();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let late: [StoreError; 2] =
        [insert(&store, 21).await.unwrap().unwrap_err(), store.load(SessionId([1; 16])).await.unwrap_err()];
    assert!(late.iter().all(|e| !e.retry), "{late:?}");
    assert!(!room.folder.path().join("yaopai.db-wal").exists(), "checkpointed whole");
    store.close().await;
    // The lock is gone although the engine is still there.
    let again = room.open(Options::default());
    assert_eq!(kept(&again).await.len(), 20);
}

#[tokio::test]
async fn dropping_finishes_what_is_queued() {
    let room = Room::new();
    let store = room.open(Options::default());
    let (go, held) = hold(&store).await;
    let (job, answer) = writer::job(|work: &mut Work<'_>| Ok(rows::insert(work.db, &session(1))?));
    store.writer.submit(job).unwrap();
    // A caller that has gone: its command stands all the same.
    let (job, gone) = writer::job(|work: &mut Work<'_>| Ok(rows::insert(work.db, &session(2))?));
    store.writer.submit(job).unwrap();
    drop(gone);
    go.send(()).unwrap();
    held.await.unwrap();
    drop(store);
    answer.await.unwrap().unwrap();
    assert!(!room.folder.path().join("yaopai.db-wal").exists());
    assert_eq!(kept(&room.open(Options::default())).await, [1, 2]);
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
async fn another_programs_lock_passes() {
    let room = Room::new();
    let store = room.open(Options::default());
    let other = Connection::open(room.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let call = insert(&store, 1);
    settle().await;
    other.execute_batch("COMMIT").unwrap();
    call.await.unwrap().unwrap();
}
