//! Guarantee 2 at the gateway, over nodes: a stream ends when its session has ended at another node, goes on when something else about the
//! session changed, and ends where nobody can say.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::fleet::{Fleet, MAX_STALE, Session, Shape, route_to};
use crate::link::State;

/// Beyond `max_stale`: what cutting and noticing takes on a machine that does other things.
const NOTICED: i64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_ends_with_its_session() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tables = route_to(listener.local_addr().unwrap(), "/events", "drop");
    tokio::spawn(events(listener));
    let fleet = Fleet::with(Shape { tables: &tables, ..Shape::default() }).await;
    let [kicked, other] = [fleet.login(0, false).await, fleet.login(2, false).await];
    let (first, second) = (stream(&fleet, 1, &kicked).await, stream(&fleet, 1, &other).await);

    // A change of another kind: it is looked at again, and goes on.
    let refreshed = fleet.refresh(2, &other.token, "a-refresh-at-another-node-0123456789").await.unwrap();
    assert_eq!(refreshed.0, 200);
    assert!(fleet.kick(0, &kicked.id, "").await);
    let answered = fleet.now();
    let ended = first.await.unwrap();
    assert!(ended - answered <= MAX_STALE + NOTICED, "{} ms after the kick", ended - answered);
    tokio::time::sleep(Duration::from_millis(MAX_STALE.unsigned_abs())).await;
    assert!(!second.is_finished(), "nobody kicked this one");

    // Cut off, a node can't know.
    let since = fleet.now();
    fleet.links[1].iter().for_each(|link| link.set(State::Silent));
    let ended = second.await.unwrap();
    assert!(ended - since <= MAX_STALE + NOTICED, "{} ms after the last news", ended - since);
    fleet.links[1].iter().for_each(|link| link.set(State::Open));
    // And when it can again, it serves.
    for _ in 0..100 {
        if fleet.through(1, "/events", &other.token).await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the node doesn't come back");
}

/// A stream at a node; answers when it ended.
async fn stream(fleet: &Arc<Fleet>, node: usize, session: &Session) -> JoinHandle<i64> {
    let mut answer = fleet.through(node, "/events", &session.token).await;
    assert_eq!(answer.status(), 200);
    answer.chunk().await.unwrap().unwrap();
    let fleet = fleet.clone();
    tokio::spawn(async move {
        while let Ok(Some(_)) = answer.chunk().await {}
        fleet.now()
    })
}

/// A back end that tells of something now and then, for ever.
async fn events(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let begun = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            let mut sent = stream.write_all(begun).await;
            while sent.is_ok() {
                sent = stream.write_all(b"8\r\ndata: 1\n\r\n").await;
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        });
    }
}
