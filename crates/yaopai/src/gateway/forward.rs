//! The one file that names the HTTP client: hyper's connections, and those to one address that wait for the next request ([decision
//! 68](../../../../docs/decisions/0068-the-gateways-own-pool.md)).

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::body::Upload;
use super::pace::now;

/// Unused connections that are kept to one address. Those of a burst wait for the next one, for `keep_alive`: what is closed is made
/// anew, and a new one stands in the back end's accept queue, where a busy Node leaves it for seconds. (In tests both ends are one
/// process's descriptors.)
const UNUSED_MAX: usize = if cfg!(test) { 64 } else { 1024 };
/// The largest head of an answer.
const HEAD_MAX: usize = 64 * 1024;

/// A request about to be sent. Boxed, because it is handed on a few times.
pub type Going = Box<Request<Upload<Incoming>>>;

/// Why there is no answer.
pub enum Failure {
    /// No connection: nothing of the request was sent, and here it is.
    NotConnected(Going, String),
    /// Some of the request may have been.
    Broken(String),
}

/// Connections to one address, HTTP/1.1.
pub struct Connections {
    address: Authority,
    connector: HttpConnector,
    keep_alive: Duration,
    unused: Mutex<Unused>,
}

/// Those that no request has.
#[derive(Default)]
struct Unused {
    /// The one that was used last stands last, and is used next: what is too many has time to grow old.
    all: Vec<(Sender, Instant)>,
    /// Does a task close those that have grown old?
    swept: bool,
}

type Sender = SendRequest<Upload<Incoming>>;

impl Connections {
    /// To this address; none is made yet.
    pub fn new(address: Authority, connect_timeout: Duration, keep_alive: Duration) -> Arc<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        Arc::new(Self { address, connector, keep_alive, unused: Mutex::default() })
    }

    /// Sends a request; its target is a path and it has a host. When it returns, the answer's head is there.
    ///
    /// It is sent again by itself in one case: an unused connection was found closed before a byte of it was written.
    pub async fn send(self: &Arc<Self>, mut request: Going) -> Result<Response<Answer>, Failure> {
        if let Some(mut sender) = self.unused() {
            let mut failed = match sender.try_send_request(*request).await {
                Ok(response) => return Ok(self.answer(sender, response)),
                Err(failed) => failed,
            };
            // hyper hands back only what it hasn't begun to write.
            match failed.take_message() {
                Some(unsent) => request = Box::new(unsent),
                None => return Err(Failure::Broken(chain(failed.error()))),
            }
        }
        // Apart from the usual way, whose future need not have room for it.
        match Box::pin(self.connect()).await {
            Ok(mut sender) => match sender.send_request(*request).await {
                Ok(response) => Ok(self.answer(sender, response)),
                Err(e) => Err(Failure::Broken(chain(&e))),
            },
            Err(what) => Err(Failure::NotConnected(request, what)),
        }
    }

    /// Does the address answer a path with a status below 400?
    pub async fn is_well(self: &Arc<Self>, path: &str) -> bool {
        let mut request = Request::new(Upload::none());
        let (Ok(target), Ok(host)) = (path.parse(), HeaderValue::from_str(self.address.as_str())) else { return false };
        *request.uri_mut() = target;
        request.headers_mut().insert(header::HOST, host);
        self.send(Box::new(request)).await.is_ok_and(|answer| answer.status().as_u16() < 400)
    }

    async fn connect(&self) -> Result<Sender, String> {
        let mut uri = http::uri::Parts::default();
        (uri.scheme, uri.authority) = (Some(Scheme::HTTP), Some(self.address.clone()));
        uri.path_and_query = Some(PathAndQuery::from_static("/"));
        let uri = Uri::from_parts(uri).map_err(|e| chain(&e))?;
        let stream = self.connector.clone().oneshot(uri).await.map_err(|e| chain(&e))?;
        let (sender, connection) =
            Builder::new().max_buf_size(HEAD_MAX).handshake(stream).await.map_err(|e| chain(&e))?;
        tokio::spawn(connection.with_upgrades());
        Ok(sender)
    }

    /// The unused connection that was used last. What is still busy with an upload that nobody waited for is left alone.
    fn unused(&self) -> Option<Sender> {
        let mut unused = self.lock();
        for at in (0..unused.all.len()).rev() {
            let (sender, _) = &unused.all[at];
            if sender.is_ready() {
                // Those before it are older still.
                let (sender, since) = unused.all.remove(at);
                return (now() - since < self.keep_alive).then_some(sender);
            }
            if sender.is_closed() {
                unused.all.remove(at);
            }
        }
        None
    }

    /// Nothing is kept that was switched to another protocol.
    fn answer(self: &Arc<Self>, sender: Sender, response: Response<Incoming>) -> Response<Answer> {
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let used = (!switched).then(|| Used { sender, of: self.clone() });
        response.map(|body| {
            let mut answer = Answer { body, used };
            answer.give_back_at_the_end();
            answer
        })
    }

    fn keep(self: &Arc<Self>, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut unused = self.lock();
        if unused.all.len() >= UNUSED_MAX {
            unused.all.remove(0);
        }
        unused.all.push((sender, now()));
        if !std::mem::replace(&mut unused.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self), now() + self.keep_alive));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unused> {
        self.unused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what has been unused for too long, until there is nothing left of it.
async fn sweep(of: Weak<Connections>, mut next: Instant) {
    loop {
        tokio::time::sleep_until(next).await;
        let Some(of) = of.upgrade() else { return };
        let mut unused = of.lock();
        let now = now();
        unused.all.retain(|(sender, since)| now - *since < of.keep_alive && !sender.is_closed());
        match unused.all.first() {
            Some((_, oldest)) => next = *oldest + of.keep_alive,
            None => {
                unused.swept = false;
                return;
            }
        }
    }
}

/// A connection that a request has.
struct Used {
    sender: Sender,
    of: Arc<Connections>,
}

/// An answer's body. When all of it has been read, its connection may be used again; when it is given up, the connection closes.
pub struct Answer {
    body: Incoming,
    used: Option<Used>,
}

impl Answer {
    fn give_back_at_the_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(Used { sender, of }) = self.used.take()
        {
            of.keep(sender);
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Err(_)) => self.used = None,
            Some(Ok(_)) => self.give_back_at_the_end(),
            // Of chunks the end is told by this alone.
            None => {
                if let Some(Used { sender, of }) = self.used.take() {
                    of.keep(sender);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The cause is what an operator needs. No URL stands in any of them.
fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
#[path = "forward_tests.rs"]
mod tests;
