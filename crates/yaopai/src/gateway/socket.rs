//! WebSockets (RFC 6455): the handshake goes on as a request, and after it bytes in both directions, which nobody reads here. No
//! other protocol is switched to: `h2c` in particular would carry requests past the check.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Version, header};
use hyper::body::Body;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use super::cut::{Hold, ended};
use super::upstream::Place;
use crate::listen;

/// How long both ends may take to have switched, once the upstream has agreed.
const SWITCH_TIME: Duration = Duration::from_secs(10);

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Does the request ask for a WebSocket (RFC 6455, section 4.1)?
pub fn asked<B: Body>(request: &Request<B>) -> bool {
    request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && names_upgrade(request.headers())
        && is_websocket(request.headers())
}

/// Does the upstream agree?
pub fn agreed(headers: &HeaderMap) -> bool {
    is_websocket(headers)
}

/// What a handshake needs of its own connection, in both directions.
pub fn agree(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, WEBSOCKET);
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::CONNECTION).iter();
    lists
        .flat_map(|list| list.as_bytes().split(|b| *b == b','))
        .any(|n| n.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(header::UPGRADE).iter();
    matches!((protocols.next(), protocols.next()), (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// The two ends of a socket.
pub struct Ends {
    /// Towards the client.
    pub client: OnUpgrade,
    /// Towards the upstream.
    pub upstream: OnUpgrade,
    /// How long it may be silent in both directions.
    pub idle: Duration,
    /// The server's stop.
    pub stop: watch::Receiver<bool>,
}

impl Ends {
    /// Passes bytes on until one end closes, nothing is said for too long, the session ends or the server stops. Then both ends
    /// are dropped, whatever is still under way: who was kicked hears no more.
    pub async fn join(mut self, hold: Option<Arc<Hold>>, _place: Place) {
        tokio::select! {
            biased;
            () = ended(hold.as_ref()) => {}
            () = listen::stopping(&mut self.stop) => {}
            () = pass(self.client, self.upstream, self.idle) => {}
        }
    }
}

async fn pass(client: OnUpgrade, upstream: OnUpgrade, idle: Duration) {
    let both = async { tokio::try_join!(client, upstream) };
    let Ok(Ok((client, upstream))) = tokio::time::timeout(SWITCH_TIME, both).await else { return };
    let heard = AtomicU64::new(0);
    let (mut client, mut upstream) = (Heard::new(client, &heard), Heard::new(upstream, &heard));
    let mut passing = std::pin::pin!(tokio::io::copy_bidirectional(&mut client, &mut upstream));
    loop {
        let before = heard.load(Ordering::Relaxed);
        let silent = tokio::time::timeout(idle, &mut passing).await.is_err();
        if !silent || heard.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// An end that counts when something is read from it.
struct Heard<'a> {
    io: TokioIo<Upgraded>,
    count: &'a AtomicU64,
}

impl<'a> Heard<'a> {
    fn new(io: Upgraded, count: &'a AtomicU64) -> Self {
        Self { io: TokioIo::new(io), count }
    }
}

impl AsyncRead for Heard<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, to);
        if to.filled().len() > before {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Heard<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
