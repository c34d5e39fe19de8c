//! A TCP server that plays a script and remembers every request it got, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// HTTP 200, `text/plain`, the connection stays.
    Json(String),
    /// The same after so many milliseconds.
    Late(u64, String),
    /// These bytes, then an orderly close.
    Raw(Vec<u8>),
    /// These bytes, and silence.
    Hang(Vec<u8>),
    /// These bytes again and again.
    Endless(Vec<u8>),
    /// RST.
    Reset,
    /// An orderly close without a byte.
    Close,
}

pub fn json(text: impl Into<String>) -> Reply {
    Reply::Json(text.into())
}

pub fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[derive(Clone, Default)]
struct Seen {
    /// Request line, headers and body of each request.
    requests: Arc<Mutex<Vec<String>>>,
    /// All bytes of each connection.
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A running server. It lives as long as the test's runtime.
pub struct Wire {
    addr: SocketAddr,
    seen: Seen,
}

/// From the number of the request (from 0) and its text to the reply.
type Script = Arc<dyn Fn(usize, &str) -> Reply + Send + Sync>;

impl Wire {
    pub async fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, seen, script) = (listener.local_addr().unwrap(), Seen::default(), Arc::new(script) as Script);
        let remembered = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone(), Arc::clone(&script)));
            }
        });
        Self { addr, seen: remembered }
    }

    /// Always the same reply.
    pub async fn always(reply: Reply) -> Self {
        Self::start(move |_, _| reply.clone()).await
    }

    /// Resets each connection before reading a byte.
    pub async fn resets_at_once() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, seen) = (listener.local_addr().unwrap(), Seen::default());
        let remembered = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.lock().unwrap().push(Vec::new());
                drop(stream.set_zero_linger());
            }
        });
        Self { addr, seen: remembered }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub fn count(&self, part: &str) -> usize {
        self.requests().iter().filter(|r| r.contains(part)).count()
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.lock().unwrap().len()
    }

    pub fn all_bytes(&self) -> Vec<u8> {
        self.seen.connections.lock().unwrap().concat()
    }
}

async fn serve(mut stream: TcpStream, seen: Seen, script: Script) {
    let connection = {
        let mut connections = seen.connections.lock().unwrap();
        connections.push(Vec::new());
        connections.len() - 1
    };
    let mut buffer = Vec::new();
    loop {
        let length = loop {
            if let Some(length) = request_length(&buffer) {
                break length;
            }
            let before = buffer.len();
            match stream.read_buf(&mut buffer).await {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            seen.connections.lock().unwrap()[connection].extend_from_slice(&buffer[before..]);
            if buffer[0] == 0x16 {
                // TLS: not our language.
                drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
                return;
            }
        };
        let request = String::from_utf8(buffer.drain(..length).collect()).unwrap();
        let number = {
            let mut requests = seen.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        let reply = match script(number, &request) {
            Reply::Late(ms, text) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Reply::Json(text)
            }
            reply => reply,
        };
        match reply {
            Reply::Json(text) | Reply::Late(_, text) => {
                let answer = http("200 OK\r\nContent-Type: text/plain", text.as_bytes());
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
            }
            Reply::Raw(bytes) => {
                drop(stream.write_all(&bytes).await);
                drop(stream.shutdown().await);
                return;
            }
            Reply::Hang(bytes) => {
                drop(stream.write_all(&bytes).await);
                // Until the client goes.
                drop(stream.read_buf(&mut buffer).await);
                return;
            }
            Reply::Endless(bytes) => while stream.write_all(&bytes).await.is_ok() {},
            Reply::Reset => {
                drop(stream.set_zero_linger());
                return;
            }
            Reply::Close => return,
        }
    }
}

/// Head and body of the first request in the buffer, once it is whole.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?.to_ascii_lowercase();
    let body = text.lines().find_map(|l| l.strip_prefix("content-length:")).map_or(0, |v| v.trim().parse().unwrap());
    (buffer.len() >= head + body).then_some(head + body)
}
