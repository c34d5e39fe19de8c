//! What everything is compared with: hyper as we set it up, answering every request with the same headers as a check that
//! passes, and nothing else.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use yaopai::listen::{HEAD_MAX, Limits};

/// The fixed answer's headers, ready to be copied: cheaper than inserting them one by one.
#[derive(Clone)]
pub struct Bare(Arc<HeaderMap>);

impl Bare {
    /// Answers with these headers. The values are static, as a program's that has nothing to find out would be; leaked once.
    pub fn new(headers: &HeaderMap) -> Self {
        let fixed = |v: &HeaderValue| HeaderValue::from_static(String::leak(v.to_str().unwrap_or("").to_owned()));
        Self(Arc::new(headers.iter().map(|(k, v)| (k.clone(), fixed(v))).collect()))
    }

    /// One connection with the server's own settings.
    pub fn connection<S>(&self, stream: S) -> http1::Connection<TokioIo<S>, Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Limits::neighbours(1).header_time)
            .max_buf_size(HEAD_MAX)
            .serve_connection(TokioIo::new(stream), self.clone())
    }

    /// Serves for ever.
    pub async fn serve(self, listener: TcpListener) -> anyhow::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(self.connection(stream));
        }
    }
}

impl Service<Request<Incoming>> for Bare {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, _: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(Empty::new());
        *response.headers_mut() = HeaderMap::clone(&self.0);
        ready(Ok(response))
    }
}
