//! The demo's one HTTP client: for the phones, and for the front door's way to what is behind it. Loopback only.

use std::time::Duration;

use anyhow::{anyhow, bail};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};

/// A call of the API takes 30 s at most; whoever waits for it must wait longer.
const PATIENCE: Duration = Duration::from_secs(35);
const ANSWER_MAX: usize = 1024 * 1024;

/// Sends requests on this machine.
#[derive(Clone)]
pub struct Client(reqwest::Client);

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// Makes it.
    #[allow(clippy::disallowed_methods, reason = "the demo's one client; it talks to this machine alone")]
    pub fn new() -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .tls_certs_only([]);
        Ok(Self(builder.build().map_err(|e| anyhow!("the demo's HTTP client can't be made: {e}"))?))
    }

    /// One request, one answer.
    pub async fn send(&self, method: Method, url: &str, headers: HeaderMap, body: Bytes) -> anyhow::Result<Answer> {
        let no_answer = |e: reqwest::Error| anyhow!("no answer from {url}: {}", e.without_url());
        let request = self.0.request(method, url).headers(headers).body(body);
        let mut response = request.send().await.map_err(no_answer)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                bail!("the answer from {url} is larger than {ANSWER_MAX} bytes");
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body: body.freeze() })
    }
}
