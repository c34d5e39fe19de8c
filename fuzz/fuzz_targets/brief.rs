//! A connection's bytes say the same whether brief exchanges stand in front of hyper or not: the same requests in the same
//! order, each with the same headers and body, and as many answers.
#![no_main]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::server::graceful::GracefulShutdown;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;
use yaopai::listen::brief::{Brief, Question, Reply};
use yaopai::listen::{Answer, Limits, Peer, serve_one};
use yaopai_core::time::Timestamp;
use yaopai_fuzz::choice;
use yaopai_wire::fields::Fields;

/// One request as its reader told it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

impl Seen {
    fn new(target: &str, fields: &impl Fields) -> Self {
        let text = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
        let mut headers: Vec<_> = fields.each().map(|(name, value)| (text(name), value.to_vec())).collect();
        // A table of headers keeps the order of one name's values only.
        headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { target: target.into(), headers, body: Some(Vec::new()) }
    }
}

/// Answers everything with 200, and remembers it.
struct Recorder {
    brief: bool,
    seen: Arc<Mutex<Vec<Seen>>>,
}

fn remember(to: &Mutex<Vec<Seen>>, seen: Seen) {
    to.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
}

impl Answer for Recorder {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, _: Peer, request: Request<Incoming>) -> Self::Future {
        let seen = self.seen.clone();
        async move {
            let (head, body) = request.into_parts();
            let mut request = Seen::new(head.uri.path_and_query().map_or("", |t| t.as_str()), &head.headers);
            let body = timeout(Duration::from_secs(5), body.collect()).await;
            request.body = body.ok().and_then(Result::ok).map(|body| body.to_bytes().to_vec());
            remember(&seen, request);
            Response::new(Body::empty())
        }
        .boxed()
    }

    fn brief(&self) -> Option<&dyn Brief> {
        self.brief.then_some(self as &dyn Brief)
    }
}

impl Brief for Recorder {
    fn brief(&self, _: Peer, question: &Question<'_>, _: &mut Vec<u8>) -> Reply {
        // What hyper refuses as a target, such as `<`, frames nothing: we may answer it or not.
        let is_check = question.target.starts_with("/check/") && question.target.parse::<http::Uri>().is_ok();
        if !is_check {
            return Reply::NotBrief;
        }
        remember(&self.seen, Seen::new(question.target, question));
        match question.target.len() % 3 {
            0 => Reply::Lines,
            1 => Reply::Whole(Response::new(Body::empty())),
            _ => Reply::Later(std::future::ready(Response::new(Body::empty())).boxed()),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

thread_local! {
    /// Its clock stands still while anything can go on, and jumps to the next time-out when nothing can.
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
}

fuzz_target!(|bytes: &[u8]| {
    // The choice is how many bytes arrive at a time.
    let (choice, bytes) = choice(bytes);
    let room = 1 + usize::from(choice) * 16;
    let [brief, hyper] = [true, false].map(|brief| RUNTIME.with(|runtime| runtime.block_on(talk(brief, room, bytes))));
    assert_eq!(brief, hyper);
});

/// What a server reads of these bytes, and the status of each answer.
async fn talk(brief: bool, room: usize, bytes: &[u8]) -> (Vec<Seen>, Vec<[u8; 3]>) {
    let seen = Arc::default();
    let recorder = Arc::new(Recorder { brief, seen: Arc::clone(&seen) });
    let (client, server) = tokio::io::duplex(room);
    let (mut from_server, mut to_server) = tokio::io::split(client);
    let (_stop, stopping) = watch::channel(false);
    // Kept: dropped, it would ask hyper to stop at once.
    let graceful = GracefulShutdown::new();
    let serving = serve_one(server, Limits::neighbours(1), Peer::Local, recorder, stopping, graceful.watcher());
    let mut answers = Vec::new();
    let whole = async {
        // The client neither goes away nor says that it is done: the server does, when its patience ends.
        let writing = async { to_server.write_all(bytes).await.is_ok() };
        let reading = async { from_server.read_to_end(&mut answers).await.is_ok() };
        tokio::join!(serving, writing, reading);
    };
    timeout(Duration::from_secs(24 * 3600), whole).await.expect("the connection ends");
    let starts = answers.windows(12).filter_map(|w| w.strip_prefix(b"HTTP/1.1 ")?.first_chunk::<3>().copied());
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    (seen, starts.collect())
}
