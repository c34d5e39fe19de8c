//! `listen.max_connections`: who holds a place, and for how long.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use yaopai::config::Address;

use super::start;
use crate::support::seconds;

const REQUEST: &[u8] = b"GET /yaopai/v1/session HTTP/1.1\r\nHost: shop.example\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET /yaopai/v1/session HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";

async fn connect(address: &Address) -> TcpStream {
    let Address::Tcp(address) = address else { panic!("{address}") };
    TcpStream::connect(address).await.unwrap()
}

/// A connection with one answered request: it is kept, and holds a place.
async fn keep_alive(address: &Address) -> TcpStream {
    let mut stream = connect(address).await;
    stream.write_all(REQUEST).await.unwrap();
    let mut start = [0u8; 12];
    timeout(seconds(10), stream.read_exact(&mut start)).await.expect("there is a place").unwrap();
    assert!(start.starts_with(b"HTTP/1.1 4"), "{}", start.escape_ascii());
    stream
}

/// Else clients that keep their connections would hold up a stop for as long as they like.
#[tokio::test]
async fn a_stop_needs_no_free_place() {
    const PLACES: usize = 3;
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, &format!("max_connections = {PLACES}")).await.unwrap();
    let mut held = Vec::new();
    for listener in [&server.public, &server.check, &server.admin] {
        for _ in 0..PLACES {
            held.push(keep_alive(listener).await);
        }
        // One more waits in the kernel's queue.
        held.push(connect(listener).await);
    }
    // 10 s are for requests that are open; here none is.
    timeout(seconds(12), server.stop()).await.expect("it stops");
    for mut stream in held {
        let closed = timeout(seconds(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "a connection outlives its server");
    }
}

/// Slow: it really waits for the 20 s after which an answer that nobody takes is given up. The sockets' buffers are the
/// kernel's, so no clock of ours can move this.
#[tokio::test]
async fn who_does_not_read_the_answers_loses_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder, "max_connections = 1").await.unwrap();
    let mut deaf = connect(&server.public).await;
    // Requests, until the server takes no more of them: all buffers between us are full of answers then.
    let many = REQUEST.repeat(200);
    while let Ok(sent) = timeout(Duration::from_millis(500), deaf.write(&many)).await {
        sent.unwrap();
    }
    let mut next = connect(&server.public).await;
    next.write_all(LAST_REQUEST).await.unwrap();
    let mut answer = String::new();
    let early = timeout(seconds(5), next.read_to_string(&mut answer)).await;
    assert!(early.is_err(), "the one place is held: {answer}");
    timeout(seconds(25), next.read_to_string(&mut answer)).await.expect("the place is free again").unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    // It is cut, not only passed over.
    let cut = timeout(seconds(5), async { while deaf.write(&many).await.is_ok() {} }).await;
    assert!(cut.is_ok(), "it still takes requests");
}
