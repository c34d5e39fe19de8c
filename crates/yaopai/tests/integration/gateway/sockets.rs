//! WebSockets, as far as they are ours: the handshake, bytes in both directions, and the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;
use crate::support::Setup;
use crate::support::raw::{self, Kept};

/// Opens a socket; its handshake has passed.
pub async fn open(world: &World, path: &str, lines: &str) -> TcpStream {
    let mut client = Kept::connect(&world.public()).await;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    );
    client.send(request.as_bytes()).await;
    let answer = client.answer().await;
    assert_eq!(answer.status(), 101, "{answer:?}");
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    client.0
}

/// What is sent comes back.
pub async fn speaks(socket: &mut TcpStream) {
    let said = async {
        socket.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        socket.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    };
    tokio::time::timeout(Duration::from_secs(10), said).await.expect("an echo");
}

/// Nothing comes any more: it is closed.
pub async fn is_cut(socket: &mut TcpStream) {
    let mut rest = [0; 64];
    let read = tokio::time::timeout(Duration::from_secs(20), socket.read(&mut rest)).await.expect("an end");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_by_a_token_and_one_by_a_ticket() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let mut by_token = open(&world, "/shop/socket", &format!("Authorization: Bearer {}\r\n", phone.token())).await;
    let body = serde_json::json!({ "authority": "shop.example", "path": "/shop/socket", "for": "socket" });
    let ticket = phone.call("POST", "/ticket", Some(body)).await.field("ticket");
    let mut by_ticket = open(&world, &format!("/shop/socket?yaopai_ticket={ticket}&room=1"), "").await;
    speaks(&mut by_token).await;
    speaks(&mut by_ticket).await;
    let seen = world.upstream.seen();
    assert_eq!(seen.iter().map(|s| s.target.as_str()).collect::<Vec<_>>(), ["/shop/socket", "/shop/socket?room=1"]);
    for s in &seen {
        assert_eq!((s.header("yaopai-user"), s.header("upgrade")), (Some("1"), Some("websocket")));
        assert_eq!((s.header("sec-websocket-version"), s.header("authorization")), (Some("13"), None));
    }
    drop((by_token, by_ticket));
    world.upstream.until("both ends are closed", |u| u.sockets() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_socket_without_a_session() {
    let world = World::start().await;
    let upgrade = [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")];
    let answer = raw::get(&world.public(), "/shop/socket", &upgrade).await;
    assert_eq!(answer.code(), "session_missing");
    assert!(world.upstream.seen().is_empty());
}

/// As long as something is said by either end it lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_socket_is_closed() {
    let world = World::with("socket_idle_timeout = 1", Setup::default()).await;
    let mut socket = open(&world, "/open/socket", "").await;
    for _ in 0..6 {
        speaks(&mut socket).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    is_cut(&mut socket).await;
    world.upstream.until("its end is closed, too", |u| u.sockets() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_there_are_places() {
    let world = World::with("max_requests = 2", Setup::default()).await;
    let (mut a, b) = (open(&world, "/open/socket", "").await, open(&world, "/open/socket", "").await);
    assert_eq!(raw::get(&world.public(), "/open", &[]).await.code(), "backend_unavailable");
    drop(b);
    let mut code = String::new();
    for _ in 0..500 {
        code = raw::get(&world.public(), "/open", &[]).await.code().to_owned();
        if code.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(code, "", "a place that was given back");
    speaks(&mut a).await;
}

/// A stop does not wait for sockets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_closes_them() {
    let mut world = World::start().await;
    let mut socket = open(&world, "/open/socket", "").await;
    speaks(&mut socket).await;
    world.app.stop().await;
    is_cut(&mut socket).await;
}
