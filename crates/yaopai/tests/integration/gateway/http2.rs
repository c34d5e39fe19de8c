//! HTTP/2 in front: what it is for, and what can't be said in HTTP/1.1.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::world::World;
use crate::support::Setup;
use crate::support::raw;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_over_one_connection() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let requests = (0..50).map(|n| {
        let mut client = client.clone();
        let request = Request::post(format!("http://shop.example/shop/{n}")).version(Version::HTTP_2);
        let request = request.header("authorization", format!("Bearer {}", phone.token()));
        let request = request.header("cookie", "a=b").header("cookie", "c=d").header("te", "trailers");
        let request = request.body(Full::new(Bytes::from(vec![b'x'; n * 1000]))).unwrap();
        async move {
            let answer = client.send_request(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.into_body().collect().await.unwrap().to_bytes()
        }
    });
    for (n, body) in futures_util::future::join_all(requests).await.into_iter().enumerate() {
        assert_eq!(body, format!("/shop/{n}"));
    }
    let seen = world.upstream.seen();
    assert_eq!(seen.len(), 50);
    for s in seen {
        let n: usize = s.target.strip_prefix("/shop/").unwrap().parse().unwrap();
        assert_eq!((s.header("yaopai-user"), s.header("host"), s.length), (Some("1"), Some("shop.example"), n * 1000));
        assert_eq!(s.header("cookie"), Some("a=b; c=d"), "one field, as HTTP/1.1 wants it");
        assert_eq!(s.header("te"), None);
    }
}

/// Its connections live as long as their peer likes: only proxies of ours may hold places so. To others it is HTTP/1.1 that is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused() {
    let setup = Setup { top: "public = { trusted_proxies = [\"10.0.0.1\"] }", ..Setup::default() };
    let world = World::with("", setup).await;
    let mut stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let start =
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), headers_frame(&USUAL, true)].concat();
    stream.write_all(&start).await.unwrap();
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "it is kept");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{:?}", String::from_utf8_lossy(&answer));
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
    assert_eq!(raw::get(&world.public(), "/b", &[]).await.status(), 200, "HTTP/1.1 is everybody's");
}

/// Our own calls, signed ones too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_speaks_it_too() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1").keyed();
    phone.log_in().await;
    let draft = phone.draft("GET", "/session", None);
    let stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::get(format!("http://{}{}", draft.host, draft.uri)).version(Version::HTTP_2);
    for (name, value) in &draft.fields {
        request = request.header(name, value);
    }
    let answer = client.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
}

/// Frames by hand: a client would put them right. Fields are literals without a table (RFC 7541, section 6.2.2).
fn headers_frame(fields: &[(&str, &str)], end_stream: bool) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(1, if end_stream { 5 } else { 4 }, 1, &block)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Sends these frames and reads until the stream or the connection is over. Answers whether there was an answer's head that says 200.
async fn send(world: &World, frames: &[Vec<u8>]) -> bool {
    let mut stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let start = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    stream.write_all(&start).await.unwrap();
    let _ = stream.write_all(&frames.concat()).await;
    let reading = async {
        let mut passed = false;
        loop {
            let mut head = [0u8; 9];
            if stream.read_exact(&mut head).await.is_err() {
                return passed;
            }
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                return passed;
            }
            let (kind, ends) = (head[3], head[4] & 1 == 1);
            // 0x88 is `:status 200` in the static table.
            passed |= kind == 1 && payload.first() == Some(&0x88);
            if matches!(kind, 3 | 7) || (matches!(kind, 0 | 1) && ends) {
                return passed;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("an end")
}

const USUAL: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", "/a")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_by_hand_are_understood() {
    let world = World::start().await;
    assert!(send(&world, &[headers_frame(&USUAL, true)]).await);
    assert_eq!(world.upstream.one().target, "/a");
}

/// With one of the usual fields in place of another, or more behind them.
async fn none_passes(cases: &[&[(&str, &str)]]) {
    let world = World::start().await;
    for fields in cases {
        let passed = send(&world, &[headers_frame(fields, true)]).await;
        assert!(!passed, "{fields:?}");
    }
    assert_eq!(world.upstream.targets(), Vec::<String>::new(), "{cases:?}");
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    USUAL.iter().map(|(n, v)| if *n == name { (name, value) } else { (*n, *v) }).collect()
}

fn and(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    [&USUAL[..], &[(name, value)]].concat()
}

macro_rules! none_passes {
    ($($name:ident: $($fields:expr),+;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            none_passes(&[$(&$fields[..]),+]).await;
        })*
    };
}

none_passes! {
    a_path_that_holds_a_request:
        with(":path", "/a HTTP/1.1\r\nYaopai-User: 1\r\nX: "), with(":path", "/a b"), with(":path", "/a\tb"), with(":path", "a"),
        with(":path", "*"), with(":path", "http://evil.example/a"), with(":path", "");
    a_method_that_holds_a_request:
        with(":method", "GET /smuggled HTTP/1.1\r\nX: "), with(":method", "GET /x"), with(":method", "CONNECT"), with(":method", "TRACE"),
        with(":method", "");
    an_authority_that_is_none:
        with(":authority", "shop.example\r\nYaopai-User: 1"), with(":authority", "u@shop.example"), with(":authority", "shop.example/x"),
        with(":authority", "");
    a_host_beside_another_authority: and("host", "evil.example"), and("host", "shop.example:80");
    two_of_a_pseudo_field: and(":path", "/b"), and(":authority", "evil.example"), and(":method", "POST");
    pseudo_fields_behind_others:
        [("x-a", "1"), (":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", "/a")];
    unknown_pseudo_fields: and(":protocol", "websocket"), and(":status", "200"), and(":yaopai-user", "1");
    another_scheme: with(":scheme", "ftp"), with(":scheme", "http\r\nx");
    fields_of_a_connection:
        and("connection", "close"), and("transfer-encoding", "chunked"), and("upgrade", "h2c"), and("keep-alive", "5"),
        and("proxy-connection", "close"), and("te", "gzip");
    a_value_that_holds_a_line: and("x-a", "1\r\nYaopai-User: 1"), and("x-a", "1\nx"), and("x-a", "1\0");
    a_name_that_holds_a_line: and("x-a: 1\r\nyaopai-user", "1"), and("x a", "1"), and("", "1"), and("x-a:", "1");
    a_name_in_capitals: and("Yaopai-User", "1"), and("X-A", "1");
    a_principal: and("yaopai-user", "1"), and("yaopai_user", "1"), and("yaopai.user", "1");
    a_length_in_disguise: and("content_length", "44"), and("transfer_encoding", "chunked");
}

/// A length that is not the body's: the upstream never sees the end of such a request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_that_is_not_the_bodys() {
    for (length, body) in [("0", &b"GET /smuggled HTTP/1.1\r\n\r\n"[..]), ("3", b"abcGET /smuggled"), ("30", b"abc")] {
        let world = World::start().await;
        let fields = [&with(":method", "POST")[..], &[("content-length", length)]].concat();
        let passed = send(&world, &[headers_frame(&fields, false), frame(0, 1, 1, body)]).await;
        assert!(!passed, "{length}");
        let seen = world.upstream.seen();
        assert!(seen.len() <= 1 && seen.iter().all(|s| s.target == "/a" && s.length <= 3), "{seen:#?}");
        assert!(length == "0" || seen.iter().all(|s| s.sha256.is_none()), "{length}: {seen:#?}");
    }
}

/// Of a request to read hyper's client would leave such a body out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_to_read_without_a_length() {
    let world = World::start().await;
    assert!(!send(&world, &[headers_frame(&USUAL, false), frame(0, 1, 1, b"abc")]).await);
    assert_eq!(world.upstream.targets(), Vec::<String>::new());
    assert!(send(&world, &[headers_frame(&and("content-length", "3"), false), frame(0, 1, 1, b"abc")]).await);
    assert_eq!(world.upstream.one().length, 3);
}

/// Some balancers end each request with a piece of nothing, and leave out the length. That is no body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_read_that_ends_with_an_empty_piece() {
    let world = World::start().await;
    for empty in 1..=3 {
        let mut frames = vec![headers_frame(&USUAL, false)];
        frames.extend((1..=empty).map(|n| frame(0, u8::from(n == empty), 1, b"")));
        assert!(send(&world, &frames).await, "{empty}");
        let seen = world.upstream.seen().pop().unwrap();
        assert_eq!((seen.length, seen.header("transfer-encoding"), seen.header("content-length")), (0, None, None));
    }
    // Behind pieces of nothing there is something after all.
    let late = [headers_frame(&USUAL, false), frame(0, 0, 1, b""), frame(0, 1, 1, b"abc")];
    assert!(!send(&world, &late).await);
    // Nor is anything waited for that never comes.
    let endless: Vec<_> =
        std::iter::once(headers_frame(&USUAL, false)).chain((0..50).map(|_| frame(0, 0, 1, b""))).collect();
    assert!(!send(&world, &endless).await);
    assert_eq!(world.upstream.seen().len(), 3);
}

/// Without a window nothing of the answer is asked for, ever: its place at the upstream is somebody else's after a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_window_holds_no_place() {
    let world = World::with("idle_timeout = 1\nmax_requests = 1", Setup::default()).await;
    let mut stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    // SETTINGS_INITIAL_WINDOW_SIZE is 0 (RFC 9113, section 6.5.2).
    let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let fields = with(":path", "/events");
    let start = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), settings, headers_frame(&fields, true)].concat();
    stream.write_all(&start).await.unwrap();
    world.upstream.until("it streams", |u| u.streams() == 1).await;
    world.upstream.until("it is let go", |u| u.streams() == 0).await;
    assert_eq!(raw::get(&world.public(), "/b", &[]).await.status(), 200);
    drop(stream);
}

/// CVE-2023-44487: requests that are taken back at once. The connection ends, and the upstream is not flooded by them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_ends_the_connection() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let mut bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    let block = &headers_frame(&USUAL, true)[9..];
    for n in 0..2_000u32 {
        bytes.extend(frame(1, 5, 2 * n + 1, block));
        bytes.extend(frame(3, 0, 2 * n + 1, &8u32.to_be_bytes()));
    }
    let _ = stream.write_all(&bytes).await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection goes on");
    assert!(world.upstream.seen().len() < 200, "{} came through", world.upstream.seen().len());
}
