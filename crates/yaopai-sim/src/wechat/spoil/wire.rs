//! Faults of HTTP and of the connection.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};

use super::super::answer;
use crate::{Endpoint, Fault, FaultKind};

/// A mark on a response: don't send it, end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// TCP RST.
    Reset,
    /// TCP FIN.
    Close,
}

/// Long enough that what was written before a cut reaches the client first.
const CUT_AFTER: Duration = Duration::from_millis(20);
const PIECES: usize = 8;
const ENDLESS_CHUNK: usize = 64 * 1024;
/// Bounded, so that a client that reads on for ever harms nobody but itself.
const ENDLESS_CHUNKS: usize = 1024;

/// What takes the place of an answer whose work was not done.
pub(in super::super) fn in_place_of(endpoint: Endpoint, fault: &Fault) -> Response {
    match fault.kind {
        FaultKind::HttpStatus => with_status(fault, Body::from("Service Temporarily Unavailable\n")),
        _ => spoilt(endpoint, Vec::new(), fault),
    }
}

/// The answer as a fault leaves it. Delays have been waited for already.
pub(in super::super) fn spoilt(endpoint: Endpoint, body: Vec<u8>, fault: &Fault) -> Response {
    match fault.kind {
        FaultKind::Reset => hangup(Hangup::Reset),
        FaultKind::Close => hangup(Hangup::Close),
        FaultKind::BadGateway => html(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        FaultKind::HtmlPage => html(StatusCode::OK, "Sign in to the network"),
        FaultKind::Redirect => (StatusCode::FOUND, [(LOCATION, "http://portal.invalid/sign-in")]).into_response(),
        FaultKind::HttpStatus => with_status(fault, Body::from(body)),
        FaultKind::CutBody => cut(endpoint, body),
        FaultKind::SlowBody => slow(endpoint, body, fault.pause()),
        FaultKind::EndlessBody => endless(endpoint),
        FaultKind::OddContentType => ([(CONTENT_TYPE, "text/html; charset=gbk")], body).into_response(),
        _ => answer::ok(endpoint, body),
    }
}

fn hangup(how: Hangup) -> Response {
    let mut response = StatusCode::BAD_GATEWAY.into_response();
    response.extensions_mut().insert(how);
    response
}

fn html(status: StatusCode, title: &str) -> Response {
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(CONTENT_TYPE, "text/html")], page).into_response()
}

fn with_status(fault: &Fault, body: Body) -> Response {
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, "text/plain")], body).into_response();
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn streamed(endpoint: Endpoint, body: Body, length: Option<usize>) -> Response {
    let mut response = body.into_response();
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer::content_type(endpoint)));
    response
}

fn cut(endpoint: Endpoint, mut body: Vec<u8>) -> Response {
    let announced = body.len();
    body.truncate(announced / 2);
    let sent = stream::once(async move { Ok(Bytes::from(body)) });
    let broken = stream::once(async {
        tokio::time::sleep(CUT_AFTER).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    streamed(endpoint, Body::from_stream(sent.chain(broken)), Some(announced))
}

fn slow(endpoint: Endpoint, body: Vec<u8>, pause: Duration) -> Response {
    let length = body.len();
    let body = Bytes::from(body);
    let pieces: Vec<_> = (0..PIECES).map(|n| body.slice(length * n / PIECES..length * (n + 1) / PIECES)).collect();
    let pieces = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(piece)
    });
    streamed(endpoint, Body::from_stream(pieces), Some(length))
}

fn endless(endpoint: Endpoint) -> Response {
    let start = stream::once(async { Ok::<_, io::Error>(Bytes::from_static(b"{\"errcode\":0,\"errmsg\":\"")) });
    let more = Bytes::from(vec![b'x'; ENDLESS_CHUNK]);
    let more = stream::iter((0..ENDLESS_CHUNKS).map(move |_| Ok(more.clone())));
    let broken = stream::once(async { Err(io::Error::from(io::ErrorKind::ConnectionReset)) });
    streamed(endpoint, Body::from_stream(start.chain(more).chain(broken)), None)
}
