//! The back end's cookies over nodes: what one node was told, another one sends, however lately.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fleet::{Fleet, NODES, Shape, route_to};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cookie_is_every_nodes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tables = route_to(listener.local_addr().unwrap(), "/count", "keep");
    tokio::spawn(counts(listener));
    let fleet = Fleet::with(Shape { tables: &tables, ..Shape::default() }).await;
    let session = fleet.login(0, false).await;
    for n in 0..30 {
        let answer = fleet.through(n * 2 % NODES, "/count", &session.token).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().get("set-cookie").is_none());
        // One that sent what it knew from before would be told an older number.
        assert_eq!(answer.text().await.unwrap(), n.to_string());
    }
}

/// A back end that answers with the number that its cookie says, and sets the next one.
async fn counts(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = vec![0; 8192];
            while let Ok(n @ 1..) = stream.read(&mut head).await {
                let text = String::from_utf8_lossy(&head[..n]).to_lowercase();
                let cookie = text.lines().find_map(|line| line.strip_prefix("cookie: n="));
                let shown: u64 = cookie.and_then(|value| value.trim().parse().ok()).unwrap_or(0);
                let body = shown.to_string();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nset-cookie: n={}; Path=/; HttpOnly\r\n\r\n{body}",
                    body.len(),
                    shown + 1
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
