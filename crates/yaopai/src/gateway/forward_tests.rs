use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const KEEP_ALIVE: Duration = Duration::from_secs(60);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole";

async fn upstream() -> (TcpListener, Arc<Connections>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    (listener, Connections::new(address, Duration::from_secs(5), KEEP_ALIVE))
}

fn get(path: &'static str) -> Going {
    let mut request = Request::new(Upload::none());
    *request.uri_mut() = Uri::from_static(path);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("shop.example"));
    Box::new(request)
}

/// Sends a request and reads its answer to the end.
fn ask(connections: &Arc<Connections>, path: &'static str) -> tokio::task::JoinHandle<Result<Bytes, String>> {
    let connections = connections.clone();
    tokio::spawn(async move {
        match connections.send(get(path)).await {
            Ok(answer) => answer.into_body().collect().await.map(|body| body.to_bytes()).map_err(|e| e.to_string()),
            Err(Failure::Broken(_)) => Err("broken".into()),
            Err(Failure::NotConnected(..)) => Err("not connected".into()),
        }
    })
}

/// The path of the request that comes next; `None`: the connection was closed.
async fn asked(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap() == 0 {
            return None;
        }
    }
    Some(String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned())
}

async fn answers(stream: &mut TcpStream, path: &str) {
    assert_eq!(asked(stream).await.as_deref(), Some(path));
    stream.write_all(OK).await.unwrap();
}

/// One request that is answered, after which its connection is kept.
async fn kept(listener: &TcpListener, connections: &Arc<Connections>) -> TcpStream {
    let one = ask(connections, "/first");
    let mut stream = listener.accept().await.unwrap().0;
    answers(&mut stream, "/first").await;
    assert_eq!(one.await.unwrap().unwrap(), "whole");
    stream
}

#[tokio::test]
async fn a_connection_is_used_again_once_its_answer_is_over() {
    let (listener, connections) = upstream().await;
    let mut stream = kept(&listener, &connections).await;
    let (next, ()) = tokio::join!(ask(&connections, "/next"), answers(&mut stream, "/next"));
    assert_eq!(next.unwrap().unwrap(), "whole");
}

/// The answer has begun, and is still being read: another request goes elsewhere.
#[tokio::test]
async fn nor_before() {
    let (listener, connections) = upstream().await;
    let mut first = kept(&listener, &connections).await;
    let one = ask(&connections, "/one");
    assert_eq!(asked(&mut first).await.as_deref(), Some("/one"));
    first.write_all(&OK[..OK.len() - 2]).await.unwrap();
    let other = ask(&connections, "/other");
    let mut second = listener.accept().await.unwrap().0;
    answers(&mut second, "/other").await;
    assert_eq!(other.await.unwrap().unwrap(), "whole");
    first.write_all(&OK[OK.len() - 2..]).await.unwrap();
    assert_eq!(one.await.unwrap().unwrap(), "whole");
}

#[tokio::test]
async fn an_answer_that_is_given_up_closes_its_connection() {
    let (listener, connections) = upstream().await;
    let mut first = kept(&listener, &connections).await;
    let sent = tokio::spawn({
        let connections = connections.clone();
        async move { connections.send(get("/long")).await.map_err(|_| "no answer") }
    });
    assert_eq!(asked(&mut first).await.as_deref(), Some("/long"));
    first.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nnot all").await.unwrap();
    drop(sent.await.unwrap().unwrap());
    assert_eq!(asked(&mut first).await, None);
    assert!(connections.lock().all.is_empty());
    let next = ask(&connections, "/next");
    answers(&mut listener.accept().await.unwrap().0, "/next").await;
    assert_eq!(next.await.unwrap().unwrap(), "whole");
}

#[tokio::test]
async fn one_that_was_closed_meanwhile_is_replaced() {
    let (listener, connections) = upstream().await;
    drop(kept(&listener, &connections).await);
    // Before it is noticed, a request may be written to it, and isn't sent again.
    while !connections.lock().all[0].0.is_closed() {
        tokio::task::yield_now().await;
    }
    let next = ask(&connections, "/next");
    answers(&mut listener.accept().await.unwrap().0, "/next").await;
    assert_eq!(next.await.unwrap().unwrap(), "whole");
}

/// The upstream may have acted on it.
#[tokio::test]
async fn what_was_written_is_not_sent_again() {
    let (listener, connections) = upstream().await;
    let mut stream = kept(&listener, &connections).await;
    let paid = ask(&connections, "/pay");
    assert_eq!(asked(&mut stream).await.as_deref(), Some("/pay"));
    drop(stream);
    assert_eq!(paid.await.unwrap().unwrap_err(), "broken");
    let next = ask(&connections, "/next");
    // Were it sent again, it would come before.
    answers(&mut listener.accept().await.unwrap().0, "/next").await;
    assert_eq!(next.await.unwrap().unwrap(), "whole");
}

#[tokio::test]
async fn what_is_unused_for_too_long_is_closed() {
    let (listener, connections) = upstream().await;
    let mut stream = kept(&listener, &connections).await;
    tokio::time::pause();
    tokio::time::advance(KEEP_ALIVE / 2).await;
    assert_eq!(connections.lock().all.len(), 1);
    tokio::time::advance(KEEP_ALIVE).await;
    assert_eq!(asked(&mut stream).await, None);
    let unused = connections.lock();
    assert!(unused.all.is_empty() && !unused.swept, "and nobody looks after nothing");
}

/// What is too old isn't used either, should nobody have closed it yet.
#[tokio::test]
async fn nor_is_it_used() {
    let (listener, connections) = upstream().await;
    let _stream = kept(&listener, &connections).await;
    tokio::time::pause();
    connections.lock().all[0].1 -= KEEP_ALIVE;
    assert!(connections.unused().is_none());
}

#[tokio::test]
async fn no_more_are_kept_than_that() {
    let (listener, connections) = upstream().await;
    let mut all = Vec::new();
    for _ in 0..UNUSED_MAX + 3 {
        let sent = ask(&connections, "/many");
        all.push((sent, listener.accept().await.unwrap().0));
    }
    for (sent, stream) in &mut all {
        answers(stream, "/many").await;
        assert_eq!(sent.await.unwrap().unwrap(), "whole");
    }
    assert_eq!(connections.lock().all.len(), UNUSED_MAX);
    assert_eq!(asked(&mut all[0].1).await, None, "the oldest went");
}
