//! Requests as bytes: an HTTP client would put them right.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends the bytes and reads until the server closes. `base` is `http://host:port`.
pub async fn send(base: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "no end of the answer: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// `GET target` with these headers, one connection. `target` goes out as it is.
pub async fn get(base: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n");
    Answer(send(base, request.as_bytes()).await)
}

/// A check, asked in the two ways that connections are served: as a brief exchange, and through hyper. The answer is the same.
pub async fn check(base: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut kept = Kept::connect(base).await;
    kept.send(format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\n{lines}\r\n").as_bytes()).await;
    let brief = kept.answer().await;
    let through_hyper = get(base, target, headers).await;
    assert_eq!(brief.comparable(), through_hyper.comparable(), "{target} {headers:?}");
    brief
}

/// A connection that is kept.
pub struct Kept(pub TcpStream);

impl Kept {
    pub async fn connect(base: &str) -> Self {
        Self(TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap())
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next answer, and not a byte more.
    pub async fn answer(&mut self) -> Answer {
        let reading = async {
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(self.0.read_u8().await.unwrap_or_else(|e| panic!("{e} after {}", answer.escape_ascii())));
            }
            let head = Answer(String::from_utf8(answer.clone()).unwrap());
            let mut body = vec![0; head.header("content-length").map_or(0, |l| l.parse().unwrap())];
            self.0.read_exact(&mut body).await.unwrap();
            answer.extend(body);
            Answer(String::from_utf8(answer).unwrap())
        };
        tokio::time::timeout(Duration::from_secs(10), reading).await.expect("an answer")
    }

    /// True if the server closes without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let read = tokio::time::timeout(Duration::from_secs(10), self.0.read_u8()).await;
        matches!(read, Ok(Err(_)))
    }
}

/// An answer's text.
#[derive(Debug)]
pub struct Answer(pub String);

impl Answer {
    /// Its status; 0 if the server only closed.
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        let mut lines = head.lines().skip(1).filter_map(|l| l.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// The refusal's code; empty if it is none.
    pub fn code(&self) -> &str {
        self.header("yaopai-code").unwrap_or_default()
    }

    /// What must be the same however the connection was served: all but the order of the headers, the machine's date, and that
    /// the connection ends.
    pub fn comparable(&self) -> (String, Vec<String>, String) {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines = head.lines().map(str::to_owned);
        let status = lines.next().unwrap_or_default();
        let besides =
            |l: &String| !l.starts_with("date: ") && !l.starts_with("connection: ") && !l.starts_with("yaopai-time: ");
        let mut lines: Vec<String> = lines.filter(besides).collect();
        lines.sort();
        (status, lines, self.body().to_owned())
    }

    pub fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

/// A well-formed token of the same session whose secret was never issued.
pub fn forged_token(token: &str) -> String {
    let token = yaopai_wire::token::Token::parse(token.as_bytes()).unwrap();
    let secret = yaopai_wire::token::Secret::new([7; 32]);
    yaopai_wire::token::Token { id: token.id, secret }.reveal()
}
