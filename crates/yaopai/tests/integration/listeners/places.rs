//! `listen.max_connections`: who holds a place, and for how long.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use yaopai::config::Address;
use yaopai::listen::{self, Answer, Bound, Limits, Peer};

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

/// Answers without an end.
struct Endless;

impl Answer for Endless {
    type Future = std::future::Ready<http::Response<Body>>;

    fn answer(&self, _: Peer, _: http::Request<hyper::body::Incoming>) -> Self::Future {
        let pieces = futures_util::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 16 * 1024])));
        std::future::ready(http::Response::new(Body::from_stream(pieces)))
    }
}

/// Whoever takes little at a time takes something. The kernel says that it has room again only when a third of its buffer is free: at
/// this rate that takes longer than an answer may stand still. Slow: real buffers, so real time, but less of it than 20 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_slowly_keeps_the_place_and_who_stops_loses_it() {
    let limits = Limits { write_time: seconds(4), ..Limits::strangers(1) };
    let bound = Bound::open("listen.public", &Address::Tcp("127.0.0.1:0".parse().unwrap())).await.unwrap();
    let address = bound.address();
    let (_running, stop) = tokio::sync::watch::channel(false);
    tokio::spawn(listen::serve(bound, limits, Arc::new(Endless), stop));
    // A small buffer over there, or it would take much before its reader does.
    let (Address::Tcp(to), socket) = (&address, TcpSocket::new_v4().unwrap()) else { panic!("{address}") };
    socket.set_recv_buffer_size(2304).unwrap();
    let mut slow = socket.connect(*to).await.unwrap();
    slow.write_all(REQUEST).await.unwrap();
    let mut next = connect(&address).await;
    next.write_all(REQUEST).await.unwrap();
    let mut first = [0; 1];
    let reads = async {
        loop {
            slow.read_exact(&mut [0; 200]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = reads => unreachable!(),
        _ = next.read_exact(&mut first) => panic!("the place was given to the next"),
        () = tokio::time::sleep(seconds(13)) => {}
    }
    timeout(seconds(12), next.read_exact(&mut first)).await.expect("the place is free").unwrap();
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
