//! Bodies: streamed, and where they are signed, compared before their end goes on.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};

use super::world::{World, start_at};
use crate::support::raw::{self, Answer, Kept};
use crate::support::{Draft, Phone, Setup};

async fn keyed(world: &World) -> Phone {
    let phone = world.customer("lilei", "1").keyed();
    phone.log_in().await;
    phone
}

fn signed_post(phone: &Phone, uri: &str, body: &[u8]) -> Draft {
    let draft = Draft { body: body.to_vec(), ..Draft::new("POST", "shop.example", uri, None) };
    draft.bearing(&phone.token()).signed(&phone.key().unwrap(), phone.clock())
}

/// Sends a draft's header with another body, in chunks of this size or with a length.
async fn send_other(world: &World, draft: &Draft, body: &[u8], chunk: Option<usize>) -> Answer {
    let fields: String = draft.fields.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let mut bytes =
        format!("{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{fields}", draft.method, draft.uri, draft.host);
    bytes += &match chunk {
        Some(_) => "transfer-encoding: chunked\r\n\r\n".to_owned(),
        None => format!("content-length: {}\r\n\r\n", body.len()),
    };
    let mut bytes = bytes.into_bytes();
    match chunk {
        None => bytes.extend_from_slice(body),
        Some(size) => {
            for piece in body.chunks(size) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
    }
    Answer(raw::send(&world.public(), &bytes).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_body_arrives_whole() {
    let world = World::start().await;
    let phone = keyed(&world).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[1]).collect();
    for chunk in [None, Some(1000), Some(100_000)] {
        let draft = signed_post(&phone, "/shop/orders", &body);
        assert_eq!(send_other(&world, &draft, &body, chunk).await.status(), 200);
        let seen = world.upstream.seen().pop().unwrap();
        assert_eq!((seen.length, seen.sha256), (body.len(), Some(hex::encode(Sha256::digest(&body)))));
    }
    for chunk in [None, Some(1)] {
        let draft = signed_post(&phone, "/shop/orders", b"");
        assert_eq!(send_other(&world, &draft, b"", chunk).await.status(), 200);
        assert!(world.upstream.seen().pop().unwrap().sha256.is_some());
    }
}

/// The signature is right and the body another one: its end never reaches the upstream, however long it is and however it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_body_never_arrives_whole() {
    let world = World::start().await;
    let phone = keyed(&world).await;
    let large: Vec<u8> = vec![b'x'; 2_000_000];
    let changed = |at: usize| {
        let mut body = large.clone();
        body[at] = b'y';
        body
    };
    let short = large[..large.len() - 1].to_vec();
    let cases: [(&[u8], &[u8]); 6] = [
        (b"pay bob", b"pay eve"),
        (b"", b"x"),
        (b"x", b""),
        (&large, &changed(0)),
        (&large, &changed(large.len() - 1)),
        (&large, &short),
    ];
    for (n, (was, is)) in cases.into_iter().enumerate() {
        for chunk in [None, Some(7_000), Some(5_000_000)] {
            let draft = signed_post(&phone, "/shop/orders", was);
            let answer = send_other(&world, &draft, is, chunk).await;
            assert_eq!((answer.status(), answer.code()), (401, "proof_invalid"), "case {n} in {chunk:?}");
        }
    }
    // None of them has come to an end there, and the upstream has noticed.
    world.upstream.until("no end", |u| u.seen().iter().all(|s| s.sha256.is_none())).await;
    phone.send(&signed_post(&phone, "/shop/last", b"x")).await.ok();
    let ended: Vec<_> = world.upstream.seen().into_iter().filter(|s| s.sha256.is_some()).map(|s| s.target).collect();
    assert_eq!(ended, ["/shop/last"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_needs_its_digest_unless_the_route_says_otherwise() {
    let world = World::start().await;
    let phone = keyed(&world).await;
    let bare = |uri: &str| {
        let draft = Draft { body: b"a file".to_vec(), ..Draft::new("POST", "shop.example", uri, None) };
        draft.bearing(&phone.token()).signed_without_body(&phone.key().unwrap(), phone.clock())
    };
    assert_eq!(phone.send(&bare("/shop/orders")).await.refusal(), "401 body_digest_required");
    phone.send(&bare("/files/a.jpg")).await.ok();
    let seen = world.upstream.one();
    assert_eq!((seen.target.as_str(), seen.length, seen.header("yaopai-body-signed")), ("/files/a.jpg", 6, None));
    // A request to read needs no digest: then it has no body, either.
    let mut read = Draft::new("GET", "shop.example", "/shop/x", None).bearing(&phone.token());
    read = read.signed(&phone.key().unwrap(), phone.clock());
    assert!(read.get(CONTENT_DIGEST).is_none());
    let answer = send_other(&world, &read, b"a body", None).await;
    assert_eq!((answer.status(), answer.code()), (401, "body_digest_required"));
    assert_eq!(world.upstream.seen().len(), 1);
}

/// A body of a request to read without a length would be left out on the way, signed or not: it is refused before anything is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_to_read_needs_a_length() {
    let world = World::start().await;
    let phone = keyed(&world).await;
    for method in ["GET", "HEAD"] {
        let draft = |uri: &str| Draft { body: b"a query".to_vec(), ..Draft::new(method, "shop.example", uri, None) };
        let mut signed = draft("/shop/x").bearing(&phone.token());
        signed.set(CONTENT_DIGEST, &ContentDigest::of(&signed.body).value());
        let signed = signed.signed(&phone.key().unwrap(), phone.clock());
        for draft in [&draft("/open"), &signed] {
            let answer = send_other(&world, draft, b"a query", Some(3)).await;
            assert_eq!(answer.status(), 400, "{method} {}", draft.uri);
            assert!(method == "HEAD" || answer.code() == "malformed" && answer.body().contains("Content-Length"));
        }
        assert_eq!(world.upstream.seen().len(), 0, "{method}");
    }
    // With one it arrives.
    let draft = Draft { body: b"a query".to_vec(), ..Draft::new("GET", "shop.example", "/open", None) };
    assert_eq!(send_other(&world, &draft, b"a query", None).await.status(), 200);
    assert_eq!(world.upstream.one().length, 7);
}

/// Of a bearer session a digest is the client's and the back end's own business.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_that_nobody_signed_goes_on_unread() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let draft = Draft { body: b"x".to_vec(), ..Draft::new("POST", "shop.example", "/shop/x", None) };
    let mut draft = draft.bearing(&phone.token());
    let digest = format!("sha-512=:{}:", base64::engine::general_purpose::STANDARD.encode([7; 64]));
    draft.set(CONTENT_DIGEST, &digest);
    phone.send(&draft).await.ok();
    assert_eq!(world.upstream.one().header(CONTENT_DIGEST), Some(digest.as_str()));
}

/// An upload that takes longer than an answer may is none that has to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_upload_is_not_a_slow_answer() {
    let world = World::with("response_timeout = 1", Setup::default()).await;
    let (mut client, pieces) = (Kept::connect(&world.public()).await, 8);
    client.send(format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {pieces}\r\n\r\n").as_bytes()).await;
    for _ in 0..pieces {
        client.send(b"x").await;
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    assert_eq!(client.answer().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_stands_still_ends() {
    let world = World::with("idle_timeout = 1", Setup::default()).await;
    let mut client = Kept::connect(&world.public()).await;
    client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!(client.answer().await.code(), "malformed");
    assert!(world.upstream.seen().iter().all(|s| s.sha256.is_none()));
}

/// Nor one that never quite does: it would hold its place for as long as it likes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_drips_ends() {
    let world = World::with("idle_timeout = 1", Setup::default()).await;
    let client = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    let (mut answer, mut to) = client.into_split();
    to.write_all(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n").await.unwrap();
    let dripping = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    let mut begin = [0; 12];
    let answered = tokio::time::timeout(std::time::Duration::from_secs(10), answer.read_exact(&mut begin)).await;
    dripping.abort();
    answered.expect("it goes on").unwrap();
    assert_eq!(&begin, b"HTTP/1.1 400");
}

/// An upstream may answer at once and go on reading. For as long as it does it works for this request, which holds its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_outlives_its_answer_holds_its_place() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let urls = format!("[\"http://{}\"]", listener.local_addr().unwrap());
    let app = start_at(&urls, "max_requests = 1", Setup::default()).await;
    let public = app.addresses().public;
    let mut client = TcpStream::connect(public.replace("http://", "")).await.unwrap();
    client.write_all(b"POST /open HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nfirst").await.unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    until_ends_with(&mut upstream, b"first").await;
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    until_ends_with(&mut client, b"ok").await;
    for piece in [b"second", b"third."] {
        tokio::select! {
            answer = raw::get(&public, "/open", &[]) => {
                assert_eq!((answer.status(), answer.code()), (503, "backend_unavailable"));
            }
            _ = listener.accept() => panic!("two at a time"),
        }
        client.write_all(piece).await.unwrap();
        until_ends_with(&mut upstream, piece).await;
    }
    drop(client);
    let asks = async {
        loop {
            raw::get(&public, "/open", &[]).await;
        }
    };
    tokio::select! {
        () = asks => unreachable!(),
        _ = listener.accept() => {}
        () = tokio::time::sleep(std::time::Duration::from_secs(10)) => panic!("the place isn't given back"),
    }
}

async fn until_ends_with(stream: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0, "{}", read.escape_ascii());
    }
}

/// Who hangs up in the middle of an upload has not sent it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_does_not_arrive() {
    let world = World::start().await;
    for head in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let mut client = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
        client.write_all(format!("POST /a HTTP/1.1\r\nHost: h\r\n{head}").as_bytes()).await.unwrap();
        let before = world.upstream.seen().len();
        world
            .upstream
            .until("it has begun", |u| u.seen().len() > before || u.seen().iter().any(|s| s.length == 3))
            .await;
        client.shutdown().await.unwrap();
        drop(client);
    }
    // A later request is answered: the connections of the others are not used again.
    assert_eq!(raw::get(&world.public(), "/b", &[]).await.status(), 200);
    assert!(world.upstream.seen().iter().all(|s| s.target == "/b" || s.sha256.is_none()));
}

/// Events arrive while the answer goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_when_they_are_sent() {
    let world = World::start().await;
    let mut answer = world.http.get(format!("{}/events", world.public())).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let first = tokio::time::timeout(std::time::Duration::from_secs(10), answer.chunk()).await;
    assert_eq!(first.expect("an event").unwrap().unwrap(), "data: 1\n\n");
    assert_eq!(world.upstream.streams(), 1);
    drop(answer);
    world.upstream.until("the back end hears that nobody listens", |u| u.streams() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_stands_still_ends() {
    let world = World::with("idle_timeout = 1", Setup::default()).await;
    let mut client = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
    client.write_all(b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    let read = tokio::time::timeout(std::time::Duration::from_secs(10), client.read_to_end(&mut text)).await;
    assert!(read.is_ok(), "it goes on");
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("data: 1") && !text.ends_with("0\r\n\r\n"), "an end that is none: {text}");
    world.upstream.until("the back end hears it", |u| u.streams() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expect_continue() {
    let world = World::start().await;
    let mut client = Kept::connect(&world.public()).await;
    client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").await;
    assert_eq!(client.answer().await.status(), 100);
    client.send(b"abc").await;
    assert_eq!(client.answer().await.status(), 200);
    assert_eq!((world.upstream.one().length, world.upstream.one().header("expect")), (3, None));
}
