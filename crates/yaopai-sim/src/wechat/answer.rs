//! How an answer looks on the wire, its oddities and faults included.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use crate::{AnswerShape, Endpoint, Fault, FaultKind, dice::Dice};

/// A mark on a response: don't send it, reset the connection.
#[derive(Clone, Copy)]
pub(crate) struct ResetConnection;

/// Long enough that what was written before a cut reaches the client first.
const CUT_AFTER: Duration = Duration::from_millis(20);

/// The JSON of an answer as bytes.
pub(crate) fn render(mut fields: Map<String, Value>, shape: &AnswerShape, dice: &mut Dice) -> Vec<u8> {
    if shape.shuffle_keys {
        fields = shuffled(fields, dice);
    }
    let text = Value::Object(fields).to_string();
    // A slash can only stand inside a JSON string, so replacing in the text is exact.
    if shape.escape_slashes { text.replace('/', "\\/").into_bytes() } else { text.into_bytes() }
}

fn shuffled(fields: Map<String, Value>, dice: &mut Dice) -> Map<String, Value> {
    let mut list: Vec<_> = fields.into_iter().collect();
    for at in (1..list.len()).rev() {
        list.swap(at, dice.below(at + 1));
    }
    list.into_iter().collect()
}

/// `/sns/*` is marked as text, though it is JSON (observed 2017–2022); the others as JSON (INF).
pub(crate) fn content_type(endpoint: Endpoint) -> &'static str {
    if endpoint.path().starts_with("/sns/") { "text/plain" } else { "application/json; encoding=utf-8" }
}

pub(crate) fn ok(endpoint: Endpoint, body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, content_type(endpoint))], body).into_response()
}

/// The answer as a fault leaves it. Delays have been waited for already.
pub(crate) fn spoilt(endpoint: Endpoint, mut body: Vec<u8>, fault: &Fault) -> Response {
    match fault.kind {
        FaultKind::Reset => {
            let mut response = StatusCode::BAD_GATEWAY.into_response();
            response.extensions_mut().insert(ResetConnection);
            response
        }
        FaultKind::BadGateway => {
            const HTML: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
            (StatusCode::BAD_GATEWAY, [(CONTENT_TYPE, "text/html")], HTML).into_response()
        }
        FaultKind::TruncatedBody => {
            body.truncate(body.len() / 2);
            ok(endpoint, body)
        }
        FaultKind::CutBody => cut(endpoint, body),
        FaultKind::EmptyBody => ok(endpoint, Vec::new()),
        FaultKind::Delay | FaultKind::Errcode | FaultKind::StringErrcode => ok(endpoint, body),
    }
}

fn cut(endpoint: Endpoint, mut body: Vec<u8>) -> Response {
    let announced = body.len();
    body.truncate(announced / 2);
    let sent = stream::once(async move { Ok(Bytes::from(body)) });
    let broken = stream::once(async {
        tokio::time::sleep(CUT_AFTER).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let mut response = Body::from_stream(sent.chain(broken)).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, announced.into());
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(content_type(endpoint)));
    response
}
