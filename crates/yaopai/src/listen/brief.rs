//! Brief exchanges, in front of hyper: a question without a body in, an answer out of ready-made bytes, on a connection that
//! carries nothing else. A proxy's checks are such. Measured, hyper's own work and the table of headers it wants are half of a
//! check's cost.
//!
//! What is brief is told narrowly: `GET`, HTTP/1.1, no header that says anything of framing or of the connection. At the first
//! request that is anything else, or that httparse (hyper's parser too) can't read, hyper takes the connection over for good,
//! the bytes read so far included.

use std::mem::MaybeUninit;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use http_body_util::BodyExt as _;
use httparse::{Header, Status};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use yaopai_core::time::Timestamp;
use yaopai_wire::fields::Fields;

use super::{HEAD_MAX, Peer, stopping};

/// Answers brief questions.
pub trait Brief: Send + Sync {
    /// Answers one.
    fn brief(&self, peer: Peer, question: &Question<'_>, lines: &mut Vec<u8>) -> Reply;

    /// For the `Date` header (RFC 9110, section 6.6.1).
    fn now(&self) -> Timestamp;
}

/// A question without a body.
pub struct Question<'a> {
    /// Its request target, verbatim: visible ASCII that nobody doubts may stand there.
    pub target: &'a str,
    headers: &'a [Header<'a>],
}

impl Fields for Question<'_> {
    fn each(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.headers.iter().map(|h| (h.name.as_bytes(), h.value))
    }
}

/// How a question is answered.
pub enum Reply {
    /// 200 without a body, with the header lines that were written.
    Lines,
    /// With this.
    Whole(Response<Body>),
    /// With what this becomes.
    Later(BoxFuture<'static, Response<Body>>),
    /// Not at all: it is hyper's to answer.
    NotBrief,
}

/// How the brief exchanges of a connection ended.
pub(super) enum End {
    /// The connection is done.
    Closed,
    /// hyper goes on, beginning with these bytes.
    Hyper(Vec<u8>),
}

/// More headers than this are hyper's to count.
const HEADERS_MAX: usize = 64;
/// What nearly every head fits into.
const HEAD_USUAL: usize = 2048;

/// Exchanges until the peer, a time-out or `stop` ends it, or hyper has to. The stream's own time limits bound how long it is
/// waited for a question to begin and for an answer to be taken; `head_time` how long a question may take to arrive.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    head_time: Duration,
    peer: Peer,
    brief: &dyn Brief,
    stop: &mut watch::Receiver<bool>,
) -> End {
    let (mut read, mut answer) = (Vec::with_capacity(HEAD_USUAL), Vec::with_capacity(HEAD_USUAL));
    let mut date = Date::default();
    let stop_now = stop.clone();
    let mut stopping = std::pin::pin!(stopping(stop));
    loop {
        // A question that came along with the one before is answered before anything is waited for.
        if read.is_empty() {
            tokio::select! {
                biased;
                got = stream.read_buf(&mut read) => if !matches!(got, Ok(1..)) { return End::Closed },
                () = &mut stopping => return End::Closed,
            }
        }
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let (length, reply) = match Head::read(&read, &mut headers) {
            Head::Brief(question, length) => {
                answer.clear();
                answer.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
                (length, brief.brief(peer, &question, &mut answer))
            }
            Head::Partial if read.len() < HEAD_MAX => {
                tokio::select! {
                    // As above: a question whose rest has come is answered, however the stop falls.
                    biased;
                    more = tokio::time::timeout(head_time, rest(stream, &mut read)) => match more {
                        Ok(true) => continue,
                        _ => return End::Closed,
                    },
                    () = &mut stopping => return End::Closed,
                }
            }
            Head::Partial | Head::Other => return End::Hyper(read),
        };
        let whole = match reply {
            Reply::Lines => None,
            Reply::Whole(response) => Some(response),
            Reply::Later(later) => tokio::select! {
                biased;
                response = later => Some(response),
                // Who hangs up waits for nothing, and must not hold a place.
                () = gone(stream, &mut read) => return End::Closed,
            },
            Reply::NotBrief => return End::Hyper(read),
        };
        let body = match whole {
            None => Bytes::new(),
            Some(response) => {
                answer.clear();
                let Ok(body) = write_head(response, &mut answer).await else { return End::Closed };
                body
            }
        };
        // Nearly every answer has none, and formatting is slow.
        match body.len() {
            0 => answer.extend_from_slice(b"content-length: 0\r\n"),
            length => answer.extend_from_slice(format!("content-length: {length}\r\n").as_bytes()),
        }
        // The last one says so: a proxy that sends another question after it would be told nothing.
        let last = *stop_now.borrow();
        if last {
            answer.extend_from_slice(b"connection: close\r\n");
        }
        date.write(brief.now(), &mut answer);
        answer.extend_from_slice(b"\r\n");
        answer.extend_from_slice(&body);
        if stream.write_all(&answer).await.is_err() || last {
            return End::Closed;
        }
        read.drain(..length);
    }
}

/// Reads until the head that has begun may be whole. False: the peer is gone.
async fn rest<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) -> bool {
    loop {
        // From where the end of the head could have begun before.
        let from = read.len().saturating_sub(3);
        if !matches!(stream.read_buf(read).await, Ok(1..)) {
            return false;
        }
        // A head that ends in bare line feeds is whole too: httparse says so once it is looked at again.
        let tail = &read[from..];
        if read.len() >= HEAD_MAX || tail.windows(2).any(|w| w == b"\n\n") || tail.windows(3).any(|w| w == b"\n\r\n") {
            return true;
        }
    }
}

/// Returns when the peer hangs up. What it sends meanwhile is kept for later, as much of it as fits.
async fn gone<S: AsyncRead + Unpin>(stream: &mut S, read: &mut Vec<u8>) {
    while read.len() < 2 * HEAD_MAX {
        match stream.read_buf(read).await {
            Ok(1..) => {}
            // It waits for us longer than for a question to begin: its own business.
            Err(e) if e.kind() == std::io::ErrorKind::TimedOut => break,
            _ => return,
        }
    }
    std::future::pending().await
}

/// What the bytes read so far begin with.
enum Head<'a> {
    /// A brief question, and how many bytes it takes.
    Brief(Question<'a>, usize),
    /// Not all of a head.
    Partial,
    /// Something for hyper.
    Other,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8], headers: &'a mut [MaybeUninit<Header<'a>>; HEADERS_MAX]) -> Self {
        // Empty lines before the request are allowed (RFC 9112, section 2.2), and could be sent for ever.
        if bytes.first() != Some(&b'G') {
            return Self::Other;
        }
        let mut request = httparse::Request::new(&mut []);
        let length = match request.parse_with_uninit_headers(bytes, headers) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Self::Partial,
            Err(_) => return Self::Other,
        };
        let (Some("GET"), Some(1), Some(target)) = (request.method, request.version, request.path) else {
            return Self::Other;
        };
        let headers: &'a [Header<'a>] = request.headers;
        if target.bytes().all(|b| PLAIN[usize::from(b)]) && !headers.iter().any(concerns_the_connection) {
            Self::Brief(Question { target, headers }, length)
        } else {
            Self::Other
        }
    }
}

/// What may stand in a target without anybody's doubting it: visible ASCII but for what hyper takes here and not there.
static PLAIN: [bool; 256] = {
    let doubted = b"\"#<>\\^`{|}";
    let mut table = [false; 256];
    let mut byte = b'!' as usize;
    while byte <= b'~' as usize {
        table[byte] = true;
        byte += 1;
    }
    let mut n = 0;
    while n < doubted.len() {
        table[doubted[n] as usize] = false;
        n += 1;
    }
    table
};

/// Does this header say anything of how the request goes on or the connection ends? `Connection: keep-alive` says what is so.
fn concerns_the_connection(header: &Header<'_>) -> bool {
    const NAMES: [&str; 6] = ["content-length", "transfer-encoding", "upgrade", "expect", "te", "trailer"];
    match header.name.len() {
        2 | 6 | 7 | 14 | 17 => NAMES.iter().any(|name| header.name.eq_ignore_ascii_case(name)),
        10 if header.name.eq_ignore_ascii_case("connection") => !header.value.eq_ignore_ascii_case(b"keep-alive"),
        16 => header.name.eq_ignore_ascii_case("proxy-connection"),
        _ => false,
    }
}

/// Writes an answer's status and headers as bytes, but for its length and date, and hands over its body. What is answered here
/// is small and whole.
async fn write_head(response: Response<Body>, to: &mut Vec<u8>) -> Result<Bytes, axum::Error> {
    let (head, body) = response.into_parts();
    to.extend_from_slice(b"HTTP/1.1 ");
    to.extend_from_slice(head.status.as_str().as_bytes());
    to.push(b' ');
    to.extend_from_slice(head.status.canonical_reason().unwrap_or_default().as_bytes());
    to.extend_from_slice(b"\r\n");
    for (name, value) in &head.headers {
        to.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    Ok(body.collect().await?.to_bytes())
}

/// The `Date` line, written anew once a second.
#[derive(Default)]
struct Date {
    second: i64,
    line: Vec<u8>,
}

impl Date {
    fn write(&mut self, now: Timestamp, to: &mut Vec<u8>) {
        let second = now.0.div_euclid(1000);
        if self.second != second || self.line.is_empty() {
            let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(second).unwrap_or_default());
            self.second = second;
            self.line = format!("date: {}\r\n", httpdate::fmt_http_date(at)).into_bytes();
        }
        to.extend_from_slice(&self.line);
    }
}
