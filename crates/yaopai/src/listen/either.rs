//! HTTP/1.1 with upgrades, or HTTP/2 in clear text by a client that knows (RFC 9113, section 3.3): a proxy in front that ends TLS.
//!
//! Only a proxy of ours: an HTTP/2 connection lives as long as its peer answers pings and takes none of what it asked for, so a
//! stranger could hold places for ever. A preface of anybody else is a request that is none, and its connection is closed.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::one_timer::OneTimer;
use super::rewound::Rewound;
use super::{Answer, HEAD_MAX, Handler, Limits, Peer, stopping};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests of one connection at a time.
const STREAMS_MAX: u32 = 100;
/// Streams that were reset before we have looked at them, beyond which the connection is closed (CVE-2023-44487).
const RESETS_MAX: usize = 20;
/// How much of bodies may be on its way to us, on one stream and on one connection: a slow upstream keeps no more in memory.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// How much of an answer may wait to be sent.
const SEND_BUFFER: usize = 128 * 1024;
/// A peer that answers no ping for so long is gone.
const PING_TIME: Duration = Duration::from_secs(20);

/// One connection to its end, or to where it is upgraded.
pub(super) async fn serve_one<S, A>(
    mut stream: Pin<Box<TimeoutStream<S>>>,
    limits: Limits,
    peer: Peer,
    answer: Arc<A>,
    mut stop: watch::Receiver<bool>,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + 'static,
    A: Answer,
{
    stream.as_mut().set_read_timeout_pinned(Some(limits.header_time));
    let mut begin = Vec::with_capacity(PREFACE.len());
    let known = tokio::select! {
        known = tokio::time::timeout(limits.header_time, is_http2(&mut stream, &mut begin)) => known,
        () = stopping(&mut stop) => return,
    };
    let Ok(Some(http2)) = known else { return };
    if http2 && !answer.takes_http2_from(peer) {
        return;
    }
    // hyper has its own.
    stream.as_mut().set_read_timeout_pinned(None);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(OneTimer::new()).header_read_timeout(limits.header_time).max_buf_size(HEAD_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .max_header_list_size(HEAD_MAX as u32)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_TIME)
        .keep_alive_timeout(PING_TIME);
    let builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    let io = TokioIo::new(Rewound::new(begin, stream));
    let connection = builder.serve_connection_with_upgrades(io, Handler { peer, answer });
    // A peer that breaks off or talks no HTTP is its own business.
    let _ = watcher.watch(connection).await;
}

/// Reads as far as it takes to tell. `None`: the peer is gone.
async fn is_http2(stream: &mut (impl AsyncRead + Unpin), begin: &mut Vec<u8>) -> Option<bool> {
    loop {
        if begin.len() >= PREFACE.len() {
            return Some(begin.starts_with(PREFACE));
        }
        if !begin.is_empty() && !PREFACE.starts_with(begin) {
            return Some(false);
        }
        if !matches!(stream.read_buf(begin).await, Ok(1..)) {
            return None;
        }
    }
}
