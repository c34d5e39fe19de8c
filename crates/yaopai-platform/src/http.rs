//! The one home of reqwest clients: TLS, time-outs, no second request behind our back, no URL in an error.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use zeroize::Zeroizing;

/// The header that marks the simulator's answers.
pub const SIM_HEADER: &str = "Yaopai-Sim";

/// An answer longer than this many bytes is no answer of a platform: theirs are well under 1 KB.
const BODY_MAX: usize = 64 * 1024;

/// Longest cause of a transport fault that goes to the log, in characters.
const CAUSE_MAX: usize = 160;

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// TLS can't be set up, in practice because the system has no root certificates (a bare container image).
    #[error(
        "no HTTPS client: {0}; install the system's root certificates (package ca-certificates) or set SSL_CERT_FILE"
    )]
    Tls(String),
}

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// Name look-up, TCP and TLS.
    pub connect: Duration,
    /// From the first step to the answer's last byte.
    pub total: Duration,
}

/// May a connection serve more than one request?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// One connection, one request: for what may be sent only once. hyper sends a request anew when a *reused* connection
    /// turns out closed, and a code sent into a dying keep-alive connection is lost though the platform is well.
    Never,
    /// Connections are kept: for calls that may safely arrive twice.
    Pooled,
}

/// Which dangers are meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    /// Plain HTTP.
    pub plain_http: bool,
    /// The simulator's answers.
    pub simulator: bool,
}

/// Why there is no answer. The texts hold no URL and nothing of the request or the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection: not a byte of the request was sent.
    NotReached(String),
    /// Sent, perhaps; and no usable answer.
    Failed(String),
    /// An answer whose HTTP status isn't 200.
    Status(u16),
    /// The simulator answered where it must not.
    Simulator,
}

/// An HTTP client that sends each request at most once.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    allow_simulator: bool,
}

impl Http {
    /// Makes a client. `https` = false needs no root certificates, so that the simulator runs in a bare container.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one home of HTTP clients: each gets the time-outs and bans below"
    )]
    pub fn new(reuse: Reuse, timeouts: Timeouts, https: bool, allowed: Allowed) -> Result<Self, HttpError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("yaopai/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            // A redirect would carry the AppSecret elsewhere, and the code a second time.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // reqwest's default sends a request again when HTTP/2 says it was not taken. HTTP/1.1 has no such word.
            .retry(reqwest::retry::never())
            .http1_only()
            // HTTP_PROXY in the environment must not see a plain-HTTP secret, nor hide which address WeChat whitelists.
            .no_proxy()
            .https_only(!allowed.plain_http);
        let builder = match reuse {
            // Said to the server too: it closes first then, and TIME_WAIT doesn't use up our ports.
            Reuse::Never => builder.pool_max_idle_per_host(0).default_headers(connection_close()),
            Reuse::Pooled => builder.pool_idle_timeout(Duration::from_secs(20)),
        };
        let builder = if https { builder } else { builder.tls_certs_only([]) };
        let client = builder.build().map_err(|e| HttpError::Tls(root_cause(&e.without_url())))?;
        Ok(Self { client, allow_simulator: allowed.simulator })
    }

    /// `GET url`, once.
    pub async fn get(&self, url: Url) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.send(self.client.get(url)).await
    }

    /// `GET url` with `Authorization: Bearer`, once. The header's value is marked as sensitive, so that no `Debug` shows it.
    pub async fn get_as(&self, url: Url, bearer: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let request = self.client.get(url).header(ACCEPT, "application/json");
        self.send(match bearer {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        })
        .await
    }

    /// `POST url` with a JSON body, once.
    pub async fn post_json(&self, url: Url, body: Vec<u8>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.send(self.client.post(url).header("Content-Type", "application/json").body(body)).await
    }

    /// `POST url` without a body, once. Content-Length is sent all the same (RFC 9110, section 8.6).
    pub async fn post_nothing(&self, url: Url) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.send(self.client.post(url).header(CONTENT_LENGTH, "0")).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut response = request.send().await.map_err(fault)?;
        if !self.allow_simulator && response.headers().contains_key(SIM_HEADER) {
            return Err(Fault::Simulator);
        }
        if response.status() != StatusCode::OK {
            return Err(Fault::Status(response.status().as_u16()));
        }
        let too_long = || Fault::Failed(format!("the answer is longer than {BODY_MAX} bytes"));
        if response.content_length().is_some_and(|n| n > BODY_MAX as u64) {
            return Err(too_long());
        }
        // Room for a usual answer, so that the session_key in it is rarely copied by a growing buffer.
        let mut body = Zeroizing::new(Vec::with_capacity(4096));
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn connection_close() -> HeaderMap {
    HeaderMap::from_iter([(CONNECTION, HeaderValue::from_static("close"))])
}

fn fault(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    // Builder errors (a scheme that `https_only` refuses) happen before there is a connection.
    if error.is_connect() || error.is_builder() {
        Fault::NotReached(format!("no connection: {}", root_cause(&error)))
    } else if error.is_timeout() {
        Fault::Failed("no answer in time".into())
    } else {
        Fault::Failed(format!("the connection broke: {}", root_cause(&error)))
    }
}

/// The innermost cause: "connection refused", "certificate expired". Wrapping layers add nothing but a URL. It may quote
/// what the other side sent (a certificate's name), so only printable characters stay.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CAUSE_MAX).collect()
}
