//! What callgrind watches: `k` requests answered in this process, without sockets and without a client, so that the only
//! thing that two runs with another `k` differ in is the answering.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yaopai::check::{Answered, Principal};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::listen::{self, Limits, Peer};
use yaopai::serve::CheckFirst;
use yaopai_core::ports::Clock;

use crate::bare::Bare;
use crate::people::People;
use crate::request::{self, Asked};
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
}

impl Path {
    fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::SignedBare | Self::SignedCheck)
    }
}

/// Answers `k` requests over a table of so many sessions.
pub async fn run(path: Path, k: u64, sessions: u64) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> =
        if path.is_signed() { Arc::new(Standing::new()) } else { Arc::<SystemClock>::default() };
    let now = clock.now();
    let people = People::new(sessions, now);
    let room = Room::new(people, sessions, path.is_signed()).await?;
    if path.is_signed() {
        room.store_too(people, 0).await?;
    }
    let checks = world::checks(room, clock).await?;
    // Where it is signed, the first goes to the store, which has to be told that such are accepted now.
    let first = if path.is_signed() { people.signed(0, now, &SystemEntropy)? } else { people.asked(0) }.parsed();
    let first = checks.answer(Peer::Local, &first).await;
    anyhow::ensure!(first.status() == 200, "the first check was refused");
    let step = sessions.div_ceil(TOKENS).max(1);
    let many = sessions / step;
    let asked: Vec<Asked> = if path.is_signed() {
        anyhow::ensure!(k <= SIGNED, "a signed request counts once, and there are {SIGNED}");
        (0..SIGNED).map(|n| people.signed(n % many * step, now, &SystemEntropy)).collect::<Result<_, _>>()?
    } else {
        (0..many).map(|n| people.asked(n * step)).collect()
    };
    match path {
        Path::Answer | Path::Signed => {
            let requests: Vec<_> = asked.iter().map(Asked::parsed).collect();
            let mut lines = Vec::new();
            for n in 0..k {
                let request = &requests[usize::try_from(n).unwrap_or(0) % requests.len()];
                lines.clear();
                let pass = |principal: &Principal, id, proven, _: Option<&_>| principal.write(id, proven, &mut lines);
                let answered = checks.ask(Peer::Local, ("GET", request::TARGET), request.headers(), pass);
                // Ready at once, or it has left the fast path.
                anyhow::ensure!(matches!(answered, Answered::Passed(())), "a check was refused or had to wait");
                std::hint::black_box(&lines);
            }
        }
        Path::Bare | Path::SignedBare => {
            let bare = Bare::new(first.headers());
            let (script, end) = Script::new(&asked, k);
            bare.connection(script).await?;
            end.await?.ensure()?;
        }
        Path::Check | Path::SignedCheck => {
            let (script, end) = Script::new(&asked, k);
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
    fn new(asked: &[Asked], k: u64) -> (Self, tokio::sync::oneshot::Receiver<Seen>) {
        let (end, seen) = tokio::sync::oneshot::channel();
        let requests = asked.iter().map(Asked::bytes).collect();
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
