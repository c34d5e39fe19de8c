//! On to the back end, byte for byte, and its answer back.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;
use yaopai_core::ids::AppName;

/// How long the back end may take. WeChat has its `success` before that if need be.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The largest answer that is relayed; a reply to a message has about 1 KB.
const ANSWER_MAX: usize = 64 * 1024;
/// The largest that is kept for a repeated push. Of a larger one `success` is kept.
const KEPT_MAX: usize = 2 * 1024;
/// How many pushes of an app are at its back end at a time.
const AT_ONCE: usize = 64;

/// A back end that takes pushes.
#[derive(Debug)]
pub struct Forward {
    url: String,
    client: reqwest::Client,
    places: Semaphore,
}

/// A push as it came.
pub struct Asked {
    /// The query, without `?`.
    pub query: String,
    /// The content type.
    pub kind: Option<HeaderValue>,
    /// The body.
    pub body: Bytes,
}

/// An answer to WeChat.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    kind: Option<HeaderValue>,
    body: Bytes,
}

impl Answer {
    /// WeChat's word for "taken".
    pub fn success() -> Self {
        Self::text("success".to_owned())
    }

    /// A plain text.
    pub fn text(text: String) -> Self {
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        Self { status: StatusCode::OK, kind: Some(kind), body: text.into() }
    }

    /// Not taken: to be sent again.
    pub(super) fn failure() -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, kind: None, body: Bytes::new() }
    }

    /// Too large to be kept for a repeated push?
    pub(super) fn is_large(&self) -> bool {
        self.body.len() > KEPT_MAX
    }

    /// The back end's own word that it failed: WeChat says it again, and then it is to be told again.
    pub(super) fn not_taken(&self) -> bool {
        self.status.is_server_error()
    }

    pub(super) fn failed(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.kind.is_none()
    }

    /// As a response.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        if let Some(kind) = self.kind {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        // The text may be a back end's or WeChat's own: no browser is to make anything else of it.
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

impl Forward {
    /// `url` has no query: WeChat's own goes there.
    ///
    /// # Errors
    /// TLS can't be set up: no root certificates.
    #[allow(
        clippy::disallowed_methods,
        reason = "the pushes' one client an app; the webhook and the platforms have theirs"
    )]
    pub fn new(url: &str) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("yaopai/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .timeout(TIMEOUT);
        let builder = if url.starts_with("https://") { builder } else { builder.tls_certs_only([]) };
        Ok(Self { url: url.to_owned(), client: builder.build()?, places: Semaphore::new(AT_ONCE) })
    }

    /// Sends it on. What the back end fails at is `success` to WeChat: sending it again would not help, and the log says so.
    /// What it was not asked, WeChat is to say again, which it does three times.
    pub(super) async fn send(&self, app: &AppName, asked: &Asked) -> Answer {
        let Ok(_place) = self.places.try_acquire() else {
            tracing::warn!(%app, "a push is to be sent again: too many are at the back end");
            return Answer::failure();
        };
        match self.relay(asked).await {
            Ok(answer) => answer,
            Err(e) => {
                tracing::warn!(%app, error = %e.without_url(), "a push did not reach the back end, or its answer not us");
                Answer::success()
            }
        }
    }

    async fn relay(&self, asked: &Asked) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.post(format!("{}?{}", self.url, asked.query)).body(asked.body.clone());
        if let Some(kind) = &asked.kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let mut response = request.send().await?;
        let (status, kind) = (response.status(), response.headers().get(header::CONTENT_TYPE).cloned());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Ok(Answer::success());
            }
            body.extend_from_slice(&chunk);
        }
        // Status without content would be taken for a failure of ours.
        let kind = kind.or(Some(HeaderValue::from_static("text/plain")));
        Ok(Answer { status, kind, body: body.into() })
    }
}
