//! The one file that names the HTTP client: hyper-util's, with its pool ([decision
//! 52](../../../../docs/decisions/0052-the-gateway-forwards-by-hyper-util.md)).

use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Lent;

/// Unused connections that are kept to one address.
const IDLE_MAX: usize = 64;
/// The largest head of an answer.
const HEAD_MAX: usize = 64 * 1024;

/// What goes on, but for the body.
#[derive(Clone)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub target: PathAndQuery,
    /// The header, without anything that was between the client and us.
    pub headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// No connection: nothing of the request was sent.
    NotConnected(String),
    /// Some of the request may have been.
    Broken(String),
}

/// A client of one upstream's addresses.
pub struct Forward {
    client: Client<HttpConnector, Lent<Incoming>>,
    health: Client<HttpConnector, Empty<Bytes>>,
}

impl Forward {
    /// HTTP/1.1. A request is sent again by itself in one case: the connection was found closed before a byte of it was written.
    pub fn new(connect_timeout: Duration, keep_alive: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(keep_alive)
            .pool_max_idle_per_host(IDLE_MAX)
            .http1_max_buf_size(HEAD_MAX)
            .set_host(true);
        Self { client: builder.build(connector.clone()), health: builder.build(connector) }
    }

    /// Sends a request to one address. When it returns, the answer's head is there.
    pub async fn send(&self, to: &Authority, head: Head, body: Lent<Incoming>) -> Result<Response<Incoming>, Failure> {
        let Some(uri) = uri(to, head.target) else { return Err(Failure::NotConnected("no address".into())) };
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (head.method, uri, head.headers);
        self.client.request(request).await.map_err(|e| {
            let what = chain(&e);
            if e.is_connect() { Failure::NotConnected(what) } else { Failure::Broken(what) }
        })
    }

    /// Does this address answer a path with a status below 400?
    pub async fn is_well(&self, at: &Authority, path: &str) -> bool {
        let uri = path.parse().ok().and_then(|target| uri(at, target));
        let Some(uri) = uri else { return false };
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        self.health.request(request).await.is_ok_and(|answer| answer.status().as_u16() < 400)
    }
}

fn uri(to: &Authority, target: PathAndQuery) -> Option<Uri> {
    let mut parts = http::uri::Parts::default();
    (parts.scheme, parts.authority, parts.path_and_query) = (Some(Scheme::HTTP), Some(to.clone()), Some(target));
    Uri::from_parts(parts).ok()
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
