//! A back end: hyper, and a memory of what reached it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    /// Bytes of its body, so far.
    pub length: usize,
    /// In hex, once the body has come to its end; a body that broke off never does.
    pub sha256: Option<String>,
}

impl Seen {
    /// A header's one value.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|v| v.to_str().unwrap());
        assert!(values.next().is_none(), "{name} came twice");
        value
    }

    /// Headers that say who it is, in any spelling.
    pub fn identity(&self) -> Vec<String> {
        let ours = self.headers.iter().filter(|(name, _)| name.as_str().starts_with("yaopai"));
        ours.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }
}

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<Seen>>,
    sockets: AtomicUsize,
    streams: AtomicUsize,
    connections: AtomicUsize,
    unwell: AtomicBool,
}

pub struct Upstream {
    /// `host:port`.
    pub address: String,
    inner: Arc<Inner>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, inner) = (listener.local_addr().unwrap().to_string(), Arc::<Inner>::default());
        let shared = inner.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(|request| answer(shared.clone(), request));
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        Self { address, inner }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// The only one.
    #[track_caller]
    pub fn one(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen[0].clone()
    }

    pub fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|s| s.target).collect()
    }

    /// Sockets that are open now.
    pub fn sockets(&self) -> usize {
        self.inner.sockets.load(Ordering::SeqCst)
    }

    /// Endless answers that somebody still takes.
    pub fn streams(&self) -> usize {
        self.inner.streams.load(Ordering::SeqCst)
    }

    /// Connections that it has taken.
    pub fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// `/healthz` is answered with 503 from now on.
    pub fn fails_health(&self) {
        self.inner.unwell.store(true, Ordering::SeqCst);
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&self, what: &'static str, so: impl Fn(&Self) -> bool) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            for _ in 0..2_000 {
                if so(self) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            panic!("not so at {caller}: {what}; {:#?}", self.seen());
        }
    }
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

async fn answer(inner: Arc<Inner>, mut request: Request<Incoming>) -> Result<Answer, std::io::Error> {
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, mut body) = request.into_parts();
    let at = {
        let mut seen = inner.seen.lock().unwrap();
        seen.push(Seen {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers.clone(),
            length: 0,
            sha256: None,
        });
        seen.len() - 1
    };
    let path = parts.uri.path();
    if path == "/healthz" && inner.unwell.load(Ordering::SeqCst) {
        return Ok(Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).body(empty()).unwrap());
    }
    if path.ends_with("/hangs") {
        return std::future::pending().await;
    }
    if path.ends_with("/breaks") {
        return Err(std::io::Error::other("broken on purpose"));
    }
    if let Some(upgrade) = upgrade.filter(|_| path.ends_with("/socket")) {
        tokio::spawn(echo(inner.clone(), upgrade));
        let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        let answer = answer.header("connection", "Upgrade").header("upgrade", "websocket");
        return Ok(answer.header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").body(empty()).unwrap());
    }
    let mut hash = Sha256::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(std::io::Error::other("the body broke off")) };
        assert!(frame.is_data(), "a trailer came through");
        let data = frame.into_data().unwrap();
        hash.update(&data);
        inner.seen.lock().unwrap()[at].length += data.len();
    }
    inner.seen.lock().unwrap()[at].sha256 = Some(hex::encode(hash.finalize()));
    if path.ends_with("/events") {
        return Ok(Response::builder().header("content-type", "text/event-stream").body(events(inner)).unwrap());
    }
    if let Some(length) = path.rsplit_once("/download/").and_then(|(_, n)| n.parse::<usize>().ok()) {
        let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
        let chunks = (0..length.div_ceil(chunk.len()))
            .map(move |n| Ok(Frame::data(chunk.slice(..chunk.len().min(length - n * chunk.len())))));
        let body = BoxBody::new(StreamBody::new(futures_util::stream::iter(chunks)));
        return Ok(Response::builder().header("content-length", length).body(body).unwrap());
    }
    if path == "/kept/nothing" {
        return Ok(Response::new(empty()));
    }
    if path.starts_with("/kept/") {
        return Ok(with_a_session(&parts.headers, at));
    }
    let answer = Response::builder().header("yaopai-code", "session_kicked").header("set-cookie", "JSESSIONID=1");
    let answer = answer.header("connection", "x-between").header("x-between", "1").header("x-kept", "1");
    Ok(answer.body(BoxBody::new(Full::new(Bytes::from(parts.uri.to_string())))).unwrap())
}

/// As a classic back end: a session for whoever shows none, and another id for it on request. Answers which one it is.
fn with_a_session(headers: &HeaderMap, at: usize) -> Answer {
    let cookies = headers.get(header::COOKIE).map_or("", |v| v.to_str().unwrap());
    let shown = cookies.split("; ").find_map(|pair| pair.strip_prefix("JSESSIONID="));
    let mut answer = Response::builder();
    let own = match shown {
        Some(id) if !headers.contains_key("x-renew") => id.to_owned(),
        _ => {
            let id = format!("s{at}");
            answer = answer.header("set-cookie", format!("JSESSIONID={id}; Path=/; HttpOnly"));
            id
        }
    };
    answer.body(BoxBody::new(Full::new(Bytes::from(own)))).unwrap()
}

fn empty() -> BoxBody<Bytes, Infallible> {
    BoxBody::new(Full::new(Bytes::new()))
}

/// One event, and then silence until nobody listens any more.
fn events(inner: Arc<Inner>) -> BoxBody<Bytes, Infallible> {
    inner.streams.fetch_add(1, Ordering::SeqCst);
    struct Open(Arc<Inner>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.streams.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let open = Open(inner);
    let first = futures_util::stream::once(async { Ok(Frame::data(Bytes::from("data: 1\n\n"))) });
    let rest = futures_util::stream::pending().map(move |frame: Result<Frame<Bytes>, Infallible>| {
        let _ = &open;
        frame
    });
    BoxBody::new(StreamBody::new(first.chain(rest)))
}

async fn echo(inner: Arc<Inner>, upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    inner.sockets.fetch_add(1, Ordering::SeqCst);
    let (mut io, mut chunk) = (Pin::from(Box::new(TokioIo::new(upgraded))), [0u8; 256]);
    while let Ok(n @ 1..) = io.read(&mut chunk).await {
        if io.write_all(&chunk[..n]).await.is_err() {
            break;
        }
    }
    inner.sockets.fetch_sub(1, Ordering::SeqCst);
}
