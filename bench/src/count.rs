//! What callgrind watches: `k` requests answered in this process, without sockets and without a client, so that the only
//! thing that two runs with another `k` differ in is the answering.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yaopai::check::{Answered, Principal};
use yaopai::clock::SystemClock;
use yaopai::listen::{self, Limits, Peer};
use yaopai::serve::CheckFirst;
use yaopai_core::ports::Clock as _;

use crate::bare::Bare;
use crate::people::People;
use crate::{request, world};

/// Different tokens among the requests, at most.
const TOKENS: u64 = 4096;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Path {
    /// The check alone: a request in, an answer out.
    Answer,
    /// hyper with a fixed answer.
    Bare,
    /// hyper with the check.
    Check,
}

/// Answers `k` requests over a table of so many sessions.
pub async fn run(path: Path, k: u64, sessions: u64) -> anyhow::Result<()> {
    let people = People::new(sessions, SystemClock::default().now());
    let checks = world::checks(world::table(people, sessions)).await?;
    let step = sessions.div_ceil(TOKENS).max(1);
    let tokens: Vec<_> = (0..sessions / step).map(|n| people.token(n * step)).collect();
    match path {
        Path::Answer => {
            let requests: Vec<_> = tokens.iter().map(request::parsed).collect();
            let mut lines = Vec::new();
            for n in 0..k {
                let request = &requests[usize::try_from(n).unwrap_or(0) % requests.len()];
                lines.clear();
                let pass = |principal: &Principal, id, proven| principal.write(id, proven, &mut lines);
                let answered = checks.ask(Peer::Local, request::TARGET, request.headers(), pass);
                // Ready at once, or it has left the fast path.
                anyhow::ensure!(matches!(answered, Answered::Passed(())), "a check was refused or had to wait");
                std::hint::black_box(&lines);
            }
        }
        Path::Bare => {
            let bare = Bare::new(checks.answer(Peer::Local, &request::parsed(&tokens[0])).await.headers());
            let (script, end) = Script::new(&tokens, k);
            bare.connection(script).await?;
            end.await?.ensure()?;
        }
        Path::Check => {
            let (script, end) = Script::new(&tokens, k);
            let (_running, stop) = tokio::sync::watch::channel(false);
            let watcher = GracefulShutdown::new().watcher();
            listen::serve_one(script, Limits::neighbours(1), Peer::Local, Arc::new(CheckFirst(checks)), stop, watcher)
                .await;
            end.await?.ensure()?;
        }
    }
    Ok(())
}

/// The client's end of a connection without a client: hands out one request a read, takes every answer, then closes.
struct Script {
    requests: Vec<String>,
    left: u64,
    /// A client that waits for its answer before it sends the next request.
    waits: Option<Waker>,
    seen: Seen,
    end: Option<tokio::sync::oneshot::Sender<Seen>>,
}

/// What came back.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    asked: u64,
    answered: u64,
    passed: u64,
}

impl Seen {
    fn ensure(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.asked == self.passed, "not every request passed: {self:?}");
        Ok(())
    }
}

impl Script {
    fn new(tokens: &[yaopai_wire::token::Token], k: u64) -> (Self, tokio::sync::oneshot::Receiver<Seen>) {
        let (end, seen) = tokio::sync::oneshot::channel();
        let requests = tokens.iter().map(request::bytes).collect();
        (Self { requests, left: k, waits: None, seen: Seen::default(), end: Some(end) }, seen)
    }
}

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.seen.asked > self.seen.answered {
            self.waits = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.left > 0 {
            self.left -= 1;
            self.seen.asked += 1;
            let at = usize::try_from(self.left).unwrap_or(0) % self.requests.len();
            buffer.put_slice(self.requests[at].as_bytes());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.seen.answered += 1;
        if bytes.starts_with(b"HTTP/1.1 200 ") {
            self.seen.passed += 1;
        }
        if let Some(waits) = self.waits.take() {
            waits.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(self.seen);
        }
    }
}
