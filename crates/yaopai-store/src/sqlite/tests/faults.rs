//! What happens when something goes wrong.

use super::*;

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
        run(&store, |work| Ok(work.db.add_data_key(&DataKey { id: 1, sealed: vec![7; 1 << 20], reserved: 0 })?));
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
