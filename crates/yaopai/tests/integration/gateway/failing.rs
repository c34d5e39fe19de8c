//! Back ends that are down, break off or take too long; and what a client may conclude from the answer.

use std::time::Duration;

use tokio::net::TcpListener;

use super::upstream::Upstream;
use super::world::{World, start_at};
use crate::support::raw::{self, Kept};
use crate::support::{Setup, minutes};

/// Codes after which a client sends any request again: never, once a back end may have seen it.
const SENT_AGAIN: [&str; 4] = ["unavailable", "backend_unavailable", "rate_limited", "internal"];

fn closed_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there() {
    let app = start_at(&format!("[\"http://{}\"]", closed_port()), "", Setup::default()).await;
    let answer = raw::get(&app.addresses().public, "/open", &[]).await;
    assert_eq!((answer.status(), answer.code()), (503, "backend_unavailable"));
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_breaks_off() {
    let world = World::start().await;
    for method in ["GET", "POST"] {
        let mut client = Kept::connect(&world.public()).await;
        client.send(format!("{method} /breaks HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.code()), (502, "upstream_failed"));
        assert!(!SENT_AGAIN.contains(&answer.code()) && answer.header("retry-after").is_none());
    }
    assert_eq!(world.upstream.seen().len(), 2, "nothing is sent twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_too_long() {
    let world = World::with("response_timeout = 1", Setup::default()).await;
    let answer = raw::get(&world.public(), "/hangs", &[]).await;
    assert_eq!((answer.status(), answer.code()), (504, "upstream_timeout"));
    assert_eq!(world.upstream.seen().len(), 1);
}

/// A socket that accepts and closes at once, as a back end does that is just going down: it has accepted, so it may have read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_accepts_and_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("[\"http://{}\"]", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream)
        }
    });
    let app = start_at(&url, "", Setup::default()).await;
    for _ in 0..5 {
        let answer = raw::get(&app.addresses().public, "/open", &[]).await;
        assert_eq!(answer.code(), "upstream_failed");
    }
}

/// What is no HTTP is no answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_talks_nonsense() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for nonsense in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nX: 1\r\n Yaopai-User: 2\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("[\"http://{}\"]", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(nonsense.as_bytes()).await;
                // Until the other end closes.
                let _ = stream.read(&mut [0; 4096]).await;
            }
        });
        let app = start_at(&url, "response_timeout = 5", Setup::default()).await;
        let answer = raw::get(&app.addresses().public, "/open", &[]).await;
        assert_eq!(answer.code(), "upstream_failed", "{nonsense:?}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_turn_and_around_those_that_are_down() {
    let (a, b) = (Upstream::start().await, Upstream::start().await);
    let urls = format!("[\"http://{}\", \"http://{}\", \"http://{}\"]", a.address, closed_port(), b.address);
    let app = start_at(&urls, "", Setup::default()).await;
    let base = app.addresses().public;
    for n in 0..12 {
        let mut client = Kept::connect(&base).await;
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").as_bytes()).await;
        assert_eq!(client.answer().await.status(), 200);
    }
    // Each arrives once and whole, also those that met the closed one first.
    assert!(a.seen().len() >= 4 && b.seen().len() >= 4, "{} and {}", a.seen().len(), b.seen().len());
    let all: Vec<_> = a.seen().into_iter().chain(b.seen()).collect();
    assert_eq!(all.len(), 12);
    assert!(all.iter().all(|s| s.method == "POST" && s.length == 3 && s.sha256.is_some()));
}

/// One that was down is asked again after a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_comes_back_is_found() {
    let (a, port) = (Upstream::start().await, closed_port());
    let urls = format!("[\"http://{}\", \"http://{port}\"]", a.address);
    let app = start_at(&urls, "", Setup::default()).await;
    let base = app.addresses().public;
    for _ in 0..4 {
        assert_eq!(raw::get(&base, "/", &[]).await.status(), 200);
    }
    let listener = TcpListener::bind(&port).await.unwrap();
    for _ in 0..4 {
        assert_eq!(raw::get(&base, "/", &[]).await.status(), 200);
    }
    assert_eq!(a.seen().len(), 8, "it was asked while it is marked");
    app.clock.advance(minutes(1));
    let asked = tokio::spawn(async move { listener.accept().await.map(drop) });
    for _ in 0..2 {
        raw::get(&base, "/", &[]).await;
    }
    let asked = tokio::time::timeout(Duration::from_secs(10), asked).await;
    assert!(asked.is_ok(), "it is not asked again");
}

/// An address whose health path fails gets nothing while another is well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unwell_address_gets_nothing() {
    let (well, unwell) = (Upstream::start().await, Upstream::start().await);
    let urls = format!("[\"http://{}\", \"http://{}\"]", well.address, unwell.address);
    unwell.fails_health();
    let app = start_at(&urls, "health = \"/healthz\"\nhealth_interval = 1", Setup::default()).await;
    unwell.until("it was asked how it is", |u| !u.seen().is_empty()).await;
    well.until("so was the other", |u| !u.seen().is_empty()).await;
    // Its answer may still be on its way: the first few may go there.
    let base = app.addresses().public;
    for _ in 0..50 {
        raw::get(&base, "/warm", &[]).await;
    }
    for _ in 0..10 {
        assert_eq!(raw::get(&base, "/x", &[]).await.status(), 200);
    }
    assert!(!unwell.targets().contains(&"/x".to_owned()));
    assert_eq!(well.targets().iter().filter(|t| *t == "/x").count(), 10);
}

/// A back end closes unused connections when it likes: nobody is to notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_kept() {
    let world = World::start().await;
    for n in 0..20 {
        assert_eq!(raw::get(&world.public(), &format!("/{n}"), &[]).await.status(), 200);
    }
    assert!(world.upstream.connections() <= 2, "{}", world.upstream.connections());
}
