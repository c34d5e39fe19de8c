//! What the listener does with clients that behave badly, and its end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use yaopai_sim::DEFAULT_APPID;

use crate::support::world;

#[tokio::test]
async fn every_answer_is_marked() {
    let world = world().await;
    for path in ["/sns/jscode2session", "/nothing/here", "/_sim/counters", "/_sim/nothing"] {
        let reply = world.send(world.http.get(world.url(path))).await.unwrap();
        assert_eq!(reply.headers["yaopai-sim"], "1", "{path}");
    }
    let reply = world.send(world.http.get(world.url("/nothing/here"))).await.unwrap();
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn a_huge_body_is_refused() {
    let world = world().await;
    for path in ["/cgi-bin/stable_token", "/_sim/code"] {
        let request = world.http.post(world.url(path)).bearer_auth(crate::support::CONTROL_TOKEN);
        let reply = world.send(request.body(vec![b' '; 64 * 1024 + 1])).await.unwrap();
        assert_eq!((reply.status.as_u16(), &reply.headers["yaopai-sim"]), (413, &"1".parse().unwrap()), "{path}");
    }
}

#[tokio::test]
async fn huge_headers_are_refused() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.sim.addr()).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Junk: {}\r\n\r\n", "x".repeat(200 * 1024));
    // The answer may come, and the connection end, before everything is written.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.1 404"), "{answer:?}");
}

/// Time is Tokio's own here and leaps forward whenever nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_client_that_dawdles_over_its_headers_is_cut_off() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.sim.addr()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "still open after 20 s (hyper alone would wait 30)");
}

#[tokio::test]
async fn several_requests_share_a_connection() {
    let world = world().await;
    let mut stream = TcpStream::connect(world.sim.addr()).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /cgi-bin/token HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"}") {
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0);
            seen.extend_from_slice(&buffer[..read]);
        }
        assert!(seen.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(world.calls("token"), 2);
}

#[tokio::test]
async fn shutdown_frees_the_port_and_ends_connections() {
    let world = world().await;
    let addr = world.sim.addr();
    let handle = world.sim.handle().clone();
    let mut idle = TcpStream::connect(addr).await.unwrap();
    idle.write_all(b"GET /cgi-bin/token HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut buffer = [0; 1024];
    assert_ne!(idle.read(&mut buffer).await.unwrap(), 0);
    world.sim.shutdown().await;
    let ended = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut buffer)).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    assert!(TcpStream::connect(addr).await.is_err());
    assert!(handle.issue_code(DEFAULT_APPID, "lilei").is_ok(), "handles outlive the listener");
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let world = world().await;
    let addr = world.sim.addr();
    drop(world);
    let gone = async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("still listening");
}
