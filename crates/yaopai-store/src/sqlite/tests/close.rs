//! The end.

use super::*;

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
