//! Sockets and connections: hyper driven by ourselves, because only so a slow client's headers have a time limit and a
//! check can be answered in front of any router.

mod bind;
pub mod brief;
mod either;
mod nudged;
mod one_timer;
pub mod proxies;
mod rewound;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::NeverError;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

pub use bind::{Bound, ListenError};
use brief::{Brief, End};
use one_timer::OneTimer;
use rewound::Rewound;

/// What one listener allows its peers.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// How long an idle connection is kept and a request's headers may take.
    pub header_time: Duration,
    /// How long an answer may wait for its reader to take any of it.
    pub write_time: Duration,
}

impl Limits {
    /// For the network: a slow client holds its place for a few seconds at most.
    pub fn strangers(connections: usize) -> Self {
        Self { connections, header_time: Duration::from_secs(20), write_time: WRITE_TIME }
    }

    /// For proxies and back ends. Over nginx's 60 s for idle upstream connections, so that it is always nginx that closes: a
    /// connection closed by us at the wrong moment is a failed check there.
    pub fn neighbours(connections: usize) -> Self {
        Self { connections, header_time: Duration::from_secs(75), write_time: WRITE_TIME }
    }
}

/// The largest request head. A mini program's is well below 8 KB.
pub const HEAD_MAX: usize = 32 * 1024;
/// How long an answer may wait for its reader to take more of it.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How long a graceful stop waits for open requests.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A TCP address.
    Ip(IpAddr),
    /// A process on this machine, through a Unix socket that its owner allowed.
    Local,
}

impl Peer {
    /// Is it a proxy of ours: in one of these networks, or on this machine?
    pub fn is_among(self, proxies: &[IpNet]) -> bool {
        match self {
            Self::Local => true,
            Self::Ip(ip) => proxies::has(proxies, ip),
        }
    }
}

/// Answers requests of one connection's peer.
pub trait Answer: Send + Sync + 'static {
    /// What is awaited for the answer.
    type Future: Future<Output = http::Response<axum::body::Body>> + Send;

    /// Answers one request.
    fn answer(&self, peer: Peer, request: Request<Incoming>) -> Self::Future;

    /// Does it take upgrades beside plain HTTP/1.1, and from some peers HTTP/2?
    fn speaks_all(&self) -> bool {
        false
    }

    /// Does it take HTTP/2 from this peer, where it [speaks all](Self::speaks_all)?
    fn takes_http2_from(&self, _peer: Peer) -> bool {
        false
    }

    /// Who answers brief questions in front of hyper; nobody, unless there are such.
    fn brief(&self) -> Option<&dyn Brief> {
        None
    }
}

/// Serves until `stop` turns true, then lets open requests finish.
pub async fn serve<A: Answer>(bound: Bound, limits: Limits, answer: Arc<A>, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        // Taken before accepting: beyond the limit, clients wait in the kernel's bounded queue and cost us nothing.
        let place = tokio::select! {
            biased;
            () = stopping(&mut stop) => break,
            Ok(place) = places.clone().acquire_owned() => place,
        };
        tokio::select! {
            biased;
            () = stopping(&mut stop) => break,
            accepted = bound.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (watcher, answer, stop) = (graceful.watcher(), answer.clone(), stop.clone());
                    tokio::spawn(async move {
                        serve_one(stream, limits, peer, answer, stop, watcher).await;
                        drop(place);
                    });
                }
                Err(e) => {
                    // Out of file descriptors, most likely: wait for some to come back rather than spin.
                    tracing::warn!(error = %e, "cannot accept connections");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(bound);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(STOP_WAIT) => tracing::warn!("some requests did not finish in time"),
    }
}

/// One connection, to its end: brief exchanges where there are such, then hyper. [`serve`] does this for each that it accepts.
pub async fn serve_one<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    limits: Limits,
    peer: Peer,
    answer: Arc<A>,
    mut stop: watch::Receiver<bool>,
    watcher: Watcher,
) {
    let mut stream = Box::pin(TimeoutStream::new(stream));
    // Who doesn't read the answers must not hold a place either.
    stream.as_mut().set_write_timeout_pinned(Some(limits.write_time));
    let mut read = Vec::new();
    if let Some(brief) = answer.brief() {
        stream.as_mut().set_read_timeout_pinned(Some(limits.header_time));
        match brief::exchange(&mut stream, limits.header_time, peer, brief, &mut stop).await {
            End::Closed => return,
            End::Hyper(bytes) => read = bytes,
        }
        // hyper has its own.
        stream.as_mut().set_read_timeout_pinned(None);
    }
    if answer.speaks_all() {
        return either::serve_one(stream, limits, peer, answer, stop, watcher).await;
    }
    // A peer that breaks off or talks no HTTP is its own business.
    let _ = watcher.watch(connection(Rewound::new(read, stream), limits, peer, answer)).await;
}

/// Waits until the server is told to stop.
pub async fn stopping(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could tell us is gone: stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One connection through hyper, to be awaited.
fn connection<A: Answer>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    limits: Limits,
    peer: Peer,
    answer: Arc<A>,
) -> http1::Connection<TokioIo<impl AsyncRead + AsyncWrite + Unpin + Send>, Handler<A>> {
    http1::Builder::new()
        .timer(OneTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), Handler { peer, answer })
}

/// hyper's view of an [`Answer`].
pub struct Handler<A> {
    peer: Peer,
    answer: Arc<A>,
}

impl<A: Answer> hyper::service::Service<Request<Incoming>> for Handler<A> {
    type Response = http::Response<axum::body::Body>;
    type Error = std::convert::Infallible;
    type Future = NeverError<A::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.answer.answer(self.peer, request).never_error()
    }
}
