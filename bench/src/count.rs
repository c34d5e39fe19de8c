//! What callgrind watches: `k` requests answered in this process, without sockets and without a client, so that the only
//! thing that two runs with another `k` differ in is the answering.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::HeaderValue;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yaopai::check::{Answered, Principal};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::listen::{self, Limits, Peer};
use yaopai::serve::{CheckFirst, Public};
use yaopai_core::ports::Clock;

use crate::bare::Bare;
use crate::people::People;
use crate::request::{self, Asked};
use crate::server::Process;
use crate::world::{self, Room, Standing};

/// Different tokens among the requests, at most.
const TOKENS: u64 = 4096;
/// Signed requests that are made ready, whatever `k` is: a longer run must not have more to prepare. It can't have more of them.
pub const SIGNED: u64 = 4096;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Path {
    /// The check alone: a request in, an answer out.
    Answer,
    /// hyper with a fixed answer.
    Bare,
    /// hyper with the check.
    Check,
    /// The check of a signed request alone.
    Signed,
    /// hyper with a fixed answer to a signed request.
    SignedBare,
    /// hyper with the check of a signed request.
    SignedCheck,
    /// The check that hands out a JWT, alone.
    Jwt,
    /// hyper with a fixed answer that has a JWT.
    JwtBare,
    /// hyper with the check that hands out a JWT.
    JwtCheck,
    /// A request that the gateway passes on to a process of its own, and its answer.
    Gateway,
}

impl Path {
    fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::SignedBare | Self::SignedCheck)
    }

    fn target(self) -> &'static str {
        match self {
            Self::Jwt | Self::JwtBare | Self::JwtCheck => request::JWT_TARGET,
            Self::Gateway => request::CALL,
            _ => request::TARGET,
        }
    }

    /// How many different tokens. A JWT is signed for each before anything is counted, and that takes its time under callgrind.
    fn tokens(self) -> u64 {
        if self.target() == request::JWT_TARGET { 64 } else { TOKENS }
    }
}

/// Answers `k` requests over a table of so many sessions.
pub async fn run(path: Path, k: u64, sessions: u64) -> anyhow::Result<()> {
    let stands = path.is_signed() || path.target() == request::JWT_TARGET;
    let clock: Arc<dyn Clock> = if stands { Arc::new(Standing::new()) } else { Arc::<SystemClock>::default() };
    let now = clock.now();
    let people = People::new(sessions, now);
    let room = Room::new(people, sessions, path.is_signed()).await?;
    if path.is_signed() {
        room.store_too(people, 0).await?;
    }
    let upstream = if path == Path::Gateway { Some(Process::start(&["upstream"])?) } else { None };
    let made = world::made(room, clock, upstream.as_ref().map(|upstream| upstream.address)).await?;
    let checks = made.checks;
    // Where it is signed, the first goes to the store, which has to be told that such are accepted now.
    let first = if path.is_signed() { people.signed(0, now, &SystemEntropy)? } else { people.asked(0) };
    let first = checks.answer(Peer::Local, &first.to(checked(path)).parsed()).await;
    anyhow::ensure!(first.status() == 200, "the first check was refused");
    let step = sessions.div_ceil(path.tokens()).max(1);
    let many = sessions / step;
    let asked: Vec<Asked> = if path.is_signed() {
        anyhow::ensure!(k <= SIGNED, "a signed request counts once, and there are {SIGNED}");
        (0..SIGNED).map(|n| people.signed(n % many * step, now, &SystemEntropy)).collect::<Result<_, _>>()?
    } else {
        (0..many).map(|n| people.asked(n * step).to(path.target())).collect()
    };
    if path.target() == request::JWT_TARGET {
        for asked in &asked {
            // Signed by this, and kept.
            checks.answer(Peer::Local, &asked.parsed()).await;
        }
    }
    match path {
        Path::Answer | Path::Signed | Path::Jwt => {
            let requests: Vec<_> = asked.iter().map(Asked::parsed).collect();
            let mut lines = Vec::new();
            for n in 0..k {
                let request = &requests[usize::try_from(n).unwrap_or(0) % requests.len()];
                lines.clear();
                let pass = |principal: &Principal, id, proven, jwt: Option<&_>| {
                    principal.write(id, proven, &mut lines);
                    lines.extend_from_slice(jwt.map_or(b"", |jwt: &HeaderValue| jwt.as_bytes()));
                };
                let answered = checks.ask(Peer::Local, ("GET", path.target()), request.headers(), pass);
                // Ready at once, or it has left the fast path.
                anyhow::ensure!(matches!(answered, Answered::Passed(())), "a check was refused or had to wait");
                std::hint::black_box(&lines);
            }
            Ok(())
        }
        Path::Bare | Path::SignedBare | Path::JwtBare => {
            let bare = Bare::new(first.headers());
            let (script, end) = Script::new(&asked, k);
            bare.connection(script).await?;
            end.await?.ensure(k)
        }
        Path::Check | Path::SignedCheck | Path::JwtCheck => {
            through(&asked, k, Limits::neighbours(1), Arc::new(CheckFirst(checks))).await
        }
        Path::Gateway => {
            let public = Public::new(axum::Router::new(), made.gateway, Vec::new());
            through(&asked, k, Limits::strangers(1), Arc::new(public)).await
        }
    }
}

/// Whatever is measured, a check shows that it would pass.
fn checked(path: Path) -> &'static str {
    if path == Path::Gateway { request::TARGET } else { path.target() }
}

/// As the real listener serves a connection.
async fn through<A: listen::Answer>(asked: &[Asked], k: u64, limits: Limits, answer: Arc<A>) -> anyhow::Result<()> {
    let (script, end) = Script::new(asked, k);
    let (_running, stop) = tokio::sync::watch::channel(false);
    // Kept until the end: once it is gone, hyper closes the connection as soon as it can.
    let graceful = GracefulShutdown::new();
    listen::serve_one(script, limits, Peer::Local, answer, stop, graceful.watcher()).await;
    end.await?.ensure(k)
}

/// The client's end of a connection without a client: hands out one request a read, takes every answer, then closes.
struct Script {
    requests: Vec<String>,
    left: u64,
    /// The request that is under way, and how much of it was read.
    half: Option<(usize, usize)>,
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
    fn ensure(self, k: u64) -> anyhow::Result<()> {
        anyhow::ensure!(self.asked == k && self.passed == k, "not every one of {k} requests passed: {self:?}");
        Ok(())
    }
}

impl Script {
    fn new(asked: &[Asked], k: u64) -> (Self, tokio::sync::oneshot::Receiver<Seen>) {
        let (end, seen) = tokio::sync::oneshot::channel();
        let requests = asked.iter().map(Asked::bytes).collect();
        (Self { requests, left: k, half: None, waits: None, seen: Seen::default(), end: Some(end) }, seen)
    }
}

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let half = self.half.take();
        if half.is_none() && self.seen.asked > self.seen.answered {
            self.waits = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (at, read) = match half {
            Some(half) => half,
            None if self.left == 0 => return Poll::Ready(Ok(())),
            None => {
                self.left -= 1;
                self.seen.asked += 1;
                (usize::try_from(self.left).unwrap_or(0) % self.requests.len(), 0)
            }
        };
        // Who looks at a connection's first bytes has room for no more.
        let rest = &self.requests[at].as_bytes()[read..];
        let now = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..now]);
        if now < rest.len() {
            self.half = Some((at, read + now));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // A body may come after its head.
        if bytes.starts_with(b"HTTP/1.1 ") {
            self.seen.answered += 1;
        }
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
